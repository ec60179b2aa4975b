//! The way in and out of 32-bit mode.

use std::ffi::{c_int, c_long};
use std::mem::offset_of;

use super::{Context, current};
use crate::code::Slot;
use crate::code::module::LOW_ARENA;
use crate::error::Error;

/// Linux's selectors: `__USER32_CS`, `__USER_CS`, `__USER_DS` (arch/x86/include/asm/segment.h).
pub(super) const CODE_32: u16 = 0x23;
const CODE_64: u16 = 0x33;
const DATA: u16 = 0x2b;

/// Addresses of the gate's own code, in memory of the guest.
pub(super) struct Trampolines {
    /// The return address of call shims: 32-bit code that jumps to [`exit`].
    pub exit: u32,
    /// The code that callback shims call: 32-bit code that jumps to [`dispatch`].
    pub dispatch: u32,
    /// A 32-bit `ret`.
    pub back: u32,
}

impl Trampolines {
    pub fn new() -> Result<Trampolines, Error> {
        let to_host = |host: *const ()| -> Result<u32, Error> {
            // `jmp qword [rip + 0]` and its operand: 64-bit code.
            let far =
                place(&[&[0xFF, 0x25, 0, 0, 0, 0][..], &(host as u64).to_le_bytes()].concat())?;
            // `jmp far CODE_64:far`
            place(&[&[0xEA], &far.to_le_bytes()[..], &CODE_64.to_le_bytes()].concat())
        };
        Ok(Trampolines {
            exit: to_host(exit as *const ())?,
            dispatch: to_host(dispatch as *const ())?,
            back: place(&[0xC3])?,
        })
    }
}

/// Puts code into executable memory of the guest.
pub(in crate::code) fn place(code: &[u8]) -> Result<u32, Error> {
    let span = LOW_ARENA.lock().allocate(code.len(), 16)?;
    // SAFETY: a span of this length, ours alone.
    unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), span.write, code.len()) };
    Ok(span.run as usize as u32)
}

/// Loads DS and ES, which are null in a 64-bit thread, so that the guest can use them.
pub(super) fn load_data_segments() {
    // SAFETY: 64-bit code does not use these registers, and Linux keeps them for each thread.
    unsafe {
        std::arch::asm!("mov ds, {0:x}", "mov es, {0:x}", in(reg) DATA, options(nostack, preserves_flags));
    }
}

/// Enters the guest at `shim` with the cdecl arguments `target` and `frame`, and returns what the shim returns in EAX.
///
/// The host's callee-saved registers and the context's two stack pointers are kept on the host's stack.
///
/// # Safety
/// - `context` is the calling thread's, and its data segments are loaded.
/// - `shim` is the address of a call shim, `frame` that of a Frame of its plan, and `target` that of a function of the plan's type and convention, all below 4 GiB.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter(
    _context: *mut Context,
    _shim: u32,
    _target: u32,
    _frame: u32,
) -> u32 {
    std::arch::naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push qword ptr [rdi + {host_stack}]",
        "mov eax, [rdi + {guest_stack}]",
        "push rax",
        "mov [rdi + {host_stack}], rsp",
        "mov [rdi + {shim}], esi",
        // The shim keeps EBP, so that `exit` finds the context there.
        "mov ebp, edi",
        "mov r8d, [rdi + {exit}]",
        "sub eax, 16",
        "mov [rax], r8d",
        "mov [rax + 4], edx",
        "mov [rax + 8], ecx",
        "mov esp, eax",
        "jmp fword ptr [rdi + {shim}]",
        host_stack = const offset_of!(Context, host_stack),
        guest_stack = const offset_of!(Context, guest_stack),
        exit = const offset_of!(Context, exit),
        shim = const offset_of!(Context, shim),
    )
}

/// The 64-bit code behind the return of a call shim: the end of [`enter`].
///
/// # Safety
/// - Reached by the far jump of the guest's side of [`enter`] alone, with the context in EBP.
#[unsafe(naked)]
unsafe extern "C" fn exit() {
    std::arch::naked_asm!(
        // The upper halves of registers are not defined after 32-bit code.
        "mov ebp, ebp",
        "mov eax, eax",
        "mov rsp, [rbp + {host_stack}]",
        "pop rcx",
        "mov [rbp + {guest_stack}], ecx",
        "pop qword ptr [rbp + {host_stack}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        host_stack = const offset_of!(Context, host_stack),
        guest_stack = const offset_of!(Context, guest_stack),
    )
}

