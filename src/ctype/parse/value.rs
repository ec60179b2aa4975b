//! Operands of constant expressions, and arithmetic on them in the target's types.

use crate::ctype::lex::Punct;
use crate::ctype::{Constant, FloatKind, IntKind, QualType, TypeId};

/// A typed operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Operand {
    pub(super) ty: QualType,
    pub(super) value: Value,
}

/// The known value of an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// An integer or a pointer, in the range of its type. `unsigned __int128` is kept as its bit pattern.
    Int(i128),
    Float(f64),
    /// An object at a constant address: what `&((struct s *)0)->member` points to.
    Place(i128),
    /// Only the type is known, for this reason.
    Unknown(&'static str),
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Value {
        match constant {
            Constant::Int(value) => Value::Int(value),
            Constant::Float(value) => Value::Float(value),
        }
    }
}

/// The reason for every operand that is simply not constant.
pub(super) const NOT_CONSTANT: Value = Value::Unknown("not a constant expression");

/// Binary operators with their precedence, the weakest first.
pub(super) static BINARY: [(Punct, u8, Binary); 18] = [
    (Punct::new("||"), 1, Binary::Or),
    (Punct::new("&&"), 2, Binary::And),
    (Punct::new("|"), 3, Binary::BitOr),
    (Punct::new("^"), 4, Binary::BitXor),
    (Punct::new("&"), 5, Binary::BitAnd),
    (Punct::new("=="), 6, Binary::Equal),
    (Punct::new("!="), 6, Binary::NotEqual),
    (Punct::new("<"), 7, Binary::Less),
    (Punct::new(">"), 7, Binary::Greater),
    (Punct::new("<="), 7, Binary::LessEqual),
    (Punct::new(">="), 7, Binary::GreaterEqual),
    (Punct::new("<<"), 8, Binary::ShiftLeft),
    (Punct::new(">>"), 8, Binary::ShiftRight),
    (Punct::new("+"), 9, Binary::Add),
    (Punct::new("-"), 9, Binary::Subtract),
    (Punct::new("*"), 10, Binary::Multiply),
    (Punct::new("/"), 10, Binary::Divide),
    (Punct::new("%"), 10, Binary::Remainder),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    /// Whether the result is an `int` that says yes or no.
    pub(super) fn is_comparison(self) -> bool {
        use Binary::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | Greater | LessEqual | GreaterEqual)
    }
}

impl Operand {
    /// An integer constant; the value is wrapped to the type.
    pub(super) fn int(kind: IntKind, value: i128) -> Operand {
        Operand { ty: TypeId::int(kind).into(), value: Value::Int(value).wrapped(kind, true) }
    }

    /// An operand of which only the type is known.
    pub(super) fn unknown(ty: QualType) -> Operand {
        Operand { ty, value: NOT_CONSTANT }
    }
}

impl Value {
    /// Reduced to the range of an integer type, as conversion does.
    pub(super) fn wrapped(self, kind: IntKind, char_signed: bool) -> Value {
        let Value::Int(value) = self else { return self };
        let unused = 128 - kind.size() * 8;
        Value::Int(match kind.is_signed(char_signed) {
            true => value << unused >> unused,
            false => ((value as u128) << unused >> unused) as i128,
        })
    }

    /// The value, if it is a known number.
    pub(super) fn constant(self) -> Option<Constant> {
        match self {
            Value::Int(value) => Some(Constant::Int(value)),
            Value::Float(value) => Some(Constant::Float(value)),
            Value::Place(_) | Value::Unknown(_) => None,
        }
    }

    /// Whether the value counts as true, if it is known.
    pub(super) fn truth(self) -> Option<bool> {
        match self {
            Value::Int(value) => Some(value != 0),
            Value::Float(value) => Some(value != 0.0),
            Value::Place(_) | Value::Unknown(_) => None,
        }
    }
}

/// C's integer promotion.
pub(super) fn promote(kind: IntKind) -> IntKind {
    if kind.size() < 4 { IntKind::I32 } else { kind }
}

/// The common type of two promoted integers.
pub(super) fn common_int(a: IntKind, b: IntKind) -> IntKind {
    let (a, b) = (promote(a), promote(b));
    let size = a.size().max(b.size());
    let unsigned = |kind: IntKind| kind.size() == size && !kind.is_signed(true);
    let signed = !(unsigned(a) || unsigned(b));
    IntKind::of(size, signed).unwrap_or(a)
}

