//! Known disagreements: `sysv64`.

use super::seen::{Inner, phantom};
use super::{Disagreement, Seen, Subject};
use crate::abi::{
    Bank, CallPlan, Class, Convention, Kind, Leaf, LeafKind, Pass, Place, Role, SYSV64, Signature,
    Type, WIN64, Width,
};
use crate::ctype::RecordKind;
use crate::fuzz::compiler::Compiler;
use crate::fuzz::program::Direction;

const CONVENTIONS: &[&Convention] = &[&SYSV64];
const PSABI: &str = "https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.2.3";
const CLANG: &str =
    "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/X86.cpp";
const GCC: &str =
    "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/i386/i386.cc";

pub static ROWS: &[Disagreement] = &[
    Disagreement {
        name: "clang-unnamed-bits",
        reason: "Clang leaves unnamed bit-fields out, GCC and the psABI classify them as integers; so does Clang since LLVM \
                 change 216777",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let named = seen.leaves().iter().filter(|leaf| !leaf.unnamed);
            seen.differs(&SYSV64, named.copied().collect())
        }),
    },
    Disagreement {
        name: "clang-int128-last-register",
        reason: "after an __int128 for which one integer register is left, Clang gives that register to no later argument; GCC \
                 and the psABI (\"arguments … are assigned registers in order\", the whole value goes to memory) do",
        link: PSABI,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Function(has_int128_before_a_register),
    },
    Disagreement {
        name: "clang-union-padding",
        reason: "Clang passes an eightbyte of a union as the floating-point number that one member has there, and loses the bytes \
                 that another member has behind it; of a union of __float128 and two eightbytes it loses the second",
        link: "https://github.com/llvm/llvm-project/issues/83388",
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.loses_bytes_in_clang()),
    },
    Disagreement {
        name: "clang-two-halves",
        reason: "Clang passes an eightbyte of two _Float16 and nothing else as an integer where the value behind it is shorter than 8 \
                 bytes (`GetX86_64ByValArgumentPair` widens all but float and half to i64); the psABI and GCC have it in SSE",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(has_two_halves_before_a_short_eightbyte),
    },
    Disagreement {
        name: "clang-unaligned-record",
        reason: "Clang calls a packed record unaligned, which makes it MEMORY, where a record in it (empty, or of bit-fields) \
                 does not lie at its alignment; GCC looks at the scalars",
        link: PSABI,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.is_unaligned_to_clang() && !is_memory(seen)),
    },
    Disagreement {
        name: "clang-union-ymm",
        reason: "Clang passes a union of more than 16 bytes in which it sees a vector or quad alone, as it takes no notice of large arrays, in a \
                 vector register; the psABI \
                 (\"any other eightbyte is not SSEUP\", rule 5c) and GCC have it in memory",
        link: "https://github.com/llvm/llvm-project/pull/221746",
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.is_ymm_to_clang() && is_memory(seen)),
    },
    Disagreement {
        name: "clang-ymm-struct",
        reason: "Clang passes a struct of a 32-byte vector and members of no size in memory; GCC in a ymm register, as the psABI's eightbytes \
                 say",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            seen.ty.size == 32 && !is_memory(seen) && !seen.is_ymm_to_clang()
        }),
    },
    Disagreement {
        name: "clang-variadic-ymm",
        reason: "Clang passes the named 32-byte vectors of a variadic function in memory as well; GCC the unnamed ones only, as \
                 the psABI says",
        link: "https://gitlab.com/x86-psABIs/x86-64-ABI, section 3.5.7",
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, plan| {
            signature.fixed.is_some()
                && plan.arguments.iter().any(|pass| pass.pieces().len() > 1 && is_ymm(pass))
        }),
    },
    Disagreement {
        name: "gcc-union-zero-width",
        reason: "GCC takes a bit-field of no width in a union for an integer; elsewhere, as Clang and the psABI, for nothing",
        link: GCC,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| seen.differs(&SYSV64, with_zero_width(seen))),
    },
    Disagreement {
        name: "gcc-empty-array",
        reason: "GCC classifies an array of no elements that does not begin an eightbyte as one element; Clang, as the psABI has it, \
                 as nothing. Both call it unaligned where it is, but GCC not at the beginning of an eightbyte",
        link: GCC,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let inside = |leaf: &&Leaf| leaf.size > 0 || !leaf.offset.is_multiple_of(8);
            let grown = |leaf: &Leaf| Leaf { size: leaf.size.max(1), ..*leaf };
            let leaves = seen.leaves().iter().filter(inside).map(grown);
            has_empty_array_of_records(seen) || seen.differs(&SYSV64, leaves.collect())
        }),
    },
    Disagreement {
        name: "gcc-empty-bits",
        reason: "GCC gives a record that has bytes by unnamed bit-fields alone no room on the stack (`default_is_empty_record`), though \
                 a register where there is one, and no hidden pointer to a result; the psABI and Microsoft's document know no such difference",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/targhooks.cc",
        conventions: &[&SYSV64, &WIN64],
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Function(|signature, plan| {
            let on_stack = |pass: &Pass| match pass {
                Pass::Stack { .. } => true,
                pass => pass.placed().iter().any(|piece| matches!(piece.place, Place::Stack(_))),
            };
            let result = matches!(plan.result, Pass::Pointer { .. }) && signature.result.is_empty;
            let mut arguments = signature.arguments.iter().zip(&plan.arguments);
            let variadic = signature.fixed.is_some();
            let is_empty = |ty: &Type| ty.is_empty && ty.size > 0;
            result || arguments.any(|(ty, pass)| is_empty(ty) && (variadic || on_stack(pass)))
        }),
    },
    Disagreement {
        name: "gcc-vzeroupper",
        reason: "GCC 12 at -O2 clears the upper halves of the vector registers (vzeroupper) behind the result, which it has moved to ymm0 as a \
                 struct or union; Clang and GCC's own callers read them",
        link: GCC,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, plan| {
            matches!(signature.result.kind, Kind::Record(_)) && is_ymm(&plan.result)
        }),
    },
    Disagreement {
        name: "gcc-va-arg-aligned",
        reason: "GCC's va_arg reads a record that is aligned to 16 from the registers that it saved, which are aligned to 8, \
                 with moves that need 16, and crashes with callers of its own, too",
        link: GCC,
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, plan| {
            let fixed = signature.fixed.unwrap_or(usize::MAX);
            let arguments = signature.arguments.iter().zip(&plan.arguments);
            arguments.skip(fixed).any(|(ty, pass)| {
                ty.align == 16 && pass.pieces().iter().any(|piece| piece.bank == Bank::Int)
            })
        }),
    },
    Disagreement {
        name: "libffi-x87-struct",
        reason: "libffi returns a struct of one long double in memory; the psABI, GCC and Clang return it in st0",
        link: "https://github.com/libffi/libffi/blob/v3.4.4/src/x86/ffi64.c",
        conventions: CONVENTIONS,
        oracle: |oracle| oracle == "libffi",
        directions: &Direction::ALL,
        subject: Subject::Function(|signature, plan| {
            let in_x87 = plan.result.pieces().iter().any(|piece| piece.bank == Bank::X87);
            matches!(signature.result.kind, Kind::Record(_)) && in_x87
        }),
    },
];

