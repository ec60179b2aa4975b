//! The library's side of a call: the call thunk with a Frame whose bytes name themselves, and a callback that checks its arguments.

use std::cell::RefCell;
use std::ffi::c_void;

use super::memory::Guarded;
use crate::abi::{self, FrameLayout};
use crate::code::{self, Slot};
use crate::fuzz::batch::{Prototype, Value};
use crate::fuzz::image::RESULT;
use crate::fuzz::platform::Platform;

/// Calls `target` twice through our thunk, with arguments that name themselves. In the first call the rest of the Frame is zeros, and the
/// Frame is at the start of its memory; in the second it is ones, and the Frame is at the end. `after` says what the callee got wrong.
///
/// # Safety
/// - `target` is a function of this type and the platform's convention.
///
/// # Errors
/// A failure, in words.
pub unsafe fn call_named(
    prototype: &Prototype,
    platform: &Platform,
    target: *const c_void,
    after: impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    let Prototype { signature, plan, .. } = prototype;
    abi::check(signature, plan)?;
    let words = |error: crate::error::Error| error.to_string();
    let thunk = code::FrameCall::of(signature, platform.convention).map_err(words)?;
    let size = plan.frame.size as usize;
    let mut memory = Guarded::new(size).map_err(|error| error.to_string())?;
    for rest in [0x00, 0xFF] {
        let frame = if rest == 0 { memory.head(size) } else { memory.tail(size) };
        fill(prototype, frame, rest);
        let before = frame.to_vec();
        // SAFETY: the caller's promise; the frame is of the plan's layout.
        unsafe { thunk.invoke(target, frame.as_mut_ptr()) }.map_err(words)?;
        after()?;
        untouched(prototype, &before, frame)?;
        let result = &frame[plan.frame.result as usize..];
        got(&prototype.result, RESULT, result).map_err(|bytes| format!("the result is {bytes}"))?;
    }
    Ok(())
}

/// Writes every argument into its slot, and `rest` everywhere else.
pub(super) fn fill(prototype: &Prototype, frame: &mut [u8], rest: u8) {
    frame.fill(rest);
    let arguments = prototype.arguments.iter().zip(&prototype.plan.frame.arguments);
    for (value, (argument, &offset)) in arguments.enumerate() {
        argument.image.fill(value, &mut frame[offset as usize..]);
    }
}

/// Nothing of a Frame changes but the bytes of the result.
pub(super) fn untouched(prototype: &Prototype, before: &[u8], after: &[u8]) -> Result<(), String> {
    let start = prototype.plan.frame.result as usize;
    let result = start..start + prototype.signature.result.size as usize;
    let changed = |&i: &usize| before[i] != after[i] && !result.contains(&i);
    match (0..before.len()).find(changed) {
        None => Ok(()),
        Some(i) => Err(format!("byte {i} of the Frame, outside the result, was changed")),
    }
}

/// Whether the bytes name themselves; the error has the bytes.
pub(super) fn got(value: &Value, number: usize, bytes: &[u8]) -> Result<(), String> {
    match value.image.is_named(number, bytes) {
        true => Ok(()),
        false => Err(format!("{:02x?}", &bytes[..value.image.bytes.len()])),
    }
}

/// A callback that checks its arguments and gives the named result.
pub struct Checker<'p> {
    prototype: &'p Prototype,
    /// The Frame that the callback gets.
    frame: RefCell<FrameLayout>,
    outcome: RefCell<Result<(), String>>,
}

impl<'p> Checker<'p> {
    /// For functions of this type.
    pub fn new(prototype: &'p Prototype) -> Checker<'p> {
        Checker {
            prototype,
            frame: RefCell::new(prototype.plan.frame.clone()),
            outcome: RefCell::new(Ok(())),
        }
    }

    /// Gives `call` the callback's address.
    ///
    /// # Errors
    /// The callback's failure, or that it was not called.
    pub fn during(
        &self,
        platform: &Platform,
        call: impl FnOnce(*const c_void) -> Result<(), String>,
    ) -> Result<(), String> {
        let convention = platform.convention;
        abi::check(&self.prototype.signature, &self.prototype.plan)?;
        let words = |error: crate::error::Error| error.to_string();
        let body = code::Body::of(&self.prototype.signature, convention).map_err(words)?;
        let data = (&raw const *self).cast();
        self.frame.replace(body.frame.clone());
        let callback =
            code::Callback::new(convention, &body, dispatch, data, keep, 0).map_err(words)?;
        *self.outcome.borrow_mut() = Err("the callback was not called".into());
        let called = call(callback.address());
        callback.release();
        self.outcome.replace(Ok(())).and(called)
    }

    fn enter(&self, layout: &FrameLayout, frame: &mut [u8]) {
        let Prototype { arguments, result, .. } = self.prototype;
        let mut slots = arguments.iter().zip(&layout.arguments).enumerate();
        let outcome = slots.try_for_each(|(value, (argument, &offset))| {
            got(argument, value, &frame[offset as usize..]).map_err(|bytes| {
                format!("the callback got another argument {}: {bytes}", value + 1)
            })
        });
        *self.outcome.borrow_mut() = outcome;
        result.image.fill(RESULT, &mut frame[layout.result as usize..]);
    }
}

/// The dispatcher of callbacks: the [`Checker`] of the slot compares the arguments and gives the result.
///
/// # Safety
/// - `slot` is in use, and its data is a [`Checker`].
/// - `frame` is writable for the whole Frame of the checker's layout, which the callback body filled in.
unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: `Checker::during` keeps the checker for as long as its callback is in use, and the body made the Frame.
    unsafe {
        let checker = &*(*slot).data.cast::<Checker>();
        let layout = checker.frame.borrow();
        checker.enter(&layout, std::slice::from_raw_parts_mut(frame, layout.size as usize));
    }
}

/// Frees nothing: the checker belongs to `during`.
///
/// # Safety
/// - None: it reads nothing.
unsafe fn keep(_: *const c_void) {}
