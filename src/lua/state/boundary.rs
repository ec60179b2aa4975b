//! The words that say which side of the boundary between Lua and C a state is on. They are private to this module; `callback::transition` has the
//! rules, and its calls and scopes alone use what changes the words while calls run.

use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, compiler_fence};

use crate::lua::vm::api::lua_State;

/// Which side of the boundary a Lua state is on: the part of its [`Head`](super::head::Head) that calls, callbacks and
/// compiled calls write.
#[repr(C)]
pub(in crate::lua) struct Boundary {
    /// The thread of the C call in progress. Where there is none, as while a callback runs Lua code, it is [`Self::rest`]. It is
    /// set for no longer than native code runs, so that Lua may be entered wherever a signal finds it set.
    current: AtomicPtr<lua_State>,
    /// Null, or [`WAITING`] while calls of callbacks wait for a safe point. A signal handler sets it.
    rest: AtomicPtr<lua_State>,
    /// [`BARRED`] from the first callback on, before it 0.
    barred: AtomicUsize,
    /// 1: an error was caught in a callback and waits to be raised by the call that led to it.
    pending: Cell<u32>,
}

/// The value of [`Boundary::current`] while no C call is in progress and calls of callbacks wait.
const WAITING: *mut lua_State = ptr::without_provenance_mut(1);
/// A number that is no distance of two stack slots: a thunk adds the word at its bar to such a distance.
const BARRED: usize = 1;

impl Default for Boundary {
    fn default() -> Boundary {
        Boundary {
            current: AtomicPtr::default(),
            rest: AtomicPtr::default(),
            barred: AtomicUsize::new(0),
            pending: Cell::new(0),
        }
    }
}

/// What a C call in progress took the place of.
#[must_use = "the call ends with it"]
pub(in crate::lua) struct Outer(*mut lua_State);

impl Boundary {
    /// Where compiled code finds `current`, `rest` and `pending`, which it reads and writes as the methods here do.
    pub(in crate::lua) const CURRENT: usize = offset_of!(Boundary, current);
    pub(in crate::lua) const REST: usize = offset_of!(Boundary, rest);
    pub(in crate::lua) const PENDING: usize = offset_of!(Boundary, pending);

    /// A word that is 0 until the state has a callback.
    pub(in crate::lua) fn until_callbacks(&self) -> *const AtomicUsize {
        &raw const self.barred
    }

    /// A word that is 0 while no C call is in progress and no call of a callback waits.
    pub(in crate::lua) fn between_calls(&self) -> *const AtomicUsize {
        (&raw const self.current).cast()
    }

    /// A word that is never 0.
    pub(in crate::lua) fn never() -> *const AtomicUsize {
        static CLOSED: AtomicUsize = AtomicUsize::new(BARRED);
        &raw const CLOSED
    }

    /// From now on, calls of C may come back: the state has a callback.
    pub(in crate::lua) fn expect_callbacks(&self) {
        self.barred.store(BARRED, Ordering::Relaxed);
    }

    /// Whether the state has had a callback.
    #[inline(always)]
    pub(in crate::lua) fn has_callbacks(&self) -> bool {
        self.barred.load(Ordering::Relaxed) == BARRED
    }

    /// Whether a callback of the C call in progress has caught an error.
    #[inline(always)]
    pub(in crate::lua) fn has_error(&self) -> bool {
        self.pending.get() != 0
    }

    /// Says that such an error waits for the call to end, or that none does.
    pub(in crate::lua) fn set_error(&self, waits: bool) {
        self.pending.set(waits.into());
    }

    /// Says, while no C call is in progress, that calls of callbacks wait for the next one.
    pub(in crate::lua) fn call_waits(&self) {
        self.rest.store(WAITING, Ordering::Relaxed);
        self.current.store(WAITING, Ordering::Relaxed);
    }

    /// Whether calls of callbacks wait.
    #[inline(always)]
    pub(in crate::lua) fn has_waiting_calls(&self) -> bool {
        !self.rest.load(Ordering::Relaxed).is_null()
    }

    /// Says that no call waits, from now until the next one comes.
    pub(in crate::lua) fn no_call_waits(&self) {
        self.rest.store(ptr::null_mut(), Ordering::Relaxed);
        if self.calling().is_none() {
            self.current.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }

    /// The thread of the C call in progress.
    #[inline(always)]
    pub(in crate::lua) fn calling(&self) -> Option<*mut lua_State> {
        Some(self.current.load(Ordering::Relaxed)).filter(|lua| is_thread(*lua))
    }

    /// Says that a C call of Lua's thread `lua` begins.
    #[inline(always)]
    pub(in crate::lua) fn begin_call(&self, lua: *mut lua_State) -> Outer {
        let outer = Outer(self.current.load(Ordering::Relaxed));
        self.enter_c(lua);
        outer
    }

    /// Says that the call has returned.
    #[inline(always)]
    pub(in crate::lua) fn end_call(&self, outer: &Outer) {
        let rest = || self.rest.load(Ordering::Relaxed);
        let outer = if is_thread(outer.0) { outer.0 } else { rest() };
        self.current.store(outer, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    /// Says that Lua's thread `lua` runs native code from now on.
    #[inline(always)]
    pub(in crate::lua) fn enter_c(&self, lua: *mut lua_State) {
        compiler_fence(Ordering::SeqCst);
        self.current.store(lua, Ordering::Relaxed);
    }

    /// Says that no C call is in progress from now on.
    #[inline(always)]
    pub(in crate::lua) fn enter_lua(&self) {
        self.current.store(self.rest.load(Ordering::Relaxed), Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }
}

/// Whether [`Boundary::current`] is a thread.
#[inline(always)]
fn is_thread(current: *mut lua_State) -> bool {
    current.addr() > WAITING.addr()
}
