//! Facts that the general code finds while it runs, for its caller: fast paths remember them.

use std::cell::Cell;
use std::ffi::c_int;

use super::Cx;
use crate::ctype::{Bits, QualType};

/// A fact about the values of the running function. Stack indices are those of its arguments.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lua) enum Learnt {
    #[default]
    Nothing,
    /// Argument 1 is a type text of the outermost scope, and names this type for good.
    Text(QualType),
    /// The key at 2 leads to an object in the cdata at 1.
    Place { ty: QualType, address: *const u8, bits: Option<Bits> },
    /// The key at 2 is a name of the metatype of this type.
    Name(QualType),
    /// The cdata at `index` is a pointer or array with elements of so many bytes. `pointers`: the type of pointers to them, if more
    /// of these may be made.
    Step { index: c_int, size: Option<usize>, pointers: Option<QualType> },
    /// The operand at this index has the operator from its metatype.
    Operator(c_int),
    /// A value of this type was made.
    New(QualType),
    /// The value at 2 was cast to this pointer type.
    Cast(QualType),
    /// The argument converted to this address.
    Address(c_int, *const u8),
}

/// The first facts of a call.
pub(in crate::lua) type Facts = [Cell<Learnt>; 2];

impl Cx<'_> {
    /// Notes a fact for the caller of the general code.
    pub(in crate::lua) fn found(&self, fact: Learnt) {
        let free = self.facts.iter().find(|known| matches!(known.get(), Learnt::Nothing));
        if let Some(free) = free {
            free.set(fact);
        }
    }

    /// The facts that were found.
    pub(in crate::lua) fn learnt(&self) -> [Learnt; 2] {
        self.facts.each_ref().map(Cell::get)
    }
}
