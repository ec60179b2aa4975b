//! Calls that work on Lua's memory in place, and calls through Lua's C API (`CTHUNK_SLOW=1`), do the same: the scripts of
//! `tests/lua/paths` print every result and every error, and are run both ways.

use std::path::Path;
use std::process::Command;

/// The shared library of a file of `tests/c`.
fn library(name: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(format!("{name}.c"));
    let library = format!("{}/lib{name}.so", env!("CARGO_TARGET_TMPDIR"));
    let triple = target_lexicon::HOST.to_string();
    let compiler = cc::Build::new().target(&triple).host(&triple).opt_level(1).get_compiler();
    let command = &mut compiler.to_command();
    let status = command.args(["-shared", "-fPIC", "-o", &library]).arg(source).status();
    assert!(status.expect("a C compiler: install gcc or clang").success());
    library
}

fn output(script: &str, slow: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua/paths").join(script);
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .arg(script)
        .arg(library("identities"))
        .env("CTHUNK_SLOW", slow)
        .env("RUST_LOG", "cthunk=warn")
        .output()
        .expect("the command runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "CTHUNK_SLOW={slow}: {}\n{errors}", output.status);
    // A warning says that this interpreter has another layout, and that would compare nothing.
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).expect("text")
}

fn same_both_ways(script: &str, lines: usize) {
    let (fast, slow) = (output(script, "0"), output(script, "1"));
    for (number, (fast, slow)) in fast.lines().zip(slow.lines()).enumerate() {
        assert_eq!(fast, slow, "line {} of {script}, in place and not", number + 1);
    }
    assert_eq!(fast.len(), slow.len());
    assert!(fast.lines().count() >= lines, "only {} lines", fast.lines().count());
}

#[test]
fn calls() {
    same_both_ways("calls.lua", 10_000);
}

#[test]
fn members() {
    same_both_ways("members.lua", 10_000);
}