/// The common format of two floating-point operands.
pub(super) fn common_float(a: FloatKind, b: FloatKind) -> FloatKind {
    a.max(b)
}

/// An operator on two integers of one type.
pub(super) fn int_binary(op: Binary, kind: IntKind, a: i128, b: i128) -> Value {
    // Only 128-bit unsigned operands are not kept as their value.
    let wide = kind == IntKind::U128;
    let (ua, ub) = (a as u128, b as u128);
    let less = if wide { ua < ub } else { a < b };
    let value = match op {
        Binary::Or => i128::from(a != 0 || b != 0),
        Binary::And => i128::from(a != 0 && b != 0),
        Binary::BitOr => a | b,
        Binary::BitXor => a ^ b,
        Binary::BitAnd => a & b,
        Binary::Equal => i128::from(a == b),
        Binary::NotEqual => i128::from(a != b),
        Binary::Less => i128::from(less),
        Binary::GreaterEqual => i128::from(!less),
        Binary::Greater => i128::from(!less && a != b),
        Binary::LessEqual => i128::from(less || a == b),
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Divide | Binary::Remainder if b == 0 => return Value::Unknown("division by zero"),
        Binary::Divide if wide => (ua / ub) as i128,
        Binary::Divide => a.wrapping_div(b),
        Binary::Remainder if wide => (ua % ub) as i128,
        Binary::Remainder => a.wrapping_rem(b),
        Binary::ShiftLeft | Binary::ShiftRight => match u32::try_from(b) {
            Ok(count) if count < kind.size() * 8 => match op {
                Binary::ShiftLeft => a << count,
                _ if wide => (ua >> count) as i128,
                _ => a >> count,
            },
            _ => return Value::Unknown("shift count out of range"),
        },
    };
    let result = if op.is_comparison() || matches!(op, Binary::Or | Binary::And) {
        IntKind::I32
    } else {
        kind
    };
    Value::Int(value).wrapped(result, true)
}

/// An operator on two floating-point operands of one format.
pub(super) fn float_binary(op: Binary, kind: FloatKind, a: f64, b: f64) -> Value {
    let value = match op {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Equal => return Value::Int((a == b).into()),
        Binary::NotEqual => return Value::Int((a != b).into()),
        Binary::Less => return Value::Int((a < b).into()),
        Binary::Greater => return Value::Int((a > b).into()),
        Binary::LessEqual => return Value::Int((a <= b).into()),
        Binary::GreaterEqual => return Value::Int((a >= b).into()),
        _ => return Value::Unknown("this operator needs integers"),
    };
    Value::Float(rounded(kind, value))
}

/// A value in the precision of a format; formats wider than `double` are computed as `double`.
pub(super) fn rounded(kind: FloatKind, value: f64) -> f64 {
    if kind == FloatKind::F32 { f64::from(value as f32) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_to_their_type() {
        let wrapped = |value, kind| Value::Int(value).wrapped(kind, true);
        assert_eq!(wrapped(0x1ff, IntKind::U8), Value::Int(255));
        assert_eq!(wrapped(0x1ff, IntKind::I8), Value::Int(-1));
        assert_eq!(wrapped(-1, IntKind::U64), Value::Int(u64::MAX.into()));
        assert_eq!(wrapped(i128::MIN, IntKind::I128), Value::Int(i128::MIN));
    }

    #[test]
    fn the_larger_or_unsigned_operand_wins() {
        assert_eq!(common_int(IntKind::U8, IntKind::Char), IntKind::I32);
        assert_eq!(common_int(IntKind::U32, IntKind::I64), IntKind::I64);
        assert_eq!(common_int(IntKind::I32, IntKind::U32), IntKind::U32);
    }

    #[test]
    fn undefined_arithmetic_is_no_value() {
        let unknown = |op, b| matches!(int_binary(op, IntKind::I32, 1, b), Value::Unknown(_));
        assert!(unknown(Binary::Divide, 0) && unknown(Binary::Remainder, 0));
        assert!(unknown(Binary::ShiftLeft, 32) && unknown(Binary::ShiftRight, -1));
        assert_eq!(int_binary(Binary::Divide, IntKind::I128, i128::MIN, -1), Value::Int(i128::MIN));
    }
}
