//! C has called: the way from the slot of a callback to its Lua function and back.
//!
//! Where the state is in place and C passes numbers and pointers, arguments and result go over Lua's stack as memory; everything
//! else converts through Lua's C API. Either way the Lua function runs protected.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering;

use mlua::ffi as sys;

use super::api::{self, lua_State};
use super::callback::{Callback, CallbackKind};
use super::clib::system;
use super::convert;
use super::foreign;
use super::kind::Kind;
use super::place::{self, Form, Place};
use super::stack;
use super::state::{Anchor, Cx, Head, LuaError, State, guard_in};
use super::stock::{self, Last};
use crate::code::{self, Slot};

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
    pub(super) fn of(cx: &Cx<'_>, kind: &CallbackKind) -> Option<Quick> {
        if !cx.state.calls_in_place() {
            return None;
        }
        let frame = &kind.body.frame;
        let place = |ty, offset: u32| {
            let place = place::of(cx, ty, offset as isize, None)?;
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
        (boxed <= stock::SIZE).then(|| Quick {
            state: cx.state,
            room: stack::bytes_of(parameters.len() as c_int + 4),
            parameters,
            boxed,
            results: c_int::from(result.form != Form::Unknown),
            integer: result.form.integer_bits(),
            result,
        })
    }
}

/// The dispatcher of every callback: C has called, the arguments are in the Frame.
pub(super) unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: the body passes its slot, whose data is a `Callback` that the slot keeps alive, and its Frame.
    unsafe {
        if (*slot).owner.load(Ordering::Relaxed) != code::this_thread() {
            return dispatch_visitor(slot, frame);
        }
        let callback = &*(*slot).data.cast::<Callback>();
        running(callback, || call(callback, frame));
    }
}

/// [`dispatch`] on a thread that the slot does not belong to.
#[cold]
unsafe fn dispatch_visitor(slot: *const Slot, frame: *mut u8) {
    // SAFETY: as in `dispatch`.
    unsafe {
        let visitors = &raw const (*slot).visitors;
        (*visitors).fetch_add(1, Ordering::Acquire);
        let callback = &*(*slot).data.cast::<Callback>();
        match api::SEND && callback.link().runs_here() {
            true => running(callback, || call(callback, frame)),
            false => foreign::enter(callback, frame),
        }
        (*visitors).fetch_sub(1, Ordering::Release);
    }
}

/// Runs a call of a callback on the state's thread. If the callback is freed meanwhile, its slot is given back afterwards.
#[inline(always)]
fn running(callback: &Callback, call: impl FnOnce()) {
    callback.running.set(callback.running.get() + 1);
    call();
    callback.running.set(callback.running.get() - 1);
    if callback.quick.get().is_null() {
        callback.rest();
    }
}

/// # Safety
/// The Frame is one of the callback's kind.
#[inline(always)]
unsafe fn call(callback: &Callback, frame: *mut u8) {
    // SAFETY: the caller's promise; what is quick of a callback lives as long as its kind.
    unsafe {
        let quick = callback.quick.get();
        if quick.is_null() || !enter_in_place(callback, &*quick, frame) {
            call_general(callback, frame);
        }
    }
}

/// Makes the call through Lua's C API.
///
/// # Safety
/// The Frame is one of the callback's kind.
#[cold]
unsafe fn call_general(callback: &Callback, frame: *mut u8) {
    let errno = system::errno();
    // SAFETY: a link leads to a state that is not closed, or nowhere. The Frame has a slot for the result; whatever goes wrong, C
    // gets zeros.
    let state = unsafe {
        callback.result_bytes(frame).fill(0);
        callback.link().state()
    };
    let entered = catch_unwind(AssertUnwindSafe(|| match state {
        Some(state) => enter(state, callback, frame, errno),
        None => report(&format!("'{}' was called after its Lua state was closed", callback.name())),
    }));
    if entered.is_err() {
        report(&format!("internal error in a callback '{}'", callback.name()));
    }
}

/// Makes the call on Lua's stack as memory. Returns false, with nothing done, where that is not possible.
///
/// Nothing here changes `errno`: the Lua function sees what C left, and C what the Lua function left.
///
/// # Safety
/// The Frame is one of the callback's kind, and the state is open.
#[inline(always)]
unsafe fn enter_in_place(callback: &Callback, quick: &Quick, frame: *mut u8) -> bool {
    // SAFETY: the caller's promise. As in `enter`, `lua` is the thread of the C call in progress, or the main thread.
    unsafe {
        let head = &*callback.head;
        if head.pending.get() != 0 || head.chosen.get() {
            return false;
        }
        let lua = head.current.get();
        if lua.is_null() {
            return enter_outside(callback, quick, frame);
        }
        head.current.set(ptr::null_mut());
        let done = enter_on(lua, callback, quick, frame);
        (*callback.head).current.set(lua);
        match done {
            Done::Failed => fail(lua, callback, quick, frame, false),
            Done::Nothing => return false,
            Done::Call => {}
        }
        true
    }
}

