//! What the host does about calls of callbacks from other threads.

use std::time::Duration;

use super::Ffi;
use crate::lua::Waker;
use crate::lua::foreign;

impl Ffi {
    /// Makes the calls that wait for this Lua state, as `ffi.poll` does: those that are there once one is, which is waited for as
    /// long as `patience` says. Returns their number.
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn poll(&self, patience: Duration) -> mlua::Result<usize> {
        self.enter(|cx| Ok(foreign::poll(cx, patience)))
    }

    /// Has a function called whenever a call begins to wait: on the thread that makes the call, while the host does what it
    /// likes. It should wake the host up, which then calls [`Ffi::poll`] on its own thread.
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn set_waker(&self, waker: Option<Waker>) -> mlua::Result<()> {
        self.enter(|cx| {
            cx.state.link.queue.set_waker(waker);
            Ok(())
        })
    }
}
