//! The memory that a cdata may reach, in a checked state ([`crate::policy::Policy::checked`]).
//!
//! A pointer or reference has no bounds of its own. Its extent is that of its owner, the user value that it keeps alive:
//!
//! | owner | extent |
//! |---|---|
//! | a value | its bytes |
//! | a Lua string | its bytes and the NUL behind them, read-only |
//! | a [`region`] | the region, while it is lent, within the extent of the object that it lies in |
//! | a pointer that has a finaliser | that of its owner |
//! | a pointer whose own address was taken | the bytes of the pointer |
//!
//! A pointer without an owner, or one that was moved out of its owner, is looked up by its address. If nothing is known of the address, the pointer is
//! foreign: it can be compared, kept and passed on, but not dereferenced.
//!
//! # Invariants
//!
//! - **Reached** (MEM-1): memory that a script names is accessed after [`Reach::permit`] has found it there, with the right to do so.
//! - **Anchored** (MEM-2 of `docs/security.md`): what finds memory leaves its *anchor* on Lua's stack, one value more: the object that keeps the
//!   memory alive, or nil. The memory is used while the anchor is there. A library function leaves its anchors to Lua, which takes them from
//!   the stack when the function returns or fails; a call of C has them until C has returned. Where the stack must be as it was, [`briefly`] and
//!   [`settle`] take them.
//! - **Host's pointers** (MEM-3): of memory of the host whose type holds pointers, the bytes of a pointer are written as that pointer only.

use std::ffi::c_int;

use super::cdata::{self, CData};
use crate::ctype::QualType;
use crate::lua::sandbox::region;
use crate::lua::state::machine::Runs;
use crate::lua::state::{Cx, LuaError, State};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::LuaType;

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Access {
    /// It is read.
    Read,
    /// It is written to.
    Write,
    /// A pointer of this type is written as a whole; whoever writes it asks [`State::permit_stored`] for its value.
    WritePointer(QualType),
}

impl Access {
    fn verb(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write | Access::WritePointer(_) => "write",
        }
    }
}

/// Memory that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) struct Extent {
    base: usize,
    len: usize,
    read_only: bool,
    /// Of memory of the host that holds pointers: where it begins, and its type.
    holder: Option<(usize, QualType)>,
}

impl Extent {
    /// Whether an address leads into it, or right behind.
    fn touches(self, address: usize) -> bool {
        address.wrapping_sub(self.base) <= self.len
    }

    /// Bytes from an address to the end; `None` where the address is not in it.
    fn room(self, address: usize) -> Option<usize> {
        self.len.checked_sub(address.wrapping_sub(self.base))
    }

    /// The part that another one has, too.
    fn within(self, other: Extent) -> Extent {
        let base = self.base.max(other.base);
        let end = (self.base + self.len).min(other.base + other.len);
        let read_only = self.read_only || other.read_only;
        let holder = self.holder.or(other.holder);
        Extent { base, len: end.saturating_sub(base), read_only, holder }
    }

    /// Whether some of `size` bytes from an address on hold a pointer of the host.
    fn holds_pointers(self, cx: &Cx<'_>, address: usize, size: usize) -> bool {
        self.holder.is_some_and(|(start, ty)| {
            let from = address.saturating_sub(start) as u64;
            let types = cx.state.types.borrow();
            types.table().holds_pointers_within(ty, from, from.saturating_add(size as u64))
        })
    }

    /// # Errors
    /// It writes to a text that C reads (CALL-6). Some of `size` bytes from an address on hold a pointer of the host, and the access is not a
    /// write of that pointer (MEM-3).
    fn permit_bytes(
        self,
        cx: &Cx<'_>,
        address: usize,
        size: usize,
        access: Access,
    ) -> Result<(), LuaError> {
        if access == Access::Read {
            return Ok(());
        }
        if cx.state.given().is_read_as_text(address, size) {
            return Err(LuaError::new("attempt to write to a text that a C function reads"));
        }
        if !self.holds_pointers(cx, address, size) {
            return Ok(());
        }
        if let (Access::WritePointer(ty), Some((start, holder))) = (access, self.holder) {
            let types = cx.state.types.borrow();
            let offset = address.wrapping_sub(start) as u64;
            let there = types.table().pointer_at(holder, offset);
            if there.is_some_and(|there| types.table().same_unqualified(there, ty)) {
                return Ok(());
            }
        }
        let at = address.wrapping_sub(self.base);
        Err(LuaError::new(format!(
            "attempt to write {size} bytes at byte {at} of memory of the host, where it holds a pointer"
        )))
    }
}

