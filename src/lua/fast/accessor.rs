//! Parts of values (fields and elements), and the functions that read and write them: one for each [`Form`]. A part has the function's address, so
//! an access only finds the part and jumps.

use std::ffi::c_void;

use mlua::ffi as sys;

use super::access::{INDEX, NEW_INDEX};
use crate::lua::state::head::Head;
use crate::lua::value::cdata::{Flags, Header};
use crate::lua::value::direct;
use crate::lua::value::repr::{self, Form, Place};
use crate::lua::vm::api::{Results, lua_State};
use crate::lua::vm::memory::{self, Call, Slot};

/// Does an access for the metamethod that runs on a Lua state: to the object at an address, of the key (to be replaced by
/// what is read) or the value (to be assigned) in a slot. Returns its results.
pub(in crate::lua) type Access = unsafe fn(*mut lua_State, Slot, *mut u8, &Part) -> Results;

/// A part of a value; of 64 bytes, so that one of many is found by a shift.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The address of Lua's copy of its name; null: none.
    pub(in crate::lua) name: *const c_void,
    pub(in crate::lua) read: Access,
    pub(in crate::lua) write: Access,
    head: *const Head,
    pub(in crate::lua) place: Place,
}

impl Part {
    /// A part of cdata in the state with this head.
    pub(in crate::lua) fn new(head: *const Head, name: *const c_void, place: Place) -> Part {
        let (read, write) = accesses(&place);
        Part { name, read, write, head, place }
    }

    /// Whether `ffi.option` says that it is read in another way.
    fn is_special(&self) -> bool {
        // SAFETY: a state's head lives as long as the closures that lead to parts.
        self.place.optional && unsafe { (*self.head).chosen.get() }
    }
}

/// The accesses to the numbers of some forms; `others` are those of every other.
macro_rules! numbers {
    ($place:expr, $others:expr, $($form:ident)*) => {
        match $place.form {
            $(Form::$form => {
                const FORM: Place = Place::form(Form::$form);
                /// # Safety
                /// - *Part* (see `fast`).
                unsafe fn read(_: *mut lua_State, key: Slot, address: *mut u8, _: &Part) -> Results {
                    // SAFETY: *Part*.
                    unsafe { repr::set_number(key, address, &FORM) };
                    Results::ONE
                }
                /// # Safety
                /// - *Part* (see `fast`).
                unsafe fn read_optional(
                    lua: *mut lua_State,
                    key: Slot,
                    address: *mut u8,
                    part: &Part,
                ) -> Results {
                    // SAFETY: *Part*.
                    unsafe {
                        if part.is_special() { INDEX(lua) } else { read(lua, key, address, part) }
                    }
                }
                /// # Safety
                /// - *Part* (see `fast`).
                unsafe fn write(
                    lua: *mut lua_State,
                    value: Slot,
                    address: *mut u8,
                    part: &Part,
                ) -> Results {
                    // SAFETY: *Part*.
                    unsafe {
                        if repr::assign_number(value, address, &FORM) {
                            return Results::NONE;
                        }
                        write_any(lua, value, address, part)
                    }
                }
                let read: Access = if $place.optional { read_optional } else { read };
                (read, write as Access)
            })*
            _ => $others,
        }
    };
}

/// How a place is read and written.
fn accesses(place: &Place) -> (Access, Access) {
    let others: (Access, Access) = match place.form {
        Form::SignedBits | Form::UnsignedBits | Form::Bool => (read_small, write_any),
        Form::Pointer => (read_boxed, write_any),
        Form::U64 => (read_unsigned, write_any),
        Form::Aggregate => (read_aggregate, refuse),
        Form::Named => (read_named, refuse),
        _ => (refuse_reading, refuse),
    };
    let (read, write) = numbers!(place, others, F64 F32 I8 U8 I16 U16 I32 U32 I64);
    (read, if place.writable { write } else { refuse })
}

