//! Memory for sizes that a script gives: checks that the process has it, and counts the bytes of a table's C values, if the policy limits them.
//!
//! Values have no finaliser that could subtract their bytes. A weak table has their sizes: a value that is still in it after a full
//! collection is alive. The collection happens when the values made since the last one would exceed the limit, so a large limit makes it
//! rare.

use super::permit::within;
use crate::lua::state::{Anchor, Cx, LuaError};
use crate::lua::vm::api::{self, Number};

/// Objects of so many bytes are large: memory for them is looked for before Lua is asked for it.
pub(in crate::lua) const LARGE: usize = 16 << 20;

/// Asks for `bytes` bytes for an object that has `size` bytes of its own, before Lua does: a host's allocator for Lua may end the
/// process where it has no memory (mlua's does).
///
/// # Errors
/// "not enough memory for a string of 17592186044416 bytes"
pub(in crate::lua) fn ask(object: &str, bytes: usize, size: usize) -> Result<(), LuaError> {
    if bytes < LARGE || Vec::<u8>::new().try_reserve_exact(bytes).is_ok() {
        return Ok(());
    }
    Err(LuaError::new(format!("not enough memory for a {object} of {size} bytes")))
}

/// # Errors
/// Another value of `bytes` bytes is too much, and nothing is left to collect.
pub(in crate::lua) fn permit(cx: &Cx<'_>, bytes: usize) -> Result<(), LuaError> {
    cx.state.watch.charge_bytes(bytes)?;
    let Some(most) = cx.state.policy.limits.cdata_bytes else { return Ok(()) };
    let total = || cx.state.inventory().owned_bytes.get().saturating_add(bytes);
    if total() > most {
        cx.state.inventory().owned_bytes.set(alive(cx));
    }
    within("cdata_bytes", "bytes of C values", Some(most), total())?;
    cx.state.inventory().owned_bytes.set(total());
    Ok(())
}

/// Counts the value on top of the stack, of `bytes` bytes that were permitted.
pub(in crate::lua) fn note(cx: &Cx<'_>, bytes: usize) {
    if cx.state.policy.limits.cdata_bytes.is_some() {
        cx.push_anchor(Anchor::Owned);
        cx.push_value(-2);
        cx.push_integer(bytes as i64);
        cx.raw_set(-3);
        cx.pop(1);
    }
}

/// Bytes of the values that are in use.
fn alive(cx: &Cx<'_>) -> usize {
    cx.ensure_stack(4);
    // SAFETY: a C function is running; finalisers are protected calls.
    unsafe { api::collect(cx.lua) };
    let mut bytes = 0_usize;
    cx.push_anchor(Anchor::Owned);
    cx.push_nil();
    while cx.next(-2) {
        bytes = bytes.saturating_add(match cx.number(-1) {
            Some(Number::Integer(size)) => size as usize,
            Some(Number::Float(size)) => size as usize,
            None => 0,
        });
        cx.pop(1);
    }
    cx.pop(1);
    bytes
}
