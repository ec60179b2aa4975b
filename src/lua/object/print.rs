//! `tostring` of cdata, ctypes and functions, as LuaJIT prints them.

use std::ffi::c_int;

use super::arith;
use super::ctypes;
use super::metatype;
use crate::ctype::IntKind;
use crate::lua::call;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent;
use crate::lua::value::operator::Operator;
use crate::lua::value::scalar::Scalar;
use crate::lua::value::to_c;
use crate::lua::vm::api::{LuaType, lua_CFunction};

/// `__tostring` of cdata.
pub(in crate::lua) fn to_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    let kind = cx.state.kind(cd.ty);
    let target = match kind {
        Kind::Pointer(to) => cx.state.kind(to),
        kind => kind,
    };
    if matches!(target, Kind::Record(_) | Kind::Vector(..))
        && metatype::push_metamethod(cx, 1, b"__tostring")
    {
        cx.insert(1);
        cx.set_top(2);
        return Ok(Outcome::tail_call(1));
    }
    let value = match extent::permit_bytes(cx, 1, &cd) {
        // SAFETY: a cdata holds a value of its type.
        Ok(()) => unsafe { to_c::load(cx.state, kind, cd.bytes()) },
        Err(_) => None,
    };
    let text = match (kind, value) {
        (Kind::Int(IntKind::I64), Some(Scalar::Signed(n))) => format!("{n}LL"),
        (Kind::Int(IntKind::U64), Some(Scalar::Unsigned(n))) => format!("{n}ULL"),
        (Kind::Int(IntKind::I128), Some(Scalar::Signed(n))) => n.to_string(),
        (Kind::Int(IntKind::U128), Some(Scalar::Unsigned(n))) => n.to_string(),
        (Kind::Float(_), Some(Scalar::Extended(n))) => n.to_string(),
        (Kind::Complex(part), Some(re)) => {
            let step = to_c::complex_step(cx.state, part);
            // SAFETY: a complex cdata holds two parts.
            let im = unsafe { to_c::load(cx.state, Kind::Float(part), cd.bytes().add(step)) };
            complex(re.to_f64(), im.map_or(0.0, Scalar::to_f64))
        }
        (Kind::Enum(e), Some(value)) => {
            // As a signed number of 32 bits, whatever the type of the enum, as LuaJIT, which has no larger ones.
            let value = match cx.state.enum_int(e) {
                IntKind::U64 => i128::from(value.to_i64() as u64),
                IntKind::I64 => i128::from(value.to_i64()),
                _ => i128::from(value.to_i64() as i32),
            };
            format!("cdata<{}>: {value}", cx.state.repr(cd.ty))
        }
        _ => format!("cdata<{}>: {}", ctypes::repr(cx, &cd), address(cd.address as usize)),
    };
    cx.push_bytes(text.as_bytes());
    Ok(Outcome::results(1))
}

/// `%p` as LuaJIT prints it: at least 8 digits, and whole bytes.
pub(in crate::lua) fn address(address: usize) -> String {
    if address == 0 {
        return "NULL".to_owned();
    }
    let bytes = (address.ilog2() / 8 + 1).max(4) as usize;
    format!("0x{address:0digits$x}", digits = bytes * 2)
}

fn complex(re: f64, im: f64) -> String {
    let sign = if im.is_sign_negative() && !im.is_nan() { "" } else { "+" };
    let (re, im) = (number(re), number(im));
    let unit = if im.ends_with(|c: char| c.is_ascii_alphabetic()) { 'I' } else { 'i' };
    format!("{re}{sign}{im}{unit}")
}

/// C rounds a number that lies half-way between two decimals to the even one, LuaJIT away from zero. Gives such a number the
/// next one away from zero, which every rounding takes there. `text`: the number with 25 decimals too many.
pub(in crate::lua) fn break_tie(n: f64, text: &str) -> f64 {
    let digits = text.split('e').next().unwrap_or(text);
    let tail = digits.len().checked_sub(25).map(|at| &digits.as_bytes()[at..]);
    let tie = tail.is_some_and(|tail| tail[0] == b'5' && tail[1..].iter().all(|c| *c == b'0'));
    match tie {
        true if n < 0.0 => n.next_down(),
        true => n.next_up(),
        false => n,
    }
}