/// # Safety
/// - *Part* (see `fast`).
unsafe fn read_small(lua: *mut lua_State, key: Slot, address: *mut u8, part: &Part) -> Results {
    // SAFETY: *Part*.
    unsafe {
        if part.is_special() || !repr::set(key, address, &part.place) {
            return INDEX(lua);
        }
    }
    Results::ONE
}

/// # Safety
/// - *Part* (see `fast`).
unsafe fn read_boxed(lua: *mut lua_State, _: Slot, address: *mut u8, part: &Part) -> Results {
    // SAFETY: *Part*, with *Room*.
    unsafe {
        if part.is_special() || !repr::push_boxed(lua, address, &part.place) {
            return INDEX(lua);
        }
    }
    Results::ONE
}

/// A 64-bit unsigned integer: a Lua integer where that holds it, unless `ffi.option` says that none does.
///
/// # Safety
/// - *Part* (see `fast`).
unsafe fn read_unsigned(lua: *mut lua_State, key: Slot, address: *mut u8, part: &Part) -> Results {
    // SAFETY: *Part*, with *Room*; the state's head lives.
    unsafe {
        let value = address.cast::<u64>().read_unaligned();
        if value as i64 >= 0 && !(*part.head).boxed_uint64.get() {
            key.set_integer(value as i64);
        } else {
            repr::push_boxed(lua, address, &part.place);
        }
    }
    Results::ONE
}

/// A reference to a part of the cdata at 1, which it keeps alive where that owns the memory.
///
/// # Safety
/// - *Part* (see `fast`).
unsafe fn read_aggregate(lua: *mut lua_State, _: Slot, address: *mut u8, part: &Part) -> Results {
    // SAFETY: *Part*, with *Room*.
    unsafe {
        let header = Header { ty: part.place.ty, flags: Flags::REFERENCE, address };
        match direct::push_derived(lua, Call::of(lua), 1, part.place.metatable, header) {
            true => Results::ONE,
            false => INDEX(lua),
        }
    }
}

/// Reads a key of the `__index` table of a metatype, as the table is now. Declarations may have given the type a member of that name.
///
/// # Safety
/// - *Part* (see `fast`).
unsafe fn read_named(lua: *mut lua_State, _: Slot, _: *mut u8, part: &Part) -> Results {
    // SAFETY: *Metamethod*, with *Room*; the state keeps the metatable.
    unsafe {
        let head = &*part.head;
        if head.state().is_some_and(|state| state.declared.get() == part.place.ty) {
            memory::push(lua).set_table(part.place.metatable);
            memory::push(lua).set_short_string(head.index_event.get());
            sys::lua_rawget(lua, -2);
            if memory::top(lua).is_table() {
                sys::lua_pushvalue(lua, 2);
                sys::lua_rawget(lua, -2);
                if !memory::top(lua).is_nil() {
                    return Results::ONE;
                }
            }
            sys::lua_settop(lua, 2);
        }
        INDEX(lua)
    }
}

/// # Safety
/// - *Part* (see `fast`).
unsafe fn write_any(lua: *mut lua_State, value: Slot, address: *mut u8, part: &Part) -> Results {
    // SAFETY: *Part*.
    unsafe {
        match repr::assign(value, address, &part.place) {
            true => Results::NONE,
            false => NEW_INDEX(lua),
        }
    }
}

/// # Safety
/// - *Metamethod* (see `fast`): nothing is read at the address.
unsafe fn refuse_reading(lua: *mut lua_State, _: Slot, _: *mut u8, _: &Part) -> Results {
    // SAFETY: *Metamethod*.
    unsafe { INDEX(lua) }
}

/// # Safety
/// - *Metamethod* (see `fast`): nothing is written at the address.
unsafe fn refuse(lua: *mut lua_State, _: Slot, _: *mut u8, _: &Part) -> Results {
    // SAFETY: *Metamethod*.
    unsafe { NEW_INDEX(lua) }
}
