//! The contracts of one parameter, out of those of a function type.

use crate::ctype::{Access, Contract, QualType, Type, TypeId};
use crate::lua::state::Cx;

/// The contracts of a parameter.
#[derive(Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) nonnull: bool,
    pub(super) nullable: bool,
    pub(super) access: Option<(Access, Option<u32>)>,
    pub(super) at_least: Option<u64>,
    pub(super) terminated: bool,
    pub(super) trusted: bool,
    pub(super) releases: bool,
    pub(super) restricted: bool,
    /// It leads to pointers, or holds some.
    pub(super) pointers: bool,
}

impl Terms {
    /// Those that the type `function` has for its parameter at `index`, of type `ty`.
    pub(super) fn of(cx: &Cx<'_>, function: TypeId, index: u32, ty: QualType) -> Terms {
        let types = cx.state.types.borrow();
        let table = types.table();
        let mut terms = Terms::default();
        let target = match *table.shape(ty) {
            Type::Pointer(to) => to,
            _ => ty,
        };
        terms.pointers = table.holds_pointers(target);
        let Some(function) = table.function(function) else { return terms };
        for contract in &function.contracts {
            match *contract {
                Contract::NonNull { param } if param == index => terms.nonnull = true,
                Contract::Nullable { param } if param == index => terms.nullable = true,
                Contract::Access { mode, param, size } if param == index => {
                    terms.access = Some((mode, size));
                }
                Contract::AtLeast { param, count } if param == index => {
                    terms.at_least = Some(count);
                }
                Contract::Terminated { param } if param == index => terms.terminated = true,
                Contract::Trusted { param } if param == index => terms.trusted = true,
                Contract::Releases { param } if param == index => terms.releases = true,
                Contract::Restrict { param } if param == index => terms.restricted = true,
                _ => {}
            }
        }
        terms
    }

    /// Whether they say how much memory the function uses.
    pub(super) fn are_sized(&self) -> bool {
        self.access.is_some() || self.at_least.is_some() || self.terminated
    }

    /// CALL-4: whether NULL is an argument, where the function uses so many bytes.
    pub(super) fn takes_null(&self, bytes: Option<usize>) -> bool {
        let uses = self.terminated
            || self.trusted
            || self.releases
            || bytes.is_some_and(|bytes| bytes > 0);
        !self.nonnull && (self.nullable || !uses)
    }
}
