//! Random structs, unions, bit-fields, arrays and attributes: sizes, alignments, offsets and bit positions
//! equal those of each target's compiler.
//!
//! `CTHUNK_CASES=20000 CTHUNK_SEED=1 cargo test --release --test ctype_compilers` runs 20,000 types a target;
//! a failure prints the seed of its batch. `CTHUNK_TARGET=i686` picks the targets whose triple contains that.

#[path = "ctype/compilers.rs"]
mod compilers;
#[path = "ctype/generate.rs"]
mod generate;

use std::fmt::Write;

use cthunk::ctype::{Declarations, Member, QualType, Table, Type};
use cthunk::target::Target;

use compilers::{COMPILERS, Compiler, numbers, objects, read_bytes, read_numbers};
use generate::{Case, Dialect, Generator, PRELUDE};

const BATCH: usize = 250;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn dialect(triple: &str) -> Dialect {
    let gcc_x86 = !triple.contains("msvc")
        && !triple.contains("apple")
        && !triple.contains("aarch64")
        && !triple.contains("riscv");
    Dialect {
        int128: !triple.contains("i686"),
        ms_struct: gcc_x86 || triple.contains("apple"),
        declspec: triple.contains("msvc"),
    }
}

/// A member by a path of names, and its offset from the start of the record.
fn member(
    table: &Table,
    record: QualType,
    path: &str,
) -> Option<(u64, QualType, Option<cthunk::ctype::Bits>)> {
    let mut ty = record;
    let mut offset = 0;
    let mut bits = None;
    for name in path.split('.') {
        let Type::Record(id) = *table.shape(ty) else { return None };
        let found = table.find_member(id, table.find_name(name.as_bytes())?)?;
        offset += found.offset;
        (ty, bits) = (found.ty, found.bits);
    }
    Some((offset, ty, bits))
}

/// Compares one batch; the number of mismatches, each printed.
fn compare(compiler: &Compiler, seed: u64, count: usize) -> usize {
    let target: Target = compiler.triple.parse().expect("the triple is known");
    let mut generator = Generator::new(seed, dialect(compiler.triple));
    let cases: Vec<Case> = (0..count).map(|_| generator.case()).collect();
    let text: String =
        PRELUDE.to_owned() + &cases.iter().map(|case| case.text.as_str()).collect::<String>();

    let mut values = Vec::new();
    let mut source = text.clone();
    for (i, case) in cases.iter().enumerate() {
        values.push(format!("sizeof({})", case.tag));
        values.push(format!("_Alignof({})", case.tag));
        values.extend(
            case.plain.iter().map(|path| format!("__builtin_offsetof({}, {path})", case.tag)),
        );
        if case.closed && !case.bits.is_empty() {
            let initial = case
                .bits
                .iter()
                .map(|(path, bool)| format!("{{ .{path} = {} }}", if *bool { "1" } else { "-1" }));
            source.push_str(&objects(&format!("o{i}"), &case.tag, &initial.collect::<Vec<_>>()));
        }
    }
    source.push_str(&numbers("n", &values));
    let object = compiler.compile(&source, &format!("seed{seed}"));
    let mut expected = read_numbers(&object, "n", values.len()).into_iter();

    let mut decls = Declarations::new(&target);
    if let Err(errors) = decls.cdef(text.as_bytes(), &[]) {
        panic!("{} seed {seed}: our parser refused:\n{errors}", compiler.triple);
    }
    let mut mismatches = 0;
    for (i, case) in cases.iter().enumerate() {
        let wrong = compare_case(&mut decls, case, &mut expected, &object, i);
        if !wrong.is_empty() {
            mismatches += 1;
            println!("MISMATCH {} CTHUNK_SEED={seed}\n{}{wrong}", compiler.triple, case.text);
        }
    }
    mismatches
}

