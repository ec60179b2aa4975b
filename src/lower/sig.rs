//! A plan as a Cranelift signature.
//!
//! Cranelift itself gives parameters their places, in order: registers of the parameter's bank while there are any, then
//! the stack. So this signature lists parameters by place, not by argument: first the registers that the plan uses, with a
//! dummy for each skipped register; then dummies for all registers that are left; then the stack, word by word.
//! If a hidden result pointer has a register of its own, its parameter is Cranelift's `StructReturn`.

use std::collections::BTreeMap;

use cranelift_codegen::ir::{self, AbiParam, ArgumentPurpose, types};
use cranelift_codegen::isa::CallConv;

use super::pieces;
use crate::abi::{Backend, Bank, CallPlan, Pass, Piece, Place, Width};

/// The contents of a parameter of the native signature.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// A part of an argument.
    Part(Part),
    /// Parts of arguments in one stack word, each with its offset in the word.
    Packed(Vec<(u32, Part)>),
    /// The copy of an argument, which Cranelift makes from the argument's address: its `StructArgument`.
    Copy(usize),
    /// Nothing.
    Dummy,
}

/// A part of an argument in a register or a stack word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The argument; `None`: the hidden pointer of the result.
    pub argument: Option<usize>,
    /// A piece of it or its pointer; or the bytes of a copy, as a piece.
    pub piece: Piece,
}

/// Bytes of a stack word.
const WORD: u32 = 8;

