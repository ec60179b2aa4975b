//! Emitted thunks under qemu-user, through `cthunk fuzz-abi`: objects for AArch64 (Linux, Apple, Windows) and riscv64, linked with
//! code of C compilers, both directions.
#![cfg(all(feature = "emit", unix))]

#[path = "../../tests/support/needs.rs"]
mod needs;

use std::fs;
use std::path::Path;
use std::process::Command;

use cthunk::abi;
use cthunk::emit::stubs;
use cthunk::fuzz::Platform;

/// What the programs of [`cthunk::fuzz::emitted`] include.
const PROGRAM: &str = "#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void) { return puts(\"text\") < 0; }
";

/// Runs random functions of a convention against those of the compilers that are here.
fn random(convention: &str) {
    let platform = Platform::of(convention).unwrap();
    let machine = platform.machine.unwrap();
    let packages = "qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross";
    let program =
        needs::executes(machine.emulator, &[machine.gcc], &["-static"], PROGRAM, packages);
    if !needs::has(program) {
        return;
    }
    let variadic = "#include <stdarg.h>\nint f(int n, ...) { va_list l; va_start(l, n); return va_arg(l, int); }";
    let clang = [&["clang-19"], machine.clang].concat();
    let clang = needs::has(needs::compiles(&clang, &["-S"], variadic, "clang-19"));
    let gcc = machine.gcc_knows.then_some("gcc");
    let compilers: Vec<&str> = gcc.into_iter().chain(clang.then_some("clang-19")).collect();
    if compilers.is_empty() {
        return;
    }
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "100"), option("CTHUNK_SEED", "1"));
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", convention, "--cc", &compilers.join(",")])
        .args(["--findings", findings, "--most-findings", "1", "--cases", &cases, "--seed", &seed])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(&format!("  {cases} functions in ")), "{text}");
    print!("{text}");
}

#[test]
fn aapcs64() {
    random("aapcs64");
}

#[test]
fn aapcs64_apple() {
    random("aapcs64-apple");
}

#[test]
fn aapcs64_windows() {
    random("aapcs64-windows");
}

#[cfg(feature = "riscv64")]
#[test]
fn lp64d() {
    random("lp64d");
}

/// The command writes an object and a header that a C program uses; on the host it runs without an emulator.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_command_makes_an_object() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emit");
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name);
    fs::write(
        path("pair.h"),
        "struct pair { int a; double b; };\ndouble sum(struct pair p, float c);\n",
    )
    .unwrap();
    let program = r#"
#include <stdio.h>
#include "pair.h"
#include "thunks.h"
double sum(struct pair p, float c) { return p.a + p.b + c; }
static void twice(struct cthunk_slot *slot, void *frame) {
    sum_call(slot->data, frame);
    *(double *)((char *)frame + sum_RESULT) *= 2;
}
int main(void) {
    sum_slot.data = sum;
    sum_slot.dispatch = twice;
    double (*callback)(struct pair, float) = (double (*)(struct pair, float))sum_callback;
    printf("%g\n", callback((struct pair){1, 2.5}, 0.25f));
}
"#;
    fs::write(path("main.c"), program).unwrap();
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    run(Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("emit")
        .arg(path("pair.h"))
        .arg("-o")
        .arg(path("thunks.o")));
    if needs::has(needs::compiles(&["gcc"], &["-no-pie"], PROGRAM, "gcc libc6-dev")) {
        run(Command::new("gcc")
            .args(["-no-pie", "-o"])
            .args(["program", "main.c", "thunks.o"].map(path)));
        assert_eq!(run(&mut Command::new(path("program"))), "7.5\n");
    }
}

/// The bytes of the stubs are those that an assembler makes of their text.
#[test]
fn stubs_are_what_they_say() {
    let assembler = needs::compiles(&["clang-19"], &["-c"], "int x;", "clang-19");
    let copy = needs::runs("llvm-objcopy-19", &["--version"], "llvm-19");
    if !needs::has(assembler.and(copy)) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for callbacks in stubs::CALLBACKS {
        let convention = abi::convention(callbacks.conventions[0]).unwrap();
        for (part, lines) in [("stub", callbacks.stub), ("entry", callbacks.entry)] {
            let name = format!("stubs_{}_{part}", convention.name);
            let text = lines
                .iter()
                .fold(callbacks.directive.to_owned(), |text, (_, line)| text + "\n" + line);
            let [source, object, binary] =
                ["s", "o", "bin"].map(|end| folder.join(format!("{name}.{end}")));
            fs::write(&source, text + "\n").unwrap();
            let triple = format!("{}-linux-gnu", convention.architecture);
            let march = (convention.architecture == "riscv64").then_some("-march=rv64g");
            let run =
                |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
            run(Command::new("clang-19")
                .args(["-c", "-target", &triple])
                .args(march)
                .arg("-o")
                .args([&object, &source]));
            run(Command::new("llvm-objcopy-19")
                .args(["-O", "binary", "-j", ".text"])
                .args([&object, &binary]));
            assert_eq!(fs::read(&binary).unwrap(), stubs::bytes(lines), "{name}");
        }
    }
}
