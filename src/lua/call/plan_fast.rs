//! Calls of C functions without a thunk: the plan is carried out. Usual arguments are read directly from Lua's stack, the others by [`super::runtime`].
//!
//! A function begins this way, because compiling a thunk takes longer than all calls of most functions. After some calls the function
//! gets a thunk, in the closure that the script already has; see [`super::route`]. The thunk leaves every call that it cannot make to this file. For a
//! variadic function, [`super::variadic`] counts the calls.

use std::ffi::c_int;
use std::mem;

use super::function::Function;
use super::plan_api;
use super::recipe::Recipe;
use super::route;
use super::runtime;
use super::thunk_api::{Argument, Outcome};
use crate::abi::{CallPlan, Kind as AbiKind, Type};
use crate::code::Registers;
use crate::ctype::FloatKind;
use crate::lower;
use crate::lua::callback::{deferred, transition};
use crate::lua::state::guard_in;
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::vm::api::{Results, lua_State};
use crate::lua::vm::memory::{self, Call, Slot};

/// Bytes of the largest Frame, and of the most stack arguments, that are passed without a thunk.
const ROOM: usize = 512;
/// Bytes of a Frame that is enough for most functions, and sooner cleared.
const LITTLE: usize = 128;

#[repr(C, align(64))]
struct Frame<const BYTES: usize>([u8; BYTES]);

/// Whether a call of the plan fits in what is there for its Frame and its stack arguments.
pub(super) fn fits(plan: &CallPlan) -> bool {
    plan.frame.size as usize <= ROOM
        && plan.frame.align as usize <= mem::align_of::<Frame<ROOM>>()
        && plan.stack_bytes as usize <= ROOM
}

/// The C function of closures that have no thunk yet, and what a direct thunk leaves its calls to.
///
/// # Safety
/// - *Closure* (see `call`), of a record that has a recipe.
/// - *Layout*.
pub(in crate::lua) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this, or a thunk does, as a closure whose upvalue 1 is a record with a recipe; *Layout*.
    unsafe {
        let record = &*Call::of(lua).upvalue::<Function>(1, 0);
        deferred::settle(lua, &*record.head);
        if let Some(error) = refused(lua, record) {
            return error;
        }
        let recipe = &*record.routing.recipe();
        if record.routing.is_hot()
            && let Some(thunk) = route::promote(lua, record)
        {
            return thunk(lua);
        }
        if Call::of(lua).count() != recipe.conversions.arguments.len() {
            return runtime::raise_count(lua, record);
        }
        run(lua, record, recipe)
    }
}

/// Raises where the state or the function is closed; `None`: neither is.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Raise*.
pub(in crate::lua) unsafe fn refused(lua: *mut lua_State, record: &Function) -> Option<Results> {
    // SAFETY: a record's head lies in the userdata of its state.
    unsafe {
        if (*record.head).is_closed() {
            return Some(guard_in(lua, record.head, |_| Ok(0)));
        }
        record.routing.is_closed().then(|| runtime::raise_null(lua, record))
    }
}

/// Makes the call.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Layout* (see `vm`).
/// - *Raise*.
pub(in crate::lua) unsafe fn run(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
) -> Results {
    let little = recipe.plan.frame.size as usize <= LITTLE;
    // SAFETY: *Recipe* and *Layout*, kept by the caller.
    unsafe {
        if !recipe.direct {
            return plan_api::run(lua, record, recipe);
        }
        match (little, recipe.native.stack_bytes()) {
            (true, 0) => run_within::<LITTLE, 0>(lua, record, recipe),
            _ => run_within::<ROOM, { ROOM / 8 }>(lua, record, recipe),
        }
    }
}

