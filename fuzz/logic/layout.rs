//! A record from any bytes: layout never panics, and members do not overlap.

use std::fmt::Write;

use cthunk::ctype::{Declarations, RecordKind, Type};
use cthunk::target::Target;

const TARGETS: [&str; 8] = [
    "x86_64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "i686-pc-windows-gnu",
    "x86_64-pc-windows-msvc",
    "i686-pc-windows-msvc",
    "aarch64-apple-darwin",
];

const TYPES: [&str; 16] = [
    "char",
    "short",
    "int",
    "long",
    "long long",
    "float",
    "double",
    "long double",
    "_Bool",
    "void *",
    "unsigned char",
    "unsigned",
    "double _Complex",
    "enum { A%, B% = -1 }",
    "struct { char a; int b : 5; }",
    "union { double d; char c[3]; }",
];

const ATTRIBUTES: [&str; 8] = [
    "",
    "__attribute__((packed))",
    "__attribute__((aligned(2)))",
    "__attribute__((aligned(32)))",
    "__attribute__((packed, aligned(4)))",
    "__attribute__((ms_struct))",
    "__attribute__((gcc_struct))",
    "_Alignas(8)",
];

/// The first four bytes pick the target, the kind, the attributes and the packing; then two a member.
pub fn layout(data: &[u8]) {
    let [target, kind, attributes, pack, members @ ..] = data else { return };
    let target: Target =
        TARGETS[usize::from(*target) % TARGETS.len()].parse().expect("the triples are known");
    let keyword = if kind % 4 == 0 { "union" } else { "struct" };
    let mut text = String::new();
    if pack % 2 == 1 {
        let _ = writeln!(text, "#pragma pack({})", 1 << (pack / 2 % 5));
    }
    let _ = write!(text, "{keyword} {} r {{ ", ATTRIBUTES[usize::from(*attributes) % 7]);
    for (i, member) in members.chunks_exact(2).take(100).enumerate() {
        text.push_str(&declare(i, member[0], member[1]));
    }
    text.push_str("};");

    let mut decls = Declarations::new(&target);
    if decls.cdef(text.as_bytes(), &[]).is_err() {
        return;
    }
    let ty = decls.parse_type(format!("{keyword} r").as_bytes(), &[]).expect("it was declared");
    let table = decls.table();
    let Type::Record(id) = *table.shape(ty) else { panic!("{text} is no record") };
    let record = table.record(id);
    let body = record.body.as_ref().expect("it has a body");
    assert!(body.layout.align.is_power_of_two(), "{text}");
    assert_eq!(body.layout.size % body.layout.align.min(4), 0, "{text}");
    let mut end = 0;
    for member in &body.members {
        let (start, bits) = match (member.bits, table.layout_of(member.ty)) {
            (Some(bits), _) => (member.offset * 8 + u64::from(bits.shift), u64::from(bits.width)),
            (None, layout) => (member.offset * 8, layout.map_or(0, |layout| layout.size * 8)),
        };
        assert!(start + bits <= body.layout.size * 8, "a member leaves {text}");
        match record.kind {
            RecordKind::Struct => assert!(start >= end, "members overlap in {text}"),
            RecordKind::Union => assert_eq!(member.offset, 0, "{text}"),
        }
        end = start + bits;
    }
}

fn declare(index: usize, what: u8, how: u8) -> String {
    let ty = TYPES[usize::from(what) % TYPES.len()].replace('%', &index.to_string());
    let attribute = match how / 4 % 16 {
        which @ 0..8 => ATTRIBUTES[usize::from(which)],
        _ => "",
    };
    match how % 4 {
        0 => format!("{ty} m{index} : {} {attribute}; ", what / 16 * 4 + 1),
        1 => format!("{ty} : {}; ", what / 16),
        2 => format!("{ty} m{index}[{}] {attribute}; ", what / 16),
        _ => format!("{attribute} {ty} m{index}; "),
    }
}
