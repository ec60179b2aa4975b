//! `ffi.explain`: the places of a function's arguments, as text.

use crate::ctype::Declarations;
use crate::error::Error;
use crate::explain::{overview, overview_of};
use crate::lua::object::ctypes;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::value::to_c;
use crate::lua::vm::api::LuaType;
use crate::policy::Permissions;
use crate::target::Target;

/// `ffi.explain(declaration | function | ct [, target])`: of a function the registers and stack slots of a call, drawn and as a
/// table, of another type its layout.
///
/// A declaration without a target may use the types that the program has declared; with a target, a triple such as
/// `"aarch64-apple-darwin"`, it stands alone, as other types have other sizes there.
pub(in crate::lua) fn explain(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.state.permit(Permissions::EXPLAIN)?;
    let is_text = cx.type_of(1) == LuaType::String;
    let text = match target(cx)? {
        Some(target) if is_text => {
            let mut declarations = Declarations::new(&target);
            overview(&mut declarations, declaration(cx)?, &[], &target)
        }
        Some(_) => {
            let got = to_c::describe(cx, 1);
            let message = format!("with a target, a declaration as text expected, got {got}");
            return Err(LuaError::Argument(1, message));
        }
        None if is_text => {
            let mut declarations = cx.state.types.borrow().clone();
            overview(&mut declarations, declaration(cx)?, &[], &cx.state.machine.target)
        }
        None => {
            let ty = ctypes::argument(cx, 1)?;
            overview_of(cx.state.types.borrow().table(), ty, "", &[], &cx.state.machine.target)
        }
    };
    let text = text?;
    cx.push_bytes(text.as_bytes());
    Ok(Outcome::results(1))
}

fn declaration<'s>(cx: &'s Cx<'_>) -> Result<&'s str, LuaError> {
    let text = cx.bytes(1).map(str::from_utf8);
    match text {
        Some(Ok(text)) => Ok(text),
        _ => Err(LuaError::Argument(1, "the declaration is not UTF-8".into())),
    }
}

/// The triple at 2, if there is one.
fn target(cx: &Cx<'_>) -> Result<Option<Target>, LuaError> {
    if matches!(cx.type_of(2), LuaType::None | LuaType::Nil) {
        return Ok(None);
    }
    let Some(Ok(triple)) = cx.bytes(2).map(str::from_utf8) else {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("target triple expected, got {got}")));
    };
    let target = triple.parse().map_err(|error: Error| LuaError::Argument(2, error.to_string()))?;
    Ok(Some(target))
}
