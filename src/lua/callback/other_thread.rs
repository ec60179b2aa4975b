//! Calls of callbacks from threads that do not run the Lua state.
//!
//! Such a call never runs Lua code on its own thread. The policy of its callback decides between two treatments:
//! - **queued**: the thread waits until `ffi.poll` (or [`Ffi::poll`](crate::lua::embed::Ffi::poll)) makes the call on the state's thread. When the waiting
//!   time of the callback is over, the call is withdrawn and reported, C gets zeros, and the thread goes on. So two threads that wait for
//!   each other do not wait for ever, and not silently;
//! - **answered**: C gets a default value at once. The first such call of a callback is reported; all are counted.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Callbacks;
use super::deferred;
use super::dispatch;
use super::record::{self, Callback};
use crate::code::os;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, Outcome, State};
use crate::lua::value::cdata;
use crate::lua::value::to_c;

/// The policy of a callback for calls from other threads.
#[derive(Debug, Default)]
pub(in crate::lua) struct Terms {
    /// Milliseconds that a queued call waits; [`ANSWERED`]: it is not queued.
    patience: AtomicU32,
    /// The bytes of the default value; empty: zeros.
    answer: Mutex<Box<[u8]>>,
    /// Whether there is such a value.
    has_answer: AtomicBool,
    /// Calls that were made on the state's thread.
    queued: AtomicU64,
    /// Calls that got the default value, those that were withdrawn included.
    answered: AtomicU64,
}

/// A patience of no call: each gets the default value.
const ANSWERED: u32 = u32::MAX;
/// Milliseconds that a queued call waits where nobody says how long.
const PATIENCE: u32 = 5_000;

