//! Operators on cdata, by LuaJIT's rules: 64-bit integers with C's promotion, pointers, then the metatype's metamethods.

use std::cmp::Ordering;
use std::ffi::c_int;

use super::metatype;
use crate::ctype::{FloatKind, IntKind, QualType, TypeId};
use crate::lua::call;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self, Access};
use crate::lua::value::operator::Operator;
use crate::lua::value::scalar::Scalar;
use crate::lua::value::to_c::{self, Qualifiers};
use crate::lua::vm::api::Number;
use crate::policy::Permissions;

/// An operand as the operators see it.
#[derive(Clone, Copy, Debug)]
enum Operand {
    /// A number, with its C type.
    Number(Kind, Scalar),
    /// A pointer or array: the element type and the address.
    Pointer(QualType, *mut u8),
    /// Any other cdata, by its address.
    Object(*mut u8),
    /// Not an operand.
    None,
}

impl Operand {
    /// The operand at `index`; `other` is the index of the other one, whose enum type explains a string.
    fn at(cx: &Cx<'_>, index: c_int, other: c_int) -> Operand {
        if let Some(number) = cx.number(index) {
            return match number {
                Number::Integer(n) => {
                    Operand::Number(Kind::Int(IntKind::I64), Scalar::Signed(n.into()))
                }
                Number::Float(n) => Operand::Number(Kind::Float(FloatKind::F64), Scalar::Float(n)),
            };
        }
        if let Some((function, target)) = call::function_at(cx, index) {
            return Operand::Pointer(function.into(), target.cast_mut().cast());
        }
        let Some(cd) = cdata::at(cx, index) else {
            return match (cx.bytes(index), cx.is_absent(index)) {
                (Some(text), _) => string(cx, text, other),
                (None, true) => match cx.state.kind(TypeId::VOID_POINTER) {
                    Kind::Pointer(void) => Operand::Pointer(void, std::ptr::null_mut()),
                    _ => Operand::None,
                },
                (None, false) => function(cx, index),
            };
        };
        let kind = cx.state.value_kind(cd.ty);
        match kind {
            Kind::Pointer(to) => Operand::Pointer(to, cd.address),
            Kind::Array(element, _) => Operand::Pointer(element, cd.address),
            Kind::Bool | Kind::Int(_) | Kind::Float(_) => match to_c::number_of(cx, index, &cd) {
                Some(value) => Operand::Number(kind, value),
                None => Operand::Object(cd.address),
            },
            _ => Operand::Object(cd.address),
        }
    }

    fn address(self) -> Option<*mut u8> {
        match self {
            Operand::Pointer(_, address) | Operand::Object(address) => Some(address),
            Operand::Number(..) | Operand::None => None,
        }
    }
}

/// A string: beside an enum the constant of that name, beside anything else an object where its bytes are.
fn string(cx: &Cx<'_>, text: &[u8], other: c_int) -> Operand {
    let object = Operand::Object(text.as_ptr().cast_mut());
    let Some(cd) = cdata::at(cx, other) else { return object };
    let Kind::Enum(e) = cx.state.kind(cd.ty) else { return object };
    match cx.state.types.borrow().table().enum_value(e, text) {
        Some(value) => Operand::Number(Kind::Int(IntKind::I64), Scalar::Signed(value.into())),
        None => Operand::None,
    }
}

/// A C function: a pointer to itself.
fn function(cx: &Cx<'_>, index: c_int) -> Operand {
    match call::record_at(cx, index) {
        Some(record) => Operand::Pointer(record.ty.into(), record.address().cast_mut().cast()),
        None => Operand::None,
    }
}

/// An operand for an error message, as [`to_c::describe`] has it; a C function as a pointer to one.
pub(in crate::lua) fn operand_name(cx: &Cx<'_>, index: c_int) -> String {
    match call::record_at(cx, index) {
        Some(record) => cx.state.repr(cx.state.pointer_to(record.ty)),
        None => to_c::describe(cx, index),
    }
}

/// The body of a metamethod: the operands are at 1 and 2.
pub(in crate::lua) fn operate(cx: &Cx<'_>, operator: Operator) -> Result<Outcome, LuaError> {
    if cx.top() == 1 {
        // Luau gives a unary operator its operand once, the other versions twice.
        cx.push_value(1);
    }
    let (a, b) = (Operand::at(cx, 1, 2), Operand::at(cx, 2, 1));
    if let (Operand::Number(_, a), Operand::Number(_, b)) = (a, b)
        && extended(cx, operator, a, b)?
    {
        return Ok(Outcome::results(1));
    }
    if let (Operand::Number(ka, a), Operand::Number(kb, b)) = (a, b)
        && !matches!((a, b), (Scalar::Extended(_), _) | (_, Scalar::Extended(_)))
        && integers(cx, operator, (ka, a), (kb, b))?
    {
        return Ok(Outcome::results(1));
    }
    if pointers(cx, operator, a, b)? {
        return Ok(Outcome::results(1));
    }
    for index in [1, 2] {
        if metatype::push_metamethod(cx, index, operator.event()) {
            cx.found(Learnt::Operator(index));
            cx.insert(1);
            cx.set_top(3);
            return Ok(Outcome::tail_call(2));
        }
    }
    if operator == Operator::Eq {
        cx.push_bool(a.address().is_some() && a.address() == b.address());
        return Ok(Outcome::results(1));
    }
    Err(unsupported(cx, operator))
}

