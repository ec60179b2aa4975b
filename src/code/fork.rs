//! `fork` in a process with threads: the child has every lock as it was, and of the threads only the one that forked. So that
//! thread takes this module's locks before it forks, and gives them back on both sides.

use std::any::Any;
use std::cell::RefCell;
use std::sync::{Once, PoisonError};

use super::module::{ARENA, LOW_ARENA};
use super::{CACHE, COMPILER, interpreted, lock, os, stubs};

thread_local!(static HELD: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) });

/// Sees to the locks, from the first code or callback on.
pub(super) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| os::at_fork(take, give_back));
}

/// Takes the locks, in the order in which they are taken elsewhere.
unsafe extern "C" fn take() {
    let stubs = stubs::hold();
    let (compiler, arenas) = (lock(&COMPILER), (lock(&ARENA), lock(&LOW_ARENA)));
    let cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
    let held = Box::new((stubs, compiler, arenas, cache, interpreted::hold()));
    let _ = HELD.try_with(|place| *place.borrow_mut() = Some(held));
}

unsafe extern "C" fn give_back() {
    let _ = HELD.try_with(|place| place.borrow_mut().take());
}
