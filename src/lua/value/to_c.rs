//! From Lua values to C values, and between C values, by the tables of LuaJIT's "FFI Semantics" page. [`super::to_lua`] has the way back.
//!
//! Addresses come from declarations and scripts; as in C, the script vouches that memory is there. Visible mistakes (types, NULL, sizes of
//! known objects) are errors.

use std::ffi::c_int;
use std::ptr;

use super::cdata::{self, CData};
use super::ctype;
use super::extended::Extended;
use super::extent;
use super::initialize;
use super::scalar::{self, Scalar};
pub use super::to_lua::{push, push_copy};
use super::wide;
use crate::ctype::{Bits, FloatKind, IntKind, QualType, TypeId};
use crate::lua::state::{Cx, LuaError, State};
pub(in crate::lua) use crate::lua::types::compatible::{Qualifiers, compatible};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::{LuaType, Number};
use crate::policy::Permissions;

/// How much a conversion allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Mode {
    /// As in an assignment or a call.
    Implicit,
    /// As with a C cast.
    Cast,
}

/// A C value in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Source {
    /// Its type, no reference.
    pub(in crate::lua) ty: QualType,
    /// Its bytes.
    pub(in crate::lua) bytes: *const u8,
    /// Whether it was a Lua number, string or light userdata.
    from_lua: bool,
}

/// Converts the Lua value at `index` to a C value of type `ty` at `dst`, as for an assignment or an argument.
///
/// # Errors
/// "cannot convert 'table' to 'const char *'"; the caller says where.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub unsafe fn to_c(cx: &Cx<'_>, index: c_int, ty: QualType, dst: *mut u8) -> Result<(), LuaError> {
    // SAFETY: *Writable*, kept by the caller.
    unsafe { assign(cx, index, ty, dst, usize::MAX, Mode::Implicit) }
}

/// [`to_c`], with a mode. `room`: bytes at `dst`, which bound an array of unknown length.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(in crate::lua) unsafe fn assign(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    room: usize,
    mode: Mode,
) -> Result<(), LuaError> {
    let ty = cx.state.resolve(ty);
    let index = cx.absolute(index);
    match cx.type_of(index) {
        LuaType::Number => {
            let value = match cx.number(index) {
                Some(Number::Integer(n)) => Scalar::Signed(n.into()),
                Some(Number::Float(n)) => Scalar::Float(n),
                None => return Err(cannot_convert(cx, index, ty)),
            };
            // SAFETY: *Writable*, kept by the caller.
            unsafe { store_number(cx, index, ty, dst, value, mode) }
        }
        // SAFETY: *Writable*, kept by the caller.
        LuaType::String => unsafe { assign_string(cx, index, ty, dst, room, mode) },
        // SAFETY: *Writable*, kept by the caller.
        LuaType::Table => unsafe { initialize::from_table(cx, index, ty, dst, room) },
        LuaType::Boolean => {
            let value = u8::from(cx.truth(index));
            let source =
                Source { ty: TypeId::BOOL.into(), bytes: ptr::from_ref(&value), from_lua: true };
            // SAFETY: *Writable*, kept by the caller; a byte is a `bool`.
            unsafe { convert(cx, index, ty, dst, source, mode) }
        }
        LuaType::Nil => {
            let null = Source::pointer(&ptr::null_mut());
            // SAFETY: *Writable*, kept by the caller.
            unsafe { convert(cx, index, ty, dst, null, mode) }
        }
        LuaType::LightUserdata => {
            cx.state.permit(Permissions::USERDATA_TO_POINTER)?;
            let value = cx.userdata(index).cast();
            // SAFETY: *Writable*, kept by the caller.
            unsafe { convert(cx, index, ty, dst, Source::pointer(&value), mode) }
        }
        LuaType::Userdata => {
            if let Some(cd) = cdata::at(cx, index) {
                let source =
                    Source { ty: cx.state.resolve(cd.ty), bytes: cd.bytes(), from_lua: false };
                return extent::briefly(cx, || {
                    extent::permit_bytes(cx, index, &cd)?;
                    // SAFETY: *Writable*, kept by the caller; a NULL reference is never made.
                    unsafe { convert(cx, index, ty, dst, source, mode) }
                });
            }
            if ctype::at(cx, index).is_some() {
                return Err(cannot_convert(cx, index, ty));
            }
            cx.state.permit(Permissions::USERDATA_TO_POINTER)?;
            let value = match cx.c_file(index) {
                Some(file) if file.is_null() => {
                    return Err(LuaError::new("attempt to use a closed file"));
                }
                Some(file) => file.cast(),
                None => cx.userdata(index).cast(),
            };
            // SAFETY: *Writable*, kept by the caller.
            unsafe { convert(cx, index, ty, dst, Source::pointer(&value), mode) }
        }
        // SAFETY: *Writable*, kept by the caller.
        LuaType::Function => unsafe { assign_function(cx, index, ty, dst, mode) },
        LuaType::Thread | LuaType::None => Err(cannot_convert(cx, index, ty)),
    }
}

