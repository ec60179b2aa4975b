//! From a [`CallPlan`] to Cranelift IR: the two thunks of a plan.
//!
//! - A **call thunk** takes values from [`Operands`] (a Frame in memory, or the Lua stack), calls a native function, and stores the result.
//! - A **callback body** takes values from the [`registers`] that a native entry saved, puts them into a Frame, calls a dispatcher, and puts the
//!   result back: the same plan, read backwards.
//!
//! Cranelift has no back end for 32-bit x86: [`x86`] makes the thunks of its conventions.
//!
//! The plan alone says where each byte goes. Nothing here asks for the platform.
#![forbid(unsafe_code)]

mod call;
mod callback;
mod exit;
mod isa;
mod pieces;
pub mod registers;
mod sig;
mod universal;
pub mod x86;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, InstBuilder};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::FunctionBuilder;

pub use call::{FrameOperands, Operands, call, memory};
pub use callback::callback;
pub use isa::{compile, disassemble, frontend_config, isa, listing};
pub use pieces::{Operand, narrow, store};
pub use sig::native_signature;
pub use universal::{enter, hidden_pointer, leave, load, store as store_result};

use crate::abi::CallPlan;

/// The plan and the environment of a thunk.
#[derive(Clone, Copy)]
pub struct Context<'p> {
    /// The native call.
    pub plan: &'p CallPlan,
    /// Pointer width of the target.
    pub config: TargetFrontendConfig,
    /// The convention of the thunk itself: the target's default.
    pub own: CallConv,
    /// Native code for the parts of a call that Cranelift cannot make.
    pub native: Native,
}

/// Addresses of native code of this process, for the parts of a call that Cranelift does not know; 0 in code that will run elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native {
    /// `fn(memory)`: pops st0 into 10 bytes of memory.
    pub pop_x87: usize,
    /// `fn(memory)`: pushes 10 bytes of memory onto the x87 stack.
    pub push_x87: usize,
    /// `fn(registers, target, bytes of stack arguments, AL)`: calls a function of the plan's convention with what is in the block
    /// of [`registers`], on a stack aligned to [`CallPlan::MAX_STACK_ALIGN`].
    pub exit: usize,
}

impl Context<'_> {
    /// The type of a pointer.
    pub fn pointer(&self) -> ir::Type {
        self.config.pointer_type()
    }
}

/// The CLIF of a plan's Frame call thunk: `fn(target, frame)`.
pub fn frame_call(cx: Context<'_>) -> ir::Function {
    call(cx, &mut FrameOperands::new(cx))
}

/// Makes a function of `signature` whose only entry block `fill` completes.
fn function(
    cx: Context<'_>,
    signature: ir::Signature,
    fill: impl FnOnce(&mut FunctionBuilder<'_>, &[ir::Value]),
) -> ir::Function {
    let mut function = ir::Function::with_name_signature(ir::UserFuncName::default(), signature);
    let mut context = cranelift_frontend::FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut function, &mut context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    fill(&mut b, &params);
    b.seal_all_blocks();
    b.finalize(cx.config);
    join_returns(&mut function);
    function
}

/// Lets a function with several returns leave in one place, for every return is a copy of the code that restores registers.
fn join_returns(function: &mut ir::Function) {
    let last = |block| function.layout.last_inst(block);
    let is_return = |inst: &ir::Inst| function.dfg.insts[*inst].opcode() == ir::Opcode::Return;
    let returns: Vec<_> = function.layout.blocks().filter_map(last).filter(is_return).collect();
    if returns.len() < 2 {
        return;
    }
    let exit = function.dfg.make_block();
    let params = function.signature.returns.clone();
    let append = |param: ir::AbiParam| function.dfg.append_block_param(exit, param.value_type);
    let values: Vec<_> = params.into_iter().map(append).collect();
    for inst in returns {
        let results = function.dfg.inst_args(inst).iter();
        let results: Vec<_> = results.map(|&value| ir::BlockArg::from(value)).collect();
        function.replace(inst).jump(exit, &results);
    }
    function.layout.append_block(exit);
    FuncCursor::new(function).at_bottom(exit).ins().return_(&values);
}
