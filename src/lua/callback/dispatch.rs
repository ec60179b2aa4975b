//! From the slot of a callback, which C called, to its Lua function and back.
//!
//! [`fast`](super::fast) makes the call if the state has fast paths and C passes numbers and pointers. Otherwise the values are converted here, through
//! Lua's C API. Both run the Lua function protected.

use std::ffi::c_int;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering;

use mlua::ffi as sys;

use super::Callbacks;
use super::deferred;
use super::fast;
use super::last_words;
use super::other_thread;
use super::record::Callback;
use super::terms;
use super::traceback;
use super::transition::{self, CallbackScope, keeping_errno};
use crate::code::os;
use crate::code::{self, Slot};
use crate::lua::state::head::Head;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx, LuaError, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType, Results, handed, lua_State};

/// The dispatcher of every callback: C has called, the arguments are in the Frame.
///
/// # Safety
/// - The stub of a callback alone calls it, with its own slot (*Slot*) and the Frame that its body made (*Frame*).
pub(in crate::lua) unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
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
///
/// # Safety
/// - *Slot*.
/// - *Frame*.
#[cold]
unsafe fn dispatch_visitor(slot: *const Slot, frame: *mut u8) {
    // SAFETY: *Slot* and *Frame*, kept by the caller.
    unsafe {
        let visitors = &raw const (*slot).visitors;
        (*visitors).fetch_add(1, Ordering::Acquire);
        let callback = &*(*slot).data.cast::<Callback>();
        match api::SEND && callback.link().runs_here() {
            true => running(callback, || call(callback, frame)),
            false => other_thread::enter(callback, frame),
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
/// - *Frame* (see `callback`).
/// - This is the thread that runs the callback's state, unless that is closed.
#[inline(always)]
unsafe fn call(callback: &Callback, frame: *mut u8) {
    // SAFETY: *Frame*, kept by the caller. What is quick of a callback lives as long as its kind, and is null once the state is
    // closed: so *Own thread* holds.
    unsafe {
        let quick = callback.quick.get();
        if quick.is_null() || !fast::enter(callback, &*quick, frame) {
            call_general(callback, frame);
        }
    }
}

/// Makes the call through Lua's C API.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - This is the thread that runs the callback's state, unless that is closed.
#[cold]
unsafe fn call_general(callback: &Callback, frame: *mut u8) {
    let errno = os::errno();
    // SAFETY: a link leads to a state that is not closed, or nowhere. The Frame has a slot for the result; whatever goes wrong, C
    // gets zeros.
    let state = unsafe {
        callback.result_bytes(frame).fill(0);
        callback.link().state()
    };
    let entered = catch_unwind(AssertUnwindSafe(|| match state {
        Some(state) => enter(state, callback, frame, errno),
        None if callback.terms().count_answered() > 0 => {}
        None => {
            report(format_args!("'{}' was called after its Lua state was closed", callback.name()))
        }
    }));
    if entered.is_err() {
        report(format_args!("internal error in a callback '{}'", callback.name()));
    }
}

/// One call of a callback, for the protected part.
pub(in crate::lua) struct Entry {
    pub(in crate::lua) callback: *const Callback,
    pub(in crate::lua) head: *const Head,
    pub(in crate::lua) frame: *mut u8,
    pub(in crate::lua) errno: c_int,
}

/// Makes a call that waited for a safe point of the state, with the `errno` that it came with; returns the one that it leaves. Its
/// errors are reported.
///
/// # Safety
/// - *Frame* (see `callback`), its result zeroed.
pub(in crate::lua) unsafe fn serve(
    cx: &Cx<'_>,
    callback: &Callback,
    frame: *mut u8,
    errno: c_int,
) -> c_int {
    let mut left = errno;
    let native = || {
        os::set_errno(errno);
        running(callback, || {
            let entered =
                catch_unwind(AssertUnwindSafe(|| enter(cx.state, callback, frame, errno)));
            if entered.is_err() {
                report(format_args!("internal error in a callback '{}'", callback.name()));
            }
        });
        left = os::errno();
    };
    let error = || {
        let text =
            cx.bytes(-1).map_or("(error object is not a string)".into(), String::from_utf8_lossy);
        report(format_args!("error in a callback '{}' that was queued: {text}", callback.name()));
    };
    let target = cx.state.given().target.replace(ptr::null());
    keeping_errno(|| transition::across_within(cx, native, error));
    cx.state.given().target.set(target);
    left
}

/// Writes a message that no Lua code can get to standard error. It locks and allocates nothing: callbacks may be signal handlers.
pub(in crate::lua) fn report(message: impl fmt::Display) {
    let mut line = Line { text: [0; 1024], len: 0 };
    _ = writeln!(line, "cthunk: {message}");
    line.flush();
}

/// Text on its way to standard error.
struct Line {
    text: [u8; 1024],
    len: usize,
}

impl Line {
    fn flush(&mut self) {
        os::write_error(&self.text[..self.len]);
        self.len = 0;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.as_bytes().chunks(self.text.len()) {
            if piece.len() > self.text.len() - self.len {
                self.flush();
            }
            self.text[self.len..][..piece.len()].copy_from_slice(piece);
            self.len += piece.len();
        }
        Ok(())
    }
}

/// How deep callbacks may be inside callbacks. PUC Lua and Luau stop a little later by themselves (200, `LUAI_MAXCCALLS`);
/// LuaJIT does not look at C's stack.
const MAX_NESTED: u32 = 180;

fn enter(state: &State, callback: &Callback, frame: *mut u8, errno: c_int) {
    let head = state.head();
    let scope = CallbackScope::open(head);
    // SAFETY: the Frame is the callback's, and this is the thread that runs the state, which is open.
    if scope.is_none() && !unsafe { deferred::admits(state, callback, frame) } {
        return;
    }
    if head.boundary.has_error() {
        // An earlier callback of this C call failed: C gets zeros until it returns.
        return;
    }
    enter_on(state, callback, scope.as_ref(), frame, errno);
}

/// Keys of the table of [`Anchor::Pending`], beside those of `traceback`: what callbacks push where no error may be raised.
const RUN: i64 = 8;
const OVERFLOW: i64 = 9;

/// Makes what callbacks push. May raise (out of memory).
pub(super) fn make_ready(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Pending);
    cx.raw_get_integer(-1, OVERFLOW);
    let made = cx.type_of(-1) != LuaType::Nil;
    cx.pop(1);
    if !made {
        // SAFETY: a C function is running, with free stack slots.
        unsafe { api::push_c_function(cx.lua, run) };
        cx.raw_set_integer(-2, RUN);
        cx.push_bytes(b"C stack overflow: callbacks in callbacks");
        cx.raw_set_integer(-2, OVERFLOW);
    }
    cx.pop(1);
}

/// Pushes what [`make_ready`] has made.
fn push_ready(cx: &Cx<'_>, key: i64) {
    cx.push_anchor(Anchor::Pending);
    cx.raw_get_integer(-1, key);
    cx.remove(-2);
}

/// [`enter`] on the thread of the C call in progress, or where there is none on the main thread.
fn enter_on(
    state: &State,
    callback: &Callback,
    scope: Option<&CallbackScope<'_>>,
    frame: *mut u8,
    errno: c_int,
) {
    let (head, lua) = (state.head(), scope.map_or(state.main, CallbackScope::lua));
    let mut entry = Entry { callback, head, frame, errno };
    // SAFETY: `lua` is the thread of the C call in progress, or the main thread: alive, and not running Lua code. The pushes
    // allocate nothing beyond the stack that `lua_checkstack` grows without raising.
    let failed = unsafe {
        if sys::lua_checkstack(lua, 5) == 0 {
            return report("Lua stack overflow in a callback");
        }
        let nested = Callbacks::of(state).nested.get();
        if nested == MAX_NESTED {
            push_ready(&Cx::new(lua, state), OVERFLOW);
            true
        } else {
            Callbacks::of(state).nested.set(nested + 1);
            push_ready(&Cx::new(lua, state), RUN);
            let _handing = handed::hand(lua, &raw mut entry);
            let failed = match state.options.traceback.get() {
                true => traceback::call(lua, state),
                false => sys::lua_pcall(lua, 1, 0, 0) != sys::LUA_OK,
            };
            Callbacks::of(state).nested.set(nested);
            failed
        }
    };
    if failed {
        // SAFETY: the error value is on top of the stack.
        unsafe { keep_error(state, callback, lua, scope.is_none()) };
    }
    os::set_errno(entry.errno);
}

/// Keeps the error on top of the stack for the C call in progress; prints it where there is none.
///
/// # Safety
/// - *Own thread*, and `lua` is a thread of the state, with free stack slots.
/// - The error is on top of the stack.
pub(super) unsafe fn keep_error(
    state: &State,
    callback: &Callback,
    lua: *mut lua_State,
    outside: bool,
) {
    // SAFETY: `lua` is a thread of the state, with free stack slots, as the caller promises.
    let cx = unsafe { Cx::new(lua, state) };
    if outside {
        let text =
            cx.bytes(-1).map_or("(error object is not a string)".into(), String::from_utf8_lossy);
        report(format_args!(
            "error in a callback '{}' outside of any call: {text}",
            callback.name()
        ));
        cx.pop(1);
        return;
    }
    last_words::keep(&cx, callback);
    transition::keep_error(&cx);
}

/// The protected part of a callback: a Lua C function whose only argument is its [`Entry`].
///
/// # Safety
/// - *C function*.
unsafe extern "C-unwind" fn run(lua: *mut lua_State) -> Results {
    // SAFETY: functions of this room alone hand an entry over, which outlives the call.
    unsafe {
        let entry = &mut *handed::take::<Entry>(lua, 1);
        guard_in(lua, entry.head, |cx| {
            let callback = &*entry.callback;
            cx.set_top(0);
            if callback.is_freed() {
                return Err(LuaError::new(format!(
                    "callback '{}' was called after it was freed",
                    callback.name()
                )));
            }
            let count = callback.kind().parameters.len() as c_int;
            cx.ensure_stack(count + 4);
            callback.push(cx);
            let parameters = callback.kind().parameters.iter();
            let places = parameters.zip(&callback.kind().body.frame.arguments);
            for (index, (&ty, &offset)) in places.enumerate() {
                let value = entry.frame.add(offset as usize);
                if cx.state.checked() {
                    terms::learn_argument(cx, callback.function(), index, ty, value);
                } else {
                    State::learn_result(cx, ty, value);
                }
                match cx.state.kind(ty).is_aggregate() {
                    true => to_c::push_copy(cx, ty, value)?,
                    false => to_c::push(cx, ty, value, 0)?,
                }
            }
            os::set_errno(entry.errno);
            sys::lua_call(lua, count, 1);
            entry.errno = os::errno();
            result(cx, callback, entry.frame)?;
            Ok(0)
        })
    }
}

/// Converts the value on top of the stack to the callback's result.
///
/// # Safety
/// - *Frame*.
/// - The result is on top of the stack.
pub(in crate::lua) unsafe fn result(
    cx: &Cx<'_>,
    callback: &Callback,
    frame: *mut u8,
) -> Result<(), LuaError> {
    let callback_function = callback.function();
    let callback = callback.kind();
    let void = matches!(cx.state.kind(callback.result), Kind::Void);
    if void {
        return Ok(());
    }
    // SAFETY: the Frame's result slot has room for the result type.
    let converted = unsafe {
        let place = frame.add(callback.body.frame.result as usize);
        let (index, ty) = (cx.top(), callback.result);
        let converted = to_c::to_c(cx, index, ty, place).and_then(|()| {
            let Kind::Pointer(_) = cx.state.kind(ty) else { return Ok(()) };
            let value = cx.state.load_pointer(place) as usize;
            terms::permit_result(cx, callback_function, index, ty, value)
        });
        if converted.is_err() {
            place.write_bytes(0, callback.result_size);
        }
        converted
    };
    let named = |message| format!("bad result of callback '{}' ({message})", callback.ty);
    converted.map_err(|error| match error {
        LuaError::Message(message) => LuaError::new(named(message)),
        LuaError::Refused(n, message) => LuaError::Refused(n, named(message)),
        other => other,
    })
}
