//! The data behind a callback's stub.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use crate::abi::CallPlan;

/// One callback: the data behind a stub. Creating, changing and freeing a callback writes this and nothing else.
#[repr(C)]
pub struct Slot {
    /// The entry of [`super::host`] that the stub jumps to.
    pub(super) entry: *const c_void,
    /// The compiled body of the callback's shape.
    pub(super) body: *const c_void,
    /// Called by the body with this slot and the Frame.
    pub dispatch: unsafe extern "C" fn(*const Slot, *mut u8),
    /// The dispatcher's own data. It stays when the callback is freed, so that the error of a later call can name the callback.
    pub data: *const c_void,
    /// Drops `data` when another callback takes the slot.
    pub(super) drop: unsafe fn(*const c_void),
    /// The plan that an interpreted body reads; null where the body is compiled.
    pub(super) plan: *const CallPlan,
    /// Not 0: the callback takes or returns 256-bit registers.
    pub(super) wide: u64,
    /// The dispatcher's own.
    pub owner: AtomicUsize,
    /// The number of calls in the dispatcher on other threads than the owner's. While it is not 0, no other callback takes the slot.
    pub visitors: AtomicU32,
    /// Whether the callback is in use.
    pub(super) used: AtomicBool,
}

impl Slot {
    /// The offset of the entry's address, for stubs; in a callback of 32-bit code, of its shim's address.
    pub const ENTRY: u32 = offset_of!(Slot, entry) as u32;
    /// The offset of the body's address, for entries; in a callback of 32-bit code, of the address of the gate's dispatcher, for shims.
    pub const BODY: u32 = offset_of!(Slot, body) as u32;
}

/// The offset of the dispatcher's address, for callback bodies.
pub const DISPATCH_OFFSET: i32 = offset_of!(Slot, dispatch) as i32;
