//! Where C compilers do not agree with each other, or with the document that they name.
//!
//! A failure that one of these rows explains is counted apart: neither as a finding nor as a pass.

use super::batch::{Batch, Prototype};
use super::compiler::Compiler;
use super::program::{Direction, Step};
use crate::abi::{Bank, Kind, Leaf, LeafKind, Pass, Piece, Place, Type};
use crate::ctype::{self, QualType};

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
    pub applies: fn(&Batch, &Prototype) -> bool,
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
        applies: |_, prototype| has_variable_by_pointer(prototype),
    },
    Disagreement {
        name: "gcc-ms-vector32",
        reason: "GCC returns 32-byte vectors in memory; MSVC and Clang in ymm0",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#return-values",
        convention: "win64",
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        applies: |_, prototype| {
            let result = &prototype.signature.result;
            is_vector(result) && result.size == 32
        },
    },
    Disagreement {
        name: "clang-ms-empty-result",
        reason: "Clang returns an empty struct, which Microsoft's C does not have, through a hidden pointer; GCC returns \
                 nothing",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#return-values",
        convention: "win64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| prototype.signature.result.size == 0 && !prototype.is_void(),
    },
    Disagreement {
        name: "clang-int128-last-register",
        reason: "after an __int128 for which one integer register is left, Clang gives that register to no later argument; GCC \
                 and the psABI (\"arguments … are assigned registers in order\", the whole value goes to memory) do",
        link: "https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.2.3",
        convention: "sysv64",
        oracle: |oracle| oracle.contains("clang"),
        directions: &Direction::ALL,
        applies: |_, prototype| has_int128_before_a_register(prototype),
    },
    Disagreement {
        name: "clang-union-padding",
        reason: "Clang passes an eightbyte of a union as the float that one member has there, and loses the bytes that another \
                 member has behind it",
        link: "https://github.com/llvm/llvm-project/issues/83388",
        convention: "sysv64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| types(prototype).any(has_float_over_more),
    },
    Disagreement {
        name: "clang-union-quad",
        reason: "Clang passes a union of __float128 and of two eightbytes that are numbers of their own with the lower one lost; GCC and \
                 the psABI's merging rules have each eightbyte in a register",
        link: "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/X86.cpp, GetSSETypeAtOffset",
        convention: "sysv64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| types(prototype).any(has_quad_over_others),
    },
    Disagreement {
        name: "clang-unaligned-record",
        reason: "Clang calls a packed record unaligned, which makes it MEMORY, where a record in it (empty, or of bit-fields) \
                 does not lie at its alignment; GCC looks at the scalars",
        link: "https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.2.3",
        convention: "sysv64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |batch, prototype| {
            let records = |text: &str| {
                let inner = text.split_once('{').map_or("", |(_, members)| members);
                text.contains("packed") && (inner.contains("struct t") || inner.contains("union t"))
            };
            defined_with(batch, prototype, &records)
        },
    },
    Disagreement {
        name: "gcc-union-zero-width",
        reason: "GCC takes a bit-field of no width in a union for an integer; elsewhere, as Clang and the psABI, for nothing",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/i386/i386.cc, classify_argument",
        convention: "sysv64",
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        applies: |batch, prototype| {
            let zero_width = |text: &str| text.starts_with("union") && text.contains(" : 0;");
            defined_with(batch, prototype, &zero_width)
        },
    },
    Disagreement {
        name: "clang-union-ymm",
        reason: "Clang passes a union of a 32-byte vector and something that is no vector, or of 32 bytes with a 16-byte vector or quad, in a \
                 ymm register; the psABI (\"any other eightbyte is not SSEUP\", rule 5c) and GCC have it in memory",
        link: "https://github.com/llvm/llvm-project/pull/221746",
        convention: "sysv64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| {
            types(prototype).any(|ty| ty.size >= 32 && has_vector32(ty) || has_vectors16(ty))
        },
    },
    Disagreement {
        name: "clang-variadic-ymm",
        reason: "Clang passes the named 32-byte vectors of a variadic function in memory as well; GCC the unnamed ones only, as \
                 the psABI says",
        link: "https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.5.7",
        convention: "sysv64",
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        applies: |_, prototype| prototype.is_variadic() && prototype.plan.is_wide(),
    },
    Disagreement {
        name: "gcc-va-arg-aligned",
        reason: "GCC's va_arg reads a record that is aligned to 16 from the registers that it saved, which are aligned to 8, \
                 with moves that need 16, and crashes with callers of its own, too",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/i386/i386.cc, ix86_gimplify_va_arg",
        convention: "sysv64",
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        applies: |_, prototype| {
            let fixed = prototype.signature.fixed.unwrap_or(usize::MAX);
            let arguments = prototype.signature.arguments.iter().zip(&prototype.plan.arguments);
            arguments.skip(fixed).any(|(ty, pass)| {
                ty.align == 16 && pass.pieces().iter().any(|piece| piece.bank == Bank::Int)
            })
        },
    },
    Disagreement {
        name: "libffi-x87-struct",
        reason: "libffi returns a struct of one long double in memory; the psABI, GCC and Clang return it in st0",
        link: "https://github.com/libffi/libffi/blob/v3.4.4/src/x86/ffi64.c",
        convention: "sysv64",
        oracle: |oracle| oracle == "libffi",
        directions: &Direction::ALL,
        applies: |_, prototype| returns_struct_in_x87(prototype),
    },
    Disagreement {
        name: "gcc-ms-half",
        reason: "GCC passes and returns _Float16, which Microsoft does not have, in general-purpose registers; Clang as other \
                 floating-point values in xmm registers",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#parameter-passing",
        convention: "win64",
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        applies: |_, prototype| types(prototype).any(|ty| is_float(ty, 2)),
    },
    Disagreement {
        name: "clang-ms-quad",
        reason: "Clang 19 passes __float128 in a vector register without using up its position, and returns it in xmm0; GCC as \
                 a struct, in memory",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#parameter-passing",
        convention: "win64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| types(prototype).any(|ty| is_float(ty, 16) && !has_x87(ty)),
    },
    Disagreement {
        name: "clang-ms-x87-result",
        reason: "Clang's ms_abi on Linux returns long double in st0; its own MinGW target, and GCC everywhere, in memory",
        link: "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/X86.cpp",
        convention: "win64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| {
            let result = &prototype.signature.result;
            is_float(result, 16) && has_x87(result)
        },
    },
    Disagreement {
        name: "clang-ms-vector8",
        reason: "Clang passes 8-byte vectors by pointer and returns them in xmm0; the convention and GCC have __m64 in \
                 general-purpose registers",
        link: "https://learn.microsoft.com/cpp/build/x64-calling-convention#parameter-passing",
        convention: "win64",
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        applies: |_, prototype| types(prototype).any(|ty| is_vector(ty) && ty.size == 8),
    },
    Disagreement {
        name: "clang-riscv-bit-field",
        reason: "Clang's callees store the register of a bit-field beside a float whole, behind the end of their own copy of the \
                 struct, and crash with callers of GCC, too",
        link: "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/RISCV.cpp",
        convention: "lp64d",
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        applies: |_, prototype| types(prototype).any(has_bit_field_at_the_end),
    },
    Disagreement {
        name: "clang-arm64-windows-vectors",
        reason: "Clang passes vectors to variadic functions in vector registers; Microsoft's document: \"SIMD and floating-point \
                 registers aren't used\"",
        link: "https://learn.microsoft.com/cpp/build/arm64-windows-abi-conventions#addendum-variadic-functions",
        convention: "aapcs64-windows",
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        applies: |_, prototype| {
            prototype.is_variadic() && prototype.signature.arguments.iter().any(is_vector)
        },
    },
    Disagreement {
        name: "clang-arm64-windows-va-arg",
        reason: "Clang's va_arg does not align 16-byte values, which its callers do, and Microsoft's document: rule C.14 for \
                 the imaginary stack",
        link: "https://learn.microsoft.com/cpp/build/arm64-windows-abi-conventions#addendum-variadic-functions",
        convention: "aapcs64-windows",
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        applies: |_, prototype| {
            let fixed = prototype.signature.fixed.unwrap_or(usize::MAX);
            prototype.signature.arguments.iter().skip(fixed).any(|ty| ty.align == 16)
        },
    },
];

