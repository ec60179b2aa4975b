//! The gate of a 32-bit x86 process. Its own code is 32-bit code, so the same shims carry plans out, and entering one is an ordinary call.

#[path = "image.rs"]
pub mod image;
#[path = "memory.rs"]
pub mod memory;

use std::cell::UnsafeCell;
use std::ffi::c_void;

use crate::code::module::LOW_ARENA;
use crate::code::{Slot, Thunk, check_stack};
use crate::error::Error;

/// Whether this process can run i686 code: it does.
///
/// # Errors
/// None.
pub fn available() -> Result<(), Error> {
    Ok(())
}

/// The address that callback slots lead to.
pub(in crate::code) fn dispatcher() -> Result<*const c_void, Error> {
    /// Calls the dispatcher of a slot.
    ///
    /// # Safety
    /// - `slot` is the slot of a callback that C called, and `frame` the Frame that its shim filled in.
    unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
        // SAFETY: a stub pushed its slot, which lives as long as the process; the shim made the Frame.
        unsafe { ((*slot).dispatch)(slot, frame) }
    }
    Ok(dispatch as *const c_void)
}

/// Puts code into executable memory.
pub(in crate::code) fn place(code: &[u8]) -> Result<u32, Error> {
    let span = LOW_ARENA.lock().allocate(code.len(), 16)?;
    // SAFETY: a span of this length, ours alone.
    unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), span.write, code.len()) };
    Ok(span.run as usize as u32)
}

/// Memory for the Frame of one call.
#[derive(Debug)]
pub struct Frame(Box<[UnsafeCell<Block>]>);

/// The unit of memory for Frames, with their alignment.
#[derive(Debug)]
#[repr(align(16))]
struct Block(#[allow(dead_code, reason = "room")] [u8; 16]);

impl Frame {
    /// Takes `size` bytes, 16-aligned.
    ///
    /// # Errors
    /// None.
    pub fn new(size: u32, arguments: u32) -> Result<Frame, Error> {
        check_stack(arguments as usize)?;
        let blocks = (size as usize).div_ceil(size_of::<Block>());
        Ok(Frame((0..blocks).map(|_| UnsafeCell::new(Block([0; 16]))).collect()))
    }

    /// The bytes.
    pub fn bytes(&self) -> *mut u8 {
        self.0.as_ptr().cast_mut().cast()
    }

    /// Calls the function at `target` through a call shim, with this Frame. Returns the bytes of arguments that the function
    /// popped.
    ///
    /// # Safety
    /// - `shim` is the call shim of a plan.
    /// - This memory is a Frame of that plan with its arguments filled in.
    /// - `target` is a function of the plan's type and convention.
    pub unsafe fn call(&self, shim: Thunk, target: u32) -> u32 {
        // SAFETY: call shims are cdecl functions of this type.
        let shim: unsafe extern "C" fn(u32, *mut u8) -> u32 =
            unsafe { std::mem::transmute(shim.address()) };
        // SAFETY: the caller's promise.
        unsafe { shim(target, self.bytes()) }
    }
}
