//! Apple's systems. No memory for code yet.

use std::ffi::c_int;

pub(crate) use super::none::library_folders;
pub(in crate::code) use super::none::{map_code, mapping};
pub use super::posix::*;

pub(super) const STANDARD_LIBRARIES: &[&str] = &[];

/// Of `mmap`: memory that is used only as it is written.
pub(super) const NO_RESERVE: c_int = libc::MAP_NORESERVE;

pub(super) fn errno_location() -> *mut c_int {
    // SAFETY: always callable.
    unsafe { libc::__error() }
}

/// The lowest and the highest address of the stack that the thread was made with.
pub(in crate::code) fn own_stack() -> Option<(usize, usize)> {
    // SAFETY: both functions take any thread that lives.
    let (highest, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread) as usize, libc::pthread_get_stacksize_np(thread))
    };
    Some((highest - size, highest))
}
