//! Both directions against C compilers and libffi, through `cthunk fuzz-abi`: random signatures, fixed and variadic, of both
//! x86-64 conventions in one process, and the traps that other FFIs fell into.
#![cfg(all(target_arch = "x86_64", unix, feature = "cli"))]

#[path = "support/programs.rs"]
mod programs;

use std::process::Command;

/// Compilers that are here.
fn compilers() -> String {
    let here = |name: &&str| programs::runs(name, &["--version"], name);
    let here: Vec<&str> = ["gcc", "clang-19"].into_iter().filter(here).collect();
    assert!(!here.is_empty(), "a C compiler is needed: install gcc or clang");
    here.join(",")
}

/// Runs `cthunk fuzz-abi` and returns what it printed.
fn fuzz_abi(convention: &str, arguments: &[&str]) -> String {
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", convention, "--cc", &compilers()])
        .args(["--findings", findings, "--most-findings", "1"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let not_run = text.contains("NOT RUN");
    assert!(!not_run || std::env::var_os("CI").is_none(), "{text}");
    print!("{text}");
    text
}

fn random(convention: &str) {
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "200"), option("CTHUNK_SEED", "1"));
    let text = fuzz_abi(convention, &["--cases", &cases, "--seed", &seed]);
    assert!(text.contains(&format!("  {cases} functions in ")), "{text}");
}

#[test]
fn random_functions_sysv64() {
    random("sysv64");
}

#[test]
fn random_functions_win64() {
    random("win64");
}

#[test]
fn known_traps() {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/traps.h");
    for convention in ["sysv64", "win64"] {
        let text = fuzz_abi(convention, &["--replay", header]);
        assert!(text.contains("  11 functions in "), "{text}");
    }
}
