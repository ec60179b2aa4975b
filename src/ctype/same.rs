//! Whether two declarations are identical. Anonymous records and enums are compared by their contents.

use super::{Function, QualType, RecordBody, RecordId, Table, Type};

/// How many pairs of types are compared. Types can share parts, so that comparing them as trees could take
/// exponential time; whoever writes such types twice is told that they conflict.
const MAX_PAIRS: u32 = 100_000;

/// One comparison of two declarations.
pub(super) struct Comparison<'a> {
    table: &'a Table,
    left: u32,
}

impl Table {
    /// Whether two types are the same.
    pub fn same(&self, a: QualType, b: QualType) -> bool {
        Comparison::new(self).types(a, b)
    }

    /// Whether two types are the same but for their own qualifiers.
    pub fn same_unqualified(&self, a: QualType, b: QualType) -> bool {
        self.same(self.resolve(a).id().into(), self.resolve(b).id().into())
    }
}

impl Comparison<'_> {
    pub(super) fn new(table: &Table) -> Comparison<'_> {
        Comparison { table, left: MAX_PAIRS }
    }

    fn types(&mut self, a: QualType, b: QualType) -> bool {
        if a == b {
            return true;
        }
        if a.quals() != b.quals() || self.left == 0 {
            return false;
        }
        self.left -= 1;
        match (self.table.get(a.id()), self.table.get(b.id())) {
            (Type::Pointer(a), Type::Pointer(b)) => self.types(*a, *b),
            (Type::Reference(a), Type::Reference(b)) => self.types(*a, *b),
            (Type::Array(a, n), Type::Array(b, m)) => n == m && self.types(*a, *b),
            (Type::Vector(a, n), Type::Vector(b, m)) => n == m && self.types(*a, *b),
            (Type::Aligned(a, n), Type::Aligned(b, m)) => n == m && self.types(*a, *b),
            (Type::Function(a), Type::Function(b)) => self.functions(a, b),
            (Type::Record(a), Type::Record(b)) => self.anonymous_records(*a, *b),
            (Type::Enum(a), Type::Enum(b)) => {
                let (a, b) = (self.table.enum_(*a), self.table.enum_(*b));
                a.tag.is_none() && b.tag.is_none() && a.base == b.base && a.values == b.values
            }
            _ => false,
        }
    }

    /// The same function type; what one of the two promises about its pointers does not count.
    pub(super) fn functions(&mut self, a: &Function, b: &Function) -> bool {
        a.variadic == b.variadic
            && a.convention == b.convention
            && a.params.len() == b.params.len()
            && self.types(a.result, b.result)
            && a.params.iter().zip(&b.params).all(|(&a, &b)| self.types(a, b))
    }

    fn anonymous_records(&mut self, a: RecordId, b: RecordId) -> bool {
        let (a, b) = (self.table.record(a), self.table.record(b));
        a.tag.is_none()
            && b.tag.is_none()
            && a.kind == b.kind
            && match (&a.body, &b.body) {
                (Some(a), Some(b)) => self.bodies(a, b),
                _ => false,
            }
    }

    /// Whether two bodies declare the same members at the same places.
    pub(super) fn bodies(&mut self, a: &RecordBody, b: &RecordBody) -> bool {
        a.layout == b.layout
            && a.flexible == b.flexible
            && a.members.len() == b.members.len()
            && a.members.iter().zip(&b.members).all(|(a, b)| {
                (a.name, a.offset, a.bits) == (b.name, b.offset, b.bits) && self.types(a.ty, b.ty)
            })
    }
}
