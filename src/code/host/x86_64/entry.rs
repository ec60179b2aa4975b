//! Entries of callbacks. A stub puts the address of its [`Slot`] into R11, which all x86-64 conventions leave to linkage code, and jumps here. An
//! entry saves the argument registers into a [`Registers`](crate::code::Registers) block, calls the compiled body of the slot, and loads the result
//! registers from the block.

use std::ffi::c_void;
use std::mem::offset_of;

use super::super::text::{self, assembled};
use super::super::{Keep, runs};
use crate::abi::{Backend, Convention};
use crate::code::slot::{DISPATCH_OFFSET, Slot};
use crate::lower::registers;

/// The entry for callbacks of a convention.
pub(super) fn entry(convention: &Convention, keep: Keep) -> Option<*const c_void> {
    Some(match convention.backend {
        _ if !runs(convention) => return None,
        Backend::SystemV => match keep {
            Keep::TwoPassed => sysv64_two_passed as *const c_void,
            Keep::IntegersPassed => sysv64_integers_passed as *const c_void,
            Keep::AllPassed => sysv64_passed as *const c_void,
            Keep::Integers => sysv64_integers as *const c_void,
            Keep::All => sysv64 as *const c_void,
            Keep::Wide => sysv64_wide as *const c_void,
        },
        Backend::WindowsFastcall => win64 as *const c_void,
        Backend::X86(_) => return None,
    })
}

/// The upper half of YMM0, where the result has one.
macro_rules! wide_result {
    () => {
        concat!(
            "cmp qword ptr [rsp + {wide}], 0\n",
            "je 3f\n",
            "vinsertf128 ymm0, ymm0, [rsp + {result_upper}], 1\n",
            "3:\n",
        )
    };
}

/// An entry point for System V callers; the pieces of assembly keep the registers after the first two, call, and load those of the
/// result.
macro_rules! system_v {
    (
        $(#[$doc:meta])* $name:ident,
        keep: [$($keep:expr,)*], call: [$($call:expr,)*], load: [$($load:expr,)*], $($operands:tt)*
    ) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// - A callback stub jumps here, with its slot in R11 and everything else as C left it at the call.
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            std::arch::naked_asm!(
                ".cfi_startproc",
                "endbr64",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                "sub rsp, {size}",
                "mov [rsp + {int}], rdi",
                "mov [rsp + {int} + 8], rsi",
                $($keep,)*
                $($call,)*
                "mov rax, [rsp + {result_int}]",
                $($load,)*
                "leave",
                ".cfi_def_cfa rsp, 8",
                "ret",
                ".cfi_endproc",
                int = const registers::INT,
                result_int = const registers::RESULT_INT,
                $($operands)*
            )
        }
    };
}

/// Calls the slot's body.
macro_rules! call_body {
    () => {
        concat!(
            // Above the saved RBP and the return address.
            "lea rax, [rbp + 16]\n",
            "mov [rsp + {stack}], rax\n",
            "mov rdi, rsp\n",
            "mov rsi, r11\n",
            "call [r11 + {body}]\n",
        )
    };
}

/// Calls the slot's dispatcher.
macro_rules! call_dispatcher {
    () => {
        concat!("mov rdi, r11\n", "mov rsi, rsp\n", "call [r11 + {dispatch}]\n")
    };
}

/// Keeps the other integer registers.
macro_rules! keep_integers {
    () => {
        concat!(
            "mov [rsp + {int} + 16], rdx\n",
            "mov [rsp + {int} + 24], rcx\n",
            "mov [rsp + {int} + 32], r8\n",
            "mov [rsp + {int} + 40], r9\n",
        )
    };
}

/// Keeps the vector registers.
macro_rules! keep_vectors {
    () => {
        concat!(
            "movaps [rsp + {float}], xmm0\n",
            "movaps [rsp + {float} + 16], xmm1\n",
            "movaps [rsp + {float} + 32], xmm2\n",
            "movaps [rsp + {float} + 48], xmm3\n",
            "movaps [rsp + {float} + 64], xmm4\n",
            "movaps [rsp + {float} + 80], xmm5\n",
            "movaps [rsp + {float} + 96], xmm6\n",
            "movaps [rsp + {float} + 112], xmm7\n",
        )
    };
}

system_v! {
    /// [`Keep::TwoPassed`]
    sysv64_two_passed,
    keep: [],
    call: [call_dispatcher!(),],
    load: [],
    size = const registers::SIZE,
    dispatch = const DISPATCH_OFFSET,
}

system_v! {
    /// [`Keep::IntegersPassed`]
    sysv64_integers_passed,
    keep: [keep_integers!(),],
    call: [call_dispatcher!(),],
    load: [],
    size = const registers::SIZE,
    dispatch = const DISPATCH_OFFSET,
}

system_v! {
    /// [`Keep::AllPassed`]: no upper halves are used, and no second register of the result.
    sysv64_passed,
    keep: [keep_integers!(), keep_vectors!(),],
    call: [call_dispatcher!(),],
    load: ["movaps xmm0, [rsp + {result_float}]",],
    size = const registers::SIZE,
    float = const registers::FLOAT,
    result_float = const registers::RESULT_FLOAT,
    dispatch = const DISPATCH_OFFSET,
}

system_v! {
    /// [`Keep::Integers`]
    sysv64_integers,
    keep: [keep_integers!(),],
    call: [call_body!(),],
    load: ["mov rdx, [rsp + {result_int} + 8]",],
    size = const registers::SIZE,
    stack = const registers::STACK,
    body = const offset_of!(Slot, body),
}

