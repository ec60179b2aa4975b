//! The system that the process runs on: every request to an operating system.
//!
//! Each system is one row: a file or a folder here that has every name of the list below; the rest of the crate uses these names. To add one: a file with
//! these names, and its line in the list of rows. `posix` has the parts that most systems share, and `none` stands for missing parts; a row
//! uses both. No code outside this folder asks which system it is compiled for, except [`super::host`], whose rows may depend on both.
//!
//! | name | a row gives |
//! |---|---|
//! | `map_code(size, near)` | executable memory that is never writable where it runs: [`Views`] |
//! | `map_data(code, size)` | zeroed private memory that stubs at `code` reach; it stays |
//! | `map_guarded(size)`, `unmap_guarded` | zeroed memory between pages without access |
//! | `Unwind` | `new(isa)` and `register(isa, code, address)`: lets errors unwind through a piece of compiled code |
//! | `Library` | `default()`, `open(file, global)`, `symbol(name)`, `name()`, `is_default()`: libraries, by the system's loader |
//! | `LIBRARY_PREFIX`, `is_path(name)`, `library_folders()` | names of library files, and the folders that the loader searches |
//! | `stay()` | keeps this library loaded until the process ends (feature `module`) |
//! | `errno()`, `set_errno(value)` | C's error number of this thread |
//! | `keep_errors(f)` | runs `f`, and leaves the error number unchanged, and Windows' last error, too |
//! | `write_error(text)` | writes to standard error, without locks and memory: signal handlers may call it |
//! | `Handlers` | `install(say)`: until it is dropped, `say` runs at the process's `exit`, `abort` and faults |
//! | `Blocked` | `now()`, and `exceeds(usual)`: the signals that the calling thread has blocked |
//! | `end_after(seconds)` | ends the process after this time |
//! | `format_time(format, time, utc)` | a date as C's `strftime` writes it |
//! | `own_stack()` | the lowest and highest address of the stack that the thread was made with, if known |
//! | `mapping(address)` | the bounds of the memory that an address lies in, if known |
//! | `at_fork(before, after)` | runs functions in the thread that forks: before, and after on both sides |
//! | `Peek` | `new()` and `read(address, bytes)`: reads memory that may not be there |
//! | `this_thread()` | a number of this thread, not 0, that no other living thread has |

#![cfg_attr(
    not(all(feature = "lua", feature = "fuzz-abi")),
    allow(dead_code, unused_imports, reason = "features decide what is asked of a system")
)]

#[cfg(any(unix, windows))]
mod calendar;
#[cfg(not(target_os = "linux"))]
#[allow(dead_code, reason = "each row takes what its system lacks")]
mod none;
#[cfg(unix)]
pub(super) mod posix;

#[cfg(target_vendor = "apple")]
#[path = "apple.rs"]
pub(super) mod row;
#[cfg(target_os = "freebsd")]
#[path = "freebsd.rs"]
pub(super) mod row;
#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
pub(super) mod row;
#[cfg(windows)]
#[path = "windows.rs"]
pub(super) mod row;
#[cfg(not(any(unix, windows)))]
#[path = "none.rs"]
pub(super) mod row;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "freebsd", target_vendor = "apple"))))]
#[path = "other_posix.rs"]
pub(super) mod row;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[path = "thread_control_block.rs"]
mod thread;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[path = "thread_local.rs"]
mod thread;

use std::ffi::c_void;
use std::ptr::NonNull;

pub use row::Peek;
#[cfg(feature = "module")]
pub(crate) use row::stay;
pub(crate) use row::{
    Blocked, LIBRARY_PREFIX, Library, end_after, errno, format_time, is_path, library_folders,
    map_guarded, set_errno, unmap_guarded, write_error,
};
pub(super) use row::{Handlers, Unwind, at_fork, map_code, map_data, mapping, own_stack};
pub(crate) use thread::this_thread;

/// A symbol's address.
pub(crate) type Symbol = *const c_void;

/// Executable memory of two views.
pub(super) struct Views {
    /// Where it is written; not executable.
    pub write: NonNull<u8>,
    /// Where it runs; not writable.
    pub run: NonNull<u8>,
}

/// Where code is mapped to run.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "a system without executable memory does not look")]
pub(super) enum Near {
    /// Within 1 GiB below an address, if there is room.
    Address(usize),
    /// The same, in memory that `perf` looks for names in.
    Observed(usize),
    /// Below 4 GiB, for 32-bit code.
    Low,
}
