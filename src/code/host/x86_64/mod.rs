//! x86-64 with the System V convention: every system but Windows.

mod entry;
mod exit;
mod pool;

use std::ffi::c_void;

use super::text::VECTOR_COUNT_STUB;
use super::{Exit, Keep, Processor, STUB, Stub, X87};
use crate::abi::Convention;

pub(crate) struct Host;

impl Processor for Host {
    const ELF_MACHINE: Option<u16> = Some(62);
    const X87: Option<X87> = Some(X87 { pop: pop_x87, push: push_x87 });
    const POOL: Option<unsafe extern "C" fn()> = Some(pool::entries);

    fn entry(convention: &Convention, keep: Keep) -> Option<*const c_void> {
        entry::entry(convention, keep)
    }

    fn exit(convention: &Convention) -> Option<Exit> {
        exit::exit(convention)
    }

    fn has_wide_registers() -> bool {
        std::is_x86_feature_detected!("avx")
    }

    /// `endbr64`, `lea r11, [rip + slot]`, `jmp [r11]`
    fn callback_stub(stub: usize, slot: usize) -> Option<Stub> {
        let mut code = [0xCC; STUB];
        code[..4].copy_from_slice(&[0xF3, 0x0F, 0x1E, 0xFA]);
        code[4..7].copy_from_slice(&[0x4C, 0x8D, 0x1D]);
        code[7..11].copy_from_slice(&displacement(stub + 11, slot)?);
        code[11..14].copy_from_slice(&[0x41, 0xFF, 0x23]);
        Some(code)
    }

    fn vector_count_stub(stub: usize, target: usize) -> Option<Stub> {
        let mut code = [0xCC; STUB];
        code[..11].copy_from_slice(&VECTOR_COUNT_STUB);
        code[7..11].copy_from_slice(&displacement(stub + 11, target)?);
        Some(code)
    }

    /// The processor keeps the two caches alike.
    fn flush_instructions(_: *const u8, _: usize) {}
}

/// Pops st0 into 10 bytes of memory. Naked: nothing else touches the x87 stack.
///
/// # Safety
/// - The x87 stack has a value.
#[unsafe(naked)]
unsafe extern "C" fn pop_x87(_memory: &mut [u64; 2]) {
    std::arch::naked_asm!("fstp tbyte ptr [rdi]", "ret")
}

/// Pushes 10 bytes of memory onto the x87 stack.
///
/// # Safety
/// - The memory holds an extended-precision number, and the x87 stack has room for it.
#[unsafe(naked)]
unsafe extern "C" fn push_x87(_memory: &[u64; 2]) {
    std::arch::naked_asm!("fld tbyte ptr [rdi]", "ret")
}

/// The bytes from one address to another, as instructions have them.
fn displacement(from: usize, to: usize) -> Option<[u8; 4]> {
    i32::try_from(to.wrapping_sub(from) as isize).ok().map(i32::to_le_bytes)
}
