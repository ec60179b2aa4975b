//! System V AMD64 psABI 1.0, section 3.2.3 "Parameter Passing".

use smallvec::SmallVec;

use super::ty::scalar;
use super::{
    Backend, Bank, Class, Convention, Extension, Kind, Leaf, LeafKind, Otherwise, Part, Registers,
    Role, Scalar, Type, Unsupported, Width, registers,
};
use crate::ctype::CallConv;

/// x86-64 on everything but Windows; `__attribute__((sysv_abi))` there.
pub static SYSV64: Convention = Convention {
    name: "sysv64",
    source: "System V AMD64 psABI, section 3.2.3",
    architecture: "x86_64",
    default_on: &["x86_64-sysv", "x86_64-apple"],
    keyword: Some(CallConv::SysvAbi),
    arguments: Registers {
        int: registers!(Int: "rdi" "rsi" "rdx" "rcx" "r8" "r9"),
        float: registers!(Float: "xmm0" "xmm1" "xmm2" "xmm3" "xmm4" "xmm5" "xmm6" "xmm7"),
        x87: &[],
    },
    results: Registers {
        int: registers!(Int: "rax" "rdx"),
        float: registers!(Float: "xmm0" "xmm1"),
        x87: registers!(X87: "st0" "st1"),
    },
    indirect_result: None,
    positional: false,
    slot: 8,
    shadow: 0,
    stack_align: 16,
    variable_on_stack: false,
    vector_count: true,
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
    /// SSEUP: the upper half of a vector register.
    SseUp,
    /// X87: the significand of an x87 number.
    X87,
    /// X87UP: its sign and exponent.
    X87Up,
    /// MEMORY
    Memory,
}

fn classify(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    if let Some(class) = scalar(ty) {
        return Ok(class);
    }
    let unsupported = || ty.wide_vector(SYSV64.name);
    let leaves = ty.leaves().ok_or_else(unsupported)?;
    if ty.size == 0 {
        return Ok(Class::Ignore);
    }
    if leaves.iter().any(|leaf| leaf.kind == LeafKind::Vector && leaf.size > 32) {
        return Err(unsupported());
    }
    if role == Role::Result && matches!(ty.kind, Kind::Complex(_)) && is_x87(leaves) {
        return Ok(x87(leaves));
    }
    // "If the size of an object is larger than eight eightbytes, or it contains unaligned fields, it has class MEMORY".
    let misaligned = leaves.iter().any(|leaf| !leaf.offset.is_multiple_of(leaf.align));
    let memory = Class::Memory { align: ty.align };
    // "If there are no registers available for any eightbyte of an argument, the whole argument is passed on the stack."
    let otherwise = Otherwise::Memory { align: ty.align };
    if ty.size > 16 || misaligned {
        // Variable arguments: "__m256 … unnamed arguments are passed in memory", section 3.5.7.
        let in_register = !misaligned && role != Role::Variable && is_one_vector(ty.size, leaves);
        let ymm = || Class::parts([vector(), upper_half()], otherwise);
        return Ok(if in_register { ymm() } else { memory });
    }
    let [low, high] = eightbytes(leaves);
    match (low, high) {
        (Eightbyte::Sse, Eightbyte::SseUp) => Ok(Class::parts([vector()], otherwise)),
        // "If the class is X87, X87UP or COMPLEX_X87, it is passed in memory."
        (Eightbyte::X87, Eightbyte::X87Up) if role == Role::Result => Ok(x87(&leaves[..1])),
        // "If X87UP is not preceded by X87, the whole argument is passed in memory."
        (Eightbyte::X87 | Eightbyte::Memory, _) => Ok(memory),
        (_, Eightbyte::X87Up | Eightbyte::Memory) => Ok(memory),
        _ => {
            let parts = [(0, low), (8, high)].into_iter();
            let parts = parts.filter_map(|(offset, class)| part(ty.size, offset, class));
            Ok(Class::parts(parts, otherwise))
        }
    }
}

fn is_x87(leaves: &[Leaf]) -> bool {
    leaves.iter().all(|leaf| leaf.kind == LeafKind::X87)
}

/// A result on the x87 stack: `long double` and what holds nothing else, or both parts of `long double _Complex`.
fn x87(leaves: &[Leaf]) -> Class {
    Class::parts(leaves.iter().map(st), Otherwise::Slots { align: 16 })
}

/// A part of an x87 result: "returned on the X87 stack in %st0", of complex ones the imaginary part in %st1.
fn st(leaf: &Leaf) -> Part {
    let scalar = Scalar { bank: Bank::X87, width: Width::W80, extension: Extension::None };
    Part { offset: leaf.offset, bytes: Width::W80.bytes(), scalar }
}

