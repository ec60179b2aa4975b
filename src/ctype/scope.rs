//! The name spaces of one scope: names and their meanings.

use rustc_hash::FxHashMap;

use super::decls::{Entry, Tag, TagEntry};
use super::preprocess::Macro;
use super::table::make_room;
use super::{Decl, Name};

/// A scope of one [`super::Declarations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeId(pub(super) u32);

impl ScopeId {
    /// The outermost scope, which every program begins in.
    pub const ROOT: ScopeId = ScopeId(0);
}

/// The declarations of a scope. C has one name space for ordinary identifiers and one for tags.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) id: ScopeId,
    /// Where names are looked up that this scope does not declare.
    pub(super) parent: Option<ScopeId>,
    /// The ordinary names, into `entries`.
    pub(super) ordinary: Slots,
    pub(super) entries: Vec<Entry>,
    /// The tags, into `tags`.
    pub(super) tag_slots: Slots,
    pub(super) tags: Vec<TagEntry>,
    /// The macros; `None` where one of an outer scope was undefined.
    pub(super) macros: FxHashMap<Box<[u8]>, Option<Macro>>,
    /// How many of them texts must be expanded for.
    pub(super) texts: usize,
}

impl Scope {
    pub(super) fn root() -> Scope {
        Scope {
            id: ScopeId::ROOT,
            parent: None,
            ordinary: Slots::Dense(Vec::new()),
            entries: Vec::new(),
            tag_slots: Slots::Dense(Vec::new()),
            tags: Vec::new(),
            macros: FxHashMap::default(),
            texts: 0,
        }
    }

    pub(super) fn inside(parent: ScopeId, id: ScopeId) -> Scope {
        Scope {
            id,
            parent: Some(parent),
            ordinary: Slots::Sparse(FxHashMap::default()),
            tag_slots: Slots::Sparse(FxHashMap::default()),
            ..Scope::root()
        }
    }

    /// The meaning of an ordinary name, if this scope declares it.
    pub(super) fn decl(&self, name: Name) -> Option<&Decl> {
        Some(&self.entries[self.ordinary.get(name)?].decl)
    }

    /// The record or enum of a tag, if this scope declares it.
    pub(super) fn tag(&self, name: Name) -> Option<Tag> {
        Some(self.tags[self.tag_slots.get(name)?].tag)
    }
}

/// A name space: positions by interned name.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// By the number of the name: for the outermost scope, which declares most names.
    Dense(Vec<u32>),
    /// For scopes that declare a few of many names.
    Sparse(FxHashMap<Name, u32>),
}

impl Slots {
    pub(super) fn get(&self, name: Name) -> Option<usize> {
        match self {
            Slots::Dense(slots) => Some(slots.get(name.position())?.checked_sub(1)? as usize),
            Slots::Sparse(slots) => Some(*slots.get(&name)? as usize),
        }
    }

    pub(super) fn set(&mut self, name: Name, position: Option<usize>) {
        let number = |position| u32::try_from(position).expect("fewer than 2^32 declarations");
        match (self, position) {
            (Slots::Dense(slots), position) => {
                let slot = name.position();
                if slot >= slots.len() {
                    slots.resize(slot + 1, 0);
                }
                slots[slot] = number(position.map_or(0, |position| position + 1));
            }
            (Slots::Sparse(slots), Some(position)) => {
                slots.insert(name, number(position));
            }
            (Slots::Sparse(slots), None) => {
                slots.remove(&name);
            }
        }
    }

    /// Makes room for this number of further names, if it costs little memory.
    pub(super) fn reserve(&mut self, names: usize) {
        if let Slots::Dense(slots) = self {
            make_room(slots, names);
        }
    }

    /// Forgets the names that are no longer interned; none of them has a position.
    pub(super) fn truncate(&mut self, names: usize) {
        if let Slots::Dense(slots) = self {
            slots.truncate(names);
        }
    }
}
