//! Linux.

mod library;
pub(in crate::code) mod low;
mod memory;
mod stack;

pub use super::posix::*;
pub(super) use library::STANDARD_LIBRARIES;
pub(crate) use library::library_folders;
pub(in crate::code) use memory::map_code;
pub(in crate::code) use stack::{mapping, own_stack};

/// Of `mmap`: memory that is used only as it is written.
pub(super) const NO_RESERVE: std::ffi::c_int = libc::MAP_NORESERVE;

pub(super) fn errno_location() -> *mut std::ffi::c_int {
    // SAFETY: always callable.
    unsafe { libc::__errno_location() }
}
