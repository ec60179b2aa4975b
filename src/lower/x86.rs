//! From a [`CallPlan`] to i686 machine code: the two shims of a plan. Cranelift has no back end for this processor.
//!
//! Both shims are ordinary cdecl code that is entered on a 32-bit stack: by a call in a 32-bit process, through [`crate::code::gate`] in a 64-bit one.
//! They are position independent.
//!
//! ```text
//! call_shim      uint32_t shim(void *target, void *frame)      Frame → stack and registers → target → Frame
//! callback_shim  entered by a stub that pushed its slot        stack and registers → Frame → slot->dispatch(slot, frame) → result
//! ```
//!
//! All moves are words of 4 bytes. The slots of a Frame are multiples of 8 bytes, so a word never leaves its slot.

use iced_x86::{Code, Encoder, IcedError, Instruction, MemoryOperand, Register};

use crate::abi::{Bank, CallPlan, Extension, Pass, Piece, Place, Reg, Width};
use crate::error::Error;

use Register::{EAX, EBP, ECX, EDI, EDX, ESI, ESP};

/// Words from which on a string instruction copies.
const MANY_WORDS: u32 = 16;

/// The call shim of a plan: `uint32_t shim(void *target, void *frame)`, cdecl.
///
/// It returns the number of bytes that the callee popped, and restores the stack pointer for any such number.
///
/// # Errors
/// [`Error::Codegen`]: a value too large to address.
pub fn call_shim(plan: &CallPlan) -> Result<Vec<u8>, Error> {
    assemble(|a| {
        a.enter()?;
        // Where the Frame is, and where the stack pointer is at the call.
        a.load(ESI, (EBP, 12))?;
        a.reserve(plan.stack_bytes)?;
        a.copy_register(EDI, ESP)?;
        for (pass, &slot) in plan.arguments.iter().zip(&plan.frame.arguments) {
            a.argument_to_stack(pass, slot)?;
        }
        a.argument_registers(plan)?;
        a.push_instruction(Instruction::with1(Code::Call_rm32, at((EBP, 8)))?)?;
        for piece in plan.result.pieces() {
            a.save_result(piece, (ESI, plan.frame.result + piece.offset))?;
        }
        a.copy_register(EAX, ESP)?;
        a.push_instruction(Instruction::with2(Code::Sub_r32_rm32, EAX, EDI)?)?;
        a.leave()?;
        a.push_instruction(Instruction::with(Code::Retnd))
    })
}

/// Where the Frame is in a callback shim: above the arguments of the dispatcher and the hidden pointer.
const FRAME: u32 = 16;
/// Where a callback shim keeps the hidden pointer.
const HIDDEN: (Register, u32) = (ESP, 8);
/// The callback's slot, which its stub pushed.
const SLOT: (Register, u32) = (EBP, 4);
/// The first stack argument, above the slot and the return address.
const ARGUMENTS: u32 = 12;

/// The callback shim of a plan. A stub jumps to it with its slot's address pushed; the dispatcher, at offset `dispatcher`
/// of the slot, is a cdecl `void dispatch(void *slot, void *frame)`.
///
/// # Errors
/// As [`call_shim`].
pub fn callback_shim(plan: &CallPlan, dispatcher: u32) -> Result<Vec<u8>, Error> {
    assemble(|a| {
        a.enter()?;
        a.reserve(FRAME + plan.frame.size)?;
        // Registers first: the copies below use them.
        a.callback_registers(plan)?;
        if let Pass::Pointer { pointer: Piece { place: Place::Stack(offset), .. }, .. } =
            plan.result
        {
            a.copy((EBP, ARGUMENTS + offset), HIDDEN, 4)?;
        }
        for (pass, &slot) in plan.arguments.iter().zip(&plan.frame.arguments) {
            a.argument_to_frame(pass, slot)?;
        }
        a.load(EAX, SLOT)?;
        a.store((ESP, 0), EAX)?;
        a.address(ECX, (ESP, FRAME))?;
        a.store((ESP, 4), ECX)?;
        a.push_instruction(Instruction::with1(Code::Call_rm32, at((EAX, dispatcher)))?)?;
        let result = (ESP, FRAME + plan.frame.result);
        match plan.result {
            Pass::Pointer { size, .. } => a.copy_to_hidden(result, size)?,
            _ => plan.result.pieces().iter().try_for_each(|piece| a.load_result(piece, result))?,
        }
        a.leave()?;
        // The slot goes, then the return address and what the convention pops.
        a.address(ESP, (ESP, 4))?;
        match plan.popped {
            0 => a.push_instruction(Instruction::with(Code::Retnd)),
            popped => a.push_instruction(Instruction::with1(Code::Retnd_imm16, popped)?),
        }
    })
}

