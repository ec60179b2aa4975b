//! FreeBSD. No memory for code.

use std::ffi::c_int;

pub(crate) use super::none::library_folders;
pub(in crate::code) use super::none::{map_code, mapping, own_stack};
pub use super::posix::*;

pub(super) const STANDARD_LIBRARIES: &[&str] = &[];

/// Of `mmap`: there is no such flag, and none is needed.
pub(super) const NO_RESERVE: c_int = 0;

pub(super) fn errno_location() -> *mut c_int {
    // SAFETY: always callable.
    unsafe { libc::__error() }
}
