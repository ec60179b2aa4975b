//! Calls of callbacks that come while Lua runs on their thread, outside of any C call of the state: from a signal handler, or from C code that Lua
//! called by another way than this library.
//!
//! Lua may be in the middle of any operation, and the caller may be a signal handler. So such a call never runs Lua code at once, and neither waits,
//! locks nor allocates. The policy of its callback decides: C gets the default value and the call is dropped; or the arguments are copied, C gets
//! the default value, and the call is made at the next safe point, by `ffi.poll` or before the next call of C.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use super::Callbacks;
use super::dispatch;
use super::record::Callback;
use crate::code::os;
use crate::lua::state::head::Head;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, State, guard_in};
use crate::lua::vm::api::{self, lua_State};

/// Calls that can wait at a time.
const SLOTS: usize = 64;
/// Bytes of arguments that are kept for a call.
const ROOM: usize = 128;
/// Bytes of the largest Frame of such a call.
const FRAME: usize = 1024;

/// Arguments, one after the other, each aligned as a word is.
type Arguments = [u8; ROOM];

/// The Frame of a call that is made.
#[repr(C, align(64))]
struct Frame([u8; FRAME]);

struct Slot {
    filled: AtomicBool,
    callback: Cell<*const Callback>,
    errno: Cell<c_int>,
    arguments: UnsafeCell<Arguments>,
}

/// The calls that wait, as a ring. One thread uses it: the state's, and signal handlers on that.
struct Ring {
    slots: [Slot; SLOTS],
    /// Calls that were ever queued.
    queued: AtomicUsize,
    /// Calls that were ever taken out.
    taken: AtomicUsize,
    /// Calls that found no slot, and that nobody was told of.
    lost: AtomicU32,
}

/// The calls that wait for a safe point of their state; nothing until the state has a callback.
#[derive(Default)]
pub(in crate::lua) struct Deferred(OnceLock<Box<Ring>>);

// SAFETY: the ring is used by the thread that runs the state. Others only drop it, when they drop the state's last callback.
unsafe impl Send for Deferred {}
// SAFETY: as for `Send`: the thread that runs the state uses it, others only drop it.
unsafe impl Sync for Deferred {}

impl Deferred {
    /// Makes room for calls, as a signal handler cannot.
    pub(in crate::lua) fn expect(&self) {
        self.0.get_or_init(|| {
            let slot = || Slot {
                filled: AtomicBool::new(false),
                callback: Cell::new(std::ptr::null()),
                errno: Cell::new(0),
                arguments: UnsafeCell::new([0; ROOM]),
            };
            Box::new(Ring {
                slots: std::array::from_fn(|_| slot()),
                queued: AtomicUsize::new(0),
                taken: AtomicUsize::new(0),
                lost: AtomicU32::new(0),
            })
        });
    }

