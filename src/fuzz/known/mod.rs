//! Functions on which C compilers disagree with each other, or with the document that they name.
//!
//! A row says beforehand which functions a compiler compiles differently. These functions are not run against this compiler, and are counted
//! apart: neither as findings nor as passes. So a row excuses nothing that goes wrong in a run; the other compilers and the round trip
//! run the function all the same.

mod aarch64;
mod clang;
mod i686;
mod riscv64;
mod seen;
mod sysv64;
mod win64;

use super::batch::{Batch, Prototype};
use super::mutants::Mutant;
use super::program::Direction;
use crate::abi::{CallPlan, Convention, Signature};

pub use seen::Seen;

/// A known disagreement.
pub struct Disagreement {
    /// The name in reports.
    pub name: &'static str,
    /// The compiler's rule, and the compilers with another rule.
    pub reason: &'static str,
    /// Where that is said.
    pub link: &'static str,
    /// The conventions.
    pub conventions: &'static [&'static Convention],
    /// The compilers, by oracle name.
    pub oracle: fn(&str) -> bool,
    /// Who calls whom.
    pub directions: &'static [Direction],
    /// The functions.
    pub subject: Subject,
}

/// The functions that a row is about.
pub enum Subject {
    /// A type, wherever it is an argument or a result.
    Type(fn(&Seen<'_>) -> bool),
    /// A function as a whole.
    Function(fn(&Signature, &CallPlan) -> bool),
}

/// Every known disagreement, by convention.
pub static DISAGREEMENTS: &[&[Disagreement]] =
    &[sysv64::ROWS, win64::ROWS, aarch64::ROWS, riscv64::ROWS, i686::ROWS];

/// The rows of a convention, or of the one that it is a mutant of.
fn rows(convention: &Convention) -> impl Iterator<Item = &'static Disagreement> {
    let name = Mutant::of(convention.name).map_or(convention.name, |mutant| mutant.of.name);
    let rows = DISAGREEMENTS.iter().copied().flatten();
    rows.filter(move |row| row.conventions.iter().any(|of| of.name == name))
}

/// The row that keeps a function from being run against a compiler.
pub fn row(
    batch: &Batch,
    prototype: &Prototype,
    oracle: &str,
    direction: Direction,
) -> Option<&'static Disagreement> {
    rows(batch.platform.convention).find(|row| {
        row.directions.contains(&direction)
            && (row.oracle)(oracle)
            && match row.subject {
                Subject::Type(applies) => {
                    let types = prototype.signature.arguments.iter();
                    let types = types.chain([&prototype.signature.result]);
                    let values = prototype.arguments.iter().chain([&prototype.result]);
                    let seen =
                        |(value, ty): (&super::Value, _)| Seen::new(batch.table(), value.ty, ty);
                    values.zip(types).any(|pair| applies(&seen(pair)))
                }
                Subject::Function(applies) => applies(&prototype.signature, &prototype.plan),
            }
    })
}

/// Whether compilers disagree on a type.
pub fn is_disputed(convention: &Convention, seen: &Seen<'_>) -> bool {
    rows(convention).any(|row| matches!(row.subject, Subject::Type(applies) if applies(seen)))
}

/// Whether compilers disagree on a function for more than one of its types.
pub fn is_disputed_function(
    convention: &Convention,
    signature: &Signature,
    plan: &CallPlan,
) -> bool {
    rows(convention)
        .any(|row| matches!(row.subject, Subject::Function(applies) if applies(signature, plan)))
}

#[cfg(test)]
mod tests {
    use super::DISAGREEMENTS;

    #[test]
    fn every_row_is_documented() {
        let page = include_str!("../../../docs/abi.md");
        for row in DISAGREEMENTS.iter().copied().flatten() {
            let conventions = row.conventions.iter().map(|of| format!("`{}`", of.name));
            let conventions = conventions.collect::<Vec<_>>().join(", ");
            let cell = format!("| `{}` | {conventions} |", row.name);
            assert!(page.contains(&cell), "docs/abi.md has no {cell}");
        }
    }
}
