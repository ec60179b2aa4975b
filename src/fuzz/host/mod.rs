//! Runs a batch in processes of this machine: C compilers, libffi and the library itself against the thunks.
//!
//! Only this part of the fuzzer runs generated code, and only this part has `unsafe`. [`Host`] builds shared libraries, and names a command
//! that calls [`work`] on them in a process of its own.

mod guest;
mod libffi;
mod library;
mod memory;
mod round_trip;
mod thunks;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use guest::GuestLibrary;
pub use libffi::Libffi;
pub use library::Library;
pub use memory::Guarded;
pub use round_trip::RoundTrip;
pub use thunks::{Checker, call_named};

use super::batch::{Batch, Prototype};
use super::c_source::c_source;
use super::compiler::Compiler;
use super::known;
use super::platform::Platform;
use super::program::{Direction, Executor, Outcome, Program};
use super::trouble::Trouble;
use super::uncompiled;
use crate::code::os;

/// Something to compare our thunks with, in this process.
pub trait Oracle {
    /// Its name in steps and reports: one word.
    fn name(&self) -> &str;

    /// Whether it is a compiler that crashed at the function.
    fn lacks(&self, _: &Prototype) -> bool {
        false
    }

    /// Runs one function in one direction.
    fn step(&self, batch: &Batch, prototype: &Prototype, direction: Direction) -> Outcome;
}

/// Runs batches on this machine.
pub struct Host {
    /// The platform of the code.
    pub platform: &'static Platform,
    /// A command that calls [`work`] for the batch's platform: it takes the header, `COMPILER=LIBRARY` for each compiler, and
    /// the number of steps to leave out.
    pub worker: Vec<String>,
    /// The C compilers.
    pub compilers: Vec<Compiler>,
}

impl Executor for Host {
    fn oracles(&self) -> Vec<String> {
        let compilers = self.compilers.iter().map(|compiler| compiler.name.clone());
        match self.platform.is_guest() {
            true => compilers.collect(),
            false => compilers.chain(["libffi".into(), "itself".into()]).collect(),
        }
    }

    fn build(&self, batch: &Batch, folder: &Path) -> Result<Vec<Program>, Trouble> {
        let path = |name: &str| folder.join(name);
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let (header, source) = (path("batch.h"), path("batch.c"));
        std::fs::write(&header, &batch.header).map_err(Trouble::file(&header))?;
        std::fs::write(&source, c_source(batch, &[])).map_err(Trouble::file(&source))?;
        let mut command = self.worker.clone();
        command.push(text(header));
        let options = if batch.platform.is_guest() { guest::OPTIONS } else { library::options() };
        for compiler in &self.compilers {
            let library = path(&format!("{}.so", compiler.name));
            uncompiled::compile(batch, &source, &compiler.name, &|source| {
                compiler.run(options, &[source], &library)
            })?;
            command.push(format!("{}={}", compiler.name, text(library)));
        }
        Ok(vec![Program { command }])
    }
}

/// The oracles of a worker's process: `libraries` are compilers and their libraries. For code of the host also libffi, if it is
/// installed, and the round trip.
///
/// # Errors
/// [`Trouble::Library`]
pub fn oracles(
    platform: &Platform,
    libraries: &[(String, PathBuf)],
) -> Result<Vec<Box<dyn Oracle>>, Trouble> {
    let mut oracles: Vec<Box<dyn Oracle>> = Vec::new();
    if platform.is_guest() {
        for (compiler, path) in libraries {
            oracles.push(Box::new(GuestLibrary::open(compiler, path)?));
        }
        return Ok(oracles);
    }
    for (compiler, path) in libraries {
        oracles.push(Box::new(Library::open(compiler, path)?));
    }
    if let Ok(libffi) = Libffi::open() {
        oracles.push(Box::new(libffi));
    }
    oracles.push(Box::new(RoundTrip));
    Ok(oracles)
}

/// Runs a batch against every oracle, from step `skip` on, and writes the lines of [`super::program`] to `out`.
///
/// # Errors
/// Those of `out`.
pub fn work(
    batch: &Batch,
    oracles: &[Box<dyn Oracle>],
    skip: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    // A step that hangs ends the process.
    os::end_after(SECONDS);
    let steps = batch.prototypes.iter().enumerate().flat_map(|(case, prototype)| {
        let pairs = oracles.iter().flat_map(|o| Direction::ALL.map(|direction| (o, direction)));
        pairs.map(move |(oracle, direction)| (case, prototype, oracle, direction))
    });
    for (case, prototype, oracle, direction) in steps.skip(skip) {
        writeln!(out, "step {case} {} {}", oracle.name(), direction.name())?;
        out.flush()?;
        let outcome = match known::row(batch, prototype, oracle.name(), direction) {
            _ if oracle.lacks(prototype) => Outcome::Uncompiled,
            Some(row) => Outcome::Known(row.name.into()),
            None => oracle.step(batch, prototype, direction),
        };
        match outcome {
            Outcome::Passed => {}
            Outcome::Wrong(words) => writeln!(out, "wrong {words}")?,
            Outcome::Skipped(words) => writeln!(out, "skip {words}")?,
            Outcome::Known(row) => writeln!(out, "known {row}")?,
            Outcome::Uncompiled => writeln!(out, "uncompiled")?,
        }
    }
    writeln!(out, "done")?;
    out.flush()
}

/// How long a batch may take.
const SECONDS: u32 = 300;

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Outcome {
        match result {
            Ok(()) => Outcome::Passed,
            Err(words) => Outcome::Wrong(words.replace('\n', " ")),
        }
    }
}