impl Source {
    /// A `void *` variable.
    fn pointer(variable: &*mut u8) -> Source {
        Source {
            ty: TypeId::VOID_POINTER.into(),
            bytes: ptr::from_ref(variable).cast(),
            from_lua: true,
        }
    }
}

/// "cannot convert 'A' to 'B'", for the Lua value at `index`.
pub(super) fn cannot_convert(cx: &Cx<'_>, index: c_int, ty: QualType) -> LuaError {
    let from = match cx.type_of(index) {
        LuaType::Boolean => "bool".to_owned(),
        _ => describe(cx, index),
    };
    LuaError::new(format!("cannot convert '{from}' to '{}'", cx.state.repr(ty)))
}

/// The string at `index` names no constant of an enum.
pub(in crate::lua) fn no_constant(cx: &Cx<'_>, index: c_int, ty: QualType) -> LuaError {
    let text = String::from_utf8_lossy(cx.bytes(index).unwrap_or_default());
    let constants = cx.state.types.borrow().table().constants_text(ty, &text);
    LuaError::new(format!("{}: {constants}", cannot_convert(cx, index, ty)))
}

/// A value for an error message: the C type of a cdata or C function, the Lua type of anything else.
pub(in crate::lua) fn describe(cx: &Cx<'_>, index: c_int) -> String {
    match cdata::at(cx, index) {
        Some(cd) => cx.state.repr(cd.ty),
        None => match (cx.state.links.function_at)(cx, index) {
            Some((function, _)) => cx.state.repr(cx.state.pointer_to(function)),
            None => cx.type_name(index).to_owned(),
        },
    }
}

