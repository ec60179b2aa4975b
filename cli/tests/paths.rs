//! However calls are made, they do the same: the scripts of `tests/lua/paths` print every result and every error, and are
//! run through Lua's C API (`CTHUNK_SLOW=1`) and on the fast path, with and without thunks (`CTHUNK_HOT`).

use std::process::Command;
use std::sync::OnceLock;

#[path = "../../tests/support/repository.rs"]
mod repository;

/// tests/c/identities.c as a shared library.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(build)
}

fn build() -> String {
    let source = repository::path("tests/c/identities.c");
    let library = concat!(env!("CARGO_TARGET_TMPDIR"), "/libidentities.so").to_owned();
    let triple = target_lexicon::HOST.to_string();
    let compiler = cc::Build::new().target(&triple).host(&triple).opt_level(1).get_compiler();
    let command = &mut compiler.to_command();
    let status = command.args(["-shared", "-fPIC", "-o", &library]).arg(source).status();
    assert!(status.expect("a C compiler: install gcc or clang").success());
    library
}

/// How calls are made: environment variables and their values.
type Path = &'static [(&'static str, &'static str)];
/// Through Lua's C API: with thunks from the first call on, from the third, never.
const C_API: Path = &[("CTHUNK_SLOW", "1"), ("CTHUNK_HOT", "0")];
const C_API_LATER: [Path; 2] = [
    &[("CTHUNK_SLOW", "1"), ("CTHUNK_HOT", "2")],
    &[("CTHUNK_SLOW", "1"), ("CTHUNK_HOT", "1000000000")],
];
/// The fast path: the same.
const FAST: [Path; 3] =
    [&[("CTHUNK_HOT", "0")], &[("CTHUNK_HOT", "2")], &[("CTHUNK_HOT", "1000000000")]];

fn output(script: &str, path: Path) -> String {
    let script = repository::path("tests/lua/paths").join(script);
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .arg(script)
        .arg(library())
        .envs(path.iter().copied())
        .env("RUST_LOG", "cthunk=warn")
        .output()
        .expect("the command runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path:?}: {}\n{errors}", output.status);
    // A warning says that this interpreter has another layout, and that would compare nothing.
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).expect("text")
}

/// A script prints so many lines at least, and the same ones on each path.
fn compare(script: &str, paths: &[Path], lines: usize) {
    let expected = output(script, C_API);
    assert!(expected.lines().count() >= lines, "only {} lines", expected.lines().count());
    for &path in paths {
        let got = output(script, path);
        for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
            assert_eq!(got, expected, "line {} of {script}, {path:?} and {C_API:?}", number + 1);
        }
        assert_eq!(got.len(), expected.len());
    }
}

#[test]
fn calls() {
    compare("calls.lua", &FAST, 10_000);
}

#[test]
fn calls_through_the_c_api() {
    compare("calls.lua", &C_API_LATER, 10_000);
}

#[test]
fn members() {
    compare("members.lua", &FAST[..1], 10_000);
}

#[test]
fn values() {
    compare("values.lua", &FAST[..1], 10_000);
}

#[test]
fn pointers() {
    compare("pointers.lua", &FAST[..1], 10_000);
}

#[test]
fn callbacks() {
    compare("callbacks.lua", &FAST[..2], 5_000);
}

/// Functions that were called without any callback in the state, and then with one.
#[test]
fn reentry() {
    compare("reentry.lua", &FAST, 200);
}

/// Arguments that callbacks keep, and callbacks that are made and freed, under each mode of the garbage collector.
#[test]
fn kept() {
    compare("kept.lua", &FAST, 50);
}
