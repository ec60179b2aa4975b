//! C closures: their upvalues, and their C function in interpreters whose closures [`super::layout`] does not know.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::{lua_CFunction, lua_State};
use crate::lua::vm::stack::Stack;

/// Words at the start of a closure, no more than the smallest with two upvalues has, among which its C function is.
#[cfg(not(feature = "luau"))]
const WORDS: usize = 6;

/// Gives the running closure another C function for its next calls; false: it keeps the one that it has.
///
/// The word that holds the function is the only one that is equal to it, and `lua_tocfunction` has to agree when it is changed.
///
/// # Safety
/// - *C function*, of a closure with two upvalues or more, and *Room* for 3.
/// - Every caller of the closure may be served by `code`.
#[cfg(not(feature = "luau"))]
pub(crate) unsafe fn set_code(lua: *mut lua_State, code: lua_CFunction) -> bool {
    // SAFETY: *C function*, with 3 free stack slots; `running` is filled in by Lua. A closure lies where `lua_topointer` says, and has
    // that many words.
    unsafe {
        let mut running: sys::lua_Debug = std::mem::zeroed();
        if sys::lua_getstack(lua, 0, &raw mut running) == 0 {
            return false;
        }
        sys::lua_getinfo(lua, c"f".as_ptr(), &raw mut running);
        let words = sys::lua_topointer(lua, -1).cast_mut().cast::<usize>();
        let held = || sys::lua_tocfunction(lua, -1).map_or(0, |code| code as usize);
        let old = held();
        let mut places = (0..WORDS).map(|word| words.add(word)).filter(|word| word.read() == old);
        let place = places.next().filter(|_| places.next().is_none());
        let changed = place.is_some_and(|place| {
            place.write(code as usize);
            let changed = held() == code as usize;
            if !changed {
                place.write(old);
            }
            changed
        });
        sys::lua_settop(lua, -2);
        changed
    }
}

/// Not in Luau, whose `lua_getinfo` is another one.
///
/// # Safety
/// None is needed.
#[cfg(feature = "luau")]
pub(crate) unsafe fn set_code(_: *mut lua_State, _: lua_CFunction) -> bool {
    false
}

impl Stack {
    /// Whether the C function at `index` knows more than its arguments: it has upvalues or, in versions where functions have one, an
    /// environment that is not the running function's. It works in a call of its own only.
    pub(crate) fn has_state_of_its_own(&self, index: c_int) -> bool {
        let index = self.absolute(index);
        // SAFETY: *Context*; a C function is at `index`.
        unsafe {
            if !sys::lua_getupvalue(self.lua, index, 1).is_null() {
                self.pop(1);
                return true;
            }
        }
        // SAFETY: *Context*; a C function is at `index`.
        unsafe { environment::is_another(self, index) }
    }
}

#[cfg(feature = "_fenv")]
mod environment {
    use super::*;

    /// # Safety
    /// - *Context*.
    /// - A function is at `index`.
    pub(super) unsafe fn is_another(stack: &Stack, index: c_int) -> bool {
        // SAFETY: *Context*, and a function is at `index`; the running function's environment is a table.
        unsafe {
            sys::lua_getfenv(stack.lua, index);
            #[cfg(not(feature = "luau"))]
            sys::lua_pushvalue(stack.lua, sys::LUA_ENVIRONINDEX);
            #[cfg(feature = "luau")]
            sys::lua_pushvalue(stack.lua, sys::LUA_GLOBALSINDEX);
            let another = sys::lua_rawequal(stack.lua, -1, -2) == 0;
            stack.pop(2);
            another
        }
    }
}

#[cfg(feature = "_env")]
mod environment {
    use super::*;

    /// # Safety
    /// None is needed: functions of these versions have no environment.
    pub(super) unsafe fn is_another(_: &Stack, _: c_int) -> bool {
        false
    }
}
