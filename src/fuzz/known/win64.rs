//! Known disagreements: `win64`.

use super::{Disagreement, Subject};
use crate::abi::{Convention, Kind, LeafKind, Pass, Type, WIN64};
use crate::fuzz::compiler::Compiler;
use crate::fuzz::program::Direction;

const CONVENTIONS: &[&Convention] = &[&WIN64];
const PARAMETERS: &str =
    "https://learn.microsoft.com/cpp/build/x64-calling-convention#parameter-passing";
const RESULTS: &str = "https://learn.microsoft.com/cpp/build/x64-calling-convention#return-values";

pub static ROWS: &[Disagreement] = &[
    Disagreement {
        name: "gcc-ms-va-arg",
        reason: "GCC's va_arg of a __builtin_ms_va_list reads structs of other sizes than 1, 2, 4 and 8 bytes in place; the \
                 convention, MSVC and Clang have a pointer there",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#varargs",
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, plan| {
            let fixed = signature.fixed.unwrap_or(usize::MAX);
            let by_pointer = |pass: &Pass| matches!(pass, Pass::Pointer { .. });
            plan.arguments.iter().skip(fixed).any(by_pointer)
        }),
    },
    Disagreement {
        name: "gcc-ms-vector32",
        reason: "GCC returns 32-byte vectors in memory; MSVC and Clang in ymm0",
        link: RESULTS,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Function(|signature, _| is_vector(&signature.result, 32)),
    },
    Disagreement {
        name: "clang-ms-empty-result",
        reason: "Clang returns an empty struct, which Microsoft's C does not have, through a hidden pointer; GCC returns \
                 nothing",
        link: RESULTS,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Function(|signature, _| {
            signature.result.size == 0 && signature.result != Type::VOID
        }),
    },
    Disagreement {
        name: "gcc-ms-half",
        reason: "GCC passes and returns _Float16, which Microsoft does not have, in general-purpose registers; Clang as other \
                 floating-point values in xmm registers",
        link: PARAMETERS,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| is_float(seen.ty, 2, LeafKind::Float)),
    },
    Disagreement {
        name: "clang-ms-quad",
        reason: "Clang 19 passes __float128 in a vector register without using up its position, and returns it in xmm0; GCC as \
                 a struct, in memory",
        link: PARAMETERS,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| is_float(seen.ty, 16, LeafKind::Float)),
    },
    Disagreement {
        name: "clang-ms-x87-result",
        reason: "Clang's ms_abi on Linux returns long double in st0; its own MinGW target, and GCC everywhere, in memory",
        link: "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/X86.cpp",
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Function(|signature, _| is_float(&signature.result, 16, LeafKind::X87)),
    },
    Disagreement {
        name: "clang-ms-vector8",
        reason: "Clang passes 8-byte vectors by pointer and returns them in xmm0; the convention and GCC have __m64 in \
                 general-purpose registers",
        link: PARAMETERS,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| is_vector(seen.ty, 8)),
    },
];

/// Whether it is one number of so many bytes that is neither `float` nor `double`.
fn is_float(ty: &Type, size: u32, kind: LeafKind) -> bool {
    let is_kind = || ty.leaves().is_some_and(|leaves| leaves.iter().all(|leaf| leaf.kind == kind));
    matches!(ty.kind, Kind::OtherFloat(_)) && ty.size == size && is_kind()
}

fn is_vector(ty: &Type, size: u32) -> bool {
    matches!(ty.kind, Kind::Vector(_)) && ty.size == size
}
