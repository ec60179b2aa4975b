//! The last test program of `cargo test`: what the others could not test on this machine, and why. A test that passes prints
//! nothing, so that nobody would know.

#[path = "../../tests/support/needs.rs"]
mod needs;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // `cargo test -- --list`
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    is_last();
    let notes = fs::read_dir(needs::folder()).into_iter().flatten().flatten();
    let notes = notes.map(|entry| fs::read_to_string(entry.path()).expect("a note is text"));
    let lines: BTreeSet<String> =
        notes.flat_map(|note| note.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let _ = fs::remove_dir_all(needs::notes());
    for line in &lines {
        println!("NOT TESTED: {line}");
    }
    match lines.len() {
        0 => println!("\nThis machine has what every test needs."),
        count => println!("\n{count} things were not tested, for want of what .ci/packages lists."),
    }
    match lines.is_empty() || std::env::var_os("CI").is_none() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Cargo runs test programs in the order of the names of their packages, `cthunk` and `cthunk-cli`, and of their own.
fn is_last() {
    let own = Path::new(file!()).file_name().expect("a name");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let later = name.to_string_lossy().ends_with(".rs") && name.as_os_str() > own;
        assert!(!later, "cli/tests/{} runs after the list of what was not tested", name.display());
    }
}
