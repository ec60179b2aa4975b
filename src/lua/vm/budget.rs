//! The time and the steps that the scripts of a Lua state may take.
//!
//! A budget begins when the host enters the state, and is shared by everything that runs until the host's call returns: coroutines, finalisers,
//! callbacks. Hooks of Lua ([`super::api`]) and the loops of this library charge it. Once it is spent, every charge fails until the next
//! begins.

use std::ffi::CStr;
use std::sync::atomic::{
    AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};
use std::time::{Duration, Instant};

/// The part of a budget that a script has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Spent {
    /// The deadline is over.
    Time = 1,
    /// There are no steps left.
    Steps = 2,
}

impl Spent {
    /// The text of the Lua error.
    pub(in crate::lua) fn text(self) -> &'static CStr {
        match self {
            Spent::Time => c"not permitted: the deadline is over (limit `time`)",
            Spent::Steps => c"not permitted: no steps are left (limit `steps`)",
        }
    }

    /// The same.
    pub(in crate::lua) fn message(self) -> String {
        self.text().to_string_lossy().into_owned()
    }
}

/// Time and steps. Only one thread at a time charges it: the one that runs the Lua state.
#[derive(Debug)]
pub(in crate::lua) struct Budget {
    /// The point from which times are counted.
    epoch: Instant,
    /// Nanoseconds of a budget.
    time: u64,
    /// Steps of a budget.
    steps: i64,
    /// Nanoseconds from the epoch to the end; 0: the time begins with the next charge.
    deadline: AtomicU64,
    /// Steps that are left.
    left: AtomicI64,
    /// A [`Spent`], or 0.
    spent: AtomicU8,
    /// Calls of the host that are running, inside one another.
    depth: AtomicU32,
    /// Nanoseconds from the epoch to the last charge.
    last: AtomicU64,
    /// Instructions from one charge of a hook to the next.
    interval: AtomicU32,
    /// Bytes that Lua may use.
    memory: usize,
    /// Bytes that it used after the last collection that [`Budget::is_full`] asked for.
    collected: AtomicUsize,
}

/// Instructions between two charges at most, and where values may be large: one instruction can copy all the memory that there is.
const MOST: u32 = 200;
const MOST_OF_LARGE: u32 = 100;
/// From so many bytes on values may be large.
const LARGE: usize = 4 << 20;
/// The time from one charge to the next, in nanoseconds, beyond which the interval gets shorter, and under which it gets longer.
const LONG: u64 = 1_000_000;
const SHORT: u64 = 100_000;

impl Budget {
    /// `None`: no bound.
    pub(in crate::lua) fn new(time: Option<Duration>, steps: Option<u64>, memory: usize) -> Budget {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let budget = Budget {
            epoch: Instant::now(),
            time: time.map_or(u64::MAX, nanoseconds),
            steps: steps.map_or(i64::MAX, |steps| i64::try_from(steps).unwrap_or(i64::MAX)),
            deadline: AtomicU64::new(0),
            left: AtomicI64::new(0),
            spent: AtomicU8::new(0),
            depth: AtomicU32::new(0),
            last: AtomicU64::new(0),
            interval: AtomicU32::new(MOST_OF_LARGE),
            memory,
            collected: AtomicUsize::new(0),
        };
        budget.renew();
        budget
    }

    fn renew(&self) {
        self.deadline.store(0, Relaxed);
        self.left.store(self.steps, Relaxed);
        self.spent.store(0, Relaxed);
    }

    fn now(&self) -> u64 {
        // Never 0, which says that no time has begun.
        (self.epoch.elapsed().as_nanos() as u64).max(1)
    }

