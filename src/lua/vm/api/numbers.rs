//! Lua numbers: with integers of their own (5.3 and later), or doubles only.

use std::ffi::c_int;
use std::ptr;

use mlua::ffi as sys;

use super::{Number, lua_State};

pub(crate) use version::*;

/// Whether `string.format` has `%a`.
pub(crate) const HEXADECIMAL_FLOATS: bool = cfg!(not(feature = "lua51"));

/// `lua_pushinteger`, for compiled code.
pub(crate) const PUSH_INTEGER: unsafe extern "C-unwind" fn(*mut lua_State, i64) = {
    #[cfg(not(feature = "luau"))]
    {
        sys::lua_pushinteger
    }
    #[cfg(feature = "luau")]
    {
        /// # Safety
        /// - *Room*: only generated code calls it, with the thread that runs it.
        unsafe extern "C-unwind" fn push(lua: *mut lua_State, value: i64) {
            // SAFETY: compiled code passes its own state.
            unsafe { sys::lua_pushnumber(lua, value as f64) }
        }
        push
    }
};

#[cfg(feature = "_integers")]
mod version {
    use super::*;

    /// Whether a 64-bit signed integer is a Lua number of its own, so that `int64_t` results need no box.
    pub(crate) const NATIVE_INT64: bool = true;

    /// Whether Lua has `//`, `&`, `|`, `~`, `<<` and `>>`.
    pub(crate) const INTEGER_OPERATORS: bool = true;

    /// The number at `index`, whose Lua type is number.
    ///
    /// # Safety
    /// - *Live*.
    /// - `index` is acceptable.
    pub(crate) unsafe fn to_number(lua: *mut lua_State, index: c_int) -> Number {
        // SAFETY: *Live*, and `index` is acceptable, as the caller promises.
        unsafe {
            match integer(lua, index) {
                Some(value) => Number::Integer(value),
                None => Number::Float(sys::lua_tonumberx(lua, index, ptr::null_mut())),
            }
        }
    }

    /// The value at `index`, if it is an integer: no float, no string.
    ///
    /// # Safety
    /// - *Live*.
    /// - `index` is acceptable.
    pub(crate) unsafe fn integer(lua: *mut lua_State, index: c_int) -> Option<i64> {
        // SAFETY: *Live*, and `index` is acceptable, as the caller promises.
        unsafe {
            (sys::lua_isinteger(lua, index) != 0)
                .then(|| sys::lua_tointegerx(lua, index, ptr::null_mut()))
        }
    }

    /// Pushes the number that the string at `index` spells; pushes nothing and returns false where it spells none.
    ///
    /// # Safety
    /// - *Room*.
    /// - A string is at `index`.
    pub(crate) unsafe fn parse_number(lua: *mut lua_State, index: c_int) -> bool {
        // SAFETY: *Room*, and a string is at `index`, as the caller promises; Lua strings end in a zero byte.
        unsafe {
            let mut len = 0;
            let text = sys::lua_tolstring(lua, index, &mut len);
            match sys::lua_stringtonumber(lua, text) {
                0 => false,
                read if read == len + 1 => true,
                _ => {
                    sys::lua_pop(lua, 1);
                    false
                }
            }
        }
    }
}

#[cfg(feature = "_doubles")]
mod version {
    use std::ffi::CStr;

    use super::*;

    pub(crate) const NATIVE_INT64: bool = false;
    pub(crate) const INTEGER_OPERATORS: bool = false;

    /// The number at `index`, whose Lua type is number.
    ///
    /// # Safety
    /// - *Live*.
    /// - `index` is acceptable.
    pub(crate) unsafe fn to_number(lua: *mut lua_State, index: c_int) -> Number {
        // SAFETY: *Live*, and `index` is acceptable, as the caller promises.
        Number::Float(unsafe { sys::lua_tonumber(lua, index) })
    }

    /// The value at `index`, if it is a number with an integer value that fits: no string.
    ///
    /// # Safety
    /// - *Live*.
    /// - `index` is acceptable.
    pub(crate) unsafe fn integer(lua: *mut lua_State, index: c_int) -> Option<i64> {
        // SAFETY: *Live*, and `index` is acceptable, as the caller promises.
        let value = unsafe {
            match sys::lua_type(lua, index) {
                sys::LUA_TNUMBER => sys::lua_tonumber(lua, index),
                _ => return None,
            }
        };
        let integer = value as i64;
        (integer as f64 == value && integer != i64::MAX).then_some(integer)
    }

    /// Pushes the number that the string at `index` spells; pushes nothing and returns false where it spells none.
    ///
    /// # Safety
    /// - *Room*.
    /// - A string is at `index`.
    pub(crate) unsafe fn parse_number(lua: *mut lua_State, index: c_int) -> bool {
        // SAFETY: *Room*, and a string is at `index`, as the caller promises. These versions stop at a NUL byte, which no number has.
        unsafe {
            let mut len = 0;
            let text = sys::lua_tolstring(lua, index, &mut len);
            if CStr::from_ptr(text).to_bytes().len() != len {
                return false;
            }
            let mut is_number = 0;
            let value = sys::lua_tonumberx(lua, index, ptr::from_mut(&mut is_number));
            if is_number != 0 {
                sys::lua_pushnumber(lua, value);
            }
            is_number != 0
        }
    }
}
