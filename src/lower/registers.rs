//! The register block: what a native entry stub saves for a callback body, in bytes.
//!
//! The stubs of `code::entry` write it, callback bodies read it; `code::entry` checks at compile time that
//! its structure has these offsets.

use crate::abi::{Bank, Place, Reg};

/// Integer argument register *n* is at `INT + 8 * n`; register 8 is AArch64's x8.
pub const INT: u32 = 0;
/// Vector argument register *n* is at `FLOAT + 16 * n`.
pub const FLOAT: u32 = 80;
/// Integer result register *n* is at `RESULT_INT + 8 * n`.
pub const RESULT_INT: u32 = 208;
/// Vector result register *n* is at `RESULT_FLOAT + 16 * n`.
pub const RESULT_FLOAT: u32 = 224;
/// The address of the first stack argument.
pub const STACK: u32 = 288;
/// Bytes of the block, a multiple of 16.
pub const SIZE: u32 = 304;

/// Where the block keeps an argument register.
pub(super) fn argument(register: Reg) -> i32 {
    at(register, INT, FLOAT)
}

/// Where the block keeps a result register.
pub(super) fn result(register: Reg) -> i32 {
    at(register, RESULT_INT, RESULT_FLOAT)
}

fn at(register: Reg, int: u32, float: u32) -> i32 {
    let index = u32::from(register.index);
    (match register.bank {
        Bank::Int => int + 8 * index,
        Bank::Float | Bank::X87 => float + 16 * index,
    }) as i32
}

/// Whether a place is in the block (a register) or behind its stack pointer.
pub(super) enum Home {
    /// Bytes into the block.
    Block(i32),
    /// Bytes above the first stack argument.
    Stack(i32),
}

pub(super) fn home(place: Place) -> Home {
    match place {
        Place::Register(register) => Home::Block(argument(register)),
        Place::Stack(offset) => Home::Stack(offset as i32),
    }
}