/// The 64-bit code behind a callback shim's call of `dispatch(slot, frame)`. It begins on the guest's stack, changes to the host's stack (below
/// the frame of [`enter`]), calls the slot's dispatcher, and returns to the guest.
///
/// # Safety
/// - Reached by the far jump of a callback shim alone, on the guest's stack, with the shim's arguments there.
#[unsafe(naked)]
unsafe extern "C" fn dispatch() {
    std::arch::naked_asm!(
        "mov esp, esp",
        // A 32-bit callee keeps these; a 64-bit one would not keep RSI and RDI. R12 and up are nobody's.
        "push rbp",
        "push rbx",
        "push rsi",
        "push rdi",
        "mov rbx, rsp",
        "and rsp, -16",
        "call {current}",
        "mov r12, rax",
        "mov r13d, [r12 + {guest_stack}]",
        "lea eax, [rbx - 128]",
        "and eax, -16",
        "mov [r12 + {guest_stack}], eax",
        "mov edi, [rbx + 36]",
        "mov esi, [rbx + 40]",
        "mov rsp, [r12 + {host_stack}]",
        "and rsp, -16",
        "call {host}",
        "mov [r12 + {guest_stack}], r13d",
        "mov rsp, rbx",
        "pop rdi",
        "pop rsi",
        "pop rbx",
        "mov rax, r12",
        "pop rbp",
        "jmp fword ptr [rax + {back}]",
        current = sym current,
        host = sym call_dispatcher,
        host_stack = const offset_of!(Context, host_stack),
        guest_stack = const offset_of!(Context, guest_stack),
        back = const offset_of!(Context, back),
    )
}

/// The host's part of a callback.
///
/// # Safety
/// - `slot` is the slot of a callback that the guest called, and `frame` the Frame that its shim filled in.
unsafe extern "C" fn call_dispatcher(slot: *const Slot, frame: *mut u8) {
    // SAFETY: a stub pushed its slot, which lives as long as the process; the shim made the Frame.
    unsafe { ((*slot).dispatch)(slot, frame) }
}

/// A process with a user shadow stack cannot run code that returns without `call`s of its own.
pub(super) fn no_shadow_stack() -> Result<(), String> {
    /// `ARCH_SHSTK_STATUS` of arch/x86/include/uapi/asm/prctl.h.
    const STATUS: c_int = 0x5005;
    let mut features: u64 = 0;
    // SAFETY: the kernel writes one word; one that does not know the request fails.
    let failed =
        unsafe { libc::syscall(libc::SYS_arch_prctl, c_long::from(STATUS), &raw mut features) };
    match failed == 0 && features & 1 != 0 {
        true => Err("the process has a user shadow stack".into()),
        false => Ok(()),
    }
}

/// Calls a `ret` in 32-bit mode, in a child process, which dies where the kernel has no 32-bit segments.
pub(super) fn probe(trampolines: &Trampolines) -> Result<(), String> {
    // `mov eax, 42`, `ret`: a shim that only returns a number.
    let shim = place(&[0xB8, 42, 0, 0, 0, 0xC3]).map_err(|e| e.to_string())?;
    let thread = super::Thread::new(trampolines).map_err(|e| e.to_string())?;
    // SAFETY: a child without a signal at its end, so that no handler of the host's hears of it. It shares nothing, calls
    // nothing that takes a lock, and ends at once.
    unsafe {
        let child = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) as libc::pid_t;
        if child == 0 {
            for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGTRAP] {
                libc::signal(signal, libc::SIG_DFL);
            }
            load_data_segments();
            let answer = enter(thread.context.as_ptr(), shim, 0, 0);
            libc::syscall(libc::SYS_exit_group, c_long::from(answer != 42));
        }
        if child < 0 {
            return Err(format!("no child process: {}", std::io::Error::last_os_error()));
        }
        let mut status = 0;
        while libc::waitpid(child, &raw mut status, libc::__WALL) < 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::Interrupted {
                return Err(format!("no answer of a child process: {error}"));
            }
        }
        match libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
            true => Ok(()),
            false => Err(
                "this kernel has no 32-bit code segment (CONFIG_IA32_EMULATION, ia32_emulation=)"
                    .into(),
            ),
        }
    }
}
