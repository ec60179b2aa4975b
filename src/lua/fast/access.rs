//! Fields and elements without Lua's C API: `value.name`, `value[i]`, and assignments to them.
//!
//! Each metatable of cdata has its own pair of closures for `__index` and `__newindex`. Both have a [`Places`], which remembers for each name and
//! index the [`Part`] that it leads to. A [`Places`] starts empty: the general code of [`crate::lua::object::index`] makes the first access by
//! a name, and [`learn`] remembers it. The general code also makes every access that is not remembered. Names are compared by the address of Lua's
//! own copy, which the table in the user value keeps alive.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use super::accessor::Part;
use crate::ctype::{Bits, QualType, RecordId};
use crate::lua::object::index;
use crate::lua::object::metatype;
use crate::lua::state::head::Head;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::bounds::{self, Bounds, Counted, Sized, Unbounded};
use crate::lua::value::cdata::{self, Header};
use crate::lua::value::repr::{self, Place};
use crate::lua::vm::api::{self, LuaType, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{self, Call};

/// The known parts of a type, as a userdata block: this head, then `mask + 1` fields.
#[repr(C)]
pub(in crate::lua) struct Places {
    /// The metatable whose cdata this is about.
    metatable: *const c_void,
    /// The number of fields, a power of two, less one.
    mask: usize,
    head: *const Head,
    /// The number of elements that the type says.
    count: u64,
    element: Cell<Part>,
}

/// `__index` and `__newindex` for everything.
pub(super) const INDEX: lua_CFunction = entry(|cx: &Cx<'_>| learning(cx, index::index));
pub(super) const NEW_INDEX: lua_CFunction = entry(|cx: &Cx<'_>| learning(cx, index::new_index));

/// Upvalues of both closures, after the state.
const PLACES: usize = 2;
/// The user value of the places: the names.
const USER_VALUES: i32 = 1;
/// Fields that are tried for a name.
const PROBES: usize = 4;

impl Places {
    fn field(&self, name: *const c_void, probe: usize) -> &Cell<Part> {
        let hash = (name as usize >> 4) ^ (name as usize >> 9);
        let index = hash.wrapping_add(probe) & self.mask;
        let fields = (&raw const *self).wrapping_add(1).cast::<Cell<Part>>();
        // SAFETY: `set_closures` puts `mask + 1` fields behind.
        unsafe { &*fields.add(index) }
    }

    fn add(&self, name: *const c_void, place: Place) {
        for probe in 0..PROBES {
            let field = self.field(name, probe);
            if field.get().name.is_null() || field.get().name == name {
                field.set(Part::new(self.head, name, place));
                return;
            }
        }
    }
}

/// Gives the metatable on top of the stack, of cdata of type `ty`, its `__index` and `__newindex`.
pub(in crate::lua) fn set_closures(cx: &Cx<'_>, ty: QualType) {
    let metatable = cx.identity(-1);
    let table = cx.top();
    let names = field_count(cx, ty) + metatype::name_count(cx, ty);
    let elements = bounds::count(cx, ty);
    let count = (names * 2).next_power_of_two().clamp(4, 1024);
    // SAFETY: the block has room for all that is written; *Context*.
    unsafe {
        let size = mem::size_of::<Places>() + count * mem::size_of::<Part>();
        let places = api::new_userdata(cx.lua, size, USER_VALUES).cast::<Places>();
        let head: *const Head = cx.state.head();
        let unknown = Part::new(head, ptr::null(), Place::UNKNOWN);
        places.write(Places {
            metatable,
            mask: count - 1,
            head,
            count: elements.unwrap_or(0),
            element: Cell::new(unknown),
        });
        for i in 0..count {
            places.add(1).cast::<Part>().add(i).write(unknown);
        }
        cx.new_table(0, 0);
        api::set_user_value(cx.lua, -2);
    }
    let (index, new_index) = match elements {
        None => closures::<Unbounded>(),
        Some(0) => closures::<Sized>(),
        Some(_) => closures::<Counted>(),
    };
    for (name, function) in [(&b"__index"[..], index), (b"__newindex", new_index)] {
        cx.push_value(table + 1);
        cx.push_function(function, 1);
        cx.raw_set_name(table, name);
    }
    cx.set_top(table);
}

/// `__index` and `__newindex` of cdata with such bounds.
fn closures<B: Bounds>() -> (lua_CFunction, lua_CFunction) {
    (fast_index::<B>, fast_new_index::<B>)
}

/// Notes where Lua has the string `__index`, which is a key of `Anchor::Metamethods`.
pub(super) fn keep_index_event(cx: &Cx<'_>) {
    cx.push_bytes(b"__index");
    // SAFETY: *Layout* (`ways.stack`), and the string was just pushed.
    let event = unsafe { memory::top(cx.lua) }.short_string();
    cx.state.head().index_event.set(event.unwrap_or(ptr::null()));
    cx.pop(1);
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

/// A general metamethod, and what is remembered of where its key led.
fn learning(
    cx: &Cx<'_>,
    general: fn(&Cx<'_>) -> Result<Outcome, LuaError>,
) -> Result<Outcome, LuaError> {
    let outcome = general(cx)?;
    match cx.learnt()[0] {
        Learnt::Place { ty, address, bits } => learn(cx, ty, address, bits),
        Learnt::Name(ty) if metatype::push_metatype(cx, ty) => {
            add_name(cx, Place::named(cx.identity(-1), cx.state.declared.get()));
            cx.pop(1);
        }
        _ => {}
    }
    Ok(outcome)
}

/// Remembers where the key at stack index 2 led: to an object of type `ty`, `address`, in the cdata at 1.
fn learn(cx: &Cx<'_>, ty: QualType, address: *const u8, bits: Option<Bits>) {
    let Some(cd) = cdata::at(cx, 1).filter(|cd| !cd.address.is_null()) else { return };
    let Some(place) = repr::classify(cx, ty, bits) else { return };
    // SAFETY: `index` runs as a closure that `set_closures` made; the user value is the table of names.
    unsafe {
        let call = Call::of(cx.lua);
        let Some(places) = own_places(cx, call) else { return };
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
            let part = Part::new(places.head, ptr::null(), place.at(size as isize));
            places.element.set(part);
        }
    }
}

/// Remembers where the name at stack index 2 led, which is kept by what is on top of the stack.
fn add_name(cx: &Cx<'_>, place: Place) {
    // SAFETY: *Metamethod*: `index` runs as a closure of `set_closures`; the table of names keeps what the place leads to.
    unsafe {
        let call = Call::of(cx.lua);
        let Some(places) = own_places(cx, call) else { return };
        if let Some(name) = call.argument(2).short_string() {
            api::get_user_value(cx.lua, Cx::upvalue(PLACES as c_int - 1));
            cx.push_value(2);
            cx.push_value(-3);
            cx.raw_set(-3);
            cx.pop(1);
            places.add(name, place);
        }
    }
}

/// The known parts of the type of the running metamethod's cdata. `None` if a script called the metamethod of another type, or the
/// metamethod that all types have first, which is no closure of `set_closures`.
///
/// # Safety
/// - *Metamethod* (see `fast`), with one argument or more.
unsafe fn own_places<'p>(cx: &Cx<'_>, call: Call) -> Option<&'p Places> {
    if cx.type_of(Cx::upvalue(PLACES as c_int - 1)) != LuaType::Userdata {
        return None;
    }
    // SAFETY: the upvalue is the places; the running closure keeps them alive.
    let places = unsafe { &*call.upvalue::<Places>(PLACES, USER_VALUES) };
    let userdata = call.argument(1).userdata()?;
    (userdata.metatable() == places.metatable).then_some(places)
}

/// The known parts of the running metamethod's cdata, and the cdata.
///
/// # Safety
/// - *Metamethod* (see `fast`), with one argument or more.
#[inline(always)]
unsafe fn subject<'p>(call: Call) -> Option<(&'p Places, *const Header)> {
    let userdata = call.argument(1).userdata()?;
    // SAFETY: *Metamethod*, kept by the caller; the running closure keeps the places alive. The metatable says that the userdata is a
    // cdata.
    unsafe {
        let places = &*call.upvalue::<Places>(PLACES, USER_VALUES);
        if userdata.metatable() != places.metatable {
            return None;
        }
        let header = userdata.block::<Header>().cast_const();
        (!(*header).address.is_null()).then_some((places, header))
    }
}

/// The part that the key of the running metamethod names, and where it is. A name is looked for in so many fields, and an
/// element beyond the bounds of its type only where these are [`PROBES`].
///
/// # Safety
/// - *Metamethod* (see `fast`), with two arguments or more.
#[inline(always)]
unsafe fn find<'p, B: Bounds>(call: Call, probes: usize) -> Option<(&'p Part, *mut u8)> {
    // SAFETY: *Metamethod*, kept by the caller. A part changes only when one is learned, which no access does while it uses another.
    unsafe {
        let (places, header) = subject(call)?;
        let address = (*header).address;
        let key = call.argument(2);
        if let Some(i) = key.integer() {
            let part = &*places.element.as_ptr();
            let offset = (i as isize).wrapping_mul(part.place.offset);
            let address = address.wrapping_offset(offset);
            let found = B::hold(header, places.count, i, offset)
                || probes == PROBES && {
                    let cdata = call.argument(1).userdata()?;
                    bounds::reaches(&*places.head, cdata, address, part.place.offset as usize)
                };
            return found.then_some((part, address));
        }
        let name = key.short_string()?;
        let mut fields = (0..probes).map(|probe| &*places.field(name, probe).as_ptr());
        let part = fields.find(|part| part.name == name)?;
        Some((part, address.offset(part.place.offset)))
    }
}

