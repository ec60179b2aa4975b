//! Calls from C to Lua.
//!
//! A callback is a native function pointer with a Lua function behind it. C calls the stub, the compiled body of its
//! shape makes a Frame, and [`dispatch`] runs the Lua function on the thread that made the C call, protected: an
//! error is kept in the state, C gets zeros, and the thunk of the C call raises it when C returns. Calls from threads that do
//! not run the state are the matter of [`super::foreign`].
//!
//! Nothing here lets an error or a panic cross a C frame.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

use mlua::ffi as sys;

use super::access::{self, Place};
use super::api::{self, LuaType, lua_State};
use super::clib::system;
use super::convert;
use super::foreign::{self, Queue, Terms};
use super::kind::Kind;
use super::stack;
use super::state::{Anchor, Cx, Head, LuaError, State, guard_in};
use crate::abi::{Convention, FrameLayout, Signature};
use crate::code::{self, Mode, Slot};
use crate::ctype::{QualType, Type as CType, TypeId};

/// What a callback's slot leads to. It belongs to the slot, until another callback takes that.
pub(super) struct Callback {
    /// The state, null once it is closed.
    state: Arc<Link>,
    /// The Lua function in the registry; `LUA_NOREF` once the callback is freed.
    function: AtomicI32,
    /// The same as a value of Lua's stack, where the state is in place.
    value: Cell<stack::Kept>,
    /// Its calls that have not returned.
    running: Cell<u32>,
    /// Its slot, where it was freed while it ran, and another callback must not take that yet.
    retired: Cell<Option<code::Callback>>,
    kind: Arc<CallbackKind>,
    /// What becomes of calls from other threads.
    terms: Terms,
}

/// What the callbacks of a function type have in common.
pub(super) struct CallbackKind {
    /// The function type as C prints it.
    ty: String,
    convention: &'static Convention,
    body: code::Body,
    parameters: Box<[QualType]>,
    result: QualType,
    frame: FrameLayout,
    /// Bytes of the result.
    result_size: usize,
    /// How arguments and result convert in place, by their offsets in the Frame; `None` where they do not.
    quick: Option<Quick>,
}

// SAFETY: it never changes, and its pointers are identities of tables that only the thread of the state uses. Another thread
// may drop it: when a callback of another state takes the slot.
unsafe impl Send for CallbackKind {}
// SAFETY: the same.
unsafe impl Sync for CallbackKind {}

/// The conversions of a callback in place.
struct Quick {
    parameters: Box<[Place]>,
    /// `None`: there is no result.
    result: Option<Place>,
    /// Whether every argument is a number or boolean, so that nothing is allocated before the Lua function runs.
    scalars: bool,
}

/// The way from a callback to its state.
#[derive(Default)]
pub(super) struct Link {
    state: AtomicPtr<State>,
    /// The calls that wait for the state's thread.
    pub(super) queue: Queue,
    /// The thread of the C call in progress, or 0, where threads hand the state to one another: it has mlua's lock.
    thread: AtomicUsize,
}

impl Link {
    /// Says where the state is; null when it closes.
    pub(super) fn set(&self, state: *const State) {
        self.state.store(state.cast_mut(), Ordering::Release);
    }

    /// Says that a C call begins on this thread; returns what [`Link::end_call`] takes.
    pub(super) fn begin_call(&self) -> usize {
        self.thread.swap(foreign::this_thread(), Ordering::Relaxed)
    }

    /// Says that the call has returned.
    pub(super) fn end_call(&self, outer: usize) {
        self.thread.store(outer, Ordering::Relaxed);
    }
}

impl Callback {
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.state.queue
    }

    /// Its type as C prints it.
    pub(super) fn name(&self) -> &str {
        &self.kind.ty
    }

    /// The bytes of the result in a Frame.
    ///
    /// # Safety
    /// The Frame is one of the callback's kind.
    pub(super) unsafe fn result_bytes<'f>(&self, frame: *mut u8) -> &'f mut [u8] {
        let (offset, size) = (self.kind.frame.result as usize, self.kind.result_size);
        // SAFETY: the Frame has a slot for the result.
        unsafe { std::slice::from_raw_parts_mut(frame.add(offset), size) }
    }

    /// The bytes of the Lua value at `index` as a result.
    pub(super) fn answer(&self, cx: &Cx<'_>, index: c_int) -> Result<Box<[u8]>, LuaError> {
        let ty = self.kind.result;
        let scalar =
            self.kind.result_size <= mem::size_of::<u128>() && !cx.state.kind(ty).is_aggregate();
        if !scalar || matches!(cx.state.kind(ty), Kind::Void) {
            let ty = cx.state.repr(ty);
            return Err(LuaError::Argument(
                index,
                format!("no default value for a result of type '{ty}'"),
            ));
        }
        let mut bytes = [0_u128; 1];
        let at = bytes.as_mut_ptr().cast::<u8>();
        // SAFETY: the result has as many bytes at most.
        unsafe {
            convert::to_c(cx, index, ty, at)?;
            Ok(std::slice::from_raw_parts(at, self.kind.result_size).into())
        }
    }
}

