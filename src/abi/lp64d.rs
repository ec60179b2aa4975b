//! The LP64D convention of the RISC-V ELF psABI 1.0, section 2 "Procedure calling convention".

use smallvec::SmallVec;

use super::{
    Backend, Bank, Class, Convention, Extension, Kind, Leaf, LeafKind, Otherwise, Part, Parts,
    Registers, Role, Scalar, Type, Unsupported, Width, registers,
};

/// riscv64 with the D extension.
pub static LP64D: Convention = Convention {
    name: "lp64d",
    source: "RISC-V ELF psABI 1.0, sections 2.1 and 2.2",
    architecture: "riscv64",
    default_on: &["riscv64"],
    keyword: None,
    arguments: Registers {
        int: registers!(Int: "a0" "a1" "a2" "a3" "a4" "a5" "a6" "a7"),
        float: registers!(Float: "fa0" "fa1" "fa2" "fa3" "fa4" "fa5" "fa6" "fa7"),
        x87: &[],
    },
    results: Registers {
        int: registers!(Int: "a0" "a1"),
        float: registers!(Float: "fa0" "fa1"),
        x87: &[],
    },
    indirect_result: None,
    positional: false,
    slot: 8,
    shadow: 0,
    stack_align: 16,
    variable_on_stack: false,
    vector_count: false,
    classify,
    backend: Backend::SystemV,
};

/// XLEN in bytes.
const XLEN: u32 = 8;

fn classify(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    if ty.size == 0 {
        return Ok(Class::Ignore);
    }
    // "… are passed in floating-point registers, if they are named arguments."
    let parts = if role == Role::Variable { None } else { hardware(ty) };
    Ok(match parts {
        // "… otherwise, it is passed according to the integer calling convention."
        Some(parts) => Class::parts(parts, Otherwise::Class(Box::new(integer(ty, role)))),
        None => integer(ty, role),
    })
}

/// Section 2.1, the integer calling convention.
fn integer(ty: &Type, role: Role) -> Class {
    if ty.size > 2 * XLEN {
        return Class::Pointer;
    }
    let part = |offset| word(offset, (ty.size - offset).min(XLEN), extension(ty));
    let parts = (0..ty.size).step_by(XLEN as usize).map(part).collect();
    let align = ty.align.clamp(XLEN, 2 * XLEN);
    // "Variadic arguments with 2×XLEN-bit alignment and size at most 2×XLEN bits are passed in an aligned register pair"
    let even = role == Role::Variable && align == 2 * XLEN;
    Class::Registers(Parts { parts, even, otherwise: Otherwise::Slots { align } })
}

/// "Scalars narrower than XLEN bits are widened according to the sign of their type up to 32 bits, then sign-extended to XLEN
/// bits"; the upper bits of other values are not defined.
fn extension(ty: &Type) -> Extension {
    match (&ty.kind, ty.size) {
        (Kind::Int { .. }, 4) | (Kind::Int { signed: true }, _) => Extension::Sign,
        _ => Extension::Zero,
    }
}

fn word(offset: u32, bytes: u32, narrow: Extension) -> Part {
    let extension = if bytes == XLEN { Extension::None } else { narrow };
    Part { offset, bytes, scalar: Scalar { bank: Bank::Int, width: Width::W64, extension } }
}

/// Section 2.2, the hardware floating-point calling convention: a number, or a struct that flattens to one, to two, or to one
/// and an integer. "Unions are never flattened and are always passed according to the integer calling convention."
fn hardware(ty: &Type) -> Option<Vec<Part>> {
    if ty.kind == Kind::Float {
        return Some(vec![float(0, ty.size)]);
    }
    // "Fields containing … zero-length arrays are ignored while flattening."
    let leaves = || ty.leaves().into_iter().flatten().filter(|leaf| leaf.size > 0);
    let leaves: SmallVec<[&Leaf; 2]> = leaves().take(3).collect();
    if !(1..=2).contains(&leaves.len()) {
        return None;
    }
    let is_float = |leaf: &&Leaf| leaf.kind == LeafKind::Float;
    if leaves.iter().any(|leaf| leaf.in_union || leaf.size > XLEN) || !leaves.iter().any(is_float) {
        return None;
    }
    let part = |leaf: &&Leaf| match leaf.kind {
        LeafKind::Float => Some(float(leaf.offset, leaf.size)),
        LeafKind::Int => Some(word(leaf.offset, leaf.size, Extension::Zero)),
        // No "integer" to GCC and Clang.
        LeafKind::Pointer | LeafKind::X87 | LeafKind::Vector => None,
    };
    leaves.iter().map(part).collect()
}

/// "Floating-point values … narrower than FLEN bits are NaN-boxed."
fn float(offset: u32, bytes: u32) -> Part {
    let extension = match bytes {
        8 => Extension::None,
        _ => Extension::Ones,
    };
    Part { offset, bytes, scalar: Scalar { bank: Bank::Float, width: Width::W64, extension } }
}
