//! Fields and elements in place: `value.name`, `value[i]`, and assignments to them, without Lua's C API.
//!
//! Every metatable of cdata has a pair of closures of its own for `__index` and `__newindex`, and both have a [`Places`] that
//! remembers where names and indices led and how the object there is read and written. It begins empty: the general code
//! of [`super::index`] does the first access by each name and has it [learned](learn), and it does whatever is not known
//! here. Names are recognised by the address of Lua's own copy, which the table in the user value keeps alive.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::api::{self, lua_CFunction, lua_State};
use super::cdata::{CData, Flags, Header};
use super::index;
use super::kind::Kind;
use super::place::{self, Form, Place};
use super::stack::{self, Call};
use super::state::{Cx, Head, entry};
use crate::ctype::{Bits, QualType, RecordId};

/// A name that was looked up.
struct Field {
    /// The string's address; null: none.
    name: Cell<*const c_void>,
    place: Cell<Place>,
}

/// What is known about the parts of a type: a userdata block, followed by `mask + 1` fields.
#[repr(C)]
pub(super) struct Places {
    /// The metatable whose cdata this is about.
    metatable: Cell<*const c_void>,
    head: *const Head,
    element: Cell<Place>,
    /// The number of fields, a power of two, less one.
    mask: u32,
}

/// Upvalues of both closures, after the state.
const PLACES: usize = 2;
/// The user value of the places: the names.
const USER_VALUES: i32 = 1;
/// Fields that are tried for a name.
const PROBES: usize = 4;

impl Places {
    fn slot(&self, name: *const c_void, probe: usize) -> &Field {
        let hash = (name as usize >> 4) ^ (name as usize >> 9);
        let index = hash.wrapping_add(probe) & self.mask as usize;
        let fields = (&raw const *self).wrapping_add(1).cast::<Field>();
        // SAFETY: `push_closures` puts `mask + 1` fields behind.
        unsafe { &*fields.add(index) }
    }

    /// Where a name leads, if one of so many fields has it.
    #[inline]
    fn field(&self, name: *const c_void, probes: usize) -> Option<&Place> {
        let fields = (0..probes).map(|probe| self.slot(name, probe));
        let field = fields.into_iter().find(|field| field.name.get() == name)?;
        // SAFETY: a place changes only when one is learned, which no access does while it uses another.
        Some(unsafe { &*field.place.as_ptr() })
    }

    fn add(&self, name: *const c_void, place: Place) {
        for probe in 0..PROBES {
            let field = self.slot(name, probe);
            if field.name.get().is_null() || field.name.get() == name {
                field.name.set(name);
                field.place.set(place);
                return;
            }
        }
    }
}

/// Gives the metatable on top of the stack, of cdata of type `ty`, its `__index` and `__newindex`.
pub(super) fn set_closures(cx: &Cx<'_>, ty: QualType) {
    let metatable = cx.identity(-1);
    let table = cx.top();
    let count = (field_count(cx, ty) * 2).next_power_of_two().clamp(4, 1024);
    // SAFETY: the block has room for all that is written; `Cx` promises free stack slots.
    unsafe {
        let size = mem::size_of::<Places>() + count * mem::size_of::<Field>();
        let places = api::new_userdata(cx.lua, size, USER_VALUES).cast::<Places>();
        places.write(Places {
            metatable: Cell::new(metatable),
            head: cx.state.head(),
            element: Cell::new(Place::UNKNOWN),
            mask: count as u32 - 1,
        });
        for i in 0..count {
            let field = Field { name: Cell::new(ptr::null()), place: Cell::new(Place::UNKNOWN) };
            places.add(1).cast::<Field>().add(i).write(field);
        }
        cx.new_table(0, 0);
        api::set_user_value(cx.lua, -2);
    }
    let closures: [(&[u8], lua_CFunction); 2] =
        [(b"__index", index_in_place), (b"__newindex", new_index_in_place)];
    for (name, function) in closures {
        cx.push_value(table + 1);
        cx.push_function(function, 1);
        cx.raw_set_name(table, name);
    }
    cx.set_top(table);
}

