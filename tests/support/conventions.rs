//! The files of `tests/conventions/`: what a convention does with their declarations.

use std::path::PathBuf;

use cthunk::Target;
use cthunk::abi::{self, Convention, Extension, Pass, Piece, Place, Reg, Registers, Signature};
use cthunk::ctype::{Declarations, Type};

use crate::needs::repository;

/// The first word of a plan that breaks a rule of every plan.
pub const BROKEN: &str = "broken: ";

/// The file of a convention.
pub fn path(convention: &str) -> PathBuf {
    repository::path(&format!("tests/conventions/{convention}.txt"))
}

/// The file `old` with the tables and the plans of `convention`, and the number of its declarations.
pub fn rendered(old: &str, convention: &'static Convention) -> (String, usize) {
    let target = old.lines().find_map(|line| line.strip_prefix("// target: ")).unwrap();
    let target: Target = target.parse().unwrap();
    let mut new = String::new();
    let mut count = 0;
    for line in old.lines().filter(|line| !line.starts_with("    ")) {
        new += line;
        new.push('\n');
        if line.starts_with("// source: ") {
            new += &table(convention);
        } else if !line.is_empty() && !line.starts_with(['#', '/']) {
            count += 1;
            new += &format!("    {}\n", plan(line, &target, convention));
        }
    }
    (new, count)
}

/// The convention's own rows.
fn table(c: &Convention) -> String {
    let hidden = c.indirect_result.map_or("the first integer argument", |r| r.name);
    let variable = if c.variable_on_stack { "; variable arguments there" } else { "" };
    let announced =
        if c.vector_count { "; variadic: number of vector registers in al" } else { "" };
    let positional = if c.positional { "; a position is used up in both lists" } else { "" };
    format!(
        "    arguments: {}{positional}{announced}
    results: {}; hidden pointer: {hidden}
    stack: slots of {}, {} of shadow space, aligned to {}{variable}
",
        registers(&c.arguments),
        registers(&c.results),
        c.slot,
        c.shadow,
        c.stack_align,
    )
}

fn registers(registers: &Registers) -> String {
    let names = |list: &[Reg]| list.iter().map(|reg| reg.name).collect::<Vec<_>>().join(" ");
    let lists = [registers.int, registers.float, registers.x87].into_iter();
    lists.filter(|list| !list.is_empty()).map(names).collect::<Vec<_>>().join(", ")
}

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
fn plan(line: &str, target: &Target, convention: &'static Convention) -> String {
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
    // A mutant has the name of what it breaks.
    assert_eq!(found.name, convention.name, "{line}");
    let plan = match abi::plan(&signature, convention) {
        Ok(plan) => plan,
        Err(error) => return format!("unsupported: {error}"),
    };
    if let Err(rule) = abi::check(&signature, &plan) {
        return format!("{BROKEN}{rule}");
    }
    let arguments: Vec<_> = plan.arguments.iter().map(pass).collect();
    format!("({}) -> {}", arguments.join(", "), pass(&plan.result))
}
