//! Calls of C in states that have callbacks: C may come back in.
//!
//! A thunk in place calls C and does nothing for callbacks. That is enough as long as a state has none. From its first callback
//! on, [`Head::barred`] makes every thunk turn to [`elsewhere`], once, and its closure gets [`call`] for its C function: that says
//! which Lua thread C was called from, and raises the error that a callback left.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::api::{Results, lua_CFunction, lua_State};
use super::call::Function;
use super::head::Head;
use super::helpers;
use super::stack::Call;

/// What [`Function::bar`] leads to where the thunk may call.
static OPEN: AtomicUsize = AtomicUsize::new(0);
/// What it leads to where there is nothing to call.
static CLOSED: AtomicUsize = AtomicUsize::new(BARRED);
/// What no two slots of a stack are apart.
const BARRED: usize = 1;

impl Head {
    /// From now on, calls of C may come back: the state has a callback.
    pub(super) fn expect_callbacks(&self) {
        self.barred.store(BARRED, Ordering::Relaxed);
    }

    fn has_callbacks(&self) -> bool {
        self.barred.load(Ordering::Relaxed) == BARRED
    }
}

impl Function {
    /// What decides whether the thunk may call the target.
    pub(super) fn set_bar(&self) {
        let bar = match self.thunk.get() {
            _ if self.target.get().is_null() => &CLOSED,
            Some(_) => &OPEN,
            // SAFETY: a record's head lies in the userdata of its state, which the registry keeps as long as there are records.
            None => unsafe { &(*self.head).barred },
        };
        self.bar.set(bar);
    }

    /// Whether the thunk runs inside of [`call`].
    fn is_announced(&self) -> bool {
        self.thunk.get().is_some()
    }

    /// After C has returned to a thunk in place, before it does what may run Lua code or raise.
    pub(super) fn has_returned(&self) {
        if self.is_announced() {
            // SAFETY: as in `set_bar`.
            unsafe { (*self.head).current.set(ptr::null_mut()) };
        }
    }
}

/// Gives the running closure its thunk in place; returns the C function that it now has.
///
/// # Safety
/// `lua` runs a closure of the record, in a state in place, and the thunk is one for the record.
pub(super) unsafe fn install(
    lua: *mut lua_State,
    record: &Function,
    thunk: lua_CFunction,
) -> lua_CFunction {
    // SAFETY: the caller's promise; the head as in `set_bar`.
    unsafe {
        let code = match (*record.head).has_callbacks() {
            true => {
                record.thunk.set(Some(thunk));
                record.set_bar();
                call
            }
            false => thunk,
        };
        Call::of(lua).set_code(code);
        code
    }
}

/// The C function of closures with a thunk in place, in a state that has callbacks.
unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    // SAFETY: `install` gave this to a closure whose upvalue 1 is a record, with a thunk; the state is in place.
    unsafe {
        let record = &*Call::of(lua).upvalue::<Function>(1, 0);
        let head = &*record.head;
        let Some(thunk) = record.thunk.get() else { return (record.slow.get())(lua) };
        if !head.current.get().is_null() {
            // Lua code in another call makes this one, with no callback between them.
            return (record.slow.get())(lua);
        }
        head.current.set(lua);
        let results = thunk(lua);
        head.current.set(ptr::null_mut());
        match head.pending.get() {
            0 => results,
            _ => helpers::raise_pending(lua, head),
        }
    }
}

/// Where a thunk in place leaves the calls that it cannot make, before anything has happened.
pub(super) unsafe extern "C-unwind" fn elsewhere(lua: *mut lua_State) -> Results {
    // SAFETY: a thunk in place runs as a closure whose upvalue 1 is a record.
    unsafe {
        let running = Call::of(lua);
        let record = &*running.upvalue::<Function>(1, 0);
        if record.is_announced() {
            record.has_returned();
        } else if (*record.head).has_callbacks() {
            return install(lua, record, running.code())(lua);
        }
        (record.slow.get())(lua)
    }
}
