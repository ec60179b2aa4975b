//! The exit ([`Exit`]) of each convention.

use std::ffi::c_void;
use std::mem::offset_of;

use super::super::{Exit, runs};
use crate::abi::{Backend, CallPlan, Convention};
use crate::code::Registers;

/// The exit for functions of a convention.
pub(super) fn exit(convention: &Convention) -> Option<Exit> {
    Some(match convention.backend {
        _ if !runs(convention) => return None,
        Backend::SystemV => sysv64,
        Backend::WindowsFastcall => win64,
        Backend::X86(_) => return None,
    })
}

/// The start of an exit: the block in RBX, the target in R11, the vector count in R10, the stack arguments below.
macro_rules! enter {
    () => {
        concat!(
            ".cfi_startproc\n",
            "endbr64\n",
            "push rbp\n",
            ".cfi_def_cfa_offset 16\n",
            ".cfi_offset rbp, -16\n",
            "mov rbp, rsp\n",
            ".cfi_def_cfa_register rbp\n",
            "push rbx\n",
            ".cfi_offset rbx, -24\n",
            "sub rsp, 8\n",
            "mov rbx, rdi\n",
            "mov r11, rsi\n",
            "mov r10d, ecx\n",
            "sub rsp, rdx\n",
            "and rsp, -{align}\n",
            "test rdx, rdx\n",
            "jz 3f\n",
            "mov rsi, [rbx + {stack}]\n",
            "2:\n",
            "mov rax, [rsi + rdx - 8]\n",
            "mov [rsp + rdx - 8], rax\n",
            "sub rdx, 8\n",
            "jnz 2b\n",
            "3:\n",
        )
    };
}

/// The upper half of YMM0, where the call uses 256-bit registers.
macro_rules! wide_result {
    () => {
        concat!(
            "cmp qword ptr [rbx + {wide}], 0\n",
            "je 5f\n",
            "vextractf128 [rbx + {result_upper}], ymm0, 1\n",
            "vzeroupper\n",
            "5:\n",
        )
    };
}

/// The end of an exit.
macro_rules! leave {
    () => {
        concat!(
            "lea rsp, [rbp - 8]\n",
            "pop rbx\n",
            "pop rbp\n",
            ".cfi_def_cfa rsp, 8\n",
            "ret\n",
            ".cfi_endproc\n",
        )
    };
}

/// Calls a System V function.
///
/// # Safety
/// - `target` is a function of the convention, and the block has its argument registers.
/// - `stack` bytes are readable where the block's `stack` leads, and the thread's stack has room for them.
#[unsafe(naked)]
unsafe extern "C-unwind" fn sysv64(
    _block: *mut Registers,
    _target: *const c_void,
    _stack: usize,
    _vectors: u32,
) {
    std::arch::naked_asm!(
        enter!(),
        "movaps xmm0, [rbx + {float}]",
        "movaps xmm1, [rbx + {float} + 16]",
        "movaps xmm2, [rbx + {float} + 32]",
        "movaps xmm3, [rbx + {float} + 48]",
        "movaps xmm4, [rbx + {float} + 64]",
        "movaps xmm5, [rbx + {float} + 80]",
        "movaps xmm6, [rbx + {float} + 96]",
        "movaps xmm7, [rbx + {float} + 112]",
        "cmp qword ptr [rbx + {wide}], 0",
        "je 4f",
        "vinsertf128 ymm0, ymm0, [rbx + {upper}], 1",
        "vinsertf128 ymm1, ymm1, [rbx + {upper} + 16], 1",
        "vinsertf128 ymm2, ymm2, [rbx + {upper} + 32], 1",
        "vinsertf128 ymm3, ymm3, [rbx + {upper} + 48], 1",
        "vinsertf128 ymm4, ymm4, [rbx + {upper} + 64], 1",
        "vinsertf128 ymm5, ymm5, [rbx + {upper} + 80], 1",
        "vinsertf128 ymm6, ymm6, [rbx + {upper} + 96], 1",
        "vinsertf128 ymm7, ymm7, [rbx + {upper} + 112], 1",
        "4:",
        "mov rdi, [rbx + {int}]",
        "mov rsi, [rbx + {int} + 8]",
        "mov rdx, [rbx + {int} + 16]",
        "mov rcx, [rbx + {int} + 24]",
        "mov r8, [rbx + {int} + 32]",
        "mov r9, [rbx + {int} + 40]",
        "mov eax, r10d",
        "call r11",
        "mov [rbx + {result_int}], rax",
        "mov [rbx + {result_int} + 8], rdx",
        "movaps [rbx + {result_float}], xmm0",
        "movaps [rbx + {result_float} + 16], xmm1",
        wide_result!(),
        leave!(),
        align = const CallPlan::MAX_STACK_ALIGN,
        stack = const offset_of!(Registers, stack),
        float = const offset_of!(Registers, float),
        upper = const offset_of!(Registers, upper),
        int = const offset_of!(Registers, int),
        wide = const offset_of!(Registers, wide),
        result_int = const offset_of!(Registers, result_int),
        result_float = const offset_of!(Registers, result_float),
        result_upper = const offset_of!(Registers, result_upper),
    )
}

/// Calls a Microsoft x64 function: 32 bytes of shadow space lie below the stack arguments.
///
/// # Safety
/// - `target` is a function of the convention, and the block has its argument registers.
/// - `stack` bytes are readable where the block's `stack` leads, and the thread's stack has room for them.
#[unsafe(naked)]
unsafe extern "C-unwind" fn win64(
    _block: *mut Registers,
    _target: *const c_void,
    _stack: usize,
    _vectors: u32,
) {
    std::arch::naked_asm!(
        enter!(),
        "sub rsp, 32",
        "movaps xmm0, [rbx + {float}]",
        "movaps xmm1, [rbx + {float} + 16]",
        "movaps xmm2, [rbx + {float} + 32]",
        "movaps xmm3, [rbx + {float} + 48]",
        "mov rcx, [rbx + {int}]",
        "mov rdx, [rbx + {int} + 8]",
        "mov r8, [rbx + {int} + 16]",
        "mov r9, [rbx + {int} + 24]",
        "call r11",
        "mov [rbx + {result_int}], rax",
        "movaps [rbx + {result_float}], xmm0",
        wide_result!(),
        leave!(),
        align = const CallPlan::MAX_STACK_ALIGN,
        stack = const offset_of!(Registers, stack),
        float = const offset_of!(Registers, float),
        int = const offset_of!(Registers, int),
        wide = const offset_of!(Registers, wide),
        result_int = const offset_of!(Registers, result_int),
        result_float = const offset_of!(Registers, result_float),
        result_upper = const offset_of!(Registers, result_upper),
    )
}
