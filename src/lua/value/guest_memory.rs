//! Memory below 4 GiB, for C values that 32-bit code in a 64-bit process reaches.

use std::ffi::c_void;
use std::mem;
use std::ptr::{self, NonNull};

use crate::code::gate::memory;
use crate::lua::state::{Anchor, Cx, LuaError};
use crate::lua::vm::api::{self, LuaType, lua_State};

/// The block of a userdata that owns memory of the guest.
#[repr(C)]
struct Memory {
    address: *mut u8,
    size: usize,
}

/// Pushes a userdata that owns `size` zeroed bytes below 4 GiB, and returns where they are.
///
/// # Errors
/// No such memory is left.
pub(in crate::lua) fn push(cx: &Cx<'_>, size: usize) -> Result<*mut u8, LuaError> {
    /// # Safety
    /// - Lua alone calls it, with a block of `push`, to whose memory nothing refers any more.
    unsafe extern "C" fn free(_: *mut lua_State, block: *mut c_void) {
        // SAFETY: the block is one of `push`; nothing refers to its memory any more.
        unsafe {
            let block = block.cast::<Memory>();
            if let Some(address) =
                NonNull::new(ptr::replace(&raw mut (*block).address, ptr::null_mut()))
            {
                memory::free(address, (*block).size);
            }
        }
    }
    // SAFETY: *Context*. The block owns nothing until nothing can raise any more.
    let block = unsafe {
        let block = api::new_collected(cx.lua, mem::size_of::<Memory>(), free).cast::<Memory>();
        block.write(Memory { address: ptr::null_mut(), size });
        cx.push_anchor(Anchor::Memory);
        cx.raw_get_integer(-1, 1);
        if cx.type_of(-1) == LuaType::Nil {
            cx.pop(1);
            cx.new_table(0, 1);
            api::set_collector(cx.lua, free);
            cx.push_value(-1);
            cx.raw_set_integer(-3, 1);
        }
        cx.remove(-2);
        cx.set_metatable(-2);
        block
    };
    let address = memory::allocate(size)?;
    // SAFETY: the block is in the userdata on top of the stack.
    unsafe { (*block).address = address.as_ptr() };
    Ok(address.as_ptr())
}
