//! Random functions of every convention of 32-bit x86, both ways, through `cthunk fuzz-abi`.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

#[path = "../../tests/gate/guest.rs"]
mod guest;

#[path = "support/fake.rs"]
mod fake;

use std::process::Command;

use cthunk::fuzz::Platform;

use guest::{compiles, gate_is_open, needs};

fn random_functions(conventions: &[&str]) {
    if !gate_is_open() {
        return;
    }
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "100"), option("CTHUNK_SEED", "1"));
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    for convention in conventions {
        let all = Platform::of(convention).unwrap().compilers.iter();
        let here = all.filter(|(_, command)| needs::has(compiles(command)));
        let here: Vec<&str> = here.map(|(name, _)| *name).collect();
        if here.is_empty() {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
            .args(["fuzz-abi", "--convention", convention, "--cc", &here.join(",")])
            .args(["--cases", &cases, "--seed", &seed])
            .args(["--findings", findings, "--most-findings", "1"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(&format!("  {cases} functions in ")), "{text}");
    }
}

#[test]
fn random_functions_linux() {
    random_functions(&[
        "cdecl", "stdcall", "fastcall", "thiscall", "regparm1", "regparm2", "regparm3",
    ]);
}

#[test]
fn random_functions_mingw() {
    random_functions(&["cdecl:mingw", "stdcall:mingw", "fastcall:mingw", "thiscall:mingw"]);
}

#[test]
fn random_functions_gnullvm() {
    random_functions(&["cdecl:gnullvm", "stdcall:gnullvm", "fastcall:gnullvm", "thiscall:gnullvm"]);
}

#[test]
fn random_functions_msvc() {
    random_functions(&["cdecl:msvc", "stdcall:msvc", "fastcall:msvc", "thiscall:msvc"]);
}

/// Object files without prefixes, and with Windows' underscores.
#[test]
fn a_compiler_crashes() {
    for (convention, name) in
        [("cdecl", "i686-linux-gnu-gcc"), ("cdecl:mingw", "i686-w64-mingw32-gcc")]
    {
        if gate_is_open() && needs::has(compiles(&[name])) {
            fake::misses_one_function(convention, &format!("dies-{name}"), "kill -SEGV $$", name);
        }
    }
}
