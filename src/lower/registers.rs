//! The register block: the bytes that a native entry saves and a callback body reads.
//!
//! `code` checks at compile time that its structure has these offsets.

use crate::abi::{Bank, CallPlan, Extension, FrameLayout, Pass, Piece, Place, Reg, Width};

/// Integer argument register *n* is at `INT + 8 * n`; register 8 is AArch64's x8.
pub const INT: u32 = 0;
/// Vector argument register *n* is at `FLOAT + 16 * n`.
pub const FLOAT: u32 = 80;
/// Integer result register *n* is at `RESULT_INT + 8 * n`.
pub const RESULT_INT: u32 = 208;
/// Vector result register *n* is at `RESULT_FLOAT + 16 * n`.
pub const RESULT_FLOAT: u32 = 224;
/// The address of the first stack argument.
pub const STACK: u32 = 288;
/// 8 bytes: not 0 where the call uses a 256-bit register.
pub const WIDE: u32 = 296;
/// Bytes of the block of calls that do not, a multiple of 16.
pub const SIZE: u32 = 304;
/// The upper half of 256-bit argument register *n* is at `UPPER + 16 * n`.
pub const UPPER: u32 = SIZE;
/// The upper half of 256-bit result register *n* is at `RESULT_UPPER + 16 * n`.
pub const RESULT_UPPER: u32 = 432;
/// Bytes of the whole block.
pub const WIDE_SIZE: u32 = 448;

/// The offset of an argument register in the block.
fn argument(register: Reg, width: Width) -> i32 {
    at(register, width, [INT, FLOAT, UPPER])
}

/// The offset of a result register in the block.
pub(super) fn result(register: Reg, width: Width) -> i32 {
    at(register, width, [RESULT_INT, RESULT_FLOAT, RESULT_UPPER])
}

fn at(register: Reg, width: Width, [int, float, upper]: [u32; 3]) -> i32 {
    let index = u32::from(register.index);
    (match (register.bank, width) {
        (Bank::Int, _) => int + 8 * index,
        (_, Width::Upper128) => upper + 16 * index,
        (Bank::Float | Bank::X87, _) => float + 16 * index,
    }) as i32
}

/// Whether a place is in the block (a register) or behind its stack pointer.
pub(super) enum Home {
    /// Bytes into the block.
    Block(i32),
    /// Bytes above the first stack argument.
    Stack(i32),
}

pub(super) fn home(piece: &Piece) -> Home {
    match piece.place {
        Place::Register(register) => Home::Block(argument(register, piece.width)),
        Place::Stack(offset) => Home::Stack(offset as i32),
    }
}

/// The block as the Frame of a callback: where each argument is in one register, and the result, if there is one, fills one.
pub fn frame(plan: &CallPlan) -> Option<FrameLayout> {
    let single = |pass: &Pass| match pass {
        Pass::Pieces(pieces) => match **pieces {
            [piece] if piece.offset == 0 => match piece.place {
                Place::Register(register) if register.bank != Bank::X87 => Some((piece, register)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let place = |pass: &Pass| {
        let (piece, register) = single(pass)?;
        u32::try_from(argument(register, piece.width)).ok()
    };
    let result = match &plan.result {
        Pass::Ignore => RESULT_INT,
        pass => {
            let (piece, register) = single(pass)?;
            let fills = piece.extension == Extension::None;
            u32::try_from(result(register, piece.width)).ok().filter(|_| fills)?
        }
    };
    let arguments = plan.arguments.iter().map(place).collect::<Option<_>>()?;
    Some(FrameLayout { result, arguments, size: SIZE, align: 16 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{self, Signature, Type};

    const INT: Type = Type::int(4, true);
    const CHAR: Type = Type::int(1, true);

    fn frame_of(convention: &str, result: Type, arguments: &[Type]) -> Option<FrameLayout> {
        let convention = abi::convention(convention)?;
        let signature = Signature { result, arguments: arguments.into(), fixed: None };
        frame(&abi::plan(&signature, convention).ok()?)
    }

    #[test]
    fn registers_are_slots() {
        let layout = frame_of("sysv64", Type::F64, &[INT, Type::F64, CHAR]).unwrap();
        assert_eq!(*layout.arguments, [0, 80, 8]);
        assert_eq!(layout.result, RESULT_FLOAT);
        let layout = frame_of("win64", INT, &[INT, Type::F64, CHAR]).unwrap();
        assert_eq!(*layout.arguments, [0, 96, 16]);
        assert_eq!(layout.result, RESULT_INT);
    }

    #[test]
    fn what_is_on_the_stack_or_must_be_extended_has_none() {
        assert_eq!(frame_of("sysv64", INT, &[INT; 7]), None);
        assert_eq!(frame_of("sysv64", CHAR, &[INT]), None);
    }
}
