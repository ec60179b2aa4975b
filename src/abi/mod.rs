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

/// The way of one call: where every byte of every argument and of the result is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlan {
    /// The convention.
    pub convention: &'static Convention,
    /// One entry an argument.
    pub arguments: Box<[Pass]>,
    /// The result; its hidden pointer, if it has one, is in [`Convention::indirect_result`] or an argument before the others,
    /// and comes back in the first integer result register (where nobody may look).
    pub result: Pass,
    /// Bytes of stack arguments, shadow space not counted.
    pub stack_bytes: u32,
    /// Alignment of the stack pointer at the call: the convention's, or that of a stack argument that needs more.
    pub stack_align: u32,
    /// Bytes of stack arguments that the callee pops.
    pub popped: u32,
    /// Registers and slots that the arguments leave free, for `...` to go on with.
    pub next: Next,
    /// The number of vector registers that `al` announces, for a variadic System V call.
    pub vector_count: Option<u8>,
    /// The arguments and the result in memory.
    pub frame: FrameLayout,
}

impl CallPlan {
    /// The most that a stack argument may be aligned to.
    pub const MAX_STACK_ALIGN: u32 = 64;

    /// Whether code for it would be long, or take much of the stack: for values of many words, which Cranelift passes one by one,
    /// and for many arguments. Such a plan is carried out from memory ([`crate::lower::load`]), where the host can do that.
    pub fn is_large(&self) -> bool {
        const FRAME: u32 = 4096;
        const STACK: u32 = 2048;
        const ARGUMENTS: usize = 128;
        self.frame.size > FRAME || self.stack_bytes > STACK || self.arguments.len() > ARGUMENTS
    }

    /// Whether Cranelift, which aligns the stack as the convention does and has no 256-bit registers, can make the call
    /// itself; else fixed native code makes it, from a block of registers.
    pub fn is_direct(&self) -> bool {
        self.stack_align == self.convention.stack_align && !self.is_wide()
    }

    /// Whether a value is in a 256-bit register.
    pub fn is_wide(&self) -> bool {
        let passes = self.arguments.iter().chain([&self.result]);
        passes.flat_map(|pass| pass.pieces()).any(|piece| piece.width == Width::Upper128)
    }

    /// Whether a value is in a vector register.
    pub fn has_vectors(&self) -> bool {
        let passes = self.arguments.iter().chain([&self.result]);
        let mut placed = passes.flat_map(|pass| pass.placed());
        placed.any(|piece| matches!(piece.place, Place::Register(register) if register.bank == Bank::Float))
    }
}

/// How one value travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Nothing is passed.
    Ignore,
    /// In these pieces, which tile the value.
    Pieces(SmallVec<[Piece; 1]>),
    /// As a copy of the value's bytes among the stack arguments.
    Stack {
        /// Bytes above the first stack argument.
        offset: u32,
        /// Bytes of the value.
        size: u32,
    },
    /// As a pointer: of an argument to a copy that the caller makes, of a result to memory that the caller has.
    Pointer {
        /// The pointer.
        pointer: Piece,
        /// Bytes of the value.
        size: u32,
        /// Alignment of the copy.
        align: u32,
    },
}

impl Pass {
    /// The pieces of a value in pieces.
    pub fn pieces(&self) -> &[Piece] {
        match self {
            Pass::Pieces(pieces) => pieces,
            _ => &[],
        }
    }

    /// The pieces, or the pointer: everything with a register or slot of its own.
    pub fn placed(&self) -> &[Piece] {
        match self {
            Pass::Ignore | Pass::Stack { .. } => &[],
            Pass::Pieces(pieces) => pieces,
            Pass::Pointer { pointer, .. } => std::slice::from_ref(pointer),
        }
    }
}

/// A part of a value in one register or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte of the value that it carries.
    pub offset: u32,
    /// Number of bytes of the value that it carries: never more than the value has.
    pub bytes: u32,
    /// Whether those bytes are an integer or a floating-point value in the machine's eyes.
    pub bank: Bank,
    /// Its width in its place.
    pub width: Width,
    /// How the bytes fill the width.
    pub extension: Extension,
    /// Its place.
    pub place: Place,
}

/// Where a piece is at the call instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In a register.
    Register(Reg),
    /// Bytes above the first stack argument, which lies above the shadow space.
    Stack(u32),
}

/// The first free places after the last argument: positions in the register lists, bytes of stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Integer argument registers used.
    pub int: u8,
    /// Vector argument registers used.
    pub float: u8,
    /// Bytes of stack arguments used.
    pub stack: u32,
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
