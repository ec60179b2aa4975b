//! The only loads and stores of pieces.

use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;

use super::sig::machine_type;
use crate::abi::{Extension, Piece};

/// Where a thunk finds an argument.
#[derive(Clone, Copy)]
pub enum Operand {
    /// The bytes of the value are in memory, at a base and an offset.
    Memory(Value, i32),
    /// A scalar: I64 for integers, booleans and pointers (only the value's own bytes count), F32 or F64 for floats.
    Scalar(Value),
}

/// All the memory that thunks touch is theirs or the caller's, and aligned or plainly copied.
pub(super) fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// The value of a piece, as wide as its place.
pub(super) fn take(b: &mut FunctionBuilder<'_>, piece: &Piece, operand: Operand) -> Value {
    match operand {
        Operand::Memory(base, offset) => load(b, piece, base, offset + piece.offset as i32),
        Operand::Scalar(value) => fit(b, piece, value),
    }
}

/// Loads exactly the bytes of a piece and extends them to its width.
fn load(b: &mut FunctionBuilder<'_>, piece: &Piece, base: Value, offset: i32) -> Value {
    let wide = machine_type(piece);
    if wide.is_float() || piece.bytes == wide.bytes() {
        return b.ins().load(wide, flags(), base, offset);
    }
    let narrow = b.ins().load(int_type(piece.bytes), flags(), base, offset);
    extend(b, piece, narrow)
}

/// A scalar of the operand's width made as wide as the piece's place.
fn fit(b: &mut FunctionBuilder<'_>, piece: &Piece, value: Value) -> Value {
    let wide = machine_type(piece);
    let have = b.func.dfg.value_type(value);
    if have == wide {
        value
    } else if have.is_float() {
        b.ins().bitcast(wide, MemFlagsData::new(), value)
    } else {
        let own = int_type(piece.bytes);
        let narrow = if own == have { value } else { b.ins().ireduce(own, value) };
        extend(b, piece, narrow)
    }
}

fn extend(b: &mut FunctionBuilder<'_>, piece: &Piece, narrow: Value) -> Value {
    let wide = machine_type(piece);
    match piece.extension {
        Extension::None => narrow,
        Extension::Zero => b.ins().uextend(wide, narrow),
        Extension::Sign => b.ins().sextend(wide, narrow),
    }
}

/// Stores exactly the bytes of a piece.
pub(super) fn store(
    b: &mut FunctionBuilder<'_>,
    piece: &Piece,
    value: Value,
    base: Value,
    offset: i32,
) {
    let narrow = narrow(b, piece, value);
    b.ins().store(flags(), narrow, base, offset + piece.offset as i32);
}

/// The piece's own bytes of a value as wide as its place: I8 to I64, F32 or F64.
pub fn narrow(b: &mut FunctionBuilder<'_>, piece: &Piece, value: Value) -> Value {
    let have = b.func.dfg.value_type(value);
    if have.is_float() || piece.bytes == have.bytes() {
        value
    } else {
        b.ins().ireduce(int_type(piece.bytes), value)
    }
}

fn int_type(bytes: u32) -> ir::Type {
    match bytes {
        1 => types::I8,
        2 => types::I16,
        4 => types::I32,
        _ => types::I64,
    }
}
