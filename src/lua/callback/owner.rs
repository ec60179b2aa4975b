//! The link from a callback to its state, and to the thread that runs it.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::deferred::Deferred;
use super::other_thread::Queue;
use crate::code;
use crate::lua::state::State;

/// The way from a callback to its state.
#[derive(Default)]
pub(in crate::lua) struct Link {
    state: AtomicPtr<State>,
    /// The calls that wait for the state's thread.
    pub(in crate::lua) queue: Queue,
    /// The calls that wait for a safe point of it.
    pub(in crate::lua) deferred: Deferred,
    /// The thread of the C call in progress, or 0, where threads hand the state to one another: it has mlua's lock.
    thread: AtomicUsize,
}

impl Link {
    /// Says where the state is; null when it closes.
    pub(in crate::lua) fn set(&self, state: *const State) {
        self.state.store(state.cast_mut(), Ordering::Release);
    }

    /// Says that a C call begins on this thread; returns what [`Link::end_call`] takes.
    pub(in crate::lua) fn begin_call(&self) -> usize {
        self.thread.swap(code::this_thread(), Ordering::Relaxed)
    }

    /// Says that the call has returned.
    pub(in crate::lua) fn end_call(&self, outer: usize) {
        self.thread.store(outer, Ordering::Relaxed);
    }

    /// The state, until it closes.
    ///
    /// # Safety
    /// - This is the thread that runs the state.
    /// - *Open* (see `state`).
    pub(in crate::lua) unsafe fn state(&self) -> Option<&State> {
        // SAFETY: *Open*, kept by the caller, on the thread that runs the state.
        unsafe { self.state.load(Ordering::Acquire).as_ref() }
    }

    /// Whether this thread runs the state.
    pub(super) fn runs_here(&self) -> bool {
        self.thread.load(Ordering::Relaxed) == code::this_thread()
    }
}