fn unsupported(cx: &Cx<'_>, operator: Operator) -> LuaError {
    for (string, other) in [(1, 2), (2, 1)] {
        if cx.bytes(string).is_some()
            && let Some(cd) = cdata::at(cx, other)
            && matches!(cx.state.kind(cd.ty), Kind::Enum(_))
        {
            return to_c::no_constant(cx, string, cd.ty);
        }
    }
    let (a, b) = (operand_name(cx, 1), operand_name(cx, 2));
    LuaError::new(match operator {
        Operator::Len => format!("attempt to get length of '{a}'"),
        Operator::Concat => format!("attempt to concatenate '{a}' and '{b}'"),
        _ if operator.is_comparison() => format!("attempt to compare '{a}' with '{b}'"),
        _ if operator.is_bitwise() => {
            format!("attempt to perform bitwise operation on '{a}' and '{b}'")
        }
        _ => format!("attempt to perform arithmetic on '{a}' and '{b}'"),
    })
}

/// Floating-point arithmetic in the wider format of `long double` and `__float128`; false where neither operand is one.
fn extended(cx: &Cx<'_>, operator: Operator, a: Scalar, b: Scalar) -> Result<bool, LuaError> {
    let kind = match (a, b) {
        (Scalar::Extended(a), Scalar::Extended(b)) if a.kind() != b.kind() => FloatKind::F128,
        (Scalar::Extended(n), _) | (_, Scalar::Extended(n)) => n.kind(),
        _ => return Ok(false),
    };
    let (a, b) = (a.to_extended(kind), b.to_extended(kind));
    if operator.is_comparison() {
        let order = a.compare(b);
        cx.push_bool(match operator {
            Operator::Eq => order == Some(Ordering::Equal),
            Operator::Lt => order == Some(Ordering::Less),
            _ => order.is_some_and(Ordering::is_le),
        });
        return Ok(true);
    }
    let Some(result) = a.compute(operator, b) else { return Ok(false) };
    let ty = TypeId::float(kind).into();
    let bytes = cdata::push_value(cx, ty, cx.state.known_size(ty)?, false)?;
    // SAFETY: the new cdata has the size of the type.
    unsafe { crate::lua::value::scalar::store_extended(kind, bytes, result) };
    Ok(true)
}

/// Integer arithmetic, in the wider of the operands' types and 64 bits at least, unsigned if one of that width is.
fn integers(
    cx: &Cx<'_>,
    operator: Operator,
    a: (Kind, Scalar),
    b: (Kind, Scalar),
) -> Result<bool, LuaError> {
    let kind = promoted(a.0, b.0);
    let (x, y) = (a.1.to_bits(kind), b.1.to_bits(kind));
    let signed = kind.is_signed(true);
    if operator.is_comparison() {
        let (x, y) = (truncate(kind, x), truncate(kind, y));
        let order = if signed { (x as i128).cmp(&(y as i128)) } else { x.cmp(&y) };
        cx.push_bool(match operator {
            Operator::Eq => order.is_eq(),
            Operator::Lt => order.is_lt(),
            _ => order.is_le(),
        });
        return Ok(true);
    }
    let Some(result) = compute(operator, kind, truncate(kind, x), truncate(kind, y)) else {
        return Ok(false);
    };
    let bytes = cdata::push_value(cx, TypeId::int(kind).into(), kind.size() as usize, false)?;
    // SAFETY: the new cdata has the size of the type.
    unsafe { crate::lua::value::scalar::store_int(kind, bytes, result) };
    Ok(true)
}

fn promoted(a: Kind, b: Kind) -> IntKind {
    let has = |kind| a == Kind::Int(kind) || b == Kind::Int(kind);
    [IntKind::U128, IntKind::I128, IntKind::U64]
        .into_iter()
        .find(|kind| has(*kind))
        .unwrap_or(IntKind::I64)
}

/// Cuts to the width of the type and extends by its sign.
fn truncate(kind: IntKind, bits: u128) -> u128 {
    match kind {
        IntKind::I64 => bits as i64 as u128,
        IntKind::U64 => u128::from(bits as u64),
        _ => bits,
    }
}

/// LuaJIT's answer to a division by zero.
const DIVISION_BY_ZERO: u128 = 1 << 63;

