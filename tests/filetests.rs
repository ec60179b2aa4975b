//! Snapshots: a C declaration on top, what becomes of it below.
//!
//! A file under `tests/filetests/` has a head of `//` lines (`// target: TRIPLE`, `// varargs: TYPES`), the declaration, and then
//! one section for each stage: `== plan`, `== clif`, `== asm`, `== layout`, or `== error`. Run with `CTHUNK_BLESS=1`
//! to write what is there now into the sections that a file names; a new file needs their titles only. A file with
//! machine code of riscv64 is read with `--features riscv64` only.

use std::fs;
use std::path::Path;

use cthunk::Target;
use cthunk::explain::{Emit, explain};

struct Case<'t> {
    target: Target,
    varargs: Vec<&'t str>,
    head: &'t str,
    declaration: String,
    sections: Vec<(&'t str, &'t str)>,
}

impl Case<'_> {
    /// Whether it wants machine code of a platform.
    fn is_machine_code_of(&self, model: &str) -> bool {
        self.target.model().name == model && self.sections.iter().any(|section| section.0 == "asm")
    }
}

fn parse<'t>(path: &Path, text: &'t str) -> Case<'t> {
    let (head, sections) = text.split_at(text.find("\n== ").map_or(text.len(), |at| at + 1));
    let option = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix("// ")?.strip_prefix(name)?.strip_prefix(": "))
    };
    let target = option("target").expect("a line `// target: TRIPLE`");
    Case {
        target: target.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        varargs: option("varargs").map_or(Vec::new(), |list| list.split(", ").collect()),
        head,
        declaration: head.lines().filter(|l| !l.starts_with("//")).collect::<Vec<_>>().join("\n"),
        sections: sections
            .strip_prefix("== ")
            .into_iter()
            .flat_map(|sections| sections.split("\n== "))
            .map(|section| section.split_once('\n').unwrap_or((section, "")))
            .collect(),
    }
}

fn stage(case: &Case, title: &str) -> String {
    let emit = match title {
        "plan" | "error" => Emit::Plan,
        "clif" => Emit::Clif,
        "asm" => Emit::Asm,
        "layout" => Emit::Layout,
        other => panic!("no stage {other:?}"),
    };
    let text = match explain(&case.declaration, &case.varargs, &case.target, emit) {
        Ok(text) => text,
        Err(error) => format!("error: {error}\n"),
    };
    assert_eq!(text.starts_with("error: "), title == "error", "{}: {text}", case.declaration);
    text
}

#[test]
fn snapshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for path in &files {
        let old = fs::read_to_string(path).unwrap();
        let case = parse(path, &old);
        if case.is_machine_code_of("riscv64") && cfg!(not(feature = "riscv64")) {
            continue;
        }
        assert!(!case.sections.is_empty(), "{}: no sections", path.display());
        let mut new = case.head.to_owned();
        for (i, (title, _)) in case.sections.iter().enumerate() {
            let end = if i + 1 < case.sections.len() { "\n" } else { "" };
            new += &format!("== {title}\n{}\n{end}", stage(&case, title).trim_end());
        }
        if new != old {
            if std::env::var_os("CTHUNK_BLESS").is_some() {
                fs::write(path, new).unwrap();
            } else {
                let line = new.lines().zip(old.lines()).position(|(new, old)| new != old);
                wrong.push(format!("{}, line {}", path.display(), line.map_or(0, |n| n + 1)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these snapshots differ (CTHUNK_BLESS=1 cargo test --test filetests writes them):\n{}",
        wrong.join("\n")
    );
    assert!(files.len() >= 12, "{} snapshot files", files.len());
}