/// Post-merger rule 5c: a value of more than two eightbytes is in a register only if the first is SSE and all others are SSEUP.
fn is_one_vector(size: u32, leaves: &[Leaf]) -> bool {
    let mut upper = (8..size).step_by(8).map(|offset| eightbyte(leaves, offset));
    size == 32
        && eightbyte(leaves, 0) == Eightbyte::Sse
        && upper.all(|class| class == Eightbyte::SseUp)
}

/// The upper half of a ymm register.
fn upper_half() -> Part {
    let scalar = Scalar { bank: Bank::Float, width: Width::Upper128, extension: Extension::None };
    Part { offset: 16, bytes: 16, scalar }
}

/// An xmm register, the lower half of a ymm register.
fn vector() -> Part {
    let scalar = Scalar { bank: Bank::Float, width: Width::W128, extension: Extension::None };
    Part { offset: 0, bytes: 16, scalar }
}

/// The classes of the two eightbytes of a value: "classified recursively", the fields of a record before it is one itself.
fn eightbytes(leaves: &[Leaf]) -> [Eightbyte; 2] {
    let nothing = [Eightbyte::Padding; 2];
    let merged = |a: [Eightbyte; 2], b: [Eightbyte; 2]| [merge(a[0], b[0]), merge(a[1], b[1])];
    let mut whole = nothing;
    let mut records: SmallVec<[[Eightbyte; 2]; 8]> = SmallVec::new();
    for leaf in leaves {
        records.extend((0..leaf.opens).map(|_| nothing));
        let mut classes = [0, 8].map(|offset| class(leaf, offset));
        for _ in 0..leaf.closes {
            let record = records.pop().unwrap_or(nothing);
            classes = post_merger(merged(record, classes));
        }
        let around = records.last_mut().unwrap_or(&mut whole);
        *around = merged(*around, classes);
    }
    whole
}

/// Step 5 (a), (b) and (d) for a record of two eightbytes at most.
fn post_merger(classes: [Eightbyte; 2]) -> [Eightbyte; 2] {
    use Eightbyte::{Memory, Sse, SseUp, X87, X87Up};
    match classes {
        [Memory, _] | [_, Memory] => [Memory; 2],
        [low, X87Up] if low != X87 => [Memory; 2],
        [low, SseUp] if low != Sse => [low, Sse],
        classes => classes,
    }
}

/// The class of the eightbyte at `offset`, merged from those of the scalars in it.
fn eightbyte(leaves: &[Leaf], offset: u32) -> Eightbyte {
    leaves.iter().map(|leaf| class(leaf, offset)).fold(Eightbyte::Padding, merge)
}

/// The class of a scalar in the eightbyte at `offset`.
fn class(leaf: &Leaf, offset: u32) -> Eightbyte {
    let inside = leaf.size > 0 && leaf.offset < offset + 8 && leaf.offset + leaf.size > offset;
    match (leaf.kind, leaf.offset < offset) {
        _ if !inside => Eightbyte::Padding,
        (LeafKind::Int | LeafKind::Pointer, _) => Eightbyte::Integer,
        (LeafKind::X87, false) => Eightbyte::X87,
        (LeafKind::X87, true) => Eightbyte::X87Up,
        (LeafKind::Float | LeafKind::Vector, false) => Eightbyte::Sse,
        (LeafKind::Float | LeafKind::Vector, true) => Eightbyte::SseUp,
    }
}

/// The merging rules (a) to (f) of step 4. The order of a union's members matters: X87 merged with SSE is MEMORY, which nothing
/// takes back, but INTEGER that came first wins over both.
fn merge(a: Eightbyte, b: Eightbyte) -> Eightbyte {
    use Eightbyte::*;
    match (a, b) {
        (a, b) if a == b => a,
        (Padding, class) | (class, Padding) => class,
        (Memory, _) | (_, Memory) => Memory,
        (Integer, _) | (_, Integer) => Integer,
        (X87 | X87Up, _) | (_, X87 | X87Up) => Memory,
        _ => Sse,
    }
}

/// The part that an eightbyte of an aggregate is; `None` for padding.
fn part(size: u32, offset: u32, class: Eightbyte) -> Option<Part> {
    let bank = match class {
        Eightbyte::Integer => Bank::Int,
        Eightbyte::Sse | Eightbyte::SseUp => Bank::Float,
        _ => return None,
    };
    let bytes = (size - offset).min(8);
    let width = if bank == Bank::Float && bytes <= 4 { Width::W32 } else { Width::W64 };
    let extension = if bytes < width.bytes() { Extension::Zero } else { Extension::None };
    Some(Part { offset, bytes, scalar: Scalar { bank, width, extension } })
}
