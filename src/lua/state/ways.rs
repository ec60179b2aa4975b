//! The fast ways that a Lua state may take. This is the one place that decides, once for each state, when the state is made.

use super::machine::Runs;
use crate::code::Mode;
use crate::lua::vm::api;
use crate::policy::{Permissions, Policy};

/// The ways that may be fast.
///
/// | way | Lua's memory is known | unchecked | other conditions |
/// |---|---|---|---|
/// | `stack` | yes | | |
/// | `values` | yes | yes | |
/// | `new` | yes | yes | no limit on the bytes of C values |
/// | `calls` | yes | yes | userdata may be pointers, pointers to functions may be cast |
/// | `thunks` | | yes | the process makes machine code, and no other thread may call C (feature `send`) |
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Ways {
    /// Lua's stack and userdata are read and written as memory; see [`crate::lua::vm::probe`].
    pub(in crate::lua) stack: bool,
    /// Keys, operators, `ffi.cast`, `ffi.string`, `ffi.copy` and `ffi.fill` reach memory without asking.
    pub(in crate::lua) values: bool,
    /// Values are made without counting their bytes.
    pub(in crate::lua) new: bool,
    /// Calls and callbacks pass pointers without checking them.
    pub(in crate::lua) calls: bool,
    /// Functions get thunks; otherwise all calls read the function's plan.
    pub(in crate::lua) thunks: bool,
}

impl Ways {
    /// `stack`: the probe accepts the interpreter, and the state's C runs in this process as it is.
    pub(super) fn of(stack: bool, runs: Runs, policy: &Policy) -> Ways {
        let checked = policy.checked && runs == Runs::Host;
        let permissions = Permissions::USERDATA_TO_POINTER | Permissions::FUNCTION_POINTER_CASTS;
        let values = stack && !checked;
        Ways {
            stack,
            values,
            new: values && policy.limits.cdata_bytes.is_none(),
            calls: values && policy.permissions().contains(permissions),
            thunks: Mode::current() != Mode::Interpreted && !api::SEND && !checked,
        }
    }
}
