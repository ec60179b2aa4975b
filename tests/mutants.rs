//! Every rule of a convention matters: a campaign finds each of `fuzz::mutants`, which break one rule each.
#![cfg(all(target_arch = "x86_64", unix, feature = "cli"))]

#[path = "support/programs.rs"]
mod programs;

use std::fmt::Write;
use std::path::Path;

use cthunk::fuzz::compiler::Compiler;
use cthunk::fuzz::host::Host;
use cthunk::fuzz::mutants::{MUTANTS, Mutant};
use cthunk::fuzz::{Campaign, Platform};

/// Random functions that a mutant meets.
const FUNCTIONS: usize = 120;

/// The oracles and directions that see a mutant, with `compilers`.
fn caught_by(mutant: &Mutant, compilers: &[&str]) -> Vec<String> {
    let worker = [env!("CARGO_BIN_EXE_cthunk"), "fuzz-abi-worker", mutant.name];
    let compilers = compilers.iter().map(|name| Compiler::find(name).unwrap());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(mutant.name);
    let executor = Host {
        platform: Platform::of(mutant.name).unwrap(),
        worker: worker.map(String::from).to_vec(),
        compilers: compilers.collect(),
    };
    let campaign = Campaign {
        platform: Platform::of(mutant.name).unwrap(),
        executor: &executor,
        seed: 1,
        cases: FUNCTIONS,
        jobs: 1,
        scratch: folder.clone(),
        findings: folder,
        most_findings: 0,
    };
    let report = campaign.run(&|_, _| {}).unwrap_or_else(|e| panic!("{}: {e}", mutant.name));
    let failed = report.tallies.iter().filter(|(_, tally)| tally.failed > 0);
    failed.map(|((oracle, direction), _)| format!("{oracle} {}", direction.name())).collect()
}

#[test]
fn a_broken_rule_is_found() {
    if programs::runs("gcc", &["--version"], "gcc") {
        let mutant = Mutant::of("win64-not-positional").unwrap();
        assert!(caught_by(mutant, &["gcc"]).contains(&"gcc call".to_owned()));
    }
}

/// All of them, and the list of what found each: `CTHUNK_BLESS=1 cargo test --test mutants -- --ignored`.
#[test]
#[ignore = "takes minutes: cargo test --test mutants -- --ignored"]
fn every_broken_rule_is_found() {
    let compilers = ["clang-19"];
    assert!(compilers.iter().all(|name| programs::runs(name, &["--version"], name)));
    let mut list = String::from(
        "# Mutants

Each row breaks one rule of a convention's table (`src/fuzz/mutants.rs`), and says who noticed in 120 random functions of seed 1:
Clang (which relies on extended integers where GCC does not), libffi, or `itself`, the round trip between our own call thunk
and callback. Written by

    CTHUNK_BLESS=1 cargo test --test mutants -- --ignored

| mutant | caught by |
|---|---|
",
    );
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let caught = caught_by(mutant, &compilers);
        println!("{}: {}", mutant.name, caught.join(", "));
        let _ = writeln!(list, "| {} | {} |", mutant.name, caught.join(", "));
        if caught.is_empty() {
            survivors.push(mutant.name);
        }
    }
    if std::env::var_os("CTHUNK_BLESS").is_some() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mutants.md");
        std::fs::write(page, list).unwrap();
    }
    assert!(survivors.is_empty(), "nobody noticed {survivors:?}");
}
