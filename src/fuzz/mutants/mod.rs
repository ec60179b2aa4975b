//! Broken conventions, which the tests and the fuzzer must find.
//!
//! Each mutant breaks one rule of one table: a field of the [`Convention`], an input of its `classify`, or an answer of it. A mutant is a row.
//! `fuzz-abi --convention NAME` runs a mutant like a convention. `CTHUNK_BLESS=1 cargo test --test mutants -- --ignored` writes
//! `docs/mutants.md`, which lists the tests that caught each.

mod aapcs64;
mod change;
mod lp64d;
mod sysv64;
mod win64;
pub mod x86;

use crate::abi::Convention;

/// A convention with one broken rule.
#[derive(Debug)]
pub struct Mutant {
    /// The convention's name, and what is wrong.
    pub name: &'static str,
    /// The convention.
    pub of: &'static Convention,
    /// Breaks the rule.
    pub change: fn(&mut Convention),
}

/// Every mutant of a 64-bit convention.
pub fn mutants() -> impl Iterator<Item = &'static Mutant> {
    [sysv64::MUTANTS, win64::MUTANTS, aapcs64::MUTANTS, lp64d::MUTANTS].into_iter().flatten()
}

impl Mutant {
    const fn new(
        of: &'static Convention,
        name: &'static str,
        change: fn(&mut Convention),
    ) -> Mutant {
        Mutant { name, of, change }
    }

    /// The mutant of that name.
    pub fn of(name: &str) -> Option<&'static Mutant> {
        mutants().chain(x86::MUTANTS).find(|mutant| mutant.name == name)
    }

    /// The broken convention.
    pub fn convention(&self) -> Convention {
        let mut convention = *self.of;
        (self.change)(&mut convention);
        convention
    }
}
