//! `ffi.string`, `ffi.copy` and `ffi.fill` in place, for arguments of types that went through the general code of
//! [`super::functions`] before.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use mlua::ffi as sys;

use super::api::{lua_CFunction, lua_State};
use super::call::Accepted;
use super::cdata::{self, Header};
use super::functions;
use super::kind::Kind;
use super::stack::{Call, Slot};
use super::state::{Cx, Head, State, entry};

/// The functions that have a body here.
pub(super) const FUNCTIONS: [(&[u8], lua_CFunction); 3] =
    [(b"copy", copy), (b"fill", fill), (b"string", string)];

/// What a pointer argument is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Memory that is written to: `void *`.
    Target,
    /// Memory that is read: `const void *`.
    Source,
    /// A string of no known length: `const char *`.
    Text,
}

/// The metatables of cdata that convert to the pointers of each role.
#[derive(Default)]
pub(super) struct Roles([Accepted; 3]);

impl Roles {
    fn get(&self, role: Role) -> &Accepted {
        &self.0[role as usize]
    }
}

/// Remembers that the cdata at stack index `n` converted to `pointer` for a role.
pub(super) fn learn(cx: &Cx<'_>, n: c_int, role: Role, pointer: *const u8) {
    let Some(cd) = cdata::at(cx, n).filter(|_| cx.state.in_place) else { return };
    let by_header = match cx.state.kind(cd.ty) {
        Kind::Pointer(_) => true,
        // The size of an array ends a string.
        Kind::Array(..) | Kind::Record(_) => role != Role::Text,
        _ => false,
    };
    if by_header && cd.address.cast_const() == pointer && cx.get_metatable(n) {
        cx.state.roles.get(role).add(cx.identity(-1));
        cx.pop(1);
    }
}

/// The running call and its state, if that is open.
///
/// # Safety
/// `lua` runs a closure that `Cx::push_function` made, of a state in place, which stays open for as long as the call runs.
pub(super) unsafe fn enter<'s>(lua: *mut lua_State) -> Option<(Call, &'s State)> {
    // SAFETY: the caller's promise: upvalue 1 is the head.
    unsafe {
        let call = Call::of(lua);
        let head: *const Head = call.upvalue(1, 0);
        Some((call, (*head).state()?))
    }
}

/// The address that an argument is, if it is not null.
fn address(state: &State, slot: Slot, role: Role) -> Option<*mut u8> {
    let userdata = slot.userdata()?;
    let accepted = state.roles.get(role).0.each_ref().map(Cell::get);
    // SAFETY: the metatable says that the userdata is a cdata.
    let address = accepted
        .contains(&userdata.metatable())
        .then(|| unsafe { (*userdata.block::<Header>()).address })?;
    (!address.is_null()).then_some(address)
}

fn length(slot: Slot) -> Option<usize> {
    usize::try_from(slot.integer()?).ok().filter(|n| isize::try_from(*n).is_ok())
}

unsafe extern "C-unwind" fn string(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::string);
    // SAFETY: Lua calls this as a closure of `Cx::push_function`; memory behind pointers is the script's word.
    unsafe {
        if let Some((call, state)) = enter(lua) {
            match call.count() {
                1 => {
                    if let Some(text) = address(state, call.argument(1), Role::Text) {
                        sys::lua_pushstring(lua, text.cast::<c_char>());
                        return 1;
                    }
                }
                2 => {
                    if let Some(len) = length(call.argument(2))
                        && let Some(bytes) = address(state, call.argument(1), Role::Source)
                    {
                        sys::lua_pushlstring(lua, bytes.cast::<c_char>(), len);
                        return 1;
                    }
                }
                _ => {}
            }
        }
        SLOW(lua)
    }
}

unsafe extern "C-unwind" fn copy(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::copy);
    // SAFETY: as in `string`.
    unsafe {
        if let Some((call, state)) = enter(lua)
            && call.count() == 3
            && let Some(len) = length(call.argument(3))
            && let Some(target) = address(state, call.argument(1), Role::Target)
            && let Some(source) = address(state, call.argument(2), Role::Source)
                .or_else(|| call.argument(2).text().map(<*const u8>::cast_mut))
        {
            ptr::copy(source, target, len);
            return 0;
        }
        SLOW(lua)
    }
}

unsafe extern "C-unwind" fn fill(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::fill);
    // SAFETY: as in `string`.
    unsafe {
        if let Some((call, state)) = enter(lua)
            && matches!(call.count(), 2 | 3)
            && let Some(len) = length(call.argument(2))
            && let Some(target) = address(state, call.argument(1), Role::Target)
        {
            let value = if call.count() == 2 { Some(0) } else { call.argument(3).integer() };
            if let Some(value) = value {
                target.cast::<c_void>().write_bytes(value as u8, len);
                return 0;
            }
        }
        SLOW(lua)
    }
}
