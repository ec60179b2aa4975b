//! Calls of C in states that have callbacks: C may call Lua.
//!
//! A fast thunk calls C and does nothing for callbacks, which is enough as long as a state has none. From its first callback on, its bar sends
//! each thunk to [`elsewhere`], once, and its closure gets another thunk ([`Way::Announced`]). It notes right before the native call which Lua thread
//! calls C, notes right after it that the call has ended, and then looks for an error that a callback left.

use super::function::{self, Function, Way};
use super::plan_fast;
use super::variadic;
use crate::lua::callback::transition::Boundary;
use crate::lua::state::guard_in;
use crate::lua::vm::api::{Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::Call;

impl Function {
    /// What decides whether the thunk may call the target. A thunk that announces its calls may while no call is in progress, and
    /// none of a callback waits. (Otherwise Lua code in another call makes this one, with no callback between them.)
    pub(super) fn set_bar(&self) {
        // SAFETY: a record's head lies in the userdata of its state, which the registry keeps as long as there are records.
        let head = unsafe { &*self.head };
        self.bar.set(match self.announces.get() {
            _ if self.target.get().is_null() => Boundary::never(),
            true => head.boundary.between_calls(),
            false => head.boundary.until_callbacks(),
        });
    }
}

/// Gives the running closure a thunk in place.
///
/// # Safety
/// - *Closure* (see `call`).
/// - *Layout* (see `vm`).
/// - The thunk is one for the record, made just now.
pub(in crate::lua) unsafe fn install(lua: *mut lua_State, record: &Function, thunk: lua_CFunction) {
    // SAFETY: *Closure* and *Layout*, kept by the caller; the head as in `set_bar`.
    unsafe {
        record.announces.set((*record.head).boundary.has_callbacks());
        record.set_bar();
        Call::of(lua).set_code(thunk);
    }
}

/// Where a thunk in place leaves the calls that it cannot make, before anything has happened.
///
/// # Safety
/// - *Closure*.
/// - *Layout*.
pub(in crate::lua) unsafe extern "C-unwind" fn elsewhere(lua: *mut lua_State) -> Results {
    // SAFETY: a thunk in place runs as a closure whose upvalue 1 is a record.
    unsafe {
        let record = &*Call::of(lua).upvalue::<Function>(1, 0);
        if !record.announces.get() && (*record.head).boundary.has_callbacks() {
            replace(lua, record);
        }
        (record.slow.get())(lua)
    }
}

/// Gives the running closure a thunk that announces its calls, instead of the one that it has; if that fails it has none from now
/// on.
///
/// # Safety
/// - *Closure* (see `call`).
/// - *Layout* (see `vm`).
#[cold]
unsafe fn replace(lua: *mut lua_State, record: &Function) {
    let mut thunk = None;
    // SAFETY: *Closure* and *Layout*, kept by the caller.
    unsafe {
        guard_in(lua, record.head, |cx| {
            if record.is_variadic(cx) {
                // The next call that has the types of the one before gets it.
                record.calls.set(plan_fast::hot());
                record.forget_variable();
                thunk = Some(variadic::call as lua_CFunction);
                return Ok(0);
            }
            let (signature, convention, conversions) = function::shape(cx, record.ty, &[])?;
            let label = function::label(cx.state, record.ty, record.name());
            thunk = match function::thunk(
                cx.state,
                &signature,
                convention,
                &conversions,
                Way::Announced,
                label,
            ) {
                Ok(thunk) => Some(thunk),
                Err(error) => {
                    log::warn!("'{}' goes on without a thunk: {error}", record.name());
                    Some(record.slow.get())
                }
            };
            Ok(0)
        });
        if let Some(thunk) = thunk {
            install(lua, record, thunk);
        }
    }
}
