//! New values in place: `ffi.new(ct, ...)` and `ct(...)` for numbers and for structs of numbers and pointers.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::api::{lua_CFunction, lua_State};
use super::cdata::{self, Header};
use super::ctypes;
use super::functions;
use super::kind::Kind;
use super::metatype;
use super::place::{self, Place};
use super::stack::{self, Call, Slot};
use super::state::{Cx, Head, State, entry};
use crate::ctype::{QualType, RecordKind};

/// `ffi.new`
pub(super) const NEW: lua_CFunction = new;
/// `__call` of ctype objects.
pub(super) const CONSTRUCT: lua_CFunction = construct;

/// How values of a type are made from a list of initialisers.
#[derive(Debug)]
pub(super) struct Maker {
    metatable: *const c_void,
    ty: u32,
    size: usize,
    /// What the initialisers are for, in order.
    places: Box<[Place]>,
}

impl Maker {
    /// Of a type whose values are not made here: no type has these bits.
    fn none() -> Maker {
        Maker { metatable: ptr::null(), ty: u32::MAX, size: 0, places: Box::default() }
    }

    /// `None`: the general code makes them. The type must be complete.
    pub(super) fn of(cx: &Cx<'_>, ty: QualType) -> Option<Maker> {
        let size = cx.state.size(ty)?;
        let plain = ty.quals().0 == 0 && cx.state.align(ty) <= mem::align_of::<Header>();
        if !plain || metatype::has(cx, ty, &[b"__new", b"__gc"]) {
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
                let place = |&(ty, offset, bits)| place::of(cx, ty, offset as isize, bits);
                members.iter().map(place).collect::<Option<_>>()?
            }
            Kind::Int(_) | Kind::Float(_) | Kind::Bool => [place::of(cx, ty, 0, None)?].into(),
            _ => return None,
        };
        let metatable = cdata::metatable(cx, ty);
        Some(Maker { metatable, ty: ty.to_bits(), size, places })
    }
}

/// What a type argument names, where that is quickly seen.
fn type_argument(state: &State, slot: Slot) -> Option<QualType> {
    ctype(state, slot).or_else(|| state.texts.find(slot.short_string()?))
}

/// The type that a ctype object stands for.
pub(super) fn ctype(state: &State, slot: Slot) -> Option<QualType> {
    let userdata = slot.userdata()?;
    let is_ctype = userdata.metatable() == state.ctype_metatable.get();
    // SAFETY: only ctype objects have this metatable; they hold the bits of their type.
    is_ctype.then(|| QualType::from_bits(unsafe { userdata.block::<u32>().read() }))
}

/// Pushes a new value of the type that argument 1 names, made from the arguments after it; false where that is not done here.
///
/// # Safety
/// `lua` runs a closure that `Cx::push_function` made, of a state in place.
unsafe fn make(lua: *mut lua_State) -> bool {
    // SAFETY: the caller's promise; the slots are those of the running call, which is looked at again after what may move
    // the stack.
    unsafe {
        let call = Call::of(lua);
        let head: *const Head = call.upvalue(1, 0);
        let (Some(state), count @ 1..) = ((*head).state(), call.count()) else { return false };
        let Some(ty) = type_argument(state, call.argument(1)) else { return false };
        let maker = state.known_info(ty.id()).and_then(|info| info.maker.get().as_ref());
        let Some(maker) = maker.filter(|maker| maker.ty == ty.to_bits()) else { return false };
        if count - 1 > maker.places.len() {
            return false;
        }
        let header = Header { ty: maker.ty, flags: 0, address: ptr::null_mut() };
        let block = stack::push_cdata(lua, maker.metatable, header, maker.size, 0);
        let bytes = block.add(1).cast::<u8>();
        (*block).address = bytes;
        bytes.write_bytes(0, maker.size);
        let call = Call::of(lua);
        for (n, place) in (2..=count).zip(&maker.places) {
            if !place::assign(call.argument(n), bytes.offset(place.offset), place) {
                sys::lua_settop(lua, count as c_int);
                return false;
            }
        }
    }
    true
}

unsafe extern "C-unwind" fn new(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(functions::new);
    // SAFETY: Lua calls this as a closure of `Cx::push_function`.
    unsafe { if make(lua) { 1 } else { SLOW(lua) } }
}

unsafe extern "C-unwind" fn construct(lua: *mut lua_State) -> c_int {
    const SLOW: lua_CFunction = entry(ctypes::construct);
    // SAFETY: as in `new`.
    unsafe { if make(lua) { 1 } else { SLOW(lua) } }
}

/// Texts that name types, by the address of Lua's own copy; the table of `Anchor::TypeTexts` keeps that alive.
#[derive(Default)]
pub(super) struct Texts([Cell<(usize, u32)>; Texts::SIZE]);

impl Texts {
    const SIZE: usize = 32;

    fn entry(&self, text: *const c_void) -> &Cell<(usize, u32)> {
        &self.0[(text as usize >> 4 ^ text as usize >> 9) % Texts::SIZE]
    }

    fn find(&self, text: *const c_void) -> Option<QualType> {
        let (known, ty) = self.entry(text).get();
        (known == text as usize).then(|| QualType::from_bits(ty))
    }
}

/// Remembers that the text at stack index `n`, which the table of texts has, names a type.
pub(super) fn learn_text(cx: &Cx<'_>, n: c_int, ty: QualType) {
    if !cx.state.in_place {
        return;
    }
    // SAFETY: the state is in place, and a C function is running.
    let slot = unsafe { stack::slot(cx.lua, n) };
    if let Some(text) = slot.and_then(Slot::short_string) {
        cx.state.texts.entry(text).set((text as usize, ty.to_bits()));
    }
}

/// Finds out how values of a type are made.
pub(super) fn learn(cx: &Cx<'_>, ty: QualType) {
    let info = cx.state.info(ty.id());
    if cx.state.in_place && info.maker.get().is_null() {
        let maker = Box::new(Maker::of(cx, ty).unwrap_or_else(Maker::none));
        info.maker.set(&raw const *maker);
        cx.state.makers.borrow_mut().push(maker);
    }
}

/// Forgets that, as the type has a metatype now.
pub(super) fn forget(cx: &Cx<'_>, ty: QualType) {
    cx.state.info(ty.id()).maker.set(ptr::null());
}
