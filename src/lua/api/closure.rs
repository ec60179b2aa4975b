//! The C function of a closure, in interpreters whose closures are not known to [`super::layout`].

#[cfg(not(feature = "luau"))]
use mlua::ffi as sys;

use super::{lua_CFunction, lua_State};

/// Words at the start of a closure, no more than the smallest with two upvalues has, among which its C function is.
#[cfg(not(feature = "luau"))]
const WORDS: usize = 6;

/// Gives the running closure another C function for its next calls; false: it keeps the one that it has.
///
/// The word that holds the function is the only one that is equal to it, and `lua_tocfunction` has to agree when it is changed.
///
/// # Safety
/// `lua` runs a C closure with two upvalues or more and has 3 free stack slots. Whoever calls the closure may be served by `code`.
#[cfg(not(feature = "luau"))]
pub(crate) unsafe fn set_code(lua: *mut lua_State, code: lua_CFunction) -> bool {
    // SAFETY: the caller's promise; `running` is filled in by Lua. A closure lies where `lua_topointer` says, and has that many words.
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
