//! Values of a megabyte by value, and thousands of arguments: they cost what copying them costs.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::process::Command;
use std::sync::OnceLock;

#[path = "../../tests/behaviour/mod.rs"]
mod behaviour;

fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| behaviour::build("large"))
}

/// Runs tests/large/values.lua.
fn values(options: &[&str], mode: &str) {
    let script = behaviour::repository::path("tests/large/values.lua");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .args(options)
        .arg(script)
        .arg(library())
        .env("CTHUNK_MODE", mode)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout == b"ok\n", "{mode} {options:?}: {text}");
}

#[test]
fn through_c_and_back() {
    values(&[], "compiled");
}

#[test]
fn without_machine_code() {
    values(&[], "interpreted");
}

#[test]
fn in_luajit_mode() {
    values(&["--luajit"], "compiled");
}
