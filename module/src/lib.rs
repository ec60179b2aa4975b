//! The loadable module: `require "ffi"` in a stock Lua 5.1 to 5.5, `require "cthunk"` in LuaJIT, which has an `ffi` of its own.

use cthunk::lua::Results;
use cthunk::mlua::ffi::lua_State;

/// `require "ffi"` calls this function.
///
/// # Safety
/// Lua calls it, with a live state.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_ffi(lua: *mut lua_State) -> Results {
    // SAFETY: the caller's promise.
    unsafe { cthunk::lua::open_raw(lua) }
}

/// `require "cthunk"` calls this function.
///
/// # Safety
/// Lua calls it, with a live state.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_cthunk(lua: *mut lua_State) -> Results {
    // SAFETY: the caller's promise.
    unsafe { cthunk::lua::open_raw(lua) }
}

/// `require "ffi.luajit"` calls this function.
///
/// # Safety
/// Lua calls it, with a live state.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_ffi_luajit(lua: *mut lua_State) -> Results {
    // SAFETY: the caller's promise.
    unsafe { cthunk::lua::open_luajit_raw(lua) }
}
