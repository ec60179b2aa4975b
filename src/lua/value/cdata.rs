//! cdata: C values that Lua holds.
//!
//! A cdata is a full userdata: a [`Header`], then the bytes of the value, if it owns them. There are three kinds:
//! - a **value** owns its bytes; `address` leads to them, behind the padding that the type's alignment needs (Lua aligns userdata to 8 bytes
//!   only);
//! - a **pointer** has no bytes: the header's `address` *is* the pointer, so passing it to C is one load;
//! - a **reference** to a struct, union or array has an `address` in memory that something else owns.
//!
//! The first user value of a pointer or reference is the object that it was made from, if the library knows it. So that object stays alive.
//!
//! Each type has metatables of its own, made at first use: one for each set of `const` and `volatile`, each of them without and with `__gc`. The one with
//! `__gc` is for cdata that have a finaliser; so other cdata are never on Lua's list of finalisable objects. A userdata is a cdata if its
//! metatable is the one that its header names, which a script cannot forge without `debug`. So one comparison of a metatable recognises
//! a type with its qualifiers.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::guest_memory;
use crate::ctype::{QualType, TypeId};
use crate::lua::sandbox::budget;
use crate::lua::sandbox::region;
use crate::lua::state::{Cx, LuaError, State};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::{self, LuaType};
use crate::lua::vm::memory::{self, Slot};

/// The start of every cdata's userdata block.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// [`QualType::to_bits`] of the type.
    pub ty: u32,
    /// A set of [`Flags`].
    pub flags: u32,
    /// Where the value is; of a pointer, the value itself.
    pub address: *mut u8,
}

/// The bits of [`Header::flags`].
pub struct Flags;

impl Flags {
    /// The type is a pointer: `address` is the value.
    pub const POINTER: u32 = 1;
    /// The bytes belong to somebody else.
    pub const REFERENCE: u32 = 2;
    /// Of variable length: the size in bytes, a `u64`, follows the header.
    pub const VARIABLE: u32 = 4;
    /// It has user values, the first of which is kept alive for it.
    pub const OWNED: u32 = 8;
    /// It has the metatable with `__gc`.
    pub const FINALIZED: u32 = 16;
}

/// A cdata on the Lua stack; valid as long as it stays there.
#[derive(Clone, Copy, Debug)]
pub struct CData {
    /// Its type. Of a reference, the type that it refers to.
    pub ty: QualType,
    /// Where the value is; of a pointer, the value itself.
    pub address: *mut u8,
    header: *mut Header,
    flags: u32,
}

impl CData {
    /// The address of the bytes of the value; of a pointer, where the pointer is kept.
    pub fn bytes(&self) -> *mut u8 {
        if self.has(Flags::POINTER) {
            // SAFETY: the header is in a live userdata; no reference is made.
            unsafe { (&raw mut (*self.header).address).cast() }
        } else {
            self.address
        }
    }

    /// Whether the bytes belong to somebody else.
    pub fn is_reference(&self) -> bool {
        self.has(Flags::REFERENCE)
    }

    /// Whether it is a pointer.
    pub fn is_pointer(&self) -> bool {
        self.has(Flags::POINTER)
    }

    /// Whether it leads to memory that the library knows nothing of.
    pub fn is_foreign(&self) -> bool {
        (self.is_pointer() || self.is_reference()) && !self.has(Flags::OWNED)
    }

    /// Whether it keeps an owner alive.
    pub fn is_owned(&self) -> bool {
        self.has(Flags::OWNED)
    }

    /// Size in bytes of a value of variable length that was made with one.
    pub fn variable_size(&self) -> Option<usize> {
        if !self.has(Flags::VARIABLE) {
            return None;
        }
        // SAFETY: the flag says that a `u64` follows the header.
        let size = unsafe { self.header.add(1).cast::<u64>().read() };
        usize::try_from(size).ok()
    }

