//! Both directions against C compilers and libffi, through `cthunk fuzz-abi`: random signatures, fixed and variadic, of both
//! x86-64 conventions in one process, and the traps that other FFIs fell into.
#![cfg(all(target_arch = "x86_64", unix))]

#[path = "../../tests/support/needs.rs"]
mod needs;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The compilers that are here, with commas between.
fn compilers() -> String {
    let source = "#include <stdarg.h>\nint f(int n, ...) { va_list l; va_start(l, n); return va_arg(l, int); }";
    let here =
        |name: &&str| needs::has(needs::compiles(&[name], &["-shared", "-fPIC"], source, name));
    ["gcc", "clang-19"].into_iter().filter(here).collect::<Vec<_>>().join(",")
}

/// A compiler in the folder `fake`: gcc, but what `script` does for the C file `$source` first.
fn fake_compiler(name: &str, script: &str) -> String {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/fake");
    std::fs::create_dir_all(folder).unwrap();
    let path = format!("{folder}/{name}");
    let text = format!(
        "#!/bin/sh\nfor word in \"$@\"; do case $word in *.c) source=$word;; esac; done\n{script}\nexec gcc \"$@\"\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    name.into()
}

/// Eight functions against the fake compiler `name`: what the command printed, and whether it succeeded.
fn against_a_fake(name: &str) -> (String, bool) {
    let path = format!(
        "{}:{}",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/fake"),
        std::env::var("PATH").unwrap_or_default()
    );
    let findings = format!("{}/fake-{name}", env!("CARGO_TARGET_TMPDIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", "sysv64", "--cases", "8", "--cc", name])
        .args(["--findings", &findings, "--most-findings", "1"])
        .env("PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.success())
}

fn has_gcc() -> bool {
    compilers().split(',').any(|name| name == "gcc")
}

/// GCC's own words and Clang's, with a code, and a signal.
#[test]
fn a_compiler_that_crashes_misses_one_function() {
    if !has_gcc() {
        return;
    }
    let deaths = [
        "echo 'batch.c:9:1: internal compiler error: in expand, at expr.cc:1' >&2; exit 1",
        "echo 'PLEASE submit a bug report to https://x and include the crash backtrace' >&2; exit 134",
        "kill -SEGV $$",
    ];
    for (i, death) in deaths.into_iter().enumerate() {
        let script = format!("if grep -q 'callee_f5(' $source; then {death}; fi");
        let name = fake_compiler(&format!("dies-{i}-gcc"), &script);
        let (text, success) = against_a_fake(&name);
        assert!(success, "{text}");
        let header = format!(
            "{}/fake-{name}/sysv64-1-0-5-{name}-crash/batch.h",
            env!("CARGO_TARGET_TMPDIR")
        );
        let line = format!("  {name} crashed: 1 function, header kept at {header}\n");
        assert!(text.contains(&line), "{text}");
        let row = text.lines().find(|line| line.contains(" call ")).unwrap();
        let row: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(row, [&*name, "call", "7", "0", "0", "1"], "{text}");
        let end = "0 failures; 1 not run against every compiler (12.50 %), 1 against none\n";
        assert!(text.ends_with(end), "{text}");
        let header = std::fs::read_to_string(header).unwrap();
        assert!(header.contains(" f0(") && !header.contains(" f1("), "{header}");
    }
}

/// Neither a file that the compiler refuses, nor a crash of what it compiled, nor one without any function is the crash of a compiler.
#[test]
fn other_failures_are_failures() {
    if !has_gcc() {
        return;
    }
    let refuses = "if grep -q 'callee_f5(' $source; then echo 'error: no f5' >&2; exit 1; fi";
    let (text, success) = against_a_fake(&fake_compiler("refuses-gcc", refuses));
    assert!(!success && text.contains("refuses-gcc does not compile"), "{text}");
    let traps = "sed -i '/callee_f0(/s/report.failed = 0;/&__builtin_trap();/' $source";
    let (text, success) = against_a_fake(&fake_compiler("traps-gcc", traps));
    assert!(!success && text.contains("FINDING, traps-gcc call: the process ended"), "{text}");
    assert!(!text.contains("crashed"), "{text}");
    let traps = "sed -i '/void caller_f0(/s/report.failed = 0;/&__builtin_trap();/' $source";
    let (text, success) = against_a_fake(&fake_compiler("caller-traps-gcc", traps));
    assert!(!success && text.contains("caller-traps-gcc callback: the process ended"), "{text}");
    let (text, success) =
        against_a_fake(&fake_compiler("always-gcc", "[ $1 = --version ] || kill -SEGV $$"));
    assert!(!success && text.contains("always-gcc crashes when it compiles"), "{text}");
}

/// Runs `cthunk fuzz-abi` and returns what it printed; `None` without any compiler.
fn fuzz_abi(convention: &str, arguments: &[&str]) -> Option<String> {
    let compilers = compilers();
    if compilers.is_empty() {
        return None;
    }
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", convention, "--cc", &compilers])
        .args(["--findings", findings, "--most-findings", "1"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in text.lines().filter(|line| line.contains("NOT RUN")) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        needs::has(Err(format!("{words} (apt-get install libffi8)")));
    }
    print!("{text}");
    Some(text)
}

fn random(convention: &str) {
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "200"), option("CTHUNK_SEED", "1"));
    let Some(text) = fuzz_abi(convention, &["--cases", &cases, "--seed", &seed]) else { return };
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
    let header = needs::repository::path("tests/c/traps.h");
    let header = header.to_str().expect("a path that is text");
    for convention in ["sysv64", "win64"] {
        let Some(text) = fuzz_abi(convention, &["--replay", header]) else { return };
        assert!(text.contains("  11 functions in "), "{text}");
    }
}
