//! What every convention does with the same declarations: a line for each, under the section of its document.
//!
//! A file of `tests/conventions/` has a head of `//` lines, sections that begin with `#`, declarations (` ... TYPES` behind one are
//! arguments for its `...`), and below each declaration its plan:
//! - `x0` a register, with the bytes of the value that it carries, and `z`, `s` or `o` where they are extended with zeros,
//!   the sign or ones;
//! - `[8]` the stack, so many bytes above the first stack argument;
//! - `&x0` a pointer to the value in that place; `-` nothing.
//!
//! `CTHUNK_BLESS=1` writes what is there now.

use std::fs;
use std::path::Path;

use cthunk::Target;
use cthunk::abi::{self, CONVENTIONS, Extension, Pass, Piece, Place, Signature};
use cthunk::ctype::{Declarations, Type};

/// The least number of declarations in a file.
const LEAST: usize = 60;

fn place(place: Place) -> String {
    match place {
        Place::Register(register) => register.name.into(),
        Place::Stack(offset) => format!("[{offset}]"),
    }
}

fn piece(piece: &Piece) -> String {
    let extension = match piece.extension {
        Extension::None => "",
        Extension::Zero => "z",
        Extension::Sign => "s",
        Extension::Ones => "o",
    };
    let end = piece.offset + piece.bytes;
    format!("{}:{}..{end}{extension}", place(piece.place), piece.offset)
}

fn pass(pass: &Pass) -> String {
    match pass {
        Pass::Ignore => "-".into(),
        Pass::Pieces(pieces) => pieces.iter().map(piece).collect::<Vec<_>>().join(" "),
        Pass::Stack { offset, size } => format!("[{offset}]:0..{size}"),
        Pass::Pointer { pointer, .. } => format!("&{}", place(pointer.place)),
    }
}

/// The plan of a declaration in one line.
fn plan(line: &str, target: &Target, convention: &str) -> String {
    let (declaration, variable) = match line.rsplit_once(" ... ") {
        Some((declaration, types)) => (declaration, Some(types)),
        None => (line, None),
    };
    let mut declarations = Declarations::new(target);
    let (_, ty) = declarations.parse_one(declaration.as_bytes()).expect(line);
    let mut types = Vec::new();
    if let Some(list) = variable {
        // The parameters of a function are a list of types.
        let list = format!("void f({list})");
        let (_, ty) = declarations.parse_one(list.as_bytes()).expect(line);
        let Type::Function(function) = declarations.table().get(ty.id()) else { panic!("{line}") };
        types.extend(function.params.iter().copied());
    }
    let signature = Signature::of(declarations.table(), target, ty.id(), &types);
    let (signature, found) = signature.expect(line);
    assert_eq!(found.name, convention, "{line}");
    let plan = match abi::plan(&signature, found) {
        Ok(plan) => plan,
        Err(error) => return format!("unsupported: {error}"),
    };
    assert_eq!(abi::check(&signature, &plan), Ok(()), "{line}");
    let arguments: Vec<_> = plan.arguments.iter().map(pass).collect();
    format!("({}) -> {}", arguments.join(", "), pass(&plan.result))
}

fn file(convention: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/conventions/{convention}.txt"));
    let old = fs::read_to_string(&path).unwrap();
    let target = old.lines().find_map(|line| line.strip_prefix("// target: ")).unwrap();
    let target: Target = target.parse().unwrap();
    let mut new = String::new();
    let mut count = 0;
    for line in old.lines().filter(|line| !line.starts_with("    ")) {
        new += line;
        new.push('\n');
        if !line.is_empty() && !line.starts_with(['#', '/']) {
            count += 1;
            new += &format!("    {}\n", plan(line, &target, convention));
        }
    }
    assert!(count >= LEAST, "{convention}: {count} declarations");
    if new == old {
        return;
    }
    if std::env::var_os("CTHUNK_BLESS").is_some() {
        fs::write(&path, new).unwrap();
    } else {
        let line = new.lines().zip(old.lines()).position(|(new, old)| new != old).unwrap_or(0);
        panic!("{}, line {}: {}", path.display(), line + 1, new.lines().nth(line).unwrap_or(""));
    }
}

#[test]
fn every_convention_has_a_file() {
    for convention in CONVENTIONS.iter().filter(|c| !c.default_on.is_empty()) {
        file(convention.name);
    }
}
