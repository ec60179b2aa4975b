//! C values and types as Lua objects: metatables, keys, operators.
//!
//! | module | |
//! |---|---|
//! | [`ctypes`] | ctype objects, type arguments |
//! | [`metatype`] | metatables of cdata, `ffi.metatype`, `ffi.gc` |
//! | [`make`] | `ffi.new`, `ffi.cast` |
//! | [`argument`] | arguments of the functions of the `ffi` table |
//! | [`reflect`] | `ffi.fields`, `ffi.info` |
//! | [`index`] | `value[key]` |
//! | [`arith`] | operators |
//! | [`mod@print`] | `tostring` |
//! | [`constant`] | constants of C, `ffi.eval` |
//! | [`methods`] | `callback:free()` … |
//! | [`bytes`] | `ffi.string`, `ffi.copy`, `ffi.fill` |

pub(in crate::lua) mod argument;
pub(in crate::lua) mod arith;
pub(in crate::lua) mod bytes;
pub(in crate::lua) mod constant;
pub(in crate::lua) mod ctypes;
pub(in crate::lua) mod index;
pub(in crate::lua) mod make;
pub(in crate::lua) mod metatype;
pub(in crate::lua) mod methods;
pub(in crate::lua) mod print;
pub(in crate::lua) mod reflect;

use crate::lua::state::rooms::{Part, Room};
use crate::lua::vm::api::Late;

/// The part of a state for its objects.
pub(in crate::lua) struct Objects {
    /// The finalisers that are called late.
    late: Late,
}

impl Default for Objects {
    fn default() -> Objects {
        Objects { late: Late::new() }
    }
}

// SAFETY: the only part of its room.
unsafe impl Part for Objects {
    const ROOM: Room = Room::Object;
}
