//! Calling conventions as data: from a [`Signature`] and a [`Convention`] to a [`CallPlan`].
//!
//! ```text
//! Signature ─┐
//!            ├─ Convention::classify (one small file per ABI) ─ assign ─→ CallPlan ─→ lower, explain, check
//! Convention ┘
//! ```
//!
//! A plan is complete: lowering obeys it, and never asks for the platform. A new convention is a file here and a row of [`CONVENTIONS`];
//! `CONTRIBUTING.md` has the steps to execute and test it.
#![forbid(unsafe_code)]

pub mod aapcs64;
mod assign;
mod call_plan;
mod check;
mod explain;
mod lp64d;
mod signature;
mod sysv64;
mod ty;
mod win64;
pub mod x86;

use std::fmt;

use smallvec::SmallVec;

use crate::ctype::CallConv;

pub use aapcs64::{AAPCS64, AAPCS64_APPLE, AAPCS64_WINDOWS};
pub use assign::plan;
pub use call_plan::{CallPlan, Next, Pass, Piece, Place};
pub use check::check;
pub use explain::{explain, explain_variable};
pub use lp64d::LP64D;
pub use signature::{FrameLayout, Signature};
pub use sysv64::SYSV64;
pub use ty::{Kind, Leaf, LeafKind, Leaves, Quirks, Type};
pub use win64::WIN64;

/// Every convention of a 64-bit processor.
pub static CONVENTIONS: &[&Convention] =
    &[&SYSV64, &WIN64, &AAPCS64, &AAPCS64_APPLE, &AAPCS64_WINDOWS, &LP64D];

/// Every convention that a plan can be made for.
pub fn conventions() -> impl Iterator<Item = &'static Convention> {
    CONVENTIONS.iter().chain(x86::CONVENTIONS).copied()
}

/// A calling convention: what the psABI documents print as tables.
#[derive(Clone, Copy)]
pub struct Convention {
    /// The name that commands and tests use.
    pub name: &'static str,
    /// The document that these rules come from.
    pub source: &'static str,
    /// The processor, as `std::env::consts::ARCH` names it.
    pub architecture: &'static str,
    /// The data models ([`crate::target::DataModel::name`]) whose functions use it where their declaration asks for none.
    pub default_on: &'static [&'static str],
    /// The attribute that asks for it on its architecture, where it is not the default.
    pub keyword: Option<CallConv>,
    /// Argument registers in order, by bank.
    pub arguments: Registers,
    /// Result registers in order, by bank.
    pub results: Registers,
    /// The register of the hidden pointer to a result in memory; `None`: the first integer argument register.
    pub indirect_result: Option<Reg>,
    /// Whether taking a register of one bank uses up the same position of the other (Win64).
    pub positional: bool,
    /// Bytes of a stack slot; every stack argument takes a multiple of it. 1: as many bytes as the argument has (Apple).
    pub slot: u32,
    /// Bytes that the caller reserves below the stack arguments for the callee (Win64: 32).
    pub shadow: u32,
    /// Alignment of the stack pointer at the call instruction.
    pub stack_align: u32,
    /// Whether variable arguments get no registers (Apple arm64).
    pub variable_on_stack: bool,
    /// Whether a call of a variadic function announces the number of vector registers in `al` (System V).
    pub vector_count: bool,
    /// How an argument or a result travels.
    pub classify: fn(&Type, Role) -> Result<Class, Unsupported>,
    /// Who makes the machine code.
    pub backend: Backend,
}

/// The registers of a convention, by bank.
#[derive(Clone, Copy)]
pub struct Registers {
    /// General-purpose registers.
    pub int: &'static [Reg],
    /// Vector registers, which carry floating-point values.
    pub float: &'static [Reg],
    /// x87 registers, top of the stack first.
    pub x87: &'static [Reg],
}

impl Registers {
    /// The registers of one bank.
    pub fn of(&self, bank: Bank) -> &'static [Reg] {
        match bank {
            Bank::Int => self.int,
            Bank::Float => self.float,
            Bank::X87 => self.x87,
        }
    }
}

/// A register by its position in the convention's list of its bank, and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reg {
    /// The bank.
    pub bank: Bank,
    /// Position in [`Registers`], from 0.
    pub index: u8,
    /// Its full-width name.
    pub name: &'static str,
}

/// A kind of register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bank {
    /// General purpose.
    Int,
    /// Vector and floating point.
    Float,
    /// The x87 stack, for results only.
    X87,
}

/// The code generator of a convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Cranelift, `CallConv::SystemV` of the convention's architecture.
    SystemV,
    /// Cranelift, `CallConv::WindowsFastcall`.
    WindowsFastcall,
    /// Our own emitter of i686 code, [`crate::lower::x86`], by plans of these rules.
    X86(&'static x86::Rules),
}

/// The role of a value in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An argument that the prototype names.
    Fixed {
        /// Whether `...` follows the named arguments.
        variadic: bool,
    },
    /// An argument that matches `...`.
    Variable,
    /// The result.
    Result,
}

