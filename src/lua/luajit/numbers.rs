//! Numbers as in LuaJIT: all of them are doubles.

use std::ffi::c_int;

use super::adapt::number_expected;
use super::lex;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::value::scalar::float_to_i64;
use crate::lua::vm::api::{LuaType, Number};

/// The 32 bits that x86's conversion of a double gives: what is out of range, and a NaN, is the smallest integer.
pub(super) fn to_int32(n: f64) -> i32 {
    match n.trunc() {
        n if n >= f64::from(i32::MIN) && n <= f64::from(i32::MAX) => n as i32,
        _ => i32::MIN,
    }
}

/// The number that a text spells: LuaJIT's `lj_strscan_num`, which knows infinities, NaN and binary digits too.
pub(super) fn scan(text: &[u8]) -> Option<f64> {
    let space = |c: &u8| c.is_ascii_whitespace() || *c == 0x0b;
    let start = text.iter().position(|c| !space(c))?;
    let end = text.iter().rposition(|c| !space(c))? + 1;
    let (negative, digits) = match text[start] {
        b'-' => (true, &text[start + 1..end]),
        b'+' => (false, &text[start + 1..end]),
        _ => (false, &text[start..end]),
    };
    let digits = std::str::from_utf8(digits).ok()?.to_ascii_lowercase();
    let magnitude = match digits.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => return Some(f64::NAN),
        digits => lex::value(digits)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// The integer that a text spells in a base: C's `strtoul`, negated after a minus sign.
pub(super) fn in_base(text: &[u8], base: u32) -> Option<f64> {
    let space = |c: &u8| c.is_ascii_whitespace() || *c == 0x0b;
    let start = text.iter().position(|c| !space(c))?;
    let end = text.iter().rposition(|c| !space(c))? + 1;
    let text = &text[start..end];
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match digits {
        [b'0', b'x' | b'X', rest @ ..] if base == 16 && !rest.is_empty() => rest,
        _ => digits,
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &c in digits {
        let digit = u64::from(char::from(c).to_digit(base)?);
        value =
            value.checked_mul(base.into()).and_then(|v| v.checked_add(digit)).unwrap_or(u64::MAX);
    }
    Some(if negative { -(value as f64) } else { value as f64 })
}

/// The number that a number or a numeric string at `index` is.
pub(super) fn at(cx: &Cx<'_>, index: c_int) -> Option<f64> {
    match cx.number(index) {
        Some(Number::Integer(n)) => Some(n as f64),
        Some(Number::Float(n)) => Some(n),
        None => scan(cx.bytes(index)?),
    }
}

/// The same of an argument that must be one.
pub(super) fn argument(cx: &Cx<'_>, index: c_int) -> Result<f64, LuaError> {
    at(cx, index).ok_or_else(|| number_expected(cx, index))
}

/// `math.log(x [, base])`
pub(super) fn log(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let x = argument(cx, 1)?;
    cx.push_number(match cx.type_of(2) {
        LuaType::None => x.ln(),
        _ => x.log2() * (1.0 / argument(cx, 2)?.log2()),
    });
    Ok(Outcome::results(1))
}

/// The argument as an integer of 32 bits, or `default` where there is none.
pub(super) fn int_or(cx: &Cx<'_>, index: c_int, default: i32) -> Result<i32, LuaError> {
    if cx.is_absent(index) { Ok(default) } else { argument(cx, index).map(to_int32) }
}

/// Pushes a number: as an integer, where the running Lua has them, if it is one of 32 bits.
pub(super) fn push(cx: &Cx<'_>, n: f64) {
    let small = n.fract() == 0.0 && n.abs() < 2_147_483_648.0;
    if small && !(n == 0.0 && n.is_sign_negative()) {
        cx.push_integer(n as i64);
    } else {
        cx.push_number(n);
    }
}

/// `math.floor(x)`
pub(super) fn floor(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    round(cx, f64::floor)
}

/// `math.ceil(x)`
pub(super) fn ceil(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    round(cx, f64::ceil)
}

fn round(cx: &Cx<'_>, to_whole: fn(f64) -> f64) -> Result<Outcome, LuaError> {
    match cx.number(1) {
        Some(Number::Integer(_)) => cx.set_top(1),
        _ => push(cx, to_whole(argument(cx, 1)?)),
    }
    Ok(Outcome::results(1))
}

/// `math.modf(x)`: the parts of a number, both with its sign.
pub(super) fn modf(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let n = argument(cx, 1)?;
    let fraction = if n.is_infinite() { 0.0 } else { n - n.trunc() };
    push(cx, n.trunc());
    push(cx, fraction.copysign(n));
    Ok(Outcome::results(2))
}

/// `math.max(x, …)`
pub(super) fn max(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    extreme(cx, |a, b| a > b)
}

/// `math.min(x, …)`
pub(super) fn min(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    extreme(cx, |a, b| a < b)
}

/// The argument that stays where each is held against the next one: of two zeros, or beside a NaN, the later one.
fn extreme(cx: &Cx<'_>, stays: fn(f64, f64) -> bool) -> Result<Outcome, LuaError> {
    let mut found = argument(cx, 1)?;
    for i in 2..=cx.top() {
        let next = argument(cx, i)?;
        if !stays(found, next) {
            found = next;
        }
    }
    push(cx, found);
    Ok(Outcome::results(1))
}

/// `os.difftime(later [, earlier])`: seconds.
pub(super) fn diff_time(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let later = float_to_i64(argument(cx, 1)?);
    let earlier = if cx.is_absent(2) { 0 } else { float_to_i64(argument(cx, 2)?) };
    cx.push_number(later as f64 - earlier as f64);
    Ok(Outcome::results(1))
}

/// The body of a function of `math` that takes two numbers.
pub(super) fn of_two(cx: &Cx<'_>, compute: fn(f64, f64) -> f64) -> Result<Outcome, LuaError> {
    cx.push_number(compute(argument(cx, 1)?, argument(cx, 2)?));
    Ok(Outcome::results(1))
}

/// The same of one.
pub(super) fn of_one(cx: &Cx<'_>, compute: fn(f64) -> f64) -> Result<Outcome, LuaError> {
    cx.push_number(compute(argument(cx, 1)?));
    Ok(Outcome::results(1))
}

/// `math.frexp(x)`: a fraction from 0.5 to 1, and the power of two that it is multiplied by.
pub(super) fn frexp(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let n = argument(cx, 1)?;
    let (mut fraction, mut exponent) = (n, 0);
    if n != 0.0 && n.is_finite() {
        // Subnormal numbers have their leading bit further down.
        let scaled = if n.abs() < f64::MIN_POSITIVE { n * 54.0_f64.exp2() } else { n };
        let biased = (scaled.to_bits() >> 52 & 0x7ff) as i64;
        exponent = biased - 1022 - if scaled == n { 0 } else { 54 };
        fraction = f64::from_bits(scaled.to_bits() & !(0x7ff << 52) | 1022 << 52);
    }
    cx.push_number(fraction);
    cx.push_integer(exponent);
    Ok(Outcome::results(2))
}

/// `math.ldexp(x, exponent)`
pub(super) fn ldexp(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (mut n, exponent) = (argument(cx, 1)?, to_int32(argument(cx, 2)?));
    // Three steps reach from the smallest number to the largest, and round once.
    let mut left = exponent.clamp(-2200, 2200);
    while left != 0 && n != 0.0 {
        let step = left.clamp(-1000, 1000);
        n *= f64::from(step).exp2();
        left -= step;
    }
    cx.push_number(n);
    Ok(Outcome::results(1))
}

/// `a % b` of doubles: `a - floor(a / b) * b`, as LuaJIT computes it.
pub(super) fn modulo(a: f64, b: f64) -> f64 {
    a - (a / b).floor() * b
}

/// `a % b` of integers; of a zero divisor, NaN.
pub(super) fn integer_modulo(a: i64, b: i64) -> Option<i64> {
    match b {
        0 => None,
        _ => {
            let rest = a.wrapping_rem(b);
            Some(if rest != 0 && (rest ^ b) < 0 { rest + b } else { rest })
        }
    }
}

/// Whether a value is a number, or a string that spells one.
pub(super) fn is_numeric(cx: &Cx<'_>, index: c_int) -> bool {
    match cx.type_of(index) {
        LuaType::Number => true,
        LuaType::String => at(cx, index).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_scanned_as_luajit_does() {
        for (text, expected) in [
            ("10", Some(10.0)),
            (" \t-0x1F\n", Some(-31.0)),
            ("0b101", Some(5.0)),
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("0x.8p1", Some(1.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("", None),
            ("1e", None),
            ("1 2", None),
            ("1LL", None),
            ("- 1", None),
            ("0x", None),
            ("e1", None),
        ] {
            assert_eq!(scan(text.as_bytes()), expected, "{text}");
        }
        assert!(scan(b"nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn remainders_have_the_sign_of_the_divisor() {
        assert_eq!(modulo(-6.0, 3.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(modulo(5.5, -2.0), -0.5);
        assert!(modulo(1.0, 0.0).is_nan());
        assert_eq!(integer_modulo(-7, 3), Some(2));
        assert_eq!(integer_modulo(i64::MIN, -1), Some(0));
        assert_eq!(integer_modulo(1, 0), None);
    }
}
