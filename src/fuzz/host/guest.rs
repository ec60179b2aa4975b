//! A C compiler for 32-bit x86 as the oracle: an object file of callees and callers, run through the gate.

use std::path::Path;

use super::Oracle;
use super::library::Report;
use super::thunks::{Checker, fill, got, untouched};
use crate::abi::{self, Convention, Signature, Type, x86};
use crate::code::gate::Frame;
use crate::code::gate::image::Image;
use crate::code::{self};
use crate::ctype::CallConv;
use crate::fuzz::batch::{Batch, Prototype};
use crate::fuzz::c_source::left_out;
use crate::fuzz::image::RESULT;
use crate::fuzz::platform::Platform;
use crate::fuzz::program::{Direction, Outcome};
use crate::fuzz::trouble::Trouble;

/// Options for an object file that is linked with nothing.
pub(super) const OPTIONS: &[&str] = &[
    "-c",
    "-ffreestanding",
    "-fno-stack-protector",
    "-mno-stack-arg-probe",
    "-fno-pic",
    "-fno-asynchronous-unwind-tables",
    "-fomit-frame-pointer",
];

/// A compiler's output for [`c_source`](crate::fuzz::c_source::c_source).
pub struct GuestLibrary {
    compiler: String,
    image: Image,
    windows: bool,
}

impl GuestLibrary {
    /// Loads the object file that `compiler` made.
    ///
    /// # Errors
    /// [`Trouble::File`], [`Trouble::Library`].
    pub fn open(compiler: &str, path: &Path) -> Result<GuestLibrary, Trouble> {
        let file = std::fs::read(path).map_err(Trouble::file(path))?;
        let image = Image::load(&file, |_| None).map_err(|error| Trouble::Library {
            name: path.to_string_lossy().into_owned(),
            reason: error.to_string(),
        })?;
        let windows = image.symbol("_report").is_some();
        Ok(GuestLibrary { compiler: compiler.into(), image, windows })
    }

    fn symbol(
        &self,
        name: &str,
        convention: &Convention,
        signature: &Signature,
    ) -> Result<u32, String> {
        let name = match self.windows {
            true => x86::decorate(name, convention, signature),
            false => name.to_owned(),
        };
        self.image.symbol(&name).ok_or_else(|| format!("no symbol {name}"))
    }

    fn outcome(&self) -> Result<(), String> {
        let name = if self.windows { "_report" } else { "report" };
        let report = self.image.symbol(name).ok_or("no report")?;
        // SAFETY: `report` of the image, which `self` keeps.
        unsafe { &*(report as usize as *const Report) }.outcome()
    }

    /// Calls a callee twice, with zeros and with ones in the rest of the Frame.
    fn call(&self, prototype: &Prototype) -> Result<(), String> {
        let Prototype { signature, plan, .. } = prototype;
        abi::check(signature, plan)?;
        let name = format!("callee_{}", prototype.name);
        let target = self.symbol(&name, plan.convention, signature)?;
        for rest in [0x00, 0xFF] {
            self.call_once(prototype, target, rest)?;
        }
        Ok(())
    }

    fn call_once(&self, prototype: &Prototype, target: u32, rest: u8) -> Result<(), String> {
        let Prototype { signature, plan, .. } = prototype;
        let words = |error: crate::error::Error| error.to_string();
        let shim = code::frame_call(signature, plan.convention).map_err(words)?;
        let frame = Frame::new(plan.frame.size, plan.stack_bytes).map_err(words)?;
        // SAFETY: the Frame's own bytes, which nobody else has between the calls.
        let bytes =
            || unsafe { std::slice::from_raw_parts_mut(frame.bytes(), plan.frame.size as usize) };
        fill(prototype, bytes(), rest);
        let before = bytes().to_vec();
        // SAFETY: the callee is of this type and convention; the Frame is filled in.
        let popped = unsafe { frame.call(shim, target) };
        self.outcome()?;
        if popped != plan.popped {
            return Err(format!("the callee popped {popped} bytes, not {}", plan.popped));
        }
        untouched(prototype, &before, bytes())?;
        let result = &bytes()[plan.frame.result as usize..];
        got(&prototype.result, RESULT, result).map_err(|bytes| format!("the result is {bytes}"))
    }

    fn callback(&self, prototype: &Prototype, platform: &Platform) -> Result<(), String> {
        let words = |error: crate::error::Error| error.to_string();
        let signature = Signature { arguments: [POINTER].into(), result: Type::VOID, fixed: None };
        let convention = platform.target().convention(CallConv::Cdecl, false).map_err(words)?;
        let caller = self.symbol(&format!("caller_{}", prototype.name), convention, &signature)?;
        let shim = code::frame_call(&signature, convention).map_err(words)?;
        let plan = abi::plan(&signature, convention).map_err(|error| error.to_string())?;
        let frame = Frame::new(plan.frame.size, plan.stack_bytes).map_err(words)?;
        Checker::new(prototype).during(platform, |callback| {
            // SAFETY: the caller takes a pointer to a function of the callback's type; the Frame has room for it.
            unsafe {
                let argument = frame.bytes().add(plan.frame.arguments[0] as usize);
                argument.cast::<u32>().write(callback as usize as u32);
                frame.call(shim, caller);
            }
            self.outcome()
        })
    }
}

/// A pointer of the guest.
const POINTER: Type = Type::int(4, false);

impl Oracle for GuestLibrary {
    fn name(&self) -> &str {
        &self.compiler
    }

    fn lacks(&self, prototype: &Prototype) -> bool {
        let prefix = if self.windows { "_" } else { "" };
        self.image.symbol(&format!("{prefix}{}", left_out(&prototype.name))).is_some()
    }

    fn step(&self, batch: &Batch, prototype: &Prototype, direction: Direction) -> Outcome {
        let outcome = match direction {
            Direction::Callback if prototype.is_variadic() => {
                return Outcome::Skipped("callbacks take no variable arguments".into());
            }
            Direction::Call => self.call(prototype),
            Direction::Callback => self.callback(prototype, batch.platform),
        };
        outcome.into()
    }
}
