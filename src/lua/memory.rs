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
use super::stack::{self, Call, Slot};
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

    /// Accepts nothing any more.
    pub(super) fn forget(&self) {
        self.0.iter().for_each(Accepted::clear);
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
        cx.state.head().roles.get(role).add(cx.identity(-1));
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

/// The running call and its state's head.
///
/// # Safety
/// As for [`enter`]; the state may be closed.
unsafe fn running<'h>(lua: *mut lua_State) -> (Call, &'h Head) {
    // SAFETY: the caller's promise: upvalue 1 is the head.
    unsafe {
        let call = Call::of(lua);
        (call, &*call.upvalue::<Head>(1, 0))
    }
}

/// The address that an argument is, of cdata that are known to convert to it.
#[inline(always)]
fn converted(head: &Head, slot: Slot, role: Role) -> Option<*mut u8> {
    let userdata = slot.userdata()?;
    let accepted = head.roles.get(role).0.each_ref().map(Cell::get);
    // SAFETY: the metatable says that the userdata is a cdata.
    accepted
        .contains(&userdata.metatable())
        .then(|| unsafe { (*userdata.block::<Header>()).address })
}

/// The same, if it is not null.
#[inline(always)]
fn address(head: &Head, slot: Slot, role: Role) -> Option<*mut u8> {
    converted(head, slot, role).filter(|address| !address.is_null())
}

fn length(slot: Slot) -> Option<usize> {
    usize::try_from(slot.integer()?).ok().filter(|n| isize::try_from(*n).is_ok())
}

/// `ffi.string` of a string that is remembered.
unsafe extern "C-unwind" fn string(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this as a closure of `Cx::push_function`; memory behind pointers is the script's word. A state that is
    // closed accepts nothing.
    unsafe {
        let (call, head) = running(lua);
        if call.has(1)
            && let Some(text) = converted(head, call.argument(1), Role::Text)
            && head.strings.push(lua, text)
        {
            return 1;
        }
        string_any(lua)
    }
}

/// `ffi.string` of other strings, and of bytes.
#[inline(never)]
unsafe extern "C-unwind" fn string_any(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::string);
    // SAFETY: as in `string`.
    unsafe {
        let (call, head) = running(lua);
        match call.count() {
            1 => {
                if let Some(text) = address(head, call.argument(1), Role::Text)
                    && let Some(state) = head.state()
                {
                    sys::lua_pushstring(lua, text.cast::<c_char>());
                    head.strings.note(&Cx { lua, state }, stack::top(lua), text);
                    return 1;
                }
            }
            2 => {
                if let Some(len) = length(call.argument(2))
                    && let Some(bytes) = address(head, call.argument(1), Role::Source)
                {
                    sys::lua_pushlstring(lua, bytes.cast::<c_char>(), len);
                    return 1;
                }
            }
            _ => {}
        }
        SLOW(lua)
    }
}

unsafe extern "C-unwind" fn copy(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::copy);
    // SAFETY: as in `string`.
    unsafe {
        let (call, head) = running(lua);
        if call.has(3)
            && let Some(len) = length(call.argument(3))
            && let Some(target) = address(head, call.argument(1), Role::Target)
            && let Some(source) = address(head, call.argument(2), Role::Source)
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
        let (call, head) = running(lua);
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
            return 0;
        }
        SLOW(lua)
    }
}
