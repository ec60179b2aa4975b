//! How many bytes the C values of a table hold, where its policy limits them.
//!
//! Values have no finaliser that could count them out. A weak table has their sizes: what it still holds after a full collection
//! is alive. That collection happens when the values made since the last one would be too many, so it is as rare as the limit
//! is generous.

use super::api::{self, Number};
use super::permit::within;
use super::state::{Anchor, Cx, LuaError};

/// # Errors
/// Another value of `bytes` bytes is too much, and nothing is left to collect.
pub(super) fn permit(cx: &Cx<'_>, bytes: usize) -> Result<(), LuaError> {
    let Some(most) = cx.state.policy.limits.cdata_bytes else { return Ok(()) };
    let total = || cx.state.inventory.owned_bytes.get().saturating_add(bytes);
    if total() > most {
        cx.state.inventory.owned_bytes.set(alive(cx));
    }
    within("cdata_bytes", "bytes of C values", Some(most), total())?;
    cx.state.inventory.owned_bytes.set(total());
    Ok(())
}

/// Counts the value on top of the stack, of `bytes` bytes that were permitted.
pub(super) fn note(cx: &Cx<'_>, bytes: usize) {
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
