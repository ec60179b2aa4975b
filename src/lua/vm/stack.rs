//! The stack of a running C function, with the operations of Lua's C API as methods; [`super::api`] has them.

use std::marker::PhantomData;

use super::api::lua_State;

/// The stack of a C function that runs.
pub struct Stack {
    /// The running coroutine. Only [`Stack::new`] makes stacks, and nothing changes the field.
    pub(in crate::lua) lua: *mut lua_State,
    made: PhantomData<()>,
}

impl Stack {
    /// The stack of `lua`.
    ///
    /// # Safety
    /// - *Room* (see `vm`) for the values that the stack is used to push, for as long as it is used. *C function* gives it.
    /// - *Raise*: methods that allocate raise where there is no memory.
    pub(in crate::lua) const unsafe fn new(lua: *mut lua_State) -> Stack {
        Stack { lua, made: PhantomData }
    }
}
