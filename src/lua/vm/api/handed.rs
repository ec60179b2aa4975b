//! The argument that Rust code hands to a C function of its own in a protected call.
//!
//! A script can get hold of such a function (`debug.getinfo` in a hook, the registry), and call it with any value. So the function takes an address
//! only while Rust code hands it over.

use std::any::TypeId;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use mlua::ffi as sys;

use super::lua_State;

/// An address and the type of its value.
type Address = (*mut c_void, Option<TypeId>);

const NONE: Address = (ptr::null_mut(), None);

thread_local!(static HANDED: Cell<Address> = const { Cell::new(NONE) });

/// An address is handed over, until this is dropped or a function has taken it.
pub(crate) struct Handing {
    /// The address that an outer call hands over.
    outer: Address,
}

impl Drop for Handing {
    fn drop(&mut self) {
        HANDED.set(self.outer);
    }
}

/// Pushes an address for the C function that is called next. It is valid until the result of this function is dropped.
///
/// # Safety
/// - *Room*.
pub(crate) unsafe fn hand<T: 'static>(lua: *mut lua_State, address: *mut T) -> Handing {
    // SAFETY: *Room*, kept by the caller.
    unsafe { sys::lua_pushlightuserdata(lua, address.cast()) };
    Handing { outer: HANDED.replace((address.cast(), Some(TypeId::of::<T>()))) }
}

/// Takes the address of a `T` at stack index `index`. Raises an error where it is not the one that is handed over.
///
/// # Safety
/// - *C function* (see `vm`), and *Raise*.
pub(crate) unsafe fn take<T: 'static>(lua: *mut lua_State, index: c_int) -> *mut T {
    // SAFETY: *C function* and *Raise*, kept by the caller.
    unsafe {
        let address = sys::lua_touserdata(lua, index);
        if address.is_null() || HANDED.get() != (address, Some(TypeId::of::<T>())) {
            sys::luaL_error(lua, c"not a function for scripts: the library calls it".as_ptr());
        }
        HANDED.set(NONE);
        address.cast()
    }
}