/// # Safety
/// - *Writable*: `dst`, and `room` (see `value`).
unsafe fn assign_string(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    room: usize,
    mode: Mode,
) -> Result<(), LuaError> {
    let text = cx.bytes(index).ok_or_else(|| cannot_convert(cx, index, ty))?;
    match cx.state.kind(ty) {
        Kind::Enum(e) => {
            let value = cx.state.types.borrow().table().enum_value(e, text);
            let value = value.ok_or_else(|| no_constant(cx, index, ty))?;
            // SAFETY: *Writable*, kept by the caller.
            unsafe { scalar::store_int(cx.state.enum_int(e), dst, value as i128 as u128) };
            Ok(())
        }
        Kind::Array(element, _) => {
            if let Some(unit) = wide::Unit::of(cx, element) {
                let room = cx.state.size(ty).unwrap_or(room);
                // SAFETY: *Writable*, kept by the caller.
                return unsafe { wide::store(text, unit, dst, room) };
            }
            let Kind::Int(IntKind::Char | IntKind::I8 | IntKind::U8) = cx.state.kind(element)
            else {
                return Err(cannot_convert(cx, index, ty));
            };
            let room = cx.state.size(ty).unwrap_or(room);
            let copied = text.len().min(room);
            // SAFETY: `copied`, and the final zero if it fits, are within the array.
            unsafe {
                ptr::copy(text.as_ptr(), dst, copied);
                if copied < room {
                    dst.add(copied).write(0);
                }
            }
            Ok(())
        }
        Kind::Pointer(to) | Kind::Reference(to) => {
            let known = cx.state.known.const_char_ptr;
            let Kind::Pointer(chars) = cx.state.kind(known) else {
                return Err(cannot_convert(cx, index, ty));
            };
            if mode == Mode::Implicit && !compatible(cx.state, to, chars, Qualifiers::Kept) {
                let error = cannot_convert(cx, index, ty);
                let hint = if to.is_const() {
                    ""
                } else {
                    " (a Lua string is const; copy it into a char array)"
                };
                return Err(LuaError::new(format!("{error}{hint}")));
            }
            if cx.state.machine.is_guest() {
                let error = cannot_convert(cx, index, ty);
                return Err(LuaError::new(format!(
                    "{error} (a Lua string is not in memory of 32-bit code; copy it into a char array)"
                )));
            }
            // SAFETY: *Writable*, kept by the caller.
            unsafe { cx.state.store_pointer(dst, text.as_ptr()) }
        }
        Kind::Float(kind) if Extended::has(kind) => {
            let value = std::str::from_utf8(text).ok();
            let value = value.and_then(|text| Extended::parse(kind, text));
            let value = value.ok_or_else(|| cannot_convert(cx, index, ty))?;
            // SAFETY: *Writable*, kept by the caller.
            unsafe { scalar::store_extended(kind, dst, value) };
            Ok(())
        }
        Kind::Int(kind) if mode == Mode::Cast => {
            // SAFETY: *Writable*, kept by the caller.
            unsafe { scalar::store_int(kind, dst, text.as_ptr() as usize as u128) };
            Ok(())
        }
        _ => Err(cannot_convert(cx, index, ty)),
    }
}

/// # Safety
/// - *Writable*: `dst`, and `room` (see `value`).
unsafe fn assign_function(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    mode: Mode,
) -> Result<(), LuaError> {
    if let Some((function, target)) = (cx.state.links.function_at)(cx, index) {
        let ty_of_pointer = cx.state.pointer_to(function);
        let source = Source {
            ty: ty_of_pointer.into(),
            bytes: ptr::from_ref(&target).cast(),
            from_lua: false,
        };
        // SAFETY: *Writable*, kept by the caller.
        return unsafe { convert(cx, index, ty, dst, source, mode) };
    }
    let (Kind::Pointer(function) | Kind::Reference(function)) = cx.state.kind(ty) else {
        return Err(cannot_convert(cx, index, ty));
    };
    if cx.state.kind(function) != Kind::Function {
        return Err(cannot_convert(cx, index, ty));
    }
    // SAFETY: a function is at `index`; the type is a function; *Writable*, kept by the caller.
    unsafe {
        let function = cx.state.resolve(function).id();
        let make = cx.state.links.callback;
        let address = make(cx, function, index, mode == Mode::Cast)?;
        cx.state.store_pointer(dst, address.cast())
    }
}

/// # Safety
/// - *Writable*: `dst`, and `room` (see `value`).
unsafe fn store_number(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    value: Scalar,
    mode: Mode,
) -> Result<(), LuaError> {
    let kind = match cx.state.value_kind(ty) {
        Kind::Pointer(_) if mode == Mode::Cast => {
            permit_address(cx, value)?;
            cx.state.check_pointer(value.to_i64().into())?;
            Kind::Int(cx.state.pointer_int())
        }
        kind => kind,
    };
    // SAFETY: *Writable*, kept by the caller.
    let stored = unsafe { store(cx.state, kind, dst, value) };
    stored.then_some(()).ok_or_else(|| cannot_convert(cx, index, ty))
}

/// # Errors
/// A number other than 0 may not become a pointer.
fn permit_address(cx: &Cx<'_>, value: Scalar) -> Result<(), LuaError> {
    match value.to_bits(IntKind::U64) {
        0 => Ok(()),
        _ => cx.state.permit(Permissions::INTEGER_TO_POINTER),
    }
}

