//! `debug.setupvalue` beside this library. Lua 5.2 and later let it set upvalues of C functions (Lua 5.1 and LuaJIT do not). Upvalues of this
//! library's functions lead to its memory, so setting them is an error.

use std::ffi::c_int;

use mlua::ffi as sys;

use crate::lua::call;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::vm::api::{self, LuaType};

/// Puts a guard before `debug.setupvalue`, where that is loaded.
pub(in crate::lua) fn guard_debug(cx: &Cx<'_>) {
    let top = cx.top();
    // SAFETY: *Context*; the registry has a table of loaded modules there, or nothing.
    unsafe { sys::lua_getfield(cx.lua, sys::LUA_REGISTRYINDEX, c"_LOADED".as_ptr()) };
    if cx.type_of(-1) == LuaType::Table {
        cx.raw_get_name(-1, b"debug");
        if cx.type_of(-1) == LuaType::Table {
            let debug = cx.top();
            cx.raw_get_name(debug, b"setupvalue");
            if cx.type_of(-1) == LuaType::Function {
                cx.push_function(entry(set_upvalue), 1);
                cx.raw_set_name(debug, b"setupvalue");
            }
        }
    }
    cx.set_top(top);
}

/// `debug.setupvalue(f, up, value)`
fn set_upvalue(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.type_of(1) == LuaType::Function && is_ours(cx, 1) {
        let message = "the upvalues of the ffi library's functions cannot be set";
        return Err(LuaError::Argument(1, message.into()));
    }
    let arguments = cx.top();
    cx.push_value(Cx::upvalue(1));
    cx.insert(1);
    Ok(Outcome::tail_call(arguments))
}

fn is_ours(cx: &Cx<'_>, index: c_int) -> bool {
    // SAFETY: *Context*.
    unsafe { api::is_over_collected(cx.lua, index) || call::record_at(cx, index).is_some() }
}
