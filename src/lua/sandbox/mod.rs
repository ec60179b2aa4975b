//! Prohibitions and limits of a policy.
//!
//! | module | |
//! |---|---|
//! | [`permit`] | the checks that each operation makes |
//! | [`declare`] | the declarations that texts of C may make |
//! | [`budget`] | memory that a script asks for |
//! | [`given`] | functions, handles and types of callbacks that scripts and C have from one another |
//! | [`handles`] | pointers that C functions gave out, and their release |
//! | [`inventory`] | the use of a table, for its host |
//! | [`region`] | the memory that a checked state knows |
//! | [`revoked`] | functions and libraries that the host has taken back |
//! | [`mod@seal`] | closes the parts of Lua's own library that would undo a policy |
//!
//! `value::extent` has the memory that a C value reaches, `call::contract` the requirements of a call.

pub(in crate::lua) mod budget;
pub(in crate::lua) mod declare;
pub(in crate::lua) mod given;
mod handles;
pub(in crate::lua) mod inventory;
mod permit;
pub(in crate::lua) mod region;
pub(in crate::lua) mod revoked;
mod seal;

use crate::lua::state::rooms::{Part, Room};
use inventory::Inventory;
pub use seal::seal;

/// The knowledge of a state that its policy needs.
#[derive(Default)]
pub(in crate::lua) struct Sandbox {
    /// The libraries, symbols and bytes that the state uses.
    inventory: Inventory,
    /// Functions and pointers that the host and its C functions have given scripts, and that scripts have given C.
    given: given::Given,
    /// Functions that the host has taken back.
    revoked: revoked::Revoked,
    /// The known memory, if accesses are checked.
    memory: region::Known,
}

// SAFETY: the only part of its room.
unsafe impl Part for Sandbox {
    const ROOM: Room = Room::Sandbox;
}
