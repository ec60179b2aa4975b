//! Assignment to objects that are in use: members, elements, variables.

use std::ffi::c_int;
use std::ptr;

use super::extent::{Access, Reach};
use super::initialize;
use super::to_c::{self, Mode};
use crate::ctype::QualType;
use crate::lua::sandbox::budget;
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::{self, LuaType};

/// Assigns the Lua value at `index` to the object of type `ty` at `dst`, with `room` bytes to the end of its memory. `reach`: that memory, in
/// a checked state.
///
/// In a checked state an assignment that fails has changed nothing (MEM-5), and a pointer of the host gets what C may follow (MEM-3).
///
/// # Errors
/// Those of [`to_c::assign`]; the value of a pointer of the host is none that C gave out.
///
/// # Safety
/// - *Writable*: `dst`, with `room` (see `value`).
/// - *Anchored*: in a checked state, the memory is anchored (see `extent`).
pub(in crate::lua) unsafe fn replace(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    room: usize,
    reach: Reach,
) -> Result<(), LuaError> {
    // SAFETY: *Writable*, kept by the caller; a pointer is written as a whole.
    unsafe {
        match cx.state.kind(ty) {
            _ if !cx.state.checked() => to_c::assign(cx, index, ty, dst, room, Mode::Implicit),
            Kind::Pointer(_) => {
                let mut value: *mut u8 = ptr::null_mut();
                let size = size_of_val(&value);
                to_c::assign(cx, index, ty, (&raw mut value).cast(), size, Mode::Implicit)?;
                if reach.holds_pointers(cx, dst as usize, size) {
                    cx.state.permit_stored(ty, value)?;
                }
                cx.state.store_pointer(dst, value)
            }
            _ => {
                let size = match cx.state.size(ty) {
                    Some(size) if !initialize::is_flexible(cx, ty) => size,
                    _ => room,
                };
                reach.permit(cx, ty, dst as usize, size, Access::Write)?;
                match cx.type_of(index) {
                    LuaType::Table => replace_apart(cx, index, ty, dst, size),
                    _ => to_c::assign(cx, index, ty, dst, room, Mode::Implicit),
                }
            }
        }
    }
}

/// The most that a type is aligned to in memory of Lua; more only makes copies slower.
const ALIGN: usize = 64;

/// Makes the value of the table at `index` apart, of the `size` bytes that are at `dst`, and puts it there when it is done.
///
/// # Safety
/// - *Writable* and *Readable*: `dst`, for `size` bytes.
unsafe fn replace_apart(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    size: usize,
) -> Result<(), LuaError> {
    let (index, top) = (cx.absolute(index), cx.top());
    budget::ask("value", size.saturating_add(ALIGN), size)?;
    // SAFETY: *Context*: the block has room for the value, and is on the stack until the value is copied.
    unsafe {
        let block = api::new_userdata(cx.lua, size + ALIGN, 0).cast::<u8>();
        let apart = block.add(block.align_offset(ALIGN));
        ptr::copy_nonoverlapping(dst, apart, size);
        to_c::assign(cx, index, ty, apart, size, Mode::Implicit)?;
        ptr::copy_nonoverlapping(apart, dst, size);
    }
    cx.set_top(top);
    Ok(())
}
