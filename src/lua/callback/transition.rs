//! The boundary between Lua and C: what every call and every callback does when it crosses.
//!
//! ```text
//!               across, or emit::Across             CallbackScope
//!    Lua code ───────────────────────────▶ C code ────────────────▶ Lua code, and so on
//!             ◀───────────────────────────        ◀────────────────
//!               raises what a callback              keeps an error
//!               has caught                          for the call
//!
//!    current:   rest                       the calling thread       rest
//! ```
//!
//! - **A call of C** says which Lua thread calls ([`Boundary`]), makes the native call, restores the earlier thread, and looks for the
//!   error that a callback has caught. [`across`] does this for calls that Rust code makes, [`emit::Across`] for those of compiled code.
//!   A call that cannot come back to Lua does not need it: thunks of states that have never had a callback make the native call alone.
//! - **A callback** opens a [`CallbackScope`]: it says that Lua runs, and gives the thread of the call. Without a call in progress there is no scope.
//!   An error goes to [`keep_error`]; then C gets zeros from all callbacks until it returns.
//!
//! **errno.** The library has no copy of `errno`. The value that C leaves is the one that `ffi.errno()` and the next C function find; the value that a
//! callback's Lua code leaves is the one that C finds. So no code that may change it runs between C's return and the next Lua instruction, or between
//! C's call of a callback and the callback's Lua function; code that has to allocate there runs within [`keeping_errno`]. `ARCHITECTURE.md` lists all
//! such code.
//!
//! The module is in this room, not in `call`, because calls know callbacks, and callbacks do not know calls. The words themselves are a part of the
//! state's head.

use super::Callbacks;
use crate::code::os;
use crate::lua::state::boundary::{Boundary, Outer};
use crate::lua::state::head::Head;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx, LuaError, guard_in};
use crate::lua::vm::api::{self, Results, lua_State};

/// Makes a native call on behalf of Lua's thread `lua`, one of the state of `head`: callbacks that are called within `native` run at once, on that thread.
///
/// # Errors
/// A callback has caught an error. The value of `native` is lost.
#[inline(always)]
pub(in crate::lua) fn across<T>(
    lua: *mut lua_State,
    head: &Head,
    native: impl FnOnce() -> T,
) -> Result<T, Caught> {
    let call = CallScope::open(lua, head);
    let value = native();
    drop(call);
    match head.boundary.has_error() {
        false => Ok(value),
        true => Err(Caught(())),
    }
}

/// A C call in progress, until it is dropped.
struct CallScope<'h> {
    head: &'h Head,
    outer: Outer,
    /// The result of [`Link::begin_call`](super::owner::Link::begin_call).
    thread: usize,
}

impl CallScope<'_> {
    #[inline(always)]
    fn open(lua: *mut lua_State, head: &Head) -> CallScope<'_> {
        // SAFETY: *Open*: a state does not close while it calls C.
        let state = unsafe { head.state() }.filter(|_| api::SEND);
        let thread = state.map_or(0, |state| Callbacks::of(state).link.begin_call());
        CallScope { head, outer: head.boundary.begin_call(lua), thread }
    }
}

impl Drop for CallScope<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.head.boundary.end_call(&self.outer);
        // SAFETY: *Open*: a state does not close while it calls C.
        if let Some(state) = unsafe { self.head.state() }.filter(|_| api::SEND) {
            Callbacks::of(state).link.end_call(self.thread);
        }
    }
}

/// An error that a callback has caught, and that the call which led to it raises.
#[must_use = "the call raises the error"]
pub(in crate::lua) struct Caught(());

impl Caught {
    /// Raises it.
    ///
    /// # Safety
    /// - *C function* (see `vm`), of the head's state.
    /// - *Raise*.
    #[cold]
    pub(in crate::lua) unsafe fn raise(self, lua: *mut lua_State, head: &Head) -> Results {
        // SAFETY: *C function* and *Raise*, kept by the caller.
        unsafe { raise(lua, head) }
    }

    /// Pushes it; the call is to end with the error that is returned.
    pub(in crate::lua) fn into_error(self, cx: &Cx<'_>) -> LuaError {
        self.push(cx);
        LuaError::Value
    }

    /// Pushes the value that was raised, and forgets it.
    pub(super) fn push(self, cx: &Cx<'_>) {
        keeping_errno(|| drop(Callbacks::of(cx.state).last_words.take()));
        cx.push_anchor(Anchor::Pending);
        cx.raw_get_integer(-1, 1);
        cx.push_bool(false);
        cx.raw_set_integer(-3, 1);
        cx.remove(-2);
        cx.state.head().boundary.set_error(false);
    }
}

/// Raises the error that a callback has caught. Thunks call it.
///
/// # Safety
/// - *C function* (see `vm`), of the head's state, in which such an error is kept.
/// - *Raise*.
unsafe extern "C-unwind" fn raise(lua: *mut lua_State, head: *const Head) -> Results {
    // SAFETY: *C function* and *Raise*, kept by the caller.
    unsafe { guard_in(lua, head, |cx| Err(Caught(()).into_error(cx))) }
}

