//! The block of registers that entries and exits share with plans.

use std::mem::{offset_of, size_of};
use std::ptr;

use crate::lower::registers;

/// The block in which an entry saves registers, and from which it restores them; vector registers only if the function uses them. The
/// offsets are those of [`crate::lower::registers`].
#[derive(Default)]
#[repr(C, align(16))]
pub struct Registers {
    pub(super) int: [u64; 10],
    pub(super) float: [[u64; 2]; 8],
    pub(super) result_int: [u64; 2],
    pub(super) result_float: [[u64; 2]; 4],
    /// The address of the first stack argument.
    pub(super) stack: u64,
    /// Not 0 if the call uses a 256-bit register. The upper halves are in the fields below.
    pub(super) wide: u64,
    pub(super) upper: [[u64; 2]; 8],
    pub(super) result_upper: [u64; 2],
}

impl Registers {
    /// All of it, at the offsets of [`crate::lower::registers`].
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: plain numbers with no padding (the sizes above add up), of which every byte may have any value.
        unsafe {
            std::slice::from_raw_parts_mut(ptr::from_mut(self).cast(), size_of::<Registers>())
        }
    }
}

const _: () = {
    assert!(offset_of!(Registers, int) == registers::INT as usize);
    assert!(offset_of!(Registers, float) == registers::FLOAT as usize);
    assert!(offset_of!(Registers, result_int) == registers::RESULT_INT as usize);
    assert!(offset_of!(Registers, result_float) == registers::RESULT_FLOAT as usize);
    assert!(offset_of!(Registers, stack) == registers::STACK as usize);
    assert!(offset_of!(Registers, wide) == registers::WIDE as usize);
    assert!(offset_of!(Registers, upper) == registers::UPPER as usize);
    assert!(offset_of!(Registers, result_upper) == registers::RESULT_UPPER as usize);
    assert!(size_of::<Registers>() == registers::WIDE_SIZE as usize);
};
