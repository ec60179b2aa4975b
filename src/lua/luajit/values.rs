//! `type`, `tostring`, `tonumber` and similar functions, by LuaJIT's rules for cdata.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::adapt::string_expected;
use super::concat::{append_text, text_in_place};
use super::numbers::{self, to_int32};
use super::tables;
use super::typeinfo;
use crate::lua::call;
use crate::lua::object::ctypes;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::value::cdata;
use crate::lua::value::scalar::Scalar;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType};

/// Whether LuaJIT would have a cdata: ours, ctypes, and C functions.
pub(super) fn is_cdata_at(cx: &Cx<'_>, index: c_int) -> bool {
    match cx.type_of(index) {
        LuaType::Userdata => cdata::at(cx, index).is_some() || ctypes::at(cx, index).is_some(),
        LuaType::Function => call::record_at(cx, index).is_some(),
        _ => false,
    }
}

/// `is_cdata(value)`
pub(super) fn is_cdata(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.push_bool(is_cdata_at(cx, 1));
    Ok(Outcome::results(1))
}

fn check_any(cx: &Cx<'_>) -> Result<(), LuaError> {
    match cx.type_of(1) {
        LuaType::None => Err(LuaError::Argument(1, "value expected".to_owned())),
        _ => Ok(()),
    }
}

/// `type(value)`
pub(super) fn type_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_any(cx)?;
    let name = if is_cdata_at(cx, 1) { "cdata" } else { cx.type_name(1) };
    cx.push_bytes(name.as_bytes());
    Ok(Outcome::results(1))
}

/// `getmetatable(value)`: of every cdata the string "ffi".
pub(super) fn get_metatable(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_any(cx)?;
    if is_cdata_at(cx, 1) {
        cx.push_bytes(b"ffi");
    } else if cx.type_of(1) == LuaType::Function || !cx.get_metatable(1) {
        // The metatable of functions is the library's.
        cx.push_nil();
    } else {
        cx.raw_get_name(-1, b"__metatable");
        if cx.type_of(-1) == LuaType::Nil {
            cx.pop(1);
        }
    }
    Ok(Outcome::results(1))
}

/// `tostring(value)`: what `__tostring` returns, of any type.
pub(super) fn to_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_any(cx)?;
    cx.set_top(1);
    if cx.type_of(1) == LuaType::Number {
        text_in_place(cx, 1);
        // SAFETY: index 1 is a number or a string.
        unsafe { sys::lua_tolstring(cx.lua, 1, std::ptr::null_mut()) };
        return Ok(Outcome::results(1));
    }
    if cx.type_of(1) != LuaType::String && cx.get_metatable(1) {
        cx.raw_get_name(-1, b"__tostring");
        if cx.type_of(-1) != LuaType::Nil {
            cx.insert(1);
            cx.set_top(2);
            return Ok(Outcome::tail_call(1));
        }
        cx.set_top(1);
    }
    // SAFETY: *Context*.
    unsafe { sys::luaL_tolstring(cx.lua, 1, std::ptr::null_mut()) };
    Ok(Outcome::results(1))
}

/// `tonumber(value [, base])`
pub(super) fn to_number(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let base = match cx.is_absent(2) {
        true => 10,
        false => to_int32(numbers::argument(cx, 2)?),
    };
    if base != 10 {
        return in_base(cx, base);
    }
    check_any(cx)?;
    let number = match (cdata::at(cx, 1), ctypes::at(cx, 1)) {
        (Some(_), _) => to_c::scalar_at(cx, 1).map(Scalar::to_f64),
        (_, Some(ty)) => Some(typeinfo::id(cx, ty)?.into()),
        _ => numbers::at(cx, 1),
    };
    push_found(cx, number);
    Ok(Outcome::results(1))
}

fn push_found(cx: &Cx<'_>, number: Option<f64>) {
    match number {
        Some(n) => numbers::push(cx, n),
        None => cx.push_nil(),
    }
}

