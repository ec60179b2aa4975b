//! The part of a Lua state that generated code and fast paths access directly, at fixed offsets.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use super::State;
use super::boundary::Boundary;
use super::recall::{Recall, Roles, Stride, View};
use super::strings::Remembered;
use crate::lua::vm::api::{self, lua_State};
use crate::lua::vm::memory::Call;

/// The block of the registry's userdata: the state, and what compiled code reads and writes. Lua frees its memory after
/// every finaliser, so that a function that a late finaliser calls still finds it.
#[repr(C)]
pub struct Head {
    /// Null once it is finalised.
    pub(in crate::lua) state: Cell<*mut State>,
    /// Which side of the boundary between Lua and C it is on.
    pub(in crate::lua) boundary: Boundary,
    /// Whether some `ffi.option` is not what it is at first.
    pub chosen: Cell<bool>,
    /// Whether 64-bit unsigned integers that a Lua integer holds arrive as cdata all the same.
    pub boxed_uint64: Cell<bool>,
    /// The types of arguments of the memory functions: none once the state is finalised.
    pub(in crate::lua) roles: Roles,
    /// Lua's copy of `__index`, a key of `Anchor::Metamethods`; null where there is no fast path.
    pub(in crate::lua) index_event: Cell<*const c_void>,
    /// The casts whose result is their operand's address: none once the state is finalised.
    pub(in crate::lua) views: Recall<View>,
    /// The metatypes with operators: none once the state is finalised.
    pub(in crate::lua) overloads: Recall<*const c_void>,
    /// The element sizes of pointers: none once the state is finalised.
    pub(in crate::lua) strides: Recall<Stride>,
    /// The strings that `ffi.string` has read.
    pub(in crate::lua) strings: Remembered,
}

impl Head {
    /// Of a state that is not there yet.
    pub(in crate::lua) fn new() -> Head {
        Head {
            state: Cell::new(ptr::null_mut()),
            boundary: Boundary::default(),
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
        self.boundary.no_call_waits();
        self.state.replace(ptr::null_mut())
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

/// The running call and its state's head.
///
/// # Safety
/// - *Layout* (see `vm`).
/// - *Upvalue 1*.
#[inline(always)]
pub(in crate::lua) unsafe fn running<'h>(lua: *mut lua_State) -> (Call, &'h Head) {
    // SAFETY: *Layout*, and the closure is one of `Cx::push_function`: upvalue 1 is the head.
    unsafe {
        let call = Call::of(lua);
        (call, &*call.upvalue::<Head>(1, 0))
    }
}

/// The running call and its state, if that is open.
///
/// # Safety
/// - *Layout* (see `vm`).
/// - *Upvalue 1* and *Open*.
#[inline(always)]
pub(in crate::lua) unsafe fn enter<'s>(lua: *mut lua_State) -> Option<(Call, &'s State)> {
    // SAFETY: *Layout*, and the closure is one of `Cx::push_function`.
    unsafe {
        let (call, head) = running(lua);
        Some((call, head.state()?))
    }
}
