//! The accepted language, feature by feature: `docs/c-language.md` says which test proves what.
//!
//! The files in `tests/ctype/accept` are C whose `_Static_assert`s hold for the compiler that their first line
//! names and for us; what `tests/ctype/reject.txt` lists, both refuse. What a test must look at itself is in the modules.

#[path = "ctype/errors.rs"]
mod errors;
#[path = "ctype/generate.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod generate;
#[path = "ctype/names.rs"]
mod names;
#[path = "ctype/preprocessor.rs"]
mod preprocessor;
#[path = "ctype/printing.rs"]
mod printing;
#[path = "ctype/types.rs"]
mod types;

#[path = "support/needs.rs"]
mod needs;

use std::path::Path;
use std::process::Command;

use cthunk::ctype::{Constant, Decl, Declarations, Diagnostics, QualType, RecordId, Type};
use cthunk::target::Target;

const HOST: &str = "x86_64-unknown-linux-gnu";

fn declarations(triple: &str) -> Declarations {
    Declarations::new(&triple.parse::<Target>().expect("the triple is known"))
}

/// Declarations of a text that must be right.
fn declared(text: &str) -> Declarations {
    let mut decls = declarations(HOST);
    declare(&mut decls, text);
    decls
}

fn declare(decls: &mut Declarations, text: &str) {
    if let Err(errors) = decls.cdef(text.as_bytes(), &[]) {
        panic!("{errors}");
    }
}

fn ty(decls: &mut Declarations, text: &str) -> QualType {
    decls.parse_type(text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn record(decls: &mut Declarations, text: &str) -> RecordId {
    let ty = ty(decls, text);
    match *decls.table().shape(ty) {
        Type::Record(id) => id,
        ref other => panic!("{text} is {other:?}"),
    }
}

fn errors(decls: &mut Declarations, text: &str) -> Diagnostics {
    decls.cdef(text.as_bytes(), &[]).expect_err("the text is wrong")
}

fn first_lines(errors: &Diagnostics) -> Vec<String> {
    errors.iter().map(|d| format!("{}:{}: {}", d.line, d.column, d.message)).collect()
}

fn constant(decls: &Declarations, name: &str) -> Constant {
    match decls.lookup(name.as_bytes()) {
        Some(Decl::Constant { value, .. }) => *value,
        other => panic!("{name} is {other:?}"),
    }
}

fn function<'a>(decls: &'a Declarations, name: &str) -> &'a cthunk::ctype::Function {
    match decls.lookup(name.as_bytes()) {
        Some(Decl::Function { ty, .. }) => decls.table().function(*ty).expect("a function type"),
        other => panic!("{name} is {other:?}"),
    }
}

/// Runs a compiler's syntax check; `None` if it is not here.
fn compiler_accepts(command: &str, text: &str, name: &str) -> Option<bool> {
    let check = ["-w", "-fsyntax-only"];
    let command: Vec<&str> = command.split_whitespace().collect();
    if !needs::has(needs::compiles(&command, &check, "int x;", command[0])) {
        return None;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).expect("the target folder is writable");
    let output = Command::new(command[0]).args(&command[1..]).args(check).arg(&file).output();
    let output = output.expect("the compiler runs");
    if !output.status.success() && name.starts_with("accept") {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Some(output.status.success())
}

#[test]
fn accepted_by_the_compiler_and_by_us() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ctype/accept");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("the file is text");
        let mut lines = text.lines();
        let mut header = |key: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(key));
            line.unwrap_or_else(|| panic!("{name} says no {key}")).trim().to_owned()
        };
        let compiler = header("// compiler:");
        let target = header("// target:");
        if compiler_accepts(&compiler, &text, &format!("accept-{name}")) == Some(false) {
            wrong.push(format!("{name}: {compiler} refuses it"));
        }
        if let Err(errors) = declarations(&target).cdef(text.as_bytes(), &[]) {
            wrong.push(format!("{name}: {errors}"));
        }
        count += 1;
    }
    assert!(count >= 14, "only {count} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refused_by_the_compiler_and_by_us() {
    let list = include_str!("ctype/reject.txt").lines().filter(|line| !line.starts_with("# "));
    let mut text = String::new();
    let mut wrong = Vec::new();
    for line in list {
        let Some(expected) = line.strip_prefix("=> ") else {
            text.push_str(line);
            continue;
        };
        let (expected, only_here) = match expected.strip_suffix(" (only here)") {
            Some(expected) => (expected, true),
            None => (expected, false),
        };
        match declarations(HOST).cdef(text.as_bytes(), &[]) {
            Ok(()) => wrong.push(format!("{text}\n  is accepted")),
            Err(errors) => {
                let first = &first_lines(&errors)[0];
                if first != expected {
                    wrong.push(format!("{text}\n  says     {first}\n  expected {expected}"));
                }
            }
        }
        if !only_here
            && compiler_accepts("gcc -std=gnu11 -pedantic-errors", &text, "reject.c") == Some(true)
        {
            wrong.push(format!("{text}\n  is accepted by gcc"));
        }
        text.clear();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documentation_names_tests_that_exist() {
    let tests = [
        include_str!("ctype_language.rs"),
        include_str!("ctype/errors.rs"),
        include_str!("ctype/names.rs"),
        include_str!("ctype/types.rs"),
        include_str!("ctype/printing.rs"),
        include_str!("ctype/preprocessor.rs"),
    ]
    .concat();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ctype/accept");
    let rows = include_str!("../docs/c-language.md").lines().filter(|line| line.starts_with("| "));
    let mut checked = 0;
    for proof in
        rows.filter_map(|row| row.trim_end_matches('|').rsplit_once(" | ")).map(|row| row.1)
    {
        for name in proof.split('`').skip(1).step_by(2) {
            let exists = match name {
                file if file.ends_with(".h") => folder.join(file).exists(),
                path if path.contains('/') => {
                    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
                }
                test => tests.contains(&format!("fn {test}()")),
            };
            assert!(exists, "{name} is no test");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} names");
}
