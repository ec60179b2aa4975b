//! Call thunks: operands → native call → result.

use cranelift_codegen::ir::{self, AbiParam, InstBuilder, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::FunctionBuilder;

use super::pieces::{self, Operand};
use super::sig::{self, Part, Word};
use super::{Context, exit, function};
use crate::abi::{Bank, CallPlan, Pass, Piece};

/// Where a call thunk takes its arguments from and gives its result to.
///
/// The methods are called in this order: `signature`, `begin`, `argument` for each argument, `result_memory` if the
/// result is in memory, `target`, then after the native call `finish`.
pub trait Operands {
    /// The signature of the thunk itself.
    fn signature(&self) -> ir::Signature;
    /// Takes the thunk's own parameters.
    fn begin(&mut self, b: &mut FunctionBuilder<'_>, params: &[Value]);
    /// The argument at `index`.
    fn argument(&mut self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand;
    /// The address of memory for a result that the callee writes through a hidden pointer.
    fn result_memory(&mut self, b: &mut FunctionBuilder<'_>) -> Value;
    /// The address of the native function. Between this and the native call no argument is read any more.
    fn target(&mut self, b: &mut FunctionBuilder<'_>) -> Value;
    /// Takes the pieces of the result, each as wide as its place (of an x87 piece the address of its bytes), and returns from
    /// the thunk.
    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]);
}

/// The call thunk of a plan.
pub fn call(cx: Context<'_>, operands: &mut dyn Operands) -> ir::Function {
    function(cx, operands.signature(), |b, params| {
        operands.begin(b, params);
        let arguments: Vec<Operand> = (0..cx.plan.arguments.len())
            .map(|index| {
                let operand = operands.argument(b, index);
                by_pointer(cx, b, &cx.plan.arguments[index], operand)
            })
            .collect();
        let hidden = match cx.plan.result {
            Pass::Pointer { .. } => Some(operands.result_memory(b)),
            _ => None,
        };
        let results = match cx.plan.is_direct() {
            true => direct(cx, b, operands, &arguments, hidden),
            false => exit::call(cx, b, operands, &arguments, hidden),
        };
        let (x87, registers): (Vec<Piece>, Vec<Piece>) =
            cx.plan.result.pieces().iter().partition(|piece| piece.bank == Bank::X87);
        let x87 = x87.into_iter().map(|piece| (piece, pop_x87(cx, b))).collect::<Vec<_>>();
        let registers = registers.into_iter().zip(results);
        operands.finish(b, &registers.chain(x87).collect::<Vec<_>>());
    })
}

/// Cranelift's call instruction. Returns the values in the result registers.
fn direct(
    cx: Context<'_>,
    b: &mut FunctionBuilder<'_>,
    operands: &mut dyn Operands,
    arguments: &[Operand],
    hidden: Option<Value>,
) -> Vec<Value> {
    let (signature, words) = sig::native(cx.plan);
    let values: Vec<Value> = words
        .iter()
        .zip(&signature.params)
        .map(|(word, param)| value(b, word, param.value_type, arguments, hidden))
        .collect();
    let signature = b.import_signature(signature);
    let target = operands.target(b);
    let call = b.ins().call_indirect(signature, target, &values);
    b.inst_results(call).to_vec()
}

/// Takes the top of the x87 stack into memory of the thunk, and returns the memory's address.
fn pop_x87(cx: Context<'_>, b: &mut FunctionBuilder<'_>) -> Value {
    let memory = memory(cx, b, 16, 16);
    call_x87(cx, b, cx.native.pop_x87, memory);
    memory
}

/// Calls an x87 helper.
pub(super) fn call_x87(cx: Context<'_>, b: &mut FunctionBuilder<'_>, helper: usize, memory: Value) {
    let mut signature = ir::Signature::new(cx.own);
    signature.params.push(AbiParam::new(cx.pointer()));
    let signature = b.import_signature(signature);
    let helper = b.ins().iconst(cx.pointer(), helper as i64);
    b.ins().call_indirect(signature, helper, &[memory]);
}

/// An argument that travels by pointer becomes the pointer to a copy of it.
fn by_pointer(
    cx: Context<'_>,
    b: &mut FunctionBuilder<'_>,
    pass: &Pass,
    operand: Operand,
) -> Operand {
    match (pass, operand) {
        (&Pass::Pointer { size, align, .. }, Operand::Memory(base, offset)) => {
            let copy = memory(cx, b, size, align);
            pieces::copy(b, (copy, 0), (base, offset), size);
            Operand::Scalar(copy)
        }
        (_, operand) => operand,
    }
}

/// Alignment of a thunk's own frame: what Cranelift aligns stack slots to at most.
const FRAME_ALIGN: u32 = 16;

/// The address of memory in the thunk's own frame.
pub fn memory(cx: Context<'_>, b: &mut FunctionBuilder<'_>, size: u32, align: u32) -> Value {
    let more = align.saturating_sub(FRAME_ALIGN);
    let data = StackSlotData::new(
        StackSlotKind::ExplicitSlot,
        size.next_multiple_of(8) + more,
        align.clamp(8, FRAME_ALIGN).trailing_zeros() as u8,
    );
    let slot = b.create_sized_stack_slot(data);
    let address = b.ins().stack_addr(cx.pointer(), slot, i32::try_from(more).unwrap_or(0));
    match more {
        0 => address,
        _ => b.ins().band_imm_s(address, -i64::from(align)),
    }
}

/// The value for a parameter of type `ty`.
fn value(
    b: &mut FunctionBuilder<'_>,
    word: &Word,
    ty: ir::Type,
    arguments: &[Operand],
    hidden: Option<Value>,
) -> Value {
    let part = |b: &mut FunctionBuilder<'_>, part: &Part, ty| match part.argument {
        Some(argument) => pieces::take(b, &part.piece, ty, arguments[argument]),
        None => hidden.expect("a hidden pointer has memory"),
    };
    match word {
        Word::Part(one) => part(b, one, ty),
        Word::Packed(parts) => {
            let int = ty.as_int();
            let zero = b.ins().iconst(int, 0);
            let packed = parts.iter().fold(zero, |word, (at, one)| {
                let value = part(b, one, int);
                let value = b.ins().ishl_imm_u(value, i64::from(*at) * 8);
                b.ins().bor(word, value)
            });
            pieces::same_bits(b, ty, packed)
        }
        Word::Copy(argument) => match arguments[*argument] {
            Operand::Memory(base, offset) => b.ins().iadd_imm_s(base, i64::from(offset)),
            Operand::Scalar(value) => value,
        },
        Word::Dummy if ty.is_float() => b.ins().f64const(0.0),
        Word::Dummy => b.ins().iconst(ty, 0),
    }
}

/// Operands in a Frame: the thunk is `fn(target, frame)`.
pub struct FrameOperands<'p> {
    cx: Context<'p>,
    plan: &'p CallPlan,
    /// The thunk's parameters once it has begun: the target and the frame.
    params: Option<(Value, Value)>,
}

impl<'p> FrameOperands<'p> {
    /// For the frame of this plan.
    pub fn new(cx: Context<'p>) -> FrameOperands<'p> {
        FrameOperands { cx, plan: cx.plan, params: None }
    }

    fn params(&self) -> (Value, Value) {
        self.params.expect("`begin` comes first")
    }
}

impl Operands for FrameOperands<'_> {
    fn signature(&self) -> ir::Signature {
        let mut signature = ir::Signature::new(self.cx.own);
        signature.params.extend([AbiParam::new(self.cx.pointer()); 2]);
        signature
    }

    fn begin(&mut self, _: &mut FunctionBuilder<'_>, params: &[Value]) {
        self.params = Some((params[0], params[1]));
    }

    fn argument(&mut self, _: &mut FunctionBuilder<'_>, index: usize) -> Operand {
        Operand::Memory(self.params().1, self.plan.frame.arguments[index] as i32)
    }

    fn result_memory(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        b.ins().iadd_imm_s(self.params().1, i64::from(self.plan.frame.result))
    }

    fn target(&mut self, _: &mut FunctionBuilder<'_>) -> Value {
        self.params().0
    }

    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]) {
        let frame = self.params().1;
        for (piece, value) in result {
            pieces::store(b, piece, *value, frame, self.plan.frame.result as i32);
        }
        b.ins().return_(&[]);
    }
}