/// Where a pointer or reference leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Reach {
    /// Into this memory, or out of it.
    Known(Extent),
    /// Into memory that was given back.
    Dead,
    /// The library does not know.
    Foreign,
}

impl Access {
    /// The assignment of a value of type `ty`.
    pub(in crate::lua) fn writing(cx: &Cx<'_>, ty: QualType) -> Access {
        match cx.state.kind(ty) {
            Kind::Pointer(_) => Access::WritePointer(ty),
            _ => Access::Write,
        }
    }
}

impl Reach {
    /// A variable of the host of type `ty`.
    pub(in crate::lua) fn of_variable(cx: &Cx<'_>, ty: QualType, address: usize) -> Reach {
        let len = cx.state.size(ty).unwrap_or(0);
        let holder = cx.state.asks_for_contracts().then_some((address, ty));
        Reach::Known(Extent { base: address, len, read_only: false, holder })
    }
}

impl State {
    /// Whether accesses are checked.
    pub(in crate::lua) fn checked(&self) -> bool {
        self.policy.checked && self.machine.runs == Runs::Host
    }
}

/// Takes the anchors that `f` leaves on the stack, which is as it was then. Nothing that `f` found is used any more.
pub(in crate::lua) fn briefly<T>(
    cx: &Cx<'_>,
    f: impl FnOnce() -> Result<T, LuaError>,
) -> Result<T, LuaError> {
    if !cx.state.checked() {
        return f();
    }
    let top = cx.top();
    let result = f();
    cx.set_top(top);
    result
}

/// Takes the anchors between the value on top of the stack and what was there when the stack had `top` values.
pub(in crate::lua) fn settle(cx: &Cx<'_>, top: c_int) {
    if cx.top() > top + 1 {
        cx.replace(top + 1);
        cx.set_top(top + 1);
    }
}

/// Where an address leads that the owner on top of the stack keeps alive. The owner stays: *Anchored*.
fn of_owner(cx: &Cx<'_>, address: usize) -> Reach {
    cx.push_value(-1);
    let mut region: Option<Extent> = None;
    let within = |extent: Extent, region: Option<Extent>| {
        Reach::Known(region.map_or(extent, |region| region.within(extent)))
    };
    let reach = loop {
        if let Some(text) = cx.bytes(-1).filter(|_| cx.type_of(-1) == LuaType::String) {
            let base = text.as_ptr() as usize;
            let own = Extent { base, len: text.len() + 1, read_only: true, holder: None };
            break within(own, region);
        }
        if let Some(known) = region::at(cx, -1) {
            if !known.is_live(cx) {
                break Reach::Dead;
            }
            let &region::Region { base, len, read_only, holds, .. } = known;
            let own = Extent { base, len, read_only, holder: holds.map(|ty| (base, ty)) };
            region = Some(region.map_or(own, |outer| outer.within(own)));
        } else if let Some(cd) = cdata::at(cx, -1) {
            if let Some(extent) = of_bytes(cx, &cd, address) {
                break within(extent, region);
            }
            if !cd.is_owned() {
                break region.map_or(Reach::Foreign, Reach::Known);
            }
        } else {
            break region.map_or(Reach::Foreign, Reach::Known);
        }
        cdata::push_user_value(cx, -1);
        cx.remove(-2);
    };
    cx.pop(1);
    reach
}

/// The bytes that a cdata has itself: of a value all, of a pointer those that hold it where the address leads there.
fn of_bytes(cx: &Cx<'_>, cd: &CData, address: usize) -> Option<Extent> {
    let own = |base, len| Extent { base, len, read_only: false, holder: None };
    if !cd.is_pointer() && !cd.is_reference() {
        let len = cd.variable_size().or_else(|| cx.state.size(cd.ty)).unwrap_or(0);
        return Some(own(cd.address as usize, len));
    }
    let pointer = own(cd.bytes() as usize, size_of::<usize>());
    (cd.is_pointer() && pointer.touches(address)).then_some(pointer)
}

