//! Functions of this machine's conventions pass all their values correctly: from the call thunk to the callback, and, if libffi can describe the
//! function, between libffi and each of them.

use cthunk::fuzz::host::{Libffi, Oracle, RoundTrip};
use cthunk::fuzz::known;
use cthunk::fuzz::program::{Direction, Outcome, Step};

use crate::functions::functions;

thread_local! {
    /// libffi, if it is installed; the test of the smoke says so if not.
    pub static LIBFFI: Option<Libffi> = Libffi::open().ok();
}

/// Calls both ways.
pub fn call(data: &[u8]) {
    let Some(batch) = functions(data, |platform| platform.triple.is_none()) else { return };
    LIBFFI.with(|libffi| {
        let libffi = libffi.as_ref().map(|libffi| libffi as &dyn Oracle);
        for oracle in libffi.into_iter().chain([&RoundTrip as &dyn Oracle]) {
            for (case, prototype) in batch.prototypes.iter().enumerate() {
                for direction in Direction::ALL {
                    let step = Step { case, oracle: oracle.name().into(), direction };
                    if known::row(&batch, prototype, oracle.name(), direction).is_some() {
                        continue;
                    }
                    if let Outcome::Wrong(words) = oracle.step(&batch, prototype, direction) {
                        panic!("{step:?}: {words}\n{}", batch.header);
                    }
                }
            }
        }
    });
}
