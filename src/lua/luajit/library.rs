//! Lua's own library functions, for numbers as LuaJIT has them: all of them doubles.
//!
//! Lua 5.3 and later refuse a float with a fraction where an integer is wanted; LuaJIT cuts it off. They take `3.0` for the
//! text "3.0"; LuaJIT's is "3". An adapted function corrects its arguments in place and goes on as the original, on the same
//! stack, so that error messages name it as before.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::super::api::{LuaType, Number, Results, lua_CFunction, lua_State};
use super::super::arith;
use super::super::cdata;
use super::super::print;
use super::super::scalar::{Scalar, float_to_i64};
use super::super::state::{Cx, LuaError, Outcome, guard};
use super::compare::text_in_place;
use crate::ctype::IntKind;

/// Upvalues of an adapted function, after the state.
mod upvalue {
    /// The original.
    pub(super) const ORIGINAL: std::ffi::c_int = 1;
    /// Which arguments are texts, a bit each from the first.
    pub(super) const TEXTS: std::ffi::c_int = 2;
    /// Which are integers.
    pub(super) const INTEGERS: std::ffi::c_int = 3;
}

/// `adapt(function, texts, integers)`: the function with arguments corrected; `texts` and `integers` are sets of bits. A
/// function that is not one of C stays as it is.
pub(super) fn adapt(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    push_adapted(cx, adapted)
}

/// `adapt_format(string.format)`
pub(super) fn adapt_format(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    push_adapted(cx, format)
}

fn push_adapted(cx: &Cx<'_>, function: lua_CFunction) -> Result<Outcome, LuaError> {
    // SAFETY: index 1 is acceptable.
    if unsafe { sys::lua_tocfunction(cx.lua, 1) }.is_some() {
        cx.set_top(3);
        cx.push_function(function, 3);
    } else {
        cx.push_value(1);
    }
    Ok(Outcome::results(1))
}

/// Goes on as the original of the running function.
///
/// # Safety
/// The running function is an adapted one; nothing with a destructor is alive.
unsafe fn original(lua: *mut lua_State) -> Results {
    // SAFETY: `push_adapted` made the upvalue a C function, which runs on this stack as if it had been called itself.
    unsafe {
        match sys::lua_tocfunction(lua, Cx::upvalue(upvalue::ORIGINAL)) {
            Some(function) => Results::new(function(lua)),
            None => Results::NONE,
        }
    }
}

unsafe extern "C-unwind" fn adapted(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state; see `original`.
    unsafe {
        let numbers = (1..=sys::lua_gettop(lua)).any(|i| sys::lua_type(lua, i) == sys::LUA_TNUMBER);
        if numbers {
            guard(lua, |cx| {
                let (texts, integers) = (mask(cx, upvalue::TEXTS), mask(cx, upvalue::INTEGERS));
                for i in 1..=cx.top() {
                    let bit = 1 << (i - 1).min(31);
                    if texts & bit != 0 {
                        text_in_place(cx, i);
                    } else if integers & bit != 0 {
                        truncate(cx, i);
                    }
                }
                Ok(0)
            });
        }
        original(lua)
    }
}

fn mask(cx: &Cx<'_>, upvalue: c_int) -> u32 {
    match cx.number(Cx::upvalue(upvalue)) {
        Some(Number::Integer(mask)) => mask as u32,
        Some(Number::Float(mask)) => mask as u32,
        None => 0,
    }
}

/// Cuts the fraction off a float.
fn truncate(cx: &Cx<'_>, index: c_int) {
    if let Some(Number::Float(n)) = cx.number(index)
        && n.fract() != 0.0
    {
        cx.push_integer(float_to_i64(n));
        cx.replace(index);
    }
}

/// `string.format`: 64-bit cdata for `%d` and `%x`, `%u`, fractions cut off, `%s` of a float as LuaJIT prints it.
unsafe extern "C-unwind" fn format(lua: *mut lua_State) -> Results {
    // SAFETY: as in `adapted`.
    unsafe {
        guard(lua, |cx| {
            let Some(text) = cx.bytes(1) else { return Ok(0) };
            let mut text = text.to_vec();
            let (mut at, mut argument) = (0, 1);
            while let Some(start) = text[at..].iter().position(|c| *c == b'%') {
                let start = at + start + 1;
                let flags = text[start..].iter().take_while(|c| b"-+ #0123456789.".contains(c));
                at = start + flags.count();
                let precision = precision(&text[start..at]);
                let Some(&conversion) = text.get(at) else { break };
                at += 1;
                if conversion == b'%' {
                    continue;
                }
                argument += 1;
                if argument > cx.top() {
                    break;
                }
                match conversion {
                    b'd' | b'i' | b'c' | b'x' | b'X' | b'o' => integer_in_place(cx, argument),
                    b'u' => {
                        unsigned_in_place(cx, argument);
                        // Digits in any case: with a width and `-` they are padded alike.
                        text[at - 1] = b's';
                    }
                    b's' => {
                        text_in_place(cx, argument);
                        as_string(cx, argument);
                    }
                    b'q' => text_in_place(cx, argument),
                    _ => round_in_place(cx, argument, conversion, precision),
                }
            }
            cx.push_bytes(&text);
            drop(text);
            cx.replace(1);
            Ok(0)
        });
        original(lua)
    }
}

