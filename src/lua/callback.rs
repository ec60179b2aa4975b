//! Calls from C to Lua.
//!
//! A callback is a native function pointer with a Lua function behind it. C calls the stub, the compiled body of its
//! shape makes a Frame, and [`dispatch`] runs the Lua function on the thread that made the C call, protected: an
//! error is kept in the state, C gets zeros, and the thunk of the C call raises it when C returns.
//!
//! Nothing here lets an error or a panic cross a C frame.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use mlua::ffi as sys;

use super::api::{LuaType, lua_State};
use super::clib::system;
use super::convert;
use super::state::{Anchor, Cx, LuaError, State, guard};
use crate::abi::{self, FrameLayout, Signature};
use crate::code::{self, Slot};
use crate::ctype::{QualType, Type as CType, TypeId};
use crate::target::Target;

/// What a callback's slot leads to. Shared by the state, while the callback is in use, and by its slot, until another
/// callback takes it.
pub(super) struct Callback {
    /// The state, null once it is closed.
    state: Arc<Link>,
    /// The Lua function in the registry; `LUA_NOREF` once the callback is freed.
    function: AtomicI32,
    /// The function type as C prints it.
    ty: String,
    parameters: Box<[QualType]>,
    result: QualType,
    frame: FrameLayout,
    /// Bytes of the result.
    result_size: usize,
}

/// The way from a callback to its state.
pub(super) struct Link(AtomicPtr<State>);

impl Link {
    pub(super) fn new() -> Arc<Link> {
        Arc::new(Link(AtomicPtr::new(ptr::null_mut())))
    }

    /// Says where the state is; null when it closes.
    pub(super) fn set(&self, state: *const State) {
        self.0.store(state.cast_mut(), Ordering::Release);
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
    let callback = describe(cx, ty)?;
    let (signature, convention) = {
        let types = cx.state.types.borrow();
        Signature::of(types.table(), &Target::host(), ty, &[]).map_err(failed)?
    };
    let body = code::callback_body(&signature, convention).map_err(failed)?;
    cx.push_value(index);
    // SAFETY: a function is on top of the stack. Out of memory leaks `callback` and nothing else.
    let function = unsafe { sys::luaL_ref(cx.lua, sys::LUA_REGISTRYINDEX) };
    callback.function.store(function, Ordering::Relaxed);
    let callback = Arc::new(callback);
    let data = Arc::into_raw(callback).cast();
    let slot = match code::Callback::new(convention, body, dispatch, data, drop_data) {
        Ok(slot) => slot,
        Err(error) => {
            // SAFETY: `into_raw` just above; nobody else has it.
            drop(unsafe { Arc::from_raw(data.cast::<Callback>()) });
            unreference(cx.lua, function);
            return Err(failed(error));
        }
    };
    cx.state.callbacks.borrow_mut().insert(slot.address() as usize, slot);
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

fn describe(cx: &Cx<'_>, ty: TypeId) -> Result<Callback, LuaError> {
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
    let (signature, convention) = Signature::of(table, &Target::host(), ty, &[]).map_err(failed)?;
    abi::plan(&signature, convention).map_err(failed)?;
    Ok(Callback {
        state: cx.state.link.clone(),
        function: AtomicI32::new(sys::LUA_NOREF),
        ty: table.repr(ty.into()),
        parameters: function.params.clone(),
        result: function.result,
        frame: FrameLayout::of(&signature),
        result_size: signature.result.size as usize,
    })
}

fn unreference(lua: *mut lua_State, reference: c_int) {
    // SAFETY: a reference that `luaL_ref` gave; freeing one does not allocate.
    unsafe { sys::luaL_unref(lua, sys::LUA_REGISTRYINDEX, reference) }
}

/// # Safety
/// `data` came from `Arc::into_raw` and is dropped once.
unsafe fn drop_data(data: *const c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Arc::from_raw(data.cast::<Callback>()) });
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

/// `cb:free()`
///
/// # Errors
/// Not a callback, or already freed.
pub(super) unsafe fn free(cx: &Cx<'_>, address: *const c_void) -> Result<(), LuaError> {
    let callback = find(cx, address)?;
    // SAFETY: the slot holds the data until another callback takes it.
    let function = unsafe { (*data(callback)).function.swap(sys::LUA_NOREF, Ordering::Relaxed) };
    unreference(cx.lua, function);
    cx.state.callbacks.borrow_mut().remove(&(address as usize));
    callback.release();
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
    // SAFETY: as in `free`; the new function is on top of the stack.
    unsafe {
        let function = sys::luaL_ref(cx.lua, sys::LUA_REGISTRYINDEX);
        unreference(cx.lua, (*data(callback)).function.swap(function, Ordering::Relaxed));
    }
    Ok(())
}

/// Gives every callback of a closing state back; a late call finds that the state is gone.
pub(super) fn close(state: &State) {
    state.link.set(ptr::null());
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
    frame: *mut u8,
    errno: c_int,
}

/// The dispatcher of every callback: C has called, the arguments are in the Frame.
unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    let errno = system::errno();
    // SAFETY: the body passes its slot, whose data is a `Callback` that the slot keeps alive.
    let callback = unsafe { &*(*slot).data.cast::<Callback>() };
    // SAFETY: the Frame has a slot for the result. Whatever goes wrong, C gets zeros.
    unsafe {
        frame.add(callback.frame.result as usize).write_bytes(0, callback.result_size);
    }
    let entered = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: a link leads to a state that is not closed, or nowhere.
        match unsafe { callback.state.0.load(Ordering::Acquire).as_ref() } {
            Some(state) => enter(state, callback, frame, errno),
            None => report(&format!("'{}' was called after its Lua state was closed", callback.ty)),
        }
    }));
    if entered.is_err() {
        report(&format!("internal error in a callback '{}'", callback.ty));
    }
}

