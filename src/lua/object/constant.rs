//! Constants of C as Lua values: constants of a namespace or a struct, and `ffi.eval`.

use crate::ctype::{Constant, Goal, IntKind, QualType};
use crate::lua::sandbox::declare;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::scalar::{self, Scalar};
use crate::lua::value::to_c;
use crate::lua::value::to_lua;
use crate::policy::Permissions;

/// Pushes the value of a declared constant: a number wherever it fits into a Lua integer.
pub(in crate::lua) fn push(cx: &Cx<'_>, ty: QualType, value: Constant) -> Result<(), LuaError> {
    match value {
        Constant::Int(n) if i64::try_from(n).is_ok() => {
            cx.push_integer(n as i64);
            Ok(())
        }
        _ => push_typed(cx, ty, value),
    }
}

/// Pushes a constant as a C value of its type arrives in Lua.
fn push_typed(cx: &Cx<'_>, ty: QualType, value: Constant) -> Result<(), LuaError> {
    let scalar = match value {
        Constant::Float(n) => Scalar::Float(n),
        Constant::Int(n) => Scalar::Signed(n),
    };
    let kind = cx.state.value_kind(ty);
    if to_lua::push_number(cx, kind, scalar) {
        return Ok(());
    }
    match kind {
        Kind::Int(int) => {
            let bytes = cdata::push_value(cx, ty, int.size() as usize, false)?;
            // SAFETY: the new cdata has the size of the type.
            unsafe { scalar::store_int(int, bytes, scalar.to_bits(IntKind::U128)) };
        }
        Kind::Pointer(_) => {
            if scalar.truth() {
                cx.state.permit(Permissions::INTEGER_TO_POINTER)?;
            }
            cdata::push_pointer(cx, ty, scalar.to_i64() as usize as *mut u8, 0);
        }
        _ => return Err(LuaError::new("a constant is not a number")),
    }
    Ok(())
}

/// `ffi.eval(text, ...)`: the value of a constant expression of C, as if a C function had returned it. `$` in the text stand
/// for the further arguments.
pub(in crate::lua) fn eval(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let Some(text) = cx.bytes(1) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    };
    cx.state.permit_text(text.len())?;
    let params = super::ctypes::params(cx, text, 2)?;
    let (ty, value) = declare::in_scope(cx, Goal::CONSTANT, text, &params)?;
    push_typed(cx, ty, value)?;
    Ok(Outcome::results(1))
}
