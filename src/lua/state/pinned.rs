//! A shelf: Lua values on the stack of a thread that runs nothing, stored and loaded by one instruction each.
//!
//! Lua's collector traverses the stack of each live thread again before it frees anything (`traversethread` in lgc.c keeps threads on the list of
//! gray objects for it). So storing a value needs no barrier.

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr;

use mlua::ffi as sys;

use crate::lua::state::{Anchor, Cx};
use crate::lua::vm::api::lua_State;
use crate::lua::vm::memory::{self, Call, Kept, Slot};

/// Values of a state whose `ways.stack` is set.
pub(in crate::lua) struct Shelf {
    /// Null before there is room for any value.
    thread: Cell<*mut lua_State>,
    room: Cell<usize>,
}

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf { thread: Cell::new(ptr::null_mut()), room: Cell::new(0) }
    }
}

impl Shelf {
    /// Makes it have room for so many values, nil at first; false where there is no memory. The state's `ways.stack` is set, and `number`
    /// is the shelf's own, from 1. May raise (out of memory).
    pub(in crate::lua) fn make_room(&self, cx: &Cx<'_>, number: i64, count: usize) -> bool {
        // SAFETY: *Context*. The thread lives in the state's table, once it is in there; nobody else has it.
        unsafe {
            if self.thread.get().is_null() {
                cx.push_anchor(Anchor::Shelves);
                let thread = sys::lua_newthread(cx.lua);
                // A finaliser that ran meanwhile may have needed the shelf as well.
                if self.thread.get().is_null() {
                    cx.raw_set_integer(-2, number);
                    self.thread.set(thread);
                } else {
                    cx.pop(1);
                }
                cx.pop(1);
            }
            if self.has_room(count) {
                return true;
            }
            let thread = self.thread.get();
            if sys::lua_checkstack(thread, (count - self.room.get()) as c_int) == 0 {
                return false;
            }
            sys::lua_settop(thread, count as c_int);
        }
        self.room.set(count);
        true
    }

    /// Whether it has room for so many values.
    pub(in crate::lua) fn has_room(&self, count: usize) -> bool {
        count <= self.room.get()
    }

    /// Where value `n` is, from 0, until room is made.
    ///
    /// # Safety
    /// - [`Shelf::make_room`] has made room for value `n`.
    pub(in crate::lua) unsafe fn slot(&self, n: usize) -> Slot {
        // SAFETY: the shelf has room for `n`, as the caller promises. The thread's only call is the one that every thread begins with,
        // whose values these are.
        unsafe { Call::of(self.thread.get()) }.argument(n + 1)
    }
}

/// The value on top of the stack, where the state's `ways.stack` is set.
pub(in crate::lua) fn keep(cx: &Cx<'_>) -> Kept {
    if !cx.state.ways.stack {
        return Kept::default();
    }
    // SAFETY: *Layout* (`ways.stack`), and the caller has just pushed a value.
    unsafe { memory::top(cx.lua) }.kept()
}