/// Makes a C function pointer of function type `ty` that calls the Lua function at `index`.
///
/// # Errors
/// A type that no callback can have (variadic, aggregates by value, an unsupported convention).
pub(super) unsafe fn create(
    cx: &Cx<'_>,
    ty: TypeId,
    index: c_int,
) -> Result<*const c_void, LuaError> {
    cx.state.machine.check_runs()?;
    cx.state.permit_callback()?;
    let kind = kind(cx, ty)?;
    let (convention, body) = (kind.convention, kind.body);
    cx.push_value(index);
    let value = stack::keep(cx);
    // Out of memory leaks the reference to the kind.
    let function = cx.make_reference();
    let state = cx.state.link.clone();
    let function = AtomicI32::new(function);
    let callback = Box::new(Callback {
        state,
        function,
        value: Cell::new(value),
        running: Cell::new(0),
        retired: Cell::new(None),
        kind,
        terms: Terms::new(cx.state.options.foreign_answered.get()),
    });
    let data = Box::into_raw(callback).cast_const().cast();
    // With threads that take turns, only the state knows which one runs it.
    let owner = if api::SEND { 0 } else { foreign::this_thread() };
    let slot = match code::Callback::new(convention, body, dispatch, data, drop_data, owner) {
        Ok(slot) => slot,
        Err(error) => {
            // SAFETY: `into_raw` just above; nobody else has it.
            let callback = unsafe { Box::from_raw(data.cast_mut().cast::<Callback>()) };
            unreference(cx.lua, callback.function.load(Ordering::Relaxed));
            return Err(failed(error));
        }
    };
    cx.state.callbacks.borrow_mut().insert(slot.address() as usize, slot);
    cx.state.learn_function(ty, slot.address());
    Ok(slot.address())
}

/// [`create`] for a Lua function that is passed where C wants a function pointer. C may keep the pointer, so it is never
/// freed; the same function passed again for the same type is the same pointer.
pub(super) unsafe fn implicit(
    cx: &Cx<'_>,
    ty: TypeId,
    index: c_int,
) -> Result<*const c_void, LuaError> {
    let top = cx.top();
    cx.push_anchor(Anchor::Implicit);
    cx.push_value(index);
    cx.raw_get(-2);
    if cx.type_of(-1) != LuaType::Table {
        cx.pop(1);
        cx.new_table(0, 1);
        cx.push_value(index);
        cx.push_value(-2);
        cx.raw_set(-4);
    }
    cx.raw_get_integer(-1, ty.index() as i64);
    let mut address = cx.userdata(-1).cast_const();
    if address.is_null() {
        // SAFETY: the caller's promise.
        address = unsafe { create(cx, ty, index)? };
        cx.pop(1);
        cx.push_light(address.cast_mut());
        cx.raw_set_integer(-2, ty.index() as i64);
    }
    cx.set_top(top);
    Ok(address)
}

fn failed(error: impl std::fmt::Display) -> LuaError {
    LuaError::new(error.to_string())
}

/// What callbacks of a function type have in common, found out at the first one.
fn kind(cx: &Cx<'_>, ty: TypeId) -> Result<Arc<CallbackKind>, LuaError> {
    if let Some(kind) = cx.state.callback_kinds.borrow().get(&ty) {
        return Ok(Arc::clone(kind));
    }
    let kind = Arc::new(describe(cx, ty)?);
    cx.state.callback_kinds.borrow_mut().insert(ty, Arc::clone(&kind));
    Ok(kind)
}

fn describe(cx: &Cx<'_>, ty: TypeId) -> Result<CallbackKind, LuaError> {
    let mut kind = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let CType::Function(function) = table.get(ty) else {
            return Err(LuaError::new("a callback needs a function type"));
        };
        if function.variadic {
            return Err(LuaError::new(format!(
                "a variadic function cannot be a callback: '{}'",
                table.repr(ty.into())
            )));
        }
        let (signature, convention) =
            Signature::of(table, &cx.state.machine.target, ty, &[]).map_err(failed)?;
        if Mode::current() == Mode::Compiled {
            cx.state.count_thunk(
                || code::find(&code::Kind::Callback, &signature, convention),
                || code::callback_body(&signature, convention),
            )?;
        }
        CallbackKind {
            ty: table.repr(ty.into()),
            convention,
            body: code::Body::of(&signature, convention).map_err(failed)?,
            parameters: function.params.clone(),
            result: function.result,
            frame: FrameLayout::of(&signature),
            result_size: signature.result.size as usize,
            quick: None,
        }
    };
    kind.quick = quick(cx, &kind);
    Ok(kind)
}

