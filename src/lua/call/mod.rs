//! Calls from Lua to C.
//!
//! A function is called in one of four ways:
//!
//! | | without Lua's C API | through it |
//! |---|---|---|
//! | its plan is read | [`plan_fast`] | [`plan_api`] |
//! | a compiled thunk | [`thunk_fast`] | [`thunk_api`] |
//!
//! | module | |
//! |---|---|
//! | [`function`] | C functions as closures, and their records |
//! | [`contract`] | contracts of pointers, checked before a call |
//! | [`runtime`] | the functions that thunks call |
//! | [`reentry`] | calls of C that may call back |
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
pub(in crate::lua) mod reentry;
mod runtime;
pub(in crate::lua) mod task;
pub(in crate::lua) mod thunk_api;
pub(in crate::lua) mod thunk_fast;
mod variadic;

use crate::lua::state::Cx;
pub(in crate::lua) use function::{detach, function_at, prepare_pointer, push_function, record_at};

/// Lets values find the C functions of closures.
pub(in crate::lua) fn install(cx: &Cx<'_>) {
    // SAFETY: the caller's index is acceptable.
    cx.state.links.function_at.set(|cx, index| unsafe { function_at(cx, index) });
}