/// The number of names in a struct or union, or in the one that is pointed to.
fn field_count(cx: &Cx<'_>, ty: QualType) -> usize {
    let record = match cx.state.kind(ty) {
        Kind::Record(record) => record,
        Kind::Pointer(to) => match cx.state.kind(to) {
            Kind::Record(record) => record,
            _ => return 0,
        },
        _ => return 0,
    };
    names(cx, record)
}

fn names(cx: &Cx<'_>, record: RecordId) -> usize {
    let inner: Vec<(bool, QualType)> = {
        let types = cx.state.types.borrow();
        let body = types.table().record(record).body.as_ref();
        let members = body.map_or(&[][..], |body| &body.members);
        members.iter().map(|member| (member.name.is_some(), member.ty)).collect()
    };
    let count = |&(named, ty): &(bool, QualType)| match cx.state.kind(ty) {
        Kind::Record(inner) if !named => names(cx, inner),
        _ => 1,
    };
    inner.iter().map(count).sum()
}

/// Remembers where the key at stack index 2 led: to an object of type `ty`, `address`, in the cdata at 1.
pub(super) fn learn(cx: &Cx<'_>, cd: &CData, ty: QualType, address: *const u8, bits: Option<Bits>) {
    if !cx.state.in_place || cx.state.checked() || cd.address.is_null() {
        return;
    }
    let Some(place) = place::classify(cx, ty, bits) else { return };
    // SAFETY: `index` runs as a closure that `set_closures` made; the user value is the table of names.
    unsafe {
        let call = Call::of(cx.lua);
        let places = &*call.upvalue::<Places>(PLACES, USER_VALUES);
        if let Some(name) = call.argument(2).short_string() {
            api::get_user_value(cx.lua, Cx::upvalue(PLACES as c_int - 1));
            cx.push_value(2);
            cx.push_bool(true);
            cx.raw_set(-3);
            cx.pop(1);
            let offset = address.offset_from(cd.address);
            places.add(name, place.at(offset));
        } else if call.argument(2).integer().is_some()
            && bits.is_none()
            && let Some(size) = cx.state.size(ty)
            && matches!(cx.state.kind(cd.ty), Kind::Pointer(_) | Kind::Array(..))
        {
            places.element.set(place.at(size as isize));
        }
    }
}

/// Remembers that the name at stack index 2 led to the C closure on top of the stack, a method of all cdata of the type.
pub(super) fn learn_method(cx: &Cx<'_>) {
    if !cx.state.in_place || cx.state.checked() {
        return;
    }
    let method = cx.identity(-1);
    // SAFETY: as in `learn`; the table of names keeps the closure.
    unsafe {
        let call = Call::of(cx.lua);
        let places = &*call.upvalue::<Places>(PLACES, USER_VALUES);
        if let Some(name) = call.argument(2).short_string() {
            api::get_user_value(cx.lua, Cx::upvalue(PLACES as c_int - 1));
            cx.push_value(2);
            cx.push_value(-3);
            cx.raw_set(-3);
            cx.pop(1);
            places.add(name, Place::method(method));
        }
    }
}

/// Where the key of the running metamethod leads, if that is known: the object's address, and how it is accessed. A name is
/// looked for in so many fields.
///
/// # Safety
/// `lua` runs a closure of `set_closures` with `arguments` values expected.
#[inline]
unsafe fn find<'p>(
    call: Call,
    arguments: usize,
    probes: usize,
) -> Option<(*mut u8, &'p Place, &'p Places)> {
    if call.count() != arguments {
        return None;
    }
    let userdata = call.argument(1).userdata()?;
    // SAFETY: the caller's promise; the running closure keeps the places alive. The metatable says that the userdata is a
    // cdata.
    unsafe {
        let places = &*call.upvalue::<Places>(PLACES, USER_VALUES);
        if userdata.metatable() != places.metatable.get() {
            return None;
        }
        let address = (*userdata.block::<Header>()).address;
        if address.is_null() {
            return None;
        }
        let key = call.argument(2);
        if let Some(name) = key.short_string() {
            let place = places.field(name, probes)?;
            return Some((address.offset(place.offset), place, places));
        }
        let place = &*places.element.as_ptr();
        let offset = (key.integer()? as isize).wrapping_mul(place.offset);
        Some((address.wrapping_offset(offset), place, places))
    }
}

