//! The callbacks of a process that makes no code: native stubs in the program's own text ([`Processor::POOL`]), each with a [`Slot`] of its
//! own in ordinary memory.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::host::{Host, Processor, STUB};
use super::slot::Slot;

/// How many callbacks a process can have without executable memory.
pub const POOLED_CALLBACKS: usize = 2048;

#[repr(transparent)]
pub(super) struct Slots(UnsafeCell<[MaybeUninit<Slot>; POOLED_CALLBACKS]>);

// SAFETY: each slot belongs to whoever took it from the pool, which is behind a lock.
unsafe impl Sync for Slots {}

/// The slots; a [`Processor::POOL`] names this symbol.
pub(super) static SLOTS: Slots =
    Slots(UnsafeCell::new([const { MaybeUninit::zeroed() }; POOLED_CALLBACKS]));

/// Every stub's address, with its slot.
pub(super) fn stubs() -> Vec<(usize, NonNull<Slot>)> {
    let slots = NonNull::from(&SLOTS).cast::<Slot>();
    let pooled = |first: unsafe extern "C" fn()| {
        let stub = move |i: usize| {
            // SAFETY: there are as many slots.
            (first as usize + i * STUB, unsafe { slots.add(i) })
        };
        (0..POOLED_CALLBACKS).map(stub).collect()
    };
    Host::POOL.map_or_else(Vec::new, pooled)
}
