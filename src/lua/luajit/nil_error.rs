//! Errors that are nil: `error()`. Lua 5.5 raises the text `<no error object>` in their place. So [`put`] gives `error` a value that stands for
//! nil, and the functions that catch errors turn it into nil again: `pcall`, `xpcall` and its handler, `coroutine.resume`.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::adapt::check_function;
use crate::lua::state::{Cx, LuaError, Outcome, entry, guard_in};
use crate::lua::vm::api::{self, NIL_ERROR_IS_TEXT, Results, lua_CFunction, lua_State};

/// `pcall` and `xpcall` where Lua's own do not give nil.
pub(super) const FUNCTIONS: [(&[u8], lua_CFunction); 2] =
    [(b"pcall", protected_call), (b"xpcall", protected_call_with_handler)];

/// Pushes what stands for nil.
pub(super) fn push(cx: &Cx<'_>) {
    // SAFETY: *Context*.
    unsafe { api::push_nil_error(cx.lua) };
}

/// Puts what stands for nil in the place of an argument, if Lua needs it.
pub(super) fn put(cx: &Cx<'_>, index: c_int) {
    if NIL_ERROR_IS_TEXT {
        cx.set_top(cx.top().max(index));
        push(cx);
        cx.replace(index);
    }
}

/// `pcall(f, …)`
///
/// # Safety
/// - *C function* (see `vm`).
unsafe extern "C-unwind" fn protected_call(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*; nothing with a destructor is alive.
    unsafe {
        sys::luaL_checkany(lua, 1);
        sys::lua_pushboolean(lua, 1);
        sys::lua_insert(lua, 1);
        let arguments = sys::lua_gettop(lua) - 2;
        api::protected_call_then(lua, arguments, 0, |lua, returned| finish(lua, returned, 0))
    }
}

/// `xpcall(f, handler, …)`: the function, the handler and `true` are below the function's results.
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
unsafe extern "C-unwind" fn protected_call_with_handler(lua: *mut lua_State) -> Results {
    // SAFETY: *Upvalue 1*; nothing with a destructor is alive.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        guard_in(lua, head.cast(), |cx| {
            check_function(cx, 2)?;
            cx.push_value(2);
            cx.push_function(entry(handle), 1);
            cx.replace(2);
            cx.push_bool(true);
            cx.insert(3);
            cx.push_value(1);
            cx.insert(4);
            Ok(0)
        });
        let arguments = sys::lua_gettop(lua) - 4;
        api::protected_call_then(lua, arguments, 2, |lua, returned| finish(lua, returned, 2))
    }
}

/// `true` and the function's results, which are above `below` values, or `false` and the error.
fn finish(lua: *mut lua_State, returned: bool, below: c_int) -> Results {
    // SAFETY: a protected call has just ended; where it failed, its error is on top of the stack.
    unsafe {
        if returned {
            return Results::new(sys::lua_gettop(lua) - below);
        }
        api::restore_nil_error(lua);
        sys::lua_pushboolean(lua, 0);
        sys::lua_insert(lua, -2);
        Results::new(2)
    }
}

/// A message handler that calls the one that is upvalue 1.
fn handle(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    // SAFETY: the error is at 1.
    unsafe { api::restore_nil_error(cx.lua) };
    cx.push_value(Cx::upvalue(1));
    cx.insert(1);
    Ok(Outcome::tail_call(1))
}