/// Where `address`, which the cdata at `index` is or holds, leads. *Anchored*.
fn of(cx: &Cx<'_>, index: c_int, cd: &CData, address: usize) -> Reach {
    if !cd.is_pointer() && !cd.is_reference() {
        cx.push_value(index);
        return of_bytes(cx, cd, address).map_or(Reach::Foreign, Reach::Known);
    }
    let reach = match cd.is_owned() {
        true => {
            cdata::push_user_value(cx, index);
            of_owner(cx, address)
        }
        false => {
            cx.push_nil();
            Reach::Foreign
        }
    };
    let found = match reach {
        Reach::Known(extent) if !extent.touches(address) => find(cx, address),
        Reach::Foreign => find(cx, address),
        _ => None,
    };
    match found {
        Some(found) => {
            cx.remove(-2);
            found
        }
        None => reach,
    }
}

/// # Errors
/// The reference at 1 keeps a value alive in which there are not `size` bytes for the element `i`.
pub(super) fn permit_owned(cx: &Cx<'_>, cd: &CData, i: isize, size: usize) -> Result<(), LuaError> {
    let address = cd.address.wrapping_offset(i.wrapping_mul(size as isize)) as usize;
    cdata::push_user_value(cx, 1);
    let permitted = match of_owner(cx, address) {
        reach @ Reach::Known(_) => reach.permit(cx, cd.ty, address, size, Access::Read),
        Reach::Dead | Reach::Foreign => Ok(()),
    };
    cx.pop(1);
    permitted.map_err(|error| LuaError::new(format!("index {i}: {error}")))
}

/// Where an address leads that came alone; if that is known, its anchor is pushed.
fn find(cx: &Cx<'_>, address: usize) -> Option<Reach> {
    region::resolve(cx, address).then(|| of_owner(cx, address))
}

/// Where an address leads that came alone. *Anchored*.
pub(in crate::lua) fn of_address(cx: &Cx<'_>, address: usize) -> Reach {
    find(cx, address).unwrap_or_else(|| {
        cx.push_nil();
        Reach::Foreign
    })
}

/// Bytes from an address on that are known to be there.
pub(in crate::lua) fn room_behind(cx: &Cx<'_>, address: usize) -> usize {
    let top = cx.top();
    let reach = of_address(cx, address);
    cx.set_top(top);
    match reach {
        Reach::Known(extent) => extent.room(address).unwrap_or(0),
        Reach::Dead | Reach::Foreign => 0,
    }
}

/// Where `address` leads, which the value at stack index `n` was converted to. *Anchored*.
pub(in crate::lua) fn of_argument(cx: &Cx<'_>, n: c_int, address: usize) -> Reach {
    if let Some(cd) = cdata::at(cx, n) {
        return of(cx, n, &cd, address);
    }
    if cx.type_of(n) == LuaType::String {
        cx.push_value(n);
        return of_owner(cx, address);
    }
    of_address(cx, address)
}

impl Reach {
    /// Whether some of `size` bytes from an address on hold a pointer of the host.
    pub(in crate::lua) fn holds_pointers(self, cx: &Cx<'_>, address: usize, size: usize) -> bool {
        matches!(self, Reach::Known(extent) if extent.holds_pointers(cx, address, size))
    }

    /// Bytes from an address on that may be accessed. `ty`: what it is accessed through, for the message.
    pub(in crate::lua) fn room(
        self,
        cx: &Cx<'_>,
        ty: QualType,
        address: usize,
        access: Access,
    ) -> Result<usize, LuaError> {
        let verb = access.verb();
        let ty = || cx.state.repr(ty);
        match self {
            Reach::Known(Extent { read_only: true, .. }) if access != Access::Read => Err(
                LuaError::new(format!("attempt to write to read-only memory through '{}'", ty())),
            ),
            Reach::Known(extent) => extent.room(address).ok_or_else(|| {
                let at = address.wrapping_sub(extent.base) as isize;
                LuaError::new(format!(
                    "attempt to {verb} at byte {at} of memory of {} bytes, through '{}'",
                    extent.len,
                    ty()
                ))
            }),
            Reach::Dead => Err(LuaError::new(format!(
                "attempt to {verb} through a dead '{}': its memory was given back",
                ty()
            ))),
            Reach::Foreign => Err(LuaError::new(format!(
                "attempt to {verb} through a foreign '{}': nothing is known of its memory",
                ty()
            ))),
        }
    }

