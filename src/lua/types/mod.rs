//! Facts about C types that the run time asks for.
//!
//! | module | |
//! |---|---|
//! | [`kind`] | kind, size and alignment of a type |
//! | [`compatible`] | which pointers convert to which without a cast |
//! | [`scope`] | `ffi.scope`: declarations of one table |
//! | [`entries`] | the numbers of types, for `ffi.typeinfo` |

pub(in crate::lua) mod compatible;
pub(in crate::lua) mod entries;
pub(in crate::lua) mod kind;
pub(in crate::lua) mod scope;

use std::cell::RefCell;

use crate::lua::state::rooms::{Part, Room};

/// The knowledge of types of a state, besides the declarations.
#[derive(Default)]
pub(in crate::lua) struct Types {
    /// The facts that were found, by type: *Boxed* (see `state`).
    infos: RefCell<Vec<Option<Box<kind::TypeInfo>>>>,
    entries: RefCell<entries::Entries>,
}

// SAFETY: the only part of its room.
unsafe impl Part for Types {
    const ROOM: Room = Room::Types;
}
