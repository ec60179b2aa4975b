//! 32-bit x86 code in a 64-bit Linux process.
//!
//! Linux has a 32-bit code segment for each process (selector 0x23), and a far jump enters it. Code that runs there ("guest code") can address only
//! the lowest 4 GiB, so its code, its stacks and its data are mapped there ([`memory`]). FS and GS are null in the guest: it cannot reach the
//! host's thread-local variables, and is built with `-fno-stack-protector`. Everything else is shared: signals, x87 and vector registers,
//! page faults.
//!
//! ```text
//! Frame::call → asm::enter ─ far jump ─→ call shim → guest function → call shim → exit ─ far jump ─→ Frame::call returns
//!                                                         │ calls a callback's stub
//!                                                         ↓
//! Slot::dispatch ← asm::dispatch ← far jump ─ dispatch ← callback shim
//! ```
//!
//! Each thread has a `Context`, and a stack of its own for the guest. Calls nest: a callback runs on the host's stack, where the thread left it, and may
//! call the guest again, which continues below its last frame. Nothing unwinds or jumps across a guest frame: dispatchers keep errors and
//! panics ([`crate::lua`] does), and raise them when the guest has returned.

mod asm;
mod fault;
#[path = "../image.rs"]
pub mod image;
#[path = "../memory.rs"]
pub mod memory;

use std::cell::OnceCell;
use std::io;
use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock};

pub(in crate::code) use asm::place;

use crate::code::Thunk;
use crate::code::locks::{Global, Rank};
use crate::error::Error;
use asm::Trampolines;

/// Bytes of a thread's guest stack; signal handlers run on it too.
const STACK: usize = 8 << 20;
/// The bytes that a call leaves free below its Frame, at least.
const RESERVE: u32 = 128 << 10;

/// The data that a thread's guest calls share, in memory of the guest, right above its stack.
#[repr(C)]
struct Context {
    /// The host's stack pointer while the guest runs.
    host_stack: u64,
    /// The guest's stack pointer for the next entry.
    guest_stack: u32,
    /// The return address of call shims.
    exit: u32,
    /// The shim that the next entry jumps to.
    shim: FarPointer,
    /// To a `ret` of the guest.
    back: FarPointer,
    /// The lowest address of the guest's stack.
    bottom: u32,
}

/// The operand of a far jump.
#[repr(C)]
struct FarPointer {
    offset: u32,
    selector: u16,
}

/// The memory of a thread's guest stack and context.
struct Thread {
    base: NonNull<u8>,
    context: NonNull<Context>,
}

impl Thread {
    fn new(trampolines: &Trampolines) -> Result<Thread, Error> {
        let base = map_stack()?;
        let bottom = base.as_ptr() as usize as u32;
        let at = (STACK - size_of::<Context>()) & !63;
        // SAFETY: inside the mapping, and aligned to 64 bytes as the mapping is.
        let context = unsafe { base.add(at).cast::<Context>() };
        let far = |offset| FarPointer { offset, selector: asm::CODE_32 };
        // SAFETY: the memory is new and ours.
        unsafe {
            context.write(Context {
                host_stack: 0,
                guest_stack: bottom + at as u32,
                exit: trampolines.exit,
                shim: far(0),
                back: far(trampolines.back),
                bottom,
            });
        }
        asm::load_data_segments();
        Ok(Thread { base, context })
    }
}