    /// Whether it has one of [`Flags`].
    pub(in crate::lua) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// The cdata at a stack index, if it is one.
pub fn at(cx: &Cx<'_>, index: c_int) -> Option<CData> {
    if cx.state.ways.stack && index > sys::LUA_REGISTRYINDEX {
        // SAFETY: *Layout* (`ways.stack`), and a C function is running.
        return at_slot(cx.state, unsafe { memory::slot(cx.lua, index)? });
    }
    if cx.type_of(index) != LuaType::Userdata || cx.raw_len(index) < mem::size_of::<Header>() {
        return None;
    }
    if !cx.get_metatable(index) {
        return None;
    }
    let metatable = cx.identity(-1);
    cx.pop(1);
    recognize(cx.state, metatable, cx.userdata(index).cast())
}

/// The cdata that a metamethod was called with.
pub(in crate::lua) fn this(cx: &Cx<'_>) -> Result<CData, LuaError> {
    at(cx, 1).ok_or_else(|| {
        LuaError::Argument(1, format!("cdata expected, got {}", super::to_c::describe(cx, 1)))
    })
}

/// The cdata in a slot, if it is one.
pub(in crate::lua) fn at_slot(state: &State, slot: Slot) -> Option<CData> {
    let userdata = slot.userdata()?;
    let metatable = userdata.metatable();
    if metatable.is_null() || userdata.size() < mem::size_of::<Header>() {
        return None;
    }
    recognize(state, metatable, userdata.block())
}

/// The cdata that a userdata block of a header's size at least is, if its metatable says so.
fn recognize(state: &State, metatable: *const c_void, header: *mut Header) -> Option<CData> {
    // SAFETY: the block is at least as long as a header and aligned to 8 bytes. What is read from a foreign userdata is
    // only used as an index that is checked.
    let (ty, flags, address) = unsafe { ((*header).ty, (*header).flags, (*header).address) };
    let ty = QualType::from_bits(ty);
    let known = &state.known_info(ty.id())?.metatables;
    let expected = known.get(ty.quals(), flags & Flags::FINALIZED != 0);
    (metatable == expected.identity.get()).then_some(CData { ty, address, header, flags })
}

/// Pushes the metatable of a type's cdata.
fn push_metatable(cx: &Cx<'_>, ty: QualType, finalized: bool) {
    let metatable = cx.state.info(ty.id()).metatables.get(ty.quals(), finalized);
    if metatable.reference.get() == 0 {
        (cx.state.links.push_metatable)(cx, ty, finalized);
        metatable.identity.set(cx.identity(-1));
        metatable.reference.set(cx.make_reference());
    }
    cx.get_reference(metatable.reference.get());
}

/// The identity of the metatable of a type's cdata without finaliser. The metatable is made if there is none.
pub(in crate::lua) fn metatable(cx: &Cx<'_>, ty: QualType) -> *const c_void {
    push_metatable(cx, ty, false);
    let identity = cx.identity(-1);
    cx.pop(1);
    identity
}

/// Calls `change` with each metatable of a type that was made on top of the stack.
pub(in crate::lua) fn for_each_metatable(cx: &Cx<'_>, ty: TypeId, change: impl Fn()) {
    for metatable in &cx.state.info(ty).metatables.0 {
        if metatable.reference.get() != 0 {
            cx.get_reference(metatable.reference.get());
            change();
            cx.pop(1);
        }
    }
}

/// Gives the cdata at `index` the metatable with or without `__gc`.
pub(in crate::lua) fn set_finalized(cx: &Cx<'_>, index: c_int, cd: &CData, finalized: bool) {
    push_metatable(cx, cd.ty, finalized);
    cx.set_metatable(index);
    // SAFETY: the header is in the live userdata at `index`.
    unsafe {
        let flags = &raw mut (*cd.header).flags;
        *flags = *flags & !Flags::FINALIZED | if finalized { Flags::FINALIZED } else { 0 };
    }
}

/// Pushes a userdata with a header and `extra` bytes after it. `owner`: index of a value to keep alive, or 0.
fn push_block(
    cx: &Cx<'_>,
    ty: QualType,
    flags: u32,
    address: *mut u8,
    extra: usize,
    owner: c_int,
) -> *mut Header {
    let owned = owner != 0 && cx.type_of(owner) != LuaType::Nil;
    let owner = if owned { cx.absolute(owner) } else { 0 };
    let flags = flags | if owned { Flags::OWNED } else { 0 };
    // SAFETY: *Context*. The block has room for the header.
    let header = unsafe {
        let size = mem::size_of::<Header>() + extra;
        let header = api::new_cdata(cx.lua, size, c_int::from(owned)).cast::<Header>();
        header.write(Header { ty: ty.to_bits(), flags, address });
        header
    };
    if owned {
        cx.push_value(owner);
        // SAFETY: the userdata was made with one user value.
        unsafe { api::set_user_value(cx.lua, -2) };
    }
    push_metatable(cx, ty, false);
    cx.set_metatable(-2);
    header
}

/// Pushes a pointer. `owner`: the stack index of what must live as long as it, or 0.
pub(in crate::lua) fn push_pointer(cx: &Cx<'_>, ty: QualType, value: *mut u8, owner: c_int) {
    push_leading(cx, ty, Flags::POINTER, value, owner);
}

/// Pushes a reference to a value at `address`. `owner`: the stack index of what must live as long as it, or 0.
pub(in crate::lua) fn push_reference(cx: &Cx<'_>, ty: QualType, address: *mut u8, owner: c_int) {
    push_leading(cx, ty, Flags::REFERENCE, address, owner);
}

/// Pushes a pointer or reference. In a checked state one that comes with no owner has what is known at its address.
fn push_leading(cx: &Cx<'_>, ty: QualType, flags: u32, address: *mut u8, owner: c_int) {
    let alone = owner == 0 || cx.type_of(owner) == LuaType::Nil;
    let found = alone && cx.state.checked() && region::resolve(cx, address as usize);
    let owner = if found { cx.top() } else { owner };
    push_block(cx, ty, flags, address, 0, owner);
    if found {
        cx.remove(-2);
    }
}

/// Pushes the first user value of the cdata or region at `index`, which has one.
pub(super) fn push_user_value(cx: &Cx<'_>, index: c_int) {
    // SAFETY: *Context*, and the value at `index` has a user value.
    unsafe { api::get_user_value(cx.lua, index) };
}

/// Pushes a value of `size` zero bytes and returns where they are. `variable`: the size is not the type's own.
pub(in crate::lua) fn push_value(
    cx: &Cx<'_>,
    ty: QualType,
    size: usize,
    variable: bool,
) -> Result<*mut u8, LuaError> {
    if matches!(cx.state.kind(ty), Kind::Pointer(_) | Kind::Reference(_)) {
        let header = push_block(cx, ty, Flags::POINTER, ptr::null_mut(), 0, 0);
        // SAFETY: the header is in the userdata on top of the stack.
        return Ok(unsafe { (&raw mut (*header).address).cast() });
    }
    let align = cx.state.align(ty);
    let prefix = if variable { mem::size_of::<u64>() } else { 0 };
    let slack = align.saturating_sub(mem::align_of::<Header>());
    let extra = prefix.checked_add(slack).and_then(|n| n.checked_add(size));
    let extra = extra.unwrap_or(usize::MAX);
    budget::ask("value", extra, size)?;
    budget::permit(cx, extra)?;
    let flags = if variable { Flags::VARIABLE } else { 0 };
    if cx.state.machine.is_guest() {
        let address = guest_memory::push(cx, size.max(align))?;
        let memory = cx.top();
        let header = push_block(cx, ty, flags, address, prefix, memory);
        if variable {
            // SAFETY: the block has room for the size after the header.
            unsafe { header.add(1).cast::<u64>().write(size as u64) };
        }
        cx.remove(memory);
        budget::note(cx, extra);
        return Ok(address);
    }
    let header = push_block(cx, ty, flags, ptr::null_mut(), extra, 0);
    budget::note(cx, extra);
    // SAFETY: the block has room for the size, the slack and the bytes after the header.
    unsafe {
        let start = header.add(1).cast::<u8>();
        if variable {
            start.cast::<u64>().write(size as u64);
        }
        let start = start.add(prefix);
        let address = start.add(start.align_offset(align));
        address.write_bytes(0, size);
        (*header).address = address;
        if cx.state.checked() {
            region::note(cx, address as usize, size);
        }
        Ok(address)
    }
}

/// Pushes a cdata that is as a dead one was.
pub(in crate::lua) fn revive(cx: &Cx<'_>, dead: &api::Dead) -> Result<(), LuaError> {
    // SAFETY: the bytes are those of a cdata's block, which begins with a header.
    let header = unsafe { dead.block.as_ptr().cast::<Header>().read_unaligned() };
    let ty = QualType::from_bits(header.ty);
    let elsewhere = header.flags & (Flags::POINTER | Flags::REFERENCE);
    if elsewhere != 0 {
        push_leading(cx, ty, elsewhere, header.address, 0);
        return Ok(());
    }
    let variable = header.flags & Flags::VARIABLE != 0;
    let size = match variable {
        // SAFETY: the flag says that a `u64` follows the header.
        true => unsafe {
            dead.block.as_ptr().cast::<Header>().add(1).cast::<u64>().read_unaligned()
        },
        false => cx.state.known_size(ty)? as u64,
    } as usize;
    let start = header.address as usize - dead.address;
    let copy = push_value(cx, ty, size, variable)?;
    // SAFETY: the block held the value, and `push_value` made room for as many bytes.
    unsafe { ptr::copy_nonoverlapping(dead.block.as_ptr().add(start), copy, size) };
    Ok(())
}

/// Pushes what has to stay alive for a pointer or reference into the cdata at `index`: the cdata itself where it owns
/// memory or has a finaliser, else what it keeps alive itself (nil: nothing).
pub(in crate::lua) fn push_owner(cx: &Cx<'_>, index: c_int, cd: &CData) {
    let owns_memory = !cd.is_pointer() && !cd.is_reference();
    if owns_memory || cd.has(Flags::FINALIZED) {
        cx.push_value(index);
    } else if cd.has(Flags::OWNED) {
        // SAFETY: the flag says that it has a user value.
        unsafe { api::get_user_value(cx.lua, index) };
    } else {
        cx.push_nil();
    }
}

/// Pushes an object made by `push`, which gets the stack index of what `push_owner` says for the cdata at `index`.
pub(in crate::lua) fn push_derived(
    cx: &Cx<'_>,
    index: c_int,
    cd: &CData,
    push: impl FnOnce(c_int) -> Result<(), LuaError>,
) -> Result<(), LuaError> {
    push_owner(cx, index, cd);
    push(cx.top())?;
    cx.remove(-2);
    Ok(())
}
