//! `a .. b .. c`, and numbers as text.

use std::ffi::c_int;

use mlua::ffi as sys;

use crate::lua::object::arith;
use crate::lua::object::metatype;
use crate::lua::object::print;
use crate::lua::state::{Cx, LuaError, guard_in};
use crate::lua::value::cdata;
use crate::lua::vm::api::{self, LuaType, Number, Results, lua_State};

/// `a .. b .. c`, of two values or more.
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
pub(super) unsafe extern "C-unwind" fn concat(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*.
    unsafe { fold(lua) }
}

/// Concatenates the values on the stack from the last one on. Where a metamethod has to, its result takes the place of the two
/// operands; it may yield.
///
/// # Safety
/// - *Upvalue 1* (see `luajit`), of [`concat`].
/// - *Raise*.
unsafe fn fold(lua: *mut lua_State) -> Results {
    // SAFETY: *Upvalue 1* and *Raise*, kept by the caller.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        match guard_in(lua, head.cast(), |cx| step(cx).map(c_int::from)) {
            Results::NONE => Results::ONE,
            _ => api::call_then(lua, 2, |lua| fold(lua)),
        }
    }
}

/// Concatenates as far as no metamethod is needed. True: a metamethod and its two operands are on top of the stack.
fn step(cx: &Cx<'_>) -> Result<bool, LuaError> {
    loop {
        let count = cx.top();
        let texts = (1..=count).rev().take_while(|i| is_text(cx, *i)).count() as c_int;
        if texts > 1 {
            let mut text = Vec::new();
            for i in count - texts + 1..=count {
                append_text(cx, i, &mut text);
            }
            cx.set_top(count - texts);
            cx.push_bytes(&text);
        }
        if cx.top() == 1 {
            return Ok(false);
        }
        if texts < 2 {
            return push_metamethod(cx, count - 1, count);
        }
    }
}

/// Puts the `__concat` of one of the two values on top of the stack below them.
fn push_metamethod(cx: &Cx<'_>, left: c_int, right: c_int) -> Result<bool, LuaError> {
    for index in [left, right] {
        let found = match cdata::at(cx, index) {
            Some(_) => metatype::push_metamethod(cx, index, b"__concat"),
            None => push_metafield(cx, index, b"__concat"),
        };
        if found {
            cx.insert(left);
            return Ok(true);
        }
    }
    if super::values::is_cdata_at(cx, left) || super::values::is_cdata_at(cx, right) {
        let (left, right) = (arith::operand_name(cx, left), arith::operand_name(cx, right));
        return Err(LuaError::new(format!("attempt to concatenate '{left}' and '{right}'")));
    }
    let wrong = cx.type_name(if is_text(cx, left) { right } else { left });
    Err(LuaError::new(format!("attempt to concatenate a {wrong} value")))
}

/// Pushes a field of a value's metatable, if it has one.
pub(super) fn push_metafield(cx: &Cx<'_>, index: c_int, name: &[u8]) -> bool {
    if !cx.get_metatable(index) {
        return false;
    }
    cx.raw_get_name(-1, name);
    cx.remove(-2);
    let found = cx.type_of(-1) != LuaType::Nil;
    if !found {
        cx.pop(1);
    }
    found
}

fn is_text(cx: &Cx<'_>, index: c_int) -> bool {
    matches!(cx.type_of(index), LuaType::String | LuaType::Number)
}

/// Appends a string, or a number as LuaJIT prints it; false: the value is neither.
pub(super) fn append_text(cx: &Cx<'_>, index: c_int, text: &mut Vec<u8>) -> bool {
    match (cx.bytes(index), cx.number(index)) {
        (Some(bytes), _) => text.extend_from_slice(bytes),
        (_, Some(Number::Float(n))) => text.extend_from_slice(print::number(n).as_bytes()),
        (_, Some(Number::Integer(n))) => text.extend_from_slice(integer(n).as_bytes()),
        _ => return false,
    }
    true
}

/// An integer as LuaJIT prints the double that it would be there.
fn integer(n: i64) -> String {
    if n.unsigned_abs() < 100_000_000_000_000 { n.to_string() } else { print::number(n as f64) }
}

/// Replaces a number that Lua and LuaJIT print differently by LuaJIT's text.
pub(super) fn text_in_place(cx: &Cx<'_>, index: c_int) {
    let value = match cx.number(index) {
        Some(Number::Float(n)) => n,
        Some(Number::Integer(n)) if n.unsigned_abs() >= 100_000_000_000_000 => n as f64,
        _ => return,
    };
    cx.push_bytes(print::number(value).as_bytes());
    cx.replace(index);
}
