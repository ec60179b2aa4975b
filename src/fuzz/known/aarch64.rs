//! Known disagreements: AArch64's conventions.

use super::sysv64::with_zero_width;
use super::{Disagreement, Subject};
use crate::abi::{AAPCS64, AAPCS64_WINDOWS, Kind, Leaf, LeafKind};
use crate::ctype::{self, QualType};
use crate::fuzz::compiler::Compiler;
use crate::fuzz::program::Direction;

const CLANG: &str = "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/AArch64.cpp";
const VARIADIC: &str = "https://learn.microsoft.com/cpp/build/arm64-windows-abi-conventions#addendum-variadic-functions";

pub static ROWS: &[Disagreement] = &[
    Disagreement {
        name: "gcc-union-zero-width",
        reason: "GCC takes a bit-field of no width in a union for a member that makes it no homogeneous aggregate; elsewhere, as \
                 Clang everywhere, for nothing",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/aarch64/aarch64.cc, aapcs_vfp_sub_candidate",
        conventions: &[&AAPCS64],
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.differs(&AAPCS64, with_zero_width(seen))),
    },
    Disagreement {
        name: "gcc-va-arg-homogeneous",
        reason: "GCC's va_arg of a record of halves or vectors writes its copy as other types than it reads it, so that -O2 without \
                 -fno-strict-aliasing reads what was there before",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/aarch64/aarch64.cc, aarch64_gimplify_va_arg_expr",
        conventions: &[&AAPCS64],
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, _| {
            let fixed = signature.fixed.unwrap_or(usize::MAX);
            let leaf = |leaf: &Leaf| {
                leaf.kind == LeafKind::Vector || leaf.kind == LeafKind::Float && leaf.size == 2
            };
            let mut variable = signature.arguments.iter().skip(fixed);
            variable.any(|ty| matches!(&ty.kind, Kind::Record(leaves) if leaves.iter().any(leaf)))
        }),
    },
    Disagreement {
        name: "clang-empty-bits",
        reason: "Clang passes nothing for a record that has bytes by unnamed bit-fields alone, which is right on Apple's systems; \
                 GCC and the document pass its bytes",
        link: CLANG,
        conventions: &[&AAPCS64, &AAPCS64_WINDOWS],
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.ty.is_empty && seen.ty.size > 0),
    },
    Disagreement {
        name: "gcc-vector-record",
        reason: "GCC takes a record with a short vector or complex number and an array of no elements for that number, by its machine mode \
                 (`aarch64_short_vector_p`); of other numbers it makes no homogeneous aggregate, as Clang of none",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/aarch64/aarch64.cc, aarch64_short_vector_p",
        conventions: &[&AAPCS64],
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let is_whole = |mut c: QualType| {
                while let ctype::Type::Array(element, _) = *seen.table.shape(c) {
                    c = element;
                }
                let shape = seen.table.shape(c);
                let one = matches!(shape, ctype::Type::Vector(..) | ctype::Type::Complex(_));
                one && seen.size(c) == u64::from(seen.ty.size)
            };
            let mut records = seen.records().into_iter();
            seen.leaves().iter().any(|leaf| leaf.size == 0)
                && records.any(|record| record.body.members.iter().any(|m| is_whole(m.ty)))
        }),
    },
    Disagreement {
        name: "clang-empty-array",
        reason: "Clang takes no notice of a record that has nothing but an array of no elements, which is right on Apple's systems; GCC takes \
                 it for a member, so that there is no homogeneous aggregate",
        link: CLANG,
        conventions: &[&AAPCS64, &AAPCS64_WINDOWS],
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let others = seen.leaves().iter().filter(|leaf| !leaf.in_empty);
            seen.differs(&AAPCS64, others.copied().collect())
        }),
    },
    Disagreement {
        name: "clang-arm64-windows-aligned",
        reason: "Clang's ms_abi on Linux, which these functions are run with, places records by their natural alignment, as AAPCS64 \
                 does; its Windows target, and Microsoft's document, by all of it",
        link: CLANG,
        conventions: &[&AAPCS64_WINDOWS],
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            seen.ty.align >= 16 && seen.ty.quirks.aapcs64.natural_align < 16
        }),
    },
    Disagreement {
        name: "clang-arm64-windows-vectors",
        reason: "Clang passes vectors to variadic functions in vector registers; Microsoft's document: \"SIMD and floating-point \
                 registers aren't used\"",
        link: VARIADIC,
        conventions: &[&AAPCS64_WINDOWS],
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, _| {
            let mut arguments = signature.arguments.iter();
            signature.fixed.is_some() && arguments.any(|ty| matches!(ty.kind, Kind::Vector(_)))
        }),
    },
    Disagreement {
        name: "clang-arm64-windows-va-arg",
        reason: "Clang's va_arg does not align 16-byte values, which its callers do, and Microsoft's document: rule C.14 for \
                 the imaginary stack",
        link: VARIADIC,
        conventions: &[&AAPCS64_WINDOWS],
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, _| {
            let fixed = signature.fixed.unwrap_or(usize::MAX);
            signature.arguments.iter().skip(fixed).any(|ty| ty.align == 16)
        }),
    },
];