/// How a value travels, before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not at all (`void`, empty structs).
    Ignore,
    /// In registers, while there are any.
    Registers(Parts),
    /// As bytes on the stack, aligned so. A result: in memory that the caller gives a hidden pointer to.
    Memory {
        /// In bytes.
        align: u32,
    },
    /// As a pointer to a copy that the caller makes. A result: as for [`Class::Memory`].
    Pointer,
}

/// The parts of a value on their way into registers: one for a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// In the order in which they take registers.
    pub parts: SmallVec<[Part; 1]>,
    /// Whether the first one needs a register of even number.
    pub even: bool,
    /// The place of the value if too few registers are free.
    pub otherwise: Otherwise,
}

/// The place of a value for which too few registers are free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Each part that finds no register takes a stack slot; a value may be split. The slot of the first part is aligned so.
    Slots {
        /// In bytes.
        align: u32,
    },
    /// All of it goes to the stack, aligned so; the registers that are left are for others.
    Memory {
        /// In bytes.
        align: u32,
    },
    /// As for [`Otherwise::Memory`], and no later argument gets a register of the banks that it wanted.
    Exhaust {
        /// In bytes.
        align: u32,
    },
    /// It travels as this.
    Class(Box<Class>),
}

impl Class {
    /// One scalar of `bytes` bytes in a register or a stack slot.
    pub fn scalar(scalar: Scalar, bytes: u32) -> Class {
        Class::parts([Part { offset: 0, bytes, scalar }], Otherwise::Slots { align: 8 })
    }

    /// Parts with no wish for an even register.
    pub fn parts(parts: impl IntoIterator<Item = Part>, otherwise: Otherwise) -> Class {
        Class::Registers(Parts { parts: parts.into_iter().collect(), even: false, otherwise })
    }
}

/// A part of an aggregate on its way into a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First byte of the aggregate.
    pub offset: u32,
    /// Bytes of the aggregate.
    pub bytes: u32,
    /// The scalar in the register.
    pub scalar: Scalar,
}

/// A scalar on its way into a register or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The bank it wants.
    pub bank: Bank,
    /// The width it has there.
    pub width: Width,
    /// How the bytes of the value become that width.
    pub extension: Extension,
}

/// The width of a value in a register or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits; the upper half of a 64-bit register is not defined.
    W32,
    /// 64 bits.
    W64,
    /// 80 bits, in memory 16 bytes of which 6 are padding.
    W80,
    /// 128 bits, a vector register.
    W128,
    /// The upper 128 bits of the 256-bit register whose lower ones carry the part before.
    Upper128,
}

impl Width {
    /// In bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::W32 => 4,
            Width::W64 => 8,
            Width::W80 => 10,
            Width::W128 | Width::Upper128 => 16,
        }
    }
}

/// How a narrower value fills its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// The value is as wide as its place.
    None,
    /// With zeros.
    Zero,
    /// With the sign.
    Sign,
    /// With ones: a NaN box (RISC-V, a floating-point value narrower than its register).
    Ones,
}

/// A type that a convention does not carry yet; an error value, never a wrong call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not supported by convention {convention}")]
pub struct Unsupported {
    /// The type and its role in plain words.
    pub what: String,
    /// The convention's name.
    pub convention: &'static str,
}

/// The convention of that name.
pub fn convention(name: &str) -> Option<&'static Convention> {
    conventions().find(|c| c.name == name)
}

impl Convention {
    /// Whether it has every register that another one passes values in.
    pub fn has_registers_of(&self, other: &Convention) -> bool {
        let within = |own: &Registers, others: &Registers| {
            let banks = [Bank::Int, Bank::Float, Bank::X87].into_iter();
            let mut registers = banks.flat_map(|bank| others.of(bank));
            registers.all(|register| own.of(register.bank).contains(register))
        };
        self.architecture == other.architecture
            && within(&self.arguments, &other.arguments)
            && within(&self.results, &other.results)
            && (other.indirect_result.is_none() || other.indirect_result == self.indirect_result)
    }

    /// Whether it is one of 32-bit x86, whose thunks are [`crate::lower::x86`]'s shims.
    pub fn is_i686(&self) -> bool {
        matches!(self.backend, Backend::X86(_))
    }
}

impl fmt::Debug for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Convention {
    fn eq(&self, other: &Convention) -> bool {
        self.name == other.name
    }
}

impl Eq for Convention {}

/// Names a bank's registers in order: the rows of a convention's table.
macro_rules! registers {
    ($bank:ident: $($name:literal)*) => {{
        const NAMES: &[&str] = &[$($name),*];
        const REGS: [$crate::abi::Reg; NAMES.len()] = {
            let mut regs = [$crate::abi::Reg { bank: $crate::abi::Bank::$bank, index: 0, name: "" }; NAMES.len()];
            let mut i = 0;
            while i < NAMES.len() {
                regs[i].index = i as u8;
                regs[i].name = NAMES[i];
                i += 1;
            }
            regs
        };
        &REGS
    }};
}
use registers;