/// A place in memory: base register and offset.
type Memory = (Register, u32);

fn at((base, offset): Memory) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, i64::from(offset))
}

fn after((base, offset): Memory, bytes: u32) -> Memory {
    (base, offset + bytes)
}

/// The machine's register for one of a convention's.
fn machine(register: Reg) -> Register {
    match register.name {
        "ecx" => ECX,
        "edx" => EDX,
        _ => EAX,
    }
}

/// A 32-bit assembler of the few instructions that shims are made of.
struct Assembler(Encoder);

type Encoded = Result<(), IcedError>;

fn assemble(fill: impl FnOnce(&mut Assembler) -> Encoded) -> Result<Vec<u8>, Error> {
    let mut assembler = Assembler(Encoder::new(32));
    fill(&mut assembler).map_err(Error::codegen)?;
    Ok(assembler.0.take_buffer())
}

impl Assembler {
    fn push_instruction(&mut self, instruction: Instruction) -> Encoded {
        self.0.encode(&instruction, 0).map(|_| ())
    }

    fn load(&mut self, to: Register, from: Memory) -> Encoded {
        self.push_instruction(Instruction::with2(Code::Mov_r32_rm32, to, at(from))?)
    }

    fn store(&mut self, to: Memory, from: Register) -> Encoded {
        self.push_instruction(Instruction::with2(Code::Mov_rm32_r32, at(to), from)?)
    }

    fn copy_register(&mut self, to: Register, from: Register) -> Encoded {
        self.push_instruction(Instruction::with2(Code::Mov_r32_rm32, to, from)?)
    }

    fn address(&mut self, to: Register, of: Memory) -> Encoded {
        self.push_instruction(Instruction::with2(Code::Lea_r32_m, to, at(of))?)
    }

    fn set(&mut self, to: Register, value: u32) -> Encoded {
        self.push_instruction(Instruction::with2(Code::Mov_r32_imm32, to, value)?)
    }

    /// Saves EBP, ESI and EDI; EBP leads to the caller's stack.
    fn enter(&mut self) -> Encoded {
        self.push_instruction(Instruction::with1(Code::Push_r32, EBP)?)?;
        self.copy_register(EBP, ESP)?;
        self.push_instruction(Instruction::with1(Code::Push_r32, ESI)?)?;
        self.push_instruction(Instruction::with1(Code::Push_r32, EDI)?)
    }

    /// Undoes [`Assembler::enter`], wherever the stack pointer is.
    fn leave(&mut self) -> Encoded {
        let saved = MemoryOperand::with_base_displ(EBP, -8);
        self.push_instruction(Instruction::with2(Code::Lea_r32_m, ESP, saved)?)?;
        for register in [EDI, ESI, EBP] {
            self.push_instruction(Instruction::with1(Code::Pop_r32, register)?)?;
        }
        Ok(())
    }

    /// Takes stack, 16-aligned.
    fn reserve(&mut self, bytes: u32) -> Encoded {
        if bytes > 0 {
            self.push_instruction(Instruction::with2(Code::Sub_rm32_imm32, ESP, bytes)?)?;
        }
        self.push_instruction(Instruction::with2(Code::And_rm32_imm8, ESP, -16)?)
    }

    /// Copies whole words through EAX or, if there are many, with ESI, EDI and ECX.
    fn copy(&mut self, from: Memory, to: Memory, bytes: u32) -> Encoded {
        let words = bytes.div_ceil(4);
        if words < MANY_WORDS {
            return (0..words).try_for_each(|word| {
                self.load(EAX, after(from, 4 * word))?;
                self.store(after(to, 4 * word), EAX)
            });
        }
        for register in [ESI, EDI] {
            self.copy_register(if register == ESI { EAX } else { EDX }, register)?;
        }
        self.address(ESI, from)?;
        self.address(EDI, to)?;
        self.set(ECX, words)?;
        self.push_instruction(Instruction::with_rep_movsd(32)?)?;
        self.copy_register(ESI, EAX)?;
        self.copy_register(EDI, EDX)
    }

    /// Copies the part of an argument that travels on the stack from the Frame (ESI) to the stack.
    fn argument_to_stack(&mut self, pass: &Pass, slot: u32) -> Encoded {
        if let &Pass::Stack { offset, size } = pass {
            return self.copy((ESI, slot), (ESP, offset), size);
        }
        for piece in pass.pieces() {
            if let Place::Stack(offset) = piece.place {
                self.load_piece(EAX, piece, (ESI, slot + piece.offset))?;
                self.store((ESP, offset), EAX)?;
            }
        }
        Ok(())
    }

