//! A record's layout as text: offsets, holes, bits.

use std::fmt::Write;

use super::print::keyword;
use super::{Bits, Member, QualType, Record, RecordBody, RecordKind, Table, Type};

/// The layout of a type. For a struct or union, one line a member, with the holes between members; anonymous
/// and nested records are drawn inside.
///
/// ```text
/// struct s: 16 bytes, aligned to 8
///   offset  size
///        0     1  char c
///        1     3  (hole)
///        4     4  int flags : 3   bits 0..3
/// ```
pub fn layout_text(table: &Table, ty: QualType) -> String {
    let mut text = String::new();
    let Some(layout) = table.layout_of(ty) else {
        return format!("{}: no size\n", table.repr(ty));
    };
    let _ =
        writeln!(text, "{}: {}, aligned to {}", table.repr(ty), bytes(layout.size), layout.align);
    if let Type::Record(id) = *table.shape(ty) {
        text.push_str("  offset  size\n");
        draw_record(table, table.record(id), 0, 0, &mut text);
    }
    text
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn draw_record(table: &Table, record: &Record, base: u64, depth: usize, text: &mut String) {
    let Some(body) = &record.body else { return };
    let mut end = 0;
    for member in &body.members {
        let (start, size) = extent(table, member);
        if record.kind == RecordKind::Struct && start > end {
            line(text, base + end, start - end, depth, "(hole)");
        }
        draw_member(table, member, base, size, depth, text);
        end = end.max(start + size);
    }
    if body.layout.size > end {
        line(text, base + end, body.layout.size - end, depth, "(padding)");
    }
    draw_open_end(body, base, depth, text);
}

fn draw_open_end(body: &RecordBody, base: u64, depth: usize, text: &mut String) {
    if body.flexible.is_some() {
        let _ = writeln!(
            text,
            "  {:>6}     +  {}(as many elements as allocated)",
            base + body.layout.size,
            indent(depth)
        );
    }
}

fn draw_member(
    table: &Table,
    member: &Member,
    base: u64,
    size: u64,
    depth: usize,
    text: &mut String,
) {
    let name = member.name.map_or("", |name| table.name(name));
    let offset = base + member.offset;
    let nested = match *table.shape(member.ty) {
        Type::Record(id) => Some(table.record(id)),
        _ => None,
    };
    match (nested, member.bits) {
        (Some(record), _) => {
            let declared = match record.tag {
                Some(_) => table.declare(member.ty, name),
                None => format!("{} {{…}} {name}", keyword(record.kind)),
            };
            line(text, offset, size, depth, declared.trim_end());
            draw_record(table, record, offset, depth + 1, text);
        }
        (None, Some(bits)) => {
            let Bits { shift, width } = bits;
            let (first, _, count) = bits.bytes();
            let declared = table.declare(member.ty, name);
            let end = u32::from(shift) + u32::from(width);
            let what = format!("{declared} : {width}   bits {shift}..{end} from byte {offset}");
            line(text, offset + first, count as u64, depth, &what);
        }
        (None, None) => line(text, offset, size, depth, &table.declare(member.ty, name)),
    }
}

fn line(text: &mut String, offset: u64, size: u64, depth: usize, what: &str) {
    let _ = writeln!(text, "  {offset:>6} {size:>5}  {}{what}", indent(depth));
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// The first byte and the number of bytes of a member.
fn extent(table: &Table, member: &Member) -> (u64, u64) {
    match member.bits {
        Some(bits) => {
            let (first, _, count) = bits.bytes();
            (member.offset + first, count as u64)
        }
        None => {
            let size = match table.layout_of(member.ty) {
                Some(layout) => layout.size,
                None => 0,
            };
            (member.offset, size)
        }
    }
}
