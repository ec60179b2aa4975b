//! Known disagreements: the conventions of 32-bit x86.

use super::{Disagreement, Subject};
use crate::abi::x86;
use crate::fuzz::compiler::Compiler;
use crate::fuzz::program::Direction;

pub static ROWS: &[Disagreement] = &[Disagreement {
    name: "clang-i686-empty-bits",
    reason: "Clang passes nothing for a record that has bytes by unnamed bit-fields alone; GCC, which these rows follow, passes its \
             bytes",
    link: "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/X86.cpp, isEmptyRecord",
    conventions: &[&x86::CDECL, &x86::STDCALL],
    oracle: Compiler::is_clang,
    directions: &Direction::ALL,
    subject: Subject::Type(|seen| seen.ty.is_empty && seen.ty.size > 0),
}];