    /// Queues a call; false where there is no room.
    ///
    /// # Safety
    /// - *Frame* (see `callback`).
    /// - *Own thread*.
    unsafe fn push(&self, callback: &Callback, frame: *const u8) -> bool {
        let Some(ring) = self.0.get() else { return false };
        let layout = &callback.kind().body.frame;
        let fits = layout.size as usize <= FRAME && places(callback).1 <= ROOM;
        let slot = fits.then(|| ring.claim()).flatten();
        let Some(slot) = slot else {
            ring.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        callback.waiting.fetch_add(1, Ordering::Relaxed);
        slot.callback.set(callback);
        slot.errno.set(os::errno());
        for (at, offset, size) in places(callback).0 {
            // SAFETY: the slot is this call's alone until it is filled, and has room; the Frame has the argument there.
            unsafe {
                let to = slot.arguments.get().cast::<u8>().add(at);
                to.copy_from_nonoverlapping(frame.add(offset), size);
            }
        }
        slot.filled.store(true, Ordering::Release);
        true
    }

    /// Takes the call out that waits longest.
    fn pop(&self) -> Option<(*const Callback, c_int, Arguments)> {
        let ring = self.0.get()?;
        let taken = ring.taken.load(Ordering::Relaxed);
        let slot = &ring.slots[taken % SLOTS];
        if taken == ring.queued.load(Ordering::Relaxed) || !slot.filled.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: a filled slot is not written.
        let call = (slot.callback.get(), slot.errno.get(), unsafe { *slot.arguments.get() });
        slot.filled.store(false, Ordering::Relaxed);
        ring.taken.store(taken + 1, Ordering::Release);
        Some(call)
    }

    fn take_lost(&self) -> u32 {
        self.0.get().map_or(0, |ring| ring.lost.swap(0, Ordering::Relaxed))
    }
}

/// Where the arguments of a callback are kept, where in its Frame, and their sizes; and how many bytes they take.
fn places(callback: &Callback) -> (impl Iterator<Item = (usize, usize, usize)>, usize) {
    let kind = callback.kind();
    let room = |size: &u32| (*size as usize).next_multiple_of(8);
    let places = kind.body.frame.arguments.iter().zip(&kind.argument_sizes);
    let places = places.scan(0, move |next, (offset, size)| {
        let at = *next;
        *next += room(size);
        Some((at, *offset as usize, *size as usize))
    });
    (places, kind.argument_sizes.iter().map(room).sum())
}

impl Ring {
    /// The next slot, unless all are filled. A signal may come at any place of this.
    fn claim(&self) -> Option<&Slot> {
        let mut n = self.queued.load(Ordering::Relaxed);
        loop {
            if n - self.taken.load(Ordering::Acquire) == SLOTS {
                return None;
            }
            match self.queued.compare_exchange(n, n + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(&self.slots[n % SLOTS]),
                Err(now) => n = now,
            }
        }
    }
}

/// A call that came in on its state's thread, which makes no C call of the state. True: no Lua runs there, and the call may be
/// made. False: it is dealt with.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
pub(super) unsafe fn admits(state: &State, callback: &Callback, frame: *mut u8) -> bool {
    if !state.runs_lua() {
        return true;
    }
    let terms = callback.terms();
    let answered = terms.is_answered();
    // SAFETY: *Frame* and *Own thread*, kept by the caller.
    let queued = !answered && unsafe { Callbacks::of(state).link.deferred.push(callback, frame) };
    if queued {
        state.head().boundary.call_waits();
    } else {
        terms.count_answered();
    }
    // SAFETY: the Frame has a slot for the result.
    terms.answer_into(unsafe { callback.result_bytes(frame) });
    if !callback.told.swap(true, Ordering::Relaxed) {
        let fate = match (answered, queued) {
            (true, _) => "C gets the default value, now and from here on",
            (_, true) => {
                "such calls are made by ffi.poll() or before the next call of C, and C gets the default value"
            }
            (_, false) => "there is no room to queue the call, and C gets the default value",
        };
        dispatch::report(format_args!(
            "'{}' was called while Lua ran, by a signal handler or another module: {fate}",
            callback.name()
        ));
    }
    false
}

/// Makes the calls that wait, on a thread that runs a C function; returns their number.
pub(in crate::lua) fn make(cx: &Cx<'_>) -> usize {
    let (head, calls) = (cx.state.head(), &Callbacks::of(cx.state).link.deferred);
    head.boundary.no_call_waits();
    let mut made = 0;
    while let Some((callback, errno, arguments)) = calls.pop() {
        let mut frame = Frame([0; FRAME]);
        // SAFETY: a callback keeps its slot while a call of it waits. `push` has seen to it that the Frame is large enough.
        unsafe {
            let callback = &*callback;
            for (at, offset, size) in places(callback).0 {
                frame.0[offset..][..size].copy_from_slice(&arguments[at..][..size]);
            }
            callback.terms().count_queued();
            callback.waiting.fetch_sub(1, Ordering::Relaxed);
            dispatch::serve(cx, callback, frame.0.as_mut_ptr(), errno);
        }
        made += 1;
    }
    match calls.take_lost() {
        0 => {}
        lost => dispatch::report(format_args!(
            "{lost} calls of callbacks that came while Lua ran were not made: {SLOTS} can wait, of {ROOM} bytes of arguments each"
        )),
    }
    made
}

/// Before a call of C: makes the calls that wait, if there are any.
///
/// # Safety
/// - *C function* (see `vm`), of the head's state.
/// - *Raise*.
#[inline(always)]
pub(in crate::lua) unsafe fn settle(lua: *mut lua_State, head: &Head) {
    if head.boundary.has_waiting_calls() {
        // SAFETY: *C function* and *Raise*, kept by the caller.
        unsafe { settle_now(lua, head) };
    }
}

/// # Safety
/// - *C function* (see `vm`), of the head's state.
/// - *Raise*.
#[cold]
pub(in crate::lua) unsafe extern "C-unwind" fn settle_now(lua: *mut lua_State, head: *const Head) {
    // SAFETY: *C function* and *Raise*, kept by the caller.
    unsafe {
        guard_in(lua, head, |cx| {
            cx.ensure_stack(api::MIN_STACK);
            make(cx);
            Ok(0)
        });
    }
}
