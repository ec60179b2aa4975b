//! Whether Lua runs on a Lua thread. Signal handlers ask this at any moment of Lua's work, so the functions here only read memory.

use mlua::ffi as sys;

use super::lua_State;

pub(crate) use version::*;

/// PUC Lua: a thread that runs has a function at level 0; one that has yielded has as well.
#[cfg(feature = "_levels")]
mod version {
    use std::mem;

    use super::*;

    /// Whether a thread runs a Lua or C function.
    ///
    /// # Safety
    /// - *Live*.
    pub(crate) unsafe fn is_running(lua: *mut lua_State) -> bool {
        // SAFETY: *Live*, kept by the caller; `lua_getstack` fills in the record. Both look at a field or two.
        unsafe {
            let mut record: sys::lua_Debug = mem::zeroed();
            sys::lua_getstack(lua, 0, &raw mut record) != 0
                && sys::lua_status(lua) != sys::LUA_YIELD
        }
    }
}

#[cfg(feature = "luau")]
mod version {
    use super::*;

    /// # Safety
    /// - *Live*.
    pub(crate) unsafe fn is_running(lua: *mut lua_State) -> bool {
        // SAFETY: *Live*, kept by the caller.
        unsafe { sys::lua_stackdepth(lua) != 0 && sys::lua_status(lua) != sys::LUA_YIELD }
    }
}

/// LuaJIT keeps the frames of running code in registers. A field of a running thread, `cframe`, leads to the native stack, and is
/// null in one that does not run.
#[cfg(feature = "luajit")]
mod version {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Where that field is among the words of a `lua_State`; 0: it was not found yet.
    static FIELD: AtomicUsize = AtomicUsize::new(0);
    /// The words among which it is: behind the header, and before the end of the smallest `lua_State`.
    const WORDS: std::ops::Range<usize> = 2..12;
    /// Bytes of native stack between a C function and the frame of the interpreter that called it.
    const NEAR: usize = 1 << 16;

    /// Looks for the field.
    ///
    /// # Safety
    /// - *C function*.
    pub(crate) unsafe fn learn_running(lua: *mut lua_State) {
        let here = (&raw const lua) as usize;
        // SAFETY: *C function*, kept by the caller; a `lua_State` has so many words.
        let word = |n: usize| unsafe { lua.cast::<usize>().add(n).read() };
        let mut found = WORDS.filter(|n| word(*n) > here && word(*n) - here < NEAR);
        if let (Some(field), None) = (found.next(), found.next()) {
            FIELD.store(field, Ordering::Relaxed);
        }
    }

    /// # Safety
    /// - *Live*.
    pub(crate) unsafe fn is_running(lua: *mut lua_State) -> bool {
        let field = FIELD.load(Ordering::Relaxed);
        // SAFETY: *Live*, kept by the caller.
        field == 0 || unsafe { lua.cast::<usize>().add(field).read() != 0 }
    }
}

/// Only LuaJIT needs it.
///
/// # Safety
/// None is needed.
#[cfg(not(feature = "luajit"))]
pub(crate) unsafe fn learn_running(_: *mut lua_State) {}

/// The state's first thread; null where Lua does not tell.
///
/// # Safety
/// - *Room* for 2.
pub(crate) unsafe fn first_thread(lua: *mut lua_State) -> *mut lua_State {
    #[cfg(not(feature = "_no_main_thread"))]
    // SAFETY: *Room* for 2, kept by the caller.
    unsafe {
        super::main_thread(lua)
    }
    #[cfg(feature = "_no_main_thread")]
    // SAFETY: *Room* for 2, kept by the caller.
    unsafe {
        let is_first = sys::lua_pushthread(lua) != 0;
        sys::lua_pop(lua, 1);
        if is_first { lua } else { std::ptr::null_mut() }
    }
}
