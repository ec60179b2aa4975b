//! The only loads and stores of pieces.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;

use crate::abi::{Bank, Extension, Piece, Place, Width};

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

/// The value of a piece as `wide`, the type of its parameter: of its own bank, or the same bits in the other.
pub(super) fn take(
    b: &mut FunctionBuilder<'_>,
    piece: &Piece,
    wide: ir::Type,
    operand: Operand,
) -> Value {
    match operand {
        Operand::Memory(base, offset) => {
            let offset = offset + piece.offset as i32;
            if piece.bytes == wide.bytes() {
                return b.ins().load(wide, flags(), base, offset);
            }
            let int = wide.as_int();
            let value = match piece.extension {
                Extension::Sign => {
                    let narrow = b.ins().load(int_type(piece.bytes), flags(), base, offset);
                    b.ins().sextend(int, narrow)
                }
                Extension::Zero | Extension::None => bytes(b, base, offset, piece.bytes, int),
                Extension::Ones => {
                    let value = bytes(b, base, offset, piece.bytes, int);
                    ones_above(b, piece, value)
                }
            };
            same_bits(b, wide, value)
        }
        Operand::Scalar(value) => fit(b, piece, wide, value),
    }
}

/// Up to 8 bytes of an aggregate on their way to the stack, as a piece.
pub(super) fn whole_bytes(offset: u32, bytes: u32) -> Piece {
    Piece {
        offset,
        bytes,
        bank: Bank::Int,
        width: Width::W64,
        extension: Extension::Zero,
        place: Place::Stack(0),
    }
}

/// `count` bytes of memory, and no other, zero-extended to `int`.
pub(super) fn bytes(
    b: &mut FunctionBuilder<'_>,
    base: Value,
    offset: i32,
    count: u32,
    int: ir::Type,
) -> Value {
    let mut value = None;
    for (at, size) in chunks(count) {
        let part = b.ins().load(int_type(size), flags(), base, offset + at as i32);
        let part = if size == int.bytes() { part } else { b.ins().uextend(int, part) };
        value = Some(match value {
            None => part,
            Some(low) => {
                let high = b.ins().ishl_imm_u(part, i64::from(at) * 8);
                b.ins().bor(low, high)
            }
        });
    }
    value.unwrap_or_else(|| b.ins().iconst(int, 0))
}

/// Powers of two that make up `count` bytes, at most 8: offset and size of each.
fn chunks(count: u32) -> impl Iterator<Item = (u32, u32)> {
    let sizes = [8, 4, 2, 1].into_iter().filter(move |size| count & size != 0);
    sizes.scan(0, |at, size| {
        *at += size;
        Some((*at - size, size))
    })
}

/// A scalar of the operand's width made as wide as the parameter.
fn fit(b: &mut FunctionBuilder<'_>, piece: &Piece, wide: ir::Type, value: Value) -> Value {
    let have = b.func.dfg.value_type(value);
    if have == wide {
        return value;
    }
    let (own, int) = (int_type(piece.bytes), wide.as_int());
    let value = same_bits(b, have.as_int(), value);
    let narrow = if own.bytes() < have.bytes() { b.ins().ireduce(own, value) } else { value };
    let extended = match piece.extension {
        _ if own.bytes() == int.bytes() => narrow,
        Extension::Sign => b.ins().sextend(int, narrow),
        Extension::Zero | Extension::None => b.ins().uextend(int, narrow),
        Extension::Ones => {
            let value = b.ins().uextend(int, narrow);
            ones_above(b, piece, value)
        }
    };
    same_bits(b, wide, extended)
}

/// The bits above a piece's bytes set.
fn ones_above(b: &mut FunctionBuilder<'_>, piece: &Piece, value: Value) -> Value {
    let int = b.func.dfg.value_type(value);
    let above = !0_u64 << (8 * piece.bytes) & !0 >> (64 - int.bits());
    let ones = b.ins().iconst(int, above as i64);
    b.ins().bor(value, ones)
}

