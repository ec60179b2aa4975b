//! An unknown system: the crate compiles; each request is an error, or does nothing.

use std::convert::Infallible;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::path::PathBuf;
use std::ptr::NonNull;

use cranelift_codegen::CompiledCode;
use cranelift_codegen::isa::TargetIsa;

use super::{Near, Views};
use crate::error::Error;

fn refused<T>(what: &str) -> io::Result<T> {
    let message = format!("this version makes {what} on Linux only");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// The signals that a thread does not take: there are none.
pub(crate) struct Blocked;

impl Blocked {
    pub(crate) fn now() -> Blocked {
        Blocked
    }

    pub(crate) fn exceeds(&self, _: &Blocked) -> bool {
        false
    }
}

pub(in crate::code) fn map_code(_: usize, _: Near) -> io::Result<Views> {
    refused("executable memory")
}

pub(in crate::code) fn map_data(_: usize, _: usize) -> io::Result<NonNull<u8>> {
    refused("stubs")
}

pub(crate) fn map_guarded(_: usize) -> io::Result<(NonNull<u8>, usize)> {
    refused("guarded memory")
}

/// Nothing to give back.
///
/// # Safety
/// - None: nothing was mapped.
pub(crate) unsafe fn unmap_guarded(_: NonNull<u8>, _: usize) {}

/// Nothing unwinds through compiled code.
pub(in crate::code) struct Unwind(());

impl Unwind {
    pub fn new(_: &dyn TargetIsa) -> Unwind {
        Unwind(())
    }

    pub fn register(
        &mut self,
        _: &dyn TargetIsa,
        _: &CompiledCode,
        _: u64,
    ) -> Result<&[u8], Error> {
        Ok(&[])
    }
}

/// The process alone, which has no symbols.
#[derive(Debug)]
pub(crate) struct Library(());

impl Library {
    pub(crate) fn default() -> Library {
        Library(())
    }

    pub(crate) fn open(file: &str, _: bool) -> Result<Library, String> {
        Err(format!("cannot load '{file}': this version loads no libraries on this system"))
    }

    pub(crate) fn name(&self) -> &str {
        "default"
    }

    pub(crate) fn is_default(&self) -> bool {
        true
    }

    pub(crate) fn symbol(&self, name: &CStr) -> Result<*const c_void, String> {
        Err(format!("undefined symbol '{}'", name.to_string_lossy()))
    }
}

pub(crate) const LIBRARY_PREFIX: &str = "lib";

pub(crate) fn is_path(name: &str) -> bool {
    name.contains('/')
}

pub(crate) fn library_folders() -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(feature = "module")]
pub(crate) fn stay() {}

pub(crate) fn errno() -> c_int {
    0
}

pub(crate) fn set_errno(_: c_int) {}

pub(crate) fn keep_errors<R>(f: impl FnOnce() -> R) -> R {
    f()
}

pub(crate) fn write_error(text: &[u8]) {
    _ = io::Write::write_all(&mut io::stderr(), text);
}

pub(in crate::code) struct Handlers(());

impl Handlers {
    pub(in crate::code) fn install(_: fn()) -> Handlers {
        Handlers(())
    }
}

pub(crate) fn format_time(_: &[u8], _: i64, _: bool) -> Option<Vec<u8>> {
    None
}

pub(crate) fn end_after(_: u32) {}

pub(in crate::code) fn own_stack() -> Option<(usize, usize)> {
    None
}

pub(in crate::code) fn mapping(_: usize) -> Option<(usize, usize)> {
    None
}

pub(in crate::code) fn at_fork(_: unsafe extern "C" fn(), _: unsafe extern "C" fn()) {}

/// Reads nothing.
pub struct Peek(Infallible);

impl Peek {
    /// Nothing on this system.
    ///
    /// # Errors
    /// Always.
    pub fn new() -> io::Result<Peek> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "reading unknown memory needs Unix"))
    }

    /// Never anything.
    pub fn read(&self, _: usize, _: usize) -> Option<u64> {
        match self.0 {}
    }
}
