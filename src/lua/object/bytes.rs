//! C memory as bytes: `ffi.string`, `ffi.copy`, `ffi.fill`.

use std::ffi::{CStr, c_int};
use std::ptr;

use crate::ctype::TypeId;
use crate::lua::sandbox::budget;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::watch;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self, Access};
use crate::lua::value::to_c::{self};
use crate::lua::value::wide;
use crate::lua::vm::api::LuaType;

use super::argument;

pub(in crate::lua) use crate::lua::state::recall::Role;

/// Argument `n` as a pointer; NULL only where `bytes`, the length of the access, is 0.
fn pointer(cx: &Cx<'_>, n: c_int, role: Role, bytes: usize) -> Result<*mut u8, LuaError> {
    argument::expect_value(cx, n)?;
    // It is read here, so a string need not be where 32-bit code can read it.
    let text = cx.bytes(n).filter(|_| role != Role::Target && cx.state.machine.is_guest());
    if let Some(text) = text {
        return Ok(text.as_ptr().cast_mut());
    }
    let ty = match role {
        Role::Target => TypeId::VOID_POINTER,
        Role::Source => cx.state.known.const_void_ptr,
        Role::Text => cx.state.known.const_char_ptr,
    };
    let mut value: *mut u8 = ptr::null_mut();
    // SAFETY: the variable is a pointer.
    unsafe { to_c::to_c(cx, n, ty.into(), (&raw mut value).cast()) }
        .map_err(|e| e.at_argument(n))?;
    if value.is_null() && bytes > 0 {
        return Err(LuaError::Argument(n, "NULL pointer".into()));
    }
    cx.found(Learnt::Address(n, value));
    Ok(value)
}

/// `ffi.string(pointer [, len])`
pub(in crate::lua) fn string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.is_absent(2) {
        if let Some(cd) = cdata::at(cx, 1)
            && let Some(text) = wide::string(cx, &cd)?
        {
            budget::ask("string", text.len(), text.len())?;
            cx.push_bytes(text.as_bytes());
            return Ok(Outcome::results(1));
        }
        let text = pointer(cx, 1, Role::Text, 1)?;
        let limit = cdata::at(cx, 1).and_then(|cd| match cx.state.kind(cd.ty) {
            Kind::Array(..) => cd.variable_size().or_else(|| cx.state.size(cd.ty)),
            _ => None,
        });
        let limit = match cx.state.checked() {
            true => Some(string_limit(cx, text, limit)?),
            false => limit,
        };
        // SAFETY: a string in memory is the script's word; an array of known size ends it in any case.
        let bytes = unsafe {
            match limit {
                Some(size) => std::slice::from_raw_parts(text, libc::strnlen(text.cast(), size)),
                None => CStr::from_ptr(text.cast()).to_bytes(),
            }
        };
        budget::ask("string", bytes.len(), bytes.len())?;
        cx.state.watch.charge_bytes(bytes.len())?;
        cx.push_bytes(bytes);
    } else {
        let len = argument::length(cx, 2)?;
        let text = pointer(cx, 1, Role::Source, len)?;
        permit(cx, 1, Role::Source, text, len)?;
        budget::ask("string", len, len)?;
        cx.state.watch.charge_bytes(len)?;
        // SAFETY: `len` bytes of memory are the script's word; an empty string needs none.
        unsafe {
            cx.push_bytes(if len == 0 { &[] } else { std::slice::from_raw_parts(text, len) });
        }
    }
    Ok(Outcome::results(1))
}

/// # Errors
/// In a checked state: argument `n`, converted to `address`, does not reach `len` bytes.
fn permit(
    cx: &Cx<'_>,
    n: c_int,
    role: Role,
    address: *const u8,
    len: usize,
) -> Result<(), LuaError> {
    let access = if role == Role::Target { Access::Write } else { Access::Read };
    let ty = cdata::at(cx, n).map_or(cx.state.known.const_void_ptr.into(), |cd| cd.ty);
    extent::permit_argument(cx, n, ty, address, len, access)
}

/// Where a string ends at the latest, in a checked state: where its memory ends, or the array that it is in.
///
/// # Errors
/// It has no end there, and is in no array.
fn string_limit(cx: &Cx<'_>, text: *const u8, array: Option<usize>) -> Result<usize, LuaError> {
    let ty = cx.state.known.const_char_ptr.into();
    let room = extent::of_argument(cx, 1, text as usize)
        .room(cx, ty, text as usize, Access::Read)
        .map_err(|error| error.at_argument(1))?;
    if let Some(size) = array {
        return Ok(size.min(room));
    }
    cx.state.watch.charge_bytes(room)?;
    // SAFETY: so many bytes are known to be there.
    let memory = unsafe { std::slice::from_raw_parts(text, room) };
    let end = memory.iter().position(|byte| *byte == 0);
    end.ok_or_else(|| LuaError::Argument(1, format!("a string without an end within {room} bytes")))
}

/// `ffi.copy(dst, src, len)`, `ffi.copy(dst, string)`
pub(in crate::lua) fn copy(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    argument::expect_value(cx, 1)?;
    argument::expect_value(cx, 2)?;
    let len = match (cx.bytes(2), cx.type_of(3)) {
        (Some(text), LuaType::None) => text.len() + 1,
        _ => argument::length(cx, 3)?,
    };
    let dst = pointer(cx, 1, Role::Target, len)?;
    let src = pointer(cx, 2, Role::Source, len)?.cast_const();
    permit(cx, 1, Role::Target, dst, len)?;
    permit(cx, 2, Role::Source, src, len)?;
    // The copy must not overwrite bytes that it has still to read.
    let backward = (dst as usize).wrapping_sub(src as usize) < len;
    watch::in_pieces(cx, len, backward, |offset, bytes| {
        // SAFETY: memory behind the pointers is the script's word; a Lua string ends in a zero byte that counts.
        unsafe { ptr::copy(src.add(offset), dst.add(offset), bytes) };
    })?;
    Ok(Outcome::results(0))
}

/// `ffi.fill(dst, len [, c])`
pub(in crate::lua) fn fill(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    argument::expect_value(cx, 1)?;
    let len = argument::length(cx, 2)?;
    let value = if cx.is_absent(3) { 0 } else { argument::integer(cx, 3)? as u8 };
    let dst = pointer(cx, 1, Role::Target, len)?;
    permit(cx, 1, Role::Target, dst, len)?;
    watch::in_pieces(cx, len, false, |offset, bytes| {
        // SAFETY: memory behind the pointer is the script's word.
        unsafe { ptr::write_bytes(dst.add(offset), value, bytes) };
    })?;
    Ok(Outcome::results(0))
}
