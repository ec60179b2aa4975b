//! The other rooms of a state: their parts of it, the functions of later rooms that earlier rooms call, and how the rooms close.
//!
//! The state names no type and no function of another room. `library::rooms` has the table.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::ptr;

use super::{Cx, LuaError, State};
use crate::ctype::{QualType, TypeId};

/// The rooms that keep something in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Room {
    Types,
    Sandbox,
    Callback,
    Call,
    Object,
    Fast,
    Library,
}

const ROOMS: usize = Room::Library as usize + 1;

/// The part of a state that belongs to a room. No other room accesses its fields: other rooms call functions of the room.
///
/// # Safety
/// - No other type is the part of the same room.
pub(in crate::lua) unsafe trait Part: Any + Default {
    const ROOM: Room;

    /// The part of a state.
    #[inline(always)]
    fn of(state: &State) -> &Self {
        let part: &dyn Any = &*state.parts[Self::ROOM as usize];
        debug_assert!(part.is::<Self>(), "{:?} has one part", Self::ROOM);
        // SAFETY: *One part*.
        unsafe { &*ptr::from_ref(part).cast() }
    }
}

/// The parts of a state, by room.
pub(super) type Parts = [Box<dyn Any>; ROOMS];

/// Makes the part of a room.
pub(in crate::lua) struct NewPart {
    room: Room,
    make: fn() -> Box<dyn Any>,
}

impl NewPart {
    pub(in crate::lua) const fn of<T: Part>() -> NewPart {
        fn make<T: Part>() -> Box<dyn Any> {
            Box::<T>::default()
        }
        NewPart { room: T::ROOM, make: make::<T> }
    }
}

/// The C function at an index: its type and address.
type FunctionAt = fn(&Cx<'_>, c_int) -> Option<(TypeId, *const c_void)>;

/// Makes a callback; `own`: one that no other conversion of the Lua function gives.
type MakeCallback =
    fn(&Cx<'_>, ty: TypeId, index: c_int, own: bool) -> Result<*const c_void, LuaError>;

/// The functions of later rooms that earlier rooms call.
pub(in crate::lua) struct Links {
    /// Pushes a new metatable for the cdata of a type; with `__gc` if they have a finaliser.
    pub(in crate::lua) push_metatable: fn(&Cx<'_>, QualType, bool),
    /// The C function that the closure at a stack index calls: its type and its address.
    pub(in crate::lua) function_at: FunctionAt,
    /// A C function of a function type that calls the Lua function at a stack index.
    pub(in crate::lua) callback: MakeCallback,
    /// Whether a callback of the state is at an address, in use or freed.
    pub(in crate::lua) has_callback: fn(&State, *const c_void) -> bool,
    /// Calls the finalisers that wait, where Lua has none of its own.
    pub(in crate::lua) run_late: fn(&Cx<'_>),
    /// Detaches what Lua code can still reach of a state that closes, while its Lua state is open.
    pub(in crate::lua) detach: fn(&Cx<'_>),
    /// Close a state, in this order. After them the parts are dropped.
    pub(in crate::lua) close: &'static [fn(&State)],
}

/// The table of the rooms.
pub(in crate::lua) struct Rooms {
    parts: [NewPart; ROOMS],
    pub(super) links: Links,
}

impl Rooms {
    /// `parts` are in the order of [`Room`].
    pub(in crate::lua) const fn new(parts: [NewPart; ROOMS], links: Links) -> Rooms {
        let mut n = 0;
        while n < ROOMS {
            assert!(parts[n].room as usize == n, "a part is in the place of another room");
            n += 1;
        }
        Rooms { parts, links }
    }

    pub(super) fn parts(&self) -> Parts {
        self.parts.each_ref().map(|part| (part.make)())
    }
}
