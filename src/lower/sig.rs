//! A plan as a Cranelift signature.
//!
//! Cranelift gives parameters their places itself, in order: registers of the parameter's bank while there are any, then
//! the stack. So the parameters are listed by place, not by argument: first every register that the plan uses, with a
//! dummy for each that it skips, then the stack word by word, with enough dummies before it that no register is left.

use cranelift_codegen::ir::{self, AbiParam, types};
use cranelift_codegen::isa::CallConv;

use crate::abi::{Backend, Bank, CallPlan, Pass, Piece, Place, Width};

/// What a parameter of the native signature carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// A piece of an argument, or its pointer.
    Piece {
        /// The argument; `None`: the hidden pointer of the result.
        argument: Option<usize>,
        piece: Piece,
    },
    /// Bytes of an argument that is copied to the stack.
    Bytes { argument: usize, offset: u32, bytes: u32 },
    /// Nothing.
    Dummy,
}

/// The native function of a plan: its signature, and what each parameter carries.
pub(super) fn native(plan: &CallPlan) -> (ir::Signature, Vec<Word>) {
    let mut signature = ir::Signature::new(match plan.convention.backend {
        Backend::SystemV => CallConv::SystemV,
        Backend::WindowsFastcall => CallConv::WindowsFastcall,
    });
    let mut words = Vec::new();
    let mut push = |word: Word, ty: ir::Type| {
        signature.params.push(AbiParam::new(ty));
        words.push(word);
    };
    let (registers, stack) = places(plan);
    let stack_bank = register_words(plan, &registers, stack.is_empty(), &mut push);
    let mut at = 0;
    for (offset, word) in stack {
        for _ in (at..offset).step_by(plan.convention.slot as usize) {
            push(Word::Dummy, word_type(stack_bank, Width::W64));
        }
        let width = match word {
            Word::Piece { piece, .. } => piece.width,
            Word::Bytes { .. } | Word::Dummy => Width::W64,
        };
        push(word, word_type(stack_bank, width));
        at = offset + plan.convention.slot;
    }
    let in_register = |piece: &&Piece| piece.bank != Bank::X87;
    let results = plan.result.pieces().iter().filter(in_register);
    let results = results.map(|piece| AbiParam::new(machine_type(piece)));
    signature.returns.extend(results);
    (signature, words)
}

/// The signature of the native function of a plan.
pub fn native_signature(plan: &CallPlan) -> ir::Signature {
    native(plan).0
}

type Registers = Vec<(Bank, u8, Word)>;
type Stack = Vec<(u32, Word)>;

/// Everything that the plan places, registers and stack words apart, the latter by offset.
fn places(plan: &CallPlan) -> (Registers, Stack) {
    let (mut registers, mut stack) = (Registers::new(), Stack::new());
    let hidden = std::iter::once((None, &plan.result)).filter(|(_, pass)| pass.pieces().is_empty());
    let arguments = plan.arguments.iter().enumerate().map(|(i, pass)| (Some(i), pass));
    for (argument, pass) in hidden.chain(arguments) {
        for &piece in pass.placed() {
            let word = Word::Piece { argument, piece };
            match piece.place {
                Place::Register(register) => registers.push((register.bank, register.index, word)),
                Place::Stack(offset) => stack.push((offset, word)),
            }
        }
        if let (Some(argument), &Pass::Stack { offset, size }) = (argument, pass) {
            let slot = plan.convention.slot;
            let word = |at| Word::Bytes { argument, offset: at, bytes: slot.min(size - at) };
            stack.extend((0..size).step_by(slot as usize).map(|at| (offset + at, word(at))));
        }
    }
    stack.sort_by_key(|(offset, _)| *offset);
    (registers, stack)
}

/// Lists the register parameters. Returns the bank in which stack words are passed: one with no register left.
fn register_words(
    plan: &CallPlan,
    registers: &Registers,
    no_stack: bool,
    push: &mut impl FnMut(Word, ir::Type),
) -> Bank {
    let at = |bank: Bank, index: usize| {
        let found = registers.iter().find(|r| r.0 == bank && usize::from(r.1) == index);
        found.map(|r| r.2)
    };
    let used = |bank: Bank| {
        let used = registers.iter().filter(|r| r.0 == bank).map(|r| usize::from(r.1) + 1);
        used.max().unwrap_or(0)
    };
    let ty = |bank: Bank, word: Option<Word>| match word {
        Some(Word::Piece { piece, .. }) => machine_type(&piece),
        _ => word_type(bank, Width::W64),
    };
    let all = |bank: Bank| plan.convention.arguments.of(bank).len();
    let floats_are_used_up = used(Bank::Float) == all(Bank::Float);
    let stack_bank = match floats_are_used_up && used(Bank::Int) < all(Bank::Int) {
        true => Bank::Float,
        false => Bank::Int,
    };
    if plan.convention.positional {
        let count = if no_stack { used(Bank::Int).max(used(Bank::Float)) } else { all(Bank::Int) };
        for index in 0..count {
            let float = at(Bank::Float, index).map(|word| (Bank::Float, Some(word)));
            let (bank, word) = float.unwrap_or((Bank::Int, at(Bank::Int, index)));
            push(word.unwrap_or(Word::Dummy), ty(bank, word));
        }
        return Bank::Int;
    }
    for bank in [Bank::Int, Bank::Float] {
        let count = if no_stack || bank != stack_bank { used(bank) } else { all(bank) };
        for index in 0..count {
            let word = at(bank, index);
            push(word.unwrap_or(Word::Dummy), ty(bank, word));
        }
    }
    stack_bank
}

/// The Cranelift type of a piece in its register.
pub(super) fn machine_type(piece: &Piece) -> ir::Type {
    word_type(piece.bank, piece.width)
}

fn word_type(bank: Bank, width: Width) -> ir::Type {
    match (bank, width) {
        (_, Width::W128) => types::I8X16,
        (Bank::Int, Width::W32) => types::I32,
        (Bank::Int, _) => types::I64,
        (Bank::Float | Bank::X87, Width::W32) => types::F32,
        (Bank::Float | Bank::X87, _) => types::F64,
    }
}
