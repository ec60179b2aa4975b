//! Every rule of a convention matters: the files of `tests/conventions/` or a campaign notice each of `fuzz::mutants`, which
//! break one rule each.
#![cfg(all(target_arch = "x86_64", unix, feature = "emit"))]

#[path = "support/campaigns.rs"]
mod campaigns;
#[path = "../../tests/support/conventions.rs"]
mod conventions;
#[path = "../../tests/support/needs.rs"]
mod needs;

use std::fmt::Write;
use std::fs;

use cthunk::fuzz::compiler::Compiler;
use cthunk::fuzz::emitted::Emitted;
use cthunk::fuzz::mutants::{Mutant, mutants};
use cthunk::fuzz::program::Executor;

/// C as campaigns compile it.
const VARIADIC: &str =
    "#include <stdarg.h>\nint f(int n, ...) { va_list l; va_start(l, n); return va_arg(l, int); }";

/// Random functions that a mutant meets: most are noticed by the few.
const FEW: usize = 150;
const MANY: usize = 1500;

/// Lines of the convention's file that the mutant changes.
fn changed_lines(mutant: &Mutant) -> usize {
    let old = fs::read_to_string(conventions::path(mutant.of.name)).unwrap();
    let convention = campaigns::platform(mutant).convention;
    let (new, _) = conventions::rendered(&old, convention);
    old.lines().zip(new.lines()).filter(|(old, new)| old != new).count()
}

/// The oracles and directions that see a mutant in so many functions, with Clang.
fn caught_by(mutant: &Mutant, functions: usize) -> Vec<String> {
    let clang = "clang-19";
    let executor: Box<dyn Executor> = match campaigns::platform(mutant).machine {
        Some(machine) => {
            let clang = machine.compiler(clang).unwrap().unwrap();
            Box::new(Emitted::new(machine, vec![clang]).unwrap())
        }
        None => Box::new(campaigns::host(mutant, vec![Compiler::find(clang).unwrap()])),
    };
    campaigns::caught_in(mutant, &*executor, functions)
}

#[test]
fn a_campaign_finds_a_broken_rule() {
    if needs::has(needs::compiles(&["clang-19"], &["-shared", "-fPIC"], VARIADIC, "clang-19")) {
        let mutant = Mutant::of("win64-not-positional").unwrap();
        assert!(caught_by(mutant, FEW).contains(&"clang-19 call".to_owned()));
    }
}

#[test]
fn the_files_notice_every_broken_rule() {
    let survivors = mutants().filter(|mutant| changed_lines(mutant) == 0);
    let survivors: Vec<_> = survivors.map(|mutant| mutant.name).collect();
    assert!(survivors.is_empty(), "nobody noticed {survivors:?}");
}

/// The list of what notices each: `CTHUNK_BLESS=1 cargo test --features riscv64 --test mutants -- --ignored`.
#[test]
#[ignore = "takes minutes: cargo test --features riscv64 --test mutants -- --ignored"]
fn campaigns_find_broken_rules() {
    for program in ["clang-19", "qemu-aarch64", "qemu-riscv64"] {
        assert!(needs::has(needs::runs(program, &["--version"], program)));
    }
    let mut list = String::from(
        "# Mutants

Each row breaks one rule of a convention's table (`src/fuzz/mutants/`). \"lines\" is the number of lines that change in the convention's
file in `tests/conventions/`. \"found by\" lists who noticed in 150 random functions of seed 1 (or in 1,500, if the row says so): Clang,
libffi, the checker of plans, `emit`, or `itself`, the round trip between this library's call thunk and callback. A campaign does not notice a rule that Cranelift
keeps by itself (shadow space), that no compiler relies on, or that no function of the campaign meets. This command writes the page:

    CTHUNK_BLESS=1 cargo test --features riscv64 --test mutants -- --ignored

| mutant | lines | found by |
|---|---|---|
",
    );
    for mutant in mutants() {
        let mut caught = caught_by(mutant, FEW).join(", ");
        if caught.is_empty() {
            caught = caught_by(mutant, MANY).join(", ");
            caught += if caught.is_empty() { "" } else { " (in 1,500)" };
        }
        let lines = changed_lines(mutant);
        println!("{}: {lines}, {caught}", mutant.name);
        let _ = writeln!(list, "| {} | {lines} | {caught} |", mutant.name);
        assert!(lines > 0 || !caught.is_empty(), "nobody noticed {}", mutant.name);
    }
    campaigns::bless("mutants.md", &list);
}
