//! Calls without a thunk through Lua's C API: in a checked state, in a process that makes no machine code ([`crate::code::Mode`]), for a Frame that is
//! too large for [`super::plan_fast`], and in an interpreter whose layout is not known. In the last case a function gets a thunk after
//! [`super::route::compile_after`] calls.
//!
//! In a checked state, the arguments are compared with the function's contracts when all of them are in the Frame.

use std::slice;

use mlua::ffi as sys;

use super::contract;
use super::function::Function;
use super::plan_fast;
use super::recipe::Recipe;
use super::route;
use super::runtime;
use super::thunk_api::Outcome;
use crate::code::Registers;
use crate::lower;
use crate::lua::callback::{deferred, terms};
use crate::lua::sandbox::budget;
use crate::lua::state::{LuaError, State, guard_in};
use crate::lua::vm::api::{self, Results, lua_State};

/// The most that a Frame is aligned to.
const ALIGN: usize = 64;
/// Bytes of a Frame with its stack arguments that needs no userdata.
const LITTLE: usize = 512;

#[repr(C, align(64))]
struct Room([u8; LITTLE]);

/// The C function of closures that may get a thunk: the slow function of the record, at first [`counted`], says what they do, until they have
/// the thunk itself.
///
/// # Safety
/// - *Closure*.
pub(super) unsafe extern "C-unwind" fn by_record(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this as a closure whose upvalue 1 is a record.
    unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        (record.routing.slow())(lua)
    }
}

/// [`call`], until it is time for a thunk.
///
/// # Safety
/// - *Closure* (see `call`), of a record that has a recipe: [`by_record`] calls it as its own closure.
pub(in crate::lua) unsafe extern "C-unwind" fn counted(lua: *mut lua_State) -> Results {
    // SAFETY: `by_record` calls this as its closure, with a recipe. While a record has a target its state is open.
    unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        if !record.routing.is_closed()
            && record.routing.is_hot()
            && let Some(thunk) = route::promote(lua, record)
        {
            return thunk(lua);
        }
        call(lua)
    }
}

/// The C function of closures whose recipe is carried out here.
///
/// # Safety
/// - *Closure* (see `call`), of a record that has a recipe.
pub(in crate::lua) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this as a closure whose upvalue 1 is a record with a recipe.
    unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        deferred::settle(lua, &*record.head);
        if let Some(error) = plan_fast::refused(lua, record) {
            return error;
        }
        let recipe = &*record.routing.recipe();
        if sys::lua_gettop(lua) as usize != recipe.conversions.arguments.len() {
            return runtime::raise_count(lua, record);
        }
        run(lua, record, recipe)
    }
}

/// Makes the call, with a large Frame and its stack arguments in a userdata above the arguments.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Raise*.
pub(in crate::lua) unsafe fn run(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
) -> Results {
    let bytes = frame_room(recipe) + recipe.native.stack_bytes();
    // SAFETY: there is room for Frame and stack; Lua keeps the block while it is on the stack. A raised error leaves nothing
    // behind that has a destructor.
    unsafe {
        if recipe.plan.is_large()
            && let Some(error) = refuse(lua, record, recipe, bytes)
        {
            return error;
        }
        if bytes <= LITTLE {
            let mut room = Room([0; LITTLE]);
            return run_within(lua, record, recipe, (&raw mut room.0).cast());
        }
        let block = api::new_userdata(lua, ALIGN + bytes, 0).cast::<u8>();
        let frame = block.add(block.align_offset(ALIGN));
        frame.write_bytes(0, bytes);
        run_within(lua, record, recipe, frame)
    }
}

/// Raises where the thread's stack has no room for the stack arguments, or the process no memory for the Frame, and there is
/// room on Lua's stack for the Frame's block.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Raise*.
unsafe fn refuse(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
    bytes: usize,
) -> Option<Results> {
    let checked = || {
        recipe.native.checked_stack_bytes()?;
        budget::ask("call", bytes, bytes)
    };
    // SAFETY: *Recipe*, kept by the caller.
    unsafe {
        let room = sys::lua_checkstack(lua, 8) != 0;
        match checked() {
            Ok(()) if room => None,
            other => Some(guard_in(lua, record.head, |_| {
                other.and(Err(LuaError::new("no room on Lua's stack for the call")))
            })),
        }
    }
}

/// Bytes of the Frame, with the stack arguments behind it aligned as the Frame is.
fn frame_room(recipe: &Recipe) -> usize {
    (recipe.plan.frame.size as usize).next_multiple_of(ALIGN)
}

/// [`run`], with room for the Frame and the stack arguments at `frame`, zeros.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Frame*, with the recipe's bytes of stack arguments behind it.
/// - *Raise*.
unsafe fn run_within(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
    frame: *mut u8,
) -> Results {
    let Recipe { plan, native, conversions, signature, .. } = recipe;
    let size = frame_room(recipe);
    let target = record.address();
    // SAFETY: *Recipe* and *Frame*, kept by the caller. Offsets are the plan's.
    unsafe {
        let arguments = conversions.arguments.iter().zip(&signature.arguments);
        for (index, ((&argument, ty), &at)) in (1..).zip(arguments.zip(&plan.frame.arguments)) {
            plan_fast::by_helper(lua, record, argument, ty, index, frame.add(at as usize));
        }
        if (*record.head).state().is_some_and(State::checked) {
            guard_in(lua, record.head, |cx| {
                cx.state.permit_target(target)?;
                contract::check(cx, record, target, recipe, frame).map(|()| 0)
            });
        }
        let mut registers = Registers::default();
        let stack = slice::from_raw_parts_mut(frame.add(size), native.stack_bytes());
        let bytes = slice::from_raw_parts(frame, size);
        lower::load(plan, bytes, frame as u64, registers.bytes(), stack);
        let head = &*record.head;
        let native = || native.invoke(target, &mut registers, stack);
        if let Err(caught) = terms::during(lua, head, target, native) {
            return caught.raise(lua, head);
        }
        lower::store_result(plan, registers.bytes(), slice::from_raw_parts_mut(frame, size));
        let result = frame.add(plan.frame.result as usize);
        match conversions.result {
            Outcome::None => return Results::NONE,
            Outcome::Copy => runtime::push_copy(lua, record, result),
            _ => runtime::push_result_of(lua, record, target, result),
        }
    }
    Results::ONE
}
