//! C types as the run time asks about them.
//!
//! | module | |
//! |---|---|
//! | [`kind`] | what is known of a type: its kind, size and alignment |
//! | [`compatible`] | which pointers convert to which without a cast |
//! | [`scope`] | `ffi.scope`: declarations of one table |

pub(in crate::lua) mod compatible;
pub(in crate::lua) mod kind;
pub(in crate::lua) mod scope;
