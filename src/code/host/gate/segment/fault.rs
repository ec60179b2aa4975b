//! The report of a fault inside guest code, before the process ends by the fault.

use std::ffi::{c_int, c_void};
use std::fmt::Write;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use super::asm::CODE_32;
use crate::code::os;
use crate::code::os::posix::signals::chain;

/// The signals of faults, with their names.
const SIGNALS: [(c_int, &str); 4] = [
    (libc::SIGSEGV, "segmentation fault"),
    (libc::SIGBUS, "bus error"),
    (libc::SIGILL, "illegal instruction"),
    (libc::SIGFPE, "arithmetic fault"),
];

/// The earlier handlers of the signals.
static BEFORE: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();

/// Starts to watch. After the report, the host's own action for the signal follows.
pub(super) fn watch() {
    // SAFETY: `sigaction` fills the old action; the new one is complete.
    unsafe {
        let before = SIGNALS.map(|(signal, _)| {
            let mut old = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            libc::sigaction(signal, ptr::null(), &raw mut old);
            old
        });
        if BEFORE.set(before).is_err() {
            return;
        }
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        for (signal, _) in SIGNALS {
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
}

/// Reports a fault of the guest, then leaves the signal to whom it belonged.
///
/// # Safety
/// - The kernel calls this, as the action of `signal`, with its own `info` and `context`.
unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(which) = SIGNALS.iter().position(|(s, _)| *s == signal) else { return };
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: the kernel's arguments; an action that was in place is as valid as it was.
    unsafe {
        let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let in_guest = registers[libc::REG_CSGSFS as usize] as u16 == CODE_32;
        let old = &before[which];
        if in_guest {
            report(SIGNALS[which].1, (*info).si_addr() as usize, registers);
        } else if old.sa_sigaction != libc::SIG_DFL && old.sa_sigaction != libc::SIG_IGN {
            return chain(old, signal, info, context);
        }
        // The instruction runs again and faults again; a signal that somebody sent is sent again.
        libc::sigaction(signal, old, ptr::null_mut());
        if (*info).si_code <= 0 {
            libc::raise(signal);
        }
    }
}

/// Text in memory of the stack: a handler must not allocate.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = &mut self.bytes[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}

fn report(what: &str, address: usize, registers: &[i64; 23]) {
    const NAMES: [(&str, c_int); 10] = [
        ("eip", libc::REG_RIP),
        ("esp", libc::REG_RSP),
        ("ebp", libc::REG_RBP),
        ("eax", libc::REG_RAX),
        ("ebx", libc::REG_RBX),
        ("ecx", libc::REG_RCX),
        ("edx", libc::REG_RDX),
        ("esi", libc::REG_RSI),
        ("edi", libc::REG_RDI),
        ("eflags", libc::REG_EFL),
    ];
    let mut text = Text { bytes: [0; 512], len: 0 };
    let _ = write!(text, "cthunk: {what} in i686 code, address 0x{address:08x}\ncthunk:");
    for (name, index) in NAMES {
        let _ = write!(text, " {name}={:08x}", registers[index as usize] as u32);
    }
    let _ = text.write_str("\n");
    os::write_error(&text.bytes[..text.len]);
}
