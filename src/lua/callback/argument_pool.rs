//! A pool of cdata, made ahead of time, for the pointers and 64-bit unsigned integers that C passes to callbacks.
//!
//! Taking one allocates nothing, so it cannot fail: the arguments of a callback exist before its protected call begins. A [`Shelf`] keeps the cdata
//! of the pool, and those taken since the pool was last [filled](fill). So a pointer that C passes again (the context of a callback, an element
//! that a sort compares with the next) may be the same cdata as before.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::Callbacks;
use super::transition::keeping_errno;
use crate::lua::state::pinned::Shelf;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, State};
use crate::lua::value::cdata::{Flags, Header};
use crate::lua::value::repr::Place;
use crate::lua::vm::api::{self, Results, handed, lua_State};
use crate::lua::vm::memory::{Call, Kept, Slot, Userdata};

/// Cdata of a full stock.
pub(in crate::lua) const SIZE: usize = 32;
/// The number of its shelf.
const SHELF: i64 = 1;
/// Bytes of each: a header, and an integer behind it.
const BYTES: usize = mem::size_of::<Header>() + mem::size_of::<u64>();

/// The cdata for the next callbacks of a state.
pub(in crate::lua) struct Stock {
    shelf: Shelf,
    /// The userdata on the shelf; `None` where one has been let go.
    objects: [Cell<Option<Userdata>>; SIZE],
    /// Those before this one are taken.
    next: Cell<usize>,
    /// The number of the first among all that ever were; 0: none is there.
    first: Cell<u64>,
}

/// The number of the cdata that a pointer was the last time; 0: none.
#[derive(Default)]
pub(super) struct Last(Cell<u64>);

impl Default for Stock {
    fn default() -> Stock {
        Stock {
            shelf: Shelf::default(),
            objects: [const { Cell::new(None) }; SIZE],
            next: Cell::new(SIZE),
            first: Cell::new(0),
        }
    }
}

impl Stock {
    /// Whether there are so many.
    pub(in crate::lua) fn has(&self, count: usize) -> bool {
        SIZE - self.next.get() >= count
    }

    /// Writes a pointer to a slot of the stack: the cdata that it was the last time, or one of the stock.
    ///
    /// # Safety
    /// - The stock [has](Self::has) a cdata.
    /// - The place is a pointer of the stock's state, and `last` goes with the place.
    #[inline(always)]
    pub(super) unsafe fn set_pointer(&self, slot: Slot, to: *mut u8, place: &Place, last: &Last) {
        // SAFETY: the stock has a cdata, as the caller promises. What the shelf keeps is alive, and begins with a header where it has a
        // metatable of cdata.
        unsafe {
            let n = last.0.get().wrapping_sub(self.first.get());
            if n < SIZE as u64
                && let Some(object) = self.objects[n as usize].get()
                && object.metatable() == place.metatable
                && (*object.plain_block::<Header>()).address == to
            {
                return slot.set_userdata(object);
            }
            last.0.set(self.first.get() + self.next.get() as u64);
            self.take(slot, place, Flags::POINTER).address = to;
        }
    }

    /// Writes a 64-bit unsigned integer to a slot of the stack.
    ///
    /// # Safety
    /// - The stock [has](Self::has) a cdata.
    /// - The place is a 64-bit unsigned integer of the stock's state.
    pub(in crate::lua) unsafe fn set_integer(&self, slot: Slot, value: u64, place: &Place) {
        // SAFETY: the stock has a cdata, as the caller promises; the block has room behind the header.
        unsafe {
            let header = ptr::from_mut(self.take(slot, place, 0));
            let bytes = header.add(1).cast::<u64>();
            bytes.write(value);
            (*header).address = bytes.cast();
        }
    }

    /// Writes one of the stock to a slot of the stack, with no address yet.
    ///
    /// # Safety
    /// - The stock [has](Self::has) a cdata.
    #[inline(always)]
    unsafe fn take<'s>(&self, slot: Slot, place: &Place, flags: u32) -> &'s mut Header {
        let n = self.next.get();
        self.next.set(n + 1);
        // SAFETY: the stock has a cdata, as the caller promises: what was not taken was not let go. The registry keeps the metatable
        // for as long as the state lives, so that Lua's collector need not be told that an object, which it may have marked, has it.
        unsafe {
            let object = self.objects[n % SIZE].get().unwrap_unchecked();
            object.set_metatable(place.metatable);
            slot.set_userdata(object);
            let header = object.plain_block::<Header>();
            header.write(Header { ty: place.ty, flags, address: ptr::null_mut() });
            &mut *header
        }
    }

    /// Lets the cdata at `index` go, if it is one of these: it gets a finaliser, which is not to wait for the next filling.
    fn let_go(&self, cx: &Cx<'_>, index: c_int) {
        let block: *mut c_void = cx.userdata(index);
        let is_it = |object: &Cell<Option<Userdata>>| {
            object.get().is_some_and(|object| object.plain_block() == block)
        };
        if let Some(n) = self.objects.iter().position(is_it) {
            self.objects[n].set(None);
            // SAFETY: the shelf has room for each of them.
            unsafe { self.shelf.slot(n).restore(Kept::default()) };
        }
    }
}

/// Lets the cdata at `index` go, if it is one of the stock; see [`Stock::let_go`].
pub(in crate::lua) fn let_go(cx: &Cx<'_>, index: c_int) {
    Callbacks::of(cx.state).stock.let_go(cx, index);
}

/// Fills the stock of a state, protected, and leaves `errno` as it is; false, with the error on top of the stack, where that fails.
///
/// # Safety
/// - *Room* for 2 (see `vm`): `lua` is a thread of the state.
/// - The `ways.values` of the state is set.
#[cold]
pub(in crate::lua) unsafe fn fill(lua: *mut lua_State, state: &State) -> bool {
    // SAFETY: *Room* for 2, kept by the caller.
    keeping_errno(|| unsafe {
        api::push_c_function(lua, make);
        let _handing = handed::hand(lua, ptr::from_ref(state).cast_mut());
        sys::lua_pcall(lua, 1, 0, 0) == sys::LUA_OK
    })
}

/// A Lua C function: fills the stock of the state at 1. Nothing with a destructor is alive where it may raise.
///
/// # Safety
/// - *C function* (see `vm`).
unsafe extern "C-unwind" fn make(lua: *mut lua_State) -> Results {
    // SAFETY: `fill` alone hands a state over, whose `ways.values` is set.
    unsafe {
        let state = &*handed::take::<State>(lua, 1);
        sys::lua_settop(lua, 1);
        let (cx, stock) = (Cx::new(lua, state), &Callbacks::of(state).stock);
        sys::luaL_checkstack(lua, SIZE as c_int + 4, c"arguments of a callback".as_ptr());
        if !stock.shelf.make_room(&cx, SHELF, SIZE) {
            sys::luaL_error(lua, c"not enough memory".as_ptr());
        }
        // A finaliser that runs here may fill the stock as well, and take of it.
        for _ in 0..SIZE {
            api::new_userdata(lua, BYTES, 0);
        }
        let made = Call::of(lua);
        for (n, object) in stock.objects.iter().enumerate() {
            let slot = made.argument(n + 2);
            stock.shelf.slot(n).restore(slot.kept());
            object.set(slot.userdata());
        }
        stock.first.set(stock.first.get() + SIZE as u64);
        stock.next.set(0);
    }
    Results::NONE
}
