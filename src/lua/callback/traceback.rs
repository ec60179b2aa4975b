//! Tracebacks that show the Lua frames of a callback.
//!
//! An error in a callback is caught, C returns, and the C call raises it: then the frames of the callback are gone. While `ffi.option "traceback"` is
//! "on", the traceback is taken where the error is raised, and kept until the next one; the error value is unchanged. `ffi.traceback`
//! shows it.

use std::ffi::c_int;

use mlua::ffi as sys;

use crate::lua::state::{Anchor, Cx, LuaError, Outcome, State, entry};
use crate::lua::vm::api::{LuaType, lua_State};

/// Keys of the table of `Anchor::Pending`, besides that of the error that waits: the last traceback, the error of this traceback, and the
/// message handler that keeps both.
const TRACE: i64 = 2;
const ERROR: i64 = 3;
const HANDLER: i64 = 4;

/// Makes ready for tracebacks: later, nothing may be allocated outside of a protected call.
pub(in crate::lua) fn prepare(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Pending);
    cx.push_function(entry(keep), 0);
    cx.raw_set_integer(-2, HANDLER);
    cx.pop(1);
}

/// The message handler: keeps the traceback, and returns the error as it is.
fn keep(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.push_anchor(Anchor::Pending);
    cx.push_traceback(1);
    cx.raw_set_integer(-2, TRACE);
    cx.push_value(1);
    cx.raw_set_integer(-2, ERROR);
    cx.set_top(1);
    Ok(Outcome::results(1))
}

/// Calls the function below one argument, protected, for no results. True: it failed, and the error is on top of the stack.
///
/// # Safety
/// - *Room* for 2 (see `vm`): `lua` is a thread of the state.
/// - A function and an argument are on top of the stack.
pub(in crate::lua) unsafe fn call(lua: *mut lua_State, state: &State) -> bool {
    // SAFETY: *Room* for 2 on a thread of the state, kept by the caller.
    let cx = unsafe { Cx::new(lua, state) };
    let function = cx.top() - 1;
    cx.push_anchor(Anchor::Pending);
    cx.raw_get_integer(-1, HANDLER);
    cx.remove(-2);
    cx.insert(function);
    // SAFETY: *Room* for 2, and a function and an argument are on top, as the caller promises; the handler is below the function.
    let failed = unsafe { sys::lua_pcall(lua, 1, 0, function) != sys::LUA_OK };
    cx.remove(function);
    failed
}

/// Pushes the traceback that was kept of the error at `index`, if it is the last that one was kept of.
pub(in crate::lua) fn push(cx: &Cx<'_>, index: c_int) -> bool {
    let index = cx.absolute(index);
    cx.push_anchor(Anchor::Pending);
    cx.raw_get_integer(-1, ERROR);
    // SAFETY: both indices have values.
    let same = unsafe { sys::lua_rawequal(cx.lua, -1, index) != 0 };
    cx.pop(1);
    cx.raw_get_integer(-1, TRACE);
    cx.remove(-2);
    let known = same && cx.type_of(-1) == LuaType::String;
    if !known {
        cx.pop(1);
    }
    known
}

/// `ffi.traceback([message])`: what `debug.traceback` returns, but for an error of a callback, whose traceback was kept: that of
/// the place where it was raised. A message that is neither a string nor nil is returned as it is.
pub(in crate::lua) fn traceback(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    if !matches!(cx.type_of(1), LuaType::Nil | LuaType::String | LuaType::Number) {
        return Ok(Outcome::results(1));
    }
    if !push(cx, 1) {
        cx.push_traceback(1);
    }
    if cx.type_of(1) != LuaType::Nil {
        cx.push_value(1);
        cx.push_bytes(b"\n");
        cx.push_value(2);
        // SAFETY: two strings and a string or number are on top of the stack.
        unsafe { sys::lua_concat(cx.lua, 3) };
    }
    Ok(Outcome::results(1))
}
