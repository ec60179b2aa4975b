//! Lua itself. Nothing here knows C types.
//!
//! | module | |
//! |---|---|
//! | [`stack`] | the stack of a running C function |
//! | [`api`] | the Lua versions, and Lua's C API on a stack |
//! | [`budget`] | the time and the steps that scripts may take |
//! | [`memory`] | Lua's stack and userdata as memory, without the C API |
//! | [`probe`] | whether the running interpreter keeps them where `api::layout` says |
//!
//! # Invariants
//!
//! `# Safety` sections and SAFETY comments of all rooms cite these by name.
//!
//! - **Live**: `lua` is a thread of an open Lua state. This thread of the process runs that state, and no other uses it until the function returns.
//! - **Room**: *Live*, and `lua` has a free stack slot for each value that the function pushes; *Room* for n: n free slots. A C function starts with
//!   `LUA_MINSTACK` of them.
//! - **Raise**: the function may raise a Lua error, which jumps over Rust frames. In the frames between it and the protected call around it, no value
//!   with a destructor, no lock and no borrow is alive.
//! - **C function**: Lua has called a C function with `lua`, and that call has not returned. *Room* holds. Where the section is that of a C function
//!   itself, Lua alone calls it, and its upvalues are those that its closure was pushed with.
//! - **Context**: a [`Stack`](stack::Stack), and what has one ([`Cx`](crate::lua::state::Cx)), exists only while *Room* holds
//!   for its thread, for the values that its methods push. Each index is acceptable, and the values that a method works on are where its text says.
//! - **Layout**: `vm::probe` has proved that the interpreter keeps stacks, closures and userdata where `api::layout` says. *Live* holds for `lua`,
//!   and the call that is looked at is the one that runs on it. Values of [`memory`] are made under *Layout* only.

pub(in crate::lua) mod api;
pub(in crate::lua) mod budget;
pub(in crate::lua) mod memory;
pub(in crate::lua) mod probe;
pub(in crate::lua) mod stack;
