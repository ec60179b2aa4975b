//! Both directions against C compilers and libffi, through `cthunk fuzz-abi`: random signatures, fixed and variadic, of both
//! x86-64 conventions in one process, and the traps that other FFIs fell into.
#![cfg(all(target_arch = "x86_64", unix))]

#[path = "../../tests/support/needs.rs"]
mod needs;

#[path = "support/fake.rs"]
mod fake;

use std::process::Command;

/// The compilers that are here, with commas between.
fn compilers() -> String {
    let source = "#include <stdarg.h>\nint f(int n, ...) { va_list l; va_start(l, n); return va_arg(l, int); }";
    let here =
        |name: &&str| needs::has(needs::compiles(&[name], &["-shared", "-fPIC"], source, name));
    ["gcc", "clang-19"].into_iter().filter(here).collect::<Vec<_>>().join(",")
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
        fake::misses_one_function("sysv64", &format!("dies-{i}-gcc"), death, "gcc");
    }
}

/// Neither a file that the compiler refuses, nor a crash of what it compiled, nor one without any function is the crash of a compiler
/// that a campaign goes on after.
#[test]
fn other_failures_are_failures() {
    if !has_gcc() {
        return;
    }
    let trap = |function: &str| {
        format!("sed -i '/{function}_f0(/s/report.failed = 0;/&__builtin_trap();/' $source")
    };
    let refuses = "if grep -q 'callee_f5(' $source; then echo 'error: no f5' >&2; exit 1; fi";
    let rows = [
        ("refuses-gcc", refuses, "refuses-gcc does not compile"),
        ("traps-gcc", &trap("callee"), "FINDING, traps-gcc call: the process ended"),
        ("caller-gcc", &trap("void caller"), "FINDING, caller-gcc callback: the process ended"),
        (
            "always-gcc",
            "[ $1 = --version ] || kill -SEGV $$",
            "always-gcc crashes when it compiles",
        ),
    ];
    for (name, script, words) in rows {
        fake::compiler(name, script, "gcc");
        let (text, success) = fake::run("sysv64", name);
        assert!(!success && text.contains(words) && !text.contains("crashed: "), "{text}");
    }
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
