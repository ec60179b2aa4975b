//! Fast paths: operations of other rooms without Lua's C API. A fast path handles the types that the general code has handled before, and calls
//! the general code for all others.
//!
//! | module | |
//! |---|---|
//! | [`access`] | fields and elements |
//! | [`accessor`] | the functions that read and write them |
//! | [`mod@pointer`] | `p + n`, `p - n`, comparisons |
//! | [`operator`] | operators of metatypes |
//! | [`new`] | `ffi.new` |
//! | [`cast`] | `ffi.cast` between pointers |
//! | [`new_callback`] | `ffi.cast` of Lua functions, `callback:free()` |
//! | [`bytes`] | `ffi.string`, `ffi.copy`, `ffi.fill` |
//! | [`cache`] | the facts about cdata that these remember |
//! | [`string_cache`] | strings that `ffi.string` read |

pub(in crate::lua) mod access;
mod accessor;
pub(in crate::lua) mod bytes;
pub(in crate::lua) mod cache;
pub(in crate::lua) mod cast;
pub(in crate::lua) mod new;
pub(in crate::lua) mod new_callback;
pub(in crate::lua) mod operator;
pub(in crate::lua) mod pointer;
pub(in crate::lua) mod string_cache;
