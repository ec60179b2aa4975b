//! Lua itself. Nothing here knows C types.
//!
//! | module | |
//! |---|---|
//! | [`api`] | the Lua versions, and Lua's C API on a stack |
//! | [`memory`] | Lua's stack and userdata as memory, without the C API |
//! | [`probe`] | whether the running interpreter keeps them where `api::layout` says |

pub(in crate::lua) mod api;
pub(in crate::lua) mod memory;
pub(in crate::lua) mod probe;
