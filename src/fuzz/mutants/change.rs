//! Ways to break a rule: a changed table, a changed input of `classify`, a changed answer of it.

use std::iter::Copied;
use std::slice::Iter;

use crate::abi::{
    Bank, Class, Convention, Extension, Kind, Leaf, LeafKind, Leaves, Otherwise, Part, Parts, Reg,
    Role, Scalar, Type, Unsupported, Width,
};

type Answer = Result<Class, Unsupported>;

/// The convention's answer for a type whose scalars are changed.
pub fn told(of: &Convention, ty: &Type, role: Role, leaf: fn(Leaf) -> Leaf) -> Answer {
    among(of, ty, role, |leaves| leaves.map(leaf).collect())
}

/// The convention's answer for a type with only these scalars.
pub fn only(of: &Convention, ty: &Type, role: Role, such: fn(&Leaf) -> bool) -> Answer {
    among(of, ty, role, |leaves| leaves.filter(such).collect())
}

fn among(
    of: &Convention,
    ty: &Type,
    role: Role,
    change: impl FnOnce(Copied<Iter<'_, Leaf>>) -> Leaves,
) -> Answer {
    let mut ty = ty.clone();
    if let Kind::Record(leaves) | Kind::Complex(leaves) = &mut ty.kind {
        *leaves = change(leaves.iter().copied());
    }
    (of.classify)(&ty, role)
}

/// The convention's answer, changed.
pub fn answer(of: &Convention, ty: &Type, role: Role, change: fn(Class) -> Class) -> Answer {
    (of.classify)(ty, role).map(change)
}

/// The convention's answer for a value in registers, with another place if too few registers are free.
pub fn without_registers(
    of: &Convention,
    ty: &Type,
    role: Role,
    change: fn(Otherwise) -> Otherwise,
) -> Answer {
    (of.classify)(ty, role).map(|class| otherwise(class, change))
}

fn otherwise(class: Class, change: fn(Otherwise) -> Otherwise) -> Class {
    match class {
        Class::Registers(mut parts) => {
            parts.otherwise = match change(parts.otherwise) {
                Otherwise::Class(class) => Otherwise::Class(Box::new(otherwise(*class, change))),
                fate => fate,
            };
            Class::Registers(parts)
        }
        class => class,
    }
}

/// The convention's answer, with each part in a register changed.
pub fn each_part(of: &Convention, ty: &Type, role: Role, change: fn(&mut Part)) -> Answer {
    (of.classify)(ty, role).map(|class| parts(class, change))
}

fn parts(class: Class, change: fn(&mut Part)) -> Class {
    match class {
        Class::Registers(mut wanted) => {
            wanted.parts.iter_mut().for_each(change);
            if let Otherwise::Class(class) = wanted.otherwise {
                wanted.otherwise = Otherwise::Class(Box::new(parts(*class, change)));
            }
            Class::Registers(wanted)
        }
        class => class,
    }
}

/// The convention's answer, with this wish for a register of even number.
pub fn even(of: &Convention, ty: &Type, role: Role, wish: fn(&Type, Role) -> bool) -> Answer {
    (of.classify)(ty, role).map(|class| match class {
        Class::Registers(mut parts) if ty.size == 16 => {
            parts.even = wish(ty, role);
            Class::Registers(parts)
        }
        class => class,
    })
}

pub fn is_record(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_))
}

pub fn is_float(leaf: &Leaf) -> bool {
    leaf.kind == LeafKind::Float
}

pub fn as_float(leaf: Leaf) -> Leaf {
    Leaf { kind: LeafKind::Float, ..leaf }
}

pub fn as_integer(leaf: Leaf) -> Leaf {
    match leaf.kind {
        LeafKind::Float => Leaf { kind: LeafKind::Int, ..leaf },
        _ => leaf,
    }
}

pub fn scalar(bank: Bank) -> Scalar {
    Scalar { bank, width: Width::W64, extension: Extension::Zero }
}

