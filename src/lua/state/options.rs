//! The options of a Lua state, for cases in which LuaJIT's choice and the best choice for the running Lua differ.
//!
//! An option holds for every C value that arrives from then on, from any declaration: fields, elements, variables, results, arguments of callbacks.
//! A function that was looked up before keeps `int64` and `uint64`, because its thunk is compiled for them.

use std::cell::Cell;

use crate::lua::vm::api;

/// The options that a Lua state has chosen.
#[derive(Debug)]
pub(in crate::lua) struct Options {
    /// NULL pointers arrive as nil.
    pub(in crate::lua) null_is_nil: Cell<bool>,
    /// `int64_t` arrives as cdata.
    pub(in crate::lua) boxed_int64: Cell<bool>,
    /// 64-bit unsigned integers below 2^63 arrive as cdata, as all above do.
    pub(in crate::lua) boxed_uint64: Cell<bool>,
    /// Functions are compared by the number of their parameters.
    pub(in crate::lua) counted_functions: Cell<bool>,
    /// Arguments for `...` are converted as in LuaJIT: structs and unions by their address, every Lua number as a `double`.
    pub(in crate::lua) variable_as_luajit: Cell<bool>,
    /// No strings for `wchar_t` and the like.
    pub(in crate::lua) plain_wide: Cell<bool>,
    /// `long double` and `__float128` arrive as cdata, where they have more precision than a `double`.
    pub(in crate::lua) boxed_extended: Cell<bool>,
    /// Enums arrive as cdata.
    pub(in crate::lua) boxed_enum: Cell<bool>,
    /// An error in a callback brings its traceback.
    pub(in crate::lua) traceback: Cell<bool>,
    /// New callbacks answer calls from other threads with a default value.
    pub(in crate::lua) foreign_answered: Cell<bool>,
    /// A function, variable or typedef keeps its first declaration.
    pub(in crate::lua) first_declared: Cell<bool>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            null_is_nil: Cell::new(false),
            boxed_int64: Cell::new(!api::NATIVE_INT64),
            boxed_uint64: Cell::new(!api::NATIVE_INT64),
            counted_functions: Cell::new(false),
            variable_as_luajit: Cell::new(false),
            plain_wide: Cell::new(false),
            boxed_extended: Cell::new(false),
            boxed_enum: Cell::new(false),
            traceback: Cell::new(false),
            foreign_answered: Cell::new(false),
            first_declared: Cell::new(false),
        }
    }
}
