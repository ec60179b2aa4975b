//! New cdata without Lua's C API.

use std::ffi::{c_int, c_void};

use mlua::ffi as sys;

use super::cdata::{Flags, Header};
use crate::lua::vm::api::{self, lua_State};
use crate::lua::vm::memory::{AT, Call};

/// Pushes a cdata with `extra` bytes behind its header and so many user values, one at most.
///
/// # Safety
/// - *Layout* and *Room* (see `vm`).
/// - *Raise* (out of memory).
/// - The metatable is a table that the registry keeps.
/// - The call may move the stack: no [`Slot`](crate::lua::vm::memory::Slot) or [`Call`] from before it is used after it.
pub(in crate::lua) unsafe fn push_cdata(
    lua: *mut lua_State,
    metatable: *const c_void,
    header: Header,
    extra: usize,
    user_values: i32,
) -> *mut Header {
    // SAFETY: *Layout*, *Room* and *Raise*, kept by the caller. A new object needs no barrier for what the registry keeps anyway.
    unsafe {
        let block = api::new_userdata(lua, size_of::<Header>() + extra, user_values);
        let before = AT.block + AT.user_value * user_values - AT.metatable;
        block.byte_offset(-(before as isize)).cast::<*const c_void>().write(metatable);
        let block = block.cast::<Header>();
        block.write(header);
        block
    }
}

/// Pushes a cdata that leads into the one that is argument `n`, or to where that leads, and keeps alive what that does. The running
/// call's stack has not moved. False where the argument is no cdata.
///
/// # Safety
/// - *Layout*, and *Room* for 3 (see `vm`).
/// - *Raise* (out of memory).
/// - The metatable is a table that the registry keeps.
pub(in crate::lua) unsafe fn push_derived(
    lua: *mut lua_State,
    call: Call,
    n: c_int,
    metatable: *const c_void,
    header: Header,
) -> bool {
    let Some(parent) = call.argument(n as usize).userdata() else { return false };
    // SAFETY: *Layout*, *Room* for 3 and *Raise*, kept by the caller.
    unsafe {
        let flags = (*parent.block::<Header>()).flags;
        let leads = flags & (Flags::POINTER | Flags::REFERENCE) != 0;
        let itself = !leads || flags & Flags::FINALIZED != 0;
        let kept = itself || flags & Flags::OWNED != 0;
        let owned = if kept { Flags::OWNED } else { 0 };
        let header = Header { flags: header.flags | owned, ..header };
        push_cdata(lua, metatable, header, 0, i32::from(kept));
        if itself {
            sys::lua_pushvalue(lua, n);
        } else if kept {
            api::get_user_value(lua, n);
        }
        if kept {
            api::set_user_value(lua, -2);
        }
    }
    true
}