pub fn memory_by_pointer(class: Class) -> Class {
    match class {
        Class::Memory { .. } => Class::Pointer,
        class => class,
    }
}

pub fn pointer_to_memory(class: Class) -> Class {
    match class {
        Class::Pointer => Class::Memory { align: 8 },
        class => class,
    }
}

pub fn aligned_to_8(class: Class) -> Class {
    match class {
        Class::Memory { .. } => Class::Memory { align: 8 },
        class => class,
    }
}

pub fn x87_in_memory(class: Class) -> Class {
    match class {
        Class::Registers(parts) if parts.parts.iter().any(|p| p.scalar.bank == Bank::X87) => {
            Class::Memory { align: 16 }
        }
        class => class,
    }
}

/// A vector as its two halves.
pub fn halved(class: Class) -> Class {
    match class {
        Class::Registers(Parts { parts, otherwise, .. }) if matches!(&parts[..], [part] if part.scalar.width == Width::W128) =>
        {
            let scalar =
                Scalar { bank: Bank::Float, width: Width::W64, extension: Extension::None };
            let half = |offset| Part { offset, bytes: 8, scalar };
            Class::parts([half(0), half(8)], otherwise)
        }
        class => class,
    }
}

/// The second part in the register of the first one, where both are of one bank.
pub fn parts_swapped(class: Class) -> Class {
    match class {
        Class::Registers(mut parts) => {
            if let [first, second] = &mut parts.parts[..]
                && second.scalar.width != Width::Upper128
            {
                std::mem::swap(&mut first.scalar, &mut second.scalar);
            }
            Class::Registers(parts)
        }
        class => class,
    }
}

/// Values that find too few registers are split.
pub fn split(otherwise: Otherwise) -> Otherwise {
    match otherwise {
        Otherwise::Memory { align } | Otherwise::Exhaust { align } => Otherwise::Slots { align },
        fate => fate,
    }
}

/// Values that find too few registers are not split.
pub fn whole(otherwise: Otherwise) -> Otherwise {
    match otherwise {
        Otherwise::Slots { align } => Otherwise::Memory { align },
        fate => fate,
    }
}

/// Later arguments get no registers where one found too few.
pub fn exhausting(otherwise: Otherwise) -> Otherwise {
    match otherwise {
        Otherwise::Memory { align } => Otherwise::Exhaust { align },
        fate => fate,
    }
}

/// Later arguments get registers where one found too few.
pub fn not_exhausting(otherwise: Otherwise) -> Otherwise {
    match otherwise {
        Otherwise::Exhaust { align } => Otherwise::Memory { align },
        fate => fate,
    }
}

/// The stack is aligned to slots only.
pub fn in_plain_slots(otherwise: Otherwise) -> Otherwise {
    match otherwise {
        Otherwise::Slots { .. } => Otherwise::Slots { align: 8 },
        Otherwise::Memory { .. } => Otherwise::Memory { align: 8 },
        Otherwise::Exhaust { .. } => Otherwise::Exhaust { align: 8 },
        fate => fate,
    }
}

/// Unsigned where the type is signed.
pub fn zeros_for_signs(part: &mut Part) {
    if part.scalar.extension == Extension::Sign {
        part.scalar.extension = Extension::Zero;
    }
}

/// A number of `float`'s size in a wider register, with zeros above it.
pub fn zeros_for_ones(part: &mut Part) {
    if part.scalar.extension == Extension::Ones {
        part.scalar.extension = Extension::Zero;
    }
}

/// All but the last register.
pub fn fewer(registers: &'static [Reg]) -> &'static [Reg] {
    &registers[..registers.len() - 1]
}

/// The first two registers in the other order. A mutant is made once a process.
pub fn swapped(registers: &'static [Reg]) -> &'static [Reg] {
    let mut swapped = registers.to_vec();
    swapped.swap(0, 1);
    swapped.leak()
}
