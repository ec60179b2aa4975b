//! The entries of `ffi.typeinfo` that have a number.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::Types;
use crate::ctype::{EnumId, QualType, RecordId, TypeId};
use crate::lua::state::State;
use crate::lua::state::rooms::Part;

/// The subject of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::lua) enum Node {
    /// A type without alignment attributes.
    Type(QualType),
    /// A member of a struct or union, by its place.
    Member(RecordId, usize),
    /// A parameter of a function, by its place.
    Parameter(TypeId, usize),
    /// An enumerator, by its place.
    Constant(EnumId, usize),
    /// A name that LuaJIT knows from the start, for an entry.
    Typedef(&'static str, u32),
    /// The type of ctypes.
    CtypeId,
    /// Nothing.
    None,
}

/// The numbers of entries.
#[derive(Debug, Default)]
pub(in crate::lua) struct Entries {
    pub(in crate::lua) nodes: Vec<Node>,
    pub(in crate::lua) numbers: FxHashMap<Node, u32>,
}

impl State {
    /// The numbers of entries.
    pub(in crate::lua) fn type_entries(&self) -> &RefCell<Entries> {
        &Types::of(self).entries
    }
}
