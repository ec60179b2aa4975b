//! `debug.getinfo`: a loaded chunk is a function inside the text that [`rewrite`](super::rewrite) makes, and is shown as a main chunk, as in
//! LuaJIT.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::adapt::{call_original, original, push_adapted};
use super::numbers::to_int32;
use super::values::is_cdata_at;
use crate::lua::state::{Cx, LuaError, Outcome, guard_in};
use crate::lua::vm::api::{LuaType, Number, Results, lua_State};

/// Upvalue, after the state and the original, of an adapted `getinfo`: the set of the functions that are chunks.
const CHUNKS: c_int = 2;

/// Pushes the set of chunks: it keeps none of them alive.
pub(super) fn push_chunks(cx: &Cx<'_>) {
    cx.new_table(0, 0);
    cx.new_table(0, 1);
    cx.push_bytes(b"k");
    cx.raw_set_name(-2, b"__mode");
    cx.set_metatable(-2);
}

/// `adapt_info(debug.getinfo)`; upvalue 1 is the set of chunks.
pub(super) fn adapt_info(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    cx.push_value(Cx::upvalue(1));
    push_adapted(cx, in_frame, crate::lua::state::entry(called))
}

/// A host's own `getinfo` says what it wants.
fn called(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    Ok(call_original(cx))
}

/// # Safety
/// - *Adapted* (see `luajit`).
unsafe extern "C-unwind" fn in_frame(lua: *mut lua_State) -> Results {
    // SAFETY: *Adapted*; see `original`.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast();
        // The arguments with the function that they name behind them; the original leaves that in place.
        let place = guard_in(lua, head, |cx| {
            let first = 1 + c_int::from(cx.type_of(1) == LuaType::Thread);
            if is_cdata_at(cx, first) {
                let message = "function or level expected".to_owned();
                return Err(LuaError::Argument(first, message));
            }
            cx.set_top(first + 1);
            if let Some(level) = cx.number(first) {
                let level = to_int32(level.as_double());
                // Lua 5.1 takes a negative level for a lost tail call.
                cx.push_integer(if level < 0 { i32::MAX } else { level }.into());
                cx.replace(first);
            }
            if cx.bytes(first + 1).is_some_and(|options| options.contains(&b'>')) {
                return Err(LuaError::Argument(first + 1, "invalid option".to_owned()));
            }
            push_function_at(cx, first);
            Ok(first + 2)
        })
        .count();
        let results = original(lua);
        guard_in(lua, head, |cx| {
            if results == Results::ONE && cx.type_of(-1) == LuaType::Table {
                as_main_chunk(cx, place);
            }
            Ok(results.count())
        })
    }
}

/// Pushes the function that the argument at `index` is; Luau has no LuaJIT mode.
#[cfg(feature = "luau")]
fn push_function_at(cx: &Cx<'_>, index: c_int) {
    cx.push_value(index);
}

/// Pushes the function that the argument at `index` is, or is the level of; nil where there is none.
#[cfg(not(feature = "luau"))]
fn push_function_at(cx: &Cx<'_>, index: c_int) {
    let level = match cx.number(index) {
        Some(Number::Integer(level)) => c_int::try_from(level).ok(),
        Some(Number::Float(level)) => Some(level as c_int),
        None => return cx.push_value(index),
    };
    // SAFETY: the thread is live: it is the running one, or an argument. `activation` is filled in by Lua.
    unsafe {
        let thread = if index == 1 { cx.lua } else { sys::lua_tothread(cx.lua, 1) };
        let mut activation: sys::lua_Debug = std::mem::zeroed();
        let found = level.is_some_and(|level| {
            level >= 0 && sys::lua_getstack(thread, level, &raw mut activation) != 0
        });
        if !found || (index != 1 && sys::lua_checkstack(thread, 1) == 0) {
            return cx.push_nil();
        }
        sys::lua_getinfo(thread, c"f".as_ptr(), &raw mut activation);
        if thread != cx.lua {
            sys::lua_xmove(thread, cx.lua, 1);
        }
    }
}

/// Corrects the description on top of the stack if the function at `place` is a chunk.
fn as_main_chunk(cx: &Cx<'_>, place: c_int) {
    if cx.type_of(place) != LuaType::Function {
        return;
    }
    cx.push_value(place);
    cx.raw_get(Cx::upvalue(CHUNKS));
    let chunk = cx.truth(-1);
    cx.pop(1);
    cx.raw_get_name(-1, b"lastlinedefined");
    let last = cx.number(-1);
    cx.pop(1);
    if !chunk || last.is_none() {
        return;
    }
    cx.push_bytes(b"main");
    cx.raw_set_name(-2, b"what");
    cx.push_integer(0);
    cx.raw_set_name(-2, b"linedefined");
    // The text has one line more: see `rewrite`.
    match last {
        Some(Number::Integer(n)) => cx.push_integer(n - 1),
        Some(Number::Float(n)) => cx.push_number(n - 1.0),
        None => return,
    }
    cx.raw_set_name(-2, b"lastlinedefined");
}