    /// Begins a budget, unless this call of the host is inside of another one. It ends with the guard; what runs after that has one of
    /// its own.
    pub(in crate::lua) fn begin(&self) -> Running<'_> {
        if self.depth.fetch_add(1, Relaxed) == 0 {
            self.renew();
            let now = self.now();
            self.deadline.store(now.saturating_add(self.time), Relaxed);
            self.last.store(now, Relaxed);
        }
        Running(self)
    }

    /// The part that is used up, if one is.
    pub(in crate::lua) fn spent(&self) -> Option<Spent> {
        match self.spent.load(Relaxed) {
            0 => None,
            1 => Some(Spent::Time),
            _ => Some(Spent::Steps),
        }
    }

    /// Takes so many steps, and looks at the clock.
    ///
    /// # Errors
    /// The part that is used up.
    pub(in crate::lua) fn charge(&self, steps: u64) -> Result<(), Spent> {
        if let Some(spent) = self.spent() {
            return Err(spent);
        }
        let now = self.now();
        let deadline = match self.deadline.load(Relaxed) {
            0 => {
                let deadline = now.saturating_add(self.time);
                self.deadline.store(deadline, Relaxed);
                deadline
            }
            deadline => deadline,
        };
        self.adapt(now);
        self.take(steps)?;
        match now >= deadline {
            true => Err(self.spend(Spent::Time)),
            false => Ok(()),
        }
    }

    /// The time that is left.
    pub(in crate::lua) fn rest(&self) -> Duration {
        match self.deadline.load(Relaxed) {
            0 => Duration::from_nanos(self.time),
            deadline => Duration::from_nanos(deadline.saturating_sub(self.now())),
        }
    }

    /// Takes so many steps, and looks at no clock.
    ///
    /// # Errors
    /// The part that is used up.
    pub(in crate::lua) fn take(&self, steps: u64) -> Result<(), Spent> {
        if let Some(spent) = self.spent() {
            return Err(spent);
        }
        let left = self.left.load(Relaxed).saturating_sub_unsigned(steps);
        self.left.store(left, Relaxed);
        match left < 0 && self.steps != i64::MAX {
            true => Err(self.spend(Spent::Steps)),
            false => Ok(()),
        }
    }

    fn spend(&self, spent: Spent) -> Spent {
        self.spent.store(spent as u8, Relaxed);
        spent
    }

    /// Makes the interval shorter where much time has passed since the last charge.
    fn adapt(&self, now: u64) {
        let passed = now - self.last.swap(now, Relaxed).min(now);
        let interval = self.interval.load(Relaxed);
        let interval = match passed {
            LONG.. => interval / 8,
            SHORT.. => interval,
            _ => interval * 2,
        };
        self.interval.store(interval.clamp(1, MOST), Relaxed);
    }

    /// Whether garbage should be collected in a Lua state that uses so many bytes, and does not do so itself before it runs out of memory. Not
    /// again before it uses an eighth of its memory more than after the last time.
    pub(in crate::lua) fn is_full(&self, bytes: usize) -> bool {
        let soon = bytes > self.memory / 4 * 3;
        soon && bytes > self.collected.load(Relaxed).saturating_add(self.memory / 8)
    }

    /// After a collection the state uses so many bytes.
    pub(in crate::lua) fn collected(&self, bytes: usize) {
        self.collected.store(bytes, Relaxed);
    }

    /// Instructions, or calls and turns of loops, until the next charge, in a state that uses so many bytes; whether calls are looked at, too.
    pub(in crate::lua) fn interval(&self, bytes: usize) -> (u32, bool) {
        let interval = self.interval.load(Relaxed);
        match bytes >= LARGE {
            true => (interval.min(MOST_OF_LARGE), true),
            false => (interval, false),
        }
    }
}

/// A call of the host that runs.
pub(in crate::lua) struct Running<'b>(&'b Budget);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.0.depth.fetch_sub(1, Relaxed) == 1 {
            self.0.renew();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end() {
        let budget = Budget::new(None, Some(10), 0);
        let running = budget.begin();
        assert_eq!(budget.charge(10), Ok(()));
        assert_eq!(budget.charge(1), Err(Spent::Steps));
        assert_eq!(budget.charge(0), Err(Spent::Steps));
        let inner = budget.begin();
        assert_eq!(budget.spent(), Some(Spent::Steps), "a call inside shares the budget");
        drop(inner);
        assert_eq!(budget.take(0), Err(Spent::Steps));
        drop(running);
        assert_eq!(budget.charge(10), Ok(()));
    }

    #[test]
    fn time_ends() {
        let budget = Budget::new(Some(Duration::ZERO), None, 0);
        let _running = budget.begin();
        assert_eq!(budget.take(u64::MAX), Ok(()), "no bound of steps");
        assert_eq!(budget.charge(0), Err(Spent::Time));
        assert_eq!(budget.take(0), Err(Spent::Time));
    }

    #[test]
    fn slow_steps_are_looked_at_more_often() {
        let budget = Budget::new(None, None, 800);
        budget.charge(1).unwrap();
        let (before, _) = budget.interval(0);
        std::thread::sleep(Duration::from_millis(2));
        budget.charge(1).unwrap();
        assert!(budget.interval(0).0 < before);
        assert!(budget.interval(LARGE).1);
    }

    #[test]
    fn full_memory_is_collected_from_time_to_time() {
        let budget = Budget::new(None, None, 800);
        assert!(!budget.is_full(600) && budget.is_full(601));
        budget.collected(590);
        assert!(!budget.is_full(690) && budget.is_full(691));
    }
}