/// The native function of a plan: its signature, and what each parameter carries.
pub(super) fn native(plan: &CallPlan) -> (ir::Signature, Vec<Word>) {
    let mut signature = ir::Signature::new(match plan.convention.backend {
        Backend::SystemV => CallConv::SystemV,
        Backend::WindowsFastcall => CallConv::WindowsFastcall,
        Backend::X86(_) => unreachable!("i686 code is not made from CLIF"),
    });
    let mut words = Vec::new();
    let mut push = |word: Word, param: AbiParam| {
        signature.params.push(param);
        words.push(word);
    };
    let places = places(plan);
    if let Some(part) = places.indirect {
        push(Word::Part(part), AbiParam::special(types::I64, ArgumentPurpose::StructReturn));
    }
    let stack_bank = register_words(plan, &places, &mut push);
    let mut at = 0;
    for (offset, stacked) in places.stack {
        let empty = (at..offset).step_by(WORD as usize);
        empty.for_each(|_| push(Word::Dummy, param(stack_bank, Width::W64)));
        let (word, param, bytes) = match stacked {
            Stacked::Copy { argument, bytes } => {
                let param = AbiParam::special(types::I64, ArgumentPurpose::StructArgument(bytes));
                (Word::Copy(argument), param, bytes)
            }
            Stacked::Parts(parts) => match *parts {
                [(0, part)] => (Word::Part(part), param(stack_bank, part.piece.width), WORD),
                _ => (Word::Packed(parts), param(stack_bank, Width::W64), WORD),
            },
        };
        push(word, param);
        at = offset + bytes;
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

/// Everything that a plan places.
#[derive(Default)]
struct Places {
    /// The hidden pointer, where it has a register of its own.
    indirect: Option<Part>,
    /// By bank and number.
    registers: Vec<(Bank, u8, Part)>,
    /// By the offset of a word: what begins there.
    stack: BTreeMap<u32, Stacked>,
}

/// The value that begins at a stack word.
enum Stacked {
    /// The parts in the word, each with its distance from the word's first byte.
    Parts(Vec<(u32, Part)>),
    /// The copy of an argument, with its size in bytes, in whole words.
    Copy { argument: usize, bytes: u32 },
}

impl Places {
    fn piece(&mut self, plan: &CallPlan, part: Part) {
        match part.piece.place {
            Place::Register(register) if plan.convention.indirect_result == Some(register) => {
                self.indirect = Some(part);
            }
            Place::Register(register) => {
                self.registers.push((register.bank, register.index, part));
            }
            Place::Stack(offset) => self.stack(offset, part),
        }
    }

    fn stack(&mut self, offset: u32, part: Part) {
        let word = offset / WORD * WORD;
        let stacked = self.stack.entry(word).or_insert_with(|| Stacked::Parts(Vec::new()));
        if let Stacked::Parts(parts) = stacked {
            parts.push((offset - word, part));
        }
    }

    /// A copy of an argument on the stack: as a whole where it is `large`, else word by word.
    fn copy(&mut self, argument: usize, offset: u32, size: u32, large: bool) {
        if large {
            let bytes = size.next_multiple_of(WORD);
            self.stack.insert(offset, Stacked::Copy { argument, bytes });
            return;
        }
        let mut done = 0;
        while done < size {
            let at = offset + done;
            let bytes = (WORD - at % WORD).min(size - done);
            let piece = pieces::whole_bytes(done, bytes);
            self.stack(at, Part { argument: Some(argument), piece });
            done += bytes;
        }
    }
}

/// In a large plan ([`CallPlan::is_large`]), Cranelift makes copies of more bytes than this by calls of `memcpy`; all others are made word by
/// word. Only objects ([`crate::emit`]) have `memcpy`: a process carries large plans out from memory.
const LARGE: u32 = 128;

fn places(plan: &CallPlan) -> Places {
    let mut places = Places::default();
    let is_large = plan.is_large();
    let hidden = std::iter::once((None, &plan.result)).filter(|(_, pass)| pass.pieces().is_empty());
    let arguments = plan.arguments.iter().enumerate().map(|(i, pass)| (Some(i), pass));
    for (argument, pass) in hidden.chain(arguments) {
        for &piece in pass.placed() {
            places.piece(plan, Part { argument, piece });
        }
        if let (Some(argument), &Pass::Stack { offset, size }) = (argument, pass) {
            places.copy(argument, offset, size, is_large && size > LARGE);
        }
    }
    places
}

/// Lists the register parameters. Returns the bank in which stack words are passed: one with no register left.
fn register_words(plan: &CallPlan, places: &Places, push: &mut impl FnMut(Word, AbiParam)) -> Bank {
    let at = |bank: Bank, index: usize| {
        let here = |r: &&(Bank, u8, Part)| r.0 == bank && usize::from(r.1) == index;
        places.registers.iter().find(here).map(|r| r.2)
    };
    let used = |bank: Bank| {
        let registers = places.registers.iter().filter(|r| r.0 == bank);
        registers.map(|r| usize::from(r.1) + 1).max().unwrap_or(0)
    };
    let mut word = |bank: Bank, part: Option<Part>| match part {
        Some(part) => push(Word::Part(part), AbiParam::new(machine_type(&part.piece))),
        None => push(Word::Dummy, param(bank, Width::W64)),
    };
    let all = |bank: Bank| plan.convention.arguments.of(bank).len();
    let no_stack = places.stack.is_empty();
    if plan.convention.positional {
        let count = if no_stack { used(Bank::Int).max(used(Bank::Float)) } else { all(Bank::Int) };
        for index in 0..count {
            word(Bank::Int, at(Bank::Float, index).or_else(|| at(Bank::Int, index)));
        }
        return Bank::Int;
    }
    let floats_are_used_up = used(Bank::Float) == all(Bank::Float);
    let stack_bank = match floats_are_used_up && used(Bank::Int) < all(Bank::Int) {
        true => Bank::Float,
        false => Bank::Int,
    };
    for bank in [Bank::Int, Bank::Float] {
        let count = if no_stack || bank != stack_bank { used(bank) } else { all(bank) };
        (0..count).for_each(|index| word(bank, at(bank, index)));
    }
    stack_bank
}

/// The Cranelift type of a piece in its register.
pub(super) fn machine_type(piece: &Piece) -> ir::Type {
    word_type(piece.bank, piece.width)
}

fn param(bank: Bank, width: Width) -> AbiParam {
    AbiParam::new(word_type(bank, width))
}

fn word_type(bank: Bank, width: Width) -> ir::Type {
    match (bank, width) {
        (_, Width::W128 | Width::Upper128) => types::I8X16,
        (Bank::Int, Width::W32) => types::I32,
        (Bank::Int, _) => types::I64,
        (Bank::Float | Bank::X87, Width::W32) => types::F32,
        (Bank::Float | Bank::X87, _) => types::F64,
    }
}
