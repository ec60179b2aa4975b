//! The functions that compiled thunks call: they read arguments, push results, raise errors.
//!
//! Each gets the state that Lua called the thunk with, and most get the thunk's record.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::contract;
use super::function::{self, Function};
use super::variadic::Variable;
use crate::ctype::QualType;
use crate::lua::callback::transition::keeping_errno;
use crate::lua::state::{Cx, LuaError, guard_in};
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::value::direct;
use crate::lua::value::extent;
use crate::lua::value::to_c::{self, Mode};
use crate::lua::value::to_lua;
use crate::lua::value::wide;
use crate::lua::vm::api::{self, LuaType, Results, lua_State};

/// Runs a helper of a thunk that may raise.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Raise*.
unsafe fn help<T>(
    lua: *mut lua_State,
    record: *const Function,
    f: impl FnOnce(&Cx<'_>, &Function) -> Result<T, LuaError>,
) -> T
where
    T: Default,
{
    let mut value = T::default();
    // SAFETY: *Record*, kept by the caller. Where `f` fails, `guard` does not return.
    unsafe {
        guard_in(lua, (*record).head, |cx| {
            value = f(cx, &*record)?;
            Ok(0)
        });
    }
    value
}

/// The argument at `index` as a C value of its parameter's type.
fn convert_argument(cx: &Cx<'_>, record: &Function, index: c_int) -> Result<u64, LuaError> {
    let ty = record
        .parameter(cx, index as usize - 1)
        .ok_or_else(|| LuaError::new("no such parameter"))?;
    let units = wide::replace_argument(cx, index, ty)
        .map_err(|error| function::at_argument(record, index, error))?;
    if let Some(units) = units {
        return Ok(units as u64);
    }
    let mut bits = 0u64;
    // SAFETY: the plan has scalars of at most 8 bytes only.
    unsafe { to_c::to_c(cx, index, ty, (&raw mut bits).cast()) }
        .map_err(|error| function::at_argument(record, index, error))?;
    if let Some(cd) = cdata::at(cx, index) {
        record.accept(cx, index, &cd, bits);
    }
    Ok(bits)
}

/// An integer argument; only the low bytes that its type has count.
///
/// # Safety
/// - *Helper* (see `call`).
pub(in crate::lua) unsafe extern "C-unwind" fn integer(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY: *Helper*.
    unsafe {
        match api::integer(lua, index) {
            Some(value) => value as u64,
            None => other(lua, record, index),
        }
    }
}

/// A `float` or `double` argument.
///
/// # Safety
/// - *Helper* (see `call`).
pub(in crate::lua) unsafe extern "C-unwind" fn number(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> f64 {
    // SAFETY: *Helper*.
    unsafe {
        match sys::lua_type(lua, index) {
            sys::LUA_TNUMBER => sys::lua_tonumber(lua, index),
            _ => help(lua, record, |cx, record| {
                let bits = convert_argument(cx, record, index)?;
                let ty = record.parameter(cx, index as usize - 1);
                Ok(match ty.and_then(|ty| cx.state.size(ty)) {
                    Some(4) => f64::from(f32::from_bits(bits as u32)),
                    _ => f64::from_bits(bits),
                })
            }),
        }
    }
}

/// Any other scalar argument.
///
/// # Safety
/// - *Helper* (see `call`).
pub(in crate::lua) unsafe extern "C-unwind" fn other(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY: *Helper*.
    unsafe { help(lua, record, |cx, record| convert_argument(cx, record, index)) }
}

/// The address of a struct, union, complex number or 128-bit integer argument: of the cdata's own bytes, or of a temporary
/// cdata in its place on the stack.
///
/// # Safety
/// - *Helper* (see `call`).
pub(in crate::lua) unsafe extern "C-unwind" fn aggregate(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> usize {
    // SAFETY: *Helper*.
    unsafe {
        help(lua, record, |cx, record| {
            let ty = record
                .parameter(cx, index as usize - 1)
                .ok_or_else(|| LuaError::new("no such parameter"))?;
            let ty = cx.state.resolve(ty);
            if let Some(cd) = cdata::at(cx, index)
                && cx.state.resolve(cd.ty).id() == ty.id()
            {
                extent::permit_bytes(cx, index, &cd)
                    .map_err(|error| function::at_argument(record, index, error))?;
                record.accept_as_it_is(cx, index);
                return Ok(cd.bytes() as usize);
            }
            let size = cx.state.known_size(ty)?;
            let bytes = cdata::push_value(cx, ty, size, false)?;
            // MEM-4
            to_c::assign(cx, index, ty, bytes, size, Mode::Implicit)
                .map_err(|error| function::at_argument(record, index, error))?;
            cx.replace(index);
            Ok(bytes as usize)
        })
    }
}

/// An argument for `...`.
///
/// # Safety
/// - *Helper* (see `call`).
pub(in crate::lua) unsafe extern "C-unwind" fn variable(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY: *Helper*; every variable argument's type has 8 bytes at most.
    unsafe {
        help(lua, record, |cx, record| {
            let ty = Variable::of(cx, index)?.ty(cx);
            let mut bits = 0u64;
            match (cx.type_of(index), function::record_at(cx, index)) {
                (LuaType::Boolean, _) => bits = u64::from(cx.truth(index)),
                (_, Some(function)) => bits = function.address() as u64,
                _ => to_c::assign(cx, index, ty, (&raw mut bits).cast(), 8, Mode::Cast)
                    .map_err(|error| function::at_argument(record, index, error))?,
            }
            Ok(bits)
        })
    }
}

/// The address of the bytes of a cdata for `...`.
///
/// # Safety
/// - *Helper* (see `call`).
pub(super) unsafe extern "C-unwind" fn variable_aggregate(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> usize {
    // SAFETY: *Helper*.
    unsafe {
        help(lua, record, |cx, record| match cdata::at(cx, index) {
            Some(cd) => {
                extent::permit_bytes(cx, index, &cd)
                    .map_err(|error| function::at_argument(record, index, error))?;
                Ok(cd.bytes() as usize)
            }
            None => Err(function::missing(cx, record, index)),
        })
    }
}

/// Pushes a result that is no plain Lua value.
///
/// # Safety
/// - *Helper* (see `call`).
/// - `value` is readable for the function's result type.
pub(super) unsafe extern "C-unwind" fn push_result(
    lua: *mut lua_State,
    record: *const Function,
    value: *const u8,
) {
    // SAFETY: *Helper*; `value` is the result.
    unsafe { push_result_of(lua, record, (*record).address(), value) }
}

/// [`push_result`] of the function at `target`: the record may have another one by now.
///
/// # Safety
/// - *Helper* (see `call`).
/// - `value` is readable for the function's result type, and what the function returned.
pub(super) unsafe fn push_result_of(
    lua: *mut lua_State,
    record: *const Function,
    target: *const c_void,
    value: *const u8,
) {
    // SAFETY: *Helper*; `value` is the result.
    unsafe {
        push_with(lua, record, |cx, ty| {
            let trusted = contract::learn_result(cx, &*record, target, ty, value);
            to_lua::push(cx, ty, value, 0)?;
            if trusted {
                cx.remove(-2);
            }
            Ok(())
        })
    }
}

/// Pushes a result as a cdata that holds a copy of it.
///
/// # Safety
/// - *Helper* (see `call`).
/// - `value` is readable for the function's result type.
pub(in crate::lua) unsafe extern "C-unwind" fn push_copy(
    lua: *mut lua_State,
    record: *const Function,
    value: *const u8,
) {
    // SAFETY: *Helper*; `value` is the result.
    unsafe { push_with(lua, record, |cx, ty| to_lua::push_copy(cx, ty, value)) }
}

/// [`push_result`] of a pointer, by a direct thunk.
///
/// # Safety
/// - *Helper* (see `call`).
/// - *Layout*.
pub(in crate::lua) unsafe extern "C-unwind" fn push_pointer(
    lua: *mut lua_State,
    record: *const Function,
    value: *mut u8,
) {
    // SAFETY: *Helper* and *Layout*, and the metatable was found by a push of the same result type.
    unsafe {
        let metatable = (*record).result_metatable.get();
        if metatable.is_null() || value.is_null() {
            push_result(lua, record, (&raw const value).cast());
            return learn_result(lua, record);
        }
        let ty = (*record).result_type.get();
        let header = Header { ty, flags: Flags::POINTER, address: value };
        keeping_errno(|| direct::push_cdata(lua, metatable, header, 0, 0));
    }
}

/// [`push_copy`], by a direct thunk.
///
/// # Safety
/// - *Helper* (see `call`).
/// - `value` is readable for the function's result type.
/// - *Layout*.
pub(super) unsafe extern "C-unwind" fn push_copy_fast(
    lua: *mut lua_State,
    record: *const Function,
    value: *const u8,
) {
    // SAFETY: *Helper* and *Layout*; the block has room for the bytes, which `value` leads to.
    unsafe {
        let metatable = (*record).result_metatable.get();
        if metatable.is_null() {
            push_copy(lua, record, value);
            return learn_result(lua, record);
        }
        let size = (*record).result_size.get() as usize;
        let header = Header { ty: (*record).result_type.get(), flags: 0, address: ptr::null_mut() };
        let header = keeping_errno(|| direct::push_cdata(lua, metatable, header, size, 0));
        let bytes = header.add(1).cast::<u8>();
        (*header).address = bytes;
        ptr::copy_nonoverlapping(value, bytes, size);
    }
}

/// Keeps in the record what the cdata on top of the stack, its result, is like.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Raise*.
unsafe fn learn_result(lua: *mut lua_State, record: *const Function) {
    // SAFETY: *Record*, kept by the caller.
    keeping_errno(|| unsafe {
        help(lua, record, |cx, record| {
            let Some(cd) = cdata::at(cx, -1) else { return Ok(()) };
            let size = if cd.is_pointer() { Some(0) } else { cx.state.size(cd.ty) };
            let Some(size) = size.and_then(|size| u32::try_from(size).ok()) else { return Ok(()) };
            if cd.is_pointer() || cx.state.align(cd.ty) <= mem::align_of::<Header>() {
                record.result_type.set(cd.ty.to_bits());
                record.result_size.set(size);
                record.result_metatable.set(cdata::metatable(cx, cd.ty));
            }
            Ok(())
        });
    });
}

/// Pushes a result of the function's result type; `errno` stays as C left it.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Raise*.
unsafe fn push_with(
    lua: *mut lua_State,
    record: *const Function,
    push: impl FnOnce(&Cx<'_>, QualType) -> Result<(), LuaError>,
) {
    // SAFETY: *Record*, kept by the caller.
    keeping_errno(|| unsafe { help(lua, record, |cx, record| push(cx, record.result(cx))) });
}

/// Raises for a wrong number of arguments.
///
/// # Safety
/// - *Helper* (see `call`).
pub(super) unsafe extern "C-unwind" fn raise_count(
    lua: *mut lua_State,
    record: *const Function,
) -> Results {
    // SAFETY: *Helper*.
    unsafe {
        guard_in(lua, (*record).head, |cx| {
            let record = &*record;
            Err(function::miscounted(cx, record, cx.top()))
        })
    }
}

/// Raises for a function without an address.
///
/// # Safety
/// - *Helper* (see `call`).
pub(super) unsafe extern "C-unwind" fn raise_null(
    lua: *mut lua_State,
    record: *const Function,
) -> Results {
    // SAFETY: *Helper*.
    unsafe {
        guard_in(lua, (*record).head, |cx| {
            let name = (*record).name();
            cx.state.permit_target((*record).address())?;
            Err(LuaError::new(format!("attempt to call '{name}' after its library was closed")))
        })
    }
}