    /// # Errors
    /// There are not `size` bytes from an address on that may be accessed.
    pub(in crate::lua) fn permit(
        self,
        cx: &Cx<'_>,
        ty: QualType,
        address: usize,
        size: usize,
        access: Access,
    ) -> Result<(), LuaError> {
        let room = self.room(cx, ty, address, access)?;
        let Reach::Known(extent) = self else { return Ok(()) };
        if size <= room {
            return extent.permit_bytes(cx, address, size, access);
        }
        Err(LuaError::new(format!(
            "attempt to {} {size} bytes at byte {} of memory of {} bytes, through '{}'",
            access.verb(),
            address - extent.base,
            extent.len,
            cx.state.repr(ty)
        )))
    }
}

/// In a checked state *Anchored*.
///
/// # Errors
/// In a checked state: the cdata at `index` does not reach `size` bytes at `address`, or is a misaligned pointer.
pub(in crate::lua) fn permit(
    cx: &Cx<'_>,
    index: c_int,
    cd: &CData,
    address: *const u8,
    size: usize,
    access: Access,
) -> Result<Reach, LuaError> {
    if !cx.state.checked() {
        return Ok(Reach::Foreign);
    }
    let address = address as usize;
    let reach = of(cx, index, cd, address);
    reach.permit(cx, cd.ty, address, size, access)?;
    if let Kind::Pointer(to) = cx.state.kind(cd.ty)
        && cd.is_pointer()
        && !(cd.address as usize).is_multiple_of(cx.state.align(to))
    {
        return Err(LuaError::new(format!(
            "attempt to {} through a misaligned '{}': 0x{:x} is no multiple of {}",
            access.verb(),
            cx.state.repr(cd.ty),
            cd.address as usize,
            cx.state.align(to)
        )));
    }
    Ok(reach)
}

/// The bytes that `count` elements of `size` bytes have.
///
/// # Errors
/// In a checked state: they are more than there are addresses.
pub(in crate::lua) fn distance(cx: &Cx<'_>, count: isize, size: usize) -> Result<isize, LuaError> {
    match count.checked_mul(size as isize) {
        Some(distance) => Ok(distance),
        None if cx.state.checked() => {
            Err(LuaError::new(format!("element {count} is too far away")))
        }
        None => Ok(count.wrapping_mul(size as isize)),
    }
}

/// Of a reference in a checked state *Anchored*.
///
/// # Errors
/// In a checked state: the bytes of the reference at `index` are not to be had. Values and pointers have their own.
pub(in crate::lua) fn permit_bytes(cx: &Cx<'_>, index: c_int, cd: &CData) -> Result<(), LuaError> {
    match cd.is_reference() {
        true => {
            let size = cx.state.size(cd.ty).unwrap_or(0);
            permit(cx, index, cd, cd.address, size, Access::Read).map(drop)
        }
        false => Ok(()),
    }
}

/// [`Reach::permit`] for an address that the value at stack index `n` was converted to, in a checked state. No bytes are
/// always there. In a checked state *Anchored*, if there are bytes.
pub(in crate::lua) fn permit_argument(
    cx: &Cx<'_>,
    n: c_int,
    ty: QualType,
    address: *const u8,
    size: usize,
    access: Access,
) -> Result<(), LuaError> {
    if !cx.state.checked() || size == 0 {
        return Ok(());
    }
    let address = address as usize;
    of_argument(cx, n, address)
        .permit(cx, ty, address, size, access)
        .map_err(|error| error.at_argument(n))
}

/// In a checked state *Anchored*.
///
/// # Errors
/// In a checked state: nothing is known of `size` bytes at an address that came alone, of an object of type `ty`.
pub(in crate::lua) fn permit_address(
    cx: &Cx<'_>,
    ty: QualType,
    address: *const u8,
    size: usize,
    access: Access,
) -> Result<Reach, LuaError> {
    if !cx.state.checked() {
        return Ok(Reach::Foreign);
    }
    let address = address as usize;
    let reach = of_address(cx, address);
    reach.permit(cx, ty, address, size, access)?;
    Ok(reach)
}