fn compute(operator: Operator, kind: IntKind, x: u128, y: u128) -> Option<u128> {
    let signed = kind.is_signed(true);
    let (sx, sy) = (x as i128, y as i128);
    Some(match operator {
        Operator::Add => x.wrapping_add(y),
        Operator::Sub => x.wrapping_sub(y),
        Operator::Mul => x.wrapping_mul(y),
        Operator::Div | Operator::Mod | Operator::IDiv if y == 0 => DIVISION_BY_ZERO,
        Operator::Div if signed => sx.wrapping_div(sy) as u128,
        Operator::Div | Operator::IDiv if !signed => x / y,
        Operator::IDiv => {
            let quotient = sx.wrapping_div(sy);
            let floor = sx.wrapping_rem(sy) != 0 && (sx < 0) != (sy < 0);
            quotient.wrapping_sub(i128::from(floor)) as u128
        }
        Operator::Mod if signed => sx.wrapping_rem(sy) as u128,
        Operator::Mod => x % y,
        Operator::Pow => power(signed, x, y),
        Operator::Unm => x.wrapping_neg(),
        Operator::And => x & y,
        Operator::Or => x | y,
        Operator::Xor => x ^ y,
        Operator::Not => !x,
        Operator::Shl => shift(kind, x, sy),
        Operator::Shr => shift(kind, x, sy.wrapping_neg()),
        _ => return None,
    })
}

/// `x` to the power `y`, modulo the width; a negative power is what integer division makes of it.
fn power(signed: bool, x: u128, y: u128) -> u128 {
    if signed && (y as i128) < 0 {
        return match x as i128 {
            0 => i64::MAX as u128,
            1 => 1,
            -1 if y & 1 == 1 => x,
            -1 => 1,
            _ => 0,
        };
    }
    let (mut result, mut base, mut exponent) = (1_u128, x, y);
    while exponent != 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}

/// Lua's shift: by at least the width it gives 0, by a negative number it goes the other way, with no sign.
fn shift(kind: IntKind, x: u128, by: i128) -> u128 {
    let width = i128::from(kind.size()) * 8;
    let x = if width == 64 { x & u128::from(u64::MAX) } else { x };
    match by {
        by if by <= -width || by >= width => 0,
        by if by < 0 => x >> -by,
        by => x << by,
    }
}

/// Pointer arithmetic, differences and comparisons.
fn pointers(cx: &Cx<'_>, operator: Operator, a: Operand, b: Operand) -> Result<bool, LuaError> {
    match (a, b) {
        (Operand::Pointer(t, p), Operand::Pointer(u, q)) if operator == Operator::Eq => {
            note(cx, t, u);
            cx.push_bool(p == q);
            Ok(true)
        }
        (Operand::Pointer(t, p), Operand::Pointer(u, q))
            if operator == Operator::Sub || operator.is_comparison() =>
        {
            note(cx, t, u);
            Ok(to_c::compatible(cx.state, t, u, Qualifiers::Ignored)
                && compare_pointers(cx, operator, t, p, q))
        }
        (Operand::Pointer(t, p), Operand::Number(_, n))
            if matches!(operator, Operator::Add | Operator::Sub) =>
        {
            let n = n.to_i64() as isize;
            if operator == Operator::Sub && n == isize::MIN && cx.state.checked() {
                return Err(LuaError::new(format!("element {n} is too far away")));
            }
            offset(cx, 1, t, p, if operator == Operator::Sub { n.wrapping_neg() } else { n })
        }
        (Operand::Number(_, n), Operand::Pointer(t, p)) if operator == Operator::Add => {
            offset(cx, 2, t, p, n.to_i64() as isize)
        }
        _ => Ok(false),
    }
}

/// Notes what the operands are pointers to.
fn note(cx: &Cx<'_>, a: QualType, b: QualType) {
    for (index, element) in [(1, a), (2, b)] {
        let size = cx.state.size(element);
        cx.found(Learnt::Step { index, size, pointers: None });
    }
}

fn compare_pointers(
    cx: &Cx<'_>,
    operator: Operator,
    element: QualType,
    p: *mut u8,
    q: *mut u8,
) -> bool {
    match operator {
        Operator::Sub => {
            let Some(size) = cx.state.size(element).filter(|size| *size > 0) else { return false };
            let distance = (p as isize).wrapping_sub(q as isize);
            cx.push_integer((distance / size as isize) as i64);
        }
        Operator::Lt => cx.push_bool(p < q),
        _ => cx.push_bool(p <= q),
    }
    true
}

/// Pushes the pointer `n` elements after the pointer or array at `index`.
fn offset(
    cx: &Cx<'_>,
    index: c_int,
    element: QualType,
    address: *mut u8,
    n: isize,
) -> Result<bool, LuaError> {
    let (Some(size), Some(cd)) = (cx.state.size(element), cdata::at(cx, index)) else {
        return Ok(false);
    };
    cx.state.permit(Permissions::POINTER_ARITHMETIC)?;
    let address = address.wrapping_offset(extent::distance(cx, n, size)?);
    let ty = cx.state.pointer_to(element);
    if cx.state.checked() {
        extent::of_argument(cx, index, address as usize).room(
            cx,
            ty.into(),
            address as usize,
            Access::Read,
        )?;
    }
    cx.found(Learnt::Step { index, size: Some(size), pointers: Some(ty.into()) });
    cdata::push_derived(cx, index, &cd, |owner| {
        cdata::push_pointer(cx, ty.into(), address, owner);
        Ok(())
    })?;
    Ok(true)
}
