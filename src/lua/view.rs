//! `ffi.cast` of pointers, arrays and structs to pointers, in place: for pairs of types that went through the general code of
//! [`super::functions`] before.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use super::api::lua_State;
use super::cdata::{self, Flags, Header};
use super::head::Head;
use super::kind::Kind;
use super::make;
use super::stack::{self, Call};
use super::state::{Cx, State};
use crate::ctype::QualType;

/// A cast that is its operand's address.
#[derive(Clone, Copy)]
struct View {
    /// The operand's metatable.
    metatable: *const c_void,
    /// The bits of the pointer type.
    ty: u32,
    /// The metatable of such pointers.
    pointers: *const c_void,
}

/// What is known, by a hash of the operand's metatable and the type.
pub(super) struct Views([Cell<View>; 16]);

impl View {
    /// Of no cdata.
    const NONE: View =
        View { metatable: ptr::without_provenance(usize::MAX), ty: 0, pointers: ptr::null() };
}

impl Default for Views {
    fn default() -> Views {
        Views([const { Cell::new(View::NONE) }; 16])
    }
}

impl Views {
    fn entry(&self, metatable: *const c_void, ty: u32) -> &Cell<View> {
        let hash = (metatable as usize >> 5) ^ (metatable as usize >> 10) ^ (ty as usize >> 4);
        &self.0[hash % self.0.len()]
    }

    /// Knows nothing any more.
    pub(super) fn forget(&self) {
        self.0.iter().for_each(|view| view.set(View::NONE));
    }
}

/// Remembers that the cdata at stack index 2 was cast to pointers of type `ty`, the one on top of the stack.
pub(super) fn learn(cx: &Cx<'_>, ty: QualType) {
    if !cx.state.in_place || cx.state.checked() {
        return;
    }
    let (Some(operand), Some(pointer)) = (cdata::at(cx, 2), cdata::at(cx, -1)) else { return };
    let Kind::Pointer(to) = cx.state.kind(ty) else { return };
    let by_header = match cx.state.kind(operand.ty) {
        // What may be called is looked at each time.
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
        let entry = cx.state.head().views.entry(metatable, ty.to_bits());
        entry.set(View { metatable, ty: ty.to_bits(), pointers });
    }
}

/// Pushes what the value at 2 is as a pointer of the type that argument 1 names; false where that is not done here.
///
/// # Safety
/// As for [`Call::of`], of a state in place; there are two arguments. May raise (out of memory).
pub(super) unsafe fn push(lua: *mut lua_State, call: Call, head: &Head, state: &State) -> bool {
    let (Some(ty), Some(operand)) =
        (make::named_type(state, call.argument(1)), call.argument(2).userdata())
    else {
        return false;
    };
    let view = head.views.entry(operand.metatable(), ty).get();
    if view.metatable != operand.metatable() || view.ty != ty {
        return false;
    }
    // SAFETY: the caller's promise; the metatable says that the operand is a cdata.
    unsafe {
        let address = (*operand.block::<Header>()).address;
        let header = Header { ty, flags: Flags::POINTER, address };
        stack::push_derived(lua, call, 2, view.pointers, header)
    }
}
