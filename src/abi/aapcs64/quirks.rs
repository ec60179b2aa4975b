//! The natural alignment of a type, from its members alone. Only AAPCS64 places arguments by it.

use crate::ctype::{Member, QualType, RecordBody, Table, Type};

/// The facts of a type that only the conventions of AAPCS64 use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quirks {
    /// Its "natural alignment" in bytes, which its members give it, without the attributes of the type itself.
    pub natural_align: u32,
}

impl Quirks {
    /// Of a C type.
    pub(in crate::abi) fn of(table: &Table, ty: QualType) -> Quirks {
        Quirks { natural_align: natural_align(table, ty) }
    }
}

/// The alignment of a type in bytes, without `aligned` attributes of the type itself or of its typedefs; those of its
/// members, and of their types, count ("natural alignment", AAPCS64 section 5.9; GCC and Clang agree on this reading).
fn natural_align(table: &Table, ty: QualType) -> u32 {
    let of = |ty| table.layout_of(ty).map_or(1, |layout| layout.align as u32);
    match table.shape(ty) {
        Type::Record(record) => match &table.record(*record).body {
            Some(body) if body.attributes.align.is_some() => of_members(table, body),
            Some(body) => body.layout.align as u32,
            None => 1,
        },
        Type::Enum(_) => of(ty),
        _ => of(table.resolve(ty)),
    }
}

fn of_members(table: &Table, body: &RecordBody) -> u32 {
    let packed = |member: &Member| body.attributes.packed || member.attributes.packed;
    let of = |member: &Member| {
        let own = match table.layout_of(member.ty) {
            Some(layout) if !packed(member) => layout.align as u32,
            _ => 1,
        };
        own.max(member.attributes.align.unwrap_or(1))
    };
    let align = body.members.iter().map(of).max().unwrap_or(1);
    align.min(body.attributes.pack.unwrap_or(u32::MAX))
}
