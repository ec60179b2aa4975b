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
    /// The dispatcher's own; it stays when the callback is freed, so that a late call can say what it called.
    pub data: *const c_void,
    /// Drops `data` when another callback takes the slot.
    pub(super) drop: unsafe fn(*const c_void),
    /// The plan that an interpreted body reads; null where the body is compiled.
    pub(super) plan: *const CallPlan,
    /// Not 0: the callback takes or returns 256-bit registers.
    pub(super) wide: u64,
    /// The dispatcher's own.
    pub owner: AtomicUsize,
    /// The calls that are in the dispatcher and do not belong to the owner: no other callback takes the slot meanwhile.
    pub visitors: AtomicU32,
    /// Whether the callback is in use.
    pub(super) used: AtomicBool,
}

impl Slot {
    /// Where a stub finds the entry's address; where the callback is 32-bit code, its shim's.
    pub const ENTRY: u32 = offset_of!(Slot, entry) as u32;
    /// Where an entry finds the body's address; where the callback is 32-bit code, its shim finds the gate's.
    pub const BODY: u32 = offset_of!(Slot, body) as u32;
}

/// Where a callback body finds its dispatcher in the slot.
pub const DISPATCH_OFFSET: i32 = offset_of!(Slot, dispatch) as i32;
