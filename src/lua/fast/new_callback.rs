//! `ffi.cast` of Lua functions and `callback:free()` without Lua's C API: for the pointer type of the last callback that the general code made, once
//! enough callbacks of its kind were freed.

use std::ffi::c_void;
use std::ptr;

use mlua::ffi as sys;

use super::Fast;
use super::cast;
use super::new;
use crate::ctype::QualType;
use crate::lua::callback::{self, CallbackKind};
use crate::lua::object::make;
use crate::lua::object::methods;
use crate::lua::state::head;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::pinned;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, Outcome, State, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::value::ctype;
use crate::lua::value::direct;
use crate::lua::vm::api::{LuaType, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{self, Call, Kept, Slot};

/// `ffi.cast`
pub(in crate::lua) const CAST: lua_CFunction = cast;
/// `callback:free()`
pub(in crate::lua) const FREE: lua_CFunction = free;

/// The facts about the pointer type of the last callback.
#[derive(Clone, Copy)]
pub(in crate::lua) struct Recent {
    /// The bits of the type.
    ty: u32,
    /// The metatable of its cdata; null where nothing is known.
    metatable: *const c_void,
    kind: *const CallbackKind,
    /// A Lua function, for its tag: C functions may be those of this library.
    function: Kept,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { ty: 0, metatable: ptr::null(), kind: ptr::null(), function: Kept::default() }
    }
}

/// Remembers that the value at stack index 2 was cast to pointers of type `ty`.
fn learn(cx: &Cx<'_>, ty: QualType) {
    // SAFETY: a value is at 2.
    let in_c = unsafe { sys::lua_iscfunction(cx.lua, 2) } != 0;
    let Kind::Pointer(to) = cx.state.kind(ty) else { return };
    if !cx.state.ways.calls || in_c {
        return;
    }
    let function = cx.state.resolve(to).id();
    let kind = callback::known_kind(cx.state, function);
    let Some(kind) = kind else { return };
    cx.push_value(2);
    let function = pinned::keep(cx);
    cx.pop(1);
    Fast::of(cx.state).recent.set(Recent {
        ty: ty.to_bits(),
        metatable: cdata::metatable(cx, ty),
        kind,
        function,
    });
}

/// `ffi.cast`, by the general code.
fn general_cast(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    // SAFETY: *Layout* (`ways.stack`), and a C function is running.
    let text = unsafe { memory::slot(cx.lua, 1) }.and_then(Slot::short_string);
    let outcome = make::cast(cx)?;
    for fact in cx.learnt() {
        match (fact, text) {
            (Learnt::Text(ty), Some(text)) => new::learn_text(cx, text, ty),
            (Learnt::Cast(ty), _) => {
                if cx.type_of(2) == LuaType::Function {
                    learn(cx, ty);
                }
                cast::learn(cx, ty);
            }
            _ => {}
        }
    }
    Ok(outcome)
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn cast(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = entry(general_cast);
    // SAFETY: Lua calls this as a closure of `Cx::push_function`.
    unsafe {
        if let Some((call, state)) = head::enter(lua)
            && call.count() == 2
            && (make_callback(lua, call, state) || cast::push(lua, call, state.head(), state))
        {
            return Results::ONE;
        }
        SLOW(lua)
    }
}

/// Pushes a callback that calls the Lua function at 2; false where that is not done here.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - *Raise* (out of memory).
/// - There are two arguments.
unsafe fn make_callback(lua: *mut lua_State, call: Call, state: &State) -> bool {
    let recent = Fast::of(state).recent.get();
    // SAFETY: *Fast function*, with two arguments, kept by the caller; a kind lives as long as the state. Where a freed callback has a
    // userdata, it is the cdata that `free` left with it. Out of memory raises before anything is taken.
    unsafe {
        let known = !recent.metatable.is_null()
            && ctype::at_slot(state, call.argument(1)).map(|named| named.ty().to_bits())
                == Some(recent.ty)
            && call.argument(2).kept().is_like(recent.function)
            && state.permit_callback().is_ok();
        let spare = known.then(|| (*recent.kind).next_spare()).flatten();
        let Some(spare) = spare else { return false };
        let kept = spare.value.get().userdata();
        let block = match kept.filter(|userdata| userdata.metatable() == recent.metatable) {
            Some(userdata) => {
                memory::push(lua).set_userdata(userdata);
                userdata.block()
            }
            None => {
                let header =
                    Header { ty: recent.ty, flags: Flags::POINTER, address: ptr::null_mut() };
                direct::push_cdata(lua, recent.metatable, header, 0, 0)
            }
        };
        let Some((address, callback)) = callback::wake(state, &*recent.kind) else {
            memory::pop(lua);
            return false;
        };
        (*block).address = address.cast_mut().cast();
        callback.hold(&Cx::new(lua, state), Call::of(lua).argument(2).kept());
    }
    true
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn free(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = entry(methods::free);
    // SAFETY: *Fast function*. The metatable says that the userdata is a cdata.
    unsafe {
        if let Some((call, state)) = head::enter(lua)
            && call.count() == 1
            && let Some(userdata) = call.argument(1).userdata()
        {
            let recent = Fast::of(state).recent.get();
            if !recent.metatable.is_null()
                && userdata.metatable() == recent.metatable
                && let header = &*userdata.block::<Header>()
                && let Some(freed) = callback::free_idle(state, header.address.cast())
            {
                let cdata = call.argument(1);
                if header.flags != Flags::POINTER {
                    cdata.set_boolean(false);
                }
                freed.hold(&Cx::new(lua, state), cdata.kept());
                return Results::NONE;
            }
        }
        SLOW(lua)
    }
}
