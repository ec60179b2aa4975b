//! `wchar_t`, `char16_t` and `char32_t`: from Lua strings, which are UTF-8, to UTF-16 and UTF-32 in memory, and back.
//!
//! For C `wchar_t` is one of its integer types, and the same holds here. Arrays of these integer types, and pointers to constants of them, take strings,
//! as they take `u"…"`, `U"…"` and `L"…"` in C: 16-bit unsigned integers, 32-bit unsigned integers, and the type that is the target's `wchar_t`.

use std::ffi::c_int;

use super::cdata::CData;
use super::extent::{self, Access};
use super::guest_memory;
use crate::ctype::{IntKind, QualType};
use crate::lua::sandbox::{budget, region};
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::{self, LuaType};

/// The unit of a string in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// UTF-16.
    Two,
    /// UTF-32.
    Four,
}

impl Unit {
    /// The unit that elements of a type are.
    pub(in crate::lua) fn of(cx: &Cx<'_>, ty: QualType) -> Option<Unit> {
        if cx.state.options.plain_wide.get() {
            return None;
        }
        let Kind::Int(kind) = cx.state.kind(ty) else { return None };
        let wchar = cx.state.types.borrow().table().model().wchar;
        match kind {
            IntKind::U16 => Some(Unit::Two),
            IntKind::U32 => Some(Unit::Four),
            kind if kind == wchar && kind.size() == 4 => Some(Unit::Four),
            _ => None,
        }
    }

    fn size(self) -> usize {
        match self {
            Unit::Two => 2,
            Unit::Four => 4,
        }
    }

    /// The number of units that a character takes.
    fn count(self, c: char) -> usize {
        match self {
            Unit::Two => c.len_utf16(),
            Unit::Four => 1,
        }
    }

    /// Writes a character.
    ///
    /// # Safety
    /// - *Writable*: `dst`, for as many units as the character takes.
    unsafe fn write(self, dst: *mut u8, c: char) {
        // SAFETY: *Writable*, kept by the caller.
        unsafe {
            match self {
                Unit::Two => {
                    for (i, unit) in c.encode_utf16(&mut [0; 2]).iter().enumerate() {
                        dst.cast::<u16>().add(i).write_unaligned(*unit);
                    }
                }
                Unit::Four => dst.cast::<u32>().write_unaligned(c.into()),
            }
        }
    }

    /// # Safety
    /// - *Readable*: `src`, for a unit.
    unsafe fn read(self, src: *const u8) -> u32 {
        // SAFETY: *Readable*, kept by the caller.
        unsafe {
            match self {
                Unit::Two => src.cast::<u16>().read_unaligned().into(),
                Unit::Four => src.cast::<u32>().read_unaligned(),
            }
        }
    }
}

fn decoded(text: &[u8]) -> Result<&str, LuaError> {
    std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        LuaError::new(format!("the string is not UTF-8: byte {} is 0x{:02x}", at + 1, text[at]))
    })
}

/// Writes a Lua string to an array of `room` bytes, cut after the last character that fits; a zero follows where there is room.
///
/// # Errors
/// It is not UTF-8.
///
/// # Safety
/// - *Writable*: `dst`, for `room` bytes, or for the string and the zero.
pub(super) unsafe fn store(
    text: &[u8],
    unit: Unit,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    let (mut at, room) = (0, room / unit.size());
    for c in decoded(text)?.chars() {
        if room - at < unit.count(c) {
            break;
        }
        // SAFETY: the character ends within the array, as the zero does.
        unsafe { unit.write(dst.add(at * unit.size()), c) };
        at += unit.count(c);
    }
    if at < room {
        // SAFETY: a unit more ends within the array.
        unsafe { dst.add(at * unit.size()).write_bytes(0, unit.size()) };
    }
    Ok(())
}

/// Pushes a userdata with the units of the string at `index`, and returns where they are: what the string is as a pointer of type
/// `ty`. Pushes nothing where there is no string or `ty` takes none.
///
/// # Errors
/// The string is not UTF-8.
pub(in crate::lua) fn push_text(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
) -> Result<Option<*mut u8>, LuaError> {
    let Kind::Pointer(to) = cx.state.kind(ty) else { return Ok(None) };
    if !cx.state.resolve(to).is_const() {
        return Ok(None);
    }
    let (Some(unit), LuaType::String) = (Unit::of(cx, to), cx.type_of(index)) else {
        return Ok(None);
    };
    let text = cx.bytes(index).unwrap_or_default();
    let units: usize = decoded(text)?.chars().map(|c| unit.count(c)).sum();
    let size = (units + 1) * unit.size();
    budget::ask("string", size, size)?;
    let block = match cx.state.machine.is_guest() {
        true => guest_memory::push(cx, size)?,
        // SAFETY: *Context*.
        false => unsafe { api::new_userdata(cx.lua, size, 0).cast::<u8>() },
    };
    // SAFETY: the block has room for the units and the zero.
    unsafe { store(text, unit, block, size)? };
    if cx.state.checked() {
        region::push(cx, block as usize, size, true, cx.top());
        region::note(cx, block as usize, size);
        cx.remove(-2);
    }
    Ok(Some(block))
}

/// The UTF-8 of the string that the array or pointer at 1 has or leads to, where that is one of units.
///
/// # Errors
/// A unit is no character: a surrogate without the other, or out of range.
pub(in crate::lua) fn string(cx: &Cx<'_>, cd: &CData) -> Result<Option<String>, LuaError> {
    let (Kind::Array(element, _) | Kind::Pointer(element)) = cx.state.kind(cd.ty) else {
        return Ok(None);
    };
    let Some(unit) = Unit::of(cx, element) else { return Ok(None) };
    if cd.address.is_null() {
        return Err(LuaError::Argument(1, "NULL pointer".into()));
    }
    let bound = match cd.is_pointer() {
        true => None,
        false => cd.variable_size().or_else(|| cx.state.size(cd.ty)),
    };
    let room = match cx.state.checked() {
        true => {
            let address = cd.address as usize;
            let room =
                extent::of_argument(cx, 1, address).room(cx, cd.ty, address, Access::Read)?;
            bound.unwrap_or(room).min(room)
        }
        false => bound.unwrap_or(usize::MAX),
    };
    // SAFETY: a string in memory is the script's word; an array of known size ends it in any case.
    let units = (0..room / unit.size())
        .map(|i| unsafe { unit.read(cd.address.add(i * unit.size())) })
        .take_while(|unit| *unit != 0);
    match unit {
        Unit::Two => char::decode_utf16(units.map(|unit| unit as u16))
            .enumerate()
            .map(|(i, c)| c.map_err(|error| no_character(i, error.unpaired_surrogate().into())))
            .collect::<Result<_, _>>(),
        Unit::Four => units
            .enumerate()
            .map(|(i, unit)| char::from_u32(unit).ok_or_else(|| no_character(i, unit)))
            .collect::<Result<_, _>>(),
    }
    .map(Some)
}

fn no_character(i: usize, unit: u32) -> LuaError {
    let what = if (0xd800..0xe000).contains(&unit) { "a lone surrogate" } else { "no character" };
    LuaError::Argument(1, format!("character {} of the string is {what}: 0x{unit:x}", i + 1))
}

/// Puts what the string at `index` is as a `ty` in its place, where that is a pointer to units. Returns where they are.
pub(in crate::lua) fn replace_argument(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
) -> Result<Option<*mut u8>, LuaError> {
    let found = push_text(cx, index, ty)?;
    if found.is_some() {
        cx.replace(index);
    }
    Ok(found)
}
