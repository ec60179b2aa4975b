//! How much of its stack a thread has left.
//!
//! A call with large stack arguments takes as much of the caller's stack at once. Where that is more than there is, the process
//! would end in the page below the stack, or write what lies beyond it.

use crate::error::Error;

/// Stack arguments of so many bytes fit wherever a thread runs at all.
const LITTLE: usize = 8 << 10;
/// Bytes that a call with larger ones leaves free, for the callee and for signal handlers.
const RESERVE: usize = 16 << 10;

/// Bytes that raising an error, and the code that catches it, needs.
const DEPTH: usize = 128 << 10;

/// Makes sure that the thread's stack has room for `bytes` bytes of stack arguments, and for what the callee needs beside them.
///
/// # Errors
/// [`Error::Stack`]
pub fn check_stack(bytes: usize) -> Result<(), Error> {
    if bytes <= LITTLE {
        return Ok(());
    }
    match left() {
        Some(left) if left < bytes.saturating_add(RESERVE) => Err(Error::Stack { bytes, left }),
        _ => Ok(()),
    }
}

/// Whether little is left of the thread's stack: a quarter, or `DEPTH` bytes. False where nobody knows.
pub fn is_stack_short() -> bool {
    thread_local! {
        /// The stack that the thread was made with, as it is at the first look.
        static STACK: Option<(usize, usize)> = own();
    }
    let here = 0_u8;
    let here = (&raw const here) as usize;
    // A coroutine of the host may have a stack of its own.
    let stack =
        STACK.with(|stack| stack.filter(|(lowest, highest)| (*lowest..*highest).contains(&here)));
    stack.is_some_and(|(lowest, highest)| here - lowest < DEPTH.min((highest - lowest) / 4))
}

/// Bytes below this function's frame; `None` where nobody knows.
fn left() -> Option<usize> {
    let here = 0_u8;
    let here = (&raw const here) as usize;
    let above = |&(lowest, highest): &(usize, usize)| (lowest..highest).contains(&here);
    // A coroutine of the host may have a stack of its own.
    let (lowest, _) = own().filter(above).or_else(|| mapping(here))?;
    Some(here - lowest)
}

/// The lowest and the highest address of the stack that the thread was made with.
#[cfg(target_os = "linux")]
fn own() -> Option<(usize, usize)> {
    use std::cell::Cell;
    use std::mem::MaybeUninit;

    thread_local! {
        /// What was found out under a limit of the process, which the first thread's stack grows to.
        static KNOWN: Cell<Option<(libc::rlim_t, usize, usize)>> = const { Cell::new(None) };
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is writable.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    if let Some((known, lowest, highest)) = KNOWN.get()
        && known == limit.rlim_cur
    {
        return Some((lowest, highest));
    }
    let mut attributes = MaybeUninit::uninit();
    let (mut lowest, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the attributes are initialised where the first call returns 0, and destroyed once; the rest is writable.
    let found = unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        found
    };
    let (lowest, highest) = (lowest as usize + guard, lowest as usize + size);
    KNOWN.set(Some((limit.rlim_cur, lowest, highest)));
    (found == 0).then_some((lowest, highest))
}

/// The lowest and the highest address of the stack that the thread was made with.
#[cfg(target_os = "macos")]
fn own() -> Option<(usize, usize)> {
    // SAFETY: both functions take any thread that lives.
    let (highest, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread) as usize, libc::pthread_get_stacksize_np(thread))
    };
    Some((highest - size, highest))
}

/// The lowest and the highest address of the stack that the thread was made with.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn own() -> Option<(usize, usize)> {
    None
}

/// The mapping that an address lies in, as the kernel lists it.
#[cfg(target_os = "linux")]
fn mapping(address: usize) -> Option<(usize, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (lowest, highest) = line.split(' ').next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let (lowest, highest) = (number(lowest)?, number(highest)?);
        (lowest..highest).contains(&address).then_some((lowest, highest))
    })
}

#[cfg(not(target_os = "linux"))]
fn mapping(_: usize) -> Option<(usize, usize)> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_knows_what_it_has() {
        let size = 256 << 10;
        let thread = std::thread::Builder::new().stack_size(size).spawn(move || {
            let left = left().unwrap();
            assert!(left > size / 2 && left <= size + (64 << 10), "{left} of {size} bytes");
            assert!(check_stack(size / 2).is_ok());
            let error = check_stack(2 * size).unwrap_err().to_string();
            assert!(error.contains("524288 bytes of stack"), "{error}");
        });
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn a_mapping_is_found() {
        let here = 0_u8;
        let here = (&raw const here) as usize;
        let (lowest, highest) = mapping(here).unwrap();
        assert!((lowest..highest).contains(&here));
    }
}
