//! The operations that the policy of a state has refused, for its host: a script can catch the error, but not take back that it happened.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// An operation that a policy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The text of the error: the permission or the limit.
    pub reason: String,
    /// Where the script was: `plugin:3`; empty where that is not known.
    pub place: String,
}

/// What is kept of the refusals.
const KEPT: usize = 100;
/// Characters that are kept of a reason.
const CHARACTERS: usize = 500;

/// Told of each refusal.
type Observer = Rc<dyn Fn(&Refused)>;

/// The last refusals of a state.
#[derive(Default)]
pub(in crate::lua) struct Refusals {
    last: RefCell<VecDeque<Refused>>,
    count: Cell<u64>,
    observer: RefCell<Option<Observer>>,
}

impl Refusals {
    pub(super) fn add(&self, reason: &str, place: String) {
        let reason = reason.chars().take(CHARACTERS).collect();
        let refused = Refused { reason, place };
        self.count.set(self.count.get() + 1);
        let observer = self.observer.borrow().clone();
        if let Some(observer) = observer {
            // The panic of a host must not pass Lua's frames; its message is on standard error.
            _ = catch_unwind(AssertUnwindSafe(|| observer(&refused)));
        }
        let mut last = self.last.borrow_mut();
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(refused);
    }

    /// The last ones, the oldest first.
    pub(in crate::lua) fn last(&self) -> Vec<Refused> {
        self.last.borrow().iter().cloned().collect()
    }

    /// How many there were.
    pub(in crate::lua) fn count(&self) -> u64 {
        self.count.get()
    }

    /// Tells an observer of each.
    pub(in crate::lua) fn observe(&self, observer: Observer) {
        *self.observer.borrow_mut() = Some(observer);
    }
}
