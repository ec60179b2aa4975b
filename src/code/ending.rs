//! Texts that are written to standard error if the process ends while they are held: by `exit`, by `abort`, or by a fault.
//! (`_exit` tells nobody.)
//!
//! Handlers of the signals are there while a text is held, and no longer. They write the texts and leave the signal to what the host had
//! installed.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use system::Handlers;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) use system::chain;

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
        Some(place) => Ok(Held { place, _handlers: Handlers::install() }),
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
            system::write(text.as_bytes());
        }
    }
}

#[cfg(unix)]
mod system {
    use std::cell::UnsafeCell;
    use std::ffi::{c_int, c_void};
    use std::mem::{self, MaybeUninit};
    use std::ptr;
    use std::sync::{Mutex, MutexGuard, Once, PoisonError};

    use super::write_all;

    const SIGNALS: [c_int; 5] =
        [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

    /// What the host had installed for each signal.
    struct Before(UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>);

    // SAFETY: it is written while `COUNT` is locked and our handlers are not installed, and read by them.
    unsafe impl Sync for Before {}

    static BEFORE: Before = Before(UnsafeCell::new([MaybeUninit::uninit(); SIGNALS.len()]));
    /// How many texts want the handlers.
    static COUNT: Mutex<usize> = Mutex::new(0);

    fn count() -> MutexGuard<'static, usize> {
        COUNT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the handlers installed.
    pub(super) struct Handlers(());

    impl Handlers {
        pub(super) fn install() -> Handlers {
            static EXIT: Once = Once::new();
            // SAFETY: `at_exit` is a function of this library, whose unloading runs it as well.
            EXIT.call_once(|| unsafe { _ = libc::atexit(at_exit) });
            let mut count = count();
            *count += 1;
            if *count == 1 {
                for (n, signal) in SIGNALS.into_iter().enumerate() {
                    // SAFETY: an action with all fields set; `handle` has the signature that the flag promises.
                    unsafe {
                        let mut action: libc::sigaction = mem::zeroed();
                        action.sa_sigaction = handle as *const () as usize;
                        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                        libc::sigaction(signal, &action, before(n));
                    }
                }
            }
            Handlers(())
        }
    }

    impl Drop for Handlers {
        fn drop(&mut self) {
            let mut count = count();
            *count -= 1;
            if *count == 0 {
                for (n, signal) in SIGNALS.into_iter().enumerate() {
                    // SAFETY: a handler that another one put over ours stays.
                    unsafe {
                        let mut now = MaybeUninit::<libc::sigaction>::zeroed();
                        libc::sigaction(signal, ptr::null(), now.as_mut_ptr());
                        if now.assume_init().sa_sigaction == handle as *const () as usize {
                            libc::sigaction(signal, before(n), ptr::null_mut());
                        }
                    }
                }
            }
        }
    }

    fn before(n: usize) -> *mut libc::sigaction {
        BEFORE.0.get().cast::<libc::sigaction>().wrapping_add(n)
    }

    extern "C" fn at_exit() {
        write_all();
    }

    unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        write_all();
        let Some(n) = SIGNALS.iter().position(|known| *known == signal) else { return };
        // SAFETY: `before` was filled in when this was installed; the kernel gives `info`.
        unsafe {
            let before = before(n);
            libc::sigaction(signal, before, ptr::null_mut());
            // The instruction that faulted is tried again when this returns, and the host's action sees it.
            let faulted = signal != libc::SIGABRT && (*info).si_code > 0;
            match (*before).sa_sigaction {
                _ if faulted => {}
                libc::SIG_IGN => {}
                libc::SIG_DFL => _ = libc::raise(signal),
                _ => chain(&*before, signal, info, context),
            }
        }
    }

    /// Calls the handler that was there before.
    ///
    /// # Safety
    /// The arguments of a handler, and an action with a function.
    pub(crate) unsafe fn chain(
        action: &libc::sigaction,
        signal: c_int,
        info: *mut libc::siginfo_t,
        context: *mut c_void,
    ) {
        type Simple = extern "C" fn(c_int);
        type Full = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY: the flag says which of the two the host installed.
        unsafe {
            match action.sa_flags & libc::SA_SIGINFO {
                0 => mem::transmute::<usize, Simple>(action.sa_sigaction)(signal),
                _ => mem::transmute::<usize, Full>(action.sa_sigaction)(signal, info, context),
            }
        }
    }

    pub(super) fn write(text: &[u8]) {
        // SAFETY: the bytes are there.
        unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
    }
}

/// Where there are no such signals, `exit` alone is seen.
#[cfg(not(unix))]
mod system {
    use std::io::Write;
    use std::sync::Once;

    pub(super) struct Handlers(());

    impl Handlers {
        pub(super) fn install() -> Handlers {
            extern "C" fn at_exit() {
                super::write_all();
            }
            static EXIT: Once = Once::new();
            // SAFETY: `at_exit` is a function of this library.
            EXIT.call_once(|| unsafe { _ = libc::atexit(at_exit) });
            Handlers(())
        }
    }

    pub(super) fn write(text: &[u8]) {
        _ = std::io::stderr().write_all(text);
    }
}
