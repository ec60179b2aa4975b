//! Windows. No memory for code yet.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::sync::OnceLock;
use std::{error, fmt};

use libloading::os::windows;

pub(crate) use super::calendar::format_time;
pub use super::none::Peek;
#[cfg(feature = "module")]
pub(crate) use super::none::stay;
pub(crate) use super::none::{
    Blocked, end_after, library_folders, map_guarded, unmap_guarded, write_error,
};
pub(in crate::code) use super::none::{Unwind, at_fork, map_code, map_data, mapping, own_stack};

unsafe extern "C" {
    fn _errno() -> *mut c_int;
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SetLastError(error: u32);
}

/// `errno` as the last C call left it.
pub(crate) fn errno() -> c_int {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *_errno() }
}

/// Sets `errno`.
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *_errno() = value }
}

/// Runs `f` and leaves `errno` and the last error as they were.
pub(crate) fn keep_errors<R>(f: impl FnOnce() -> R) -> R {
    let saved = (errno(), io::Error::last_os_error().raw_os_error().unwrap_or(0));
    let result = f();
    set_errno(saved.0);
    // SAFETY: always callable.
    unsafe { SetLastError(saved.1 as u32) };
    result
}

/// A time in seconds since 1970 as a date, of the time zone unless `utc`; `None`: the year is out of range.
pub(super) fn broken_down(time: libc::time_t, utc: bool) -> Option<libc::tm> {
    // SAFETY: a structure of numbers; C fills it.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let failed = match utc {
            true => libc::gmtime_s(&mut tm, &time),
            false => libc::localtime_s(&mut tm, &time),
        };
        (failed == 0).then_some(tm)
    }
}

/// Handlers of `exit`: there are no such signals.
pub(in crate::code) struct Handlers(());

impl Handlers {
    /// Installs a handler that runs `say`, which is the same at every call.
    pub(in crate::code) fn install(say: fn()) -> Handlers {
        static SAY: OnceLock<fn()> = OnceLock::new();
        extern "C" fn at_exit() {
            if let Some(say) = SAY.get() {
                say();
            }
        }
        if SAY.set(say).is_ok() {
            // SAFETY: `at_exit` is a function of this library.
            unsafe { _ = libc::atexit(at_exit) };
        }
        Handlers(())
    }
}

pub(crate) const LIBRARY_PREFIX: &str = "";

/// Whether a library's name says where its file is.
pub(crate) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

/// Where the default namespace looks after the program: the libraries that LuaJIT looks at.
const STANDARD: &[&str] =
    &["ucrtbase.dll", "msvcrt.dll", "kernel32.dll", "user32.dll", "gdi32.dll"];

/// An open library, closed when dropped; the default one stands for the program and the libraries of [`STANDARD`].
pub(crate) struct Library {
    /// `None`: the default one.
    loaded: Option<windows::Library>,
    name: String,
}

impl Library {
    /// The libraries that the process has loaded.
    pub(crate) fn default() -> Library {
        Library { loaded: None, name: "default".to_owned() }
    }

    /// Opens a library, by path or by a name that the loader searches.
    ///
    /// # Errors
    /// The loader's message.
    pub(crate) fn open(file: &str, _global: bool) -> Result<Library, String> {
        // SAFETY: initialisers of the library run, as asked.
        let loaded = keep_errors(|| unsafe { windows::Library::new(file) });
        let loaded =
            loaded.map_err(|error| format!("cannot load '{file}': {}", message(&error)))?;
        Ok(Library { loaded: Some(loaded), name: file.to_owned() })
    }

    /// The library's name, as it was opened.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it stands for everything the process has loaded.
    pub(crate) fn is_default(&self) -> bool {
        self.loaded.is_none()
    }

    /// The address of a symbol.
    ///
    /// # Errors
    /// A message that names the symbol and the library.
    pub(crate) fn symbol(&self, name: &CStr) -> Result<*const c_void, String> {
        let standard = || {
            let files = STANDARD.iter().map(|file| windows::Library::open_already_loaded(*file));
            std::iter::once(windows::Library::this()).chain(files).flatten()
        };
        let address = keep_errors(|| match &self.loaded {
            Some(library) => find(library, name),
            None => standard().find_map(|library| find(&library, name)),
        });
        address.ok_or_else(|| {
            let (symbol, library) = (name.to_string_lossy(), &self.name);
            format!("undefined symbol '{symbol}': declared, but not in library '{library}'")
        })
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Library").field(&self.name).finish()
    }
}

fn message(error: &libloading::Error) -> String {
    error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// A symbol of an open library.
fn find(library: &windows::Library, name: &CStr) -> Option<*const c_void> {
    // SAFETY: an address is taken as one.
    let symbol = unsafe { library.get::<*const c_void>(name) };
    symbol.ok().map(|symbol| symbol.as_raw_ptr().cast_const())
}
