//! Emitted thunks under qemu-user, through `cthunk fuzz-abi`: objects for AArch64 (Linux, Apple, Windows) and riscv64, linked with
//! code of C compilers, both directions.
#![cfg(all(feature = "emit", unix))]

#[path = "../../tests/support/needs.rs"]
mod needs;

#[path = "support/fake.rs"]
mod fake;

use std::fs;
use std::path::Path;
use std::process::Command;

use cthunk::emit::stubs;
use cthunk::fuzz::Platform;

/// A C program with the includes of the programs of [`cthunk::fuzz::emitted`].
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

/// A compiler that crashes at a function is missing in this one's steps only.
#[test]
fn a_compiler_crashes() {
    let platform = Platform::of("aapcs64").unwrap();
    let (machine, packages) = (platform.machine.unwrap(), "gcc-aarch64-linux-gnu qemu-user");
    let clang = [&["clang-19"], machine.clang].concat();
    let program =
        needs::executes(machine.emulator, &[machine.gcc], &["-static"], PROGRAM, packages)
            .and_then(|()| needs::compiles(&clang, &["-S"], "int x;", "clang-19"));
    if needs::has(program) {
        fake::misses_one_function("aapcs64", "dies-clang", "kill -SEGV $$", "clang-19");
    }
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
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

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

/// A value of a megabyte is copied, and not passed word by word: the object is small, and the copy is right.
#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn a_large_value_is_copied_by_memcpy() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emit_large");
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name);
    let header = "struct large { char c[1000003]; }; struct small { long a, b, c; };
struct large swap(int a, struct small s, struct large l, double d, char e, struct small t);\n";
    fs::write(path("large.h"), header).unwrap();
    let program = r#"
#include <stdio.h>
#include <string.h>
#include "large.h"
#include "thunks.h"
struct large swap(int a, struct small s, struct large l, double d, char e, struct small t) {
    if (a != 1 || s.a != 2 || s.c != 4 || d != 5.5 || e != 6 || t.b != 8) l.c[0] = 99;
    l.c[1000002]++;
    return l;
}
static void forward(struct cthunk_slot *slot, void *frame) { swap_call(slot->data, frame); }
static struct large before, after;
int main(void) {
    for (int i = 0; i < 1000003; i++) before.c[i] = i * 7;
    swap_slot.data = swap;
    swap_slot.dispatch = forward;
    __typeof__(swap) *callback = (__typeof__(swap) *)swap_callback;
    after = callback(1, (struct small){2, 3, 4}, before, 5.5, 6, (struct small){7, 8, 9});
    before.c[1000002]++;
    puts(memcmp(&before, &after, sizeof before) ? "wrong" : "right");
}
"#;
    fs::write(path("main.c"), program).unwrap();
    run(Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("emit")
        .arg(path("large.h"))
        .arg("-o")
        .arg(path("thunks.o")));
    assert!(fs::metadata(path("thunks.o")).unwrap().len() < 20_000);
    if needs::has(needs::compiles(&["gcc"], &["-no-pie"], PROGRAM, "gcc libc6-dev")) {
        run(Command::new("gcc")
            .args(["-no-pie", "-o"])
            .args(["program", "main.c", "thunks.o"].map(path)));
        assert_eq!(run(&mut Command::new(path("program"))), "right\n");
    }
}

/// A function that keeps more registers than its convention wants has no callback here.
#[test]
fn a_preserving_function_is_refused() {
    let target = "x86_64-unknown-linux-gnu".parse().unwrap();
    for attribute in ["preserve_most", "preserve_all", "no_caller_saved_registers"] {
        let text = format!("int f(int) __attribute__(({attribute}));");
        let functions = cthunk::emit::functions(&text, &target).unwrap();
        let error = cthunk::emit::emit(&functions, &target).unwrap_err().to_string();
        assert!(error.contains("keeps registers that a callback does not"), "{error}");
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
        let convention = callbacks.of;
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
