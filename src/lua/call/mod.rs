//! Calls from Lua to C.
//!
//! Four modules make calls. [`route`] chooses between them for each closure, and changes its choice:
//!
//! | | with Lua's stack as memory | through Lua's C API |
//! |---|---|---|
//! | **the plan is read** | [`plan_fast`]: at first | [`plan_api`]: at first, where Lua's layout is not known or pointers ask the policy; always in a checked state, in a process without machine code, and for large Frames |
//! | **compiled code** | [`thunk_fast`]: after many calls, or where no plan can be read. Leaves unusual calls to the closure's slow function, `plan_fast` | [`thunk_api`]: the same, where Lua's layout is not known |
//! | arguments | of usual Lua types directly, others by [`runtime`] | by [`runtime`] |
//! | result | numbers and booleans directly, others by [`runtime`] | by [`runtime`] |
//!
//! Beside the matrix are [`variadic`], which finds one of the four for the types of the arguments, [`guest`] for 32-bit code, and [`task`], which makes
//! calls on other threads. Every call crosses to C by [`transition`](crate::lua::callback::transition).
//!
//! | module | |
//! |---|---|
//! | [`function`] | C functions as closures, and their records |
//! | [`route`] | how a closure makes its calls just now, and what changes that |
//! | [`recipe`] | what the calls of a function type have in common |
//! | [`contract`] | contracts of pointers, checked before a call |
//! | [`runtime`] | the functions that thunks call |
//! | [`variadic`] | `...`, by the types of the arguments |
//! | [`task`] | `ffi.async` |
//! | [`guest`] | 32-bit code in a 64-bit process |
//!
//! No code between C's return and the next Lua instruction changes `errno` (the module text of [`transition`](super::callback::transition) has the rule).
//!
//! # Invariants
//!
//! - **Record**: *C function* (see `vm`), of the record's state; the running closure, or a value on its stack, keeps the record.
//! - **Closure**: *Record*, and the running closure is one that `function::push_record` made: its upvalue 1 is the record. While a record has a
//!   target, its state is open.
//! - **Recipe**: *Closure*; the recipe is one of the record's type, and as many arguments as it takes are on the stack from 1.
//! - **Frame**: the Frame is aligned, and as large as the recipe's plan says. The plan's offsets are within it, and each slot has room for its type.
//! - **Helper**: *Record*. A thunk alone calls the function, or [`plan_fast`], [`plan_api`] or [`task`] in its place, with the thread and the record
//!   of the call and, where the function takes one, the index of an argument. The function may raise: *Raise* (see `vm`).

mod contract;
mod function;
pub(in crate::lua) mod guest;
mod plan_api;
pub(in crate::lua) mod plan_fast;
pub(in crate::lua) mod recipe;
pub(in crate::lua) mod route;
mod runtime;
pub(in crate::lua) mod task;
pub(in crate::lua) mod thunk_api;
pub(in crate::lua) mod thunk_fast;
mod variadic;

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::lua::state::rooms::{Part, Room};
pub(in crate::lua) use function::{
    close_revoked, detach, function_at, prepare_pointer, push_function, record_at,
};

/// The knowledge of a state of the C functions that it calls.
#[derive(Default)]
pub(in crate::lua) struct Callees {
    /// How functions are called, by type and the types of variable arguments: *Boxed* (see `state`).
    recipes: RefCell<FxHashMap<recipe::RecipeKey, Box<recipe::Recipe>>>,
    /// The calls of `ffi.async`.
    tasks: task::Running,
    /// The guest functions that were called, by type: *Boxed*.
    guest: RefCell<guest::Calls>,
}

// SAFETY: the only part of its room.
unsafe impl Part for Callees {
    const ROOM: Room = Room::Call;
}
