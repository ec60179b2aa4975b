//! `error` with LuaJIT's levels.
//!
//! `error(message, level)` puts the place of a calling function before the message; the level counts frames. LuaJIT has no frame for a function
//! that calls another one as `return f(…)`, and none for an operator or a library function that calls a metamethod. The running Lua has these
//! frames, so the functions here do not count them. Of tail calls they know `return error(…)` only, which [`rewrite`](super::rewrite) marks.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::adapt;
use crate::lua::state::{Cx, LuaError, Outcome, guard_in};
use crate::lua::vm::api::{LuaType, Number, Results, lua_State};

/// The upvalue of an adapted `error` that is its variant for tail calls, after the state and the original.
const IN_TAIL: c_int = 2;

/// How the arguments of `error` are corrected.
const ARGUMENTS: &[u8] = b"ei.";

/// `adapt_error(error)`
pub(super) fn adapt_error(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    // SAFETY: index 1 is acceptable.
    let is_c = unsafe { sys::lua_tocfunction(cx.lua, 1) }.is_some();
    if !is_c || cx.has_state_of_its_own(1) {
        cx.push_bytes(ARGUMENTS);
        return adapt::adapt(cx);
    }
    cx.push_value(1);
    cx.push_function(raise::<2>, 1);
    cx.push_function(raise::<1>, 2);
    Ok(Outcome::results(1))
}

/// `in_tail(f)`: what `return f(…)` calls. Of an adapted `error` its variant, of any other value itself.
pub(super) fn in_tail(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    // SAFETY: index 1 is acceptable.
    let function = unsafe { sys::lua_tocfunction(cx.lua, 1) };
    if function.is_some_and(|function| function as usize == raise::<1> as *const () as usize) {
        // SAFETY: the function is a closure of `adapt_error`; its first upvalue is the state.
        unsafe { sys::lua_getupvalue(cx.lua, 1, 1 + IN_TAIL) };
    }
    Ok(Outcome::results(1))
}

/// `error(message, level)`, whose level 1 is the running Lua's level `FIRST`.
///
/// # Safety
/// - *Adapted* (see `luajit`).
unsafe extern "C-unwind" fn raise<const FIRST: c_int>(lua: *mut lua_State) -> Results {
    // SAFETY: *Adapted*; see `adapt::original`.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        guard_in(lua, head.cast(), |cx| {
            cx.set_top(2);
            adapt::correct_by(cx, ARGUMENTS)?;
            if cx.type_of(2) == LuaType::String {
                adapt::truncate(cx, 2);
            }
            let wanted = match cx.number(2) {
                Some(Number::Integer(level)) => level,
                Some(Number::Float(level)) => level as i64,
                None => i64::from(cx.type_of(2) == LuaType::Nil),
            };
            if wanted > 0 && cx.type_of(1) == LuaType::String {
                cx.push_integer(level(cx, FIRST, wanted).into());
                cx.replace(2);
            }
            Ok(0)
        });
        adapt::original(lua)
    }
}

/// Luau has no LuaJIT mode.
#[cfg(feature = "luau")]
fn level(_cx: &Cx<'_>, first: c_int, _wanted: i64) -> c_int {
    first
}

/// The running Lua's level of LuaJIT's level `wanted`; one where nothing is called if there is none.
#[cfg(not(feature = "luau"))]
fn level(cx: &Cx<'_>, first: c_int, wanted: i64) -> c_int {
    let (mut level, mut left) = (first, wanted);
    // SAFETY: the state is live; Lua fills the description in.
    unsafe {
        let mut frame: sys::lua_Debug = std::mem::zeroed();
        while sys::lua_getstack(cx.lua, level, &raw mut frame) != 0 {
            left -= i64::from(!is_handing_on(cx, &mut frame));
            if left == 0 {
                break;
            }
            level += 1;
        }
    }
    level
}

/// Whether LuaJIT has no such frame.
#[cfg(not(feature = "luau"))]
fn is_handing_on(cx: &Cx<'_>, frame: &mut sys::lua_Debug) -> bool {
    // SAFETY: the frame is one of the state's; `f` pushes its function, the texts are C strings that Lua keeps.
    unsafe {
        sys::lua_getinfo(cx.lua, c"nSf".as_ptr(), frame);
        let function = sys::lua_tocfunction(cx.lua, -1);
        cx.pop(1);
        let is = |text, wanted: &std::ffi::CStr| std::ffi::CStr::from_ptr(text) == wanted;
        // Lua 5.1's place of a tail call has no function.
        is(frame.what, c"tail")
            || function.is_some_and(|function| {
                is(frame.namewhat, c"metamethod") || hands_on(function as usize)
            })
    }
}

/// Whether the function at an address is one of this library that stands for an operator, or hands on to a metamethod.
#[cfg(not(feature = "luau"))]
fn hands_on(address: usize) -> bool {
    use super::{compare, concat, tables, values};
    use crate::lua::fast::new;
    use crate::lua::object::{ctypes, metatype};
    use crate::lua::state::entry;
    let own = [
        entry(adapt::replaced),
        compare::equal,
        compare::not_equal,
        concat::concat,
        compare::modulo,
        entry(values::to_string),
        entry(tables::pairs),
        entry(ctypes::construct),
        new::CONSTRUCT,
    ];
    let own = own.into_iter().chain(compare::ORDER).chain(metatype::general());
    own.map(|function| function as usize).any(|own| own == address)
}
