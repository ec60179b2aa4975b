//! Calls of callbacks with Lua's stack as memory: writes numbers and pointers to it, and makes one protected call of the Lua function.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::Callbacks;
use super::argument_pool::{self, Last};
use super::deferred;
use super::dispatch::{self, Entry};
use super::record::{Callback, CallbackKind};
use super::transition::{CallbackScope, keeping_errno};
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::repr::{self, Form, Place};
use crate::lua::vm::api::{self, Results, handed, lua_State};
use crate::lua::vm::memory;

/// How calls of a function type go over Lua's stack as memory.
pub(super) struct Quick {
    state: *const State,
    /// Bytes of Lua's stack that a call takes.
    room: isize,
    parameters: Box<[Parameter]>,
    /// The arguments that are cdata.
    boxed: usize,
    /// 0 where there is no result, else 1.
    results: c_int,
    result: Place,
    /// The bits of a result that is an integer; 0 of every other.
    integer: u64,
}

/// An argument, by its offset in the Frame.
struct Parameter {
    place: Place,
    last: Last,
}

impl Quick {
    /// `None` where the calls of a kind do not go that way.
    pub(in crate::lua) fn of(cx: &Cx<'_>, kind: &CallbackKind) -> Option<Quick> {
        if !cx.state.ways.calls {
            return None;
        }
        let frame = &kind.body.frame;
        let place = |ty, offset: u32| {
            let place = repr::of(cx, ty, offset as isize, None)?;
            (place.is_number() || place.is_boxed()).then_some(place)
        };
        let parameter = |(&ty, &offset)| {
            place(ty, offset).map(|place| Parameter { place, last: Last::default() })
        };
        let parameters = kind.parameters.iter().zip(&frame.arguments);
        let parameters: Box<[Parameter]> = parameters.map(parameter).collect::<Option<_>>()?;
        let result = match cx.state.kind(kind.result) {
            Kind::Void => Place::UNKNOWN,
            _ => place(kind.result, frame.result)?,
        };
        let boxed = parameters.iter().filter(|parameter| parameter.place.is_boxed()).count();
        (boxed <= argument_pool::SIZE).then(|| Quick {
            state: cx.state,
            room: memory::bytes_of(parameters.len() as c_int + 4),
            parameters,
            boxed,
            results: c_int::from(result.form != Form::Unknown),
            integer: result.form.integer_bits(),
            result,
        })
    }
}

/// Makes the call on Lua's stack as memory. Returns false, with nothing done, where that is not possible.
///
/// Nothing here changes `errno` (see [`transition`](super::transition)): the Lua function finds C's value, and C finds the Lua function's.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
#[inline(always)]
pub(in crate::lua) unsafe fn enter(callback: &Callback, quick: &Quick, frame: *mut u8) -> bool {
    // SAFETY: *Frame* and *Own thread*, kept by the caller. As in `dispatch::enter`, `lua` is the thread of the C call in progress, or
    // the main thread.
    unsafe {
        let head = &*callback.head;
        if head.boundary.has_error() || head.chosen.get() {
            return false;
        }
        let Some(scope) = CallbackScope::open(head) else {
            return enter_outside(callback, quick, frame);
        };
        let done = enter_on(scope.lua(), callback, quick, frame);
        if matches!(done, Done::Failed) {
            fail(scope.lua(), callback, quick, frame, false);
        }
        !matches!(done, Done::Nothing)
    }
}

/// [`enter`] where no C call is in progress.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
#[cold]
unsafe fn enter_outside(callback: &Callback, quick: &Quick, frame: *mut u8) -> bool {
    // SAFETY: *Frame* and *Own thread*, kept by the caller.
    unsafe {
        if !deferred::admits(&*quick.state, callback, frame) {
            return true;
        }
        let lua = (*quick.state).main;
        let done = enter_on(lua, callback, quick, frame);
        if matches!(done, Done::Failed) {
            fail(lua, callback, quick, frame, true);
        }
        !matches!(done, Done::Nothing)
    }
}

