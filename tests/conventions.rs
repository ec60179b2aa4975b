//! The plans of the same declarations in every convention: a line for each, under the section of the convention's document.
//!
//! A file of `tests/conventions/` has a head of `//` lines and the convention's table, sections that begin with `#`, declarations (` ... TYPES` behind one are
//! arguments for its `...`), and below each declaration its plan:
//! - `x0` a register, with the bytes of the value that it carries, and `z`, `s` or `o` where they are extended with zeros,
//!   the sign or ones;
//! - `[8]` the stack, so many bytes above the first stack argument;
//! - `&x0` a pointer to the value in that place; `-` nothing.
//!
//! `CTHUNK_BLESS=1` writes what is there now.

#[path = "support/conventions.rs"]
mod conventions;
#[path = "support/needs.rs"]
mod needs;

use std::fs;

use cthunk::abi::{CONVENTIONS, Convention};

/// The least number of declarations in a file.
const LEAST: usize = 60;

fn file(convention: &'static Convention) {
    let path = conventions::path(convention.name);
    let old = fs::read_to_string(&path).unwrap();
    let (new, count) = conventions::rendered(&old, convention);
    assert!(count >= LEAST, "{}: {count} declarations", convention.name);
    let broken = new.lines().find(|line| line.trim_start().starts_with(conventions::BROKEN));
    assert_eq!(broken, None, "{}", convention.name);
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
        file(convention);
    }
}
