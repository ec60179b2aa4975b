//! Native calls without a thunk: fixed machine code, one for each convention of the host, that loads the argument registers
//! from a [`Registers`] block, calls, and stores the result registers in it.

use std::ffi::c_void;
#[cfg(all(target_arch = "x86_64", not(windows)))]
use std::mem::offset_of;

use super::entry::{Registers, has_wide_registers, pop_x87, runs};
use super::interpreted::x87_results;
use crate::abi::{CallPlan, Convention};

/// What makes a call: `fn(registers, target, bytes of stack arguments, AL)`.
type Exit = unsafe extern "C-unwind" fn(*mut Registers, *const c_void, usize, u32);

/// A plan that can be carried out without a thunk.
#[derive(Clone, Copy)]
pub struct NativeCall {
    exit: Exit,
    stack_bytes: usize,
    vectors: u32,
    wide: bool,
    /// Results on the x87 stack.
    x87: usize,
}

impl NativeCall {
    /// For a plan of a convention that the host can call; `None` where a thunk is needed.
    pub fn of(plan: &CallPlan) -> Option<NativeCall> {
        let wide = plan.is_wide();
        Some(NativeCall {
            exit: exit(plan.convention).filter(|_| !wide || has_wide_registers())?,
            stack_bytes: (plan.stack_bytes as usize).next_multiple_of(16),
            vectors: plan.vector_count.unwrap_or(0).into(),
            wide,
            x87: x87_results(plan),
        })
    }

    /// Bytes of stack arguments, in whole stack slots.
    pub fn stack_bytes(&self) -> usize {
        self.stack_bytes
    }

    /// The same, where the thread's stack has room for them.
    ///
    /// # Errors
    /// [`Error::Stack`](crate::Error::Stack)
    pub fn checked_stack_bytes(&self) -> Result<usize, crate::error::Error> {
        super::check_stack(self.stack_bytes)?;
        Ok(self.stack_bytes)
    }

    /// Calls `target` with what is in the block of registers and in `stack`, and leaves the result in the block; what is on
    /// the x87 stack is where the vector results of the same positions are.
    ///
    /// # Safety
    /// `target` is a function of the plan; block and stack hold its arguments, by the plan. The stack has
    /// [`NativeCall::stack_bytes`].
    pub unsafe fn invoke(&self, target: *const c_void, block: &mut Registers, stack: &[u8]) {
        debug_assert!(stack.len() >= self.stack_bytes);
        block.stack = stack.as_ptr() as u64;
        block.wide = self.wide.into();
        // SAFETY: the caller's promise. Nothing here uses the x87 stack between the call and the end.
        unsafe {
            (self.exit)(block, target, self.stack_bytes, self.vectors);
            for result in &mut block.result_float[..self.x87] {
                pop_x87(result);
            }
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
pub(super) fn exit(convention: &Convention) -> Option<Exit> {
    use crate::abi::Backend;
    Some(match convention.backend {
        _ if !runs(convention) => return None,
        Backend::SystemV => sysv64,
        Backend::WindowsFastcall => win64,
        Backend::X86(_) => return None,
    })
}

#[cfg(not(all(target_arch = "x86_64", not(windows))))]
pub(super) fn exit(convention: &Convention) -> Option<Exit> {
    let _ = runs(convention);
    None
}

/// The start of an exit: the block in RBX, the target in R11, the vector count in R10, the stack arguments below.
#[cfg(all(target_arch = "x86_64", not(windows)))]
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
#[cfg(all(target_arch = "x86_64", not(windows)))]
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

/// Its end.
#[cfg(all(target_arch = "x86_64", not(windows)))]
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
#[cfg(all(target_arch = "x86_64", not(windows)))]
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
#[cfg(all(target_arch = "x86_64", not(windows)))]
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
