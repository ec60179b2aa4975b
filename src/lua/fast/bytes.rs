//! `ffi.string`, `ffi.copy` and `ffi.fill` without Lua's C API, for arguments whose types the general code of
//! [`crate::lua::object::bytes`] has handled before.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use mlua::ffi as sys;

use crate::ctype::QualType;
use crate::lua::object::bytes::{self, Role};
use crate::lua::sandbox::budget;
use crate::lua::state::head;
use crate::lua::state::head::Head;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::recall::Accepted;
use crate::lua::state::{Cx, LuaError, Outcome, State, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::vm::api::{Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{self, Slot};

/// The functions that have a body here.
pub(in crate::lua) const FUNCTIONS: [(&[u8], lua_CFunction); 3] =
    [(b"copy", copy), (b"fill", fill), (b"string", string)];

/// A general function, and what is remembered of its arguments. `role`: of each.
fn learning(
    cx: &Cx<'_>,
    general: fn(&Cx<'_>) -> Result<Outcome, LuaError>,
    role: impl Fn(c_int) -> Role,
) -> Result<Outcome, LuaError> {
    let outcome = general(cx)?;
    for fact in cx.learnt() {
        if let Learnt::Address(n, address) = fact {
            learn(cx, n, role(n), address);
        }
    }
    Ok(outcome)
}

/// `ffi.string`, by the general code.
fn general_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let role = if cx.is_absent(2) { Role::Text } else { Role::Source };
    learning(cx, bytes::string, |_| role)
}

/// `ffi.copy`, by the general code.
fn general_copy(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    learning(cx, bytes::copy, |n| if n == 1 { Role::Target } else { Role::Source })
}

/// `ffi.fill`, by the general code.
fn general_fill(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    learning(cx, bytes::fill, |_| Role::Target)
}

/// Remembers that the cdata at stack index `n` converted to `pointer` for a role.
fn learn(cx: &Cx<'_>, n: c_int, role: Role, pointer: *const u8) {
    let Some(cd) = cdata::at(cx, n) else { return };
    let roles = &cx.state.head().roles;
    let accepted = match cx.state.kind(cd.ty) {
        Kind::Pointer(_) => roles.get(role),
        Kind::Array(..) if role == Role::Text => &roles.arrays,
        Kind::Array(..) | Kind::Record(_) if role != Role::Text => roles.get(role),
        _ => return,
    };
    if cd.address.cast_const() == pointer && cx.get_metatable(n) {
        accepted.add(cx.identity(-1));
        cx.pop(1);
    }
}

/// The header of an argument that is a cdata of an accepted metatable.
#[inline(always)]
fn header(accepted: &Accepted, slot: Slot) -> Option<*const Header> {
    let userdata = slot.userdata()?;
    let accepted = accepted.0.each_ref().map(Cell::get);
    accepted.contains(&userdata.metatable()).then(|| userdata.block::<Header>().cast_const())
}

/// The address that an argument is, of cdata that are known to convert to it, if it is not null.
#[inline(always)]
fn address(head: &Head, slot: Slot, role: Role) -> Option<*mut u8> {
    // SAFETY: a cdata that the stack keeps.
    let address = unsafe { (*header(head.roles.get(role), slot)?).address };
    (!address.is_null()).then_some(address)
}

/// Pushes the text in an array; false where its size is not known here, or is large.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - The memory of the array is there.
unsafe fn push_array(lua: *mut lua_State, head: &Head, state: &State, array: &Header) -> bool {
    let size = match array.flags & Flags::VARIABLE {
        0 => state.size(QualType::from_bits(array.ty)).filter(|size| *size < budget::LARGE),
        _ => None,
    };
    let (Some(size), text) = (size, array.address) else { return false };
    // SAFETY: *Fast function*, and the memory of the array is there, kept by the caller; what ends within the array is a string.
    unsafe {
        match libc::strnlen(text.cast(), size) {
            len if len == size => {
                sys::lua_pushlstring(lua, text.cast(), len);
            }
            _ if head.strings.push(lua, text) => {}
            _ => return push_string(lua, head, state, text),
        }
    }
    true
}

/// Pushes the string at `text`, and remembers it; false where it is large.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - A string is at `text`.
unsafe fn push_string(lua: *mut lua_State, head: &Head, state: &State, text: *const u8) -> bool {
    // SAFETY: *Fast function*, and a string is at `text`, as the caller promises.
    unsafe {
        let len = libc::strlen(text.cast());
        if len >= budget::LARGE {
            return false;
        }
        sys::lua_pushlstring(lua, text.cast::<c_char>(), len);
        head.strings.note(lua, state, memory::top(lua), text);
    }
    true
}

fn length(slot: Slot) -> Option<usize> {
    usize::try_from(slot.integer()?).ok().filter(|n| isize::try_from(*n).is_ok())
}

/// `ffi.string` of a string that is remembered.
///
/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn string(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this as a closure of `Cx::push_function`; memory behind pointers is the script's word. A state that is
    // closed accepts nothing.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(1)
            && let Some(pointer) = header(head.roles.get(Role::Text), call.argument(1))
            && head.strings.push(lua, (*pointer).address)
        {
            return Results::ONE;
        }
        string_any(lua)
    }
}

/// `ffi.string` of other strings, and of bytes.
///
/// # Safety
/// - *Fast function* (see `fast`).
#[inline(never)]
unsafe extern "C-unwind" fn string_any(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = entry(general_string);
    // SAFETY: *Fast function*; memory behind pointers is the script's word.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(1)
            && let Some(state) = head.state()
        {
            if let Some(text) = address(head, call.argument(1), Role::Text)
                && push_string(lua, head, state, text)
            {
                return Results::ONE;
            }
            if let Some(array) = header(&head.roles.arrays, call.argument(1))
                && push_array(lua, head, state, &*array)
            {
                return Results::ONE;
            }
        } else if call.has(2)
            && let Some(len) = length(call.argument(2)).filter(|len| *len < budget::LARGE)
            && let Some(bytes) = address(head, call.argument(1), Role::Source)
        {
            sys::lua_pushlstring(lua, bytes.cast::<c_char>(), len);
            return Results::ONE;
        }
        SLOW(lua)
    }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn copy(lua: *mut lua_State) -> Results {
    // SAFETY: *Fast function*; memory behind pointers is the script's word.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(3)
            && let Some(len) = length(call.argument(3))
            && let Some(target) = address(head, call.argument(1), Role::Target)
            && let Some(source) = address(head, call.argument(2), Role::Source)
                .or_else(|| call.argument(2).text().map(<*const u8>::cast_mut))
        {
            ptr::copy(source, target, len);
            return Results::NONE;
        }
        copy_any(lua)
    }
}

/// `ffi.copy` of a Lua string with its zero byte.
///
/// # Safety
/// - *Fast function* (see `fast`).
#[inline(never)]
unsafe extern "C-unwind" fn copy_any(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = entry(general_copy);
    // SAFETY: *Fast function*; memory behind pointers is the script's word.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(2)
            && let Some(text) = call.argument(2).text()
            && let Some(target) = address(head, call.argument(1), Role::Target)
        {
            ptr::copy(text, target, sys::lua_rawlen(lua, 2) + 1);
            return Results::NONE;
        }
        SLOW(lua)
    }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn fill(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = entry(general_fill);
    // SAFETY: *Fast function*; memory behind pointers is the script's word.
    unsafe {
        let (call, head) = head::running(lua);
        let value = match (call.has(2), call.has(3)) {
            (true, _) => Some(0),
            (_, true) => call.argument(3).integer(),
            _ => None,
        };
        if let Some(value) = value
            && let Some(len) = length(call.argument(2))
            && let Some(target) = address(head, call.argument(1), Role::Target)
        {
            target.cast::<c_void>().write_bytes(value as u8, len);
            return Results::NONE;
        }
        SLOW(lua)
    }
}
