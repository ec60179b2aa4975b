//! Calls and memory of 32-bit x86 code: the part of [`super::function`] and [`crate::lua::value::cdata`] for C code behind the gate.
//!
//! There is no compiled Lua thunk: arguments are converted into a staging block, copied to a Frame on the guest's stack, and the plan's shim makes the
//! call. Callbacks are the ordinary ones; their slots are below 4 GiB. A 32-bit process makes all its calls this way.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{self};

use mlua::ffi as sys;
use rustc_hash::FxHashMap;

use super::function::{self, Function};
use super::variadic::Variable;
use crate::abi::{self, CallPlan, Signature};
use crate::code::gate::Frame;
use crate::code::{self, Thunk};
use crate::ctype::{QualType, TypeId};
use crate::lua::callback::{deferred, transition};
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::guest_memory;
use crate::lua::value::to_c::{self, Mode};
use crate::lua::value::wide;
use crate::lua::vm::api::{self, LuaType, Results, lua_State};

/// A function type with these types for `...`.
type Key = (TypeId, Vec<QualType>);

/// Everything that calls of a function type need; made once, and kept with the state.
pub(in crate::lua) struct Prepared {
    shim: Thunk,
    plan: CallPlan,
    result_size: u32,
}

/// Bytes of a Frame whose arguments are converted on the host's stack; those of larger ones in a userdata.
const ROOM: usize = 256;
type Staging = MaybeUninit<[u64; ROOM / 8]>;

/// The function types of a state that were called.
pub(in crate::lua) type Calls = FxHashMap<Key, Box<Prepared>>;

/// Pushes a userdata that owns a copy of the string at `index`, and returns where it is: what the string is as a pointer of type
/// `ty`. Pushes nothing where there is no string or `ty` takes none.
///
/// # Errors
/// No memory below 4 GiB is left.
pub(in crate::lua) fn push_text(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    mode: Mode,
) -> Result<Option<*mut u8>, LuaError> {
    let text = match cx.type_of(index) {
        LuaType::String => cx.bytes(index),
        _ => None,
    };
    match (text, cx.state.kind(ty)) {
        (Some(text), Kind::Pointer(to)) if mode == Mode::Cast || function::takes_text(cx, to) => {
            push_copy_of(cx, text).map(Some)
        }
        _ => Ok(None),
    }
}

/// Pushes a userdata that owns a copy of `text` with a zero behind it, and returns where it is.
fn push_copy_of(cx: &Cx<'_>, text: &[u8]) -> Result<*mut u8, LuaError> {
    let copy = guest_memory::push(cx, text.len() + 1)?;
    // SAFETY: the copy has a byte more than the text.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len()) };
    Ok(copy)
}

/// The Lua C function of every guest function.
///
/// # Safety
/// - *Closure*, of a function of guest code.
pub(in crate::lua) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state; upvalue 1 is the record that `function::push_function` made.
    unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        deferred::settle(lua, &*record.head);
        guard_in(lua, record.head, |cx| invoke(cx, record))
    }
}

fn invoke(cx: &Cx<'_>, record: &Function) -> Result<c_int, LuaError> {
    if record.routing.is_closed() {
        return Err(LuaError::new("the library is closed"));
    }
    let (fixed, given) = (record.fixed as c_int, cx.top());
    if given < fixed || given > fixed && !is_variadic(cx, record.ty) {
        return Err(function::miscounted(cx, record, given));
    }
    let prepared = prepare(cx, record, given)?;
    let layout = &prepared.plan.frame;
    cx.ensure_stack(given + 8);
    let mut room = Staging::uninit();
    let staging = match layout.size as usize {
        ..=ROOM => room.as_mut_ptr().cast::<u8>(),
        // SAFETY: there are free stack slots; the block stays on the stack.
        size => unsafe { api::new_userdata(cx.lua, size, 0).cast() },
    };
    for (index, &offset) in (1..).zip(&layout.arguments) {
        let ty = match record.parameter(cx, index as usize - 1) {
            Some(ty) => ty,
            None => Variable::of(cx, index)?.ty(cx),
        };
        // SAFETY: the slot has room for the type.
        unsafe { argument(cx, index, ty, staging.add(offset as usize)) }
            .map_err(|error| function::at_argument(record, index, error))?;
    }
    // SAFETY: the staging block is filled in by the plan; the function is of the record's type, by the script's word.
    unsafe { run(cx, prepared, record.routing.target(), staging)? };
    let result = record.result(cx);
    // SAFETY: the result was copied into its slot.
    unsafe {
        let bytes = staging.add(layout.result as usize);
        match cx.state.kind(result) {
            Kind::Void => return Ok(0),
            kind if kind.is_aggregate() => to_c::push_copy(cx, result, bytes)?,
            _ => to_c::push(cx, result, bytes, 0)?,
        }
    }
    Ok(1)
}

