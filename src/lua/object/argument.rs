//! Arguments of the functions of the `ffi` table.

use std::ffi::c_int;

use crate::ctype::{IntKind, TypeId};
use crate::lua::state::{Cx, LuaError};
use crate::lua::value::to_c::{self};
use crate::lua::vm::api::LuaType;

pub(in crate::lua) fn expect_value(cx: &Cx<'_>, n: c_int) -> Result<(), LuaError> {
    match cx.type_of(n) {
        LuaType::None => Err(LuaError::Argument(n, "value expected".into())),
        _ => Ok(()),
    }
}

/// Argument `n` as an integer.
pub(in crate::lua) fn integer(cx: &Cx<'_>, n: c_int) -> Result<i64, LuaError> {
    expect_value(cx, n)?;
    let mut value = 0_i64;
    let ty = TypeId::int(IntKind::I64).into();
    // SAFETY: the variable is an `int64_t`.
    unsafe { to_c::to_c(cx, n, ty, (&raw mut value).cast()) }.map_err(|e| e.at_argument(n))?;
    Ok(value)
}

/// Argument `n` as a number of bytes.
pub(in crate::lua) fn length(cx: &Cx<'_>, n: c_int) -> Result<usize, LuaError> {
    let bytes = integer(cx, n)?;
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(|| LuaError::Argument(n, format!("number of bytes out of range: {bytes}")))
}
