//! Broken rules of System V AMD64.

use super::Mutant;
use super::change::*;
use crate::abi::{Class, Convention, Leaf, Role, SYSV64};

const fn sysv64(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&SYSV64, name, change)
}

pub static MUTANTS: &[Mutant] = &[
    sysv64("sysv64-five-integer-registers", |c| c.arguments.int = fewer(c.arguments.int)),
    sysv64("sysv64-seven-vector-registers", |c| c.arguments.float = fewer(c.arguments.float)),
    sysv64("sysv64-integer-registers-swapped", |c| c.arguments.int = swapped(c.arguments.int)),
    sysv64("sysv64-vector-registers-swapped", |c| c.arguments.float = swapped(c.arguments.float)),
    sysv64("sysv64-integer-results-swapped", |c| c.results.int = swapped(c.results.int)),
    sysv64("sysv64-vector-results-swapped", |c| c.results.float = swapped(c.results.float)),
    sysv64("sysv64-x87-results-swapped", |c| c.results.x87 = swapped(c.results.x87)),
    sysv64("sysv64-positional", |c| c.positional = true),
    sysv64("sysv64-slot-of-16", |c| c.slot = 16),
    sysv64("sysv64-shadow-space", |c| c.shadow = 32),
    sysv64("sysv64-no-vector-count", |c| c.vector_count = false),
    sysv64("sysv64-large-by-pointer", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, memory_by_pointer);
    }),
    sysv64("sysv64-unaligned-in-registers", |c| {
        c.classify = |ty, role| told(&SYSV64, ty, role, |leaf| Leaf { align: 1, ..leaf });
    }),
    sysv64("sysv64-unnamed-bit-fields-do-not-matter", |c| {
        c.classify = |ty, role| only(&SYSV64, ty, role, |leaf| !leaf.unnamed);
    }),
    sysv64("sysv64-empty-arrays-do-not-matter", |c| {
        c.classify = |ty, role| only(&SYSV64, ty, role, |leaf| leaf.size > 0);
    }),
    sysv64("sysv64-sse-wins", |c| {
        c.classify = |ty, role| match ty.leaves() {
            Some(leaves) if leaves.iter().any(is_float) => told(&SYSV64, ty, role, as_float),
            _ => (SYSV64.classify)(ty, role),
        };
    }),
    sysv64("sysv64-floats-are-integers", |c| {
        c.classify = |ty, role| told(&SYSV64, ty, role, as_integer);
    }),
    sysv64("sysv64-x87-results-in-memory", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, x87_in_memory);
    }),
    sysv64("sysv64-values-are-split", |c| {
        c.classify = |ty, role| without_registers(&SYSV64, ty, role, split);
    }),
    sysv64("sysv64-registers-exhausted", |c| {
        c.classify = |ty, role| without_registers(&SYSV64, ty, role, exhausting);
    }),
    sysv64("sysv64-stack-aligned-to-8", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, aligned_to_8);
    }),
    sysv64("sysv64-vectors-are-halved", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, halved);
    }),
    sysv64("sysv64-hidden-pointer-in-rax", |c| c.indirect_result = Some(c.results.int[0])),
    sysv64("sysv64-variable-arguments-on-the-stack", |c| c.variable_on_stack = true),
    sysv64("sysv64-stack-of-32", |c| c.stack_align = 32),
    sysv64("sysv64-empty-struct-by-pointer", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 0) if role != Role::Result => Ok(Class::Pointer),
            _ => (SYSV64.classify)(ty, role),
        };
    }),
    sysv64("sysv64-parts-swapped", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, parts_swapped);
    }),
    sysv64("sysv64-zeros-for-signs", |c| {
        c.classify = |ty, role| each_part(&SYSV64, ty, role, zeros_for_signs);
    }),
];
