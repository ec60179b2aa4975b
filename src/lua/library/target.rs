//! `ffi.target`: the same library for the C of another platform.
//!
//! Each `ffi` table has a [`Machine`]. The table that `require` gives has the host's. `ffi.target(triple)` makes another state with its own types:
//! `sizeof`, `offsetof` and `explain` answer for any platform. If the platform's code runs in this process (`Runs::Guest`, 32-bit x86 through
//! [`crate::code::gate`]), its memory comes from below 4 GiB and its functions can be called; otherwise a call is an error.

use std::ffi::c_int;

use super::rooms::ROOMS;
use crate::lua::state::machine::Machine;
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, State, entry};
use crate::lua::value::to_c;
use crate::lua::vm::api::{LuaType, lua_CFunction};
use crate::policy::Permissions;
use crate::target::Target;

/// The function that leads from one platform to others.
pub(in crate::lua) const FUNCTIONS: [(&[u8], lua_CFunction); 1] = [(b"target", entry(target))];

fn text<'a>(cx: &'a Cx<'_>, index: c_int) -> Result<&'a str, LuaError> {
    let bytes = match cx.type_of(index) {
        LuaType::String => cx.bytes(index),
        _ => None,
    };
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(|| {
        let got = to_c::describe(cx, index);
        LuaError::Argument(index, format!("string expected, got {got}"))
    })
}

/// `ffi.target(triple)`: the library for another platform, the same each time.
fn target(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.state.permit(Permissions::TARGETS)?;
    let target: Target = text(cx, 1)?
        .parse()
        .map_err(|error: crate::error::Error| LuaError::Argument(1, error.to_string()))?;
    cx.set_top(1);
    cx.push_anchor(Anchor::Targets);
    cx.push_value(1);
    cx.raw_get(2);
    if cx.type_of(-1) != LuaType::Nil {
        return Ok(Outcome::results(1));
    }
    cx.pop(1);
    // SAFETY: a C function has stack slots to spare.
    unsafe {
        let head = State::make(cx.lua, None, Machine::of(target), &cx.state.policy, &ROOMS);
        super::push_library_in(cx.lua, head);
    }
    cx.push_value(1);
    cx.push_value(-2);
    cx.raw_set(2);
    Ok(Outcome::results(1))
}