/// `%.14g`
pub(in crate::lua) fn number(n: f64) -> String {
    if n.is_nan() {
        return "nan".to_owned();
    }
    if n.is_infinite() {
        return if n < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let n = break_tie(n, &format!("{n:.38e}"));
    let scientific = format!("{n:.13e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..14).contains(&exponent) {
        trim(&format!("{n:.*}", (13 - exponent).max(0) as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(digits), exponent.abs())
    }
}

/// Lets `tostring` of a C function print its type, and `<` compare the addresses of two. Functions share one metatable; one that
/// is there keeps what it has.
pub(in crate::lua) fn install_function_metatable(cx: &Cx<'_>) {
    let methods: [(&[u8], lua_CFunction); 3] = [
        (b"__tostring", entry(function_to_string)),
        (b"__lt", entry(|cx: &Cx<'_>| arith::operate(cx, Operator::Lt))),
        (b"__le", entry(|cx: &Cx<'_>| arith::operate(cx, Operator::Le))),
    ];
    cx.push_function(entry(function_to_string), 0);
    if !cx.get_metatable(-1) {
        cx.new_table(0, methods.len() as c_int);
    }
    for (event, function) in methods {
        cx.raw_get_name(-1, event);
        let free = cx.type_of(-1) == LuaType::Nil;
        cx.pop(1);
        if free {
            cx.push_function(function, 0);
            cx.raw_set_name(-2, event);
        }
    }
    // Scripts do not get the metatable: it belongs to the library.
    cx.raw_get_name(-1, b"__metatable");
    let free = cx.type_of(-1) == LuaType::Nil;
    cx.pop(1);
    if free {
        cx.push_bytes(b"ffi");
        cx.raw_set_name(-2, b"__metatable");
    }
    cx.set_metatable(-2);
    cx.pop(1);
}

/// Lets `tostring` of another platform's functions print their types, too; of the rest it asks the printer that is there.
pub(in crate::lua) fn add_function_printer(cx: &Cx<'_>) {
    cx.push_function(entry(function_to_string), 0);
    if cx.get_metatable(-1) {
        cx.raw_get_name(-1, b"__tostring");
        cx.push_function(entry(function_to_string), 1);
        cx.raw_set_name(-2, b"__tostring");
        cx.pop(1);
    }
    cx.pop(1);
}

/// `__tostring` of functions; its upvalue, if it has one, prints those that are not the state's.
fn function_to_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let text = match call::function_at(cx, 1) {
        Some((ty, target)) => {
            format!("cdata<{}>: {}", cx.state.repr(ty), address(target as usize))
        }
        None if cx.type_of(Cx::upvalue(1)) == LuaType::Function => {
            cx.set_top(1);
            cx.push_value(Cx::upvalue(1));
            cx.insert(1);
            return Ok(Outcome::tail_call(1));
        }
        None => format!("{}: {:p}", cx.type_name(1), cx.identity(1)),
    };
    cx.push_bytes(text.as_bytes());
    Ok(Outcome::results(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_with_14_digits() {
        for (n, text) in [
            (1.0, "1"),
            (-0.5, "-0.5"),
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (1e-5, "1e-05"),
            (1.0 / 3.0, "0.33333333333333"),
            (123_456_789.25, "123456789.25"),
            (99_999_999_999_999.9, "1e+14"),
            (123_456_789_012_345.0, "1.2345678901235e+14"),
            (-123_456_789_012_345.0, "-1.2345678901235e+14"),
            (123_456_789_012_344.0, "1.2345678901234e+14"),
            (12_345_678_901_234.5, "12345678901235"),
            (0.0, "0"),
        ] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn complex_numbers_print_as_in_luajit() {
        assert_eq!(complex(1.0, 2.0), "1+2i");
        assert_eq!(complex(1.0, -2.5), "1-2.5i");
        assert_eq!(complex(0.0, f64::INFINITY), "0+infI");
    }
}
