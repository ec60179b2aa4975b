//! Calls from C to Lua.
//!
//! | module | |
//! |---|---|
//! | [`record`] | callbacks: a slot, and the Lua function behind it |
//! | [`transition`] | the boundary between Lua and C: what calls and callbacks do when they cross it |
//! | [`dispatch`] | from a slot to the Lua function and back |
//! | [`fast`] | the same with Lua's stack as memory |
//! | [`argument_pool`] | cdata for arguments, made ahead of time |
//! | [`owner`] | the link from a callback to its state |
//! | [`other_thread`] | calls from threads that do not run the state |
//! | [`deferred`] | calls while Lua runs: signals |
//! | [`terms`] | the rules of a checked state for callbacks |
//! | [`traceback`] | `ffi.traceback` |
//! | [`last_words`] | the report of an error, if the process ends before it is raised |
//!
//! # What becomes of a call
//!
//! The first row whose condition holds decides. `docs/callbacks.md` has the messages.
//!
//! | condition | decided by | the Lua function runs | C gets | error or report |
//! |---|---|---|---|---|
//! | another thread owns the slot | [`dispatch::dispatch`], [`other_thread::enter`] | by `ffi.poll`, or not | the result, the default value, or zeros | a report if it does not run: the first time, or each time that it waited |
//! | the state is closed | `dispatch::call_general` | no | zeros | a report |
//! | Lua runs, outside of a C call | [`deferred::admits`] | at the next safe point, or not | the default value | a report, the first time |
//! | a callback of the same C call has failed | `dispatch::enter` | no | zeros | |
//! | Lua's stack is full | `dispatch::enter_on` | no | zeros | a report |
//! | too many callbacks are inside one another | `dispatch::enter_on`, or Lua | no | zeros | an error |
//! | the callback is freed | `dispatch::run` | no | zeros | an error |
//! | the Lua function fails, or its result does not convert or is refused | `dispatch::run`, [`fast`], [`terms`] | at once | zeros | an error |
//! | none of these | `dispatch::run`, [`fast`] | at once | the result | |
//!
//! `dispatch::keep_error` gets each error. Within a C call, [`transition`] keeps it until C returns and the call raises it; [`last_words`] reports it if the
//! process ends first. Without a C call it is a report at once.
//!
//! `errno` is C's: the module text of [`transition`] has the rule, `ARCHITECTURE.md` lists who saves and restores it.
//!
//! # Invariants
//!
//! - **Frame**: the body of the callback's kind made the Frame, which lives until the call returns. The offsets of the kind are within it, and its
//!   result slot has room for the result (8 bytes where the kind has a fast path).
//! - **Own thread**: the state of the callback is open, and this is the thread that runs it.
//! - **Slot**: a slot holds its [`Callback`](record) until another callback takes the slot. None takes it while a call of the callback runs.
//! - **Entry**: an entry is handed over (`vm::api::handed`) by a function of this room alone, which has it on its own stack, and calls protected.

pub(in crate::lua) mod argument_pool;
pub(in crate::lua) mod deferred;
pub(in crate::lua) mod dispatch;
mod fast;
mod last_words;
pub(in crate::lua) mod other_thread;
pub(in crate::lua) mod owner;
mod record;
pub(in crate::lua) mod terms;
pub(in crate::lua) mod traceback;
pub(in crate::lua) mod transition;

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::code::{self, ending};
use crate::ctype::TypeId;
use crate::lua::state::pinned::Shelf;
use crate::lua::state::rooms::{Part, Room};
use crate::lua::state::{Cx, LuaError, State};
pub(in crate::lua) use record::{
    CallbackKind, close, create, free, free_idle, implicit, in_use, is_callback, is_own,
    known_kind, let_go, set, turn_away, wake,
};

/// The callbacks of a state.
#[derive(Default)]
pub(in crate::lua) struct Callbacks {
    /// Those that have a slot, in use or freed, by address.
    slots: RefCell<FxHashMap<usize, code::Callback>>,
    /// The Lua functions of the first ones.
    shelf: Shelf,
    /// Places that were used and are free.
    free_places: RefCell<Vec<i32>>,
    /// The last place that was ever used.
    last_place: Cell<i32>,
    /// The cdata for the arguments of the next calls.
    stock: argument_pool::Stock,
    /// The facts that the callbacks of a function type share. None is taken out while the state is open.
    kinds: RefCell<FxHashMap<TypeId, Arc<CallbackKind>>>,
    /// Their way to the state.
    link: Arc<owner::Link>,
    /// The report of an error that a callback caught, for the case that the process ends before the error is raised.
    last_words: Cell<Option<ending::Held>>,
    /// Those that are running, inside one another.
    nested: Cell<u32>,
}

// SAFETY: the only part of its room.
unsafe impl Part for Callbacks {
    const ROOM: Room = Room::Callback;
}

/// Whether a callback is running.
pub(in crate::lua) fn any_runs(state: &State) -> bool {
    Callbacks::of(state).nested.get() > 0
}

/// A C function of function type `ty` that calls the Lua function at `index`; `own`: one that no other conversion of the Lua function gives.
pub(in crate::lua) fn make(
    cx: &Cx<'_>,
    ty: TypeId,
    index: c_int,
    own: bool,
) -> Result<*const c_void, LuaError> {
    // SAFETY: a function is at the index, and the type is a function's.
    unsafe {
        match own {
            true => create(cx, ty, index),
            false => implicit(cx, ty, index),
        }
    }
}