/// C's `strtoul` of a text, negated after a minus sign.
fn in_base(cx: &Cx<'_>, base: i32) -> Result<Outcome, LuaError> {
    text_in_place(cx, 1);
    if cx.type_of(1) == LuaType::Number {
        // SAFETY: index 1 is an integer, which becomes its digits.
        unsafe { sys::lua_tolstring(cx.lua, 1, std::ptr::null_mut()) };
    }
    let text = cx.bytes(1).ok_or_else(|| string_expected(cx, 1))?;
    if !(2..=36).contains(&base) {
        return Err(LuaError::Argument(2, "base out of range".to_owned()));
    }
    let number = numbers::in_base(text, base as u32);
    push_found(cx, number);
    Ok(Outcome::results(1))
}

/// `new_proxy([true | proxy])`: a userdata with no metatable, with one of its own, or with that of another.
pub(super) fn new_proxy(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let wrong = || LuaError::Argument(1, "boolean or proxy expected".to_owned());
    cx.set_top(1);
    let own = match cx.type_of(1) {
        LuaType::Nil => false,
        LuaType::Boolean => cx.truth(1),
        LuaType::Userdata if !is_cdata_at(cx, 1) && cx.c_file(1).is_none() => true,
        _ => return Err(wrong()),
    };
    // SAFETY: there are free stack slots.
    unsafe { api::new_userdata(cx.lua, 0, 0) };
    if own {
        if !cx.get_metatable(1) {
            if cx.type_of(1) == LuaType::Userdata {
                return Err(wrong());
            }
            cx.new_table(0, 0);
        }
        set_finalizable(cx, 2);
    }
    Ok(Outcome::results(1))
}

/// Gives the userdata at `index` the metatable on top of the stack. Lua 5.2 and later run a finaliser only of values whose metatable has
/// a `__gc` at that moment; programs for LuaJIT set it later.
fn set_finalizable(cx: &Cx<'_>, index: c_int) {
    cx.raw_get_name(-1, b"__gc");
    let later = cx.type_of(-1) == LuaType::Nil;
    cx.pop(1);
    if later {
        cx.push_bool(false);
        cx.raw_set_name(-2, b"__gc");
    }
    cx.push_value(-1);
    cx.set_metatable(index);
    if later {
        cx.push_nil();
        cx.raw_set_name(-2, b"__gc");
    }
    cx.pop(1);
}

/// `text(value)`: a number as LuaJIT prints it; anything else as it is.
pub(super) fn text(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    text_in_place(cx, 1);
    Ok(Outcome::results(1))
}

/// `pair_with(next)`: the function `pairs` that gives that `next`.
pub(super) fn pair_with(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    cx.push_function(entry(tables::pairs), 1);
    Ok(Outcome::results(1))
}

/// `print_with(tostring, write, file)`: the function `print` that writes to a file by its method `write`.
pub(super) fn print_with(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(3);
    cx.push_function(entry(print), 3);
    Ok(Outcome::results(1))
}

/// `print(…)`: what the global `tostring` makes of its arguments, unless that is the one of upvalue 1.
fn print(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let count = cx.top();
    cx.ensure_stack(8);
    cx.push_global(b"tostring");
    let usual = cx.raw_equal(-1, Cx::upvalue(1)) != 0;
    for i in 1..=count {
        if !usual || !matches!(cx.type_of(i), LuaType::String | LuaType::Number) {
            cx.push_value(count + 1);
            cx.push_value(i);
            cx.call(1, 1);
            cx.replace(i);
        }
        if !matches!(cx.type_of(i), LuaType::String | LuaType::Number) {
            return Err(LuaError::new("'tostring' must return a string to 'print'"));
        }
    }
    let mut line = Vec::new();
    for i in 1..=count {
        append_text(cx, i, &mut line);
        line.push(if i < count { b'\t' } else { b'\n' });
    }
    if count == 0 {
        line.push(b'\n');
    }
    cx.push_value(Cx::upvalue(2));
    cx.push_value(Cx::upvalue(3));
    cx.push_bytes(&line);
    drop(line);
    cx.call(2, 0);
    Ok(Outcome::results(0))
}
