//! C values: their representation and their conversions.
//!
//! | module | |
//! |---|---|
//! | [`cdata`] | C values that Lua holds |
//! | [`direct`] | new cdata, without the C API |
//! | [`ctype`] | ctype objects, by their types |
//! | [`scalar`] | numbers in C memory |
//! | [`extended`] | `long double` in full precision |
//! | [`wide`] | `wchar_t` strings |
//! | [`extent`] | the memory that a cdata reaches, in a checked state |
//! | [`bounds`] | the valid indices of arrays |
//! | [`to_c`] | Lua → C, C → C |
//! | [`to_lua`] | C → Lua |
//! | [`initialize`] | tables and lists for arrays, structs and unions |
//! | [`mod@replace`] | assignment to objects that are in use |
//! | [`operator`] | operators, by their metamethods |
//! | [`guest_memory`] | memory for values of 32-bit code in a 64-bit process |
//! | [`repr`] | scalars and pointers on Lua's stack, without the C API |
//!
//! # Invariants
//!
//! - **Readable**: the source is readable for the size of its C type; where it is a bit-field, for the bytes that the field touches. Any alignment.
//! - **Writable**: the destination is writable for the size of its C type; where it is a bit-field, the bytes that the field touches are readable and
//!   writable. `room` bytes are writable where the type is an array of unknown length, or ends in one. Any alignment.
//! - **Object**: an object of the place's type is at `address`, at any alignment. Where a pointer of a script led there, the script answers for it.

pub(in crate::lua) mod bounds;
pub(in crate::lua) mod cdata;
pub(in crate::lua) mod ctype;
pub(in crate::lua) mod direct;
mod extended;
pub(in crate::lua) mod extent;
pub(in crate::lua) mod guest_memory;
pub(in crate::lua) mod initialize;
pub(in crate::lua) mod operator;
pub(in crate::lua) mod replace;
pub(in crate::lua) mod repr;
pub(in crate::lua) mod scalar;
pub(in crate::lua) mod to_c;
pub(in crate::lua) mod to_lua;
pub(in crate::lua) mod wide;
