//! Userdata whose memory owns something else: what runs when Lua collects them.

use std::ffi::c_void;

use mlua::ffi as sys;

use super::lua_State;

pub(crate) use version::*;

/// Frees what the block of a userdata owns. Lua's memory and Lua's API are out of its reach.
pub(crate) type Collector = unsafe extern "C" fn(lua: *mut lua_State, block: *mut c_void);

#[cfg(not(feature = "luau"))]
mod version {
    use std::mem;

    use super::*;
    use crate::lua::api::{Results, for_lua, new_userdata};

    /// Pushes a userdata whose block `collector` is called with when Lua collects it. Its metatable needs
    /// [`set_collector`] too.
    ///
    /// # Safety
    /// `lua` is live and has a free stack slot. May raise (out of memory).
    pub(crate) unsafe fn new_collected(
        lua: *mut lua_State,
        size: usize,
        _collector: Collector,
    ) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { new_userdata(lua, size, 0) }
    }

    /// Says the same in the metatable on top of the stack.
    ///
    /// # Safety
    /// `lua` is live, a table is on top, and there are 2 free stack slots. May raise (out of memory).
    pub(crate) unsafe fn set_collector(lua: *mut lua_State, collector: Collector) {
        unsafe extern "C-unwind" fn collect(lua: *mut lua_State) -> Results {
            // SAFETY: the upvalue is a `Collector`, and Lua passes the userdata that it finalises.
            unsafe {
                let collector = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
                let collector = mem::transmute::<*mut c_void, Collector>(collector);
                collector(lua, sys::lua_touserdata(lua, 1));
            }
            Results::NONE
        }
        // SAFETY: the caller's promise.
        unsafe {
            sys::lua_pushlightuserdata(lua, collector as *mut c_void);
            sys::lua_pushcclosure(lua, for_lua(collect), 1);
            sys::lua_setfield(lua, -2, c"__gc".as_ptr());
        }
    }
}

/// Luau knows no `__gc`, but destructors, at which no Lua code can run.
#[cfg(feature = "luau")]
mod version {
    use super::*;

    pub(crate) unsafe fn new_collected(
        lua: *mut lua_State,
        size: usize,
        collector: Collector,
    ) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { sys::lua_newuserdatadtor(lua, size, collector) }
    }

    pub(crate) unsafe fn set_collector(_lua: *mut lua_State, _collector: Collector) {}
}
