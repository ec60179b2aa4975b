//! Native calls without a thunk: an exit of [`super::host`] loads the argument registers from a [`Registers`] block, calls, and stores the
//! result registers in the block.

use std::ffi::c_void;

use super::host::{Exit, Host, Processor, has_wide_registers};
use super::registers::Registers;
use crate::abi::{Bank, CallPlan};

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
            exit: Host::exit(plan.convention).filter(|_| !wide || has_wide_registers())?,
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

    /// [`Self::stack_bytes`], if the thread's stack has room for them.
    ///
    /// # Errors
    /// [`Error::Stack`](crate::Error::Stack)
    pub fn checked_stack_bytes(&self) -> Result<usize, crate::error::Error> {
        super::check_stack(self.stack_bytes)?;
        Ok(self.stack_bytes)
    }

    /// Calls `target` with the registers of the block and the stack arguments in `stack`, and leaves the result in the block; results on the
    /// x87 stack are in the places of the vector results of the same positions.
    ///
    /// # Safety
    /// - `target` is a function of the plan.
    /// - Block and stack hold its arguments, by the plan; the stack has [`NativeCall::stack_bytes`].
    pub unsafe fn invoke(&self, target: *const c_void, block: &mut Registers, stack: &[u8]) {
        debug_assert!(stack.len() >= self.stack_bytes);
        block.stack = stack.as_ptr() as u64;
        block.wide = self.wide.into();
        // SAFETY: the caller's promise. Nothing here uses the x87 stack between the call and the end.
        unsafe {
            (self.exit)(block, target, self.stack_bytes, self.vectors);
            if let Some(x87) = Host::X87 {
                for result in &mut block.result_float[..self.x87] {
                    (x87.pop)(result);
                }
            }
        }
    }
}

/// The number of x87 registers that hold a result.
pub(super) fn x87_results(plan: &CallPlan) -> usize {
    plan.result.pieces().iter().filter(|piece| piece.bank == Bank::X87).count()
}
