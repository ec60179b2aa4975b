//! Broken conventions: what the fuzzer must find.
//!
//! Each mutant breaks one rule of one table: a field of the [`Convention`], what its `classify` is told, or what it answers.
//! A mutant is a row; `fuzz-abi --convention NAME` runs it as if it were a convention, and
//! `CTHUNK_BLESS=1 cargo test --test mutants -- --ignored` writes what caught each to `docs/mutants.md`.

use crate::abi::{
    Bank, Class, Convention, Extension, Kind, Leaf, LeafKind, Otherwise, Reg, Role, SYSV64, Scalar,
    Type, Unsupported, WIN64, Width,
};

/// A convention with one broken rule.
#[derive(Debug)]
pub struct Mutant {
    /// The convention's name, and what is wrong.
    pub name: &'static str,
    /// The convention.
    pub of: &'static Convention,
    /// Breaks the rule.
    pub change: fn(&mut Convention),
}

const fn sysv64(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant { name, of: &SYSV64, change }
}

const fn win64(name: &'static str, change: fn(&mut Convention)) -> Mutant {
    Mutant { name, of: &WIN64, change }
}

/// Every mutant.
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
        c.classify = |ty, role| answer(&SYSV64, ty, role, split);
    }),
    sysv64("sysv64-registers-exhausted", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, exhausting);
    }),
    sysv64("sysv64-stack-aligned-to-8", |c| {
        c.classify = |ty, role| answer(&SYSV64, ty, role, aligned_to_8);
    }),
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
        c.classify = |ty, role| answer(&SYSV64, ty, role, zeros_for_signs);
    }),
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
    win64("win64-large-on-the-stack", |c| {
        c.classify = |ty, role| answer(&WIN64, ty, role, pointer_to_memory);
    }),
    win64("win64-zeros-for-signs", |c| {
        c.classify = |ty, role| answer(&WIN64, ty, role, zeros_for_signs);
    }),
];

impl Mutant {
    /// The mutant of that name.
    pub fn of(name: &str) -> Option<&'static Mutant> {
        MUTANTS.iter().find(|mutant| mutant.name == name)
    }

    /// The broken convention.
    pub fn convention(&self) -> Convention {
        let mut convention = *self.of;
        (self.change)(&mut convention);
        convention
    }
}

/// What the convention says of a type whose scalars are told differently.
fn told(
    of: &Convention,
    ty: &Type,
    role: Role,
    leaf: fn(Leaf) -> Leaf,
) -> Result<Class, Unsupported> {
    let mut ty = ty.clone();
    if let Kind::Record(leaves) | Kind::Complex(leaves) = &mut ty.kind {
        *leaves = leaves.iter().copied().map(leaf).collect();
    }
    (of.classify)(&ty, role)
}

/// What the convention says, changed.
fn answer(
    of: &Convention,
    ty: &Type,
    role: Role,
    change: fn(Class) -> Class,
) -> Result<Class, Unsupported> {
    (of.classify)(ty, role).map(change)
}

fn is_record(ty: &Type) -> bool {
    matches!(ty.kind, Kind::Record(_))
}

fn is_float(leaf: &Leaf) -> bool {
    leaf.kind == LeafKind::Float
}

fn as_float(leaf: Leaf) -> Leaf {
    Leaf { kind: LeafKind::Float, ..leaf }
}

fn as_integer(leaf: Leaf) -> Leaf {
    match leaf.kind {
        LeafKind::Float => Leaf { kind: LeafKind::Int, ..leaf },
        _ => leaf,
    }
}

fn scalar(bank: Bank) -> Scalar {
    Scalar { bank, width: Width::W64, extension: Extension::Zero }
}

fn memory_by_pointer(class: Class) -> Class {
    match class {
        Class::Memory { .. } => Class::Pointer,
        class => class,
    }
}

fn pointer_to_memory(class: Class) -> Class {
    match class {
        Class::Pointer => Class::Memory { align: 8 },
        class => class,
    }
}

fn aligned_to_8(class: Class) -> Class {
    match class {
        Class::Memory { .. } => Class::Memory { align: 8 },
        class => class,
    }
}

fn x87_in_memory(class: Class) -> Class {
    match class {
        Class::Registers(parts) if parts.parts.iter().any(|p| p.scalar.bank == Bank::X87) => {
            Class::Memory { align: 16 }
        }
        class => class,
    }
}

fn split(class: Class) -> Class {
    match class {
        Class::Registers(parts) => Class::parts(parts.parts, Otherwise::Slots { align: 8 }),
        class => class,
    }
}

fn exhausting(class: Class) -> Class {
    match class {
        Class::Registers(parts) => match parts.otherwise {
            Otherwise::Memory { align } => Class::parts(parts.parts, Otherwise::Exhaust { align }),
            otherwise => Class::parts(parts.parts, otherwise),
        },
        class => class,
    }
}

/// The second part in the register of the first one, where both are of one bank.
fn parts_swapped(class: Class) -> Class {
    match class {
        Class::Registers(mut parts) => {
            if let [first, second] = &mut parts.parts[..] {
                std::mem::swap(&mut first.scalar, &mut second.scalar);
            }
            Class::Registers(parts)
        }
        class => class,
    }
}

fn zeros_for_signs(class: Class) -> Class {
    match class {
        Class::Registers(mut parts) => {
            for part in &mut parts.parts {
                if part.scalar.extension == Extension::Sign {
                    part.scalar.extension = Extension::Zero;
                }
            }
            Class::Registers(parts)
        }
        class => class,
    }
}

/// All but the last register.
fn fewer(registers: &'static [Reg]) -> &'static [Reg] {
    &registers[..registers.len() - 1]
}

/// The first two registers in the other order. A mutant is made once a process.
fn swapped(registers: &'static [Reg]) -> &'static [Reg] {
    let mut swapped = registers.to_vec();
    swapped.swap(0, 1);
    swapped.leak()
}
