//! The functions for tables: `pairs`, `ipairs`, `unpack`, `table.insert`, `remove` and `concat`.
//!
//! They read and write tables without metamethods, as LuaJIT's do, and accept only tables.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::adapt::check_table;
use super::concat::append_text;
use super::numbers::{self, int_or, to_int32};
use super::values::is_cdata_at;
use crate::lua::object::metatype;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{Results, lua_State};

/// `pairs(t)`; upvalue 1 is `next`.
pub(super) fn pairs(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    iterator(cx, b"__pairs", |cx| cx.push_nil())
}

/// `ipairs(t)`; upvalue 1 is [`next_item`].
pub(super) fn ipairs(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    iterator(cx, b"__ipairs", |cx| cx.push_integer(0))
}

/// The three values of a loop over a table; a cdata answers by the metamethod of its metatype.
fn iterator(cx: &Cx<'_>, event: &[u8], push_start: fn(&Cx<'_>)) -> Result<Outcome, LuaError> {
    if is_cdata_at(cx, 1) {
        cx.set_top(1);
        if cdata::at(cx, 1).is_some() && metatype::push_metamethod(cx, 1, event) {
            cx.insert(1);
            return Ok(Outcome::tail_call(1));
        }
        let event = String::from_utf8_lossy(event);
        return Err(LuaError::new(format!("'{}' has no '{event}' metamethod", type_at(cx, 1))));
    }
    check_table(cx, 1)?;
    cx.push_value(Cx::upvalue(1));
    cx.push_value(1);
    push_start(cx);
    Ok(Outcome::results(3))
}

/// The C type of a cdata, of a pointer what it points to, as LuaJIT's messages about metamethods have it.
fn type_at(cx: &Cx<'_>, index: c_int) -> String {
    match (cdata::at(cx, index), crate::lua::call::record_at(cx, index)) {
        (Some(cd), _) => match cx.state.kind(cd.ty) {
            Kind::Pointer(to) => cx.state.repr(to),
            _ => to_c::describe(cx, index),
        },
        (_, Some(record)) => cx.state.repr(record.ty),
        _ => "ctype".to_owned(),
    }
}

/// The iterator of [`ipairs`].
///
/// # Safety
/// - *C function* (see `vm`).
pub(super) unsafe extern "C-unwind" fn next_item(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*.
    unsafe {
        sys::luaL_checktype(lua, 1, sys::LUA_TTABLE);
        let item = sys::luaL_checkinteger(lua, 2).wrapping_add(1);
        sys::lua_pushinteger(lua, item);
        let key = item as _;
        sys::lua_rawgeti(lua, 1, key);
        if sys::lua_type(lua, -1) == sys::LUA_TNIL { Results::ONE } else { Results::new(2) }
    }
}

/// `unpack(t [, first [, last]])`
pub(super) fn unpack(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_table(cx, 1)?;
    let first = int_or(cx, 2, 1)?;
    let last = match cx.is_absent(3) {
        true => cx.raw_len(1) as i64,
        false => to_int32(numbers::argument(cx, 3)?).into(),
    };
    let count = (last - i64::from(first) + 1).max(0);
    let room = c_int::try_from(count).ok().filter(|count| *count < 1_000_000);
    // SAFETY: *Context*.
    let room = room.filter(|count| unsafe { sys::lua_checkstack(cx.lua, *count + 4) } != 0);
    let Some(count) = room else { return Err(LuaError::new("too many results to unpack")) };
    for i in 0..i64::from(count) {
        cx.raw_get_integer(1, i64::from(first) + i);
    }
    Ok(Outcome::results(count))
}

/// `table.insert(t, [place,] value)`
pub(super) fn insert(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_table(cx, 1)?;
    let end = cx.raw_len(1) as i64 + 1;
    let place = match cx.top() {
        2 => end,
        3 => {
            let place: i64 = to_int32(numbers::argument(cx, 2)?).into();
            for i in (place..end).rev() {
                cx.raw_get_integer(1, i);
                cx.raw_set_integer(1, i + 1);
            }
            place
        }
        _ => return Err(LuaError::new("wrong number of arguments to 'insert'")),
    };
    cx.push_value(cx.top());
    cx.raw_set_integer(1, place);
    Ok(Outcome::results(0))
}

/// `table.remove(t [, place])`
pub(super) fn remove(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_table(cx, 1)?;
    let last = cx.raw_len(1) as i64;
    let place = match cx.is_absent(2) {
        true => last,
        false => to_int32(numbers::argument(cx, 2)?).into(),
    };
    if place < 1 || place > last {
        return Ok(Outcome::results(0));
    }
    cx.set_top(2);
    cx.raw_get_integer(1, place);
    for i in place..last {
        cx.raw_get_integer(1, i + 1);
        cx.raw_set_integer(1, i);
    }
    cx.push_nil();
    cx.raw_set_integer(1, last);
    Ok(Outcome::results(1))
}

/// `table.concat(t [, separator [, first [, last]]])`
pub(super) fn concat(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    check_table(cx, 1)?;
    let mut separator = Vec::new();
    if !cx.is_absent(2) && !append_text(cx, 2, &mut separator) {
        return Err(super::adapt::string_expected(cx, 2));
    }
    let first = int_or(cx, 3, 1)?;
    let last = match cx.is_absent(4) {
        true => cx.raw_len(1) as i64,
        false => to_int32(numbers::argument(cx, 4)?).into(),
    };
    let mut text = Vec::new();
    for i in i64::from(first)..=last {
        if i > first.into() {
            text.extend_from_slice(&separator);
        }
        cx.raw_get_integer(1, i);
        if !append_text(cx, -1, &mut text) {
            let got = if is_cdata_at(cx, -1) { "cdata" } else { cx.type_name(-1) };
            let message = format!("invalid value ({got}) at index {i} in table for 'concat'");
            return Err(LuaError::new(message));
        }
        cx.pop(1);
    }
    cx.push_bytes(&text);
    Ok(Outcome::results(1))
}