/// Whether the first eightbyte has two `_Float16` at its beginning alone, and the second one scalar of at most 4 bytes, or two
/// `_Float16`.
fn has_two_halves_before_a_short_eightbyte(seen: &Seen<'_>) -> bool {
    let filled = || seen.leaves().iter().filter(|leaf| leaf.size > 0);
    let eightbyte = |start| filled().filter(move |leaf| leaf.offset / 8 * 8 == start);
    let is_half = |leaf: &Leaf| leaf.kind == LeafKind::Float && leaf.size == 2;
    let are_two_halves = |start| {
        let has = |offset| eightbyte(start).any(|leaf| leaf.offset == start + offset);
        eightbyte(start).all(|leaf| is_half(leaf) && leaf.offset < start + 4) && has(0) && has(2)
    };
    let is_short = || eightbyte(8).count() == 1 && eightbyte(8).all(|leaf| leaf.size <= 4);
    seen.ty.size == 16 && are_two_halves(0) && (are_two_halves(8) || is_short())
}

fn is_memory(seen: &Seen<'_>) -> bool {
    let role = Role::Fixed { variadic: false };
    matches!((SYSV64.classify)(seen.ty, role), Ok(Class::Memory { .. }))
}

/// Whether an array of no records, which GCC looks into, lies within an eightbyte of a value in registers.
fn has_empty_array_of_records(seen: &Seen<'_>) -> bool {
    let within = |record: &Inner<'_>| {
        record.body.members.iter().any(|member| {
            let is_within = !(record.offset + member.offset).is_multiple_of(8);
            is_within && seen.is_array_of_nothing(member.ty) && seen.is_array_of_records(member.ty)
        })
    };
    !is_memory(seen) && seen.records().iter().any(within)
}

fn is_ymm(pass: &Pass) -> bool {
    pass.pieces().iter().any(|piece| piece.width == Width::Upper128)
}

/// The scalars of a type, and an integer for each bit-field of no width in a union that has bytes or begins no eightbyte.
pub(super) fn with_zero_width(seen: &Seen<'_>) -> Vec<Leaf> {
    let records = seen.records().into_iter().filter(|record| {
        let is_there = record.body.layout.size > 0 || !record.offset.is_multiple_of(8);
        let mut unnamed = record.body.unnamed_bits.iter();
        record.kind == RecordKind::Union && is_there && unnamed.any(|bits| bits.width == 0)
    });
    seen.leaves().iter().copied().chain(records.map(|record| phantom(record.offset))).collect()
}

/// An `__int128` on the stack, and an integer register for an argument behind it.
fn has_int128_before_a_register(signature: &Signature, plan: &CallPlan) -> bool {
    let kinds = signature.arguments.iter().map(|ty| &ty.kind);
    let mut arguments = kinds.zip(&plan.arguments);
    let on_stack = |(kind, pass): (&Kind, &Pass)| {
        matches!(kind, Kind::Int128(_)) && matches!(pass, Pass::Stack { .. })
    };
    let in_register = |(_, pass): (&Kind, &Pass)| {
        let mut placed = pass.placed().iter();
        placed.any(|piece| piece.bank == Bank::Int && matches!(piece.place, Place::Register(_)))
    };
    arguments.any(on_stack) && arguments.any(in_register)
}
