//! The callbacks of a process that makes no code: native entries that are part of the program's text, each with a [`Slot`] of
//! its own beside the others.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::entry::Slot;

/// How many callbacks a process can have without executable memory.
pub const POOLED_CALLBACKS: usize = 2048;

/// Bytes of an entry: a load of the slot's address, a jump, and padding.
const ENTRY: usize = 16;

#[repr(transparent)]
struct Slots(UnsafeCell<[MaybeUninit<Slot>; POOLED_CALLBACKS]>);

// SAFETY: each slot belongs to whoever took it from the pool, which is behind a lock.
unsafe impl Sync for Slots {}

static SLOTS: Slots = Slots(UnsafeCell::new([const { MaybeUninit::zeroed() }; POOLED_CALLBACKS]));

/// Every entry's address, with its slot.
#[cfg(all(target_arch = "x86_64", not(windows)))]
pub(super) fn entries() -> Vec<(usize, NonNull<Slot>)> {
    let slots = NonNull::from(&SLOTS).cast::<Slot>();
    let entry = |i: usize| {
        // SAFETY: there are as many slots.
        (entries_of_pool as *const () as usize + i * ENTRY, unsafe { slots.add(i) })
    };
    (0..POOLED_CALLBACKS).map(entry).collect()
}

#[cfg(not(all(target_arch = "x86_64", not(windows))))]
pub(super) fn entries() -> Vec<(usize, NonNull<Slot>)> {
    let _ = (&SLOTS, ENTRY);
    Vec::new()
}

/// The entries: `endbr64`, `lea r11, [rip + slot]`, `jmp [r11]`, like the stubs of [`super::stubs`].
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[unsafe(naked)]
unsafe extern "C" fn entries_of_pool() {
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".set cthunk_pool_at, 0",
        ".rept {count}",
        "endbr64",
        "leaq {slots} + cthunk_pool_at(%rip), %r11",
        "jmpq *(%r11)",
        ".balign {entry}, 0xCC",
        ".set cthunk_pool_at, cthunk_pool_at + {size}",
        ".endr",
        ".cfi_endproc",
        count = const POOLED_CALLBACKS,
        slots = sym SLOTS,
        entry = const ENTRY,
        size = const size_of::<Slot>(),
        options(att_syntax)
    )
}
