//! Signals that arrive while 32-bit code runs.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::guest::{Callback, Compiler, as_int, gate_is_open, int};

static TICKS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn tick(_: i32) {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// A timer of 1 kHz interrupts two threads that call the guest and are called back.
#[test]
fn signals_and_threads() {
    if !gate_is_open() || !Compiler::flavour("gcc-linux").is_here() {
        return;
    }
    let calls =
        std::env::var("CTHUNK_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000) * 100;
    let text = "int STDCALL spin(int (*f)(int), int x) { volatile int i; for (i = 0; i < 10; i++); return f ? f(x) : x + 1; }";
    let guest = Compiler::flavour("gcc-linux").load("signals", text, &[]);
    // SAFETY: a handler that only counts; the timer is stopped below.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = tick as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
        let every = libc::timeval { tv_sec: 0, tv_usec: 1000 };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let guest = &guest;
            scope.spawn(move || {
                let spin = guest.function("int __stdcall spin(void *f, int x)", &[]);
                let callback =
                    Callback::new(&guest.function("int f(int)", &[]), |arguments, result| {
                        result.copy_from_slice(&int(as_int(arguments[0]) + 1));
                    });
                for i in 0..calls {
                    let f = if i % 4 == 0 { callback.address() } else { [0; 4] };
                    assert_eq!(
                        as_int(&guest.call(&spin, &[&f, &int(i)])),
                        i + 1,
                        "thread {thread}"
                    );
                }
            });
        }
    });
    // SAFETY: stops the timer.
    unsafe {
        let never: libc::itimerval = std::mem::zeroed();
        libc::setitimer(libc::ITIMER_REAL, &raw const never, std::ptr::null_mut());
    }
    let ticks = TICKS.load(Ordering::Relaxed);
    println!("2 threads with {calls} guest calls each, {ticks} signals");
    assert!(ticks > 0, "no signal arrived");
}

/// A fault of the guest is reported, and the process still ends of it: in a child process, which runs this test.
#[test]
fn a_fault_is_reported_with_the_guests_registers() {
    const CHILD: &str = "CTHUNK_GATE_FAULT";
    if !gate_is_open() || !Compiler::flavour("gcc-linux").is_here() {
        return;
    }
    if std::env::var_os(CHILD).is_some() {
        let text = "int f(int x) { return *(volatile int *)(x + 0x10); }";
        Compiler::flavour("gcc-linux").load("fault", text, &[]).run("int f(int)", &[&int(0x20)]);
        unreachable!("the guest faults");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "signals::a_fault_is_reported_with_the_guests_registers", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(libc::SIGSEGV), "{error}");
    assert!(error.contains("segmentation fault in i686 code, address 0x00000030"), "{error}");
    assert!(error.contains(" eip=") && error.contains(" esp="), "{error}");
}