/// [`Keep::All`]
///
/// # Safety
/// - A callback stub jumps here, with its slot in R11 and everything else as C left it at the call.
#[unsafe(naked)]
unsafe extern "C" fn sysv64() {
    text::x86_64::entry!(assembled)
}

system_v! {
    /// [`Keep::Wide`]
    sysv64_wide,
    keep: [
        keep_integers!(),
        keep_vectors!(),
        "mov rax, [r11 + {slot_wide}]",
        "mov [rsp + {wide}], rax",
        "test rax, rax",
        "jz 2f",
        "vextractf128 [rsp + {upper}], ymm0, 1",
        "vextractf128 [rsp + {upper} + 16], ymm1, 1",
        "vextractf128 [rsp + {upper} + 32], ymm2, 1",
        "vextractf128 [rsp + {upper} + 48], ymm3, 1",
        "vextractf128 [rsp + {upper} + 64], ymm4, 1",
        "vextractf128 [rsp + {upper} + 80], ymm5, 1",
        "vextractf128 [rsp + {upper} + 96], ymm6, 1",
        "vextractf128 [rsp + {upper} + 112], ymm7, 1",
        "vzeroupper",
        "2:",
    ],
    call: [call_body!(),],
    load: [
        "mov rdx, [rsp + {result_int} + 8]",
        "movaps xmm0, [rsp + {result_float}]",
        "movaps xmm1, [rsp + {result_float} + 16]",
        wide_result!(),
    ],
    size = const registers::WIDE_SIZE,
    float = const registers::FLOAT,
    stack = const registers::STACK,
    wide = const registers::WIDE,
    upper = const registers::UPPER,
    result_float = const registers::RESULT_FLOAT,
    result_upper = const registers::RESULT_UPPER,
    slot_wide = const offset_of!(Slot, wide),
    body = const offset_of!(Slot, body),
}

/// Microsoft x64 callers: RDI, RSI and XMM6 to XMM15 are theirs, and the body, a System V function, may change them.
///
/// # Safety
/// - A callback stub jumps here, with its slot in R11 and everything else as C left it at the call.
#[unsafe(naked)]
unsafe extern "C" fn win64() {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "endbr64",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, {size} + 176",
        "mov [rsp + {size} + 160], rdi",
        "mov [rsp + {size} + 168], rsi",
        "movaps [rsp + {size}], xmm6",
        "movaps [rsp + {size} + 16], xmm7",
        "movaps [rsp + {size} + 32], xmm8",
        "movaps [rsp + {size} + 48], xmm9",
        "movaps [rsp + {size} + 64], xmm10",
        "movaps [rsp + {size} + 80], xmm11",
        "movaps [rsp + {size} + 96], xmm12",
        "movaps [rsp + {size} + 112], xmm13",
        "movaps [rsp + {size} + 128], xmm14",
        "movaps [rsp + {size} + 144], xmm15",
        "mov [rsp + {int}], rcx",
        "mov [rsp + {int} + 8], rdx",
        "mov [rsp + {int} + 16], r8",
        "mov [rsp + {int} + 24], r9",
        "movaps [rsp + {float}], xmm0",
        "movaps [rsp + {float} + 16], xmm1",
        "movaps [rsp + {float} + 32], xmm2",
        "movaps [rsp + {float} + 48], xmm3",
        "mov rax, [r11 + {slot_wide}]",
        "mov [rsp + {wide}], rax",
        // Above the saved RBP, the return address and the shadow space.
        "lea rax, [rbp + 48]",
        "mov [rsp + {stack}], rax",
        "mov rdi, rsp",
        "mov rsi, r11",
        "call [r11 + {body}]",
        "mov rax, [rsp + {result_int}]",
        "movaps xmm0, [rsp + {result_float}]",
        wide_result!(),
        "movaps xmm6, [rsp + {size}]",
        "movaps xmm7, [rsp + {size} + 16]",
        "movaps xmm8, [rsp + {size} + 32]",
        "movaps xmm9, [rsp + {size} + 48]",
        "movaps xmm10, [rsp + {size} + 64]",
        "movaps xmm11, [rsp + {size} + 80]",
        "movaps xmm12, [rsp + {size} + 96]",
        "movaps xmm13, [rsp + {size} + 112]",
        "movaps xmm14, [rsp + {size} + 128]",
        "movaps xmm15, [rsp + {size} + 144]",
        "mov rdi, [rsp + {size} + 160]",
        "mov rsi, [rsp + {size} + 168]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        size = const registers::WIDE_SIZE,
        int = const registers::INT,
        float = const registers::FLOAT,
        stack = const registers::STACK,
        wide = const registers::WIDE,
        result_upper = const registers::RESULT_UPPER,
        slot_wide = const offset_of!(Slot, wide),
        result_int = const registers::RESULT_INT,
        result_float = const registers::RESULT_FLOAT,
        body = const offset_of!(Slot, body),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The assembler makes the bytes of the text that `emit` writes.
    #[test]
    fn the_entry_has_the_bytes_of_its_text() {
        let bytes = text::bytes(text::x86_64::CALLBACKS.entry);
        // SAFETY: the function's own code, which is at least as long: the text ends with its only `ret`.
        let own = unsafe { std::slice::from_raw_parts(sysv64 as *const u8, bytes.len()) };
        assert_eq!(own, bytes);
    }
}