impl Terms {
    /// Those of a new callback, by `ffi.option "foreign"`.
    pub(super) fn renew(&self, answered: bool) {
        self.patience.store(if answered { ANSWERED } else { PATIENCE }, Ordering::Relaxed);
        self.queued.store(0, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
        if self.has_answer.load(Ordering::Relaxed) {
            self.set_answer(Box::default());
        }
    }

    /// Whether calls are answered with the default value, and none is queued.
    pub(super) fn is_answered(&self) -> bool {
        self.patience.load(Ordering::Relaxed) == ANSWERED
    }

    /// Counts a call that gets the default value; returns how many did before.
    pub(super) fn count_answered(&self) -> u64 {
        self.answered.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a call that was queued and is made.
    pub(super) fn count_queued(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the default value to a result. Zeros where another thread sets the value at this time: nothing waits.
    pub(super) fn answer_into(&self, result: &mut [u8]) {
        result.fill(0);
        if let Ok(answer) = self.answer.try_lock() {
            result[..answer.len()].copy_from_slice(&answer);
        }
    }

    fn set_answer(&self, answer: Box<[u8]>) {
        self.has_answer.store(!answer.is_empty(), Ordering::Relaxed);
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}

/// A call that waits for its state's thread. It lies on the stack of the thread that makes it, until it is done or withdrawn.
struct Request {
    callback: *const Callback,
    frame: *mut u8,
    errno: c_int,
    done: bool,
}

/// A [`Request`] in the queue.
struct Waiting(*mut Request);

// SAFETY: its thread touches the request under the queue's lock only, from when it is queued until it is done.
unsafe impl Send for Waiting {}

/// Tells the host that a call waits. It is called on the thread that makes the call.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Calls {
    waiting: VecDeque<Waiting>,
    waker: Option<Waker>,
    closed: bool,
}

/// The calls that wait for a state's thread.
#[derive(Default)]
pub(in crate::lua) struct Queue {
    calls: Mutex<Calls>,
    /// For the state's thread: a call waits.
    arrived: Condvar,
    /// For the others: a call is done, or the state is closed.
    done: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns away what waits, and what comes: the state is closed.
    pub(in crate::lua) fn close(&self) {
        let mut calls = self.lock();
        calls.closed = true;
        calls.waiting.clear();
        calls.waker = None;
        self.done.notify_all();
    }

    pub(in crate::lua) fn set_waker(&self, waker: Option<Waker>) {
        self.lock().waker = waker;
    }

    /// How many calls wait; waits for one as long as `patience` says.
    fn count(&self, patience: Duration) -> usize {
        let calls = self.lock();
        let none = |calls: &mut Calls| calls.waiting.is_empty();
        let waited = self.arrived.wait_timeout_while(calls, patience, none);
        waited.unwrap_or_else(PoisonError::into_inner).0.waiting.len()
    }

    /// Has a call made on the state's thread.
    ///
    /// # Safety
    /// - The callback and its Frame live until this returns.
    unsafe fn wait(
        &self,
        callback: *const Callback,
        frame: *mut u8,
        patience: Duration,
    ) -> Result<(), Turned> {
        let mut request = Request { callback, frame, errno: os::errno(), done: false };
        let place = &raw mut request;
        let mut calls = self.lock();
        if calls.closed {
            return Err(Turned::Closed);
        }
        calls.waiting.push_back(Waiting(place));
        self.arrived.notify_one();
        if let Some(waker) = calls.waker.clone() {
            drop(calls);
            waker();
            calls = self.lock();
        }
        let deadline = Instant::now() + patience;
        loop {
            // SAFETY: the request is on this stack, and the lock is held.
            if unsafe { (*place).done } {
                break;
            }
            let queued = calls.waiting.iter().position(|waiting| waiting.0 == place);
            let left = deadline.saturating_duration_since(Instant::now());
            match queued {
                None if calls.closed => return Err(Turned::Closed),
                Some(position) if left.is_zero() => {
                    calls.waiting.remove(position);
                    return Err(Turned::Late(patience));
                }
                // Once it is begun it is waited for.
                None => calls = self.done.wait(calls).unwrap_or_else(PoisonError::into_inner),
                Some(_) => {
                    let waited = self.done.wait_timeout(calls, left);
                    calls = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        // SAFETY: the request is on this stack, and the lock is held.
        os::set_errno(unsafe { (*place).errno });
        Ok(())
    }
}

/// Why a queued call was not made.
enum Turned {
    /// The state is closed.
    Closed,
    /// Nobody made it for so long.
    Late(Duration),
}

/// A call from a thread that does not run the state.
///
/// # Safety
/// - *Frame* (see `callback`).
/// - *Slot*: the callback lives until this returns.
pub(in crate::lua) unsafe fn enter(callback: &Callback, frame: *mut u8) {
    let (terms, errno) = (callback.terms(), os::errno());
    // SAFETY: the Frame has a slot for the result. Whatever goes wrong, C gets zeros.
    let result = unsafe { callback.result_bytes(frame) };
    result.fill(0);
    let patience = terms.patience.load(Ordering::Relaxed);
    if patience == ANSWERED {
        if terms.count_answered() == 0 {
            dispatch::report(format_args!(
                "'{}' was called on another thread: C gets the default value, now and from here on",
                callback.name()
            ));
        }
        let answer = terms.answer.lock().unwrap_or_else(PoisonError::into_inner);
        result[..answer.len()].copy_from_slice(&answer);
        return os::set_errno(errno);
    }
    let patience = Duration::from_millis(patience.into());
    // SAFETY: *Frame* and *Slot*, kept by the caller.
    match unsafe { callback.queue().wait(callback, frame, patience) } {
        Ok(()) => terms.count_queued(),
        Err(turned) => {
            let earlier = terms.count_answered();
            let name = callback.name();
            dispatch::report(match turned {
                Turned::Closed if earlier > 0 => return os::set_errno(errno),
                Turned::Closed => format!("'{name}' was called after its Lua state was closed"),
                Turned::Late(patience) => format!(
                    "'{name}' was called on another thread, and the thread of its Lua state did not run ffi.poll() for \
                     {patience:?}: C gets zeros"
                ),
            });
            os::set_errno(errno);
        }
    }
}

/// Sets the function that wakes the host up when a call waits.
pub(in crate::lua) fn set_waker(state: &State, waker: Option<Waker>) {
    Callbacks::of(state).link.queue.set_waker(waker);
}

/// Makes the calls that wait on this thread, which runs the state: those that are there once one is, which is waited for as
/// long as `patience` says. Returns their number.
pub(in crate::lua) fn poll(cx: &Cx<'_>, patience: Duration) -> usize {
    let queue = &Callbacks::of(cx.state).link.queue;
    let deferred = deferred::make(cx);
    let count = queue.count(if deferred == 0 { patience } else { Duration::ZERO });
    for made in 0..count {
        let Some(Waiting(request)) = queue.lock().waiting.pop_front() else {
            return deferred + made;
        };
        // SAFETY: the request's thread waits until it is done; nobody else has it.
        unsafe {
            let Request { callback, frame, errno, .. } = *request;
            let errno = dispatch::serve(cx, &*callback, frame, errno);
            let _calls = queue.lock();
            (*request).errno = errno;
            (*request).done = true;
            queue.done.notify_all();
        }
    }
    deferred + count
}

/// `ffi.poll([seconds])`: makes the calls of callbacks that wait, and returns their number.
pub(in crate::lua) fn poll_function(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let patience = if cx.is_absent(1) { Duration::ZERO } else { seconds(cx, 1)? };
    let count = poll(cx, patience);
    cx.charge(1)?;
    cx.push_integer(count as i64);
    Ok(Outcome::results(1))
}

fn seconds(cx: &Cx<'_>, n: c_int) -> Result<Duration, LuaError> {
    let given = to_c::scalar_at(cx, n).map(crate::lua::value::scalar::Scalar::to_f64);
    let duration = given.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let duration = duration.filter(|duration| duration.as_secs() < 1_000_000);
    duration.map(|duration| duration.min(cx.state.watch.rest())).ok_or_else(|| {
        let got = to_c::describe(cx, n);
        LuaError::Argument(n, format!("a number of seconds expected, got {got}"))
    })
}

/// `callback:foreign()`: the policy, and the numbers of calls from other threads that were queued and answered.
/// `callback:foreign("queue" [, seconds])` and `callback:foreign("default" [, value])` set the policy first.
pub(in crate::lua) fn method(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    let callback = record::own(cx, cd.address.cast_const().cast())?;
    // SAFETY: the callback is in use, and only this thread frees it.
    let callback = unsafe { &*callback };
    let terms = callback.terms();
    match cx.bytes(2) {
        Some(b"queue") => {
            let patience = match cx.is_absent(3) {
                true => PATIENCE,
                false => u32::try_from(seconds(cx, 3)?.as_millis()).unwrap_or(ANSWERED - 1),
            };
            terms.patience.store(patience.min(ANSWERED - 1), Ordering::Relaxed);
        }
        Some(b"default") => {
            let answer = match cx.is_absent(3) {
                true => Box::default(),
                false => callback.answer(cx, 3)?,
            };
            terms.set_answer(answer);
            terms.patience.store(ANSWERED, Ordering::Relaxed);
        }
        None if cx.is_absent(2) => {}
        _ => {
            let message = "one of 'queue', 'default' expected";
            return Err(LuaError::Argument(2, message.into()));
        }
    }
    let answered = terms.is_answered();
    cx.push_bytes(if answered { b"default" } else { b"queue" });
    cx.push_integer(terms.queued.load(Ordering::Relaxed) as i64);
    cx.push_integer(terms.answered.load(Ordering::Relaxed) as i64);
    Ok(Outcome::results(3))
}
