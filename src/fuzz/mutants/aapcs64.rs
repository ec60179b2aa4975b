//! Broken rules of AAPCS64, and of Apple's and Microsoft's changes to it.

use super::Mutant;
use super::change::*;
use crate::abi::{
    AAPCS64, AAPCS64_APPLE, AAPCS64_WINDOWS, Bank, Class, Convention, Kind, Otherwise, Role,
};

const fn standard(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&AAPCS64, name, change)
}

const fn apple(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&AAPCS64_APPLE, name, change)
}

const fn windows(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&AAPCS64_WINDOWS, name, change)
}

pub static MUTANTS: &[Mutant] = &[
    standard("aapcs64-seven-integer-registers", |c| c.arguments.int = fewer(c.arguments.int)),
    standard("aapcs64-seven-vector-registers", |c| c.arguments.float = fewer(c.arguments.float)),
    standard("aapcs64-integer-registers-swapped", |c| c.arguments.int = swapped(c.arguments.int)),
    standard("aapcs64-vector-registers-swapped", |c| {
        c.arguments.float = swapped(c.arguments.float);
    }),
    standard("aapcs64-integer-results-swapped", |c| c.results.int = swapped(c.results.int)),
    standard("aapcs64-vector-results-swapped", |c| c.results.float = swapped(c.results.float)),
    standard("aapcs64-hidden-pointer-in-x0", |c| c.indirect_result = None),
    standard("aapcs64-positional", |c| c.positional = true),
    standard("aapcs64-slot-of-16", |c| c.slot = 16),
    standard("aapcs64-shadow-space", |c| c.shadow = 32),
    standard("aapcs64-stack-of-8", |c| c.stack_align = 8),
    standard("aapcs64-variable-arguments-on-the-stack", |c| c.variable_on_stack = true),
    standard("aapcs64-homogeneous-in-integer-registers", |c| {
        c.classify = |ty, role| match &ty.kind {
            Kind::Record(_) => told(&AAPCS64, ty, role, as_integer),
            _ => (AAPCS64.classify)(ty, role),
        };
    }),
    standard("aapcs64-three-members-at-most", |c| {
        c.classify = |ty, role| {
            answer(&AAPCS64, ty, role, |class| match class {
                Class::Registers(parts) if parts.parts.len() == 4 => Class::Pointer,
                class => class,
            })
        };
    }),
    standard("aapcs64-empty-arrays-do-not-matter", |c| {
        c.classify = |ty, role| only(&AAPCS64, ty, role, |leaf| leaf.size > 0);
    }),
    standard("aapcs64-unnamed-bit-fields-do-not-matter", |c| {
        c.classify = |ty, role| only(&AAPCS64, ty, role, |leaf| !leaf.unnamed);
    }),
    standard("aapcs64-registers-not-exhausted", |c| {
        c.classify = |ty, role| without_registers(&AAPCS64, ty, role, not_exhausting);
    }),
    standard("aapcs64-values-are-split", |c| {
        c.classify = |ty, role| without_registers(&AAPCS64, ty, role, split);
    }),
    standard("aapcs64-stack-aligned-to-8", |c| {
        c.classify = |ty, role| without_registers(&AAPCS64, ty, role, in_plain_slots);
    }),
    standard("aapcs64-any-register-starts-a-pair", |c| {
        c.classify = |ty, role| even(&AAPCS64, ty, role, |_, _| false);
    }),
    standard("aapcs64-declared-alignment", |c| {
        c.classify = |ty, role| {
            let mut ty = ty.clone();
            ty.quirks.aapcs64.natural_align = ty.align;
            (AAPCS64.classify)(&ty, role)
        };
    }),
    standard("aapcs64-large-on-the-stack", |c| {
        c.classify = |ty, role| answer(&AAPCS64, ty, role, pointer_to_memory);
    }),
    standard("aapcs64-nine-bytes-by-pointer", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 9..=16) => Ok(Class::Pointer),
            _ => (AAPCS64.classify)(ty, role),
        };
    }),
    standard("aapcs64-empty-struct-by-pointer", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 0) if role != Role::Result => Ok(Class::Pointer),
            _ => (AAPCS64.classify)(ty, role),
        };
    }),
    standard("aapcs64-zeros-for-signs", |c| {
        c.classify = |ty, role| each_part(&AAPCS64, ty, role, zeros_for_signs);
    }),
    apple("aapcs64-apple-slot-of-8", |c| c.slot = 8),
    apple("aapcs64-apple-variable-arguments-in-registers", |c| {
        c.variable_on_stack = false;
        c.classify = |ty, role| match role {
            Role::Variable => (AAPCS64_APPLE.classify)(ty, Role::Fixed { variadic: true }),
            _ => (AAPCS64_APPLE.classify)(ty, role),
        };
    }),
    apple("aapcs64-apple-variable-arguments-packed", |c| {
        c.classify = |ty, role| match role {
            Role::Variable if ty.size < 8 => Ok(Class::Memory { align: ty.align }),
            _ => (AAPCS64_APPLE.classify)(ty, role),
        };
    }),
    apple("aapcs64-apple-pairs-start-even", |c| {
        c.classify = |ty, role| even(&AAPCS64_APPLE, ty, role, |ty, _| ty.align == 16);
    }),
    apple("aapcs64-apple-scalars-in-slots", |c| {
        c.classify = |ty, role| {
            without_registers(&AAPCS64_APPLE, ty, role, |fate| match fate {
                Otherwise::Memory { .. } => Otherwise::Memory { align: 8 },
                fate => fate,
            })
        };
    }),
    apple("aapcs64-apple-homogeneous-in-slots", |c| {
        c.classify = |ty, role| {
            without_registers(&AAPCS64_APPLE, ty, role, |fate| match fate {
                Otherwise::Exhaust { align } => Otherwise::Exhaust { align: align.max(8) },
                fate => fate,
            })
        };
    }),
    windows("aapcs64-windows-variable-arguments-alike", |c| {
        c.classify = |ty, role| match role {
            Role::Result => (AAPCS64_WINDOWS.classify)(ty, role),
            _ => (AAPCS64_WINDOWS.classify)(ty, Role::Fixed { variadic: false }),
        };
    }),
    windows("aapcs64-windows-named-arguments-alike", |c| {
        c.classify = |ty, role| match role {
            Role::Fixed { .. } => (AAPCS64_WINDOWS.classify)(ty, Role::Fixed { variadic: false }),
            _ => (AAPCS64_WINDOWS.classify)(ty, role),
        };
    }),
    windows("aapcs64-windows-values-not-split", |c| {
        c.classify = |ty, role| match role {
            Role::Variable => without_registers(&AAPCS64_WINDOWS, ty, role, whole),
            _ => (AAPCS64_WINDOWS.classify)(ty, role),
        };
    }),
    windows("aapcs64-windows-variable-doubles-in-vector-registers", |c| {
        c.classify = |ty, role| match (&ty.kind, role) {
            (Kind::Float, Role::Variable) => Ok(Class::scalar(scalar(Bank::Float), ty.size)),
            _ => (AAPCS64_WINDOWS.classify)(ty, role),
        };
    }),
    windows("aapcs64-windows-any-register-starts-a-pair", |c| {
        c.classify = |ty, role| even(&AAPCS64_WINDOWS, ty, role, |_, _| false);
    }),
];
