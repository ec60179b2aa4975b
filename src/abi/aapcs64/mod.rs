//! AAPCS64, the procedure call standard for the Arm 64-bit architecture (2024Q3), section 6.8.2 "Parameter passing rules", with Apple's and
//! Microsoft's changes.

mod quirks;

use super::ty::scalar;
use super::{
    Backend, Bank, Class, Convention, Extension, Kind, LeafKind, Otherwise, Part, Parts, Reg,
    Registers, Role, Scalar, Type, Unsupported, Width, registers,
};
use crate::ctype::CallConv;

pub use quirks::Quirks;

/// AArch64 Linux and the other systems that follow the standard.
pub static AAPCS64: Convention = Convention {
    name: "aapcs64",
    source: "AAPCS64 2024Q3, section 6.8.2",
    architecture: "aarch64",
    default_on: &["aarch64-sysv"],
    keyword: None,
    arguments: Registers {
        int: registers!(Int: "x0" "x1" "x2" "x3" "x4" "x5" "x6" "x7"),
        float: registers!(Float: "v0" "v1" "v2" "v3" "v4" "v5" "v6" "v7"),
        x87: &[],
    },
    results: Registers {
        int: registers!(Int: "x0" "x1"),
        float: registers!(Float: "v0" "v1" "v2" "v3"),
        x87: &[],
    },
    indirect_result: Some(Reg { bank: Bank::Int, index: 8, name: "x8" }),
    positional: false,
    slot: 8,
    shadow: 0,
    stack_align: 16,
    variable_on_stack: false,
    vector_count: false,
    classify: |ty, role| classify(ty, role, &STANDARD),
    backend: Backend::SystemV,
};

/// Apple's arm64: packed stack arguments, variable arguments on the stack only.
pub static AAPCS64_APPLE: Convention = Convention {
    name: "aapcs64-apple",
    source: "Apple, Writing ARM64 code for Apple platforms; AAPCS64 2024Q3, section 6.8.2",
    default_on: &["aarch64-apple"],
    slot: 1,
    variable_on_stack: true,
    classify: |ty, role| classify(ty, role, &APPLE),
    ..AAPCS64
};

/// Windows on Arm: variadic functions use no vector registers; `__attribute__((ms_abi))` elsewhere.
pub static AAPCS64_WINDOWS: Convention = Convention {
    name: "aapcs64-windows",
    source: "Microsoft, Overview of ARM64 ABI conventions; AAPCS64 2024Q3, section 6.8.2",
    default_on: &["aarch64-windows"],
    keyword: Some(CallConv::MsAbi),
    classify: |ty, role| classify(ty, role, &WINDOWS),
    ..AAPCS64
};

/// The differences between the three platforms.
struct Rules {
    /// Rule C.8: values aligned to 16 start in a register of even number.
    even: bool,
    /// Whether aggregates are aligned by their natural alignment, or by all of it.
    natural: bool,
    /// Whether a stack argument takes no more bytes than it has.
    packed: bool,
    /// Whether a record of unnamed bit-fields alone is passed, and counts as a member.
    empty: bool,
    /// How the arguments of variadic functions differ.
    variadic: Variadic,
}

/// Arguments of variadic functions.
#[derive(PartialEq)]
enum Variadic {
    /// As all others.
    Alike,
    /// Variable arguments are on the stack, in slots of 8 bytes (Apple).
    Stack,
    /// All arguments, the named ones too, are bytes of an imaginary stack whose first 64 bytes are x0 to x7 (Windows).
    Imaginary,
}

const STANDARD: Rules =
    Rules { even: true, natural: true, packed: false, empty: true, variadic: Variadic::Alike };
const APPLE: Rules =
    Rules { even: false, natural: false, packed: true, empty: false, variadic: Variadic::Stack };
const WINDOWS: Rules =
    Rules { even: true, natural: false, packed: false, empty: true, variadic: Variadic::Imaginary };

fn classify(ty: &Type, role: Role, rules: &Rules) -> Result<Class, Unsupported> {
    let variadic = matches!(role, Role::Variable | Role::Fixed { variadic: true });
    // "Empty records are always ignored on Darwin" (Clang's `AArch64ABIInfo::classifyArgumentType`).
    if ty.size == 0 || ty.is_empty && !rules.empty {
        return Ok(Class::Ignore);
    }
    Ok(match rules.variadic {
        Variadic::Stack if role == Role::Variable => on_the_stack(ty, rules),
        Variadic::Imaginary if variadic => imaginary(ty, rules),
        _ => ordinary(ty, rules),
    })
}