/// [`enter_in_place`] where no C call is in progress.
///
/// # Safety
/// As for that.
#[cold]
unsafe fn enter_outside(callback: &Callback, quick: &Quick, frame: *mut u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let lua = (*quick.state).main;
        let done = enter_on(lua, callback, quick, frame);
        if matches!(done, Done::Failed) {
            fail(lua, callback, quick, frame, true);
        }
        !matches!(done, Done::Nothing)
    }
}

/// What became of a call.
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
/// As for [`enter_in_place`].
#[inline(always)]
unsafe fn enter_on(
    lua: *mut lua_State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
) -> Done {
    // SAFETY: the caller's promise.
    unsafe {
        if stack::room(lua) < quick.room
            && sys::lua_checkstack(lua, quick.parameters.len() as c_int + 4) == 0
        {
            return Done::Nothing;
        }
        let supplied = quick.boxed == 0 || supply(lua, quick);
        match supplied && run_in_place(lua, callback, quick, frame) {
            true => Done::Call,
            false => Done::Failed,
        }
    }
}

/// Sees to it that the stock has what the arguments are; false, with the error on top of the stack, where that fails.
///
/// # Safety
/// As for [`enter_in_place`]; there are free stack slots.
#[inline(always)]
unsafe fn supply(lua: *mut lua_State, quick: &Quick) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*quick.state).stock.has(quick.boxed) || stock::fill(lua, &*quick.state) }
}

/// Calls the Lua function; false, with the error on top of the stack, where it fails.
///
/// # Safety
/// As for [`supply`], which was true.
#[inline(always)]
unsafe fn run_in_place(
    lua: *mut lua_State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
) -> bool {
    // SAFETY: the caller's promise. Nothing is allocated before the call.
    unsafe {
        let slot = stack::free(lua);
        slot.restore(callback.value.get());
        let top = match quick.boxed {
            0 => set_numbers(slot.next(), quick, frame),
            _ => set_arguments(slot.next(), quick, frame),
        };
        stack::set_top(lua, top);
        let count = quick.parameters.len() as c_int;
        sys::lua_pcall(lua, count, quick.results, 0) == sys::LUA_OK
            && (take_result(lua, slot, quick, frame) || convert(lua, callback, frame))
    }
}

/// Writes arguments, none of which is a cdata, to a slot of the stack and those above; returns the one after.
///
/// # Safety
/// As for [`run_in_place`].
#[inline(always)]
unsafe fn set_numbers(mut slot: stack::Slot, quick: &Quick, frame: *const u8) -> stack::Slot {
    for Parameter { place, .. } in &quick.parameters {
        // SAFETY: the caller's promise; offsets are within the Frame.
        unsafe {
            let value = frame.offset(place.offset);
            match place.form {
                Form::I32 => slot.set_integer(value.cast::<i32>().read_unaligned().into()),
                Form::F64 => slot.set_float(value.cast::<f64>().read_unaligned()),
                _ => set_number(slot, value, place),
            }
        }
        slot = slot.next();
    }
    slot
}

/// [`place::set_number`], out of the way.
///
/// # Safety
/// As for that.
#[inline(never)]
unsafe fn set_number(slot: stack::Slot, value: *const u8, place: &Place) {
    // SAFETY: the caller's promise.
    unsafe { place::set_number(slot, value, place) };
}

/// Writes arguments to a slot of the stack and those above; returns the one after.
///
/// # Safety
/// As for [`run_in_place`].
#[inline(never)]
unsafe fn set_arguments(mut slot: stack::Slot, quick: &Quick, frame: *const u8) -> stack::Slot {
    // SAFETY: the caller's promise; offsets are within the Frame.
    unsafe {
        let stock = &(*quick.state).stock;
        for Parameter { place, last } in &quick.parameters {
            let value = frame.offset(place.offset);
            match place.form {
                Form::Pointer => {
                    stock.set_pointer(slot, value.cast::<*mut u8>().read_unaligned(), place, last);
                }
                Form::U64 => {
                    stock.set_integer(slot, value.cast::<u64>().read_unaligned(), place);
                }
                _ => set_number(slot, value, place),
            }
            slot = slot.next();
        }
    }
    slot
}