/// Converts a C value to another C type. `index`: where the source is on the stack, for the message.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
/// - *Readable*: the source.
pub(in crate::lua) unsafe fn convert(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    source: Source,
    mode: Mode,
) -> Result<(), LuaError> {
    let state = cx.state;
    let (to, from) = (state.value_kind(ty), state.value_kind(source.ty));
    let cast = mode == Mode::Cast;
    let fits = |to: QualType, from: QualType| cast || compatible(state, to, from, Qualifiers::Kept);
    // SAFETY: *Writable* and *Readable*, kept by the caller, by the types that each arm has matched.
    unsafe {
        // A pointer that Lua has is one of the host.
        let pointer = || match source.from_lua {
            true => source.bytes.cast::<*mut u8>().read_unaligned(),
            false => state.load_pointer(source.bytes),
        };
        let store_pointer = |value: *const u8| {
            if let Kind::Pointer(t) | Kind::Reference(t) = to
                && state.kind(t) == Kind::Function
            {
                state.permit_function(state.resolve(t).id(), value.cast())?;
            }
            state.store_pointer(dst, value)
        };
        match (to, from) {
            (Kind::Pointer(t) | Kind::Reference(t), Kind::Pointer(f) | Kind::Reference(f))
                if fits(t, f) =>
            {
                store_pointer(pointer())?;
            }
            (Kind::Pointer(t) | Kind::Reference(t), Kind::Array(f, _)) if fits(t, f) => {
                store_pointer(source.bytes)?;
            }
            (Kind::Pointer(t) | Kind::Reference(t), Kind::Record(_)) if fits(t, source.ty) => {
                store_pointer(source.bytes)?;
            }
            (Kind::Reference(t), _) if fits(t, source.ty) && !source.from_lua => {
                store_pointer(source.bytes)?;
            }
            (Kind::Int(_), Kind::Pointer(_)) if cast => {
                store(state, to, dst, Scalar::Unsigned(pointer() as usize as u128));
            }
            (Kind::Int(_), Kind::Array(..)) if cast => {
                store(state, to, dst, Scalar::Unsigned(source.bytes as usize as u128));
            }
            (Kind::Pointer(_), Kind::Int(_)) if cast => {
                if let Some(value) = load(state, from, source.bytes) {
                    permit_address(cx, value)?;
                    state.check_pointer(value.to_i64().into())?;
                    store(state, Kind::Int(state.pointer_int()), dst, value);
                }
            }
            (Kind::Record(a), Kind::Record(b)) if a == b && !cast => {
                copy(dst, source.bytes, state.known_size(ty)?);
            }
            (Kind::Array(t, _), Kind::Array(f, _)) if !cast && fits(t, f) => {
                match (state.size(ty), state.size(source.ty)) {
                    (Some(a), Some(b)) if a == b => copy(dst, source.bytes, a),
                    _ => return Err(cannot_convert(cx, index, ty)),
                }
            }
            (Kind::Vector(..), Kind::Vector(..)) if state.size(ty) == state.size(source.ty) => {
                copy(dst, source.bytes, state.known_size(ty)?);
            }
            (Kind::Float(a), Kind::Float(b)) if a == b => {
                copy(dst, source.bytes, scalar::float_bytes(a));
            }
            (Kind::Complex(a), Kind::Complex(b)) => {
                let (step, from_step) =
                    (state.known_size(ty)? / 2, state.known_size(source.ty)? / 2);
                let re = scalar::load_float(b, source.bytes);
                let im = scalar::load_float(b, source.bytes.add(from_step));
                scalar::store_float(a, dst, re);
                scalar::store_float(a, dst.add(step), im);
            }
            (Kind::Complex(_) | Kind::Vector(..), Kind::Bool) | (Kind::Bool, Kind::Complex(_)) => {
                return Err(cannot_convert(cx, index, ty));
            }
            _ => {
                let value = load(state, from, source.bytes);
                let stored = value.is_some_and(|value| store(state, to, dst, value));
                if !stored {
                    return Err(cannot_convert(cx, index, ty));
                }
            }
        }
    }
    Ok(())
}

/// # Safety
/// - *Readable*: `src`, and *Writable*: `dst`, for `size` bytes. They may overlap.
unsafe fn copy(dst: *mut u8, src: *const u8, size: usize) {
    // SAFETY: *Readable* and *Writable*, kept by the caller.
    unsafe { ptr::copy(src, dst, size) }
}

