//! The functions of the `ffi` table that make, convert and describe C values.

use std::ffi::c_int;

use super::clib;
use super::explain;
use super::option;
use crate::code::os;
use crate::ctype::QualType;
use crate::lua::call::task;
use crate::lua::callback::other_thread;
use crate::lua::callback::traceback;
use crate::lua::object::argument;
use crate::lua::object::bytes;
use crate::lua::object::constant;
use crate::lua::object::ctypes;
use crate::lua::object::make;
use crate::lua::object::metatype;
use crate::lua::object::reflect;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self};
use crate::lua::value::scalar::Scalar;
use crate::lua::value::to_c::{self, Qualifiers};
use crate::lua::vm::api::lua_CFunction;

/// Name and implementation of each.
pub(in crate::lua) const FUNCTIONS: [(&[u8], lua_CFunction); 28] = [
    (b"abi", entry(abi)),
    (b"addressof", entry(address_of)),
    (b"alignof", entry(align_of)),
    (b"async", entry(task::async_function)),
    (b"cast", entry(make::cast)),
    (b"cdef", entry(ctypes::cdef)),
    (b"copy", entry(bytes::copy)),
    (b"errno", entry(errno)),
    (b"eval", entry(constant::eval)),
    (b"explain", entry(explain::explain)),
    (b"traceback", entry(traceback::traceback)),
    (b"fields", entry(reflect::fields)),
    (b"fill", entry(bytes::fill)),
    (b"gc", entry(metatype::gc)),
    (b"info", entry(reflect::info)),
    (b"istype", entry(is_type)),
    (b"load", entry(clib::load)),
    (b"metatype", entry(metatype::metatype)),
    (b"new", entry(make::new)),
    (b"offsetof", entry(offset_of)),
    (b"option", entry(option::option)),
    (b"poll", entry(other_thread::poll_function)),
    (b"sizeof", entry(make::size_of)),
    (b"string", entry(bytes::string)),
    (b"tonumber", entry(to_number)),
    (b"toretval", entry(to_result)),
    (b"type", entry(type_name)),
    (b"typeof", entry(ctypes::type_of)),
];

/// `ffi.alignof(ct)`
fn align_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = ctypes::argument(cx, 1)?;
    let ty = match cx.state.kind(ty) {
        Kind::Reference(to) => to,
        _ => ty,
    };
    cx.push_integer(cx.state.align(ty) as i64);
    Ok(Outcome::results(1))
}

/// `ffi.offsetof(ct, field)`: the offset; of a bit-field also the position and size in bits.
fn offset_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.referent(ctypes::argument(cx, 1)?);
    let Some(name) = cx.bytes(2) else {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("string expected, got {got}")));
    };
    let Kind::Record(record) = cx.state.kind(ty) else { return Ok(Outcome::results(0)) };
    let found = {
        let types = cx.state.types.borrow();
        let table = types.table();
        table.find_name(name).and_then(|name| table.find_member(record, name))
    };
    let Some(found) = found else { return Ok(Outcome::results(0)) };
    cx.push_integer(found.offset as i64);
    let Some(bits) = found.bits else { return Ok(Outcome::results(1)) };
    cx.push_integer(i64::from(bits.shift));
    cx.push_integer(i64::from(bits.width));
    Ok(Outcome::results(3))
}

/// `ffi.istype(ct, value)`
fn is_type(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let wanted = cx.state.referent(ctypes::argument(cx, 1)?);
    argument::expect_value(cx, 2)?;
    let function = crate::lua::call::function_at(cx, 2).map(|(ty, _)| QualType::from(ty));
    let ty = cdata::at(cx, 2).map(|cd| cd.ty).or_else(|| ctypes::at(cx, 2)).or(function);
    cx.push_bool(ty.is_some_and(|ty| same_type(cx, wanted, cx.state.referent(ty))));
    Ok(Outcome::results(1))
}