/// Converts the result on top of the stack by the general rules, protected; false, with the error there, where that fails.
///
/// # Safety
/// As for [`run_in_place`].
#[cold]
unsafe fn convert(lua: *mut lua_State, callback: &Callback, frame: *mut u8) -> bool {
    let mut entry = Entry { callback, head: callback.head, frame, errno: 0 };
    // SAFETY: the caller's promise; what was called has left free slots.
    unsafe {
        sys::lua_pushcfunction(lua, convert_result);
        sys::lua_insert(lua, -2);
        sys::lua_pushlightuserdata(lua, (&raw mut entry).cast());
        sys::lua_pcall(lua, 2, 0, 0) == sys::LUA_OK
    }
}

/// Keeps the error on top of the stack; C gets zeros.
///
/// # Safety
/// As for [`enter_in_place`].
#[cold]
unsafe fn fail(
    lua: *mut lua_State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
    outside: bool,
) {
    let errno = system::errno();
    // SAFETY: the caller's promise; the Frame has a slot for the result.
    unsafe {
        callback.result_bytes(frame).fill(0);
        keep_error(&*quick.state, callback, lua, outside);
    }
    system::set_errno(errno);
}

/// Pops the result, if there is one, into the Frame; false, with the value left where it is, where it is not what is usual.
///
/// # Safety
/// The result is on top of the stack: in `slot`, unless the stack was moved.
#[inline(always)]
unsafe fn take_result(
    lua: *mut lua_State,
    slot: stack::Slot,
    quick: &Quick,
    frame: *mut u8,
) -> bool {
    if quick.results == 0 {
        return true;
    }
    // SAFETY: the caller's promise; the offset is within the Frame, where the result has 8 bytes. A narrow one leaves zeros above
    // it.
    unsafe {
        // The processor guesses that it is in `slot`, and does not wait for the top of the stack.
        let result = if stack::free(lua) == slot.next() { slot } else { moved_result(lua) };
        let to = frame.offset(quick.result.offset);
        let taken = match result.integer() {
            Some(n) if quick.integer != 0 => {
                to.cast::<u64>().write(n as u64 & quick.integer);
                true
            }
            _ => assign(result, to, &quick.result),
        };
        if taken {
            stack::set_top(lua, result);
        }
        taken
    }
}

/// The slot of the result after the stack was moved.
///
/// # Safety
/// As for [`take_result`].
#[cold]
#[inline(never)]
unsafe fn moved_result(lua: *mut lua_State) -> stack::Slot {
    // SAFETY: the caller's promise.
    unsafe { stack::top(lua) }
}

/// A result that is not an integer for an integer.
///
/// # Safety
/// As for [`take_result`].
#[inline(never)]
unsafe fn assign(result: stack::Slot, to: *mut u8, place: &Place) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        to.cast::<u64>().write(0);
        place::assign(result, to, place)
    }
}

/// One call of a callback, for the protected part.
struct Entry {
    callback: *const Callback,
    head: *const Head,
    frame: *mut u8,
    errno: c_int,
}

/// A Lua C function: converts the value at 1 to the result of the [`Entry`] at 2.
unsafe extern "C-unwind" fn convert_result(lua: *mut lua_State) -> c_int {
    // SAFETY: `convert` calls this with its entry, which outlives the call.
    unsafe {
        let entry = &*sys::lua_touserdata(lua, 2).cast::<Entry>();
        guard_in(lua, entry.head, |cx| {
            cx.set_top(1);
            result(cx, (*entry.callback).kind(), entry.frame)?;
            Ok(0)
        })
    }
}

/// Makes a call that came in on another thread, with the `errno` of that thread; returns the one that it leaves. Its errors are
/// reported.
///
/// # Safety
/// The Frame is one of the callback's kind, its result zeroed.
pub(super) unsafe fn serve(
    cx: &Cx<'_>,
    callback: &Callback,
    frame: *mut u8,
    errno: c_int,
) -> c_int {
    let own = system::errno();
    system::set_errno(errno);
    let head = cx.state.head();
    let (outer, pending) = (head.current.replace(cx.lua), head.pending.replace(0));
    running(callback, || {
        let entered = catch_unwind(AssertUnwindSafe(|| enter(cx.state, callback, frame, errno)));
        if entered.is_err() {
            report(&format!("internal error in a callback '{}'", callback.name()));
        }
    });
    let left = system::errno();
    if head.pending.get() != 0 {
        push_pending(cx);
        let text =
            cx.bytes(-1).map_or("(error object is not a string)".into(), String::from_utf8_lossy);
        report(&format!("error in a callback '{}' of another thread: {text}", callback.name()));
        cx.pop(1);
    }
    head.current.set(outer);
    head.pending.set(pending);
    system::set_errno(own);
    left
}

/// Pushes the error that a callback caught, and forgets it.
pub(super) fn push_pending(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Pending);
    cx.raw_get_integer(-1, 1);
    cx.push_bool(false);
    cx.raw_set_integer(-3, 1);
    cx.remove(-2);
    cx.state.head().pending.set(0);
}

