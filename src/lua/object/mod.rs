//! The Lua objects for types.
//!
//! | module | |
//! |---|---|
//! | [`ctypes`] | ctype objects, type arguments |
//! | [`metatype`] | metatables of cdata, `ffi.metatype`, `ffi.gc` |
//! | [`reflect`] | `ffi.fields`, `ffi.info` |

pub(in crate::lua) mod ctypes;
pub(in crate::lua) mod metatype;
pub(in crate::lua) mod reflect;
