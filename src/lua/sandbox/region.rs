//! The memory that a checked state knows: values that Lua owns, and regions that the host lends.
//!
//! An address that comes from C or out of memory, without an owner, is looked up here. The pointer that is made of it keeps the memory alive. An address
//! that is not found is foreign.
//!
//! A region is a userdata that no script sees. It owns pointers and references into memory that Lua does not own, as long as the memory is
//! lent: [`end`] makes all of them dead at once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::mem;

use super::Sandbox;
use crate::ctype::QualType;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx};
use crate::lua::vm::api::{self, LuaType};

/// The block of a region's userdata. Its user value is what the memory lies in, and lives no longer than.
#[derive(Debug)]
pub(in crate::lua) struct Region {
    /// Its first byte.
    pub(in crate::lua) base: usize,
    /// Its size in bytes.
    pub(in crate::lua) len: usize,
    /// Whether it may not be written to.
    pub(in crate::lua) read_only: bool,
    /// Until it is given back.
    pub(in crate::lua) live: Cell<bool>,
    /// CALL-7: of memory that C gave out, how often its first byte's address had been released before.
    pub(in crate::lua) life: Option<u64>,
    /// Its type, where it is memory of the host that holds pointers: MEM-3.
    pub(in crate::lua) holds: Option<QualType>,
}

/// Where [`Anchor::Regions`] has the metatable of regions.
const METATABLE: i64 = 1;

/// Where known memory begins and ends. Its objects are in the table of [`Anchor::Known`], by address, with weak values: what Lua has
/// collected is forgotten when it is looked for, or when there is much of it.
#[derive(Debug, Default)]
pub(in crate::lua) struct Known {
    ends: RefCell<BTreeMap<usize, usize>>,
    /// How many there may be before those that are gone are looked for.
    most: Cell<usize>,
    /// The identity of the metatable of regions.
    metatable: Cell<usize>,
}

/// Fewer are not worth looking for those that are gone.
const FEW: usize = 256;
/// How many that begin before an address are tried: a loan may lie in another.
const NESTED: usize = 4;

/// Fills the tables of a checked state.
pub(in crate::lua) fn make_tables(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Known);
    cx.new_table(0, 1);
    // "s": it shrinks, in Luau.
    cx.push_bytes(b"vs");
    cx.raw_set_name(-2, b"__mode");
    cx.set_metatable(-2);
    cx.push_anchor(Anchor::Regions);
    cx.new_table(0, 1);
    cx.push_bytes(b"ffi");
    cx.raw_set_name(-2, b"__metatable");
    Sandbox::of(cx.state).memory.metatable.set(cx.identity(-1) as usize);
    cx.raw_set_integer(-2, METATABLE);
    cx.pop(2);
}

/// [`push_host`] for memory that C gave out: it is dead once a function has released its address.
pub(in crate::lua) fn push_given(cx: &Cx<'_>, ty: QualType, base: usize, len: usize) {
    let asked = cx.state.asks_for_contracts();
    let holds = (asked && cx.state.types.borrow().table().holds_pointers(ty)).then_some(ty);
    let life = Some(cx.state.releases_of(base));
    let read_only = ty.is_const();
    push_region(cx, Region { base, len, read_only, live: Cell::new(true), life, holds }, 0);
}

/// Pushes a region of `len` bytes from `base` on: memory of the host with a value of type `ty`. `within`: as for [`push`].
pub(in crate::lua) fn push_host(
    cx: &Cx<'_>,
    ty: QualType,
    base: usize,
    len: usize,
    read_only: bool,
    within: c_int,
) {
    let asked = cx.state.asks_for_contracts();
    let holds = (asked && cx.state.types.borrow().table().holds_pointers(ty)).then_some(ty);
    push_region(
        cx,
        Region { base, len, read_only, live: Cell::new(true), life: None, holds },
        within,
    );
}

/// Pushes a region of `len` bytes from `base` on. `within`: stack index of what it lies in, or of what else must live as long,
/// or 0.
pub(in crate::lua) fn push(cx: &Cx<'_>, base: usize, len: usize, read_only: bool, within: c_int) {
    push_region(
        cx,
        Region { base, len, read_only, live: Cell::new(true), life: None, holds: None },
        within,
    );
}