/// Whether a value of type `ty` is of the wanted type, or a pointer to a wanted struct; qualifiers do not matter.
fn same_type(cx: &Cx<'_>, wanted: QualType, ty: QualType) -> bool {
    if wanted.id() == ty.id() {
        return true;
    }
    match (cx.state.kind(wanted), cx.state.kind(ty)) {
        (Kind::Pointer(a), Kind::Pointer(b)) => {
            to_c::compatible(cx.state, a, b, Qualifiers::Ignored)
        }
        (Kind::Array(a, _), Kind::Array(b, _)) => {
            cx.state.size(wanted) == cx.state.size(ty)
                && to_c::compatible(cx.state, a, b, Qualifiers::Ignored)
        }
        (Kind::Record(_), Kind::Pointer(to)) => cx.state.resolve(to).id() == wanted.id(),
        (Kind::Int(a), Kind::Int(b)) => {
            let signed = cx.state.char_signed();
            a.size() == b.size() && a.is_signed(signed) == b.is_signed(signed)
        }
        (a, b) => a == b && !a.is_aggregate(),
    }
}

/// `ffi.errno([new])`: the value that the last C call left.
fn errno(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let old = os::errno();
    if !cx.is_absent(1) {
        os::set_errno(argument::integer(cx, 1)? as c_int);
    }
    cx.push_integer(i64::from(old));
    Ok(Outcome::results(1))
}

/// `ffi.abi(name)`
fn abi(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let Some(name) = cx.bytes(1) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    };
    let name = String::from_utf8_lossy(name);
    let pointer = cx.state.types.borrow().table().model().pointer;
    let holds = match &*name {
        "64bit" => pointer == 8,
        "32bit" => pointer == 4,
        other => cx.state.machine.target.luajit_abi().contains(&other),
    };
    cx.push_bool(holds);
    Ok(Outcome::results(1))
}

/// `ffi.addressof(cdata)`: a pointer to the value.
fn address_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    // Pointers to pointers have no end.
    cx.state.permit_type()?;
    let ty = cx.state.pointer_to(cd.ty);
    let address = cd.bytes();
    if cd.is_pointer() {
        cx.push_value(1);
    } else {
        cdata::push_owner(cx, 1, &cd);
    }
    cdata::push_pointer(cx, ty.into(), address, cx.top());
    Ok(Outcome::results(1))
}

/// `ffi.tonumber(value)`: the Lua number that a numeric cdata is; of other values what `tonumber` says of numbers and nil.
fn to_number(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    argument::expect_value(cx, 1)?;
    if cdata::at(cx, 1).is_none() {
        cx.push_to_number(1);
        return Ok(Outcome::results(1));
    }
    match to_c::scalar_at(cx, 1) {
        Some(Scalar::Float(n)) => cx.push_number(n),
        Some(Scalar::Extended(n)) => cx.push_number(n.to_f64()),
        Some(Scalar::Signed(n)) => push_integral(cx, i64::try_from(n).ok(), n as f64),
        Some(Scalar::Unsigned(n)) => push_integral(cx, i64::try_from(n).ok(), n as f64),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

fn push_integral(cx: &Cx<'_>, exact: Option<i64>, rounded: f64) {
    match exact {
        Some(n) => cx.push_integer(n),
        None => cx.push_number(rounded),
    }
}

/// `ffi.toretval(cdata)`: the Lua value that C code returning this value would give.
fn to_result(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    let null_is_nil = cd.address.is_null() && cx.state.options.null_is_nil.get();
    if (cd.is_pointer() && !null_is_nil) || cx.state.kind(cd.ty).is_aggregate() {
        cx.push_value(1);
    } else {
        extent::permit_bytes(cx, 1, &cd)?;
        // SAFETY: a cdata holds a value of its type.
        unsafe { to_c::push(cx, cd.ty, cd.bytes(), 0)? };
    }
    Ok(Outcome::results(1))
}

/// `ffi.type(value)`: `type`, but `"cdata"` for cdata and ctypes.
fn type_name(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    argument::expect_value(cx, 1)?;
    let is_ours = cdata::at(cx, 1).is_some() || ctypes::at(cx, 1).is_some();
    let name = if is_ours { "cdata" } else { cx.type_name(1) };
    cx.push_bytes(name.as_bytes());
    Ok(Outcome::results(1))
}
