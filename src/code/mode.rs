//! Whether the process makes machine code at all.

use std::sync::atomic::{AtomicU8, Ordering};

/// How calls are made and callbacks are entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By thunks that are compiled at run time.
    Compiled,
    /// By the code that is in the program already, which reads the plan of each call: for systems that forbid executable
    /// memory. Slower; no page of this process becomes executable.
    Interpreted,
}

static MODE: AtomicU8 = AtomicU8::new(UNSET);
const UNSET: u8 = 0;
const COMPILED: u8 = 1;
const INTERPRETED: u8 = 2;

impl Mode {
    /// The mode of the process. If nobody has set it, it is [`Mode::Interpreted`] if the environment variable `CTHUNK_MODE` is `interpreted`,
    /// and [`Mode::Compiled`] otherwise.
    pub fn current() -> Mode {
        match MODE.load(Ordering::Relaxed) {
            COMPILED => Mode::Compiled,
            INTERPRETED => Mode::Interpreted,
            _ => {
                let asked = std::env::var_os("CTHUNK_MODE").is_some_and(|it| it == "interpreted");
                let mode = if asked { Mode::Interpreted } else { Mode::Compiled };
                mode.set();
                mode
            }
        }
    }

    /// Sets the mode of the process, before the first `ffi` is opened: what is compiled already stays in use.
    pub fn set(self) {
        let mode = match self {
            Mode::Compiled => COMPILED,
            Mode::Interpreted => INTERPRETED,
        };
        MODE.store(mode, Ordering::Relaxed);
    }
}

/// Whether Cranelift verifies every function that it compiles: always in debug builds, and where the environment asks for it with
/// `CTHUNK_VERIFY=1`.
pub fn verifies() -> bool {
    cfg!(debug_assertions) || std::env::var_os("CTHUNK_VERIFY").is_some_and(|value| value != "0")
}