fn quick(cx: &Cx<'_>, kind: &CallbackKind) -> Option<Quick> {
    if !cx.state.calls_in_place() {
        return None;
    }
    let place = |ty, offset: u32| access::place(cx, ty, offset as isize, None);
    let parameters = kind.parameters.iter().zip(&kind.frame.arguments);
    let parameters: Box<[Place]> =
        parameters.map(|(&ty, &offset)| place(ty, offset)).collect::<Option<_>>()?;
    let result = match cx.state.kind(kind.result) {
        Kind::Void => None,
        _ => Some(place(kind.result, kind.frame.result)?),
    };
    let plain = |place: &Place| place.is_scalar() || place.is_boxed();
    let scalars = parameters.iter().all(Place::is_scalar);
    parameters.iter().chain(&result).all(plain).then_some(Quick { parameters, result, scalars })
}

fn unreference(lua: *mut lua_State, reference: c_int) {
    // SAFETY: a reference that `luaL_ref` gave; freeing one does not allocate.
    unsafe { sys::luaL_unref(lua, sys::LUA_REGISTRYINDEX, reference) }
}

/// # Safety
/// `data` came from `Box::into_raw` and is dropped once.
unsafe fn drop_data(data: *const c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<Callback>()) });
}

/// The callback in use at `address`, of this state.
fn find(cx: &Cx<'_>, address: *const c_void) -> Result<code::Callback, LuaError> {
    let found = cx.state.callbacks.borrow().get(&(address as usize)).copied();
    found.ok_or_else(|| {
        LuaError::new(if code::Callback::is_free(address) {
            "the callback was already freed"
        } else {
            "not a callback of this Lua state"
        })
    })
}

fn data(callback: code::Callback) -> *const Callback {
    callback.data().cast()
}

/// The callback of this state at an address.
///
/// # Errors
/// Not a callback, or freed.
pub(super) fn own(cx: &Cx<'_>, address: *const c_void) -> Result<*const Callback, LuaError> {
    find(cx, address).map(data)
}

/// `cb:free()`
///
/// # Errors
/// Not a callback, or already freed.
pub(super) unsafe fn free(cx: &Cx<'_>, address: *const c_void) -> Result<(), LuaError> {
    let callback = find(cx, address)?;
    // SAFETY: the slot holds the data until another callback takes it.
    let freed = unsafe { &*data(callback) };
    unreference(cx.lua, freed.function.swap(sys::LUA_NOREF, Ordering::Relaxed));
    cx.state.callbacks.borrow_mut().remove(&(address as usize));
    cx.state.functions.borrow_mut().remove(&(address as usize));
    match freed.running.get() {
        0 => callback.release(),
        _ => freed.retired.set(Some(callback)),
    }
    Ok(())
}

/// `cb:set(function)`
///
/// # Errors
/// As [`free`].
pub(super) unsafe fn set(
    cx: &Cx<'_>,
    address: *const c_void,
    index: c_int,
) -> Result<(), LuaError> {
    let callback = find(cx, address)?;
    cx.push_value(index);
    let value = stack::keep(cx);
    let function = cx.make_reference();
    // SAFETY: as in `free`.
    let callback = unsafe { &*data(callback) };
    callback.value.set(value);
    unreference(cx.lua, callback.function.swap(function, Ordering::Relaxed));
    Ok(())
}

/// Gives every callback of a closing state back; a late call finds that the state is gone.
pub(super) fn close(state: &State) {
    state.link.set(ptr::null());
    state.link.queue.close();
    for (_, callback) in state.callbacks.borrow_mut().drain() {
        callback.release();
    }
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

/// One call of a callback, for [`run`].
struct Entry {
    callback: *const Callback,
    head: *const Head,
    frame: *mut u8,
    errno: c_int,
}

/// The dispatcher of every callback: C has called, the arguments are in the Frame.
unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: the body passes its slot, whose data is a `Callback` that the slot keeps alive, and its Frame.
    unsafe {
        if (*slot).owner.load(Ordering::Relaxed) == foreign::this_thread() {
            let callback = &*(*slot).data.cast::<Callback>();
            return running(callback, || call(callback, frame));
        }
        let visitors = &raw const (*slot).visitors;
        (*visitors).fetch_add(1, Ordering::Acquire);
        let callback = &*(*slot).data.cast::<Callback>();
        let here = callback.state.thread.load(Ordering::Relaxed) == foreign::this_thread();
        match api::SEND && here {
            true => running(callback, || call(callback, frame)),
            false => foreign::enter(callback, frame),
        }
        (*visitors).fetch_sub(1, Ordering::Release);
    }
}