    /// Loads the argument registers and places the hidden pointer; ESI is the Frame.
    fn argument_registers(&mut self, plan: &CallPlan) -> Encoded {
        if let Pass::Pointer { pointer, .. } = &plan.result {
            match pointer.place {
                Place::Register(register) => {
                    self.address(machine(register), (ESI, plan.frame.result))?;
                }
                Place::Stack(offset) => {
                    self.address(EAX, (ESI, plan.frame.result))?;
                    self.store((ESP, offset), EAX)?;
                }
            }
        }
        for (pass, &slot) in plan.arguments.iter().zip(&plan.frame.arguments) {
            for piece in pass.pieces() {
                if let Place::Register(register) = piece.place {
                    self.load_piece(machine(register), piece, (ESI, slot + piece.offset))?;
                }
            }
        }
        Ok(())
    }

    /// A piece of a value in memory, as wide as its place.
    fn load_piece(&mut self, to: Register, piece: &Piece, from: Memory) -> Encoded {
        let code = match (piece.bytes, piece.extension) {
            (1, Extension::Sign) => Code::Movsx_r32_rm8,
            (1, _) => Code::Movzx_r32_rm8,
            (2, Extension::Sign) => Code::Movsx_r32_rm16,
            (2, _) => Code::Movzx_r32_rm16,
            _ => Code::Mov_r32_rm32,
        };
        self.push_instruction(Instruction::with2(code, to, at(from))?)
    }

    /// Puts a piece of a result into the Frame: the bytes that it has, no more.
    fn save_result(&mut self, piece: &Piece, to: Memory) -> Encoded {
        let Place::Register(register) = piece.place else { return Ok(()) };
        if piece.bank == Bank::X87 {
            let code = match piece.width {
                Width::W32 => Code::Fstp_m32fp,
                Width::W64 => Code::Fstp_m64fp,
                Width::W80 | Width::W128 | Width::Upper128 => Code::Fstp_m80fp,
            };
            return self.push_instruction(Instruction::with1(code, at(to))?);
        }
        let (code, register) = match piece.bytes {
            1 => (Code::Mov_rm8_r8, Register::AL),
            2 => (Code::Mov_rm16_r16, Register::AX),
            _ => (Code::Mov_rm32_r32, machine(register)),
        };
        self.push_instruction(Instruction::with2(code, at(to), register)?)
    }

    /// Puts the register arguments of a callback into its Frame, and the hidden pointer of its result away.
    fn callback_registers(&mut self, plan: &CallPlan) -> Encoded {
        if let Pass::Pointer { pointer: Piece { place: Place::Register(register), .. }, .. } =
            plan.result
        {
            self.store(HIDDEN, machine(register))?;
        }
        for (pass, &slot) in plan.arguments.iter().zip(&plan.frame.arguments) {
            for piece in pass.pieces() {
                if let Place::Register(register) = piece.place {
                    self.store((ESP, FRAME + slot + piece.offset), machine(register))?;
                }
            }
        }
        Ok(())
    }

    /// Copies the part of an argument that a callback got on the stack into its Frame.
    fn argument_to_frame(&mut self, pass: &Pass, slot: u32) -> Encoded {
        if let &Pass::Stack { offset, size } = pass {
            return self.copy((EBP, ARGUMENTS + offset), (ESP, FRAME + slot), size);
        }
        for piece in pass.pieces() {
            if let Place::Stack(offset) = piece.place {
                let to = (ESP, FRAME + slot + piece.offset);
                self.copy((EBP, ARGUMENTS + offset), to, 4)?;
            }
        }
        Ok(())
    }

    /// Puts a piece of a callback's result, whose Frame slot is `from`, into its register.
    fn load_result(&mut self, piece: &Piece, from: Memory) -> Encoded {
        let Place::Register(register) = piece.place else { return Ok(()) };
        let from = after(from, piece.offset);
        if piece.bank == Bank::X87 {
            let code = match piece.width {
                Width::W32 => Code::Fld_m32fp,
                Width::W64 => Code::Fld_m64fp,
                Width::W80 | Width::W128 | Width::Upper128 => Code::Fld_m80fp,
            };
            return self.push_instruction(Instruction::with1(code, at(from))?);
        }
        self.load_piece(machine(register), piece, from)
    }

    /// Copies a callback's result to the memory of its caller, byte for byte, and returns its address.
    fn copy_to_hidden(&mut self, from: Memory, bytes: u32) -> Encoded {
        self.address(ESI, from)?;
        self.load(EDI, HIDDEN)?;
        self.set(ECX, bytes)?;
        self.load(EAX, HIDDEN)?;
        self.push_instruction(Instruction::with_rep_movsb(32)?)
    }
}
