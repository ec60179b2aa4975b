//! New values without Lua's C API: `ffi.new(ct, ...)` and `ct(...)` for numbers, structs of numbers and pointers, and arrays of zeros.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::Fast;
use crate::ctype::{ArrayLen, QualType, RecordKind};
use crate::lua::object::ctypes;
use crate::lua::object::make;
use crate::lua::object::metatype;
use crate::lua::sandbox::budget;
use crate::lua::state::head;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, Outcome, State, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::value::ctype::{self, Named};
use crate::lua::value::direct;
use crate::lua::value::repr::{self, Place};
use crate::lua::vm::api::{Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{self, Call, Slot};

/// `ffi.new`
pub(in crate::lua) const NEW: lua_CFunction = new;
/// `__call` of ctype objects.
pub(in crate::lua) const CONSTRUCT: lua_CFunction = construct;

/// How values of a type are made from a list of initialisers.
#[derive(Debug)]
pub(in crate::lua) struct Maker {
    metatable: *const c_void,
    ty: u32,
    size: usize,
    /// Of arrays whose length is an argument: bytes an element. 0 of others.
    step: usize,
    /// The places that the initialisers are for, in order.
    places: Box<[Place]>,
}

impl Maker {
    /// Of a type whose values are not made here: no type has these bits.
    fn none() -> Maker {
        Maker { metatable: ptr::null(), ty: u32::MAX, size: 0, step: 0, places: Box::default() }
    }

    /// `None`: the general code makes them. The type must be complete.
    pub(in crate::lua) fn of(cx: &Cx<'_>, ty: QualType) -> Option<Maker> {
        let (size, step) = match cx.state.kind(ty) {
            Kind::Array(element, ArrayLen::Variable) => (0, cx.state.size(element)?),
            _ => (cx.state.size(ty)?, 0),
        };
        let plain = ty.quals().0 == 0 && cx.state.align(ty) <= mem::align_of::<Header>();
        if !plain || size >= budget::LARGE || metatype::has(cx, ty, &[b"__new", b"__gc"]) {
            return None;
        }
        let places = match cx.state.kind(ty) {
            Kind::Record(record) => {
                let members: Vec<_> = {
                    let types = cx.state.types.borrow();
                    let table = types.table();
                    if table.record(record).kind == RecordKind::Union {
                        return None;
                    }
                    let body = table.record(record).body.as_ref()?;
                    if body.flexible.is_some() || body.members.iter().any(|m| m.name.is_none()) {
                        return None;
                    }
                    body.members.iter().map(|m| (m.ty, m.offset, m.bits)).collect()
                };
                let place = |&(ty, offset, bits)| repr::of(cx, ty, offset as isize, bits);
                members.iter().map(place).collect::<Option<_>>()?
            }
            Kind::Array(_, ArrayLen::Fixed(_)) => Box::default(),
            Kind::Array(_, ArrayLen::Variable) if step > 0 => Box::default(),
            Kind::Int(_) | Kind::Float(_) | Kind::Bool => [repr::of(cx, ty, 0, None)?].into(),
            _ => return None,
        };
        let metatable = cdata::metatable(cx, ty);
        Some(Maker { metatable, ty: ty.to_bits(), size, step, places })
    }
}

/// How the values of a type are made, where that is known.
///
/// # Safety
/// - *Open* (see `state`).
#[inline(always)]
unsafe fn maker<'s>(named: Named) -> Option<&'s Maker> {
    // SAFETY: *Boxed* (see `state`) holds for infos and makers.
    let maker = unsafe { named.info().maker.get().cast::<Maker>().as_ref()? };
    (maker.ty == named.ty().to_bits()).then_some(maker)
}

/// The type that an argument names, if a look at its slot shows it.
#[inline(always)]
fn named(state: &State, slot: Slot) -> Option<Named> {
    ctype::at_slot(state, slot).or_else(|| Fast::of(state).texts.find(slot.short_string()?))
}

/// The bits of the type that a type argument names, where that is quickly seen.
pub(in crate::lua) fn named_type(state: &State, slot: Slot) -> Option<u32> {
    named(state, slot).map(|named| named.ty().to_bits())
}

/// A new value of the type that argument 1 names, made from the arguments after it; `slow` makes what is not made here.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - *Raise*.
#[inline(always)]
unsafe fn make(lua: *mut lua_State, slow: lua_CFunction) -> Results {
    // SAFETY: *Fast function*, kept by the caller; the slots are those of the running call, which is looked at again after what may
    // move the stack.
    unsafe {
        let Some((call, state)) = head::enter(lua) else { return slow(lua) };
        let count = call.count();
        if count == 0 {
            return slow(lua);
        }
        let maker = named(state, call.argument(1)).and_then(|named| maker(named));
        let Some(maker) = maker else { return slow(lua) };
        if maker.step != 0 {
            return make_array(lua, call, maker, slow);
        }
        let Some(places) = maker.places.get(..count - 1) else { return slow(lua) };
        let header = Header { ty: maker.ty, flags: 0, address: ptr::null_mut() };
        let block = direct::push_cdata(lua, maker.metatable, header, maker.size, 0);
        let bytes = block.add(1).cast::<u8>();
        (*block).address = bytes;
        bytes.write_bytes(0, maker.size);
        let mut value = Call::of(lua).argument(1);
        for place in places {
            value = value.next();
            let to = bytes.offset(place.offset);
            if !repr::assign_number(value, to, place) && !repr::assign(value, to, place) {
                sys::lua_settop(lua, count as c_int);
                return slow(lua);
            }
        }
    }
    Results::ONE
}

/// [`make`] of an array with as many elements as argument 2 says.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - *Raise*.
#[inline(never)]
unsafe fn make_array(
    lua: *mut lua_State,
    call: Call,
    maker: &Maker,
    slow: lua_CFunction,
) -> Results {
    // SAFETY: *Fast function*, kept by the caller. The block has room for the size and the elements.
    unsafe {
        let count = call.has(2).then(|| call.argument(2).integer()).flatten();
        let size = count
            .and_then(|count| usize::try_from(count).ok()?.checked_mul(maker.step))
            .filter(|size| *size < budget::LARGE);
        let Some(size) = size else { return slow(lua) };
        let header = Header { ty: maker.ty, flags: Flags::VARIABLE, address: ptr::null_mut() };
        let prefix = mem::size_of::<u64>();
        let block = direct::push_cdata(lua, maker.metatable, header, prefix + size, 0);
        block.add(1).cast::<u64>().write(size as u64);
        let bytes = block.add(1).cast::<u8>().add(prefix);
        (*block).address = bytes;
        bytes.write_bytes(0, size);
    }
    Results::ONE
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn new(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this as a closure of `Cx::push_function`.
    unsafe { make(lua, entry(|cx: &Cx<'_>| learning(cx, make::new))) }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn construct(lua: *mut lua_State) -> Results {
    // SAFETY: *Fast function*.
    unsafe { make(lua, entry(|cx: &Cx<'_>| learning(cx, ctypes::construct))) }
}

/// Texts that name types, by the address of Lua's own copy; the table of `Anchor::TypeTexts` keeps that alive.
#[derive(Default)]
pub(in crate::lua) struct Texts([Cell<Option<Text>>; Texts::SIZE]);

/// A text, and what it names.
#[derive(Clone, Copy)]
struct Text {
    address: *const c_void,
    named: Named,
}

impl Texts {
    const SIZE: usize = 32;

    fn entry(&self, text: *const c_void) -> &Cell<Option<Text>> {
        &self.0[(text as usize >> 4 ^ text as usize >> 9) % Texts::SIZE]
    }

    #[inline(always)]
    fn find(&self, text: *const c_void) -> Option<Named> {
        let known = self.entry(text).get()?;
        (known.address == text).then_some(known.named)
    }
}

/// Remembers that a text, which the table of texts has, names a type.
pub(super) fn learn_text(cx: &Cx<'_>, text: *const c_void, ty: QualType) {
    let known = Text { address: text, named: Named::new(cx.state, ty) };
    Fast::of(cx.state).texts.entry(text).set(Some(known));
}

/// Finds out how values of a type are made.
fn learn(cx: &Cx<'_>, ty: QualType) {
    let info = cx.state.info(ty.id());
    if info.maker.get().is_null() {
        let maker = Box::new(Maker::of(cx, ty).unwrap_or_else(Maker::none));
        info.maker.set((&raw const *maker).cast());
        Fast::of(cx.state).makers.borrow_mut().push(maker);
    }
}

/// A general function that makes a value of the type that argument 1 names, and what is remembered of it.
fn learning(
    cx: &Cx<'_>,
    general: fn(&Cx<'_>) -> Result<Outcome, LuaError>,
) -> Result<Outcome, LuaError> {
    // SAFETY: *Layout* (`ways.stack`), and a C function is running.
    let text = unsafe { memory::slot(cx.lua, 1) }.and_then(Slot::short_string);
    let outcome = general(cx)?;
    for fact in cx.learnt() {
        match (fact, text) {
            (Learnt::Text(ty), Some(text)) => learn_text(cx, text, ty),
            (Learnt::New(ty), _) => learn(cx, ty),
            _ => {}
        }
    }
    Ok(outcome)
}
