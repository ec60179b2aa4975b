//! The guard that every C function of the library runs behind.

use std::any::Any;
use std::ffi::c_int;
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::head::Head;
use super::{Cx, LuaError, State, owner_in_registry};
use crate::lua::vm::api::{self, Results, lua_CFunction, lua_State};

/// The outcome of a guarded function: the number of its results on top of the stack, or a call that ends it.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Outcome(c_int);

impl Outcome {
    /// Of a [`Outcome::tail_call`] the number of arguments.
    pub(in crate::lua) fn arguments(self) -> Option<c_int> {
        (self.0 < 0).then_some(-1 - self.0)
    }

    /// `n` results are on top of the stack.
    pub(in crate::lua) fn results(n: c_int) -> Outcome {
        Outcome(n)
    }

    /// The function below `arguments` values on top of the stack is called, and its results are the results. It may
    /// yield.
    pub(in crate::lua) fn tail_call(arguments: c_int) -> Outcome {
        Outcome(-1 - arguments)
    }
}

/// The Lua C function whose body is `body`, a function or a closure that captures nothing. The Lua closure's first upvalue is the state's userdata, as [`Cx::push_function`] makes it.
pub(in crate::lua) const fn entry<F>(_body: F) -> lua_CFunction
where
    F: Fn(&Cx<'_>) -> Result<Outcome, LuaError> + Copy,
{
    const { assert!(mem::size_of::<F>() == 0, "a body captures nothing") };
    // Not a part of a fast function that ends in it: that one would save registers for it before it looks at its arguments.
    /// # Safety
    /// - *C function* (see `vm`), and *Upvalue 1*.
    #[inline(never)]
    unsafe extern "C-unwind" fn call<F>(lua: *mut lua_State) -> Results
    where
        F: Fn(&Cx<'_>) -> Result<Outcome, LuaError> + Copy,
    {
        // SAFETY: a type without size has one value, and `entry` was given it.
        let body = unsafe { ptr::NonNull::<F>::dangling().read() };
        // SAFETY: Lua calls C functions with a live state; upvalue 1 is set by `Cx::push_function`.
        unsafe {
            let owner = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
            enter(lua, owner.cast(), |cx| {
                cx.go_on()?;
                if cx.state.watch.has_dead() {
                    (cx.state.links.run_late)(cx);
                }
                body(cx)
            })
        }
    }
    call::<F>
}

/// [`entry`] of a `__gc`: it does nothing once the state is closed. A finaliser that Lua runs after that of the state, in whatever
/// order, has nothing left to let go of.
pub(in crate::lua) const fn finalizer<F>(_body: F) -> lua_CFunction
where
    F: Fn(&Cx<'_>) -> Result<Outcome, LuaError> + Copy,
{
    const { assert!(mem::size_of::<F>() == 0, "a body captures nothing") };
    /// # Safety
    /// - *C function* (see `vm`), and *Upvalue 1*.
    unsafe extern "C-unwind" fn call<F>(lua: *mut lua_State) -> Results
    where
        F: Fn(&Cx<'_>) -> Result<Outcome, LuaError> + Copy,
    {
        // SAFETY: *Upvalue 1*; a state's userdata holds its box, or null once it is finalised.
        unsafe {
            let body = ptr::NonNull::<F>::dangling().read();
            let owner = sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<*mut State>();
            match owner.as_ref().is_some_and(|state| !state.is_null()) {
                true => enter(lua, owner, body),
                false => Results::NONE,
            }
        }
    }
    call::<F>
}

/// Runs `f` as the body of a C function: `f` returns the number of results on top of the stack. A panic becomes an error;
/// an error is raised, with the position of the calling Lua code in front, after every Rust value is dropped.
///
/// # Safety
/// - *C function* (see `vm`): Lua called the running function with `lua`.
/// - *Raise*: an error of `f` is raised here.
pub unsafe fn guard(
    lua: *mut lua_State,
    f: impl FnOnce(&Cx<'_>) -> Result<c_int, LuaError>,
) -> Results {
    // SAFETY: *C function*, kept by the caller.
    unsafe { guard_in(lua, owner_in_registry(lua).cast(), f) }
}

/// [`guard`], where the state is at hand.
///
/// # Safety
/// - *C function* (see `vm`).
/// - *Head*.
/// - *Raise*: an error of `f` is raised here.
pub(in crate::lua) unsafe fn guard_in(
    lua: *mut lua_State,
    head: *const Head,
    f: impl FnOnce(&Cx<'_>) -> Result<c_int, LuaError>,
) -> Results {
    // SAFETY: *C function* and *Head*, kept by the caller; a head begins with the pointer to its state.
    unsafe { enter(lua, head.cast_mut().cast(), |cx| f(cx).map(Outcome::results)) }
}

/// # Safety
/// - *C function* (see `vm`).
/// - *Head*: `owner` is null or the block of a state's userdata.
unsafe fn enter(
    lua: *mut lua_State,
    owner: *mut *mut State,
    f: impl FnOnce(&Cx<'_>) -> Result<Outcome, LuaError>,
) -> Results {
    // SAFETY: a state's userdata holds its box, or null once it is finalised.
    let state = unsafe { owner.as_ref().and_then(|state| state.as_ref()) };
    // SAFETY: *C function*, kept by the caller.
    let argument = match unsafe { run(lua, state, f) } {
        Ok(Outcome(n)) if n >= 0 => return Results::new(n),
        // SAFETY: nothing with a destructor is alive here.
        Ok(Outcome(n)) => return unsafe { api::tail_call(lua, -1 - n) },
        Err(error) => {
            if let (Some(state), Some(reason)) = (state, error.refusal()) {
                // SAFETY: *C function*, kept by the caller.
                state.refusals.add(&reason, unsafe { api::place(lua, owner.cast()) });
            }
            error.push(lua)
        }
    };
    // SAFETY: the message or error value is on top of the stack, and nothing with a destructor is alive.
    unsafe {
        match argument {
            None => {}
            Some(0) => {
                api::push_place(lua, owner.cast());
                sys::lua_insert(lua, -2);
                sys::lua_concat(lua, 2);
            }
            Some(n) => api::argument_error(lua, n),
        }
        sys::lua_error(lua)
    }
}

/// # Safety
/// - *C function* (see `vm`), of the state.
unsafe fn run(
    lua: *mut lua_State,
    state: Option<&State>,
    f: impl FnOnce(&Cx<'_>) -> Result<Outcome, LuaError>,
) -> Result<Outcome, LuaError> {
    let state =
        state.ok_or_else(|| LuaError::new("the ffi library of this Lua state is closed"))?;
    if state.head().boundary.has_callbacks() {
        state.notice(lua);
    }
    if api::LATE_FINALIZERS {
        // SAFETY: *C function*, kept by the caller.
        (state.links.run_late)(&unsafe { Cx::new(lua, state) });
    }
    // SAFETY: *C function*, kept by the caller.
    match api::catch(|| f(&unsafe { Cx::new(lua, state) })) {
        Ok(outcome) => outcome,
        Err(panic) => Err(LuaError::new(format!("internal error in ffi: {}", panic_text(&*panic)))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "panic",
    }
}
