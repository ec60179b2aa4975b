//! Where C compilers do not agree with each other, or with the document that they name.
//!
//! A failure that one of these rows explains is counted apart: neither as a finding nor as a pass.

use super::batch::{Batch, Prototype};
use super::compiler::Compiler;
use super::program::{Direction, Step};
use crate::abi::{Bank, Kind, Pass, Piece};

/// A known disagreement.
pub struct Disagreement {
    /// What reports call it.
    pub name: &'static str,
    /// What the compiler does, and who does otherwise.
    pub reason: &'static str,
    /// Where that is said.
    pub link: &'static str,
    /// The convention.
    pub convention: &'static str,
    /// The compilers, by oracle name.
    pub oracle: fn(&str) -> bool,
    /// Who calls whom.
    pub directions: &'static [Direction],
    /// The functions.
    pub applies: fn(&Prototype) -> bool,
}

/// Every known disagreement.
pub static DISAGREEMENTS: &[Disagreement] = &[
    Disagreement {
        name: "gcc-ms-va-arg",
        reason: "GCC's va_arg of a __builtin_ms_va_list reads structs of other sizes than 1, 2, 4 and 8 bytes in place; the \
                 convention, MSVC and Clang have a pointer there",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#varargs",
        convention: "win64",
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        applies: has_variable_by_pointer,
    },
    Disagreement {
        name: "clang-ms-empty-result",
        reason: "Clang returns an empty struct, which Microsoft's C does not have, through a hidden pointer; GCC returns \
                 nothing",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#return-values",
        convention: "win64",
        oracle: |oracle| oracle.contains("clang"),
        directions: &Direction::ALL,
        applies: |prototype| prototype.signature.result.size == 0 && !prototype.is_void(),
    },
    Disagreement {
        name: "libffi-x87-struct",
        reason: "libffi returns a struct of one long double in memory; the psABI, GCC and Clang return it in st0",
        link: "https://github.com/libffi/libffi/blob/v3.4.4/src/x86/ffi64.c",
        convention: "sysv64",
        oracle: |oracle| oracle == "libffi",
        directions: &Direction::ALL,
        applies: returns_struct_in_x87,
    },
];

/// The row that explains a failure.
pub fn explain(batch: &Batch, step: &Step) -> Option<&'static Disagreement> {
    let prototype = batch.prototypes.get(step.case)?;
    DISAGREEMENTS.iter().find(|row| {
        row.convention == batch.platform.convention.name
            && row.directions.contains(&step.direction)
            && (row.oracle)(&step.oracle)
            && (row.applies)(prototype)
    })
}

fn has_variable_by_pointer(prototype: &Prototype) -> bool {
    let fixed = prototype.signature.fixed.unwrap_or(usize::MAX);
    let by_pointer = |pass: &Pass| matches!(pass, Pass::Pointer { .. });
    prototype.plan.arguments.iter().skip(fixed).any(by_pointer)
}

fn returns_struct_in_x87(prototype: &Prototype) -> bool {
    let in_x87 = |piece: &Piece| piece.bank == Bank::X87;
    matches!(prototype.signature.result.kind, Kind::Record(_))
        && prototype.plan.result.pieces().iter().any(in_x87)
}
