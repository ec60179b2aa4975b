//! Call thunks: operands → native call → result.

use cranelift_codegen::ir::{self, AbiParam, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use super::pieces::{self, Operand};
use super::{Context, function, native_signature};
use crate::abi::{CallPlan, Piece};

/// Where a call thunk takes its arguments from and gives its result to.
///
/// The methods are called in this order: `signature`, `begin`, `argument` for each argument, `target`, then after
/// the native call `finish`.
pub trait Operands {
    /// The signature of the thunk itself.
    fn signature(&self) -> ir::Signature;
    /// Takes the thunk's own parameters.
    fn begin(&mut self, b: &mut FunctionBuilder<'_>, params: &[Value]);
    /// The argument at `index`.
    fn argument(&mut self, b: &mut FunctionBuilder<'_>, index: usize) -> Operand;
    /// The address of the native function; called right before the call.
    fn target(&mut self, b: &mut FunctionBuilder<'_>) -> Value;
    /// Takes the pieces of the result, each as wide as its place, and returns from the thunk.
    fn finish(&mut self, b: &mut FunctionBuilder<'_>, result: &[(Piece, Value)]);
}

/// The call thunk of a plan.
pub fn call(cx: Context<'_>, operands: &mut dyn Operands) -> ir::Function {
    function(cx, operands.signature(), |b, params| {
        operands.begin(b, params);
        let mut values = Vec::with_capacity(cx.plan.arguments.len());
        for (index, pass) in cx.plan.arguments.iter().enumerate() {
            let operand = operands.argument(b, index);
            values.extend(pass.pieces().iter().map(|piece| pieces::take(b, piece, operand)));
        }
        let target = operands.target(b);
        let signature = b.import_signature(native_signature(cx.plan));
        let call = b.ins().call_indirect(signature, target, &values);
        let result: Vec<(Piece, Value)> = cx
            .plan
            .result
            .pieces()
            .iter()
            .copied()
            .zip(b.inst_results(call).iter().copied())
            .collect();
        operands.finish(b, &result);
    })
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
