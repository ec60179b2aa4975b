//! The library itself as the oracle: the call thunk calls the callback of the same plan. Cranelift places the arguments of the call; the
//! callback reads them by the plan.

use super::Oracle;
use super::thunks::{Checker, call_named};
use crate::fuzz::batch::{Batch, Prototype};
use crate::fuzz::program::{Direction, Outcome};

/// Call thunk and callback of one plan.
pub struct RoundTrip;

impl Oracle for RoundTrip {
    fn name(&self) -> &str {
        "itself"
    }

    fn step(&self, batch: &Batch, prototype: &Prototype, direction: Direction) -> Outcome {
        if direction == Direction::Callback {
            return Outcome::Skipped("the call is the callback, too".into());
        }
        let platform = batch.platform;
        let trip = Checker::new(prototype).during(platform, |callback| {
            // SAFETY: the callback is a function of this type and convention.
            unsafe { call_named(prototype, platform, callback, || Ok(())) }
        });
        trip.into()
    }
}
