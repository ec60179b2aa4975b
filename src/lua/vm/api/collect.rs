//! Userdata that own memory outside Lua: code that runs when Lua collects them.

use std::ffi::c_void;

use mlua::ffi as sys;

use super::lua_State;

pub(crate) use version::*;

/// Frees what the block of a userdata owns. Lua's memory and Lua's API are out of its reach.
pub(crate) type Collector = unsafe extern "C" fn(lua: *mut lua_State, block: *mut c_void);

#[cfg(not(feature = "luau"))]
mod version {
    use std::ffi::c_int;
    use std::mem;

    use super::*;
    use crate::lua::vm::api::{Results, for_lua, new_userdata};

    /// Pushes a userdata whose block `collector` is called with when Lua collects it. Its metatable needs
    /// [`set_collector`] too.
    ///
    /// # Safety
    /// - *Room*.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_collected(
        lua: *mut lua_State,
        size: usize,
        _collector: Collector,
    ) -> *mut c_void {
        // SAFETY: *Room* and *Raise*, kept by the caller.
        unsafe { new_userdata(lua, size, 0) }
    }

    /// Says the same in the metatable on top of the stack.
    ///
    /// # Safety
    /// - *Room* for 2.
    /// - *Raise* (out of memory).
    /// - A table is on top.
    pub(crate) unsafe fn set_collector(lua: *mut lua_State, collector: Collector) {
        // SAFETY: *Room* for 2, a table on top, and *Raise*, kept by the caller.
        unsafe {
            sys::lua_pushlightuserdata(lua, collector as *mut c_void);
            sys::lua_pushvalue(lua, -2);
            sys::lua_pushcclosure(lua, for_lua(collect), 2);
            sys::lua_setfield(lua, -2, c"__gc".as_ptr());
        }
    }

    /// `__gc`. A script may call it as well, with whatever it likes, and Lua after that.
    ///
    /// # Safety
    /// - *C function*, as a closure of `set_collector`: upvalue 1 is a [`Collector`], upvalue 2 the metatable of its userdata.
    unsafe extern "C-unwind" fn collect(lua: *mut lua_State) -> Results {
        // SAFETY: upvalue 1 is a `Collector`, for userdata that have the metatable that is upvalue 2. It is called once for each.
        unsafe {
            sys::lua_settop(lua, 1);
            let ours = sys::lua_type(lua, 1) == sys::LUA_TUSERDATA
                && sys::lua_getmetatable(lua, 1) != 0
                && sys::lua_rawequal(lua, -1, sys::lua_upvalueindex(2)) != 0;
            if ours {
                sys::lua_pushnil(lua);
                sys::lua_setmetatable(lua, 1);
                let collector = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
                let collector = mem::transmute::<*mut c_void, Collector>(collector);
                collector(lua, sys::lua_touserdata(lua, 1));
            }
        }
        Results::NONE
    }

    /// Whether the function at `index` is the `__gc` of a [`set_collector`], or a closure whose first upvalue is a userdata that
    /// has one.
    ///
    /// # Safety
    /// - *Room* for 3.
    pub(crate) unsafe fn is_over_collected(lua: *mut lua_State, index: c_int) -> bool {
        // SAFETY: *Room* for 3, kept by the caller; what is pushed is popped.
        unsafe {
            let is_collect = |index| {
                let function = sys::lua_tocfunction(lua, index).map_or(0, |f| f as usize);
                function == for_lua(collect) as usize
            };
            if is_collect(index) || sys::lua_getupvalue(lua, index, 1).is_null() {
                return is_collect(index);
            }
            let top = sys::lua_gettop(lua);
            let found = sys::lua_type(lua, top) == sys::LUA_TUSERDATA
                && sys::lua_getmetatable(lua, top) != 0
                && {
                    sys::lua_pushstring(lua, c"__gc".as_ptr());
                    sys::lua_rawget(lua, -2);
                    is_collect(-1)
                };
            sys::lua_settop(lua, top - 1);
            found
        }
    }
}

/// Luau knows no `__gc`, but destructors, at which no Lua code can run.
#[cfg(feature = "luau")]
mod version {
    use super::*;

    /// # Safety
    /// - *Room*.
    /// - *Raise* (out of memory).
    /// - The collector takes blocks of `size` bytes.
    pub(crate) unsafe fn new_collected(
        lua: *mut lua_State,
        size: usize,
        collector: Collector,
    ) -> *mut c_void {
        // SAFETY: *Room* and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdatadtor(lua, size, collector) }
    }

    /// # Safety
    /// None is needed: Luau was told by `new_collected`.
    pub(crate) unsafe fn set_collector(_lua: *mut lua_State, _collector: Collector) {}

    /// # Safety
    /// None is needed: Luau has no `__gc`.
    pub(crate) unsafe fn is_over_collected(_: *mut lua_State, _: std::ffi::c_int) -> bool {
        false
    }
}