fn compare_case(
    decls: &mut Declarations,
    case: &Case,
    expected: &mut impl Iterator<Item = u64>,
    object: &[u8],
    index: usize,
) -> String {
    let mut wrong = String::new();
    let ty = decls.parse_type(case.tag.as_bytes(), &[]).expect("the type is declared");
    let table = decls.table();
    let layout = table.layout_of(ty).expect("the type is complete");
    let mut check = |what: &str, ours: Option<u64>| {
        let theirs = expected.next();
        if ours != theirs {
            let _ = writeln!(wrong, "  {what}: ours {ours:?}, the compiler's {theirs:?}");
        }
    };
    check("size", Some(layout.size));
    check("alignment", Some(layout.align));
    for path in &case.plain {
        check(path, member(table, ty, path).map(|found| found.0));
    }
    if !case.closed || case.bits.is_empty() || !wrong.is_empty() {
        return wrong;
    }
    let size = layout.size as usize;
    let bytes = read_bytes(object, &format!("o{index}"), size * case.bits.len());
    for ((path, _), theirs) in case.bits.iter().zip(bytes.chunks_exact(size)) {
        let mut ours = vec![0_u8; size];
        let (offset, _, bits) = member(table, ty, path).expect("the member is declared");
        let bits = bits.expect("the member is a bit-field");
        for bit in 0..u64::from(bits.width) {
            let position = offset * 8 + u64::from(bits.shift) + bit;
            match ours.get_mut((position / 8) as usize) {
                Some(byte) => *byte |= 1 << (position % 8),
                None => wrong.push_str("  a bit outside of the record\n"),
            }
        }
        if ours != theirs {
            let _ = writeln!(wrong, "  {path}: ours {ours:02x?}, the compiler's {theirs:02x?}");
        }
    }
    wrong
}

#[test]
fn random_types_have_the_compilers_layout() {
    let count = variable("CTHUNK_CASES", 500) as usize;
    let seed = variable("CTHUNK_SEED", 1);
    let only = std::env::var("CTHUNK_TARGET").unwrap_or_default();
    let mut failed = Vec::new();
    for compiler in COMPILERS.iter().filter(|c| c.triple.contains(&only)) {
        if !compiler.is_installed() {
            continue;
        }
        let mut mismatches = 0;
        let batches = count.div_ceil(BATCH);
        for batch in 0..batches {
            mismatches += compare(compiler, seed + batch as u64, BATCH.min(count - batch * BATCH));
        }
        println!(
            "{}: {count} types from CTHUNK_SEED={seed}, {mismatches} mismatches",
            compiler.triple
        );
        if mismatches > 0 {
            failed.push(compiler.triple);
        }
    }
    assert!(failed.is_empty(), "layouts differ on {failed:?}");
}

/// The members that the generator knows are all members that the record has.
#[test]
fn no_member_is_lost() {
    let target: Target = "x86_64-unknown-linux-gnu".parse().expect("the triple is known");
    let mut generator = Generator::new(7, dialect("x86_64-unknown-linux-gnu"));
    let cases: Vec<Case> = (0..200).map(|_| generator.case()).collect();
    let text: String =
        PRELUDE.to_owned() + &cases.iter().map(|case| case.text.as_str()).collect::<String>();
    let mut decls = Declarations::new(&target);
    decls.cdef(text.as_bytes(), &[]).expect("the text is C");
    for case in &cases {
        let ty = decls.parse_type(case.tag.as_bytes(), &[]).expect("the type is declared");
        let known = case.plain.len() + case.bits.len();
        assert_eq!(count_named(decls.table(), ty), known, "{}", case.text);
    }
}

/// Named members, those of records without a tag included.
fn count_named(table: &Table, ty: QualType) -> usize {
    let Type::Record(id) = *table.shape(ty) else { return 0 };
    let body = table.record(id).body.as_ref().expect("the record is complete");
    let count = |member: &Member| {
        let inner = match *table.shape(member.ty) {
            Type::Record(inner) if table.record(inner).tag.is_none() => {
                count_named(table, member.ty)
            }
            _ => 0,
        };
        inner + usize::from(member.name.is_some())
    };
    body.members.iter().map(count).sum()
}
