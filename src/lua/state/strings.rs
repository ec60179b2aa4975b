//! The strings that `ffi.string` read last, by address. If a comparison of the bytes shows that the memory still holds the string, the result is Lua's
//! own copy.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use crate::lua::state::{Anchor, Cx, State};
use crate::lua::vm::api::lua_State;
use crate::lua::vm::memory::{self, AT, Slot};

/// The strings, by a hash of their addresses.
#[derive(Default)]
pub(in crate::lua) struct Remembered {
    known: [Known; Remembered::SIZE],
    /// The strings that were read last and are not remembered. They may be gone.
    candidates: [Cell<usize>; Remembered::SIZE],
}

/// A string that is remembered.
struct Known {
    /// Where it was read; [`NOWHERE`] where there is none.
    address: Cell<*const u8>,
    /// Lua's short string, which the table of `Anchor::Strings` keeps alive.
    string: Cell<*const c_void>,
}

/// No string is here.
const NOWHERE: *const u8 = ptr::without_provenance(usize::MAX);

impl Default for Known {
    fn default() -> Known {
        Known { address: Cell::new(NOWHERE), string: Cell::new(ptr::null()) }
    }
}

impl Remembered {
    /// A power of two.
    const SIZE: usize = 32;

    fn index(address: *const u8) -> usize {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        ((address as u64).wrapping_mul(GOLDEN) >> (u64::BITS - Self::SIZE.ilog2())) as usize
    }

    /// Pushes the string at `address` if it is remembered and still there.
    ///
    /// # Safety
    /// - *Layout* and *Room* (see `vm`).
    /// - A string is at `address` if one was ever [noted](Self::note) there.
    #[inline(always)]
    pub(in crate::lua) unsafe fn push(&self, lua: *mut lua_State, address: *const u8) -> bool {
        let known = &self.known[Self::index(address)];
        if known.address.get() != address {
            return false;
        }
        let string = known.string.get();
        let text = string.wrapping_byte_offset(AT.short_text as isize);
        // SAFETY: *Layout* and *Room*, kept by the caller; the string is alive, and its bytes end in a zero byte. It is written above
        // the stack before it is compared, so that nothing but `lua` has to be kept meanwhile.
        unsafe {
            memory::free(lua).set_short_string(string);
            let same = libc::strcmp(address.cast(), text.cast()) == 0;
            if same {
                memory::push(lua);
            }
            same
        }
    }

    /// Takes note of the string that was read at `address` and is on top of the stack. One that is read twice is remembered;
    /// long ones, of which Lua makes another copy each time, are not.
    ///
    /// # Safety
    /// - *C function* (see `vm`), of the state.
    pub(in crate::lua) unsafe fn note(
        &self,
        lua: *mut lua_State,
        state: &State,
        read: Slot,
        address: *const u8,
    ) {
        let Some(string) = read.short_string() else { return };
        let index = Self::index(address);
        let known = &self.known[index];
        if known.string.get() != string {
            if self.candidates[index].replace(string.addr()) != string.addr() {
                return;
            }
            // SAFETY: *C function*, kept by the caller.
            let cx = unsafe { Cx::new(lua, state) };
            cx.push_anchor(Anchor::Strings);
            cx.push_value(-2);
            cx.raw_set_integer(-2, index as i64 + 1);
            cx.pop(1);
            known.string.set(string);
        }
        known.address.set(address);
    }
}
