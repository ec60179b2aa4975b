//! The host's answers to calls of callbacks that come from other threads, or while Lua runs.

use std::time::Duration;

use super::Ffi;
use crate::lua::callback::other_thread;
use crate::lua::callback::other_thread::Waker;
use crate::lua::callback::transition;

impl Ffi {
    /// Makes the calls that wait for this Lua state, as `ffi.poll` does. Waits at most `patience` for the first call, then makes all that
    /// are there. Returns their number.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # // SAFETY: the scripts are below.
    /// # let ffi = unsafe { Ffi::open(&lua)? };
    /// # lua.globals().set("ffi", ffi.table())?;
    /// use std::time::Duration;
    ///
    /// lua.load("seen = 0; cb = ffi.cast('void (*)(int)', function(n) seen = seen + n end) cb:foreign 'queue'").exec()?;
    /// let address: String = lua.load("return tostring(cb):match '0x(%x+)'").eval()?;
    /// let address = usize::from_str_radix(&address, 16).expect("an address");
    /// let thread = std::thread::spawn(move || {
    ///     // SAFETY: it is the address of such a function, which lives until the end.
    ///     let callback = unsafe { std::mem::transmute::<usize, extern "C" fn(i32)>(address) };
    ///     callback(5);
    /// });
    /// while ffi.poll(Duration::from_millis(10))? == 0 {}
    /// thread.join().expect("it ends");
    /// assert_eq!(lua.load("return seen").eval::<i64>()?, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn poll(&self, patience: Duration) -> mlua::Result<usize> {
        self.enter(|cx| Ok(other_thread::poll(cx, patience)))
    }

    /// Runs `f` as if Lua had called a C function: callbacks of this table that are called meanwhile, on this thread, run at once.
    ///
    /// A host function that Lua calls needs it around code that calls callbacks, an event loop for instance. Without it such calls are
    /// queued, because Lua code may be running. Where no Lua code runs, callbacks run at once anyway.
    ///
    /// ```
    /// use std::ffi::c_int;
    ///
    /// let lua = mlua::Lua::new();
    /// // SAFETY: the script below does nothing but make a callback.
    /// let ffi = unsafe { cthunk::Ffi::open(&lua)? };
    /// lua.globals().set("ffi", ffi.table())?;
    /// let address: i64 = lua
    ///     .load("return tonumber(tostring(ffi.cast('int (*)(int)', function(x) return x + 1 end)):match '0x%x+')")
    ///     .eval()?;
    /// // SAFETY: it is the address of such a function.
    /// let callback = unsafe { std::mem::transmute::<usize, extern "C" fn(c_int) -> c_int>(address as usize) };
    /// let table = ffi.clone();
    /// let run = lua.create_function(move |_, n: c_int| table.in_c_call(|| callback(n)))?;
    /// assert_eq!(run.call::<c_int>(5)?, 6);
    /// assert_eq!(callback(6), 7);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed. The error of a callback, after `f` has ended.
    pub fn in_c_call<T>(&self, f: impl FnOnce() -> T) -> mlua::Result<T> {
        self.enter(|cx| {
            let called = transition::across(cx.lua, cx.state.head(), f);
            called.map_err(|caught| caught.into_error(cx))
        })
    }

    /// Sets a function that is called when a call begins to wait, on the thread of that call, at any moment of the host's work. It
    /// should wake the host, which then calls [`Ffi::poll`] on its own thread.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// use std::sync::{Arc, mpsc};
    /// use std::time::Duration;
    ///
    /// let (sender, receiver) = mpsc::sync_channel(1);
    /// ffi.set_waker(Some(Arc::new(move || _ = sender.try_send(()))))?;
    /// // The loop of the host: what it does when it is woken up, or each second.
    /// if receiver.recv_timeout(Duration::ZERO).is_ok() {
    ///     ffi.poll(Duration::ZERO)?;
    /// }
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn set_waker(&self, waker: Option<Waker>) -> mlua::Result<()> {
        self.enter(|cx| {
            other_thread::set_waker(cx.state, waker);
            Ok(())
        })
    }
}