/// The outcome of a call.
enum Done {
    Call,
    /// It is not possible here.
    Nothing,
    /// The error is on top of the stack.
    Failed,
}

/// Makes the call on a thread of the state.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
#[inline(always)]
unsafe fn enter_on(
    lua: *mut lua_State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
) -> Done {
    // SAFETY: *Frame* and *Own thread*, kept by the caller.
    unsafe {
        if memory::room(lua) < quick.room
            && keeping_errno(|| sys::lua_checkstack(lua, quick.parameters.len() as c_int + 4)) == 0
        {
            return Done::Nothing;
        }
        let supplied = quick.boxed == 0 || supply(lua, quick);
        match supplied && run(lua, callback, quick, frame) {
            true => Done::Call,
            false => Done::Failed,
        }
    }
}

/// Sees to it that the stock has what the arguments are; false, with the error on top of the stack, where that fails.
///
/// # Safety
/// - *Own thread*.
/// - *Room* and *Layout* (see `vm`).
#[inline(always)]
unsafe fn supply(lua: *mut lua_State, quick: &Quick) -> bool {
    // SAFETY: *Own thread* and *Room*, kept by the caller.
    unsafe {
        Callbacks::of(&*quick.state).stock.has(quick.boxed)
            || argument_pool::fill(lua, &*quick.state)
    }
}

/// Calls the Lua function; false, with the error on top of the stack, where it fails.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
/// - *Room* and *Layout* (see `vm`).
/// - The stock has the arguments: [`supply`] was true.
#[inline(always)]
unsafe fn run(lua: *mut lua_State, callback: &Callback, quick: &Quick, frame: *mut u8) -> bool {
    // SAFETY: *Frame* and *Own thread*, kept by the caller. Nothing is allocated before the call.
    unsafe {
        let slot = memory::free(lua);
        slot.restore(callback.value.get());
        memory::set_top(lua, set_arguments(slot.next(), quick, frame));
        let count = quick.parameters.len() as c_int;
        sys::lua_pcall(lua, count, quick.results, 0) == sys::LUA_OK
            && (take_result(lua, slot, quick, frame)
                || keeping_errno(|| convert(lua, callback, frame)))
    }
}

/// Writes arguments to a slot of the stack and those above; returns the one after. Here are the usual numbers that come first.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
/// - *Room* and *Layout* (see `vm`).
#[inline(always)]
unsafe fn set_arguments(mut slot: memory::Slot, quick: &Quick, frame: *const u8) -> memory::Slot {
    for (n, Parameter { place, .. }) in quick.parameters.iter().enumerate() {
        // SAFETY: *Frame*, kept by the caller.
        unsafe {
            let value = frame.offset(place.offset);
            match place.form {
                Form::I32 => slot.set_integer(value.cast::<i32>().read_unaligned().into()),
                Form::F64 => slot.set_float(value.cast::<f64>().read_unaligned()),
                Form::I64 => slot.set_integer(value.cast::<i64>().read_unaligned()),
                _ => return set_others(slot, quick, n, frame),
            }
        }
        slot = slot.next();
    }
    slot
}

/// [`set_arguments`] from argument `first` on, out of the way.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
#[inline(never)]
unsafe fn set_others(
    mut slot: memory::Slot,
    quick: &Quick,
    first: usize,
    frame: *const u8,
) -> memory::Slot {
    // SAFETY: *Frame* and *Own thread*, kept by the caller.
    unsafe {
        let stock = &Callbacks::of(&*quick.state).stock;
        for Parameter { place, last } in quick.parameters.iter().skip(first) {
            let value = frame.offset(place.offset);
            match place.form {
                Form::Pointer => {
                    stock.set_pointer(slot, value.cast::<*mut u8>().read_unaligned(), place, last);
                }
                // The choice of cdata for all of them is one of `head.chosen`.
                Form::U64 => match value.cast::<u64>().read_unaligned() {
                    n if n as i64 >= 0 => slot.set_integer(n as i64),
                    n => stock.set_integer(slot, n, place),
                },
                _ => {
                    repr::set_number(slot, value, place);
                }
            }
            slot = slot.next();
        }
    }
    slot
}

