//! Other POSIX systems: the BSDs, Android. No memory for code.

use std::ffi::c_int;

pub(in crate::code) use super::none::{library_folders, map_code, mapping, own_stack};
pub use super::posix::*;

pub(super) const STANDARD_LIBRARIES: &[&str] = &[];

pub(super) fn errno_location() -> *mut c_int {
    unsafe extern "C" {
        #[cfg_attr(any(target_os = "freebsd", target_os = "dragonfly"), link_name = "__error")]
        #[cfg_attr(target_os = "emscripten", link_name = "__errno_location")]
        fn __errno() -> *mut c_int;
    }
    // SAFETY: always callable.
    unsafe { __errno() }
}
