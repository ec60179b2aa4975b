//! Fast paths: operations of other rooms without Lua's C API. A fast path handles the types that the general code has handled before, and calls
//! the general code for all others.
//!
//! | module | |
//! |---|---|
//! | [`access`] | fields and elements |
//! | [`accessor`] | the functions that read and write them |
//! | [`mod@pointer`] | `p + n`, `p - n`, comparisons |
//! | [`operator`] | operators of metatypes |
//! | [`new`] | `ffi.new` |
//! | [`cast`] | `ffi.cast` between pointers |
//! | [`new_callback`] | `ffi.cast` of Lua functions, `callback:free()` |
//! | [`bytes`] | `ffi.string`, `ffi.copy`, `ffi.fill` |
//!
//! # Invariants
//!
//! - **Fast function**: *C function* and *Layout* (see `vm`), and *Upvalue 1* (see `state`). The head of a closed state accepts nothing and knows
//!   nothing.
//! - **Metamethod**: *Fast function*, of a closure of `access::set_closures`, which keeps its `Places` alive.
//! - **Part**: *Metamethod*; `part` is one of its parts, and an object of that part's type is at `address`. Where a pointer of a script led there,
//!   the script answers for it. The slot is that of the key, or of the value to write.

pub(in crate::lua) mod access;
mod accessor;
pub(in crate::lua) mod bytes;
pub(in crate::lua) mod cast;
pub(in crate::lua) mod new;
pub(in crate::lua) mod new_callback;
pub(in crate::lua) mod operator;
pub(in crate::lua) mod pointer;

use std::cell::{Cell, RefCell};

use crate::ctype::QualType;
use crate::lua::object::ctypes;
use crate::lua::object::metatype;
use crate::lua::state::rooms::{Part, Room};
use crate::lua::state::{Anchor, Cx};

/// The memory of fast functions in a state.
#[derive(Default)]
pub(in crate::lua) struct Fast {
    /// The last callback's type.
    recent: Cell<new_callback::Recent>,
    /// How values are made, each `TypeInfo::maker`: *Boxed* (see `state`).
    #[allow(clippy::vec_box, reason = "their addresses are kept")]
    makers: RefCell<Vec<Box<new::Maker>>>,
    /// Texts that name types.
    texts: new::Texts,
}

// SAFETY: the only part of its room.
unsafe impl Part for Fast {
    const ROOM: Room = Room::Fast;
}

/// Puts fast functions in place of the general ones, in a state that has the latter.
pub(in crate::lua) fn install(cx: &Cx<'_>) {
    if !cx.state.ways.values {
        return;
    }
    cx.push_anchor(Anchor::Metamethods);
    for (operator, function) in operator::OPERATORS.into_iter().chain(pointer::OPERATORS) {
        cx.push_bytes(operator.event());
        cx.push_function(function, 1);
        cx.raw_set_name(-2, operator.event());
    }
    cx.pop(1);
    access::keep_index_event(cx);
    if cx.state.ways.new {
        ctypes::push_metatable(cx);
        cx.push_function(new::CONSTRUCT, 0);
        cx.raw_set_name(-2, b"__call");
        cx.pop(1);
    }
}

/// The same for the functions of an `ffi` table, which is on top of the stack. `outermost`: it is that of the outermost scope, whose
/// type texts are remembered.
pub(in crate::lua) fn install_functions(cx: &Cx<'_>, outermost: bool) {
    if !cx.state.ways.values {
        return;
    }
    let new = (outermost && cx.state.ways.new).then_some((&b"new"[..], new::NEW));
    let cast = outermost.then_some((&b"cast"[..], new_callback::CAST));
    for (name, function) in bytes::FUNCTIONS.into_iter().chain(new).chain(cast) {
        cx.push_function(function, 0);
        cx.raw_set_name(-2, name);
    }
}

/// Pushes a new metatable for the cdata of a type, with fast functions where the state may have them.
pub(in crate::lua) fn push_metatable(cx: &Cx<'_>, ty: QualType, finalized: bool) {
    metatype::push_new_metatable(cx, ty, finalized);
    if !cx.state.ways.values {
        return;
    }
    if cx.state.is_function_pointer(ty) {
        cx.raw_get_name(-1, b"__index");
        cx.push_function(new_callback::FREE, 0);
        cx.raw_set_name(-2, b"free");
        cx.pop(1);
    } else {
        access::set_closures(cx, ty.id().into());
    }
}
