//! A type as the rows see it: the C declaration, and its classification by the convention.

use crate::abi::{Convention, Kind, Leaf, LeafKind, Role, Type};
use crate::ctype::{self, ArrayLen, QualType, RecordBody, RecordKind, Table};

/// A type of a function.
pub struct Seen<'t> {
    /// The C types.
    pub table: &'t Table,
    /// The C type.
    pub c: QualType,
    /// The type as conventions see it.
    pub ty: &'t Type,
}

/// A record inside a type: where it is, in bytes.
pub struct Inner<'t> {
    pub offset: u64,
    pub kind: RecordKind,
    pub body: &'t RecordBody,
}

impl<'t> Seen<'t> {
    /// A C type and what conventions see of it.
    pub fn new(table: &'t Table, c: QualType, ty: &'t Type) -> Seen<'t> {
        Seen { table, c, ty }
    }

    /// The scalars inside it.
    pub(super) fn leaves(&self) -> &'t [Leaf] {
        self.ty.leaves().unwrap_or_default()
    }

    /// Whether the convention treats the type otherwise, as an argument or as a result, if it has these scalars.
    pub(super) fn differs(&self, convention: &Convention, leaves: Vec<Leaf>) -> bool {
        let Kind::Record(_) = self.ty.kind else { return false };
        let end = self.ty.size.next_multiple_of(8);
        let inside = |leaf: &Leaf| leaf.size == 0 || leaf.offset < end;
        let leaves = leaves.into_iter().filter(inside).collect();
        let other = Type { kind: Kind::Record(leaves), ..self.ty.clone() };
        [Role::Fixed { variadic: false }, Role::Variable, Role::Result]
            .into_iter()
            .any(|role| (convention.classify)(self.ty, role) != (convention.classify)(&other, role))
    }

    /// The record that it is, and every record inside, however deep; of an array the first element.
    pub(super) fn records(&self) -> Vec<Inner<'t>> {
        let mut found = Vec::new();
        self.collect(self.c, 0, &mut found);
        found
    }

    fn collect(&self, c: QualType, offset: u64, found: &mut Vec<Inner<'t>>) {
        match *self.table.shape(c) {
            ctype::Type::Array(_, ArrayLen::Fixed(0)) => {}
            ctype::Type::Array(element, _) => self.collect(element, offset, found),
            ctype::Type::Record(id) => {
                let record = self.table.record(id);
                let Some(body) = &record.body else { return };
                found.push(Inner { offset, kind: record.kind, body });
                for member in &body.members {
                    self.collect(member.ty, offset + member.offset, found);
                }
            }
            _ => {}
        }
    }

    /// Whether a type is an array without bytes.
    pub(super) fn is_array_of_nothing(&self, c: QualType) -> bool {
        matches!(self.table.shape(c), ctype::Type::Array(..)) && self.size(c) == 0
    }

    /// Whether the elements of an array, or of the arrays in it, are records.
    pub(super) fn is_array_of_records(&self, c: QualType) -> bool {
        match *self.table.shape(c) {
            ctype::Type::Array(element, _) => self.is_array_of_records(element),
            ctype::Type::Record(_) => true,
            _ => false,
        }
    }

    /// Bytes of a type.
    pub(super) fn size(&self, c: QualType) -> u64 {
        self.table.layout_of(c).map_or(0, |layout| layout.size)
    }

    /// Alignment of a type.
    pub(super) fn align(&self, c: QualType) -> u64 {
        self.table.layout_of(c).map_or(1, |layout| layout.align)
    }
}

/// An integer of one byte that compilers see where we see nothing.
pub(super) fn phantom(offset: u64) -> Leaf {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    Leaf {
        offset,
        size: 1,
        align: 1,
        kind: LeafKind::Int,
        in_union: true,
        unnamed: true,
        in_empty: false,
        opens: 0,
        closes: 0,
    }
}