/// [`run`], with room for the Frame and for so many words of stack arguments.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Layout* (see `vm`), and the recipe is `direct`.
/// - *Raise*.
unsafe fn run_within<const BYTES: usize, const WORDS: usize>(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
) -> Results {
    let target = record.address();
    let plan = &recipe.plan;
    let mut frame = Frame([0; BYTES]);
    let memory = &raw mut frame.0;
    let arguments = recipe.conversions.arguments.iter().zip(&recipe.signature.arguments);
    // SAFETY: *Frame*: it has room for the plan's. *Recipe* and *Layout*, kept by the caller.
    unsafe {
        for (index, ((&argument, ty), &at)) in arguments.zip(&plan.frame.arguments).enumerate() {
            let to = memory.cast::<u8>().add(at as usize);
            let slot = Call::of(lua).argument(index + 1);
            if !convert(argument, ty, record, index, slot, to) {
                by_helper(lua, record, argument, ty, index as c_int + 1, to);
            }
        }
        let mut block = Registers::default();
        let mut words = [0_u64; WORDS];
        let (words_used, _) = words.split_at_mut(recipe.native.stack_bytes() / 8);
        let stack = memory::bytes(words_used);
        lower::load(plan, &*memory, memory as u64, block.bytes(), stack);
        let head = &*record.head;
        let native = || recipe.native.invoke(target, &mut block, stack);
        if let Err(caught) = transition::across(lua, head, native) {
            return caught.raise(lua, head);
        }
        lower::store_result(plan, block.bytes(), &mut *memory);
        push(lua, record, recipe, memory.cast::<u8>().add(plan.frame.result as usize))
    }
}

/// Writes a number's low bytes.
///
/// # Safety
/// - `to` is aligned, and writable for `size` bytes: 1, 2, 4 or 8.
unsafe fn store(to: *mut u8, size: u32, value: u64) {
    // SAFETY: `to` is aligned and has `size` bytes, as the caller promises.
    unsafe {
        match size {
            1 => to.write(value as u8),
            2 => to.cast::<u16>().write(value as u16),
            4 => to.cast::<u32>().write(value as u32),
            _ => to.cast::<u64>().write(value),
        }
    }
}

/// Converts an argument that is what is usual for its type; false where it is not.
///
/// # Safety
/// - *Frame* (see `call`): `to` is the slot of the argument.
unsafe fn convert(
    argument: Argument,
    ty: &Type,
    record: &Function,
    index: usize,
    slot: Slot,
    to: *mut u8,
) -> bool {
    let value = match argument {
        Argument::Integer if slot.integer().is_none() && ty.size == 8 => {
            // SAFETY: what is accepted for such a parameter holds 8 bytes.
            record.accepted_address(index, slot).map(|at| unsafe { at.cast::<u64>().read() })
        }
        Argument::Integer | Argument::Enum => slot.integer().map(|n| n as u64),
        Argument::Number => {
            let n = slot.float().or_else(|| slot.integer().map(|n| n as f64));
            n.map(|n| match ty.size {
                4 => u64::from((n as f32).to_bits()),
                _ => n.to_bits(),
            })
        }
        Argument::Boolean => slot.boolean().map(u64::from),
        Argument::Text if slot.text().is_some() => slot.text().map(|text| text as u64),
        Argument::Pointer | Argument::Text if slot.is_nil() => Some(0),
        Argument::Pointer | Argument::Text => {
            record.accepted_address(index, slot).map(|address| address as u64)
        }
        Argument::Variable => variable(record, ty, slot),
        Argument::Aggregate => {
            let Some(bytes) = record.accepted_address(index, slot) else { return false };
            // SAFETY: what is accepted holds a value of the parameter's type.
            unsafe { to.copy_from(bytes, ty.size as usize) };
            return true;
        }
        Argument::VariableAggregate => None,
    };
    let Some(value) = value else { return false };
    // SAFETY: *Frame*, kept by the caller; scalars have at most 8 bytes.
    unsafe { store(to, ty.size, value) };
    true
}

