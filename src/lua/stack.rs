//! Lua's stack and userdata as memory, for code of this module that does without the C API.
//!
//! Everything here is for states whose [`State::in_place`](super::state::State) is set: there the offsets and tags of [`AT`]
//! are known to hold.

use std::ffi::c_void;

use super::api::layout::{self, Layout};
use super::api::{self, lua_State};
use super::cdata::Header;

/// The layout of the version that the crate is compiled for. Where there is none, no state has `in_place`.
pub(super) const AT: Layout = match api::LAYOUT {
    Some(layout) => layout,
    None => layout::LUA54,
};

/// Pushes a cdata with no user value and `extra` bytes behind its header.
///
/// # Safety
/// `lua` is live, of a proven layout, with a free stack slot; the metatable is a table that the registry keeps. May raise
/// (out of memory).
pub(super) unsafe fn push_cdata(
    lua: *mut lua_State,
    metatable: *const c_void,
    header: Header,
    extra: usize,
) -> *mut Header {
    // SAFETY: the caller's promise. A new object needs no barrier for what the registry keeps anyway.
    unsafe {
        let block = api::new_userdata(lua, size_of::<Header>() + extra, 0);
        let userdata = block.byte_offset(-(AT.block as isize));
        userdata.byte_offset(AT.metatable as isize).cast::<*const c_void>().write(metatable);
        let block = block.cast::<Header>();
        block.write(header);
        block
    }
}