/// The row that explains a failure.
pub fn explain(batch: &Batch, step: &Step) -> Option<&'static Disagreement> {
    let prototype = batch.prototypes.get(step.case)?;
    DISAGREEMENTS.iter().find(|row| {
        row.convention == batch.platform.convention.name
            && row.directions.contains(&step.direction)
            && (row.oracle)(&step.oracle)
            && (row.applies)(batch, prototype)
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

fn types(prototype: &Prototype) -> impl Iterator<Item = &Type> {
    std::iter::once(&prototype.signature.result).chain(&prototype.signature.arguments)
}

/// Whether it is a half, an x87 number or a quad of so many bytes.
fn is_float(ty: &Type, size: u32) -> bool {
    matches!(ty.kind, Kind::OtherFloat(_)) && ty.size == size
}

fn has_x87(ty: &Type) -> bool {
    ty.leaves().is_some_and(|leaves| leaves.iter().any(|leaf| leaf.kind == LeafKind::X87))
}

/// Whether a union has a floating-point number where another member has more of the same eightbyte.
fn has_float_over_more(ty: &Type) -> bool {
    let Some(leaves) = ty.leaves() else { return false };
    let end = |leaf: &Leaf| leaf.offset + leaf.size;
    let overlap = |a: &Leaf, b: &Leaf| a.offset < end(b) && b.offset < end(a);
    leaves.iter().enumerate().any(|(i, short)| {
        let others = leaves.iter().enumerate().filter(|&(other, _)| other != i);
        let mut others = others.map(|(_, leaf)| leaf);
        let shared = others.clone().any(|leaf| overlap(leaf, short));
        let longer = |leaf: &Leaf| leaf.offset / 8 == short.offset / 8 && end(leaf) > end(short);
        short.kind == LeafKind::Float && short.size < 8 && shared && others.any(longer)
    })
}

/// Whether a struct is a floating-point number and a bit-field, whose whole register reaches behind the struct.
fn has_bit_field_at_the_end(ty: &Type) -> bool {
    let Some([a, b]) = ty.leaves() else { return false };
    let float = |leaf: &Leaf| leaf.kind == LeafKind::Float;
    let bits =
        |leaf: &Leaf| leaf.kind == LeafKind::Int && leaf.align == 1 && leaf.offset + 8 > ty.size;
    float(a) && bits(b) || float(b) && bits(a)
}

/// Whether a union has a quad where another member has a number in its second half.
fn has_quad_over_others(ty: &Type) -> bool {
    let quad = |leaf: &Leaf| leaf.kind == LeafKind::Float && leaf.size == 16 && leaf.in_union;
    let other = |leaf: &Leaf| leaf.size <= 8 && leaf.offset + leaf.size > 8;
    ty.leaves().is_some_and(|leaves| leaves.iter().any(quad) && leaves.iter().any(other))
}

/// Whether the definition of a record that a function passes, or of one inside it, is such a text.
fn defined_with(batch: &Batch, prototype: &Prototype, such: &dyn Fn(&str) -> bool) -> bool {
    let values = prototype.arguments.iter().chain([&prototype.result]);
    values.into_iter().any(|value| is_defined_with(batch, value.ty, such))
}

fn is_defined_with(batch: &Batch, ty: QualType, such: &dyn Fn(&str) -> bool) -> bool {
    let table = batch.table();
    match *table.shape(ty) {
        ctype::Type::Array(element, _) => is_defined_with(batch, element, such),
        ctype::Type::Record(record) => {
            let start = format!("{} {{", table.repr(ty));
            let mut lines = batch.header.lines();
            let members = table.record(record).body.iter().flat_map(|body| &body.members);
            lines.any(|line| line.starts_with(&start) && such(line))
                || members.into_iter().any(|member| is_defined_with(batch, member.ty, such))
        }
        _ => false,
    }
}

/// Whether a 32-byte vector shares its memory with something else.
fn has_vector32(ty: &Type) -> bool {
    let wide = |leaf: &Leaf| leaf.kind == LeafKind::Vector && leaf.size == 32 && leaf.in_union;
    ty.leaves().is_some_and(|leaves| leaves.iter().any(wide))
}

/// Whether it has 32 bytes, and a 16-byte vector or quad in a union.
fn has_vectors16(ty: &Type) -> bool {
    let sse = |leaf: &Leaf| matches!(leaf.kind, LeafKind::Vector | LeafKind::Float);
    let half = |leaf: &Leaf| sse(leaf) && leaf.size == 16 && leaf.in_union;
    ty.size == 32 && ty.leaves().is_some_and(|leaves| leaves.iter().any(half))
}

fn is_vector(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Vector(_))
}

/// An `__int128` on the stack, and an integer register for an argument behind it.
fn has_int128_before_a_register(prototype: &Prototype) -> bool {
    let kinds = prototype.signature.arguments.iter().map(|ty| &ty.kind);
    let in_register =
        |piece: &Piece| piece.bank == Bank::Int && matches!(piece.place, Place::Register(_));
    let mut arguments = kinds.zip(&prototype.plan.arguments);
    let on_stack = |(kind, pass): (&Kind, &Pass)| {
        matches!(kind, Kind::Int128(_)) && matches!(pass, Pass::Stack { .. })
    };
    arguments.any(on_stack) && arguments.any(|(_, pass)| pass.placed().iter().any(in_register))
}

#[cfg(test)]
mod tests {
    use super::DISAGREEMENTS;

    #[test]
    fn every_row_is_documented() {
        let page = include_str!("../../docs/abi.md");
        for row in DISAGREEMENTS {
            let cell = format!("| `{}` | `{}` |", row.name, row.convention);
            assert!(page.contains(&cell), "docs/abi.md has no {cell}");
        }
    }
}
