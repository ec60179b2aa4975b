//! Callback bodies: saved registers → Frame → dispatcher → saved registers.

use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use super::call::{call_x87, memory};
use super::pieces::{self, Address, Operand, flags};
use super::registers::{self, Home};
use super::sig::machine_type;
use super::{Context, function};
use crate::abi::{Bank, CallPlan, Pass, Piece, Place};

/// The callback body of a plan: `fn(registers, slot)`.
///
/// It fills a Frame on its own stack from the register block, calls the dispatcher whose address is at offset
/// `dispatcher` of `slot` as `fn(slot, frame)`, and writes the result, which the dispatcher must have put into the Frame, into
/// the block.
pub fn callback(cx: Context<'_>, dispatcher: i32) -> ir::Function {
    let plan = cx.plan;
    let pointer = cx.pointer();
    let mut two_pointers = ir::Signature::new(cx.own);
    two_pointers.params.extend([AbiParam::new(pointer); 2]);
    function(cx, two_pointers.clone(), |b, params| {
        let (block, slot) = (params[0], params[1]);
        let frame = memory(cx, b, plan.frame.size, plan.frame.align);
        let stack = match uses_stack(plan) {
            true => b.ins().load(pointer, flags(), block, registers::STACK as i32),
            false => block,
        };
        let entry = Entry { block, stack };
        for (pass, &offset) in plan.arguments.iter().zip(&plan.frame.arguments) {
            entry.argument(b, pass, (frame, offset as i32));
        }
        let hidden = match &plan.result {
            Pass::Pointer { pointer, .. } => Some(entry.piece(b, pointer)),
            _ => None,
        };
        let dispatch = b.ins().load(pointer, flags(), slot, dispatcher);
        let signature = b.import_signature(two_pointers);
        b.ins().call_indirect(signature, dispatch, &[slot, frame]);
        let result = (frame, plan.frame.result as i32);
        match (&plan.result, hidden) {
            (Pass::Pointer { size, .. }, Some(hidden)) => {
                pieces::copy(b, (hidden, 0), result, *size);
                b.ins().store(flags(), hidden, block, registers::RESULT_INT as i32);
            }
            (pass, _) => result_pieces(cx, b, pass, result, block),
        }
        b.ins().return_(&[]);
    })
}

fn uses_stack(plan: &CallPlan) -> bool {
    let on_stack = |piece: &Piece| matches!(piece.place, Place::Stack(_));
    let uses =
        |pass: &Pass| matches!(pass, Pass::Stack { .. }) || pass.placed().iter().any(on_stack);
    uses(&plan.result) || plan.arguments.iter().any(uses)
}

/// The places where a body finds the arguments.
struct Entry {
    /// The register block.
    block: Value,
    /// The first stack argument.
    stack: Value,
}

impl Entry {
    /// A piece as wide as its place.
    fn piece(&self, b: &mut FunctionBuilder<'_>, piece: &Piece) -> Value {
        let (base, at) = match registers::home(piece) {
            Home::Block(at) => (self.block, at),
            Home::Stack(at) => (self.stack, at),
        };
        b.ins().load(machine_type(piece), flags(), base, at)
    }

    /// Puts an argument into its slot of the Frame.
    fn argument(&self, b: &mut FunctionBuilder<'_>, pass: &Pass, to: Address) {
        match pass {
            Pass::Ignore => {}
            Pass::Pieces(pieces) => {
                for piece in pieces {
                    let value = self.piece(b, piece);
                    pieces::store(b, piece, value, to.0, to.1);
                }
            }
            &Pass::Stack { offset, size } => pieces::copy(b, to, (self.stack, offset as i32), size),
            Pass::Pointer { pointer, size, .. } => {
                let from = self.piece(b, pointer);
                pieces::copy(b, to, (from, 0), *size);
            }
        }
    }
}

/// Puts the pieces of the result into the result registers; the x87 stack is filled from its end.
fn result_pieces(
    cx: Context<'_>,
    b: &mut FunctionBuilder<'_>,
    pass: &Pass,
    from: Address,
    block: Value,
) {
    for piece in pass.pieces().iter().rev() {
        let Place::Register(register) = piece.place else { continue };
        if register.bank == Bank::X87 {
            let address = b.ins().iadd_imm_s(from.0, i64::from(from.1) + i64::from(piece.offset));
            call_x87(cx, b, cx.native.push_x87, address);
            continue;
        }
        let operand = Operand::Memory(from.0, from.1);
        let value = pieces::take(b, piece, machine_type(piece), operand);
        b.ins().store(flags(), value, block, registers::result(register, piece.width));
    }
}
