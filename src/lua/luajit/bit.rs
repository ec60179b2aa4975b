//! LuaJIT's library `bit`: 32 bits for numbers, 64 bits for cdata.

use std::ffi::c_int;

use super::typeinfo;
use super::values::is_cdata_at;
use crate::ctype::{IntKind, TypeId};
use crate::lua::object::arith;
use crate::lua::object::ctypes;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::scalar::{self, Scalar};
use crate::lua::value::to_c;
use crate::lua::vm::api::{Number, lua_CFunction};

macro_rules! operation {
    ($width32:expr, $width64:expr) => {
        entry(|cx: &Cx<'_>| one(cx, $width32, $width64))
    };
}

macro_rules! fold {
    ($combine:expr) => {
        entry(|cx: &Cx<'_>| fold(cx, $combine))
    };
}

macro_rules! shift {
    ($width32:expr, $width64:expr) => {
        entry(|cx: &Cx<'_>| shift(cx, $width32, $width64))
    };
}

/// Name and implementation of each.
pub(super) const FUNCTIONS: [(&[u8], lua_CFunction); 12] = [
    (b"tobit", entry(to_bit)),
    (b"tohex", entry(to_hex)),
    (b"bnot", operation!(|x| !x, |x| !x)),
    (b"bswap", operation!(u32::swap_bytes, u64::swap_bytes)),
    (b"band", fold!(|x, y| x & y)),
    (b"bor", fold!(|x, y| x | y)),
    (b"bxor", fold!(|x, y| x ^ y)),
    (b"lshift", shift!(u32::wrapping_shl, u64::wrapping_shl)),
    (b"rshift", shift!(u32::wrapping_shr, u64::wrapping_shr)),
    (
        b"arshift",
        shift!(|x, n| (x as i32).wrapping_shr(n) as u32, |x, n| (x as i64).wrapping_shr(n) as u64),
    ),
    (b"rol", shift!(|x, n| x.rotate_left(n % 32), |x, n| x.rotate_left(n % 64))),
    (b"ror", shift!(|x, n| x.rotate_right(n % 32), |x, n| x.rotate_right(n % 64))),
];

/// An argument.
#[derive(Clone, Copy)]
enum Operand {
    /// A number, cut to 32 bits; and as 64 bits, should another operand be a cdata.
    Number(u32, u64),
    /// A cdata, and its type.
    Wide(u64, IntKind),
}

impl Operand {
    fn at(cx: &Cx<'_>, n: c_int) -> Result<Operand, LuaError> {
        if let Some(ty) = ctypes::at(cx, n) {
            return Ok(Operand::Wide(typeinfo::id(cx, ty)?.into(), IntKind::I64));
        }
        let scalar = match cdata::at(cx, n) {
            Some(cd) => {
                let unsigned = cx.state.value_kind(cd.ty) == Kind::Int(IntKind::U64);
                let kind = if unsigned { IntKind::U64 } else { IntKind::I64 };
                let scalar = to_c::scalar_at(cx, n);
                return match scalar {
                    Some(scalar) => Ok(Operand::Wide(scalar.to_bits(kind) as u64, kind)),
                    None => Err(number_expected(cx, n)),
                };
            }
            None => number(cx, n)?,
        };
        Ok(match scalar {
            Number::Integer(value) => Operand::Number(value as u32, value as u64),
            Number::Float(value) => {
                let wide = scalar::float_to_i64(value.round_ties_even());
                let exact = Scalar::Float(value).to_bits(IntKind::I64) as u64;
                Operand::Number(wide as u32, exact)
            }
        })
    }

    /// The 64 bits, and the type that the result has from here.
    fn wide(self) -> u64 {
        match self {
            Operand::Number(_, bits) | Operand::Wide(bits, _) => bits,
        }
    }

    fn narrow(self) -> u32 {
        match self {
            Operand::Number(bits, _) => bits,
            Operand::Wide(bits, _) => bits as u32,
        }
    }
}

/// A number, or a string that is one.
fn number(cx: &Cx<'_>, n: c_int) -> Result<Number, LuaError> {
    if let Some(number) = cx.number(n) {
        return Ok(number);
    }
    cx.push_to_number(n);
    let number = cx.number(-1);
    cx.pop(1);
    number.ok_or_else(|| number_expected(cx, n))
}

fn number_expected(cx: &Cx<'_>, n: c_int) -> LuaError {
    if is_cdata_at(cx, n) {
        let ty = arith::operand_name(cx, n);
        return LuaError::Argument(n, format!("cannot convert '{ty}' to 'int64_t'"));
    }
    LuaError::Argument(n, format!("number expected, got {}", cx.type_name(n)))
}

fn push_narrow(cx: &Cx<'_>, bits: u32) -> Result<Outcome, LuaError> {
    cx.push_integer((bits as i32).into());
    Ok(Outcome::results(1))
}

fn push_wide(cx: &Cx<'_>, kind: IntKind, bits: u64) -> Result<Outcome, LuaError> {
    push_integer(cx, kind, bits)?;
    Ok(Outcome::results(1))
}

/// Pushes a cdata of a 64-bit integer type.
pub(super) fn push_integer(cx: &Cx<'_>, kind: IntKind, bits: u64) -> Result<(), LuaError> {
    let bytes = cdata::push_value(cx, TypeId::int(kind).into(), 8, false)?;
    // SAFETY: the new cdata has 8 bytes.
    unsafe { scalar::store_int(kind, bytes, bits.into()) };
    Ok(())
}

/// `bit.tobit(x)`: 32 bits as a signed number, of a cdata too.
fn to_bit(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    push_narrow(cx, Operand::at(cx, 1)?.narrow())
}

fn one(
    cx: &Cx<'_>,
    narrow: impl Fn(u32) -> u32,
    wide: impl Fn(u64) -> u64,
) -> Result<Outcome, LuaError> {
    match Operand::at(cx, 1)? {
        Operand::Number(bits, _) => push_narrow(cx, narrow(bits)),
        Operand::Wide(bits, kind) => push_wide(cx, kind, wide(bits)),
    }
}

/// Combines all arguments: 64 bits wide if one is a cdata, unsigned if one is unsigned.
fn fold(cx: &Cx<'_>, combine: impl Fn(u64, u64) -> u64) -> Result<Outcome, LuaError> {
    let first = Operand::at(cx, 1)?;
    let (mut narrow, mut wide) = (u64::from(first.narrow()), first.wide());
    let mut kind = match first {
        Operand::Wide(_, kind) => Some(kind),
        Operand::Number(..) => None,
    };
    for n in 2..=cx.top() {
        let next = Operand::at(cx, n)?;
        if let Operand::Wide(_, next) = next {
            kind = kind.filter(|kind| *kind == IntKind::U64).or(Some(next));
        }
        narrow = combine(narrow, next.narrow().into());
        wide = combine(wide, next.wide());
    }
    match kind {
        None => push_narrow(cx, narrow as u32),
        Some(kind) => push_wide(cx, kind, wide),
    }
}

/// Shifts or rotates by the low 5 or 6 bits of the second argument.
fn shift(
    cx: &Cx<'_>,
    narrow: impl Fn(u32, u32) -> u32,
    wide: impl Fn(u64, u32) -> u64,
) -> Result<Outcome, LuaError> {
    let value = Operand::at(cx, 1)?;
    let by = Operand::at(cx, 2)?.narrow();
    match value {
        Operand::Number(bits, _) => push_narrow(cx, narrow(bits, by)),
        Operand::Wide(bits, kind) => push_wide(cx, kind, wide(bits, by)),
    }
}

/// `bit.tohex(x [, digits])`: negative digits for upper case.
fn to_hex(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (bits, all) = match Operand::at(cx, 1)? {
        Operand::Number(bits, _) => (u64::from(bits), 8),
        Operand::Wide(bits, _) => (bits, 16),
    };
    let digits = if cx.is_absent(2) { all } else { Operand::at(cx, 2)?.narrow() as i32 };
    let count = digits.unsigned_abs().min(254) as usize;
    let bits = if count < 16 { bits & ((1 << (4 * count)) - 1) } else { bits };
    let text = match (count, digits < 0) {
        (0, _) => String::new(),
        (_, true) => format!("{bits:0count$X}"),
        (_, false) => format!("{bits:0count$x}"),
    };
    cx.push_bytes(text.as_bytes());
    Ok(Outcome::results(1))
}
