//! The entries of [`crate::code::pool`].

use super::super::STUB;
use crate::code::pool::{POOLED_CALLBACKS, SLOTS};
use crate::code::slot::Slot;

/// The entries: `endbr64`, `lea r11, [rip + slot]`, `jmp [r11]`, as in [`super::callback_stub`].
///
/// # Safety
/// - C calls one of the entries, whose slot is in use, as a function of the slot's type.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn entries() {
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".set cthunk_pool_at, 0",
        ".rept {count}",
        "endbr64",
        "leaq {slots} + cthunk_pool_at(%rip), %r11",
        "jmpq *(%r11)",
        ".balign {entry}, 0xCC",
        ".set cthunk_pool_at, cthunk_pool_at + {size}",
        ".endr",
        ".cfi_endproc",
        count = const POOLED_CALLBACKS,
        slots = sym SLOTS,
        entry = const STUB,
        size = const size_of::<Slot>(),
        options(att_syntax)
    )
}
