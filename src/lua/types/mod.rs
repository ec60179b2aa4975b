//! Facts about C types that the run time asks for.
//!
//! | module | |
//! |---|---|
//! | [`kind`] | kind, size and alignment of a type |
//! | [`compatible`] | which pointers convert to which without a cast |
//! | [`scope`] | `ffi.scope`: declarations of one table |

pub(in crate::lua) mod compatible;
pub(in crate::lua) mod kind;
pub(in crate::lua) mod scope;
