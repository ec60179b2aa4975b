//! All process-wide locks, so that `fork` takes care of each.
//!
//! `fork` copies all locks, but only the thread that forks. In the child, a lock that another thread held would stay locked for ever. So the forking
//! thread takes all of these locks before the fork, and releases them after it in the parent and in the child.
//!
//! A process-wide lock is a [`Global`] with a [`Rank`] of its own. It registers itself at its first use; there is no list to keep. `tests/locks.rs` finds
//! each `static` that is a lock and no `Global`. A value that is written once, by the first thread, is a `OnceLock` that is set to a finished value:
//! no thread waits for another to make it.

use std::any::Any;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Mutex, MutexGuard, Once, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use super::os;

/// The process-wide locks, in the order in which a thread may take them: one that holds a lock takes later ones only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code, reason = "hosts and features differ in which they have")]
pub(crate) enum Rank {
    /// The way into 32-bit code, while it is looked for.
    Gate,
    /// Callback stubs of the processor's own conventions.
    Callbacks,
    /// Callback stubs of 32-bit code.
    GuestCallbacks,
    /// Callback stubs in the program's text.
    PooledCallbacks,
    /// Stubs of variadic calls.
    Announcers,
    /// The compiler.
    Compiler,
    /// Executable memory.
    Arena,
    /// Executable memory below 4 GiB.
    LowArena,
    /// Data beside code.
    NearData,
    /// Compiled thunks.
    Thunks,
    /// Plans that are interpreted.
    Plans,
    /// Data memory of 32-bit code.
    GuestHeap,
    /// The map of `perf`.
    PerfMap,
    /// The list of GDB.
    Gdb,
    /// How many want the handlers of the process's end.
    Handlers,
    /// Threads that wait for asynchronous calls.
    IdleThreads,
    /// Cdata with a finaliser, where Lua does not know of them.
    Watched,
}

const COUNT: usize = Rank::Watched as usize + 1;

/// The locks that were used so far.
static KNOWN: [OnceLock<&'static dyn Hold>; COUNT] = [const { OnceLock::new() }; COUNT];

/// A process-wide lock. Its poison does not matter: what it guards is only ever appended to, or valid after each step.
pub(crate) struct Global<L> {
    rank: Rank,
    known: AtomicBool,
    lock: L,
}

impl<T> Global<Mutex<T>> {
    /// A lock of its own rank.
    pub(crate) const fn new(rank: Rank, value: T) -> Global<Mutex<T>> {
        Global { rank, known: AtomicBool::new(false), lock: Mutex::new(value) }
    }
}

impl<T> Global<RwLock<T>> {
    /// A lock of its own rank, for many readers.
    pub(crate) const fn for_readers(rank: Rank, value: T) -> Global<RwLock<T>> {
        Global { rank, known: AtomicBool::new(false), lock: RwLock::new(value) }
    }
}

impl<T: Send + 'static> Global<Mutex<T>> {
    /// Takes the lock.
    pub(crate) fn lock(&'static self) -> Held<MutexGuard<'static, T>> {
        self.make_known();
        let turn = Turn::of(self.rank);
        Held { guard: self.lock.lock().unwrap_or_else(PoisonError::into_inner), _turn: turn }
    }
}

impl<T: Send + Sync + 'static> Global<RwLock<T>> {
    /// Takes the lock beside other readers.
    pub(crate) fn read(&'static self) -> Held<RwLockReadGuard<'static, T>> {
        self.make_known();
        let turn = Turn::of(self.rank);
        Held { guard: self.lock.read().unwrap_or_else(PoisonError::into_inner), _turn: turn }
    }

    /// Takes the lock alone.
    pub(crate) fn write(&'static self) -> Held<RwLockWriteGuard<'static, T>> {
        self.make_known();
        let turn = Turn::of(self.rank);
        Held { guard: self.lock.write().unwrap_or_else(PoisonError::into_inner), _turn: turn }
    }
}

impl<L> Global<L>
where
    Global<L>: Hold,
{
    #[inline]
    fn make_known(&'static self) {
        if !self.known.load(Ordering::Relaxed) {
            self.introduce();
        }
    }

    #[cold]
    fn introduce(&'static self) {
        static HANDLERS: Once = Once::new();
        HANDLERS.call_once(|| os::at_fork(take, give_back));
        let known = KNOWN[self.rank as usize].get_or_init(|| self);
        debug_assert!(std::ptr::addr_eq(*known, self), "two locks have the rank {:?}", self.rank);
        self.known.store(true, Ordering::Relaxed);
    }
}

/// A lock that `fork` takes.
pub(crate) trait Hold: Sync {
    /// Takes it; whoever drops the result gives it back.
    fn hold(&'static self) -> Box<dyn Any>;
}

impl<T: Send + 'static> Hold for Global<Mutex<T>> {
    fn hold(&'static self) -> Box<dyn Any> {
        Box::new(self.lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Send + Sync + 'static> Hold for Global<RwLock<T>> {
    fn hold(&'static self) -> Box<dyn Any> {
        Box::new(self.lock.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A lock that is held.
pub(crate) struct Held<G> {
    guard: G,
    _turn: Turn,
}

impl<G: Deref> Deref for Held<G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut> DerefMut for Held<G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

/// A place in the order of the locks that a thread holds; debug builds see to it.
struct Turn {
    #[cfg(debug_assertions)]
    rank: Rank,
}

#[cfg(debug_assertions)]
thread_local!(static TURNS: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) });

impl Turn {
    #[cfg(debug_assertions)]
    fn of(rank: Rank) -> Turn {
        let _ = TURNS.try_with(|turns| {
            let mut turns = turns.borrow_mut();
            let last = turns.iter().max();
            assert!(last.is_none_or(|last| *last < rank), "{rank:?} is taken after {last:?}");
            turns.push(rank);
        });
        Turn { rank }
    }

    #[cfg(not(debug_assertions))]
    #[inline]
    fn of(_: Rank) -> Turn {
        Turn {}
    }
}

#[cfg(debug_assertions)]
impl Drop for Turn {
    fn drop(&mut self) {
        let _ = TURNS.try_with(|turns| {
            let mut turns = turns.borrow_mut();
            if let Some(at) = turns.iter().rposition(|rank| *rank == self.rank) {
                turns.remove(at);
            }
        });
    }
}

// The locks that the forking thread holds, in the order of the ranks.
thread_local!(static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) });

/// Takes the locks.
///
/// # Safety
/// - `fork` calls this, in the thread that forks.
unsafe extern "C" fn take() {
    let known = KNOWN.iter().filter_map(OnceLock::get);
    let held = known.map(|lock| lock.hold()).collect();
    let _ = HELD.try_with(|place| *place.borrow_mut() = held);
}

/// Gives the locks back.
///
/// # Safety
/// - `fork` calls this, in the parent and in the child, after [`take`].
unsafe extern "C" fn give_back() {
    let _ = HELD.try_with(|place| place.borrow_mut().clear());
}