/// The integer that a conversion wants: of a cdata its 64 bits, of a float what is left of the point.
fn integer_in_place(cx: &Cx<'_>, index: c_int) {
    if cdata::at(cx, index).is_some()
        && let Some(scalar) = arith::scalar_at(cx, index)
    {
        cx.push_integer(scalar.to_bits(IntKind::I64) as i64);
        cx.replace(index);
    } else {
        truncate(cx, index);
    }
}

/// What `tostring` makes of a value, which Lua 5.1 does not ask for by itself.
fn as_string(cx: &Cx<'_>, index: c_int) {
    if !matches!(cx.type_of(index), LuaType::String | LuaType::Number) {
        // SAFETY: `guard` promises a live state with free stack slots.
        unsafe { sys::luaL_tolstring(cx.lua, index, std::ptr::null_mut()) };
        cx.replace(index);
    }
}

/// The decimal digits of a number's 64 bits.
fn unsigned_in_place(cx: &Cx<'_>, index: c_int) {
    let scalar: Option<Scalar> = arith::scalar_at(cx, index);
    if let Some(scalar) = scalar {
        let text = (scalar.to_bits(IntKind::U64) as u64).to_string();
        cx.push_bytes(text.as_bytes());
        cx.replace(index);
    }
}

/// The decimals that the flags of a conversion ask for.
fn precision(flags: &[u8]) -> usize {
    let point = flags.iter().position(|c| *c == b'.');
    let digits = point.and_then(|point| std::str::from_utf8(&flags[point + 1..]).ok());
    digits.map_or(6, |digits| digits.parse().unwrap_or(0)).min(99)
}

/// A float that C rounds and signs as LuaJIT does: half-way cases away from zero, and a NaN has no sign.
fn round_in_place(cx: &Cx<'_>, index: c_int, conversion: u8, precision: usize) {
    let Some(Number::Float(n)) = cx.number(index) else { return };
    let decimals = match conversion | 0x20 {
        b'g' => precision.max(1) - 1,
        _ => precision,
    } + 25;
    let rounded = match conversion | 0x20 {
        _ if n.is_nan() => f64::NAN,
        b'f' => print::break_tie(n, &format!("{n:.decimals$}")),
        b'e' | b'g' => print::break_tie(n, &format!("{n:.decimals$e}")),
        _ => return,
    };
    cx.push_number(rounded);
    cx.replace(index);
}

/// `new_proxy([true | proxy])`: a userdata with no metatable, with one of its own, or with that of another.
pub(super) fn new_proxy(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    // SAFETY: there are free stack slots.
    unsafe { super::super::api::new_userdata(cx.lua, 0, 0) };
    if cx.truth(1) {
        if !cx.get_metatable(1) {
            cx.new_table(0, 0);
        }
        cx.set_metatable(2);
    }
    Ok(Outcome::results(1))
}

/// `is_cdata(value)`: whether LuaJIT would have a cdata: ours, ctypes, and C functions.
pub(super) fn is_cdata(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let found = cdata::at(cx, 1).is_some()
        || super::super::ctypes::at(cx, 1).is_some()
        || super::super::call::record_at(cx, 1).is_some();
    cx.push_bool(found);
    Ok(Outcome::results(1))
}

/// `to_double(value)`: the number that a numeric cdata or string is, as a double where it is large; nil for others.
pub(super) fn to_double(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let scalar = match cdata::at(cx, 1) {
        Some(_) => arith::scalar_at(cx, 1),
        None => {
            cx.push_to_number(1);
            cx.replace(1);
            arith::scalar_at(cx, 1)
        }
    };
    match scalar.map(Scalar::to_f64) {
        None => cx.push_nil(),
        Some(n)
            if n.fract() == 0.0
                && n.abs() < 2_147_483_648.0
                && !(n == 0.0 && n.is_sign_negative()) =>
        {
            cx.push_integer(n as i64);
        }
        Some(n) => cx.push_number(n),
    }
    Ok(Outcome::results(1))
}
