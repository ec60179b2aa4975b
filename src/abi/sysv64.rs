//! System V AMD64 psABI 1.0, section 3.2.3 "Parameter Passing".

use super::ty::scalar;
use super::{
    Backend, Bank, Class, Convention, Extension, Leaf, LeafKind, Part, Registers, Role, Scalar,
    Type, Unsupported, Variadic, Width, registers,
};

/// x86-64 on everything but Windows; `__attribute__((sysv_abi))` there.
pub static SYSV64: Convention = Convention {
    name: "sysv64",
    source: "System V AMD64 psABI, section 3.2.3",
    arguments: Registers {
        int: registers!(Int: "rdi" "rsi" "rdx" "rcx" "r8" "r9"),
        float: registers!(Float: "xmm0" "xmm1" "xmm2" "xmm3" "xmm4" "xmm5" "xmm6" "xmm7"),
    },
    results: Registers {
        int: registers!(Int: "rax" "rdx"),
        float: registers!(Float: "xmm0" "xmm1"),
    },
    positional: false,
    slot: 8,
    shadow: 0,
    stack_align: 16,
    variadic: Variadic::VectorCount,
    classify,
    backend: Backend::SystemV,
};

/// The class of an eightbyte.
#[derive(Clone, Copy, PartialEq)]
enum Eightbyte {
    /// NO_CLASS: padding.
    Padding,
    /// INTEGER
    Integer,
    /// SSE
    Sse,
}

fn classify(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    if let Some(class) = scalar(ty) {
        return Ok(class);
    }
    let unsupported = || ty.unsupported(SYSV64.name);
    let leaves = ty.leaves().ok_or_else(unsupported)?;
    if ty.size == 0 {
        return Ok(Class::Ignore);
    }
    // "If the size of an object is larger than eight eightbytes, or it contains unaligned fields, it has class MEMORY";
    // without vectors of 32 bytes and more, larger than two eightbytes has the same end (post-merger rule 5c).
    let misaligned = leaves.iter().any(|leaf| !leaf.offset.is_multiple_of(leaf.align));
    if ty.size > 16 || misaligned {
        return Ok(Class::Memory);
    }
    if leaves.iter().any(|leaf| leaf.kind == LeafKind::Other) {
        return Err(unsupported());
    }
    if leaves.iter().any(|leaf| leaf.kind == LeafKind::X87) {
        // X87 arguments are in memory; X87 results are in st0, which needs a stub.
        return match role {
            Role::Result => Err(unsupported()),
            _ => Ok(Class::Memory),
        };
    }
    let parts = (0..ty.size.div_ceil(8)).filter_map(|i| part(ty.size, i, leaves));
    Ok(Class::Parts(parts.collect()))
}

/// The part that eightbyte `i` of an aggregate is; `None` for padding.
fn part(size: u32, i: u32, leaves: &[Leaf]) -> Option<Part> {
    let offset = i * 8;
    let inside = |leaf: &&Leaf| leaf.offset < offset + 8 && leaf.offset + leaf.size > offset;
    // "If one of the classes is INTEGER, the result is INTEGER", whichever way the members are merged.
    let class = leaves.iter().filter(inside).fold(Eightbyte::Padding, |class, leaf| {
        match (class, leaf.kind) {
            (Eightbyte::Integer, _) | (_, LeafKind::Int) => Eightbyte::Integer,
            _ => Eightbyte::Sse,
        }
    });
    let bytes = (size - offset).min(8);
    let width = if class == Eightbyte::Sse && bytes == 4 { Width::W32 } else { Width::W64 };
    let extension = if bytes < width.bytes() { Extension::Zero } else { Extension::None };
    let bank = match class {
        Eightbyte::Padding => return None,
        Eightbyte::Integer => Bank::Int,
        Eightbyte::Sse => Bank::Float,
    };
    Some(Part { offset, bytes, scalar: Scalar { bank, width, extension } })
}
