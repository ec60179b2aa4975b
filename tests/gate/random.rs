//! Random functions of every convention, both ways, through `cthunk fuzz-abi`.

use std::process::Command;

use super::guest::{Compiler, gate_is_open};

fn random_functions(compiler: &str, conventions: &str) {
    if !gate_is_open() || !Compiler::flavour(compiler).is_here() {
        return;
    }
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "100"), option("CTHUNK_SEED", "1"));
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", conventions, "--cases", &cases, "--seed", &seed])
        .args(["--findings", findings, "--most-findings", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let each = format!("  {cases} functions in ");
    assert_eq!(text.matches(&each).count(), conventions.split(',').count(), "{text}");
}

#[test]
fn random_functions_linux() {
    let all = "cdecl,stdcall,fastcall,thiscall,regparm1,regparm2,regparm3";
    random_functions("gcc-linux", all);
}

#[test]
fn random_functions_mingw() {
    random_functions("gcc-mingw", "cdecl:mingw,stdcall:mingw,fastcall:mingw,thiscall:mingw");
}

#[test]
fn random_functions_gnullvm() {
    let all = "cdecl:gnullvm,stdcall:gnullvm,fastcall:gnullvm,thiscall:gnullvm";
    random_functions("clang-gnu", all);
}

#[test]
fn random_functions_msvc() {
    random_functions("clang-msvc", "cdecl:msvc,stdcall:msvc,fastcall:msvc,thiscall:msvc");
}
