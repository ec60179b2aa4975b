//! The platform of a Lua state's C code, and its pointers.

use std::cell::RefCell;

use super::{LuaError, State};
use crate::code::Mode;
use crate::ctype::{Declarations, IntKind};
use crate::target::Target;

/// The platform of the C code that a state calls.
#[derive(Debug)]
pub(in crate::lua) struct Machine {
    /// The platform.
    pub(in crate::lua) target: Target,
    /// Whether its code runs here.
    pub(in crate::lua) runs: Runs,
}

/// Where the code of a platform runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Runs {
    /// As all of this process.
    Host,
    /// Behind the gate, if the process has one; it is code that is made at run time.
    Guest,
    /// Not here.
    Nowhere,
}

impl Machine {
    pub(in crate::lua) fn host() -> Machine {
        Machine { target: Target::host(), runs: Runs::Host }
    }

    pub(in crate::lua) fn of(target: Target) -> Machine {
        let runs = match target {
            _ if target == Target::host() => Runs::Host,
            _ if target.is_i686() && Mode::current() == Mode::Compiled => Runs::Guest,
            _ => Runs::Nowhere,
        };
        Machine { target, runs }
    }

    /// The declarations of a new state: the predeclared names.
    pub(in crate::lua) fn declarations(&self) -> Declarations {
        thread_local! {
            /// Those of the platforms that states of this thread were made for: a copy costs less than parsing them.
            static FRESH: RefCell<Vec<Declarations>> = const { RefCell::new(Vec::new()) };
        }
        let model = self.target.model();
        let of_model = |known: &&Declarations| std::ptr::eq(known.table().model(), model);
        FRESH.with_borrow_mut(|fresh| {
            fresh.iter().find(of_model).cloned().unwrap_or_else(|| {
                let new = Declarations::new(&self.target);
                fresh.push(new.clone());
                new
            })
        })
    }

    /// Refuses to call where the platform's code does not run.
    pub(in crate::lua) fn check_runs(&self) -> Result<(), LuaError> {
        match self.runs {
            Runs::Host | Runs::Guest => Ok(()),
            Runs::Nowhere => {
                Err(LuaError::new(format!("code for {} does not run in this process", self.target)))
            }
        }
    }

    /// Whether its memory is apart from the process's own.
    pub(in crate::lua) fn is_guest(&self) -> bool {
        self.runs == Runs::Guest
    }

    /// Whether pointers have 32 bits.
    pub(in crate::lua) fn is_narrow(&self) -> bool {
        self.target.model().pointer == 4
    }
}

impl State {
    /// The integer that holds a pointer.
    pub(in crate::lua) fn pointer_int(&self) -> IntKind {
        if self.machine.is_narrow() { IntKind::U32 } else { IntKind::U64 }
    }

    /// Reads a pointer of the state's C.
    ///
    /// # Safety
    /// - `src` is readable for the pointer's size.
    pub(in crate::lua) unsafe fn load_pointer(&self, src: *const u8) -> *mut u8 {
        // SAFETY: `src` is readable for a pointer, as the caller promises.
        unsafe {
            match self.machine.is_narrow() {
                true => src.cast::<u32>().read_unaligned() as usize as *mut u8,
                false => src.cast::<*mut u8>().read_unaligned(),
            }
        }
    }

    /// Writes a pointer of the state's C.
    ///
    /// # Safety
    /// - `dst` is writable for the pointer's size.
    ///
    /// # Errors
    /// An address that such a pointer cannot hold.
    pub(in crate::lua) unsafe fn store_pointer(
        &self,
        dst: *mut u8,
        value: *const u8,
    ) -> Result<(), LuaError> {
        // SAFETY: `dst` is writable for a pointer, as the caller promises.
        unsafe {
            if !self.machine.is_narrow() {
                dst.cast::<*const u8>().write_unaligned(value);
                return Ok(());
            }
            let narrow = u32::try_from(value as usize).map_err(|_| out_of_range(value as i128))?;
            dst.cast::<u32>().write_unaligned(narrow);
        }
        Ok(())
    }

    /// Refuses a number that a pointer of the state's C cannot hold; a negative one wraps.
    pub(in crate::lua) fn check_pointer(&self, value: i128) -> Result<(), LuaError> {
        let fits = !self.machine.is_narrow() || (-(1 << 31)..1 << 32).contains(&value);
        fits.then_some(()).ok_or_else(|| out_of_range(value))
    }
}

fn out_of_range(value: i128) -> LuaError {
    LuaError::new(format!("address 0x{value:x} is out of reach of a 32-bit pointer"))
}
