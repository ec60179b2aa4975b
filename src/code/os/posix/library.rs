//! Libraries, by the system's loader.

use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::{error, fmt};

use libloading::os::unix;

use super::super::row::STANDARD_LIBRARIES;
use super::keep_errors;

/// An open library, closed when dropped; the default one stands for everything the process has loaded.
pub(crate) struct Library {
    /// Of the default library `RTLD_DEFAULT`, which is never closed.
    loaded: ManuallyDrop<unix::Library>,
    name: String,
}

/// The name of the library that stands for everything.
const DEFAULT: &str = "default";

pub(crate) const LIBRARY_PREFIX: &str = "lib";

/// Whether a library's name says where its file is.
pub(crate) fn is_path(name: &str) -> bool {
    name.contains('/')
}

impl Library {
    /// The libraries that the process has loaded.
    pub(crate) fn default() -> Library {
        // SAFETY: `dlsym` takes this handle, and nothing closes it.
        let loaded = unsafe { unix::Library::from_raw(libc::RTLD_DEFAULT) };
        Library { loaded: ManuallyDrop::new(loaded), name: DEFAULT.to_owned() }
    }

    /// Opens a library, by path or by a name that the loader searches. `global`: its symbols serve later libraries.
    ///
    /// # Errors
    /// The loader's message.
    pub(crate) fn open(file: &str, global: bool) -> Result<Library, String> {
        let visibility = if global { unix::RTLD_GLOBAL } else { unix::RTLD_LOCAL };
        let loaded = keep_errors(|| load(file, visibility).map_err(message))?;
        Ok(Library { loaded: ManuallyDrop::new(loaded), name: file.to_owned() })
    }

    /// The library's name, as it was opened.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it stands for everything the process has loaded.
    pub(crate) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }

    /// The address of a symbol.
    ///
    /// # Errors
    /// A message that names the symbol and the library.
    pub(crate) fn symbol(&self, name: &CStr) -> Result<*const c_void, String> {
        let standard = || STANDARD_LIBRARIES.iter().find_map(|file| find_in(file, name));
        let found = keep_errors(|| match find(&self.loaded, name) {
            None if self.is_default() => standard(),
            found => found,
        });
        found.ok_or_else(|| {
            let (symbol, library) = (name.to_string_lossy(), &self.name);
            match self.is_default() {
                true => format!(
                    "undefined symbol '{symbol}': declared, but in no library that the process has loaded"
                ),
                false => {
                    format!("undefined symbol '{symbol}': declared, but not in library '{library}'")
                }
            }
        })
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if !self.is_default() {
            // SAFETY: nothing uses the library any more, and this runs once.
            keep_errors(|| unsafe { ManuallyDrop::drop(&mut self.loaded) });
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Library").field(&self.name).finish()
    }
}

fn load(file: &str, visibility: c_int) -> Result<unix::Library, libloading::Error> {
    // SAFETY: initialisers of the library run, as asked.
    unsafe { unix::Library::open(Some(file), unix::RTLD_LAZY | visibility) }
}

/// The loader's own words.
fn message(error: libloading::Error) -> String {
    error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// A symbol of an open library; `None` where it has none or the symbol's address is null.
fn find(library: &unix::Library, name: &CStr) -> Option<*const c_void> {
    // SAFETY: an address is taken as one.
    let symbol = unsafe { library.get::<*const c_void>(name) };
    let address = symbol.ok()?.into_raw().cast_const();
    (!address.is_null()).then_some(address)
}

/// A symbol of a standard library, which stays open: it serves the default namespace.
fn find_in(file: &str, name: &CStr) -> Option<*const c_void> {
    let library = load(file, unix::RTLD_LOCAL).ok()?;
    let address = find(&library, name)?;
    let _stays = library.into_raw();
    Some(address)
}

/// Keeps the library that contains this code in the process until the process ends. Lua unloads a module when its state closes, but LuaJIT
/// may run finalisers after that, and signal handlers and other threads may call code of the library.
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