/// `__index`. It calls nothing, but ends in a call, so that it needs no stack frame.
unsafe extern "C-unwind" fn index_in_place(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with a live state, as a closure of `set_closures`. Memory behind the cdata is the script's word.
    unsafe {
        let call = Call::of(lua);
        if let Some((address, place, places)) = find(call, 2, 1)
            && !(place.optional && (*places.head).chosen.get())
            && place::set_number(call.argument(2), address, place)
        {
            return 1;
        }
        index_any(lua)
    }
}

/// `__index` of what is not a number, or needs a longer look.
#[inline(never)]
unsafe extern "C-unwind" fn index_any(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(index::index);
    // SAFETY: as in `index_in_place`.
    unsafe {
        let call = Call::of(lua);
        if let Some((address, place, places)) = find(call, 2, PROBES)
            && !(place.optional && (*places.head).chosen.get())
            && read(lua, call, address, place)
        {
            return 1;
        }
        SLOW(lua)
    }
}

/// `__newindex`; see [`index_in_place`].
unsafe extern "C-unwind" fn new_index_in_place(lua: *mut lua_State) -> c_int {
    // SAFETY: as in `index_in_place`.
    unsafe {
        let call = Call::of(lua);
        if let Some((address, place, _)) = find(call, 3, 1)
            && place.writable
            && place::assign_number(call.argument(3), address, place)
        {
            return 0;
        }
        new_index_any(lua)
    }
}

/// `__newindex` of what is not a number, or needs a longer look.
#[inline(never)]
unsafe extern "C-unwind" fn new_index_any(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(index::new_index);
    // SAFETY: as in `index_in_place`.
    unsafe {
        let call = Call::of(lua);
        if let Some((address, place, _)) = find(call, 3, PROBES)
            && place.writable
            && place::assign(call.argument(3), address, place)
        {
            return 0;
        }
        SLOW(lua)
    }
}

/// Puts the Lua value of an object on top of the stack; false where that is not done here.
///
/// # Safety
/// The object is at `address`; the key is on top of the stack of the running call.
unsafe fn read(lua: *mut lua_State, call: Call, address: *mut u8, place: &Place) -> bool {
    // SAFETY: the caller's promise. A number takes the place of the key.
    unsafe {
        place::set(call.argument(2), address, place)
            || place::push_boxed(lua, address, place)
            || place.form == Form::Aggregate && push_reference(lua, call, address, place)
    }
}

/// Pushes a reference to a part of the cdata at 1, which it keeps alive where that owns the memory.
///
/// # Safety
/// As for [`read`].
unsafe fn push_reference(lua: *mut lua_State, call: Call, address: *mut u8, place: &Place) -> bool {
    // SAFETY: the caller's promise: a cdata is at 1.
    unsafe {
        let Some(parent) = call.argument(1).userdata() else { return false };
        let flags = (*parent.block::<Header>()).flags;
        let finalized = flags & Flags::FINALIZED != 0;
        let owns = flags & (Flags::POINTER | Flags::REFERENCE) == 0;
        let kept = owns || finalized || flags & Flags::OWNED != 0;
        let owned = if kept { Flags::OWNED } else { 0 };
        let header = Header { ty: place.ty, flags: Flags::REFERENCE | owned, address };
        stack::push_cdata(lua, place.metatable, header, 0, i32::from(kept));
        if owns || finalized {
            sys::lua_pushvalue(lua, 1);
        } else if kept {
            api::get_user_value(lua, 1);
        }
        if kept {
            api::set_user_value(lua, -2);
        }
    }
    true
}