fn ordinary(ty: &Type, rules: &Rules) -> Class {
    if let Some(class) = scalar(ty) {
        return packed(class, ty, rules);
    }
    match homogeneous(ty, rules) {
        // C.1 to C.5
        Some(parts) => {
            let align =
                if rules.packed { ty.align } else { ty.quirks.aapcs64.natural_align.clamp(8, 16) };
            Class::parts(parts, Otherwise::Exhaust { align })
        }
        // B.4: "the argument is copied to memory … and replaced by a pointer to the copy"
        None if ty.size > 16 => Class::Pointer,
        None => general(ty, rules, Otherwise::Exhaust { align: stack_align(ty, rules) }),
    }
}

/// C.7: an integer, pointer or floating-point number; Apple: "function arguments may consume slots on the stack that are not
/// multiples of 8 bytes".
fn packed(class: Class, ty: &Type, rules: &Rules) -> Class {
    match class {
        Class::Registers(parts) if rules.packed => {
            Class::parts(parts.parts, Otherwise::Memory { align: ty.size })
        }
        class => class,
    }
}

/// Apple: "Assign all variadic arguments to the appropriate number of 8-byte stack slots".
fn on_the_stack(ty: &Type, rules: &Rules) -> Class {
    match ty.size > 16 && homogeneous(ty, rules).is_none() {
        true => Class::Pointer,
        false => Class::Memory { align: stack_align(ty, rules) },
    }
}

/// Microsoft: "All composites are treated alike; no special treatment of HFAs or HVAs. SIMD and floating-point registers
/// aren't used. Effectively, it's the same as following rules C.12–C.15 to allocate arguments to an imaginary stack, where
/// the first 64 bytes of the stack are loaded into x0-x7, and any remaining stack arguments are placed normally."
fn imaginary(ty: &Type, rules: &Rules) -> Class {
    match (scalar(ty), ty.kind == Kind::Float) {
        (Some(class), false) => class,
        _ if ty.size > 16 => Class::Pointer,
        _ => general(ty, rules, Otherwise::Slots { align: stack_align(ty, rules) }),
    }
}

/// C.8 to C.13: in consecutive general-purpose registers.
fn general(ty: &Type, rules: &Rules, otherwise: Otherwise) -> Class {
    let parts = (0..ty.size).step_by(8).map(|offset| word(offset, (ty.size - offset).min(8)));
    let even = rules.even && stack_align(ty, rules) == 16;
    Class::Registers(Parts { parts: parts.collect(), even, otherwise })
}

fn word(offset: u32, bytes: u32) -> Part {
    let extension = if bytes < 8 { Extension::Zero } else { Extension::None };
    Part { offset, bytes, scalar: Scalar { bank: Bank::Int, width: Width::W64, extension } }
}

/// "rounded up to the larger of 8 or the natural alignment of the argument's type", which is 16 at most.
fn stack_align(ty: &Type, rules: &Rules) -> u32 {
    let align = if rules.natural { ty.quirks.aapcs64.natural_align } else { ty.align };
    align.clamp(8, 16)
}

/// The members of a homogeneous floating-point or short-vector aggregate (AAPCS64 section 5.9.5): one to four of one
/// fundamental type, with no padding. A half, a quad and a short vector are the same thing with one member, a complex number with two.
/// Each part takes the next vector register: the second `float` of `struct { float x, y; }` is in the register after the first one's.
fn homogeneous(ty: &Type, rules: &Rules) -> Option<Vec<Part>> {
    let leaves = ty.leaves()?;
    let leaves = leaves.iter().filter(|leaf| rules.empty || !leaf.in_empty);
    let first = leaves.clone().next()?;
    let member = match (first.kind, first.size) {
        (LeafKind::Float, 2 | 4 | 8 | 16) | (LeafKind::Vector, 8 | 16) => first.size,
        _ => return None,
    };
    let alike = leaves.clone().all(|leaf| {
        (leaf.kind, leaf.size) == (first.kind, member) && leaf.offset.is_multiple_of(member)
    });
    let covered = (0..ty.size).step_by(member as usize);
    let full = covered.clone().all(|offset| leaves.clone().any(|leaf| leaf.offset == offset));
    let counted = ty.size.is_multiple_of(member) && ty.size / member <= 4;
    (alike && full && counted).then(|| covered.map(|offset| float(offset, member)).collect())
}

fn float(offset: u32, bytes: u32) -> Part {
    let (width, extension) = match bytes {
        2 => (Width::W32, Extension::Zero),
        4 => (Width::W32, Extension::None),
        8 => (Width::W64, Extension::None),
        _ => (Width::W128, Extension::None),
    };
    Part { offset, bytes, scalar: Scalar { bank: Bank::Float, width, extension } }
}
