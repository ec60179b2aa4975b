//! However calls are made, they do the same: the scripts of `tests/lua/paths` print every result and every error, and are
//! run through Lua's C API (`CTHUNK_SLOW=1`) and in place, with and without thunks (`CTHUNK_HOT`).

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// tests/c/identities.c as a shared library.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(build)
}

fn build() -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/identities.c");
    let library = concat!(env!("CARGO_TARGET_TMPDIR"), "/libidentities.so").to_owned();
    let triple = target_lexicon::HOST.to_string();
    let compiler = cc::Build::new().target(&triple).host(&triple).opt_level(1).get_compiler();
    let command = &mut compiler.to_command();
    let status = command.args(["-shared", "-fPIC", "-o", &library]).arg(source).status();
    assert!(status.expect("a C compiler: install gcc or clang").success());
    library
}

/// How calls are made: in the environment variable and its value.
const PATHS: [(&str, &str); 4] = [
    // Through the C API.
    ("CTHUNK_SLOW", "1"),
    // In place: compiled at the first call, at the third, never.
    ("CTHUNK_HOT", "0"),
    ("CTHUNK_HOT", "2"),
    ("CTHUNK_HOT", "1000000000"),
];

fn output(script: &str, (variable, value): (&str, &str)) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua/paths").join(script);
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .arg(script)
        .arg(library())
        .env(variable, value)
        .env("RUST_LOG", "cthunk=warn")
        .output()
        .expect("the command runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{variable}={value}: {}\n{errors}", output.status);
    // A warning says that this interpreter has another layout, and that would compare nothing.
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).expect("text")
}

fn same_on_every_path(script: &str, lines: usize) {
    let [first, others @ ..] = PATHS;
    let expected = output(script, first);
    assert!(expected.lines().count() >= lines, "only {} lines", expected.lines().count());
    for path in others {
        let got = output(script, path);
        for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
            assert_eq!(got, expected, "line {} of {script}, {path:?} and {first:?}", number + 1);
        }
        assert_eq!(got.len(), expected.len());
    }
}

#[test]
fn calls() {
    same_on_every_path("calls.lua", 10_000);
}

#[test]
fn members() {
    same_on_every_path("members.lua", 10_000);
}

#[test]
fn values() {
    same_on_every_path("values.lua", 20_000);
}
