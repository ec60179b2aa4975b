//! Lua itself. Nothing here knows C types.
//!
//! | module | |
//! |---|---|
//! | [`api`] | the Lua versions, and Lua's C API on a stack |
//! | [`memory`] | Lua's stack and userdata as memory, without the C API |
//! | [`probe`] | whether the running interpreter keeps them where `api::layout` says |
//!
//! # Invariants
//!
//! `# Safety` sections and SAFETY comments of all rooms cite these by name. A function that promises *Live* to its callees and makes no
//! other claim has it from its own caller.
//! - **Live**: `lua` is a thread of an open Lua state, and this thread of the process runs it: nobody else uses the state until the
//!   function returns.
//! - **Room**: *Live*, and `lua` has the free stack slots that the function uses (a number where it is not 1). Lua gives `LUA_MINSTACK`
//!   to every C function.
//! - **Raise**: the function may raise a Lua error, which jumps over Rust frames. No value with a destructor, lock or borrow is alive
//!   in the frames between the function and the protected call around it.
//! - **C function**: Lua calls the function as the C function of a closure, with the thread that it runs on. So *Room* holds, and the
//!   upvalues are those that the closure was pushed with.
//! - **Context**: a [`Cx`](crate::lua::state::Cx) exists only while a C function runs on its thread: *Room* holds. Indices are
//!   acceptable, and a method that works on values finds them where its text says.
//! - **Layout**: `vm::probe` has proved that the interpreter keeps the stack, closures and userdata where `api::layout` says, and `lua`
//!   is the thread that the running C function was called with. Every [`memory`] value is made under it.

pub(in crate::lua) mod api;
pub(in crate::lua) mod memory;
pub(in crate::lua) mod probe;