/// What no Lua code can be told.
pub(super) fn report(message: &str) {
    log::error!("{message}");
    eprintln!("cthunk: {message}");
}

fn enter(state: &State, callback: &Callback, frame: *mut u8, errno: c_int) {
    let head = state.head();
    if head.pending.get() != 0 {
        // An earlier callback of this C call failed: C gets zeros until it returns.
        return;
    }
    let outer = head.current.get();
    let lua = if outer.is_null() { state.main } else { outer };
    let mut entry = Entry { callback, frame, errno };
    // SAFETY: `lua` is the thread of the C call in progress, or the main thread: alive, and not running Lua code. The two
    // pushes allocate nothing on Lua 5.2 and later beyond the stack that `lua_checkstack` grows without raising.
    let failed = unsafe {
        if sys::lua_checkstack(lua, 4) == 0 {
            return report("Lua stack overflow in a callback");
        }
        sys::lua_pushcfunction(lua, run);
        sys::lua_pushlightuserdata(lua, (&raw mut entry).cast());
        sys::lua_pcall(lua, 1, 0, 0) != sys::LUA_OK
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
        report(&format!("error in a callback '{}' outside of any call: {text}", callback.ty));
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
        guard(lua, |cx| {
            let entry = &mut *cx.userdata(1).cast::<Entry>();
            let callback = &*entry.callback;
            cx.pop(1);
            let function = callback.function.load(Ordering::Relaxed);
            if function == sys::LUA_NOREF {
                return Err(LuaError::new(format!(
                    "callback '{}' was called after it was freed",
                    callback.ty
                )));
            }
            let count = callback.parameters.len() as c_int;
            cx.ensure_stack(count + 4);
            sys::lua_rawgeti(lua, sys::LUA_REGISTRYINDEX, function.into());
            for (&ty, &offset) in callback.parameters.iter().zip(&callback.frame.arguments) {
                let value = entry.frame.add(offset as usize);
                match cx.state.kind(ty).is_aggregate() {
                    true => convert::push_copy(cx, ty, value)?,
                    false => convert::push(cx, ty, value, 0)?,
                }
            }
            system::set_errno(entry.errno);
            sys::lua_call(lua, count, 1);
            entry.errno = system::errno();
            result(cx, callback, entry.frame)?;
            Ok(0)
        })
    }
}

/// Converts the value on top of the stack to the callback's result.
unsafe fn result(cx: &Cx<'_>, callback: &Callback, frame: *mut u8) -> Result<(), LuaError> {
    let void = matches!(cx.state.kind(callback.result), super::kind::Kind::Void);
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
