//! The free stack of a thread.
//!
//! A call with large stack arguments takes all their bytes from the caller's stack at once. If fewer bytes are free, the process would end in the
//! guard page below the stack, or write memory beyond it.

use super::os::{mapping, own_stack};
use crate::error::Error;

/// The bytes of stack arguments that fit on the stack of every running thread.
pub const LITTLE_STACK: usize = 8 << 10;
/// Bytes that a call with larger ones leaves free, for the callee and for signal handlers.
const RESERVE: usize = 16 << 10;

/// Bytes that raising an error, and the code that catches it, needs.
const DEPTH: usize = 128 << 10;

/// Makes sure that the thread's stack has room for `bytes` bytes of stack arguments, and for what the callee needs beside them.
///
/// # Errors
/// [`Error::Stack`]
pub fn check_stack(bytes: usize) -> Result<(), Error> {
    if bytes <= LITTLE_STACK {
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
        static STACK: Option<(usize, usize)> = own_stack();
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
    let (lowest, _) = own_stack().filter(above).or_else(|| mapping(here))?;
    Some(here - lowest)
}
