//! The machine code of callbacks that no plan changes, for each processor: bytes beside their assembly.
//!
//! A callback is a *stub*, which loads the address of its slot from the word behind it and jumps to the slot's *entry*. The entry saves the argument
//! registers into a block ([`crate::lower::registers`]), calls the slot's body with the block and the slot, and loads the result registers.
//! `emit` writes the bytes into object files for any target. A process on the processor has the same text as assembly, in an entry of its
//! own. `cli/tests/qemu.rs` assembles the text and compares the bytes.
//!
//! A file of this folder has the macros `entry` and `stub`, which give their lines to another macro (`lines`, `assembled`), and the table
//! `CALLBACKS`.

#![cfg_attr(not(feature = "emit"), allow(dead_code, reason = "the tables are for `emit`"))]

use crate::abi::Convention;
use crate::code::{DISPATCH_OFFSET, Slot};
use crate::lower::registers;

/// An instruction: its bytes in hexadecimal, in the order of memory, and its text. A directive has no bytes.
pub type Line = (&'static str, &'static str);

/// The code of the callbacks of some conventions.
#[derive(Debug)]
pub struct Callbacks {
    /// The convention whose registers the entry keeps.
    pub of: &'static Convention,
    /// Directives for the assembler, before the text.
    pub directive: &'static str,
    /// Loads the slot's address, the 8 bytes behind it, and jumps to the entry.
    pub stub: &'static [Line],
    /// Saves, calls, restores, returns.
    pub entry: &'static [Line],
}

/// The slot of an emitted callback, `struct cthunk_slot` of the header: five words of 64 bits, as [`Slot`] begins with in a process of
/// such words.
pub mod slot {
    /// Where the entry's address is.
    pub const ENTRY: u32 = 0;
    /// Where the body's address is.
    pub const BODY: u32 = 8;
    /// Where the dispatcher's address is.
    pub const DISPATCH: i32 = 16;
    /// Bytes of the slot.
    pub const SIZE: usize = 40;
}

/// Lines as a table.
macro_rules! lines {
    ($(($bytes:literal, $text:literal),)*) => { &[$(($bytes, $text)),*] };
}

/// Lines as the body of a naked function.
#[allow(unused_macros, reason = "for a process of a processor whose row has the text")]
macro_rules! assembled {
    ($(($bytes:literal, $text:literal),)*) => { std::arch::naked_asm!($($text),*) };
}
#[allow(unused_imports, reason = "the same")]
pub(super) use assembled;

mod aarch64;
mod riscv64;
pub(super) mod x86_64;

pub use x86_64::VECTOR_COUNT_STUB;

/// All callbacks that can be emitted.
pub static CALLBACKS: &[&Callbacks] =
    &[&aarch64::CALLBACKS, &riscv64::CALLBACKS, &x86_64::CALLBACKS];

/// The callbacks of a convention.
pub fn of(convention: &Convention) -> Option<&'static Callbacks> {
    CALLBACKS.iter().find(|callbacks| callbacks.of.has_registers_of(convention)).copied()
}

/// The bytes of some lines.
pub fn bytes(lines: &[Line]) -> Vec<u8> {
    let byte = |hex: &[u8]| hex.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit));
    lines.iter().flat_map(|(hex, _)| hex.as_bytes().chunks(2).map(byte)).collect()
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    }
}

// The numbers in the texts.
const _: () = {
    assert!(registers::INT == 0 && registers::FLOAT == 80);
    assert!(registers::RESULT_INT == 208 && registers::RESULT_FLOAT == 224);
    assert!(registers::STACK == 288 && registers::SIZE == 304);
    let word = size_of::<usize>();
    assert!(Slot::ENTRY as usize == slot::ENTRY as usize / 8 * word);
    assert!(Slot::BODY as usize == slot::BODY as usize / 8 * word);
    assert!(DISPATCH_OFFSET as usize == slot::DISPATCH as usize / 8 * word);
    assert!(size_of::<Slot>() >= slot::SIZE / 8 * word);
};
