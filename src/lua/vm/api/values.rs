//! Userdata, and the values that they keep alive.

use std::ffi::{c_int, c_void};
#[cfg(feature = "_stream")]
use std::ptr;

use mlua::ffi as sys;

use super::lua_State;

pub(crate) use version::*;

/// Any number of values each.
#[cfg(feature = "_user_values")]
mod version {
    use super::*;

    /// Pushes a userdata that can keep `values` other values alive.
    ///
    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_userdata(
        lua: *mut lua_State,
        size: usize,
        values: c_int,
    ) -> *mut c_void {
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdatauv(lua, size, values) }
    }

    /// Pushes the value that the userdata at `index` keeps alive.
    ///
    /// # Safety
    /// - *Room*: 3 in Luau.
    /// - A userdata made with one value, which was set, is at `index`.
    pub(crate) unsafe fn get_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room*, and a userdata with a value is at `index`, as the caller promises.
        unsafe { sys::lua_getiuservalue(lua, index, 1) };
    }

    /// Pops the value that the userdata at `index` keeps alive from now on.
    ///
    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    /// - A userdata made with one value is at `index`, a value on top.
    pub(crate) unsafe fn set_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room* and *Raise*, and a userdata with a value is at `index`, as the caller promises.
        unsafe { sys::lua_setiuservalue(lua, index, 1) };
    }
}

/// One value each.
#[cfg(feature = "_user_value")]
mod version {
    use super::*;

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_userdata(lua: *mut lua_State, size: usize, _: c_int) -> *mut c_void {
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdata(lua, size) }
    }

    /// # Safety
    /// - *Room* for 3.
    /// - A userdata made with one value, which was set, is at `index`.
    pub(crate) unsafe fn get_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room*, and a userdata with a value is at `index`, as the caller promises.
        unsafe { sys::lua_getuservalue(lua, index) };
    }

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    /// - A userdata made with one value is at `index`, a value on top.
    pub(crate) unsafe fn set_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room* and *Raise*, and a userdata with a value is at `index`, as the caller promises.
        unsafe { sys::lua_setuservalue(lua, index) };
    }
}

/// One table each: the value is at 1 in it. In 5.1 and LuaJIT it is the userdata's environment.
#[cfg(feature = "_user_table")]
mod version {
    use super::*;

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_userdata(lua: *mut lua_State, size: usize, _: c_int) -> *mut c_void {
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdata(lua, size) }
    }

    /// # Safety
    /// - *Room* for 3.
    /// - A userdata made with one value, which was set, is at `index`.
    pub(crate) unsafe fn get_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room*, and a userdata with a value is at `index`, as the caller promises: `set_user_value` left a table there.
        unsafe {
            sys::lua_getuservalue(lua, index);
            sys::lua_rawgeti(lua, -1, 1);
            sys::lua_remove(lua, -2);
        }
    }

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    /// - A userdata made with one value is at `index`, a value on top.
    pub(crate) unsafe fn set_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room* and *Raise*, and a userdata with a value is at `index`, as the caller promises.
        unsafe {
            let index = sys::lua_absindex(lua, index);
            sys::lua_createtable(lua, 1, 0);
            sys::lua_insert(lua, -2);
            sys::lua_rawseti(lua, -2, 1);
            sys::lua_setuservalue(lua, index);
        }
    }
}

/// None: a table with weak keys in the registry has them.
#[cfg(feature = "_no_user_value")]
mod version {
    use super::*;

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_userdata(lua: *mut lua_State, size: usize, _: c_int) -> *mut c_void {
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdata(lua, size) }
    }

    /// # Safety
    /// - *Room* for 3.
    /// - A userdata made with one value, which was set, is at `index`.
    pub(crate) unsafe fn get_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room*, and a userdata with a value is at `index`, as the caller promises.
        unsafe {
            let index = sys::lua_absindex(lua, index);
            push_table(lua);
            sys::lua_pushvalue(lua, index);
            sys::lua_rawget(lua, -2);
            sys::lua_remove(lua, -2);
        }
    }

    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    /// - A userdata made with one value is at `index`, a value on top.
    pub(crate) unsafe fn set_user_value(lua: *mut lua_State, index: c_int) {
        // SAFETY: *Room* and *Raise*, and a userdata with a value is at `index`, as the caller promises.
        unsafe {
            let index = sys::lua_absindex(lua, index);
            push_table(lua);
            sys::lua_insert(lua, -2);
            sys::lua_pushvalue(lua, index);
            sys::lua_insert(lua, -2);
            sys::lua_rawset(lua, -3);
            sys::lua_pop(lua, 1);
        }
    }

    /// Pushes the table, made at its first use.
    ///
    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    unsafe fn push_table(lua: *mut lua_State) {
        /// Its address is the key in the registry.
        static TABLE: u8 = 0;
        let key = (&raw const TABLE).cast();
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe {
            if sys::lua_rawgetp(lua, sys::LUA_REGISTRYINDEX, key) == sys::LUA_TTABLE {
                return;
            }
            sys::lua_pop(lua, 1);
            sys::lua_createtable(lua, 0, 0);
            sys::lua_createtable(lua, 0, 1);
            // Shrinkable, too.
            sys::lua_pushstring(lua, c"ks".as_ptr());
            sys::lua_setfield(lua, -2, c"__mode".as_ptr());
            sys::lua_setmetatable(lua, -2);
            sys::lua_pushvalue(lua, -1);
            sys::lua_rawsetp(lua, sys::LUA_REGISTRYINDEX, key);
        }
    }
}

/// The C `FILE *` in the block of a file, null when the file is closed.
///
/// # Safety
/// - `block` is the userdata block of a file of the running Lua's `io` library.
#[cfg(feature = "_stream")]
pub(super) unsafe fn stream(block: *mut c_void) -> *mut c_void {
    /// `luaL_Stream`: the stream, and the function that closes it (null once closed).
    #[repr(C)]
    struct Stream {
        file: *mut c_void,
        close: Option<super::lua_CFunction>,
    }
    // SAFETY: the block is that of a file (lauxlib.h).
    let stream = unsafe { &*block.cast::<Stream>() };
    if stream.close.is_some() { stream.file } else { ptr::null_mut() }
}

/// The C `FILE *` in the block of a file, null when the file is closed. (Luau has no files.)
///
/// # Safety
/// - `block` is the userdata block of a file of the running Lua's `io` library.
#[cfg(feature = "_bare_file")]
pub(super) unsafe fn stream(block: *mut c_void) -> *mut c_void {
    // SAFETY: the block is that of a file; the block begins with the pointer (liolib.c, LuaJIT's lj_obj.h).
    unsafe { *block.cast::<*mut c_void>() }
}
