//! Slots of callbacks for a process that makes no code. Their stubs are part of the program's text.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::slot::Slot;

/// How many callbacks a process can have without executable memory.
pub const POOLED_CALLBACKS: usize = 2048;

#[repr(transparent)]
pub(super) struct Slots(UnsafeCell<[MaybeUninit<Slot>; POOLED_CALLBACKS]>);

// SAFETY: each slot belongs to whoever took it from the pool, which is behind a lock.
unsafe impl Sync for Slots {}

/// A slot for each stub of [`Processor::POOL`](super::host::Processor::POOL), one beside the other, which names this symbol.
pub(super) static SLOTS: Slots =
    Slots(UnsafeCell::new([const { MaybeUninit::zeroed() }; POOLED_CALLBACKS]));