/// The number that a C scalar is: of a complex one its real part, of other types none.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub(in crate::lua) unsafe fn load(state: &State, kind: Kind, src: *const u8) -> Option<Scalar> {
    // SAFETY: *Readable*, kept by the caller.
    unsafe {
        match kind {
            Kind::Bool => Some(Scalar::Unsigned(u128::from(src.read() != 0))),
            Kind::Int(kind) => Some(scalar::load_int(kind, state.char_signed(), src)),
            Kind::Enum(e) => Some(scalar::load_int(state.enum_int(e), true, src)),
            Kind::Float(kind) if Extended::has(kind) => {
                Some(Scalar::Extended(scalar::load_extended(kind, src)))
            }
            Kind::Float(kind) | Kind::Complex(kind) => {
                Some(Scalar::Float(scalar::load_float(kind, src)))
            }
            _ => None,
        }
    }
}

/// Writes a number as a C scalar, or into every element of a vector. Returns false for other types.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(in crate::lua) unsafe fn store(state: &State, kind: Kind, dst: *mut u8, value: Scalar) -> bool {
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        match kind {
            Kind::Bool => dst.write(u8::from(value.truth())),
            Kind::Int(kind) => scalar::store_int(kind, dst, value.to_bits(kind)),
            Kind::Enum(e) => {
                let kind = state.enum_int(e);
                scalar::store_int(kind, dst, value.to_bits(kind));
            }
            Kind::Float(kind) if Extended::has(kind) => {
                scalar::store_extended(kind, dst, value.to_extended(kind));
            }
            Kind::Float(kind) => scalar::store_float(kind, dst, value.to_f64()),
            Kind::Complex(kind) => {
                scalar::store_float(kind, dst, value.to_f64());
                scalar::store_float(kind, dst.add(complex_step(state, kind)), 0.0);
            }
            Kind::Vector(element, count) => {
                let Some(size) = state.size(element) else { return false };
                let kind = state.value_kind(element);
                return (0..count as usize).all(|i| store(state, kind, dst.add(i * size), value));
            }
            _ => return false,
        }
    }
    true
}

/// Bytes from the real part of a complex number to its imaginary part.
pub(in crate::lua) fn complex_step(state: &State, part: FloatKind) -> usize {
    match part {
        FloatKind::F80 => usize::from(state.types.borrow().table().model().long_double.1),
        other => scalar::float_bytes(other),
    }
}

/// Converts the Lua value at `index` and writes it into a bit-field, cut to its width.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(in crate::lua) unsafe fn assign_bit_field(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    bits: Bits,
    dst: *mut u8,
) -> Result<(), LuaError> {
    let mut value = [0; 16];
    // SAFETY: no type of a bit-field is larger than 16 bytes; *Writable* holds for `dst`.
    unsafe {
        to_c(cx, index, ty, value.as_mut_ptr())?;
        scalar::store_bit_field(bits, dst, u128::from_le_bytes(value));
    }
    Ok(())
}

/// The number that the cdata at `index` is: of a complex one its real part.
pub(in crate::lua) fn number_of(cx: &Cx<'_>, index: c_int, cd: &CData) -> Option<Scalar> {
    let number = extent::briefly(cx, || {
        extent::permit_bytes(cx, index, cd)?;
        // SAFETY: a cdata holds a value of its type.
        Ok(unsafe { load(cx.state, cx.state.value_kind(cd.ty), cd.bytes()) })
    });
    number.ok().flatten()
}

/// The number that a Lua number or a numeric cdata is.
pub(in crate::lua) fn scalar_at(cx: &Cx<'_>, index: c_int) -> Option<Scalar> {
    match cx.number(index) {
        Some(Number::Integer(n)) => Some(Scalar::Signed(n.into())),
        Some(Number::Float(n)) => Some(Scalar::Float(n)),
        None => {
            let cd = cdata::at(cx, index)?;
            number_of(cx, index, &cd)
        }
    }
}
