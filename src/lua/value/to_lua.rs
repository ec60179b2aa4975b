//! From C values to Lua values, by the tables of LuaJIT's "Conversions from C types to Lua objects".

use std::ffi::c_int;
use std::ptr;

use super::cdata;
use super::extent::{self, Access};
use super::scalar::{self, Scalar};
use super::to_c::{load, store};
use crate::ctype::{Bits, IntKind, QualType};
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;

/// Pushes the Lua value of a C value of type `ty` at `src`: numbers and booleans as Lua's own, a struct, union or array as
/// a reference that keeps the value at the stack index `owner` alive (0: none), anything else as a fresh cdata.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
/// - An aggregate stays where it is for as long as the reference lives.
pub unsafe fn push(
    cx: &Cx<'_>,
    ty: QualType,
    src: *const u8,
    owner: c_int,
) -> Result<(), LuaError> {
    // SAFETY: *Readable*, kept by the caller.
    unsafe {
        if push_scalar(cx, ty, src) {
            return Ok(());
        }
        match cx.state.kind(ty) {
            Kind::Record(_) | Kind::Array(..) => {
                cdata::push_reference(cx, ty, src.cast_mut(), owner)
            }
            Kind::Reference(to) => {
                let target = cx.state.load_pointer(src);
                if target.is_null() {
                    return Err(LuaError::new("attempt to dereference a NULL reference"));
                }
                let (size, top) = (cx.state.size(to).unwrap_or(0), cx.top());
                extent::permit_address(cx, to, target, size, Access::Read)?;
                push(cx, to, target, 0)?;
                extent::settle(cx, top);
            }
            Kind::Pointer(_) => match cx.state.load_pointer(src) {
                null if null.is_null() && cx.state.options.null_is_nil.get() => cx.push_nil(),
                pointer => cdata::push_pointer(cx, ty, pointer, 0),
            },
            Kind::Void => cx.push_nil(),
            _ => return push_copy(cx, ty, src),
        }
    }
    Ok(())
}

/// Pushes a cdata that holds a copy of a C value, as for a struct that a function returns; numbers and booleans as
/// [`push`] does.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub unsafe fn push_copy(cx: &Cx<'_>, ty: QualType, src: *const u8) -> Result<(), LuaError> {
    // SAFETY: *Readable*, kept by the caller.
    unsafe {
        if push_scalar(cx, ty, src) {
            return Ok(());
        }
        let size = cx.state.known_size(ty)?;
        let bytes = cdata::push_value(cx, ty, size, false)?;
        ptr::copy(src, bytes, size);
    }
    Ok(())
}

/// Pushes a C number or boolean that Lua has a type for.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
unsafe fn push_scalar(cx: &Cx<'_>, ty: QualType, src: *const u8) -> bool {
    let kind = cx.state.value_kind(ty);
    let boxed_enum =
        cx.state.options.boxed_enum.get() && matches!(cx.state.kind(ty), Kind::Enum(_));
    if matches!(kind, Kind::Complex(_)) || boxed_enum {
        return false;
    }
    // SAFETY: *Readable*, kept by the caller.
    match unsafe { load(cx.state, kind, src) } {
        None => false,
        Some(value) => push_number(cx, kind, value),
    }
}

/// Pushes a number of a C type as a Lua boolean or number. Returns false where it needs a cdata.
pub(in crate::lua) fn push_number(cx: &Cx<'_>, kind: Kind, value: Scalar) -> bool {
    match (kind, value) {
        (Kind::Bool, _) => cx.push_bool(value.truth()),
        (_, Scalar::Float(n)) => cx.push_number(n),
        (_, Scalar::Extended(_)) if cx.state.options.boxed_extended.get() => return false,
        (_, Scalar::Extended(n)) => cx.push_number(n.to_f64()),
        (Kind::Int(IntKind::I64), _) if !cx.state.options.boxed_int64.get() => {
            cx.push_integer(value.to_i64())
        }
        (Kind::Int(IntKind::U64), _) if !cx.state.options.boxed_uint64.get() => {
            match value.to_bits(IntKind::U64) as i64 {
                n @ 0.. => cx.push_integer(n),
                _ => return false,
            }
        }
        (Kind::Int(int), _) if int.size() <= 4 => cx.push_integer(value.to_i64()),
        _ => return false,
    }
    true
}

/// Pushes the value of a bit-field.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub(in crate::lua) unsafe fn push_bit_field(
    cx: &Cx<'_>,
    ty: QualType,
    bits: Bits,
    src: *const u8,
) -> Result<(), LuaError> {
    let kind = cx.state.value_kind(ty);
    let signed = matches!(kind, Kind::Int(int) if int.is_signed(cx.state.char_signed()));
    // SAFETY: *Readable*, kept by the caller.
    let value = unsafe { scalar::load_bit_field(bits, signed, src) };
    if push_number(cx, kind, value) {
        return Ok(());
    }
    let size = cx.state.known_size(ty)?;
    let bytes = cdata::push_value(cx, ty, size, false)?;
    // SAFETY: the new cdata has the size of the type.
    unsafe { store(cx.state, kind, bytes, value) };
    Ok(())
}