/// `__index`. It ends in a call whatever it does, so that it needs no stack frame.
///
/// # Safety
/// - *Metamethod* (see `fast`), of any number of arguments.
unsafe extern "C-unwind" fn fast_index<B: Bounds>(lua: *mut lua_State) -> Results {
    // SAFETY: *Metamethod*. Memory behind the cdata is the script's word.
    unsafe {
        let call = Call::of(lua);
        if call.has(2)
            && let Some((part, address)) = find::<B>(call, 1)
        {
            return (part.read)(lua, call.argument(2), address, part);
        }
        index_any::<B>(lua)
    }
}

/// `__index` of what needs a longer look.
///
/// # Safety
/// - *Metamethod* (see `fast`), of any number of arguments.
#[inline(never)]
unsafe extern "C-unwind" fn index_any<B: Bounds>(lua: *mut lua_State) -> Results {
    // SAFETY: *Metamethod*.
    unsafe {
        let call = Call::of(lua);
        if call.has(2)
            && let Some((part, address)) = find::<B>(call, PROBES)
        {
            return (part.read)(lua, call.argument(2), address, part);
        }
        INDEX(lua)
    }
}

/// `__newindex`; see [`fast_index`].
///
/// # Safety
/// - *Metamethod* (see `fast`), of any number of arguments.
unsafe extern "C-unwind" fn fast_new_index<B: Bounds>(lua: *mut lua_State) -> Results {
    // SAFETY: *Metamethod*.
    unsafe {
        let call = Call::of(lua);
        if call.has(3)
            && let Some((part, address)) = find::<B>(call, 1)
        {
            return (part.write)(lua, call.argument(3), address, part);
        }
        new_index_any::<B>(lua)
    }
}

/// `__newindex` of what needs a longer look.
///
/// # Safety
/// - *Metamethod* (see `fast`), of any number of arguments.
#[inline(never)]
unsafe extern "C-unwind" fn new_index_any<B: Bounds>(lua: *mut lua_State) -> Results {
    // SAFETY: *Metamethod*.
    unsafe {
        let call = Call::of(lua);
        if call.has(3)
            && let Some((part, address)) = find::<B>(call, PROBES)
        {
            return (part.write)(lua, call.argument(3), address, part);
        }
        NEW_INDEX(lua)
    }
}