/// Converts the result on top of the stack by the general rules, protected; false, with the error there, where that fails.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
/// - *Room* and *Layout* (see `vm`).
#[cold]
unsafe fn convert(lua: *mut lua_State, callback: &Callback, frame: *mut u8) -> bool {
    let mut entry = Entry { callback, head: callback.head, frame, errno: 0 };
    // SAFETY: *Frame* and *Own thread*, kept by the caller; what was called has left free slots.
    unsafe {
        api::push_c_function(lua, convert_result);
        sys::lua_insert(lua, -2);
        let _handing = handed::hand(lua, &raw mut entry);
        sys::lua_pcall(lua, 2, 0, 0) == sys::LUA_OK
    }
}

/// Keeps the error on top of the stack; C gets zeros.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Own thread*.
#[cold]
unsafe fn fail(
    lua: *mut lua_State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
    outside: bool,
) {
    // SAFETY: *Frame* and *Own thread*, kept by the caller.
    keeping_errno(|| unsafe {
        callback.result_bytes(frame).fill(0);
        dispatch::keep_error(&*quick.state, callback, lua, outside);
    });
}

/// Pops the result, if there is one, into the Frame; false, with the value left where it is, where it is not what is usual.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Layout* (see `vm`).
/// - The result is on top of the stack: in `slot`, unless the stack was moved.
#[inline(always)]
unsafe fn take_result(
    lua: *mut lua_State,
    slot: memory::Slot,
    quick: &Quick,
    frame: *mut u8,
) -> bool {
    if quick.results == 0 {
        return true;
    }
    // SAFETY: *Frame*, and the result is on top, as the caller promises; the offset is within the Frame, where the result has 8 bytes.
    // A narrow one leaves zeros above it.
    unsafe {
        // The processor guesses that it is in `slot`, and does not wait for the top of the stack.
        let result = if memory::free(lua) == slot.next() { slot } else { moved_result(lua) };
        let to = frame.offset(quick.result.offset);
        let taken = match result.integer() {
            Some(n) if quick.integer != 0 => {
                to.cast::<u64>().write(n as u64 & quick.integer);
                true
            }
            _ => assign(result, to, &quick.result),
        };
        if taken {
            memory::set_top(lua, result);
        }
        taken
    }
}

/// The slot of the result after the stack was moved.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Layout* (see `vm`), and the result is a value of the stack.
#[cold]
#[inline(never)]
unsafe fn moved_result(lua: *mut lua_State) -> memory::Slot {
    // SAFETY: the result is on top, as the caller promises.
    unsafe { memory::top(lua) }
}

/// A result that is not an integer for an integer.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Layout* (see `vm`), and the result is a value of the stack.
#[inline(never)]
unsafe fn assign(result: memory::Slot, to: *mut u8, place: &Place) -> bool {
    // SAFETY: *Frame*, kept by the caller.
    unsafe {
        to.cast::<u64>().write(0);
        repr::assign(result, to, place)
    }
}

/// A Lua C function: converts the value at 1 to the result of the [`Entry`] at 2.
///
/// # Safety
/// - *C function*.
unsafe extern "C-unwind" fn convert_result(lua: *mut lua_State) -> Results {
    // SAFETY: functions of this room alone hand an entry over, which outlives the call.
    unsafe {
        let entry = &*handed::take::<Entry>(lua, 2);
        guard_in(lua, entry.head, |cx| {
            cx.set_top(1);
            dispatch::result(cx, &*entry.callback, entry.frame)?;
            Ok(0)
        })
    }
}
