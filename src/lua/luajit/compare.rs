//! What rewritten operators call: `==`, `~=` and `..` with LuaJIT's answers.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::super::api::{self, LuaType, Number, Results, lua_State};
use super::super::arith::{self, Operator};
use super::super::cdata;
use super::super::print;
use super::super::state::{Cx, LuaError, Outcome, guard};

/// `a == b`
pub(super) unsafe extern "C-unwind" fn equal(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state.
    unsafe { compare(lua, true) }
}

/// `a ~= b`
pub(super) unsafe extern "C-unwind" fn not_equal(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state.
    unsafe { compare(lua, false) }
}

/// Compares the first two arguments; what is missing is nil, what is more does not count.
///
/// # Safety
/// `lua` is the state that Lua called the running C function with.
unsafe fn compare(lua: *mut lua_State, answer: bool) -> Results {
    // SAFETY: the caller's promise. No value with a destructor is alive where Lua functions are called.
    unsafe {
        sys::lua_settop(lua, 2);
        let userdata = |index| sys::lua_type(lua, index) == sys::LUA_TUSERDATA;
        let mut call = None;
        let done = (userdata(1) || userdata(2))
            && guard(lua, |cx| {
                if cdata::at(cx, 1).is_none() && cdata::at(cx, 2).is_none() {
                    return Ok(0);
                }
                call = arith::operate(cx, Operator::Eq)?.arguments();
                Ok(1)
            }) == Results::ONE;
        let equal = match call {
            _ if !done => api::equal(lua, 1, 2),
            None => sys::lua_toboolean(lua, -1) != 0,
            Some(arguments) => {
                sys::lua_call(lua, arguments, 1);
                sys::lua_toboolean(lua, -1) != 0
            }
        };
        sys::lua_pushboolean(lua, c_int::from(equal == answer));
        Results::ONE
    }
}

/// `a .. b .. c`
pub(super) unsafe extern "C-unwind" fn concat(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state; no value with a destructor is alive where it concatenates.
    unsafe {
        guard(lua, |cx| {
            let count = cx.top();
            let is_text = |i| matches!(cx.type_of(i), LuaType::String | LuaType::Number);
            if (1..=count).all(is_text) {
                (1..=count).for_each(|i| text_in_place(cx, i));
            } else if !(1..=count).any(|i| !is_text(i) && cx.has_metafield(i, b"__concat")) {
                let wrong = (1..=count).rev().find(|i| !is_text(*i)).unwrap_or(1);
                let ty = cx.type_name(wrong);
                return Err(LuaError::new(format!("attempt to concatenate a {ty} value")));
            }
            Ok(0)
        });
        sys::lua_concat(lua, sys::lua_gettop(lua));
        Results::ONE
    }
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

/// `less(a, b)`, where one is a cdata.
pub(super) fn less(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    arith::operate(cx, Operator::Lt)
}

/// `at_most(a, b)`, where one is a cdata.
pub(super) fn at_most(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    arith::operate(cx, Operator::Le)
}

/// `text(number)`: a number as LuaJIT prints it.
pub(super) fn text(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    text_in_place(cx, 1);
    Ok(Outcome::results(1))
}