/// Maps a stack whose lowest page cannot be touched.
fn map_stack() -> io::Result<NonNull<u8>> {
    let flags = memory::PRIVATE | libc::MAP_NORESERVE;
    let stack = memory::map(STACK, memory::READ_WRITE, flags, -1)?;
    // SAFETY: the first page of the new mapping.
    match unsafe { libc::mprotect(stack.as_ptr().cast(), 4096, libc::PROT_NONE) } {
        0 => Ok(stack),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`; a thread that ends runs no guest code.
        unsafe { memory::unmap(self.base, STACK) };
    }
}

thread_local! {
    static THREAD: OnceCell<Thread> = const { OnceCell::new() };
}

/// The calling thread's context, made at its first call.
fn context() -> Result<NonNull<Context>, Error> {
    let trampolines = open()?;
    THREAD.with(|thread| match thread.get() {
        Some(thread) => Ok(thread.context),
        None => {
            let new = Thread::new(trampolines)?;
            Ok(thread.get_or_init(|| new).context)
        }
    })
}

/// The context of a thread that is in a guest call: what a callback finds.
extern "C" fn current() -> *mut Context {
    // A thread without one never entered the guest.
    THREAD.with(|thread| thread.get().map_or(std::ptr::null_mut(), |t| t.context.as_ptr()))
}

/// Whether this process can run i686 code; found out once, in a child process.
///
/// # Errors
/// [`Error::Gate`]: why not.
pub fn available() -> Result<(), Error> {
    open().map(|_| ())
}

/// The gate's own code in guest memory.
fn open() -> Result<&'static Trampolines, Error> {
    static OPEN: OnceLock<Result<Trampolines, String>> = OnceLock::new();
    static OPENING: Global<Mutex<()>> = Global::new(Rank::Gate, ());
    let look = || {
        asm::no_shadow_stack()?;
        let trampolines = Trampolines::new().map_err(|e| e.to_string())?;
        asm::probe(&trampolines)?;
        fault::watch();
        Ok(trampolines)
    };
    let open = OPEN.get().unwrap_or_else(|| {
        let _turn = OPENING.lock();
        OPEN.get_or_init(look)
    });
    open.as_ref().map_err(|reason| Error::Gate { reason: reason.clone() })
}

/// The code by which the guest calls the host: the body in the slots of callbacks.
pub(in crate::code) fn dispatcher() -> Result<*const std::ffi::c_void, Error> {
    open().map(|trampolines| trampolines.dispatch as usize as *const _)
}

/// Memory on the calling thread's guest stack for the Frame of one call. Frames of a thread are dropped in reverse order.
#[derive(Debug)]
pub struct Frame {
    context: NonNull<Context>,
    at: u32,
    /// The guest's stack pointer before this Frame.
    outer: u32,
}

impl Frame {
    /// Takes `size` bytes, 16-aligned, not initialised, for a call with `arguments` bytes of stack arguments.
    ///
    /// # Errors
    /// [`Error::Gate`]: i686 code cannot run here. [`Error::Stack`]: the guest's stack has no room.
    pub fn new(size: u32, arguments: u32) -> Result<Frame, Error> {
        let context = context()?;
        // SAFETY: the thread's own context.
        let (outer, bottom) =
            unsafe { ((*context.as_ptr()).guest_stack, (*context.as_ptr()).bottom) };
        let room = RESERVE.saturating_add(arguments);
        let at = outer.checked_sub(size).map(|at| at & !15);
        let at = at.filter(|at| at.checked_sub(bottom).is_some_and(|free| free > room));
        let at = at.ok_or_else(|| Error::Stack {
            bytes: size as usize + arguments as usize,
            left: (outer - bottom).saturating_sub(RESERVE) as usize,
        })?;
        // SAFETY: as above.
        unsafe { (*context.as_ptr()).guest_stack = at };
        Ok(Frame { context, at, outer })
    }

    /// The bytes.
    pub fn bytes(&self) -> *mut u8 {
        self.at as usize as *mut u8
    }

    /// Calls the guest function at `target` through a call shim, with this Frame. Returns the bytes of arguments that the
    /// function popped.
    ///
    /// # Safety
    /// - `shim` is the call shim of a plan.
    /// - This memory is a Frame of that plan with its arguments filled in.
    /// - `target` is a function of the plan's type and convention.
    pub unsafe fn call(&self, shim: Thunk, target: u32) -> u32 {
        let shim = shim.address() as usize as u32;
        // SAFETY: the context is the calling thread's (a Frame is not Send); the rest is the caller's promise.
        unsafe { asm::enter(self.context.as_ptr(), shim, target, self.at) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the thread's own context.
        unsafe { (*self.context.as_ptr()).guest_stack = self.outer };
    }
}
