//! The use of a table, for its host: libraries, symbols, callbacks, bytes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::CString;

use rustc_hash::FxHashMap;

use super::Sandbox;
use crate::code::Thunk;
use crate::lua::state::State;
use crate::lua::state::rooms::Part;

/// A symbol that was looked up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lua) struct LookedUp {
    pub(in crate::lua) name: CString,
    pub(in crate::lua) address: usize,
    /// The identity of the library.
    pub(in crate::lua) library: usize,
}

/// The use of a state.
#[derive(Default)]
pub(in crate::lua) struct Inventory {
    /// Symbols that were looked up.
    pub(in crate::lua) symbols: RefCell<BTreeSet<LookedUp>>,
    /// Callbacks that are in use.
    pub(in crate::lua) callbacks: Cell<usize>,
    /// Thunks, by address: bytes.
    pub(in crate::lua) thunks: RefCell<FxHashMap<usize, u32>>,
    /// Bytes of the texts that were parsed.
    pub(in crate::lua) text_bytes: Cell<usize>,
    /// Bytes of the C values that were in use at the last count, and of those made since; where they are limited.
    pub(in crate::lua) owned_bytes: Cell<usize>,
}

impl Inventory {
    /// Whether a thunk is in use.
    pub(in crate::lua) fn has(&self, thunk: Thunk) -> bool {
        self.thunks.borrow().contains_key(&(thunk.address() as usize))
    }

    pub(super) fn add_thunk(&self, thunk: Thunk) {
        self.thunks.borrow_mut().insert(thunk.address() as usize, thunk.size());
    }

    pub(in crate::lua) fn add_symbol(&self, name: CString, address: usize, library: usize) {
        self.symbols.borrow_mut().insert(LookedUp { name, address, library });
    }
}

impl State {
    /// The libraries, symbols and bytes that it uses.
    pub(in crate::lua) fn inventory(&self) -> &Inventory {
        &Sandbox::of(self).inventory
    }
}
