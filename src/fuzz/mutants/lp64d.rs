//! Broken rules of RISC-V's LP64D.

use super::Mutant;
use super::change::*;
use crate::abi::{
    Class, Convention, Extension, Kind, LP64D, Leaf, LeafKind, Otherwise, Part, Role,
};

const fn lp64d(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&LP64D, name, change)
}

pub static MUTANTS: &[Mutant] = &[
    lp64d("lp64d-seven-integer-registers", |c| c.arguments.int = fewer(c.arguments.int)),
    lp64d("lp64d-seven-floating-point-registers", |c| {
        c.arguments.float = fewer(c.arguments.float);
    }),
    lp64d("lp64d-integer-registers-swapped", |c| c.arguments.int = swapped(c.arguments.int)),
    lp64d("lp64d-floating-point-registers-swapped", |c| {
        c.arguments.float = swapped(c.arguments.float);
    }),
    lp64d("lp64d-integer-results-swapped", |c| c.results.int = swapped(c.results.int)),
    lp64d("lp64d-floating-point-results-swapped", |c| c.results.float = swapped(c.results.float)),
    lp64d("lp64d-positional", |c| c.positional = true),
    lp64d("lp64d-slot-of-16", |c| c.slot = 16),
    lp64d("lp64d-shadow-space", |c| c.shadow = 32),
    lp64d("lp64d-stack-of-32", |c| c.stack_align = 32),
    lp64d("lp64d-variable-arguments-on-the-stack", |c| c.variable_on_stack = true),
    lp64d("lp64d-structs-in-integer-registers", |c| {
        c.classify = |ty, role| told(&LP64D, ty, role, as_integer);
    }),
    lp64d("lp64d-pointers-are-integers", |c| {
        c.classify = |ty, role| told(&LP64D, ty, role, pointer_as_integer);
    }),
    lp64d("lp64d-unions-are-flattened", |c| {
        c.classify = |ty, role| told(&LP64D, ty, role, |leaf| Leaf { in_union: false, ..leaf });
    }),
    lp64d("lp64d-unnamed-bit-fields-do-not-matter", |c| {
        c.classify = |ty, role| only(&LP64D, ty, role, |leaf| !leaf.unnamed);
    }),
    lp64d("lp64d-variable-doubles-in-floating-point-registers", |c| {
        c.classify = |ty, role| match (&ty.kind, role) {
            (Kind::Float, Role::Variable) => (LP64D.classify)(ty, Role::Fixed { variadic: true }),
            _ => (LP64D.classify)(ty, role),
        };
    }),
    lp64d("lp64d-not-nan-boxed", |c| {
        c.classify = |ty, role| each_part(&LP64D, ty, role, zeros_for_ones);
    }),
    lp64d("lp64d-zeros-for-signs", |c| {
        c.classify = |ty, role| each_part(&LP64D, ty, role, zeros_for_signs);
    }),
    lp64d("lp64d-unsigned-extends-with-zeros", |c| {
        c.classify = |ty, role| match ty.kind {
            Kind::Int { signed: false } => each_part(&LP64D, ty, role, zeros_for_signs),
            _ => (LP64D.classify)(ty, role),
        };
    }),
    lp64d("lp64d-variable-pairs-anywhere", |c| {
        c.classify = |ty, role| even(&LP64D, ty, role, |_, _| false);
    }),
    lp64d("lp64d-named-pairs-start-even", |c| {
        c.classify = |ty, role| even(&LP64D, ty, role, |ty, _| ty.align == 16);
    }),
    lp64d("lp64d-values-not-split", |c| {
        c.classify = |ty, role| without_registers(&LP64D, ty, role, whole);
    }),
    lp64d("lp64d-stack-aligned-to-8", |c| {
        c.classify = |ty, role| without_registers(&LP64D, ty, role, in_plain_slots);
    }),
    lp64d("lp64d-floating-point-values-on-the-stack", |c| {
        c.classify = |ty, role| {
            without_registers(&LP64D, ty, role, |fate| match fate {
                Otherwise::Class(_) => Otherwise::Memory { align: 8 },
                fate => fate,
            })
        };
    }),
    lp64d("lp64d-large-on-the-stack", |c| {
        c.classify = |ty, role| answer(&LP64D, ty, role, pointer_to_memory);
    }),
    lp64d("lp64d-nine-bytes-by-pointer", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 9..=16) => Ok(Class::Pointer),
            _ => (LP64D.classify)(ty, role),
        };
    }),
    lp64d("lp64d-padding-is-carried", |c| {
        c.classify = |ty, role| each_part(&LP64D, ty, role, whole_word);
    }),
];

/// An integer part that claims to fill its register.
fn whole_word(part: &mut Part) {
    if part.scalar.extension == Extension::Zero {
        part.scalar.extension = Extension::None;
    }
}

fn pointer_as_integer(leaf: Leaf) -> Leaf {
    match leaf.kind {
        LeafKind::Pointer => Leaf { kind: LeafKind::Int, ..leaf },
        _ => leaf,
    }
}
