//! The processor that the process runs on: machine code that comes neither from a plan nor from Cranelift.
//!
//! Each processor is one row: a file or a folder here whose type `Host` implements [`Processor`]. To add one:
//!
//! 1. a file with `Host`, and its line in the list of rows below;
//! 2. in [`text`], the entry that [`Processor::entry`] and `emit` share, if `emit` does not have it yet;
//! 3. if 32-bit x86 code can run there, a row of [`gate`].
//!
//! A `Host` must have [`Processor::flush_instructions`]. Each other item has a default that means "not here". A row without other items calls C
//! through compiled thunks; a callback is an error ([`Error::Convention`]). [`Processor::entry`] and [`Processor::callback_stub`] make callbacks
//! possible; [`Processor::exit`] and [`Processor::POOL`] make the interpreted mode possible. No code outside this folder asks which processor
//! it is compiled for. `CONTRIBUTING.md` lists the other files of a new host.

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
mod clear_cache;
pub mod gate;
pub mod text;

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod row;
#[cfg(target_arch = "riscv64")]
#[path = "riscv64.rs"]
mod row;
#[cfg(target_arch = "x86")]
#[path = "x86.rs"]
mod row;
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[path = "x86_64/mod.rs"]
mod row;
#[cfg(all(target_arch = "x86_64", windows))]
#[path = "x86_64_windows.rs"]
mod row;
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "x86",
    target_arch = "x86_64"
)))]
#[path = "none.rs"]
mod row;

use std::ffi::c_void;

pub(crate) use row::Host;

use super::registers::Registers;
use crate::abi::{CallPlan, Convention, FrameLayout, Unsupported};
use crate::error::Error;
use crate::lower::{Native, registers};

/// The machine code of a processor.
pub(crate) trait Processor {
    /// `e_machine` of its ELF64 files, which GDB reads.
    const ELF_MACHINE: Option<u16> = None;
    /// Where results can be on an x87 stack.
    const X87: Option<X87> = None;
    /// The first of [`POOLED_CALLBACKS`](super::POOLED_CALLBACKS) callback stubs in the program's text, each [`STUB`] bytes, which
    /// lead to the slots of [`super::pool`].
    const POOL: Option<unsafe extern "C" fn()> = None;

    /// The first code of callbacks of a convention. It saves the registers that `keep` names in a block of [`Registers`] on its stack, calls
    /// the slot's body (or dispatcher), and returns the results in the block. It passes unwinding on.
    fn entry(_: &Convention, _: Keep) -> Option<*const c_void> {
        None
    }

    /// The code that calls a function of a convention with the values in a block of [`Registers`].
    fn exit(_: &Convention) -> Option<Exit> {
        None
    }

    /// Whether the processor has registers of 256 bits, and the system keeps them.
    fn has_wide_registers() -> bool {
        false
    }

    /// The code of a callback at `stub`: loads `slot`, where its entry expects it, and jumps to the slot's entry. `None` where the slot is
    /// out of reach.
    fn callback_stub(_stub: usize, _slot: usize) -> Option<Stub> {
        None
    }

    /// The code at `stub` that goes on to the function whose address is at `target`, and announces the vector registers of a variadic
    /// call as [`CallPlan::vector_count`] wants. `None` also where no convention wants that.
    fn vector_count_stub(_stub: usize, _target: usize) -> Option<Stub> {
        None
    }

    /// Called after code was written, before it runs at `start`: the processor must not run the bytes that were there before.
    fn flush_instructions(start: *const u8, size: usize);
}

/// Bytes of a stub.
pub(super) const STUB: usize = 16;

/// The code of a stub.
pub(super) type Stub = [u8; STUB];

/// The code that makes a call: `fn(registers, target, bytes of stack arguments, number of vector registers)`. The block of registers has
/// the address of the stack arguments.
pub(super) type Exit = unsafe extern "C-unwind" fn(*mut Registers, *const c_void, usize, u32);

/// Moves 10 bytes between memory and the top of the x87 stack, and touches nothing else of it.
#[derive(Clone, Copy)]
pub(crate) struct X87 {
    /// Pops.
    pub pop: unsafe extern "C" fn(&mut [u64; 2]),
    /// Pushes.
    pub push: unsafe extern "C" fn(&[u64; 2]),
}

/// The registers that an entry must keep, and their use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The first two integer registers, which are the Frame: the entry calls the dispatcher itself.
    TwoPassed,
    /// The integer registers, which are the Frame.
    IntegersPassed,
    /// All, which are the Frame.
    AllPassed,
    /// The integer registers, for a body.
    Integers,
    /// All but the upper halves of 256-bit registers, for a body.
    All,
    /// All, for a body; the upper halves where [`Slot::wide`](super::Slot) says that they are used.
    Wide,
}

impl Keep {
    /// For a body of a plan.
    pub(super) fn for_body(plan: &CallPlan) -> Keep {
        match plan.is_wide() {
            true => Keep::Wide,
            false if plan.has_vectors() => Keep::All,
            false => Keep::Integers,
        }
    }

    /// For a plan whose Frame is the block of registers itself.
    pub(super) fn passed(plan: &CallPlan, frame: &FrameLayout) -> Keep {
        let in_two = |&offset: &u32| (registers::INT..registers::INT + 16).contains(&offset);
        match plan.has_vectors() {
            true => Keep::AllPassed,
            false if frame.arguments.iter().all(in_two) => Keep::TwoPassed,
            false => Keep::IntegersPassed,
        }
    }
}

/// Whether the host's processor is the convention's.
pub fn runs(convention: &Convention) -> bool {
    convention.architecture == std::env::consts::ARCH
}

/// Whether the host's processor has registers of 256 bits: those of AVX.
pub fn has_wide_registers() -> bool {
    Host::has_wide_registers()
}

/// The error for a plan whose registers the host does not have.
pub(super) fn check_registers(plan: &CallPlan) -> Result<(), Unsupported> {
    match !plan.is_wide() || has_wide_registers() {
        true => Ok(()),
        false => Err(Unsupported {
            what: "a 32-byte vector by value, on a processor without AVX,".into(),
            convention: plan.convention.name,
        }),
    }
}

/// The error for a convention that the host cannot be called by.
pub(super) fn not_here(convention: &Convention) -> Error {
    let target = target_lexicon::Triple::host().to_string();
    Error::Convention { asked: convention.name, target }
}

/// The error for a convention that has no native exit: its calls need a thunk.
pub(super) fn not_interpreted(convention: &Convention) -> Error {
    Error::codegen(format!("convention {} has no interpreter here", convention.name))
}

/// The native code that thunks call for results on the x87 stack, and for calls that Cranelift cannot make.
pub(super) fn native(convention: &Convention) -> Native {
    Native {
        pop_x87: Host::X87.map_or(0, |x87| x87.pop as usize),
        push_x87: Host::X87.map_or(0, |x87| x87.push as usize),
        exit: Host::exit(convention).map_or(0, |exit| exit as usize),
    }
}
