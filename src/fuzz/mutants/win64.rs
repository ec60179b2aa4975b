//! Broken rules of Microsoft x64.

use super::Mutant;
use super::change::*;
use crate::abi::{Bank, Class, Convention, Role, WIN64};

const fn win64(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant::new(&WIN64, name, change)
}

pub static MUTANTS: &[Mutant] = &[
    win64("win64-three-registers", |c| {
        c.arguments.int = fewer(c.arguments.int);
        c.arguments.float = fewer(c.arguments.float);
    }),
    win64("win64-integer-registers-swapped", |c| c.arguments.int = swapped(c.arguments.int)),
    win64("win64-vector-registers-swapped", |c| c.arguments.float = swapped(c.arguments.float)),
    win64("win64-not-positional", |c| c.positional = false),
    win64("win64-no-shadow-space", |c| c.shadow = 0),
    win64("win64-slot-of-16", |c| c.slot = 16),
    win64("win64-eight-bytes-by-pointer", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 8) => Ok(Class::Pointer),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-three-bytes-in-a-register", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, size @ (3 | 5..=7)) => Ok(Class::scalar(scalar(Bank::Int), size)),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-double-struct-in-a-vector-register", |c| {
        c.classify = |ty, role| match (ty.leaves(), ty.size) {
            (Some([leaf]), 8) if is_float(leaf) => Ok(Class::scalar(scalar(Bank::Float), 8)),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-variable-doubles-in-vector-registers", |c| {
        c.classify = |ty, role| match role {
            Role::Variable => (WIN64.classify)(ty, Role::Fixed { variadic: true }),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-empty-struct-is-nothing", |c| {
        c.classify = |ty, role| match (is_record(ty), ty.size) {
            (true, 0) => Ok(Class::Ignore),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-vector-count", |c| c.vector_count = true),
    win64("win64-vector-results-by-pointer", |c| {
        c.classify = |ty, role| match (role, ty.size) {
            (Role::Result, 16) => Ok(Class::Pointer),
            _ => (WIN64.classify)(ty, role),
        };
    }),
    win64("win64-hidden-pointer-in-rax", |c| c.indirect_result = Some(c.results.int[0])),
    win64("win64-large-on-the-stack", |c| {
        c.classify = |ty, role| answer(&WIN64, ty, role, pointer_to_memory);
    }),
    win64("win64-zeros-for-signs", |c| {
        c.classify = |ty, role| each_part(&WIN64, ty, role, zeros_for_signs);
    }),
];
