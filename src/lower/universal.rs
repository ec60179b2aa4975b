//! A plan carried out without a compiler: between a Frame and the register block of a native call.
//!
//! Reading the plan makes each call slower than a thunk does, but nothing is compiled. Calls are made this way until a function gets its thunk,
//! and where each call has another plan.

use super::registers::{self, Home};
use crate::abi::{CallPlan, Extension, Pass, Piece, Place, Width};

/// Puts the arguments of a Frame into the block of registers and the words of the stack.
///
/// `address` is that of the Frame, for values that travel by pointer: they stay in their slots. `stack` has
/// [`CallPlan::stack_bytes`] at least.
pub fn load(plan: &CallPlan, frame: &[u8], address: u64, block: &mut [u8], stack: &mut [u8]) {
    let mut put = |piece: &Piece, bytes: &[u8]| {
        let place = match registers::home(piece) {
            Home::Block(at) => &mut block[at as usize..],
            Home::Stack(at) => &mut stack[at as usize..],
        };
        if matches!(piece.width, Width::W128 | Width::Upper128) {
            place[..16].copy_from_slice(&bytes[..16]);
        } else {
            place[..8].copy_from_slice(&widened(piece, bytes).to_le_bytes());
        }
    };
    if let Pass::Pointer { pointer, .. } = &plan.result {
        put(pointer, &(address + u64::from(plan.frame.result)).to_le_bytes());
    }
    for (pass, &at) in plan.arguments.iter().zip(&plan.frame.arguments) {
        let value = &frame[at as usize..];
        match pass {
            Pass::Pieces(pieces) => {
                for piece in pieces {
                    put(piece, &value[piece.offset as usize..]);
                }
            }
            Pass::Pointer { pointer, .. } => {
                put(pointer, &(address + u64::from(at)).to_le_bytes());
            }
            Pass::Ignore | Pass::Stack { .. } => {}
        }
    }
    for (pass, &at) in plan.arguments.iter().zip(&plan.frame.arguments) {
        if let &Pass::Stack { offset, size } = pass {
            let to = &mut stack[offset as usize..][..size as usize];
            to.copy_from_slice(&frame[at as usize..][..size as usize]);
        }
    }
}

/// Puts the result that a call left in the block of registers into the Frame.
pub fn store(plan: &CallPlan, block: &[u8], frame: &mut [u8]) {
    for piece in plan.result.pieces() {
        let Place::Register(register) = piece.place else { continue };
        let from = &block[registers::result(register, piece.width) as usize..];
        let to = &mut frame[plan.frame.result as usize + piece.offset as usize..];
        match piece.bytes {
            8 => to[..8].copy_from_slice(&from[..8]),
            4 => to[..4].copy_from_slice(&from[..4]),
            bytes => to[..bytes as usize].copy_from_slice(&from[..bytes as usize]),
        }
    }
}

/// Puts the arguments that C passed, in the block of registers and on the stack, into a Frame: [`load`] backwards.
///
/// `read` gets the address of a value that travels by pointer and where its bytes go.
pub fn enter(
    plan: &CallPlan,
    block: &[u8],
    stack: &[u8],
    frame: &mut [u8],
    mut read: impl FnMut(u64, &mut [u8]),
) {
    for (pass, &at) in plan.arguments.iter().zip(&plan.frame.arguments) {
        let to = &mut frame[at as usize..];
        match pass {
            Pass::Ignore => {}
            Pass::Pieces(pieces) => {
                for piece in pieces {
                    let (offset, bytes) = (piece.offset as usize, piece.bytes as usize);
                    to[offset..][..bytes].copy_from_slice(&placed(piece, block, stack)[..bytes]);
                }
            }
            &Pass::Stack { offset, size } => {
                to[..size as usize].copy_from_slice(&stack[offset as usize..][..size as usize]);
            }
            Pass::Pointer { pointer, size, .. } => {
                let address = u64::from_le_bytes(first(placed(pointer, block, stack)));
                read(address, &mut to[..*size as usize]);
            }
        }
    }
}

/// The address that C gave for a result in memory.
pub fn hidden_pointer(plan: &CallPlan, block: &[u8], stack: &[u8]) -> Option<u64> {
    match &plan.result {
        Pass::Pointer { pointer, .. } => {
            Some(u64::from_le_bytes(first(placed(pointer, block, stack))))
        }
        _ => None,
    }
}

/// Puts the result that is in a Frame into the block of registers: [`store`] backwards.
pub fn leave(plan: &CallPlan, frame: &[u8], block: &mut [u8]) {
    for piece in plan.result.pieces() {
        let Place::Register(register) = piece.place else { continue };
        let from = &frame[plan.frame.result as usize + piece.offset as usize..];
        let to = &mut block[registers::result(register, piece.width) as usize..];
        match piece.width {
            Width::W32 | Width::W64 => to[..8].copy_from_slice(&widened(piece, from).to_le_bytes()),
            Width::W80 | Width::W128 | Width::Upper128 => {
                to[..piece.bytes as usize].copy_from_slice(&from[..piece.bytes as usize]);
            }
        }
    }
}

/// The bytes in the place of an argument's piece, and after it.
fn placed<'b>(piece: &Piece, block: &'b [u8], stack: &'b [u8]) -> &'b [u8] {
    match registers::home(piece) {
        Home::Block(at) => &block[at as usize..],
        Home::Stack(at) => &stack[at as usize..],
    }
}

/// The bytes of a piece, 8 at most, as a register has them. Sizes are told apart because a copy of a known size is one load.
fn widened(piece: &Piece, bytes: &[u8]) -> u64 {
    let value = match piece.bytes {
        8 => return u64::from_le_bytes(first(bytes)),
        4 => u32::from_le_bytes(first(bytes)).into(),
        2 => u16::from_le_bytes(first(bytes)).into(),
        1 => bytes[0].into(),
        count => {
            let bytes = bytes[..count as usize].iter().rev();
            return bytes.fold(0, |value, &byte| value << 8 | u64::from(byte));
        }
    };
    let unused = 64 - 8 * piece.bytes;
    match piece.extension {
        Extension::Sign => ((value << unused) as i64 >> unused) as u64,
        Extension::Ones => value | u64::MAX << (8 * piece.bytes),
        Extension::Zero | Extension::None => value,
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.copy_from_slice(&bytes[..N]);
    first
}
