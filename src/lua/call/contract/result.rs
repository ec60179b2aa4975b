//! What the result of a C function says: handles, functions of C, memory that is known from then on.

use std::ffi::{CStr, c_void};

use super::Function;
use crate::ctype::{Contract, IntKind, QualType, TypeId};
use crate::lua::callback;
use crate::lua::sandbox::region;
use crate::lua::state::{Cx, State};
use crate::lua::types::kind::Kind;

/// Keeps what a result says about the memory and the functions of C: handles, functions, and the memory that a trusted result leads to. Returns
/// whether what keeps that memory known was pushed. A callback of a script gives nothing out (CALL-3).
///
/// # Safety
/// - `value` is the result, of type `ty`, of the function at `target`.
pub(in crate::lua::call) unsafe fn learn_result(
    cx: &Cx<'_>,
    record: &Function,
    target: *const c_void,
    ty: QualType,
    value: *const u8,
) -> bool {
    let Kind::Pointer(to) = cx.state.kind(ty) else { return false };
    if !cx.state.checked() {
        // SAFETY: as below.
        unsafe { State::learn_result(cx, ty, value) };
        return false;
    }
    if callback::is_callback(target) {
        return false;
    }
    let declared = |n| cx.state.declared_function(record.ty, target, n);
    // SAFETY: `value` is the result of a function of C, as the caller promises.
    unsafe {
        // A script's type may have other contracts for a function that the result leads to.
        match declared(0).filter(|_| cx.state.is_function_pointer(ty)) {
            None => State::learn_result(cx, ty, value),
            Some(_) => (0..).map_while(declared).for_each(|function| {
                let types = cx.state.types.borrow();
                let result = types.table().function(function).map_or(ty, |known| known.result);
                drop(types);
                State::learn_result(cx, result, value);
            }),
        }
        if all_promise(cx, record, target, &Contract::Acquires) {
            cx.state.acquire_handle(cx.state.load_pointer(value) as usize);
        }
        all_promise(cx, record, target, &Contract::TrustedResult) && trust(cx, to, value)
    }
}

/// Whether every declaration of the host for an address has a contract.
fn all_promise(cx: &Cx<'_>, record: &Function, target: *const c_void, contract: &Contract) -> bool {
    let trusts = |ty: TypeId| {
        let types = cx.state.types.borrow();
        let function = types.table().function(ty);
        function.is_some_and(|function| function.contracts.contains(contract))
    };
    let declared = |n| cx.state.declared_function(record.ty, target, n);
    match declared(0) {
        _ if !cx.state.checked() => false,
        None => trusts(record.ty),
        Some(_) => (0..).map_while(declared).all(trusts),
    }
}

/// Makes the memory known that the pointer at `value` leads to, to a `to`, unless it is. Returns whether what keeps it known was pushed.
///
/// # Safety
/// - `value` is a pointer that the host trusts.
unsafe fn trust(cx: &Cx<'_>, to: QualType, value: *const u8) -> bool {
    // SAFETY: `value` is a pointer, as the caller promises; for the text behind it the host answers.
    let (address, bytes) = unsafe {
        let address = cx.state.load_pointer(value);
        let bytes = match (address.is_null(), cx.state.kind(to)) {
            (true, _) => return false,
            (_, Kind::Int(IntKind::Char)) => {
                CStr::from_ptr(address.cast_const().cast()).count_bytes() + 1
            }
            _ => cx.state.size(to).unwrap_or(0),
        };
        (address as usize, bytes)
    };
    if region::resolve(cx, address) {
        let is_older = region::at(cx, -1).is_some();
        cx.pop(1);
        if !is_older {
            return false;
        }
    }
    region::push_given(cx, to, address, bytes);
    region::note(cx, address, bytes);
    true
}
