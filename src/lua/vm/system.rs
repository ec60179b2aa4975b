//! The operating system for the Lua side: opens libraries, finds symbols, reads and sets `errno`. The only file of `lua` that asks which system it
//! is compiled for.

use std::ffi::{CStr, CString, c_int, c_void};

/// A symbol's address.
pub(in crate::lua) type Symbol = *const c_void;

/// An open library, closed when dropped; the default one stands for everything the process has loaded.
#[derive(Debug)]
pub(crate) struct Library {
    handle: *mut c_void,
    name: String,
}

impl Library {
    /// The library's name, as it was opened.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it stands for everything the process has loaded.
    pub(crate) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }
}

/// The name of the library that stands for everything.
const DEFAULT: &str = "default";

/// `errno` as the last C call left it.
pub(crate) fn errno() -> c_int {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *errno_location() }
}

/// Sets `errno`.
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *errno_location() = value }
}

/// Runs `f` and leaves `errno` as it was.
pub(crate) fn keep_errno<R>(f: impl FnOnce() -> R) -> R {
    let saved = errno();
    let result = f();
    set_errno(saved);
    result
}

/// Writes to the process's standard error, with no lock and no memory of its own: a signal handler may.
pub(crate) fn write_error(mut text: &[u8]) {
    keep_errno(|| {
        while !text.is_empty() {
            // SAFETY: the bytes are there.
            let written = unsafe { libc::write(2, text.as_ptr().cast(), text.len() as _) };
            let Ok(written @ 1..) = usize::try_from(written) else { break };
            text = &text[written..];
        }
    });
}

#[cfg(any(target_os = "linux", target_os = "emscripten"))]
fn errno_location() -> *mut c_int {
    // SAFETY: always callable.
    unsafe { libc::__errno_location() }
}

#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
fn errno_location() -> *mut c_int {
    // SAFETY: always callable.
    unsafe { libc::__error() }
}

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
fn errno_location() -> *mut c_int {
    // SAFETY: always callable.
    unsafe { libc::__errno() }
}

#[cfg(windows)]
fn errno_location() -> *mut c_int {
    unsafe extern "C" {
        fn _errno() -> *mut c_int;
    }
    // SAFETY: always callable.
    unsafe { _errno() }
}

/// `ffi.os`, as LuaJIT names systems.
pub(crate) const OS: &str = if cfg!(target_os = "linux") {
    "Linux"
} else if cfg!(windows) {
    "Windows"
} else if cfg!(target_vendor = "apple") {
    "OSX"
} else if cfg!(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd")) {
    "BSD"
} else if cfg!(unix) {
    "POSIX"
} else {
    "Other"
};

/// What `ffi.abi` says yes to, the pointer width apart. LuaJIT's own builds for 64 bits have `gc64`.
pub(crate) const ABI: &[&str] = match (cfg!(windows), cfg!(target_pointer_width = "64")) {
    (true, true) => &["fpu", "hardfp", "le", "win", "dualnum", "gc64"],
    (true, false) => &["fpu", "hardfp", "le", "win", "dualnum"],
    (false, true) => &["fpu", "hardfp", "le", "dualnum", "gc64"],
    (false, false) => &["fpu", "hardfp", "le", "dualnum"],
};

#[cfg(all(unix, feature = "module"))]
pub(crate) use unix::stay;

#[cfg(unix)]
mod unix {
    use super::*;

    /// Libraries of the C standard library that a program need not be linked with.
    #[cfg(target_os = "linux")]
    const STANDARD: &[&CStr] = &[c"libm.so.6"];
    #[cfg(not(target_os = "linux"))]
    const STANDARD: &[&CStr] = &[];

    impl Library {
        /// What the process has loaded.
        pub(crate) fn default() -> Library {
            Library { handle: libc::RTLD_DEFAULT, name: DEFAULT.to_owned() }
        }

