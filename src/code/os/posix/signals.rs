//! The signals of a process that ends.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::{Mutex, OnceLock};

use crate::code::locks::{Global, Rank};

const SIGNALS: [c_int; 5] =
    [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// The host's handler of each signal.
struct Before(UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>);

// SAFETY: it is written while `COUNT` is locked and our handlers are not installed, and read by them.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new([MaybeUninit::uninit(); SIGNALS.len()]));
/// How many handlers are wanted.
static COUNT: Global<Mutex<usize>> = Global::new(Rank::Handlers, 0);
/// The function that runs when the process ends.
static SAY: OnceLock<fn()> = OnceLock::new();

/// Keeps the handlers installed.
pub(in crate::code) struct Handlers(());

impl Handlers {
    /// Installs handlers that run `say`, which does only things that a signal handler may do. All calls pass the same `say`. Then the
    /// handlers leave the signal to the handler of the host.
    pub(in crate::code) fn install(say: fn()) -> Handlers {
        let mut count = COUNT.lock();
        if SAY.set(say).is_ok() {
            // SAFETY: `at_exit` is a function of this library, whose unloading runs it as well.
            unsafe { _ = libc::atexit(at_exit) };
        }
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
        let mut count = COUNT.lock();
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

fn say() {
    if let Some(say) = SAY.get() {
        say();
    }
}

extern "C" fn at_exit() {
    say();
}

/// Writes the texts that are held, and hands the signal on.
///
/// # Safety
/// - The kernel calls this, as the action of `signal`, with its own `info` and `context`.
unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    say();
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
/// - `action` has a function.
/// - The kernel gave `signal`, `info` and `context` to a handler.
pub(in crate::code) unsafe fn chain(
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
