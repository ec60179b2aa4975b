//! The signals that a thread has blocked.

use std::mem::size_of;

/// A set of signals.
pub(crate) struct Blocked([u8; size_of::<libc::sigset_t>()]);

impl Blocked {
    /// The signals that the calling thread does not take. A signal handler may ask.
    pub(crate) fn now() -> Blocked {
        let mut set = [0; size_of::<libc::sigset_t>()];
        // SAFETY: a set is bits, of which a system fills those that it has, and the array has the room of one.
        unsafe {
            let mut mask: libc::sigset_t = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask);
            set.as_mut_ptr().cast::<libc::sigset_t>().write_unaligned(mask);
        }
        Blocked(set)
    }

    /// Whether a signal is among these and not among `usual`.
    pub(crate) fn exceeds(&self, usual: &Blocked) -> bool {
        self.0.iter().zip(&usual.0).any(|(now, usual)| now & !usual != 0)
    }
}
