//! The C functions that Lua calls, and their results.
//!
//! By C's rules an `int` result fills the low 32 bits of a register and leaves the others undefined. LuaJIT's interpreter for x86-64 computes with
//! all 64 bits (`BC_FUNCC` in its `vm_x64.dasc`). This works with C as compilers happen to compile it, and not with optimised Rust. So each C function of
//! this library returns [`Results`], which is as wide as the register.
//!
//! Continuations (`lua_KFunction`) return `int`: only Lua 5.2 and later have them, and their C reads an `int`.

use std::ffi::{c_int, c_void};
use std::mem;

use mlua::ffi as sys;

pub use sys::lua_State;

/// The return value of a C function: the number of its results on top of the stack, or the value of `lua_yield`. The bits
/// above those of an `int` are zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Results(usize);

impl Results {
    /// No result.
    pub(crate) const NONE: Results = Results::new(0);
    /// One result.
    pub(crate) const ONE: Results = Results::new(1);

    /// So many results.
    pub(crate) const fn new(count: c_int) -> Results {
        Results(count.cast_unsigned() as usize)
    }

    /// As Lua's headers have it.
    pub fn count(self) -> c_int {
        self.0 as c_int
    }
}

/// A C function of this library: what Lua's headers call `lua_CFunction`, but for the type of the result.
#[allow(non_camel_case_types, reason = "Lua's name")]
pub type lua_CFunction = unsafe extern "C-unwind" fn(*mut lua_State) -> Results;

/// A C function as Lua takes it. Nothing else makes one: what Lua calls returns [`Results`].
pub(crate) const fn for_lua(function: lua_CFunction) -> sys::lua_CFunction {
    // SAFETY: the caller is Lua, whose C reads the low 32 bits of the register.
    unsafe { mem::transmute::<lua_CFunction, sys::lua_CFunction>(function) }
}

/// Compiled code as a C function.
///
/// # Safety
/// - `code` is a thunk with the signature of [`lua_CFunction`].
pub(crate) unsafe fn compiled(code: *const c_void) -> lua_CFunction {
    // SAFETY: `code` has the signature, as the caller promises.
    unsafe { mem::transmute::<*const c_void, lua_CFunction>(code) }
}

/// Pushes a C function.
///
/// # Safety
/// - *Room*.
/// - *Raise* (out of memory, before Lua 5.2).
pub(crate) unsafe fn push_c_function(lua: *mut lua_State, function: lua_CFunction) {
    // SAFETY: *Room* and *Raise*, kept by the caller.
    unsafe { sys::lua_pushcclosure(lua, for_lua(function), 0) }
}