/// Pops an error that a callback has caught, for the C call in progress to raise when C returns.
pub(super) fn keep_error(cx: &Cx<'_>) {
    // Index 1 of this table always holds a value, so storing there allocates nothing.
    cx.push_anchor(Anchor::Pending);
    cx.insert(-2);
    cx.raw_set_integer(-2, 1);
    cx.pop(1);
    cx.state.head().boundary.set_error(true);
}

/// Makes a call as [`across`] does, at a safe point of the state, where an earlier error may wait for a C call further out. `report` finds the error
/// that a callback of this call has caught on top of the stack.
pub(super) fn across_within(cx: &Cx<'_>, native: impl FnOnce(), report: impl FnOnce()) {
    let head = cx.state.head();
    let words = Callbacks::of(cx.state).last_words.take();
    let earlier = head.boundary.has_error();
    if earlier {
        Caught(()).push(cx);
    }
    if let Err(caught) = across(cx.lua, head, native) {
        caught.push(cx);
        report();
        cx.pop(1);
    }
    if earlier {
        keep_error(cx);
        Callbacks::of(cx.state).last_words.set(words);
    }
}

/// A callback runs Lua code within a C call. When it is dropped, that call is in progress again.
pub(super) struct CallbackScope<'h> {
    boundary: &'h Boundary,
    lua: *mut lua_State,
}

impl CallbackScope<'_> {
    /// None: there is no C call in progress.
    #[inline(always)]
    pub(super) fn open(head: &Head) -> Option<CallbackScope<'_>> {
        let boundary = &head.boundary;
        let lua = boundary.calling()?;
        boundary.enter_lua();
        Some(CallbackScope { boundary, lua })
    }

    /// The thread of the C call. It runs nothing else.
    #[inline(always)]
    pub(super) fn lua(&self) -> *mut lua_State {
        self.lua
    }
}

impl Drop for CallbackScope<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.boundary.enter_c(self.lua);
    }
}

/// Runs `f`, and leaves `errno` as it was.
#[inline(always)]
pub(in crate::lua) fn keeping_errno<T>(f: impl FnOnce() -> T) -> T {
    let errno = os::errno();
    let value = f();
    os::set_errno(errno);
    value
}

/// The boundary in compiled code. There is none where threads hand a state to one another (feature `send`).
pub(in crate::lua) mod emit {
    use std::mem::offset_of;

    use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
    use cranelift_frontend::FunctionBuilder;

    use super::{Boundary, Head};

    const CURRENT: i32 = (offset_of!(Head, boundary) + Boundary::CURRENT) as i32;
    const REST: i32 = (offset_of!(Head, boundary) + Boundary::REST) as i32;
    const PENDING: i32 = (offset_of!(Head, boundary) + Boundary::PENDING) as i32;

    /// The address of the function that raises an error that a callback has caught: `extern "C-unwind" fn(lua, head) -> Results`.
    pub(in crate::lua) fn raise() -> usize {
        super::raise as *const () as usize
    }

    /// A word that is not 0 while calls of callbacks wait for a safe point.
    pub(in crate::lua) fn waiting_calls(
        b: &mut FunctionBuilder<'_>,
        pointer: ir::Type,
        head: Value,
    ) -> Value {
        b.ins().load(pointer, MemFlagsData::trusted(), head, REST)
    }

    /// A native call in compiled code, from the instruction before it to the one after it: as [`super::across`].
    pub(in crate::lua) struct Across {
        pub head: Value,
        /// The word of [`Boundary`] before the call, which stands there again after it; nothing where no call is in progress before.
        outer: Option<Value>,
        pointer: ir::Type,
    }

    impl Across {
        /// Right before the native call. `outermost`: it is known that no C call is in progress.
        pub(in crate::lua) fn begin(
            b: &mut FunctionBuilder<'_>,
            pointer: ir::Type,
            lua: Value,
            head: Value,
            outermost: bool,
        ) -> Across {
            let flags = MemFlagsData::trusted();
            let outer = (!outermost).then(|| b.ins().load(pointer, flags, head, CURRENT));
            b.ins().store(flags, lua, head, CURRENT);
            Across { head, outer, pointer }
        }

        /// Right after it. The value is not 0 where a callback has caught an error: then the thunk ends with [`raise`].
        #[must_use]
        pub(in crate::lua) fn end(self, b: &mut FunctionBuilder<'_>) -> Value {
            let flags = MemFlagsData::trusted();
            let Across { head, outer, pointer } = self;
            let outer = outer.unwrap_or_else(|| b.ins().load(pointer, flags, head, REST));
            b.ins().store(flags, outer, head, CURRENT);
            b.ins().load(types::I32, flags, head, PENDING)
        }
    }
}