/// Runs a call of a callback on the state's thread. If the callback is freed meanwhile, its slot is given back afterwards.
fn running(callback: &Callback, call: impl FnOnce()) {
    callback.running.set(callback.running.get() + 1);
    call();
    callback.running.set(callback.running.get() - 1);
    if callback.running.get() == 0
        && let Some(slot) = callback.retired.take()
    {
        slot.release();
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
            report(&format!("internal error in a callback '{}'", callback.kind.ty));
        }
    });
    let left = system::errno();
    if head.pending.get() != 0 {
        push_pending(cx);
        let text =
            cx.bytes(-1).map_or("(error object is not a string)".into(), String::from_utf8_lossy);
        report(&format!("error in a callback '{}' of another thread: {text}", callback.kind.ty));
        cx.pop(1);
    }
    head.current.set(outer);
    head.pending.set(pending);
    system::set_errno(own);
    left
}

/// # Safety
/// The Frame is one of the callback's kind.
unsafe fn call(callback: &Callback, frame: *mut u8) {
    // SAFETY: a link leads to a state that is not closed, or nowhere.
    let state = unsafe { callback.state.state.load(Ordering::Acquire).as_ref() };
    if let Some(state) = state
        && let Some(quick) = &callback.kind.quick
        // SAFETY: the caller's promise.
        && unsafe { enter_in_place(state, callback, quick, frame) }
    {
        return;
    }
    let errno = system::errno();
    // SAFETY: the Frame has a slot for the result. Whatever goes wrong, C gets zeros.
    unsafe {
        let result = frame.add(callback.kind.frame.result as usize);
        result.write_bytes(0, callback.kind.result_size);
    }
    let entered = catch_unwind(AssertUnwindSafe(|| match state {
        Some(state) => enter(state, callback, frame, errno),
        None => {
            report(&format!("'{}' was called after its Lua state was closed", callback.kind.ty))
        }
    }));
    if entered.is_err() {
        report(&format!("internal error in a callback '{}'", callback.kind.ty));
    }
}

/// Makes the call on Lua's stack as memory. Returns false, with nothing done, where that is not possible.
///
/// Nothing here changes `errno`: the Lua function sees what C left, and C what the Lua function left.
///
/// # Safety
/// The Frame is one of the callback's kind.
unsafe fn enter_in_place(
    state: &State,
    callback: &Callback,
    quick: &Quick,
    frame: *mut u8,
) -> bool {
    let head = state.head();
    let outer = head.current.get();
    let lua = if outer.is_null() { state.main } else { outer };
    let count = quick.parameters.len() as c_int;
    let freed = callback.function.load(Ordering::Relaxed) == sys::LUA_NOREF;
    if head.pending.get() != 0 || head.chosen.get() || freed {
        return false;
    }
    let mut entry = Entry { callback, head, frame, errno: 0 };
    // SAFETY: as in `enter`. Numbers allocate nothing; whatever does is done under protection.
    let failed = unsafe {
        if !stack::has_room(lua, count + 4) && sys::lua_checkstack(lua, count + 4) == 0 {
            return false;
        }
        if quick.scalars {
            stack::push(lua).restore(callback.value.get());
            push_arguments(lua, quick, frame);
            let results = c_int::from(quick.result.is_some());
            let failed = sys::lua_pcall(lua, count, results, 0) != sys::LUA_OK;
            failed
                || !take_result(lua, quick, frame) && {
                    sys::lua_pushcfunction(lua, convert_result);
                    sys::lua_insert(lua, -2);
                    sys::lua_pushlightuserdata(lua, (&raw mut entry).cast());
                    sys::lua_pcall(lua, 2, 0, 0) != sys::LUA_OK
                }
        } else {
            sys::lua_pushcfunction(lua, run_in_place);
            sys::lua_pushlightuserdata(lua, (&raw mut entry).cast());
            sys::lua_pcall(lua, 1, 0, 0) != sys::LUA_OK
        }
    };
    head.current.set(outer);
    if failed {
        let errno = system::errno();
        // SAFETY: the error value is on top of the stack; the Frame has a slot for the result.
        unsafe {
            let result = frame.add(callback.kind.frame.result as usize);
            result.write_bytes(0, callback.kind.result_size);
            keep_error(state, callback, lua, outer.is_null());
        }
        system::set_errno(errno);
    }
    true
}

