//! The rooms of a state: their parts of it, the functions of later rooms that earlier rooms call, and the order in which the rooms close.
//!
//! A state closes in this order:
//!
//! 1. Lua code cannot reach the state any more: the functions of libraries refuse to call. (On Luau Lua code cannot run any more.)
//! 2. The head forgets the state, so that all functions of the library find it closed.
//! 3. [`Links::close`]: callbacks turn calls away, then calls of `ffi.async` end, then callbacks give their slots back, then libraries are unloaded.
//! 4. The parts are dropped, by room.

use super::{Libraries, clib};
use crate::lua::call::{self, Callees, task};
use crate::lua::callback::{self, Callbacks};
use crate::lua::fast::{self, Fast};
use crate::lua::object::{Objects, metatype};
use crate::lua::sandbox::Sandbox;
use crate::lua::state::rooms::{Links, NewPart, Rooms};
use crate::lua::types::Types;

/// The table of the rooms.
pub(in crate::lua) static ROOMS: Rooms = Rooms::new(
    [
        NewPart::of::<Types>(),
        NewPart::of::<Sandbox>(),
        NewPart::of::<Callbacks>(),
        NewPart::of::<Callees>(),
        NewPart::of::<Objects>(),
        NewPart::of::<Fast>(),
        NewPart::of::<Libraries>(),
    ],
    Links {
        push_metatable: fast::push_metatable,
        function_at: call::function_at,
        callback: callback::make,
        has_callback: callback::is_own,
        run_late: metatype::run_late,
        detach: clib::detach_all,
        close: &[callback::turn_away, task::close, callback::close, clib::unload_all],
    },
);
