//! The part of a Lua state that generated code and fast paths access directly, at fixed offsets.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, compiler_fence};

use super::State;
use super::recall::{Recall, Roles, Stride, View};
use super::strings::Remembered;
use crate::lua::vm::api::{self, lua_State};

/// The block of the registry's userdata: the state, and what compiled code reads and writes. Lua frees its memory after
/// every finaliser, so that a function that a late finaliser calls still finds it.
#[repr(C)]
pub struct Head {
    /// Null once it is finalised.
    pub(in crate::lua) state: Cell<*mut State>,
    /// The thread of the C call in progress; where there is none, as while a callback runs Lua code, it is [`Head::rest`]. It is
    /// set for no longer than native code runs, so that Lua may be entered wherever a signal finds it set.
    pub current: AtomicPtr<lua_State>,
    /// Null, or [`WAITING`] while calls of callbacks wait for a safe point. A signal handler sets it.
    pub rest: AtomicPtr<lua_State>,
    /// Not 0 from the first callback on; see [`crate::lua::call::reentry`].
    pub(in crate::lua) barred: AtomicUsize,
    /// 1: an error was caught in a callback and waits to be raised by the call that led to it.
    pub pending: Cell<u32>,
    /// Whether some `ffi.option` is not what it is at first.
    pub chosen: Cell<bool>,
    /// Whether 64-bit unsigned integers that a Lua integer holds arrive as cdata all the same.
    pub boxed_uint64: Cell<bool>,
    /// What arguments of the memory functions may be: nothing once the state is finalised.
    pub(in crate::lua) roles: Roles,
    /// Lua's copy of `__index`, a key of `Anchor::Metamethods`; null where nothing is in place.
    pub(in crate::lua) index_event: Cell<*const c_void>,
    /// What casts are their operand's address: none once the state is finalised.
    pub(in crate::lua) views: Recall<View>,
    /// The metatypes with operators: none once the state is finalised.
    pub(in crate::lua) overloads: Recall<*const c_void>,
    /// What pointers are steps of: nothing once the state is finalised.
    pub(in crate::lua) strides: Recall<Stride>,
    /// What `ffi.string` read.
    pub(in crate::lua) strings: Remembered,
}

/// What [`Head::current`] is where no C call is in progress, and calls of callbacks wait.
const WAITING: *mut lua_State = ptr::without_provenance_mut(1);

/// What a C call in progress took the place of.
pub(in crate::lua) struct Outer {
    lua: *mut lua_State,
    thread: usize,
}

impl Head {
    /// Of a state that is not there yet.
    pub(in crate::lua) fn new() -> Head {
        Head {
            state: Cell::new(ptr::null_mut()),
            current: AtomicPtr::default(),
            rest: AtomicPtr::default(),
            barred: AtomicUsize::new(0),
            pending: Cell::new(0),
            chosen: Cell::new(false),
            boxed_uint64: Cell::new(!api::NATIVE_INT64),
            roles: Roles::default(),
            index_event: Cell::new(ptr::null()),
            views: Recall::default(),
            overloads: Recall::default(),
            strides: Recall::default(),
            strings: Remembered::default(),
        }
    }

    /// Forgets the state, which is returned: null if it was gone already.
    pub(in crate::lua) fn close(&self) -> *mut State {
        self.roles.forget();
        self.views.forget();
        self.overloads.forget();
        self.strides.forget();
        self.no_call_waits();
        self.state.replace(ptr::null_mut())
    }

    /// Says that a C call begins, of Lua's thread `lua`, on this one: what callbacks go by.
    #[inline]
    pub(in crate::lua) fn begin_call(&self, lua: *mut lua_State) -> Outer {
        // SAFETY: a state does not close while it calls C.
        let state = unsafe { self.state() }.filter(|_| api::SEND);
        let thread = state.map_or(0, |state| state.link.begin_call());
        Outer { lua: self.enter_c(lua), thread }
    }

    /// Says that the call has returned.
    #[inline]
    pub(in crate::lua) fn end_call(&self, outer: Outer) {
        self.leave_c(outer.lua);
        // SAFETY: *Open*: a state does not close while it calls C.
        if let Some(state) = unsafe { self.state() }.filter(|_| api::SEND) {
            state.link.end_call(outer.thread);
        }
    }

    /// Says that Lua's thread `lua` runs native code from now on; returns what [`Head::leave_c`] takes.
    #[inline(always)]
    pub(in crate::lua) fn enter_c(&self, lua: *mut lua_State) -> *mut lua_State {
        let outer = self.current.load(Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.current.store(lua, Ordering::Relaxed);
        outer
    }

    /// Says that it has ended.
    #[inline(always)]
    pub(in crate::lua) fn leave_c(&self, outer: *mut lua_State) {
        let outer = if is_thread(outer) { outer } else { self.rest.load(Ordering::Relaxed) };
        self.current.store(outer, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    /// The thread of the C call in progress.
    #[inline(always)]
    pub(in crate::lua) fn calling(&self) -> Option<*mut lua_State> {
        Some(self.current.load(Ordering::Relaxed)).filter(|lua| is_thread(*lua))
    }

    /// Says that a callback runs Lua code from now on, until [`Head::enter_c`]: no C call is in progress.
    #[inline(always)]
    pub(in crate::lua) fn enter_lua(&self) {
        self.current.store(self.rest.load(Ordering::Relaxed), Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
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

    /// Whether the state is gone.
    pub(in crate::lua) fn is_closed(&self) -> bool {
        self.state.get().is_null()
    }

    /// The state, unless it is gone.
    ///
    /// # Safety
    /// - *Open*.
    pub(in crate::lua) unsafe fn state(&self) -> Option<&State> {
        // SAFETY: *Open*, kept by the caller; it is null from the time on that the box is dropped.
        unsafe { self.state.get().as_ref() }
    }
}

/// Whether [`Head::current`] is a thread.
#[inline(always)]
fn is_thread(current: *mut lua_State) -> bool {
    current.addr() > WAITING.addr()
}
