//! The identity of a thread: the address of its control block.

/// The identity of a thread: no two living threads have the same, and none has 0.
#[inline]
pub(crate) fn this_thread() -> usize {
    let thread;
    // SAFETY: System V psABI, x86-64, 3.4.6 and the TLS ABI: the thread control block begins with its own address.
    unsafe {
        std::arch::asm!("mov {}, fs:0", out(reg) thread, options(nostack, pure, readonly, preserves_flags));
    }
    thread
}
