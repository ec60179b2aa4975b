//! The rules of a checked state for callbacks: the types that they may have, and the pointers that they may return to C.

use std::ffi::{c_int, c_void};

use super::transition::{self, Caught, keeping_errno};
use crate::ctype::{Contract, Function, IntKind, QualType, TypeId};
use crate::lua::state::head::Head;
use crate::lua::state::{Anchor, Cx, LuaError, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::extent::{self, Access, Reach};
use crate::lua::vm::api::lua_State;

/// CODE-2: the types of the host's declarations that a callback of type `ty` has; the type alone, where contracts are not asked
/// for.
///
/// # Errors
/// The host declares no such type; the result is a pointer, and C does not take NULL, which it gets where a callback fails.
pub(super) fn permit_type(cx: &Cx<'_>, ty: TypeId) -> Result<Vec<TypeId>, LuaError> {
    if !cx.state.asks_for_contracts() {
        return Ok(vec![ty]);
    }
    let declared = cx.state.host_types_like(ty);
    if declared.is_empty() {
        let ty = cx.state.repr(cx.state.pointer_to(ty));
        return Err(LuaError::new(format!(
            "not permitted: a callback of type '{ty}', which the host's declarations do not have"
        )));
    }
    for ty in &declared {
        cx.state.permit_fallible(*ty)?;
    }
    Ok(declared)
}

fn promises(function: Option<&Function>, contract: &Contract) -> bool {
    function.is_some_and(|function| function.contracts.contains(contract))
}

/// Whether each function type as which C has the callback at `address`, of type `function`, has a contract.
fn all_promise(
    cx: &Cx<'_>,
    (function, address): (TypeId, *const c_void),
    contract: &Contract,
) -> bool {
    let passed = cx.state.given().passed.borrow();
    let passed = passed.get(&(address as usize)).into_iter().flatten().copied();
    let types = cx.state.types.borrow();
    [function].into_iter().chain(passed).all(|ty| promises(types.table().function(ty), contract))
}

/// CALL-3: keeps the pointer of type `ty` that C passed to a callback as parameter `index`, as what C gave out. Where contracts are asked for, each
/// type as which C has the callback has to trust it, and a script that calls its own callback gives nothing out.
///
/// # Safety
/// - `value` is readable for the size of its type.
pub(super) unsafe fn learn_argument(
    cx: &Cx<'_>,
    function: (TypeId, *const c_void),
    index: usize,
    ty: QualType,
    value: *const u8,
) {
    let contract = Contract::Trusted { param: index as u32 };
    let given = !cx.state.asks_for_contracts()
        || cx.state.given().target.get() != function.1 && all_promise(cx, function, &contract);
    if given {
        // SAFETY: `value` is readable, as the caller promises; it comes from C.
        unsafe { State::learn_result(cx, ty, value) };
    }
}

/// CALL-5: holds the pointer of type `ty` that a callback returns, the Lua value at `index`, to the host's contracts, and keeps alive what it leads to until
/// the C function that called has returned.
///
/// # Errors
/// It is neither NULL nor what C gave out; with `trusted(0)`, it does not lead to a value of its type either.
pub(super) fn permit_result(
    cx: &Cx<'_>,
    function: (TypeId, *const c_void),
    index: c_int,
    ty: QualType,
    value: usize,
) -> Result<(), LuaError> {
    let Kind::Pointer(to) = cx.state.kind(ty) else { return Ok(()) };
    if !cx.state.asks_for_contracts() || value == 0 {
        return Ok(());
    }
    if cx.state.kind(to) == Kind::Function {
        return cx.state.pass_function(cx.state.resolve(to).id(), value);
    }
    let trusted = all_promise(cx, function, &Contract::TrustedResult);
    let reach = extent::of_argument(cx, index, value);
    let opaque = cx.state.size(to).is_none() && cx.state.kind(to) != Kind::Void;
    match reach {
        Reach::Known(_) if trusted && !opaque => {
            permit_value(cx, reach, ty, to, value)?;
            cx.state.given().hold_result(value);
            keep(cx)
        }
        Reach::Foreign if cx.state.is_handle(to, value) => {
            cx.state.given().hold_result(value);
            Ok(())
        }
        _ => Err(cx.state.not_given(ty)),
    }
}

/// # Errors
/// There is no value of the type that `ty` points to, no text of a `char *`.
fn permit_value(
    cx: &Cx<'_>,
    reach: Reach,
    ty: QualType,
    to: QualType,
    address: usize,
) -> Result<(), LuaError> {
    let access = if to.is_const() { Access::Read } else { Access::Write };
    let size = match cx.state.kind(to) {
        Kind::Int(IntKind::Char) => {
            let room = reach.room(cx, ty, address, access)?;
            // SAFETY: so many bytes are there, and anchored.
            let text = unsafe { std::slice::from_raw_parts(address as *const u8, room) };
            let end = text.iter().position(|byte| *byte == 0);
            end.ok_or_else(|| LuaError::new(format!("no NUL within {room} bytes")))? + 1
        }
        _ => cx.state.size(to).unwrap_or(0),
    };
    if cx.state.types.borrow().table().holds_pointers(to) {
        return Err(cx.state.not_given(ty));
    }
    reach.permit(cx, ty, address, size, access)
}

/// Keeps the value on top of the stack until the C call in progress has returned.
fn keep(cx: &Cx<'_>) -> Result<(), LuaError> {
    if !super::any_runs(cx.state) || cx.state.given().target.get().is_null() {
        return Err(LuaError::new("no call of C is in progress that could keep the memory"));
    }
    let count = cx.state.given().returned.get() + 1;
    cx.push_anchor(Anchor::Returned);
    cx.push_value(-2);
    cx.raw_set_integer(-2, count as i64);
    cx.pop(1);
    cx.state.given().returned.set(count);
    Ok(())
}

/// [`transition::across`] for a call of the function at `target`: callbacks find it there, and what they return to it is let go of when it has
/// returned.
///
/// # Errors
/// As `across`.
///
/// # Safety
/// - *C function* (see `vm`), of the head's state.
/// - *Raise*.
#[inline(always)]
pub(in crate::lua) unsafe fn during(
    lua: *mut lua_State,
    head: &Head,
    target: *const c_void,
    native: impl FnOnce(),
) -> Result<(), Caught> {
    // SAFETY: *Open*: a state does not close while it calls C.
    let Some(state) = (unsafe { head.state() }).filter(|state| state.checked()) else {
        return transition::across(lua, head, native);
    };
    let before = state.given().returned.get();
    let given = state.given();
    let (outer, calls) = (given.target.replace(target), given.calls.get());
    given.calls.set(calls + 1);
    let outcome = transition::across(lua, head, native);
    given.target.set(outer);
    given.calls.set(calls);
    keeping_errno(|| given.let_go());
    if state.given().returned.get() > before {
        // SAFETY: *C function* and *Raise*, kept by the caller.
        keeping_errno(|| unsafe {
            guard_in(lua, head, |cx| {
                let_go_of_results(cx, before);
                Ok(0)
            })
        });
    }
    outcome
}

/// Lets go of what callbacks returned since there was so much of it.
fn let_go_of_results(cx: &Cx<'_>, before: usize) {
    cx.push_anchor(Anchor::Returned);
    for n in before + 1..=cx.state.given().returned.replace(before) {
        cx.push_nil();
        cx.raw_set_integer(-2, n as i64);
    }
    cx.pop(1);
}
