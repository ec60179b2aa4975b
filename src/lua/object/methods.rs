//! The methods of pointers to functions, for callbacks: `callback:free()`, `callback:set(f)`, `callback:foreign(...)`.
//!
//! `__index` of these pointers is a table, so Lua finds a method without a call.

use std::ffi::c_int;

use super::index;
use crate::ctype::QualType;
use crate::lua::callback;
use crate::lua::callback::other_thread;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{LuaType, Number, lua_CFunction};

/// Gives the metatable on top of the stack, of cdata of type `ty`, its `__index`.
pub(in crate::lua) fn set(cx: &Cx<'_>, ty: QualType) {
    let methods: [(&[u8], lua_CFunction); 3] = [
        (b"foreign", entry(other_thread::method)),
        (b"free", entry(free)),
        (b"set", entry(set_function)),
    ];
    cx.new_table(0, methods.len() as c_int);
    for (name, function) in methods {
        cx.push_function(function, 0);
        cx.raw_set_name(-2, name);
    }
    cx.new_table(0, 1);
    cx.push_integer(ty.to_bits().into());
    cx.push_function(entry(missing), 1);
    cx.raw_set_name(-2, b"__index");
    cx.set_metatable(-2);
    cx.raw_set_name(-2, b"__index");
}

/// `__index` of the table of methods: the table at 1, the key at 2. The type is an upvalue.
fn missing(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let bits = match cx.number(Cx::upvalue(1)) {
        Some(Number::Integer(bits)) => bits as u32,
        Some(Number::Float(bits)) => bits as u32,
        None => return Err(LuaError::new("a table of methods without a type")),
    };
    Err(index::no_function(cx, cx.state.resolve(QualType::from_bits(bits))))
}

/// `callback:free()`
pub(in crate::lua) fn free(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    // SAFETY: `callback` checks that the address is one of its own.
    unsafe { callback::free(cx, cd.address.cast_const().cast())? };
    Ok(Outcome::results(0))
}

/// `callback:set(function)`
fn set_function(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    if cx.type_of(2) != LuaType::Function {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("function expected, got {got}")));
    }
    // SAFETY: a function is at 2; `callback` checks that the address is one of its own.
    unsafe { callback::set(cx, cd.address.cast_const().cast(), 2)? };
    Ok(Outcome::results(0))
}
