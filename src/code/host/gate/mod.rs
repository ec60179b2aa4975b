//! The gate: 32-bit x86 code in this process.
//!
//! Each way in is one row: `segment` if a 64-bit Linux process has a 32-bit code segment, `own` if the process itself is 32-bit code, and `none`
//! elsewhere. A row has:
//!
//! - [`available`]: whether there is a way in, and otherwise the reason;
//! - [`Frame`]: memory for the Frame of one call, and [`Frame::call`], which enters a call shim of [`crate::lower::x86`];
//! - `dispatcher`: the function that callback shims call, `cdecl fn(slot, frame)`;
//! - `place`: puts code where it can run;
//! - [`memory`]: memory below 4 GiB; [`image`]: object files.

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "x86"), target_os = "linux")))]
#[path = "none.rs"]
mod row;
#[cfg(all(target_arch = "x86", target_os = "linux"))]
#[path = "own.rs"]
mod row;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[path = "segment/mod.rs"]
mod row;

pub use row::{Frame, available, image, memory};
pub(in crate::code) use row::{dispatcher, place};

use super::{STUB, Stub};
use crate::code::Slot;

/// `push slot`, `jmp [slot.entry]`, for 32-bit code: the address of the callback's slot on the stack, on to its shim.
pub(in crate::code) fn callback_stub(_stub: usize, slot: usize) -> Option<Stub> {
    let mut code = [0xCC; STUB];
    let slot = u32::try_from(slot).ok()?;
    code[0] = 0x68;
    code[1..5].copy_from_slice(&slot.to_le_bytes());
    code[5..7].copy_from_slice(&[0xFF, 0x25]);
    code[7..11].copy_from_slice(&slot.checked_add(Slot::ENTRY)?.to_le_bytes());
    Some(code)
}
