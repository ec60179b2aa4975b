//! Calls without a thunk that go through Lua's C API alone: in a checked state, and where the process makes no machine code
//! ([`crate::code::Mode`]) and the interpreter's layout is not known, or a Frame is too large for [`super::interpret`].
//!
//! A checked state holds what C will get to the function's declaration, when all of it is in the Frame.

use std::ffi::c_int;
use std::slice;

use mlua::ffi as sys;

use super::api::{self, lua_State};
use super::call::Function;
use super::contract;
use super::helpers;
use super::interpret::{self, Recipe};
use super::operands::Outcome;
use super::state::{State, guard_in};
use crate::code::Registers;
use crate::lower;

/// The most that a Frame is aligned to.
const ALIGN: usize = 64;

/// The C function of closures whose recipe is carried out here.
pub(super) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this as a closure whose upvalue 1 is a record with a recipe.
    unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        if let Some(error) = interpret::refused(lua, record) {
            return error;
        }
        let recipe = &*record.recipe.get();
        if sys::lua_gettop(lua) as usize != recipe.conversions.arguments.len() {
            return helpers::raise_count(lua, record);
        }
        run(lua, record, recipe)
    }
}

/// Makes the call, with its Frame and stack arguments in a userdata above the arguments.
///
/// # Safety
/// As for [`interpret::run`], but for the state, which need not be in place.
pub(super) unsafe fn run(lua: *mut lua_State, record: &Function, recipe: &Recipe) -> c_int {
    let Recipe { plan, native, conversions, signature, .. } = recipe;
    let size = (plan.frame.size as usize).next_multiple_of(ALIGN);
    let target = record.address.get();
    // SAFETY: the block has room for Frame and stack; Lua keeps it while it is on the stack. Offsets are the plan's.
    unsafe {
        let block = api::new_userdata(lua, ALIGN + size + native.stack_bytes(), 0).cast::<u8>();
        let frame = block.add(block.align_offset(ALIGN));
        frame.write_bytes(0, size);
        let arguments = conversions.arguments.iter().zip(&signature.arguments);
        for (index, ((&argument, ty), &at)) in (1..).zip(arguments.zip(&plan.frame.arguments)) {
            interpret::by_helper(lua, record, argument, ty, index, frame.add(at as usize));
        }
        if (*record.head).state().is_some_and(State::checked) {
            guard_in(lua, record.head, |cx| contract::check(cx, record, recipe, frame).map(|()| 0));
        }
        let mut registers = Registers::default();
        let stack = slice::from_raw_parts_mut(frame.add(size), native.stack_bytes());
        let bytes = slice::from_raw_parts(frame, size);
        lower::load(plan, bytes, frame as u64, registers.bytes(), stack);
        let head = &*record.head;
        let outer = head.begin_call(lua);
        native.invoke(target, &mut registers, stack);
        head.end_call(outer);
        if head.pending.get() != 0 {
            return helpers::raise_pending(lua, head);
        }
        lower::store_result(plan, registers.bytes(), slice::from_raw_parts_mut(frame, size));
        let result = frame.add(plan.frame.result as usize);
        match conversions.result {
            Outcome::None => return 0,
            Outcome::Copy => helpers::push_copy(lua, record, result),
            _ => helpers::push_result(lua, record, result),
        }
    }
    1
}
