//! Functions of later rooms that earlier rooms call. Each is set once, when the library opens.

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use super::{Cx, LuaError};
use crate::ctype::{QualType, TypeId};

const SET: &str = "the links are set when the library opens";

/// The C function at an index: its type and address.
type FunctionAt = fn(&Cx<'_>, c_int) -> Option<(TypeId, *const c_void)>;

/// The functions.
pub(in crate::lua) struct Links {
    /// Pushes a new metatable for the cdata of a type; with `__gc` if they have a finaliser.
    pub(in crate::lua) push_metatable: Cell<fn(&Cx<'_>, QualType, bool)>,
    /// The C function that the closure at a stack index calls: its type and its address.
    pub(in crate::lua) function_at: Cell<FunctionAt>,
    /// A C function of a function type that calls the Lua function at a stack index.
    pub(in crate::lua) callback: Cell<MakeCallback>,
}

/// Makes a callback; `own`: one that no other conversion of the Lua function gives.
pub(in crate::lua) type MakeCallback =
    fn(&Cx<'_>, ty: TypeId, index: c_int, own: bool) -> Result<*const c_void, LuaError>;

impl Default for Links {
    fn default() -> Links {
        Links {
            push_metatable: Cell::new(|_, _, _| unreachable!("{SET}")),
            function_at: Cell::new(|_, _| unreachable!("{SET}")),
            callback: Cell::new(|_, _, _, _| unreachable!("{SET}")),
        }
    }
}
