//! Callback bodies: saved registers → Frame → dispatcher → saved registers.

use cranelift_codegen::ir::{
    self, AbiParam, InstBuilder, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::FunctionBuilder;

use super::pieces::{self, Operand, flags};
use super::registers::{self, Home};
use super::{Context, function};
use crate::abi::{CallPlan, Piece, Place};

/// The callback body of a plan: `fn(registers, slot)`.
///
/// It fills a Frame on its own stack from the register block, calls the dispatcher whose address is at offset
/// `dispatcher` of `slot` as `fn(slot, frame)`, and writes the result into the block.
pub fn callback(cx: Context<'_>, dispatcher: i32) -> ir::Function {
    let plan = cx.plan;
    let pointer = cx.pointer();
    let mut two_pointers = ir::Signature::new(cx.own);
    two_pointers.params.extend([AbiParam::new(pointer); 2]);
    function(cx, two_pointers.clone(), |b, params| {
        let (block, slot) = (params[0], params[1]);
        let frame_slot = b.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            plan.frame.size,
            plan.frame.align.trailing_zeros() as u8,
        ));
        let frame = b.ins().stack_addr(pointer, frame_slot, 0);
        zero_result(b, plan, frame);
        let on_stack = |piece: &Piece| matches!(piece.place, Place::Stack(_));
        let stack = match plan.arguments.iter().any(|pass| pass.pieces().iter().any(on_stack)) {
            true => b.ins().load(pointer, flags(), block, registers::STACK as i32),
            false => block,
        };
        for (pass, &offset) in plan.arguments.iter().zip(&plan.frame.arguments) {
            for piece in pass.pieces() {
                let (base, at) = match registers::home(piece.place) {
                    Home::Block(at) => (block, at),
                    Home::Stack(at) => (stack, at),
                };
                let wide = b.ins().load(super::sig::machine_type(piece), flags(), base, at);
                pieces::store(b, piece, wide, frame, offset as i32);
            }
        }
        let dispatch = b.ins().load(pointer, flags(), slot, dispatcher);
        let signature = b.import_signature(two_pointers);
        b.ins().call_indirect(signature, dispatch, &[slot, frame]);
        for piece in plan.result.pieces() {
            let operand = Operand::Memory(frame, plan.frame.result as i32);
            let value = pieces::take(b, piece, operand);
            if let Place::Register(register) = piece.place {
                b.ins().store(flags(), value, block, registers::result(register));
            }
        }
        b.ins().return_(&[]);
    })
}

/// A dispatcher that fails leaves the result as it is: C gets zeros.
fn zero_result(b: &mut FunctionBuilder<'_>, plan: &CallPlan, frame: Value) {
    let bytes: u32 = plan.result.pieces().iter().map(|piece| piece.bytes).sum();
    if bytes > 0 {
        let zero = b.ins().iconst(types::I64, 0);
        for word in 0..bytes.div_ceil(8) {
            let offset = plan.frame.result + word * 8;
            b.ins().store(flags(), zero, frame, offset as i32);
        }
    }
}
