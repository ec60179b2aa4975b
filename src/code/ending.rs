//! Texts for standard error, written if the process ends while they are held: by `exit`, by `abort`, or by a fault. (Nothing is written at `_exit`.)
//!
//! The signal handlers are installed while a text is held. They write the texts, and hand the signal on to the host's handler.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::os::{self, Handlers};

/// Texts that are held at a time.
const PLACES: usize = 64;

static TEXTS: [AtomicPtr<String>; PLACES] = [const { AtomicPtr::new(ptr::null_mut()) }; PLACES];

/// A text that is held until this is dropped.
pub(crate) struct Held {
    place: &'static AtomicPtr<String>,
    _handlers: Handlers,
}

/// Holds a text.
///
/// # Errors
/// The text, where too many are held.
pub(crate) fn hold(text: String) -> Result<Held, String> {
    let text = Box::into_raw(Box::new(text));
    let free = |place: &&AtomicPtr<String>| {
        place.compare_exchange(ptr::null_mut(), text, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    };
    match TEXTS.iter().find(free) {
        Some(place) => Ok(Held { place, _handlers: Handlers::install(write_all) }),
        // SAFETY: `into_raw` above; nobody else has it.
        None => Err(*unsafe { Box::from_raw(text) }),
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let text = self.place.swap(ptr::null_mut(), Ordering::AcqRel);
        if !text.is_null() {
            // SAFETY: `hold` made it, and the swap took it from everybody else.
            drop(unsafe { Box::from_raw(text) });
        }
    }
}

/// Writes every text, once. In a signal handler: nothing is freed.
fn write_all() {
    for place in &TEXTS {
        let text = place.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: `hold` made it; it is never freed from now on.
        if let Some(text) = unsafe { text.as_ref() } {
            os::write_error(text.as_bytes());
        }
    }
}
