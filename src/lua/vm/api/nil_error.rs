//! Errors that are nil: `error()`. Lua 5.5 raises the text `<no error object>` in their place, unless a value that stands for nil is raised
//! and becomes nil again where it is caught.

use std::ffi::c_void;

use mlua::ffi as sys;

use super::lua_State;

/// Whether an error that is nil arrives as a text.
pub(crate) const NIL_ERROR_IS_TEXT: bool = cfg!(feature = "lua55");

/// The address of this stands for nil, as a light userdata.
static NIL: u8 = 0;

fn stand_in() -> *mut c_void {
    (&raw const NIL).cast_mut().cast()
}

/// Pushes what stands for an error that is nil.
///
/// # Safety
/// - *Room*.
pub(crate) unsafe fn push_nil_error(lua: *mut lua_State) {
    // SAFETY: *Room*, kept by the caller.
    unsafe { sys::lua_pushlightuserdata(lua, stand_in()) };
}

/// Makes the error on top of the stack nil if it stands for nil.
///
/// # Safety
/// - *Live*.
/// - A value is on top of the stack.
pub(crate) unsafe fn restore_nil_error(lua: *mut lua_State) {
    // SAFETY: *Live*, with a value on top, kept by the caller.
    unsafe {
        if NIL_ERROR_IS_TEXT && sys::lua_touserdata(lua, -1) == stand_in() {
            sys::lua_settop(lua, -2);
            sys::lua_pushnil(lua);
        }
    }
}
