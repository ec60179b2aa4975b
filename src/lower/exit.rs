//! Calls that are beyond Cranelift: the thunk fills a block of registers and the stack arguments, and fixed native code
//! ([`super::Native::exit`]) makes the call.

use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Value, types};
use cranelift_frontend::FunctionBuilder;

use super::Context;
use super::call::{Operands, memory};
use super::pieces::{self, Operand, flags};
use super::registers::{self, Home};
use super::sig::machine_type;
use crate::abi::{Bank, Pass, Piece, Place};

/// Calls the target of `operands` with these arguments. Returns the values in the result registers.
pub(super) fn call(
    cx: Context<'_>,
    b: &mut FunctionBuilder<'_>,
    operands: &mut dyn Operands,
    arguments: &[Operand],
    hidden: Option<Value>,
) -> Vec<Value> {
    let plan = cx.plan;
    let stack_bytes = plan.stack_bytes.next_multiple_of(16);
    let size = if plan.is_wide() { registers::WIDE_SIZE } else { registers::SIZE };
    let block = memory(cx, b, size, 16);
    let stack = memory(cx, b, stack_bytes, 16);
    let outgoing = Outgoing { block, stack };
    if let (Pass::Pointer { pointer, .. }, Some(hidden)) = (&plan.result, hidden) {
        outgoing.put(b, pointer, Operand::Scalar(hidden));
    }
    for (pass, &argument) in plan.arguments.iter().zip(arguments) {
        outgoing.argument(b, pass, argument);
    }
    b.ins().store(flags(), stack, block, registers::STACK as i32);
    let wide = b.ins().iconst(types::I64, i64::from(plan.is_wide()));
    b.ins().store(flags(), wide, block, registers::WIDE as i32);

    let mut signature = Signature::new(cx.own);
    signature
        .params
        .extend([cx.pointer(), cx.pointer(), types::I64, types::I32].map(AbiParam::new));
    let signature = b.import_signature(signature);
    let exit = b.ins().iconst(cx.pointer(), cx.native.exit as i64);
    let bytes = b.ins().iconst(types::I64, i64::from(stack_bytes));
    let vectors = b.ins().iconst(types::I32, i64::from(plan.vector_count.unwrap_or(0)));
    let target = operands.target(b);
    b.ins().call_indirect(signature, exit, &[block, target, bytes, vectors]);

    let in_registers = plan.result.pieces().iter().filter(|piece| piece.bank != Bank::X87);
    let load = |piece: &Piece| match piece.place {
        Place::Register(register) => {
            let at = registers::result(register, piece.width);
            Some(b.ins().load(machine_type(piece), flags(), block, at))
        }
        Place::Stack(_) => None,
    };
    in_registers.filter_map(load).collect()
}

/// The memory from which the native code loads the arguments.
struct Outgoing {
    /// The register block.
    block: Value,
    /// The stack arguments.
    stack: Value,
}

impl Outgoing {
    fn argument(&self, b: &mut FunctionBuilder<'_>, pass: &Pass, argument: Operand) {
        match (pass, argument) {
            (&Pass::Stack { offset, size }, Operand::Memory(base, at)) => {
                pieces::copy(b, (self.stack, offset as i32), (base, at), size);
            }
            (pass, argument) => pass.placed().iter().for_each(|p| self.put(b, p, argument)),
        }
    }

    fn put(&self, b: &mut FunctionBuilder<'_>, piece: &Piece, operand: Operand) {
        let value = pieces::take(b, piece, machine_type(piece), operand);
        let (base, at) = match registers::home(piece) {
            Home::Block(at) => (self.block, at),
            Home::Stack(at) => (self.stack, at),
        };
        b.ins().store(flags(), value, base, at);
    }
}
