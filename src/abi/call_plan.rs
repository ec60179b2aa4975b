//! The plan of a call: where each byte of each value is.

use smallvec::SmallVec;

use super::{Bank, Convention, Extension, FrameLayout, Reg, Width};

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

    /// Bytes of its caller's stack that a compiled call takes for values: stack arguments, and copies of arguments that travel by
    /// pointer.
    pub fn stack_taken(&self) -> usize {
        let copies = self.arguments.iter().map(|pass| match pass {
            Pass::Pointer { size, .. } => *size as usize,
            Pass::Ignore | Pass::Pieces(_) | Pass::Stack { .. } => 0,
        });
        copies.sum::<usize>() + self.stack_bytes as usize
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

#[cfg(test)]
mod tests {
    use super::super::{AAPCS64, Kind, SYSV64, Signature, Type, plan};

    #[test]
    fn copies_and_stack_arguments_take_stack() {
        let large = Type { size: 5000, align: 8, kind: Kind::Record([].into()), ..Type::F64 };
        let arguments = [Type::F64, large.clone(), large].into();
        let signature = Signature { arguments, result: Type::F64, fixed: None };
        let taken = |convention| plan(&signature, convention).unwrap().stack_taken();
        assert_eq!(taken(&AAPCS64), 10_000);
        assert_eq!(taken(&SYSV64), 10_000);
    }
}