/// What no Lua code can be told.
pub(super) fn report(message: &str) {
    eprintln!("cthunk: {message}");
}

/// How deep callbacks may be inside callbacks. PUC Lua and Luau stop a little later by themselves (200, `LUAI_MAXCCALLS`);
/// LuaJIT does not look at C's stack.
const MAX_NESTED: u32 = 180;

fn enter(state: &State, callback: &Callback, frame: *mut u8, errno: c_int) {
    let head = state.head();
    if head.pending.get() != 0 {
        // An earlier callback of this C call failed: C gets zeros until it returns.
        return;
    }
    let outer = head.current.replace(ptr::null_mut());
    let lua = if outer.is_null() { state.main } else { outer };
    let mut entry = Entry { callback, head, frame, errno };
    // SAFETY: `lua` is the thread of the C call in progress, or the main thread: alive, and not running Lua code. The two
    // pushes allocate nothing on Lua 5.2 and later beyond the stack that `lua_checkstack` grows without raising.
    let failed = unsafe {
        if sys::lua_checkstack(lua, 4) == 0 {
            head.current.set(outer);
            return report("Lua stack overflow in a callback");
        }
        let nested = state.nested.get();
        if nested == MAX_NESTED {
            Cx { lua, state }.push_bytes(b"C stack overflow: callbacks in callbacks");
            true
        } else {
            state.nested.set(nested + 1);
            sys::lua_pushcfunction(lua, run);
            sys::lua_pushlightuserdata(lua, (&raw mut entry).cast());
            let failed = sys::lua_pcall(lua, 1, 0, 0) != sys::LUA_OK;
            state.nested.set(nested);
            failed
        }
    };
    head.current.set(outer);
    if failed {
        // SAFETY: the error value is on top of the stack.
        unsafe { keep_error(state, callback, lua, outer.is_null()) };
    }
    system::set_errno(entry.errno);
}

/// Keeps the error on top of the stack for the C call in progress; prints it where there is none.
unsafe fn keep_error(state: &State, callback: &Callback, lua: *mut lua_State, outside: bool) {
    let cx = Cx { lua, state };
    if outside {
        let text =
            cx.bytes(-1).map_or("(error object is not a string)".into(), String::from_utf8_lossy);
        report(&format!("error in a callback '{}' outside of any call: {text}", callback.name()));
        cx.pop(1);
        return;
    }
    // Index 1 of this table always holds a value, so storing there allocates nothing.
    cx.push_anchor(Anchor::Pending);
    cx.insert(-2);
    cx.raw_set_integer(-2, 1);
    cx.pop(1);
    state.head().pending.set(1);
}

/// The protected part of a callback: a Lua C function whose only argument is its [`Entry`].
unsafe extern "C-unwind" fn run(lua: *mut lua_State) -> c_int {
    // SAFETY: `enter` calls this with its entry, which outlives the call.
    unsafe {
        let entry = &mut *sys::lua_touserdata(lua, 1).cast::<Entry>();
        guard_in(lua, entry.head, |cx| {
            let callback = &*entry.callback;
            cx.pop(1);
            if callback.is_freed() {
                return Err(LuaError::new(format!(
                    "callback '{}' was called after it was freed",
                    callback.name()
                )));
            }
            let count = callback.kind().parameters.len() as c_int;
            cx.ensure_stack(count + 4);
            callback.push(cx);
            for (&ty, &offset) in
                callback.kind().parameters.iter().zip(&callback.kind().body.frame.arguments)
            {
                let value = entry.frame.add(offset as usize);
                cx.state.learn_result(ty, value);
                match cx.state.kind(ty).is_aggregate() {
                    true => convert::push_copy(cx, ty, value)?,
                    false => convert::push(cx, ty, value, 0)?,
                }
            }
            system::set_errno(entry.errno);
            sys::lua_call(lua, count, 1);
            entry.errno = system::errno();
            result(cx, callback.kind(), entry.frame)?;
            Ok(0)
        })
    }
}

/// Converts the value on top of the stack to the callback's result.
unsafe fn result(cx: &Cx<'_>, callback: &CallbackKind, frame: *mut u8) -> Result<(), LuaError> {
    let void = matches!(cx.state.kind(callback.result), Kind::Void);
    if void {
        return Ok(());
    }
    // SAFETY: the Frame's result slot has room for the result type.
    unsafe {
        convert::to_c(cx, -1, callback.result, frame.add(callback.body.frame.result as usize))
    }
    .map_err(|error| match error {
        LuaError::Message(message) => {
            LuaError::new(format!("bad result of callback '{}' ({message})", callback.ty))
        }
        other => other,
    })
}
