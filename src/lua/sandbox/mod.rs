//! What a policy forbids and limits.
//!
//! | module | |
//! |---|---|
//! | [`permit`] | the questions that every operation asks |
//! | [`budget`] | memory that a script asks for |
//! | [`inventory`] | what a table uses, for its host to see |
//! | [`region`] | the memory that a checked state knows |
//! | [`mod@seal`] | what of Lua's own library would undo a policy |
//!
//! What a C value reaches is in `value::extent`, what a call needs in `call::contract`.

pub(in crate::lua) mod budget;
pub(in crate::lua) mod inventory;
mod permit;
pub(in crate::lua) mod region;
mod seal;

pub use seal::seal;
