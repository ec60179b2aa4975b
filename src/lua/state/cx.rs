//! A call from Lua into the library.

use std::ffi::c_int;
use std::ops::Deref;

use mlua::ffi as sys;

use super::State;
use super::learnt::Facts;
use crate::lua::vm::api::{lua_CFunction, lua_State};
use crate::lua::vm::stack::Stack;

/// One call from Lua into this module: the stack of the running C function, and what its Lua state knows about C.
pub struct Cx<'a> {
    stack: Stack,
    /// The Lua state's knowledge. Only [`Cx::new`] makes contexts, and nothing changes the field.
    pub(in crate::lua) state: &'a State,
    /// The facts that the general code finds.
    pub(super) facts: Facts,
}

impl<'a> Cx<'a> {
    /// A running call.
    ///
    /// # Safety
    /// - *Room* (see `vm`) for the values that it is used to push, for as long as it is used. *C function* gives it.
    /// - `lua` is a thread of the state's Lua state.
    /// - *Raise*: methods that allocate raise where there is no memory.
    pub(in crate::lua) unsafe fn new(lua: *mut lua_State, state: &'a State) -> Cx<'a> {
        // SAFETY: *Room* and *Raise*, kept by the caller.
        Cx { stack: unsafe { Stack::new(lua) }, state, facts: Facts::default() }
    }
}

impl Deref for Cx<'_> {
    type Target = Stack;

    #[inline(always)]
    fn deref(&self) -> &Stack {
        &self.stack
    }
}

impl Cx<'_> {
    /// Pushes a closure of an [`entry`](super::entry) over the state and the top `upvalues` values, which it pops. For the body they
    /// are upvalues 2 and up.
    pub(in crate::lua) fn push_function(&self, function: lua_CFunction, upvalues: c_int) {
        self.get_registry(self.state.owner);
        if upvalues > 0 {
            self.insert(-1 - upvalues);
        }
        self.push_closure(function, upvalues + 1);
    }

    /// The stack index of the `n`th upvalue after the state, from 1.
    pub(in crate::lua) fn upvalue(n: c_int) -> c_int {
        sys::lua_upvalueindex(n + 1)
    }
}
