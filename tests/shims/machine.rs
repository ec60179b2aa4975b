//! Shims executed with both ends of the call in machine code ([`machine.c`](machine.c)): registers, stack words, the stack
//! pointer and memory are compared with the plan, byte by byte, with no compiler between.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::ptr;

use cthunk::abi::{Bank, CallPlan, Extension, Pass, Piece, Place, Signature, Width};
use cthunk::code::gate::image::Image;
use cthunk::code::gate::{Frame, memory};
use cthunk::code::{self, Thunk};

use super::guest::{Compiler, Function, Guest};

/// `struct machine` of machine.c.
#[repr(C)]
struct State {
    registers: [u32; 3],
    esp: u32,
    words: [u32; WORDS],
    results: [u32; 2],
    popped: u32,
    x87: u32,
    st0: [u8; 12],
    back: u32,
    kept: u32,
    count: u32,
    target: u32,
    expected: u32,
    saved: u32,
    room: u32,
}

/// `struct dispatched` of machine.c.
#[repr(C)]
struct Dispatched {
    size: u32,
    result: u32,
    result_size: u32,
    slot: u32,
    aligned: u32,
    frame: [u8; FRAME],
    answer: [u8; HIDDEN],
}

const WORDS: usize = 64;
const FRAME: usize = 1024;
const HIDDEN: usize = 256;
/// Where a slot has its dispatcher.
const DISPATCHER: u32 = 8;
/// A byte that no code has written.
const UNTOUCHED: u8 = 0xEE;

/// Whether a shim obeyed its plan; the error says where it did not.
pub type Verdict = Result<(), &'static str>;

/// The two ends.
pub struct Machine {
    guest: Guest,
    state: *mut State,
    dispatched: *mut Dispatched,
    hidden: *mut [u8; HIDDEN],
    /// A Frame, with [`UNTOUCHED`] bytes around what a plan needs of it.
    frame: *mut [u8; FRAME],
    shim_call: Entry,
    callback_call: Entry,
}

/// A function of machine.c, called without allocating: children of a fork do.
struct Entry {
    function: Function,
    thunk: Thunk,
    address: u32,
}

impl Entry {
    fn new(guest: &Guest, declaration: &str) -> Entry {
        let function = guest.function(declaration, &[]);
        let thunk = code::frame_call(&function.signature, function.convention).unwrap();
        let address = guest.image.symbol(&function.name).unwrap();
        Entry { function, thunk, address }
    }

    fn call(&self, arguments: &[u32]) -> u32 {
        let layout = &self.function.plan.frame;
        let frame = Frame::new(layout.size, self.function.plan.stack_bytes).unwrap();
        // SAFETY: the Frame is of the function's plan; every argument and the result are words.
        unsafe {
            for (&argument, &at) in arguments.iter().zip(&layout.arguments) {
                frame.bytes().add(at as usize).cast::<u32>().write(argument);
            }
            frame.call(self.thunk, self.address);
            frame.bytes().add(layout.result as usize).cast::<u32>().read()
        }
    }
}

/// Byte `b` of value `v`, with its sign bit set.
fn byte(v: usize, b: usize) -> u8 {
    (((8 + v % 8) << 4) | (b % 16)) as u8
}

/// 1.5 as the machine has it.
fn one_and_a_half(width: Width) -> [u8; 12] {
    let mut bytes = [0; 12];
    match width {
        Width::W32 => bytes[..4].copy_from_slice(&1.5f32.to_le_bytes()),
        Width::W64 => bytes[..8].copy_from_slice(&1.5f64.to_le_bytes()),
        Width::W80 | Width::W128 | Width::Upper128 => {
            bytes[7..10].copy_from_slice(&[0xC0, 0xFF, 0x3F])
        }
    }
    bytes
}

/// The word that the place of a piece holds, and a mask of its bits that count.
fn extended(piece: &Piece, bytes: impl Fn(usize) -> u8) -> (u32, u32) {
    let mut word = [0; 4];
    (0..piece.bytes as usize).for_each(|b| word[b] = bytes(piece.offset as usize + b));
    let (value, bits) = (u32::from_le_bytes(word), piece.bytes * 8);
    match (piece.bytes, piece.extension) {
        (4, _) => (value, u32::MAX),
        (1, Extension::Sign) => (value as u8 as i8 as u32, u32::MAX),
        (2, Extension::Sign) => (value as u16 as i16 as u32, u32::MAX),
        (3, _) => (value, (1 << bits) - 1),
        _ => (value, u32::MAX),
    }
}

fn ensure(holds: bool, what: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err(what) }
}

impl Machine {
    pub fn new(compiler: &Compiler, name: &str) -> Machine {
        let guest = compiler.load(name, include_str!("machine.c"), &[]);
        let symbol = |name: &str| guest.image.symbol(name).unwrap() as usize;
        Machine {
            state: symbol("machine") as *mut State,
            dispatched: symbol("dispatched") as *mut Dispatched,
            hidden: symbol("hidden") as *mut [u8; HIDDEN],
            frame: memory::allocate(FRAME).unwrap().as_ptr().cast(),
            shim_call: Entry::new(&guest, "unsigned shim_call(void *, void *, void *)"),
            callback_call: Entry::new(&guest, "void callback_call(void)"),
            guest,
        }
    }

