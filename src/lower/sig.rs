//! A plan as a Cranelift signature.

use cranelift_codegen::ir::{self, AbiParam, types};
use cranelift_codegen::isa::CallConv;

use crate::abi::{Backend, Bank, CallPlan, Piece, Width};

/// The signature of the native function of a plan: one parameter for each piece, in order.
///
/// Small integers are extended in the thunk, so every parameter is as wide as its place.
pub fn native_signature(plan: &CallPlan) -> ir::Signature {
    let mut signature = ir::Signature::new(match plan.convention.backend {
        Backend::SystemV => CallConv::SystemV,
        Backend::WindowsFastcall => CallConv::WindowsFastcall,
    });
    let params = plan.arguments.iter().flat_map(|pass| pass.pieces());
    signature.params.extend(params.map(|piece| AbiParam::new(machine_type(piece))));
    signature
        .returns
        .extend(plan.result.pieces().iter().map(|piece| AbiParam::new(machine_type(piece))));
    signature
}

/// The Cranelift type of a piece in its place.
pub(super) fn machine_type(piece: &Piece) -> ir::Type {
    match (piece.bank, piece.width) {
        (Bank::Int, Width::W32) => types::I32,
        (Bank::Int, Width::W64) => types::I64,
        (Bank::Float, Width::W32) => types::F32,
        (Bank::Float, Width::W64) => types::F64,
    }
}