/// The same bits as a value of type `wide`.
pub(super) fn same_bits(b: &mut FunctionBuilder<'_>, wide: ir::Type, value: Value) -> Value {
    match b.func.dfg.value_type(value) == wide {
        true => value,
        false => b.ins().bitcast(wide, MemFlagsData::new(), value),
    }
}

/// Stores exactly the bytes of a piece; `value` of an x87 piece is their address.
pub fn store(b: &mut FunctionBuilder<'_>, piece: &Piece, value: Value, base: Value, offset: i32) {
    let offset = offset + piece.offset as i32;
    if piece.bank == Bank::X87 {
        return copy(b, (base, offset), (value, 0), piece.bytes);
    }
    let have = b.func.dfg.value_type(value);
    let value = match have.is_float() && piece.bytes < have.bytes() {
        true => b.ins().bitcast(have.as_int(), MemFlagsData::new(), value),
        false => value,
    };
    if piece.bytes.is_power_of_two() {
        let narrow = narrow(b, piece, value);
        b.ins().store(flags(), narrow, base, offset);
        return;
    }
    for (at, size) in chunks(piece.bytes) {
        let shifted = match at {
            0 => value,
            at => b.ins().ushr_imm_u(value, i64::from(at) * 8),
        };
        let part = b.ins().ireduce(int_type(size), shifted);
        b.ins().store(flags(), part, base, offset + at as i32);
    }
}

/// The piece's own bytes, 1, 2, 4 or 8 of them, of a value as wide as its place: I8 to I64, F32 or F64.
pub fn narrow(b: &mut FunctionBuilder<'_>, piece: &Piece, value: Value) -> Value {
    let have = b.func.dfg.value_type(value);
    if have.is_float() || piece.bytes == have.bytes() {
        value
    } else {
        b.ins().ireduce(int_type(piece.bytes), value)
    }
}

/// A place in memory: a base and an offset.
pub(super) type Address = (Value, i32);

/// Copies memory: unrolled where that is short, else in a loop.
pub(super) fn copy(b: &mut FunctionBuilder<'_>, to: Address, from: Address, size: u32) {
    const UNROLLED: u32 = 128;
    let words = size / 8;
    if size <= UNROLLED {
        (0..words).for_each(|word| copy_chunk(b, to, from, word * 8, 8));
    } else {
        copy_words(b, to, from, words);
    }
    for (at, chunk) in chunks(size % 8) {
        copy_chunk(b, to, from, words * 8 + at, chunk);
    }
}

fn copy_chunk(b: &mut FunctionBuilder<'_>, to: Address, from: Address, at: u32, size: u32) {
    let value = b.ins().load(int_type(size), flags(), from.0, from.1 + at as i32);
    b.ins().store(flags(), value, to.0, to.1 + at as i32);
}

/// Copies so many 8-byte words, at least one, from the first to the last.
fn copy_words(b: &mut FunctionBuilder<'_>, to: Address, from: Address, words: u32) {
    let pointer = b.func.dfg.value_type(to.0);
    let (body, done) = (b.create_block(), b.create_block());
    let index = b.append_block_param(body, pointer);
    let zero = b.ins().iconst(pointer, 0);
    b.ins().jump(body, &[zero.into()]);
    b.switch_to_block(body);
    let source = b.ins().iadd(from.0, index);
    let target = b.ins().iadd(to.0, index);
    copy_chunk(b, (target, to.1), (source, from.1), 0, 8);
    let next = b.ins().iadd_imm_s(index, 8);
    let more = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, next, i64::from(words) * 8);
    b.ins().brif(more, body, &[next.into()], done, &[]);
    b.switch_to_block(done);
}

fn int_type(bytes: u32) -> ir::Type {
    match bytes {
        1 => types::I8,
        2 => types::I16,
        4 => types::I32,
        _ => types::I64,
    }
}
