//! Where functions are defined, and where they are called.

use std::ffi::{CStr, c_int};
use std::mem;

use mlua::ffi as sys;

use super::lua_State;
use crate::lua::vm::stack::Stack;

impl Stack {
    /// `file:line` of the definition of the Lua function at `index`; `None` of other values, C functions among them.
    pub(crate) fn defined_at(&self, index: c_int) -> Option<String> {
        // SAFETY: *Context*; Lua fills in the record.
        unsafe {
            if sys::lua_type(self.lua, index) != sys::LUA_TFUNCTION
                || sys::lua_iscfunction(self.lua, index) != 0
            {
                return None;
            }
            let mut place: sys::lua_Debug = mem::zeroed();
            sys::lua_pushvalue(self.lua, index);
            look_at_top(self.lua, &mut place);
            #[cfg(feature = "luau")]
            let source = CStr::from_ptr(place.short_src);
            #[cfg(not(feature = "luau"))]
            let source = CStr::from_ptr(place.short_src.as_ptr());
            Some(format!("{}:{}", source.to_string_lossy(), place.linedefined))
        }
    }

    /// Pushes a traceback of the running thread, from the function at `level` on.
    pub(crate) fn push_traceback(&self, level: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::luaL_traceback(self.lua, self.lua, std::ptr::null(), level) };
    }
}

/// Pops a function, and fills in where it is defined.
///
/// # Safety
/// - *Live*.
/// - A function is on top of the stack.
unsafe fn look_at_top(lua: *mut lua_State, place: &mut sys::lua_Debug) {
    // SAFETY: *Live*, with a function on top, kept by the caller.
    unsafe {
        #[cfg(feature = "luau")]
        {
            sys::lua_getinfo(lua, -1, c"s".as_ptr(), place);
            sys::lua_pop(lua, 1);
        }
        #[cfg(not(feature = "luau"))]
        sys::lua_getinfo(lua, c">S".as_ptr(), place);
    }
}
