//! Chunks of Lua and their global variables.

use std::ffi::{CString, c_int};

use mlua::ffi as sys;

use crate::lua::vm::stack::Stack;

/// Whether scripts can load source text, and `package` has loaders.
pub(crate) const LOADERS: bool = cfg!(not(feature = "luau"));

/// Whether a function with `...` has a local variable `arg`, which hides the global one.
pub(crate) const HIDDEN_ARG: bool = cfg!(feature = "lua51");

/// Whether the name `_ENV` stands for the table of the global variables.
pub(crate) const ENVIRONMENT_NAME: bool = cfg!(feature = "_env");

/// Whether `<` and `<=` ask the metamethods of operands of two types. Lua 5.1 asks those of two userdata only.
pub(crate) const MIXED_ORDER: bool = cfg!(feature = "_mixed_order");

/// Whether strings have the escapes `\x`, `\z` and `\u`.
pub(crate) const ESCAPES: bool = cfg!(not(any(feature = "lua51", feature = "lua52")));

impl Stack {
    /// Pushes the function that a chunk is and returns true, or pushes a message. `mode`: `t` for source text, `b` for
    /// compiled chunks.
    pub(crate) fn load(&self, chunk: &[u8], name: &[u8], mode: &[u8]) -> bool {
        // A name with a zero byte ends there: C strings have no others.
        let c_string = |text: &[u8]| {
            let end = text.iter().position(|c| *c == 0).unwrap_or(text.len());
            CString::new(&text[..end]).unwrap_or_default()
        };
        let (name, mode) = (c_string(name), c_string(mode));
        // SAFETY: *Context*. Out of memory is a result here, no error.
        let status = unsafe {
            sys::luaL_loadbufferx(
                self.lua,
                chunk.as_ptr().cast(),
                chunk.len(),
                name.as_ptr(),
                mode.as_ptr(),
            )
        };
        status == sys::LUA_OK
    }

    /// Pops a table, which the chunk at `index` has its global variables in from now on.
    pub(crate) fn set_environment(&self, index: c_int) {
        let index = self.absolute(index);
        // SAFETY: *Context*; a function is at `index`.
        unsafe { environment::set(self.lua, index) }
    }

    /// Pushes the table of the global variables.
    pub(crate) fn push_globals(&self) {
        // SAFETY: *Context*.
        unsafe { environment::push_globals(self.lua) };
    }

    /// Pushes a global variable, with no metamethods.
    pub(crate) fn push_global(&self, name: &[u8]) {
        self.push_globals();
        self.raw_get_name(-1, name);
        self.remove(-2);
    }

    /// Calls the function below `arguments` values, which leaves `results`. Errors are raised through the caller: it holds
    /// nothing with a destructor that must run.
    pub(crate) fn call(&self, arguments: c_int, results: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::lua_call(self.lua, arguments, results) };
    }
}

/// The variable `_ENV` is the first upvalue of every chunk.
#[cfg(feature = "_env")]
mod environment {
    use super::*;
    use crate::lua::vm::api::lua_State;

    /// # Safety
    /// - *Room*.
    pub(super) unsafe fn push_globals(lua: *mut lua_State) {
        // SAFETY: *Room*, kept by the caller.
        unsafe { sys::lua_rawgeti(lua, sys::LUA_REGISTRYINDEX, sys::LUA_RIDX_GLOBALS) };
    }

    /// # Safety
    /// - *Live*.
    /// - A chunk is at `index`, its environment on top of the stack.
    pub(super) unsafe fn set(lua: *mut lua_State, index: c_int) {
        // SAFETY: a chunk is at `index` and a table on top, as the caller promises.
        unsafe {
            if sys::lua_setupvalue(lua, index, 1).is_null() {
                sys::lua_pop(lua, 1);
            }
        }
    }
}

/// Every function has an environment.
#[cfg(feature = "_fenv")]
mod environment {
    use super::*;
    use crate::lua::vm::api::lua_State;

    /// # Safety
    /// - *Room*.
    pub(super) unsafe fn push_globals(lua: *mut lua_State) {
        // SAFETY: there is a free stack slot.
        unsafe { sys::lua_pushvalue(lua, sys::LUA_GLOBALSINDEX) };
    }

    /// # Safety
    /// - *Room*.
    /// - A chunk is at `index`, its environment on top of the stack.
    pub(super) unsafe fn set(lua: *mut lua_State, index: c_int) {
        // SAFETY: a chunk is at `index` and a table on top, as the caller promises.
        unsafe { sys::lua_setfenv(lua, index) };
    }
}