        /// Opens a library, by path or by a name that the loader searches. `global`: its symbols serve later libraries.
        ///
        /// # Errors
        /// The loader's message.
        pub(crate) fn open(file: &str, global: bool) -> Result<Library, String> {
            let path =
                CString::new(file).map_err(|_| "a library name holds a NUL byte".to_owned())?;
            let visibility = if global { libc::RTLD_GLOBAL } else { libc::RTLD_LOCAL };
            keep_errno(|| {
                // SAFETY: the path is a C string; initialisers of the library run, as asked.
                let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | visibility) };
                if handle.is_null() {
                    return Err(last_error().unwrap_or_else(|| "dlopen failed".to_owned()));
                }
                Ok(Library { handle, name: file.to_owned() })
            })
        }

        /// The address of a symbol.
        ///
        /// # Errors
        /// A message that names the symbol and the library.
        pub(crate) fn symbol(&self, name: &CStr) -> Result<Symbol, String> {
            keep_errno(|| {
                if let Some(address) = find(self.handle, name) {
                    return Ok(address);
                }
                if self.handle == libc::RTLD_DEFAULT
                    && let Some(address) = STANDARD.iter().find_map(|file| find_in(file, name))
                {
                    return Ok(address);
                }
                let (symbol, library) = (name.to_string_lossy(), &self.name);
                Err(if self.handle == libc::RTLD_DEFAULT {
                    format!(
                        "undefined symbol '{symbol}': declared, but in no library that the process has loaded"
                    )
                } else {
                    format!("undefined symbol '{symbol}': declared, but not in library '{library}'")
                })
            })
        }
    }

    impl Drop for Library {
        fn drop(&mut self) {
            if self.handle != libc::RTLD_DEFAULT {
                // SAFETY: the handle is open, and nothing uses the library any more.
                keep_errno(|| unsafe { libc::dlclose(self.handle) });
            }
        }
    }

    /// Keeps the library that has this code in the process until that ends: Lua unloads a module when its state closes, and LuaJIT
    /// may run finalisers after that. Handlers of signals and threads may lead here, too.
    #[cfg(feature = "module")]
    pub(crate) fn stay() {
        let own = stay as fn() as *const c_void;
        // SAFETY: a `Dl_info` is plain data, which `dladdr` fills in where it succeeds; the name is a C string then.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(own, &mut info) != 0 {
                let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
                libc::dlopen(info.dli_fname, flags);
            }
        }
    }

    /// A symbol of an open library; `None` where it has none or the symbol's address is null.
    fn find(handle: *mut c_void, name: &CStr) -> Option<Symbol> {
        // SAFETY: the handle is open, the name a C string.
        let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
        (!address.is_null()).then_some(address.cast_const())
    }

    /// A symbol of a standard library, which stays open: it serves the default namespace.
    fn find_in(file: &CStr, name: &CStr) -> Option<Symbol> {
        // SAFETY: the path is a C string.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
        let address = (!handle.is_null()).then(|| find(handle, name)).flatten();
        if address.is_none() && !handle.is_null() {
            // SAFETY: the handle was just opened.
            unsafe { libc::dlclose(handle) };
        }
        address
    }

    fn last_error() -> Option<String> {
        // SAFETY: the message is a C string that is valid until the next call of the thread.
        unsafe {
            let message = libc::dlerror();
            (!message.is_null()).then(|| CStr::from_ptr(message).to_string_lossy().into_owned())
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::ptr;

    use super::*;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn LoadLibraryA(name: *const std::ffi::c_char) -> *mut c_void;
        fn GetModuleHandleA(name: *const std::ffi::c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const std::ffi::c_char) -> *mut c_void;
        fn FreeLibrary(module: *mut c_void) -> c_int;
        fn GetLastError() -> u32;
        fn SetLastError(error: u32);
    }

    /// Where the default namespace looks: the program, then the libraries that LuaJIT looks at.
    const STANDARD: &[Option<&CStr>] = &[
        None,
        Some(c"ucrtbase.dll"),
        Some(c"msvcrt.dll"),
        Some(c"kernel32.dll"),
        Some(c"user32.dll"),
        Some(c"gdi32.dll"),
    ];

    impl Library {
        /// What the process has loaded.
        pub(crate) fn default() -> Library {
            Library { handle: ptr::null_mut(), name: DEFAULT.to_owned() }
        }

        /// Opens a library, by path or by a name that the loader searches.
        ///
        /// # Errors
        /// The loader's error code.
        pub(crate) fn open(file: &str, _global: bool) -> Result<Library, String> {
            let path =
                CString::new(file).map_err(|_| "a library name holds a NUL byte".to_owned())?;
            // SAFETY: the path is a C string.
            unsafe {
                let saved = GetLastError();
                let handle = LoadLibraryA(path.as_ptr());
                if handle.is_null() {
                    return Err(format!("cannot load '{file}': error {}", GetLastError()));
                }
                SetLastError(saved);
                Ok(Library { handle, name: file.to_owned() })
            }
        }

        /// The address of a symbol.
        ///
        /// # Errors
        /// A message that names the symbol and the library.
        pub(crate) fn symbol(&self, name: &CStr) -> Result<Symbol, String> {
            // SAFETY: the names are C strings, the handles open modules.
            unsafe {
                let saved = GetLastError();
                let find = |module: *mut c_void| {
                    let address = GetProcAddress(module, name.as_ptr());
                    (!address.is_null()).then_some(address.cast_const())
                };
                let address = if self.handle.is_null() {
                    STANDARD.iter().find_map(|file| {
                        let module = GetModuleHandleA(file.map_or(ptr::null(), CStr::as_ptr));
                        (!module.is_null()).then(|| find(module)).flatten()
                    })
                } else {
                    find(self.handle)
                };
                SetLastError(saved);
                address.ok_or_else(|| {
                    let (symbol, library) = (name.to_string_lossy(), &self.name);
                    format!("undefined symbol '{symbol}': declared, but not in library '{library}'")
                })
            }
        }
    }

    impl Drop for Library {
        fn drop(&mut self) {
            if !self.handle.is_null() {
                // SAFETY: the handle is open, and nothing uses the library any more.
                unsafe { FreeLibrary(self.handle) };
            }
        }
    }
}