    /// Whether the ends have room for a plan.
    pub fn fits(plan: &CallPlan) -> bool {
        let result = match plan.result {
            Pass::Pointer { size, .. } => size as usize,
            _ => 0,
        };
        plan.stack_bytes as usize <= WORDS * 4
            && plan.frame.size as usize <= FRAME - 16
            && result <= HIDDEN - 16
    }

    /// Runs a call shim at every alignment of the stack.
    pub fn call(&self, signature: &Signature, plan: &CallPlan, shim: &Image) -> Verdict {
        (0..4).try_for_each(|words| self.call_once(signature, plan, shim, 512 + 4 * words))
    }

    fn call_once(
        &self,
        signature: &Signature,
        plan: &CallPlan,
        shim: &Image,
        room: u32,
    ) -> Verdict {
        let layout = &plan.frame;
        // SAFETY: memory of the image and of this machine, which nobody else has.
        let (state, frame) = unsafe { (&mut *self.state, &mut *self.frame) };
        frame.fill(UNTOUCHED);
        for (v, (ty, &at)) in signature.arguments.iter().zip(&layout.arguments).enumerate() {
            (0..ty.size as usize).for_each(|b| frame[at as usize + b] = byte(v, b));
        }
        let before = *frame;
        state.room = room;
        state.words.fill(0);
        state.registers.fill(0);
        state.results = [0x9392_9190, 0x9796_9594];
        let x87 = plan.result.pieces().iter().any(|piece| piece.bank == Bank::X87);
        (state.x87, state.st0) = (u32::from(x87), one_and_a_half(Width::W80));
        (state.popped, state.count) = (plan.popped, 0);
        let address = self.frame as usize as u32;
        let callee = self.guest.image.symbol("callee").unwrap_or_default();
        let popped = self.shim_call.call(&[shim.start(), callee, address]);
        // SAFETY: as above; the guest wrote it meanwhile.
        let state = unsafe { ptr::read_volatile(self.state) };
        ensure(state.count == 1, "no call")?;
        ensure(state.kept == 1, "a register or the stack pointer was not kept")?;
        ensure(state.esp % 16 == 0, "the callee's stack is not aligned")?;
        ensure(popped == plan.popped, "the number of popped bytes")?;
        for (v, pass) in plan.arguments.iter().enumerate() {
            arrived(&state, pass, |b| byte(v, b))?;
        }
        if let Pass::Pointer { pointer, .. } = &plan.result {
            let to = (address + layout.result).to_le_bytes();
            arrived(&state, &Pass::Pieces([*pointer].into()), |b| to[b])?;
        }
        let mut expected = before;
        for piece in plan.result.pieces() {
            let at = (layout.result + piece.offset) as usize;
            let x87 = one_and_a_half(piece.width);
            for b in 0..piece.bytes as usize {
                expected[at + b] = match piece.bank {
                    Bank::X87 => x87[b],
                    _ => 0x90 + piece.offset as u8 + b as u8,
                };
            }
        }
        ensure(*frame == expected, "the Frame")
    }

    /// Runs a callback shim at every alignment of the stack.
    pub fn callback(&self, signature: &Signature, plan: &CallPlan, stub: &Stub) -> Verdict {
        (0..4).try_for_each(|words| self.callback_once(signature, plan, stub, 512 + 4 * words))
    }

