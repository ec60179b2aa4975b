//! Finalisers of cdata on a Lua without `__gc`.
//!
//! Luau calls a destructor when it frees a userdata, and no Lua code can run in it. So the destructor keeps the bytes of the dead cdata. When the library is
//! entered next, the finaliser is called with a new cdata that holds these bytes. A state that closes does not run the finalisers that are
//! left.

use std::ffi::c_void;

pub(crate) use version::*;

/// A cdata that was freed before its finaliser ran.
#[cfg_attr(not(feature = "luau"), allow(dead_code, reason = "only Luau makes one"))]
pub(crate) struct Dead {
    /// The token that [`Late::watch`] was given.
    pub token: u64,
    /// The userdata block as it was.
    pub block: Box<[u8]>,
    /// Where it was.
    pub address: usize,
}

#[cfg(not(feature = "luau"))]
mod version {
    use super::*;
    pub(crate) use crate::lua::vm::api::values::new_userdata as new_cdata;

    /// Whether finalisers are called late, so that [`Late`] has work.
    pub(crate) const LATE_FINALIZERS: bool = false;

    /// The finalisers that wait.
    pub(crate) struct Late;

    impl Late {
        pub(crate) fn new() -> Late {
            Late
        }

        /// Keeps the bytes of the userdata block when Lua frees it. Returns the token that its [`Dead`] will have.
        pub(crate) fn watch(&self, _block: *const c_void, _size: usize) -> u64 {
            0
        }

        /// No longer does; returns the token.
        pub(crate) fn unwatch(&self, _block: *const c_void) -> Option<u64> {
            None
        }

        /// The next dead cdata, unless the finaliser of one is running.
        pub(crate) fn next(&self) -> Option<Dead> {
            None
        }

        /// The finaliser of the last one has returned.
        pub(crate) fn done(&self) {}
    }
}

#[cfg(feature = "luau")]
mod version {
    use std::cell::Cell;
    use std::ffi::c_int;
    use std::slice;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use mlua::ffi as sys;
    use rustc_hash::{FxBuildHasher, FxHashMap};

    use super::*;
    use crate::code::locks::{Global, Rank};
    use crate::lua::vm::api::lua_State;

    pub(crate) const LATE_FINALIZERS: bool = true;

    #[derive(Default)]
    pub(crate) struct Late {
        queue: Arc<Queue>,
        next: AtomicU64,
        running: Cell<bool>,
    }

    #[derive(Default)]
    struct Queue {
        dead: Mutex<Vec<Dead>>,
        /// Of `dead`, so that asking costs one load.
        len: AtomicUsize,
    }

    struct Watched {
        queue: Arc<Queue>,
        token: u64,
        size: usize,
    }

    /// By the address of the block. Luau's destructors know nothing but that.
    static WATCHED: Global<Mutex<FxHashMap<usize, Watched>>> =
        Global::new(Rank::Watched, FxHashMap::with_hasher(FxBuildHasher));

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Late {
        pub(crate) fn new() -> Late {
            Late::default()
        }

        pub(crate) fn watch(&self, block: *const c_void, size: usize) -> u64 {
            let mut watched = WATCHED.lock();
            let entry = watched.entry(block as usize).or_insert_with(|| Watched {
                queue: self.queue.clone(),
                token: self.next.fetch_add(1, Ordering::Relaxed),
                size,
            });
            entry.token
        }

        pub(crate) fn unwatch(&self, block: *const c_void) -> Option<u64> {
            WATCHED.lock().remove(&(block as usize)).map(|watched| watched.token)
        }

        pub(crate) fn next(&self) -> Option<Dead> {
            if self.queue.len.load(Ordering::Relaxed) == 0 || self.running.get() {
                return None;
            }
            let mut dead = lock(&self.queue.dead);
            let next = dead.pop();
            self.queue.len.store(dead.len(), Ordering::Relaxed);
            self.running.set(next.is_some());
            next
        }

        pub(crate) fn done(&self) {
            self.running.set(false);
        }
    }

    /// Pushes a userdata for a cdata.
    ///
    /// # Safety
    /// - *Room* for 3.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn new_cdata(lua: *mut lua_State, size: usize, _: c_int) -> *mut c_void {
        // SAFETY: *Room* for 3 and *Raise*, kept by the caller.
        unsafe { sys::lua_newuserdatadtor(lua, size, destroy) }
    }

    /// # Safety
    /// - Luau alone calls it, once, with a block of `new_cdata`, which it frees after this.
    unsafe extern "C" fn destroy(_: *mut lua_State, block: *mut c_void) {
        let Some(watched) = WATCHED.lock().remove(&(block as usize)) else { return };
        // SAFETY: `watch` was told the size of the block, which Luau frees after this.
        let bytes = unsafe { slice::from_raw_parts(block.cast::<u8>(), watched.size) };
        let mut dead = lock(&watched.queue.dead);
        let (token, address) = (watched.token, block as usize);
        dead.push(Dead { token, block: bytes.into(), address });
        watched.queue.len.store(dead.len(), Ordering::Relaxed);
    }
}
