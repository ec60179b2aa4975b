//! C declarations from any bytes: no panic, and the invariants of [`cthunk::ctype::Declarations`] hold.

use cthunk::ctype::{Declarations, Layout, Table, Type, TypeId, layout_text};
use cthunk::target::Target;

const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
    "i686-pc-windows-msvc",
];

/// The first byte picks the target; the rest is declared, then read as a type name.
pub fn parse(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let triple = TARGETS[usize::from(first) % TARGETS.len()];
    let target: Target = triple.parse().expect("the triples are known");
    let mut decls = Declarations::new(&target);
    let before = (decls.table().ids().count(), decls.declarations().count());

    match decls.cdef(text, &[]) {
        Ok(()) => check_table(&mut decls, before.0),
        Err(errors) => {
            assert!(errors.iter().count() > 0 && !errors.to_string().is_empty());
            let after = (decls.table().ids().count(), decls.declarations().count());
            assert_eq!(before, after, "a failed text declared something");
        }
    }
    let _ = decls.parse_one(text);
    if let Ok(ty) = decls.parse_type(text, &[]) {
        let _ = layout_text(decls.table(), ty);
        check_table(&mut decls, before.0);
    }
    decls.cdef(b"struct after_all { int a; } after_all;", &[]).expect("declarations still work");
}

/// Checks every type of a table but the first ones, of which a target may lack some.
fn check_table(decls: &mut Declarations, from: usize) {
    let ids: Vec<TypeId> = decls.table().ids().skip(from).collect();
    for id in ids {
        let table = decls.table();
        if let Some(Layout { size, align }) = table.layout(id) {
            assert!(align.is_power_of_two() && size < 1 << 60, "{}", table.repr(id.into()));
        }
        check_members(table, id);
        let _ = table.repr(id.into());
        check_round_trip(decls, id);
    }
}

/// Every member lies inside its record.
fn check_members(table: &Table, id: TypeId) {
    let Type::Record(record) = *table.get(id) else { return };
    let Some(body) = &table.record(record).body else { return };
    for member in &body.members {
        let end = match (member.bits, table.layout_of(member.ty)) {
            (Some(bits), _) => {
                let (first, _, count) = bits.bytes();
                member.offset + first + count as u64
            }
            (None, layout) => member.offset + layout.map_or(0, |layout| layout.size),
        };
        assert!(end <= body.layout.size, "a member leaves {}", table.repr(id.into()));
        if let Some(name) = member.name {
            assert_eq!(
                table.find_member(record, name).map(|found| found.offset),
                Some(member.offset)
            );
        }
    }
}

/// A printed type is the same type. Anonymous records are new ones wherever they are written, and only in a parameter may an
/// array have elements whose length is not known.
fn check_round_trip(decls: &mut Declarations, id: TypeId) {
    let text = decls.table().declare(id.into(), "");
    let anonymous =
        text.contains('{') || text.contains(|c: char| c.is_ascii_digit()) && text.contains("enum ");
    if anonymous || text.contains("[][") || text.contains("... ") || text.len() > 1000 {
        return;
    }
    match decls.parse_type(text.as_bytes(), &[]) {
        Ok(parsed) => {
            assert_eq!(parsed.id(), id, "{text} became {}", decls.table().declare(parsed, ""))
        }
        Err(errors) => panic!("{text} does not parse back: {errors}"),
    }
}
