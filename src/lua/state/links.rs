//! Functions of later rooms that earlier rooms call. Each is set once, when the library opens.

use std::cell::Cell;

use super::Cx;
use crate::ctype::QualType;

/// The functions.
pub(in crate::lua) struct Links {
    /// Pushes a new metatable for the cdata of a type; with `__gc` if they have a finaliser.
    pub(in crate::lua) push_metatable: Cell<fn(&Cx<'_>, QualType, bool)>,
}

impl Default for Links {
    fn default() -> Links {
        Links { push_metatable: Cell::new(|_, _, _| unreachable!("the library is open")) }
    }
}
