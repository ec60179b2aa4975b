//! A C compiler as the oracle: a shared library of callees and callers.

use std::ffi::{CString, c_void};
use std::path::Path;

use super::Oracle;
use super::thunks::{Checker, call_named};
use crate::code::{has_wide_registers, os};
use crate::fuzz::batch::{Batch, Prototype};
use crate::fuzz::c_source::{LOST_REGISTER, left_out};
use crate::fuzz::image::RESULT;
use crate::fuzz::platform::Platform;
use crate::fuzz::program::{Direction, Outcome};
use crate::fuzz::trouble::Trouble;

/// A compiler's output for [`c_source`](crate::fuzz::c_source::c_source).
pub struct Library {
    compiler: String,
    handle: &'static os::Library,
    report: *const Report,
}

/// `struct report` of the C file.
#[repr(C)]
pub(super) struct Report {
    failed: u32,
    size: u32,
    got: [u8; 256],
}

/// Options for a shared library whose code passes 32-byte vectors in registers, if the processor has them.
pub(super) fn options() -> &'static [&'static str] {
    const OPTIONS: &[&str] = &["-shared", "-fPIC", "-mavx"];
    let count = if has_wide_registers() { 3 } else { 2 };
    &OPTIONS[..count]
}

impl Library {
    /// Loads the library that `compiler` made.
    ///
    /// # Errors
    /// [`Trouble::Library`]
    pub fn open(compiler: &str, path: &Path) -> Result<Library, Trouble> {
        let handle = open(&path.to_string_lossy())?;
        let report = symbol(handle, "report")?.cast();
        Ok(Library { compiler: compiler.into(), handle, report })
    }

    fn outcome(&self) -> Result<(), String> {
        // SAFETY: `report` of the library, which lives as long as the process.
        unsafe { &*self.report }.outcome()
    }
}

impl Report {
    pub(super) fn outcome(&self) -> Result<(), String> {
        let bytes = &self.got[..(self.size as usize).min(self.got.len())];
        match self.failed {
            0 => Ok(()),
            LOST_REGISTER => Err("a register that a callee must save was changed".into()),
            n if n as usize == RESULT + 1 => Err(format!("C got another result: {bytes:02x?}")),
            n => Err(format!("C got another argument {n}: {bytes:02x?}")),
        }
    }
}

impl Oracle for Library {
    fn name(&self) -> &str {
        &self.compiler
    }

    fn lacks(&self, prototype: &Prototype) -> bool {
        symbol(self.handle, &left_out(&prototype.name)).is_ok()
    }

    fn step(&self, batch: &Batch, prototype: &Prototype, direction: Direction) -> Outcome {
        let (name, platform) = (&prototype.name, batch.platform);
        let outcome = match direction {
            Direction::Callback if prototype.is_variadic() => {
                return Outcome::Skipped("callbacks take no variable arguments".into());
            }
            Direction::Call => self.call(name, prototype, platform),
            Direction::Callback => self.callback(name, prototype, platform),
        };
        outcome.into()
    }
}

impl Library {
    fn call(&self, name: &str, prototype: &Prototype, platform: &Platform) -> Result<(), String> {
        let target =
            symbol(self.handle, &format!("callee_{name}")).map_err(|error| error.to_string())?;
        // SAFETY: C declares the callee with this type and convention.
        unsafe { call_named(prototype, platform, target, || self.outcome()) }
    }

    fn callback(
        &self,
        name: &str,
        prototype: &Prototype,
        platform: &Platform,
    ) -> Result<(), String> {
        let caller =
            symbol(self.handle, &format!("caller_{name}")).map_err(|error| error.to_string())?;
        // SAFETY: C declares the caller with this type.
        let caller: unsafe extern "C" fn(*const c_void) = unsafe { std::mem::transmute(caller) };
        Checker::new(prototype).during(platform, |callback| {
            // SAFETY: the callback has the type that the caller casts it to.
            unsafe { caller(callback) };
            self.outcome()
        })
    }
}

/// Opens a shared library, for as long as the process lives.
pub fn open(name: &str) -> Result<&'static os::Library, Trouble> {
    let error = |reason| Trouble::Library { name: name.into(), reason };
    Ok(Box::leak(Box::new(os::Library::open(name, false).map_err(error)?)))
}

/// The address of a symbol.
pub fn symbol(library: &os::Library, name: &str) -> Result<*const c_void, Trouble> {
    let error = |reason| Trouble::Library { name: name.into(), reason };
    let text = CString::new(name).map_err(|e| error(e.to_string()))?;
    library.symbol(&text).map_err(error)
}