/// # Safety
/// There are free stack slots for the arguments in the Frame. May raise unless all of them are scalars.
#[inline]
unsafe fn push_arguments(lua: *mut lua_State, quick: &Quick, frame: *const u8) {
    for place in &quick.parameters {
        // SAFETY: the caller's promise; offsets are within the Frame.
        unsafe {
            let value = frame.offset(place.offset);
            if place.is_boxed() {
                access::push_boxed(lua, value, place);
            } else {
                access::set_number(stack::push(lua), value, place);
            }
        }
    }
}

/// Pops the result, if there is one, into the Frame; false, with the value left where it is, where it is not what is usual.
///
/// # Safety
/// The result is on top of the stack.
#[inline]
unsafe fn take_result(lua: *mut lua_State, quick: &Quick, frame: *mut u8) -> bool {
    let Some(place) = &quick.result else { return true };
    // SAFETY: the caller's promise; the offset is within the Frame.
    unsafe {
        // A narrow result leaves zeros above it in its slot.
        let to = frame.offset(place.offset);
        to.cast::<u64>().write(0);
        let result = stack::top(lua);
        let taken = access::assign_number(result, to, place) || access::assign(result, to, place);
        if taken {
            stack::pop(lua);
        }
        taken
    }
}

/// A Lua C function: converts the value at 1 to the result of the [`Entry`] at 2.
unsafe extern "C-unwind" fn convert_result(lua: *mut lua_State) -> c_int {
    // SAFETY: `enter_in_place` calls this with its entry, which outlives the call.
    unsafe {
        let entry = &*sys::lua_touserdata(lua, 2).cast::<Entry>();
        guard_in(lua, entry.head, |cx| {
            cx.set_top(1);
            result(cx, &(*entry.callback).kind, entry.frame)?;
            Ok(0)
        })
    }
}

/// A Lua C function: [`run`] for a callback that converts in place.
unsafe extern "C-unwind" fn run_in_place(lua: *mut lua_State) -> c_int {
    // SAFETY: `enter_in_place` calls this with its entry, which outlives the call, and has made room on the stack.
    unsafe {
        let entry = sys::lua_touserdata(lua, 1).cast::<Entry>();
        let callback = &*(*entry).callback;
        let Some(quick) = &callback.kind.quick else { return 0 };
        let count = quick.parameters.len() as c_int;
        sys::luaL_checkstack(lua, count + 4, ptr::null());
        stack::push(lua).restore(callback.value.get());
        push_arguments(lua, quick, (*entry).frame);
        sys::lua_call(lua, count, c_int::from(quick.result.is_some()));
        if !take_result(lua, quick, (*entry).frame) {
            sys::lua_replace(lua, 1);
            return guard_in(lua, (*entry).head, |cx| {
                cx.set_top(1);
                result(cx, &callback.kind, (*entry).frame)?;
                Ok(0)
            });
        }
        0
    }
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
    let outer = head.current.get();
    let lua = if outer.is_null() { state.main } else { outer };
    let mut entry = Entry { callback, head, frame, errno };
    // SAFETY: `lua` is the thread of the C call in progress, or the main thread: alive, and not running Lua code. The two
    // pushes allocate nothing on Lua 5.2 and later beyond the stack that `lua_checkstack` grows without raising.
    let failed = unsafe {
        if sys::lua_checkstack(lua, 4) == 0 {
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
        report(&format!("error in a callback '{}' outside of any call: {text}", callback.kind.ty));
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
            let function = callback.function.load(Ordering::Relaxed);
            if function == sys::LUA_NOREF {
                return Err(LuaError::new(format!(
                    "callback '{}' was called after it was freed",
                    callback.kind.ty
                )));
            }
            let count = callback.kind.parameters.len() as c_int;
            cx.ensure_stack(count + 4);
            sys::lua_rawgeti(lua, sys::LUA_REGISTRYINDEX, function.into());
            for (&ty, &offset) in
                callback.kind.parameters.iter().zip(&callback.kind.frame.arguments)
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
            result(cx, &callback.kind, entry.frame)?;
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
    unsafe { convert::to_c(cx, -1, callback.result, frame.add(callback.frame.result as usize)) }
        .map_err(|error| match error {
            LuaError::Message(message) => {
                LuaError::new(format!("bad result of callback '{}' ({message})", callback.ty))
            }
            other => other,
        })
}