/// The bits of an argument for `...`, as [`super::variadic::Variable`] has its type.
fn variable(record: &Function, ty: &Type, slot: Slot) -> Option<u64> {
    if let Some(n) = slot.integer() {
        let is_double = matches!(ty.kind, AbiKind::Float);
        return Some(if is_double { (n as f64).to_bits() } else { n as u64 });
    }
    if let Some(n) = slot.float() {
        return Some(n.to_bits());
    }
    if let Some(text) = slot.text() {
        return Some(text as u64);
    }
    // SAFETY: *Recipe*: the state is open.
    let state = unsafe { (*record.head).state() }?;
    let cd = cdata::at_slot(state, slot)?;
    // SAFETY: a cdata holds a value of its type.
    unsafe {
        match state.value_kind(cd.ty) {
            Kind::Pointer(_) => Some(cd.address as u64),
            Kind::Array(..) => Some(cd.address as u64),
            Kind::Int(kind) if kind.size() == 4 => Some(cd.bytes().cast::<u32>().read().into()),
            Kind::Int(kind) if kind.size() == 8 => Some(cd.bytes().cast::<u64>().read()),
            Kind::Float(FloatKind::F64) => Some(cd.bytes().cast::<u64>().read()),
            _ => None,
        }
    }
}

/// Converts any argument, or raises.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Frame*: `to` is the slot of the argument.
/// - *Raise*.
pub(super) unsafe fn by_helper(
    lua: *mut lua_State,
    record: &Function,
    argument: Argument,
    ty: &Type,
    index: c_int,
    to: *mut u8,
) {
    // SAFETY: *Record* and *Frame*, kept by the caller.
    unsafe {
        let value = match argument {
            Argument::Integer => runtime::integer(lua, record, index),
            Argument::Number => {
                let n = runtime::number(lua, record, index);
                if ty.size == 4 { u64::from((n as f32).to_bits()) } else { n.to_bits() }
            }
            Argument::Boolean | Argument::Enum | Argument::Pointer | Argument::Text => {
                runtime::other(lua, record, index)
            }
            Argument::Variable => runtime::variable(lua, record, index),
            Argument::Aggregate | Argument::VariableAggregate => {
                let bytes = match argument {
                    Argument::Aggregate => runtime::aggregate(lua, record, index),
                    _ => runtime::variable_aggregate(lua, record, index),
                };
                return to.copy_from(bytes as *const u8, ty.size as usize);
            }
        };
        store(to, ty.size, value);
    }
}

/// Pushes the result; returns the number of results.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Frame*: `from` is the slot of the result.
unsafe fn push(lua: *mut lua_State, record: &Function, recipe: &Recipe, from: *mut u8) -> Results {
    let ty = &recipe.signature.result;
    // SAFETY: *Recipe* and *Frame*, kept by the caller.
    unsafe {
        match recipe.conversions.result {
            Outcome::None => return Results::NONE,
            Outcome::Boolean => memory::push(lua).set_boolean(from.read() != 0),
            Outcome::Number => memory::push(lua).set_float(match ty.size {
                4 => from.cast::<f32>().read().into(),
                _ => from.cast::<f64>().read(),
            }),
            Outcome::Integer => {
                let signed = ty.kind == AbiKind::Int { signed: true };
                memory::push(lua).set_integer(match (ty.size, signed) {
                    (1, true) => from.cast::<i8>().read().into(),
                    (1, false) => from.read().into(),
                    (2, true) => from.cast::<i16>().read().into(),
                    (2, false) => from.cast::<u16>().read().into(),
                    (4, true) => from.cast::<i32>().read().into(),
                    (4, false) => from.cast::<u32>().read().into(),
                    _ => from.cast::<i64>().read(),
                });
            }
            Outcome::Unsigned => match from.cast::<u64>().read() as i64 {
                n @ 0.. => memory::push(lua).set_integer(n),
                _ => runtime::push_copy_fast(lua, record, from),
            },
            Outcome::Copy => runtime::push_copy_fast(lua, record, from),
            Outcome::Other if ty.kind == AbiKind::Pointer => {
                runtime::push_pointer(lua, record, from.cast::<*mut u8>().read());
            }
            Outcome::Other => runtime::push_result(lua, record, from),
        }
    }
    Results::ONE
}
