//! The parts that POSIX systems share; each system has its own `errno_location`, `NO_RESERVE` and `STANDARD_LIBRARIES`.

mod blocked;
mod library;
mod memory;
mod peek;
pub(in crate::code) mod signals;
mod unwind;

pub(crate) use super::calendar::format_time;
pub(crate) use blocked::Blocked;
pub(crate) use library::{LIBRARY_PREFIX, Library, is_path};
pub(in crate::code) use memory::map_data;
pub(in crate::code::os) use memory::mapped;
pub(crate) use memory::{map_guarded, unmap_guarded};
pub use peek::Peek;
pub(in crate::code) use signals::Handlers;
pub(in crate::code) use unwind::Unwind;

#[cfg(feature = "module")]
pub(crate) use library::stay;

use std::ffi::c_int;

use super::row::errno_location;

/// `errno` as the last C call left it.
#[inline]
pub(crate) fn errno() -> c_int {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *errno_location() }
}

/// Sets `errno`.
#[inline]
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: the address is the calling thread's own variable.
    unsafe { *errno_location() = value }
}

/// Runs `f` and leaves `errno` as it was.
pub(crate) fn keep_errors<R>(f: impl FnOnce() -> R) -> R {
    let saved = errno();
    let result = f();
    set_errno(saved);
    result
}

/// Writes to the process's standard error, with no lock and no memory of its own: a signal handler may.
pub(crate) fn write_error(mut text: &[u8]) {
    keep_errors(|| {
        while !text.is_empty() {
            // SAFETY: the bytes are there.
            let written = unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
            let Ok(written @ 1..) = usize::try_from(written) else { break };
            text = &text[written..];
        }
    });
}

/// A time in seconds since 1970 as a date, of the time zone unless `utc`; `None`: the year is out of range.
pub(in crate::code::os) fn broken_down(time: libc::time_t, utc: bool) -> Option<libc::tm> {
    // SAFETY: a structure of numbers and a pointer, which may be null; C fills it.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let found = match utc {
            true => libc::gmtime_r(&time, &mut tm),
            false => libc::localtime_r(&time, &mut tm),
        };
        (!found.is_null()).then_some(tm)
    }
}

/// Ends the process when so many seconds are over.
pub(crate) fn end_after(seconds: u32) {
    // SAFETY: no handler is installed: the signal ends the process.
    unsafe { libc::alarm(seconds) };
}

/// Runs functions in the thread that forks: before, and after, in the parent and in the child.
pub(in crate::code) fn at_fork(before: unsafe extern "C" fn(), after: unsafe extern "C" fn()) {
    // SAFETY: functions of this library, which is never unloaded once it has code or callbacks in use.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}
