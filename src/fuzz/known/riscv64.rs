//! Known disagreements: `lp64d`.

use super::{Disagreement, Seen, Subject};
use crate::abi::{Bank, Class, Convention, LP64D, LeafKind, Part, Role};
use crate::ctype::{QualType, RecordKind};
use crate::fuzz::compiler::Compiler;
use crate::fuzz::program::Direction;

const CONVENTIONS: &[&Convention] = &[&LP64D];
const CLANG: &str =
    "https://github.com/llvm/llvm-project/blob/llvmorg-19.1.7/clang/lib/CodeGen/Targets/RISCV.cpp";

pub static ROWS: &[Disagreement] = &[
    Disagreement {
        name: "clang-riscv-bit-field",
        reason: "Clang's callees store the register of a bit-field beside a float as its whole type, over the float or behind the end of \
                 their own copy of the struct, and crash with callers of GCC, too",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(has_bit_field_at_the_end),
    },
    Disagreement {
        name: "clang-riscv-zero-width",
        reason: "Clang flattens no struct of two members with a bit-field of no width before the second; GCC and the psABI (\"fields \
                 containing zero-length bit-fields … are ignored while flattening\") do",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let mut records = seen.records().into_iter();
            let zero_width = records.any(|record| {
                let last = record.body.members.len() as u32;
                let unnamed = &record.body.unnamed_bits;
                let mut zero = unnamed.iter().enumerate().filter(|(_, bits)| bits.width == 0);
                zero.any(|(i, bits)| {
                    bits.before < last || unnamed[i + 1..].iter().any(|later| later.width > 0)
                })
            });
            zero_width && parts(seen).len() == 2
        }),
    },
    Disagreement {
        name: "clang-riscv-empty-bits",
        reason: "Clang flattens a struct without the unnamed bit-fields of a record in it that has nothing else; GCC takes them for \
                 integers, as those beside other members",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let others = seen.leaves().iter().filter(|leaf| !leaf.in_empty);
            seen.differs(&LP64D, others.copied().collect())
        }),
    },
    Disagreement {
        name: "clang-riscv-va-arg-empty",
        reason: "Clang's va_arg reads nothing for a record that has bytes by unnamed bit-fields alone, though its callers pass them, \
                 as GCC",
        link: CLANG,
        conventions: CONVENTIONS,
        oracle: Compiler::is_clang,
        directions: &[Direction::Call],
        subject: Subject::Function(|signature, _| {
            let fixed = signature.fixed.unwrap_or(usize::MAX);
            signature.arguments.iter().skip(fixed).any(|ty| ty.is_empty && ty.size > 0)
        }),
    },
    Disagreement {
        name: "gcc-riscv-empty",
        reason: "GCC flattens no struct with an array of no elements or of empty records, or an empty union, and passes it in a floating-point register only where one number \
                 is all of it; Clang and the psABI (\"fields containing empty structs or unions … zero-length arrays are ignored while flattening\") do",
        link: "https://github.com/gcc-mirror/gcc/blob/releases/gcc-12.2.0/gcc/config/riscv/riscv.cc, riscv_flatten_aggregate_field",
        conventions: CONVENTIONS,
        oracle: Compiler::is_gcc,
        directions: &Direction::ALL,
        subject: Subject::Type(|seen| {
            let (size, align) = (seen.ty.size, seen.ty.align);
            let all = |parts: &[Part]| parts.len() == 1 && parts[0].bytes == size && align >= size;
            let parts = parts(seen);
            let unions = seen.records().iter().any(|record| record.kind == RecordKind::Union);
            let arrays = seen.records().into_iter().any(|record| {
                record.body.members.iter().any(|member| seen.is_array_of_nothing(member.ty))
            });
            (unions || arrays) && !parts.is_empty() && !all(&parts)
        }),
    },
];

/// The parts of a value with a floating-point register.
fn parts(seen: &Seen<'_>) -> Vec<Part> {
    match (LP64D.classify)(seen.ty, Role::Fixed { variadic: false }) {
        Ok(Class::Registers(parts))
            if parts.parts.iter().any(|part| part.scalar.bank == Bank::Float) =>
        {
            parts.parts.to_vec()
        }
        _ => Vec::new(),
    }
}

/// Whether a struct is a floating-point number and a bit-field whose type reaches over the number or the end of the struct.
fn has_bit_field_at_the_end(seen: &Seen<'_>) -> bool {
    if parts(seen).len() != 2 {
        return false;
    }
    let float = seen.leaves().iter().find(|leaf| leaf.kind == LeafKind::Float);
    let float = float.map_or(0, |leaf| u64::from(leaf.offset));
    let size = u64::from(seen.ty.size);
    let reaches = |at: u64, c: QualType| {
        let end = at + seen.size(c);
        end > size || (at..end).contains(&float)
    };
    seen.records().iter().any(|record| {
        let body = record.body;
        let named = body.members.iter().filter_map(|m| Some((m.offset, m.bits?, m.ty)));
        let unnamed = body.unnamed_bits.iter().filter_map(|u| Some((u.offset, u.bits?, u.ty)));
        let mut fields = named.chain(unnamed);
        fields.any(|(offset, bits, c)| reaches(record.offset + offset + bits.bytes().0, c))
    })
}
