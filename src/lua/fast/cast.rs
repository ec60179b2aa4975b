//! `ffi.cast` from pointers, arrays and structs to pointers, without Lua's C API: for pairs of types that the general code of
//! [`crate::lua::object::make`] has cast before.

use super::new;
use crate::ctype::QualType;
use crate::lua::state::head::Head;
use crate::lua::state::recall::View;
use crate::lua::state::{Cx, State};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::value::direct;
use crate::lua::vm::api::lua_State;
use crate::lua::vm::memory::Call;

/// Tells the types apart that values with one metatable are cast to.
fn salt(ty: u32) -> u32 {
    ty >> 4
}

/// Remembers that the cdata at stack index 2 was cast to pointers of type `ty`, the one on top of the stack.
pub(super) fn learn(cx: &Cx<'_>, ty: QualType) {
    let (Some(operand), Some(pointer)) = (cdata::at(cx, 2), cdata::at(cx, -1)) else { return };
    let Kind::Pointer(to) = cx.state.kind(ty) else { return };
    let by_header = match cx.state.kind(operand.ty) {
        // Each cast to a function pointer is checked.
        _ if cx.state.kind(to) == Kind::Function => false,
        Kind::Pointer(from) => cx.state.kind(from) != Kind::Function,
        Kind::Array(..) | Kind::Record(_) => true,
        _ => false,
    };
    if by_header && operand.address == pointer.address {
        cx.get_metatable(2);
        let metatable = cx.identity(-1);
        cx.pop(1);
        let pointers = cdata::metatable(cx, ty);
        let ty = ty.to_bits();
        cx.state.head().views.set(metatable, salt(ty), View { ty, pointers });
    }
}

/// Pushes what the value at 2 is as a pointer of the type that argument 1 names; false where that is not done here.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - *Raise* (out of memory).
/// - There are two arguments.
pub(in crate::lua) unsafe fn push(
    lua: *mut lua_State,
    call: Call,
    head: &Head,
    state: &State,
) -> bool {
    let (Some(ty), Some(operand)) =
        (new::named_type(state, call.argument(1)), call.argument(2).userdata())
    else {
        return false;
    };
    let view = head.views.get(operand.metatable(), salt(ty)).filter(|view| view.ty == ty);
    let Some(view) = view else { return false };
    // SAFETY: *Fast function*, with two arguments, kept by the caller; the metatable says that the operand is a cdata.
    unsafe {
        let address = (*operand.block::<Header>()).address;
        let header = Header { ty, flags: Flags::POINTER, address };
        direct::push_derived(lua, call, 2, view.pointers, header)
    }
}
