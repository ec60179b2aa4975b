//! The Lua tables of a state.

use std::ffi::c_void;

use super::{Cx, State};
use crate::lua::vm::api;

/// A Lua table that belongs to a [`State`], kept in the registry under an address inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Anchor {
    /// The `ffi` table.
    Library,
    /// The table that every metatable of cdata is copied from.
    Metamethods,
    /// `ffi.metatype`: type → metatable.
    Metatypes,
    /// `ffi.gc`: cdata → finaliser, with weak keys; token → finaliser where they run late.
    Finalizers,
    /// ctype objects by the bits of their type.
    Ctypes,
    /// Parsed type texts: text → the bits of the type. A text is never taken out: fast paths have its address.
    TypeTexts,
    /// The metatable of function records; see [`crate::lua::call`].
    Functions,
    /// The metatable of scopes; see [`crate::lua::types::scope`].
    Scopes,
    /// The closures that call function pointers, by function type.
    Pointers,
    /// At 1 the error that a callback caught, while the state's [`Boundary`](super::boundary::Boundary) says so.
    Pending,
    /// Callbacks made from Lua functions that were passed as they are: function → type → address.
    Implicit,
    /// The Lua functions of callbacks that are not on a shelf, by place.
    Callbacks,
    /// The threads of [`shelf`](pinned)s, by number.
    Shelves,
    /// At 1 the metatable of userdata that own memory of the guest; see [`crate::lua::call::guest`].
    Memory,
    /// `ffi.target`: triple → library.
    Targets,
    /// The values that unfinished calls of `ffi.async` need, by number; at 0 the metatable of tasks.
    Tasks,
    /// At 1 the metatable of regions; see [`crate::lua::sandbox::region`].
    Regions,
    /// Objects that are found by addresses in their memory: first byte → object, with weak values.
    Known,
    /// Where the bytes of C values are limited: value → bytes, with weak keys.
    Owned,
    /// The strings of `Head::strings`, by place.
    Strings,
    /// The namespaces of libraries, as weak keys.
    Namespaces,
    /// Cdata that Lua has collected, each after its finaliser, where finalisers wait; see [`super::watch`].
    Dead,
    /// Where calls are checked: the records of functions, as weak keys; see [`crate::lua::call`].
    Records,
    /// The values that callbacks of a checked state returned to C functions that are still running.
    Returned,
}

impl Anchor {
    pub(super) const ALL: [Anchor; 24] = [
        Anchor::Library,
        Anchor::Metamethods,
        Anchor::Metatypes,
        Anchor::Finalizers,
        Anchor::Ctypes,
        Anchor::TypeTexts,
        Anchor::Functions,
        Anchor::Scopes,
        Anchor::Pointers,
        Anchor::Pending,
        Anchor::Implicit,
        Anchor::Callbacks,
        Anchor::Shelves,
        Anchor::Memory,
        Anchor::Targets,
        Anchor::Tasks,
        Anchor::Regions,
        Anchor::Known,
        Anchor::Owned,
        Anchor::Strings,
        Anchor::Namespaces,
        Anchor::Dead,
        Anchor::Records,
        Anchor::Returned,
    ];
}

impl State {
    fn anchor(&self, anchor: Anchor) -> *const c_void {
        (&raw const self.anchors[anchor as usize]).cast()
    }
}

impl Cx<'_> {
    /// Pushes a table of the state.
    pub(in crate::lua) fn push_anchor(&self, anchor: Anchor) {
        self.get_registry(self.state.anchor(anchor));
    }

    /// Pops a table into its place.
    pub(in crate::lua) fn set_anchor(&self, anchor: Anchor) {
        self.set_registry(self.state.anchor(anchor));
    }

    /// Makes every table of the state, empty.
    pub(in crate::lua) fn make_anchors(&self) {
        for anchor in Anchor::ALL {
            self.new_table(0, 0);
            let weak = anchor == Anchor::Finalizers && !api::LATE_FINALIZERS;
            if weak || matches!(anchor, Anchor::Owned | Anchor::Namespaces | Anchor::Records) {
                self.new_table(0, 1);
                self.push_bytes(b"k");
                self.raw_set_name(-2, b"__mode");
                self.set_metatable(-2);
            }
            self.set_anchor(anchor);
        }
    }
}