fn push_region(cx: &Cx<'_>, region: Region, within: c_int) {
    let within = if within == 0 { 0 } else { cx.absolute(within) };
    // SAFETY: *Context*; the block has room for a region, which has no destructor; it has a user value.
    unsafe {
        let block = api::new_userdata(cx.lua, mem::size_of::<Region>(), 1).cast::<Region>();
        block.write(region);
        match within {
            0 => cx.push_nil(),
            within => cx.push_value(within),
        }
        api::set_user_value(cx.lua, -2);
    }
    cx.push_anchor(Anchor::Regions);
    cx.raw_get_integer(-1, METATABLE);
    cx.remove(-2);
    cx.set_metatable(-2);
}

impl Region {
    /// Whether the memory is there still.
    pub(in crate::lua) fn is_live(&self, cx: &Cx<'_>) -> bool {
        self.live.get() && self.life.is_none_or(|life| life == cx.state.releases_of(self.base))
    }
}

/// The region at a stack index.
pub(in crate::lua) fn at<'a>(cx: &'a Cx<'_>, index: c_int) -> Option<&'a Region> {
    if cx.type_of(index) != LuaType::Userdata || !cx.get_metatable(index) {
        return None;
    }
    let metatable = cx.identity(-1) as usize;
    cx.pop(1);
    // SAFETY: only regions have this metatable; what is on the stack lives.
    (metatable == Sandbox::of(cx.state).memory.metatable.get())
        .then(|| unsafe { &*cx.userdata(index).cast::<Region>() })
}

/// Ends the region at a stack index: what leads into it is dead from here on.
pub(in crate::lua) fn end(cx: &Cx<'_>, index: c_int) {
    if let Some(region) = at(cx, index) {
        region.live.set(false);
        Sandbox::of(cx.state).memory.ends.borrow_mut().remove(&region.base);
    }
}

/// Lets the object on top of the stack be found by the addresses of its `len` bytes from `base` on.
pub(in crate::lua) fn note(cx: &Cx<'_>, base: usize, len: usize) {
    cx.push_anchor(Anchor::Known);
    cx.push_value(-2);
    cx.raw_set_address(-2, base as *const c_void);
    let memory = &Sandbox::of(cx.state).memory;
    let count = {
        let mut ends = memory.ends.borrow_mut();
        ends.insert(base, base.saturating_add(len));
        ends.len()
    };
    if count > memory.most.get().max(FEW) {
        forget_collected(cx);
    }
    cx.pop(1);
}

/// Forgets what is not in the table on top of the stack any more.
fn forget_collected(cx: &Cx<'_>) {
    let memory = &Sandbox::of(cx.state).memory;
    // No raw access of a table raises or runs a finaliser.
    memory.ends.borrow_mut().retain(|base, _| {
        cx.raw_get_address(-1, *base as *const c_void);
        let there = cx.type_of(-1) != LuaType::Nil;
        cx.pop(1);
        there
    });
    memory.most.set(memory.ends.borrow().len() * 2);
}

/// Whether an address leads into known memory, or right behind, that was not given back.
pub(in crate::lua) fn is_known(cx: &Cx<'_>, address: usize) -> bool {
    let known = resolve(cx, address);
    if !known {
        return false;
    }
    let is_dead = at(cx, -1).is_some_and(|region| !region.is_live(cx));
    cx.pop(1);
    !is_dead
}

/// Pushes the object whose memory an address leads into, or right behind; returns false, with nothing pushed, where none is
/// known.
pub(in crate::lua) fn resolve(cx: &Cx<'_>, address: usize) -> bool {
    let ends = &Sandbox::of(cx.state).memory.ends;
    loop {
        let found = {
            let ends = ends.borrow();
            let before = ends.range(..=address).rev().take(NESTED);
            before.into_iter().find(|(_, end)| address <= **end).map(|(base, _)| *base)
        };
        let Some(base) = found else { return false };
        cx.push_anchor(Anchor::Known);
        cx.raw_get_address(-1, base as *const c_void);
        cx.remove(-2);
        if cx.type_of(-1) != LuaType::Nil {
            return true;
        }
        // What began there is gone, and may have hidden what lies there now.
        cx.pop(1);
        ends.borrow_mut().remove(&base);
    }
}