    fn callback_once(
        &self,
        signature: &Signature,
        plan: &CallPlan,
        stub: &Stub,
        room: u32,
    ) -> Verdict {
        let layout = &plan.frame;
        let size = signature.result.size as usize;
        // SAFETY: memory of the image, which nobody else has.
        let (state, dispatched, hidden) =
            unsafe { (&mut *self.state, &mut *self.dispatched, &mut *self.hidden) };
        let hidden_address = (self.hidden as usize as u32).to_le_bytes();
        state.room = room;
        state.words.fill(0xEEEE_EEEE);
        state.registers.fill(0xEEEE_EEEE);
        for (v, pass) in plan.arguments.iter().enumerate() {
            pass_to(state, pass, |b| byte(v, b));
        }
        if let Pass::Pointer { pointer, .. } = &plan.result {
            pass_to(state, &Pass::Pieces([*pointer].into()), |b| hidden_address[b]);
        }
        let x87 = plan.result.pieces().iter().find(|piece| piece.bank == Bank::X87);
        (state.x87, state.st0) = (u32::from(x87.is_some()), [0; 12]);
        (state.popped, state.count) = (plan.popped, plan.stack_bytes / 4);
        state.target = stub.image.start();
        hidden.fill(UNTOUCHED);
        (dispatched.slot, dispatched.aligned) = (0, 0);
        dispatched.size = layout.size;
        (dispatched.result, dispatched.result_size) = (layout.result, size as u32);
        (0..size).for_each(|b| dispatched.answer[b] = byte(7, b));
        if let Some(piece) = x87 {
            dispatched.answer[..12].copy_from_slice(&one_and_a_half(piece.width));
        }
        self.callback_call.call(&[]);
        // SAFETY: as above; the guest wrote it meanwhile.
        let (state, dispatched) =
            unsafe { (ptr::read_volatile(self.state), ptr::read_volatile(self.dispatched)) };
        ensure(state.count == 1, "no dispatch")?;
        ensure(state.kept == 1, "a register or the stack pointer was not kept")?;
        ensure(dispatched.aligned == 1, "the dispatcher's stack or Frame is not aligned")?;
        ensure(dispatched.slot == stub.slot, "the slot")?;
        for (v, (ty, &at)) in signature.arguments.iter().zip(&layout.arguments).enumerate() {
            let seen = &dispatched.frame[at as usize..][..ty.size as usize];
            ensure(seen.iter().enumerate().all(|(b, &s)| s == byte(v, b)), "an argument")?;
        }
        for piece in plan.result.pieces() {
            returned(&state, piece, |b| dispatched.answer[b])?;
        }
        if let Pass::Pointer { .. } = plan.result {
            ensure(state.results[0].to_le_bytes() == hidden_address, "the hidden pointer in eax")?;
            let written = hidden[..size] == dispatched.answer[..size];
            let untouched = hidden[size..].iter().all(|&byte| byte == UNTOUCHED);
            ensure(written && untouched, "the result in memory")?;
        }
        Ok(())
    }
}

/// Whether what a value consists of is where its plan says.
fn arrived(state: &State, pass: &Pass, bytes: impl Fn(usize) -> u8 + Copy) -> Verdict {
    if let &Pass::Stack { offset, size } = pass {
        let stack = |b: usize| (state.words[b / 4] >> (b % 4 * 8)) as u8;
        let same = (0..size as usize).all(|b| stack(offset as usize + b) == bytes(b));
        return ensure(same, "an argument on the stack");
    }
    pass.pieces().iter().try_for_each(|piece| {
        let (expected, mask) = extended(piece, bytes);
        let seen = match piece.place {
            Place::Stack(offset) => state.words[offset as usize / 4],
            Place::Register(register) => state.registers[index(register.name)],
        };
        ensure((seen ^ expected) & mask == 0, "an argument")
    })
}

/// Puts a value where its plan says; what is above a narrow one stays as it was.
fn pass_to(state: &mut State, pass: &Pass, bytes: impl Fn(usize) -> u8) {
    if let &Pass::Stack { offset, size } = pass {
        for b in 0..size as usize {
            put(&mut state.words[(offset as usize + b) / 4], (offset as usize + b) % 4, bytes(b));
        }
    }
    for piece in pass.pieces() {
        let word = match piece.place {
            Place::Stack(offset) => &mut state.words[offset as usize / 4],
            Place::Register(register) => &mut state.registers[index(register.name)],
        };
        for b in 0..piece.bytes as usize {
            put(word, b, bytes(piece.offset as usize + b));
        }
    }
}

fn put(word: &mut u32, at: usize, byte: u8) {
    let mut bytes = word.to_le_bytes();
    bytes[at] = byte;
    *word = u32::from_le_bytes(bytes);
}

fn returned(state: &State, piece: &Piece, bytes: impl Fn(usize) -> u8) -> Verdict {
    let Place::Register(register) = piece.place else { return Err("a result on the stack") };
    if piece.bank == Bank::X87 {
        return ensure(state.st0 == one_and_a_half(Width::W80), "the result in st0");
    }
    let (expected, mask) = extended(piece, bytes);
    let seen = state.results[usize::from(register.name == "edx")];
    ensure((seen ^ expected) & mask == 0, "the result")
}

fn index(register: &str) -> usize {
    ["eax", "ecx", "edx"].iter().position(|name| *name == register).expect("an argument register")
}

/// A callback shim with a slot, and the stub that pushes it.
pub struct Stub {
    image: Image,
    slot: u32,
}

impl Machine {
    /// Where [`callback_shim`](cthunk::lower::x86::callback_shim) is told to find the dispatcher.
    pub const DISPATCHER: u32 = DISPATCHER;

    /// Makes a slot for a callback shim. Slots are not freed.
    pub fn stub(&self, shim: &[u8]) -> Stub {
        let slot = memory::allocate(16).unwrap();
        let dispatch = self.guest.image.symbol("dispatch").unwrap();
        // SAFETY: the slot's 16 bytes.
        unsafe { slot.add(DISPATCHER as usize).cast::<u32>().write(dispatch) };
        let slot = slot.as_ptr() as usize as u32;
        // `push slot`, `jmp` to the shim, 16 bytes from the start.
        let mut code = vec![0x68];
        code.extend(slot.to_le_bytes());
        code.extend([0xE9, 6, 0, 0, 0]);
        code.resize(16, 0xCC);
        code.extend(shim);
        Stub { image: Image::of_code(&code).unwrap(), slot }
    }
}