/// Converts an argument; the text of a string is copied to where the guest can read it, for as long as the call lasts.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
unsafe fn argument(cx: &Cx<'_>, index: c_int, ty: QualType, dst: *mut u8) -> Result<(), LuaError> {
    if let Some(units) = wide::push_text(cx, index, ty)? {
        // SAFETY: the type is a pointer; `dst` has room for it, as the caller promises.
        return unsafe { cx.state.store_pointer(dst, units) };
    }
    let text = match cx.type_of(index) {
        LuaType::String if cx.state.machine.is_guest() => cx.bytes(index),
        _ => None,
    };
    // SAFETY: `dst` has room for it, as the caller promises.
    unsafe {
        match (text, cx.state.kind(ty)) {
            (Some(text), Kind::Pointer(to)) if function::takes_text(cx, to) => {
                let copy = push_copy_of(cx, text)?;
                cx.state.store_pointer(dst, copy)
            }
            _ => to_c::to_c(cx, index, ty, dst),
        }
    }
}

/// The shim and plan for the types of this call.
fn prepare<'a>(cx: &'a Cx<'_>, record: &Function, given: c_int) -> Result<&'a Prepared, LuaError> {
    let mut variable = Vec::new();
    if is_variadic(cx, record.ty) {
        for index in record.fixed as c_int + 1..=given {
            let next =
                Variable::of(cx, index).map_err(|e| function::at_argument(record, index, e))?;
            variable.push(next.ty(cx));
        }
    }
    let key = (record.ty, variable);
    let known =
        super::Callees::of(cx.state).guest.borrow().get(&key).map(|found| ptr::from_ref(&**found));
    if let Some(known) = known {
        // SAFETY: *Boxed* (see `state`).
        return Ok(unsafe { &*known });
    }
    let (signature, convention) = {
        let types = cx.state.types.borrow();
        Signature::of(types.table(), &cx.state.machine.target, key.0, &key.1)?
    };
    let plan = abi::plan(&signature, convention)?;
    let shim = code::frame_call(&signature, convention)?;
    let new = Box::new(Prepared { shim, plan, result_size: signature.result.size });
    let mut calls = super::Callees::of(cx.state).guest.borrow_mut();
    let new = ptr::from_ref(&**calls.entry(key).or_insert(new));
    // SAFETY: *Boxed* (see `state`).
    Ok(unsafe { &*new })
}

fn is_variadic(cx: &Cx<'_>, ty: TypeId) -> bool {
    cx.state.types.borrow().table().function(ty).is_some_and(|function| function.variadic)
}

/// Calls the guest, and copies its result into the staging block.
///
/// # Safety
/// - `staging` is a Frame of the plan, but for its address.
/// - `target` is a function of the plan's type.
unsafe fn run(
    cx: &Cx<'_>,
    prepared: &Prepared,
    target: *const c_void,
    staging: *mut u8,
) -> Result<(), LuaError> {
    let layout = &prepared.plan.frame;
    let target = u32::try_from(target as usize)
        .map_err(|_| LuaError::new(format!("no 32-bit code at {target:p}")))?;
    let frame = Frame::new(layout.size, prepared.plan.stack_bytes)?;
    // SAFETY: both blocks have the layout's size. Callbacks are protected calls, so nothing jumps over the guest.
    let native = || unsafe {
        ptr::copy_nonoverlapping(staging, frame.bytes(), layout.size as usize);
        let popped = frame.call(prepared.shim, target);
        let result = layout.result as usize;
        let bytes = prepared.result_size as usize;
        ptr::copy_nonoverlapping(frame.bytes().add(result), staging.add(result), bytes);
        popped
    };
    let called = transition::across(cx.lua, cx.state.head(), native);
    drop(frame);
    let popped = called.map_err(|caught| caught.into_error(cx))?;
    if popped != prepared.plan.popped {
        return Err(LuaError::new(format!(
            "the function popped {popped} bytes of its arguments where {} pops {}: its declaration has another calling convention",
            prepared.plan.convention.name, prepared.plan.popped
        )));
    }
    Ok(())
}
