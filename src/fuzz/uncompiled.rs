//! Functions at which a compiler itself crashes. The compiler gets the batch without them: its crash is no failure of the library,
//! and says nothing about the other functions.

use std::fs;
use std::path::{Path, PathBuf};

use super::batch::Batch;
use super::c_source::c_source;
use super::trouble::Trouble;

/// How often a crash that no function causes alone is taken for an accident.
const ACCIDENTS: usize = 2;

/// Compiles the C file of a batch with `run`, which the file's path is given to. Where the compiler crashes, files without the
/// functions that it crashes at, named after the compiler, take its place. Returns the positions of these functions.
///
/// # Errors
/// Those of `run`: [`Trouble::Crashed`] only where the compiler crashes without any function, or not every time.
pub fn compile(
    batch: &Batch,
    source: &Path,
    compiler: &str,
    run: &dyn Fn(&Path) -> Result<(), Trouble>,
) -> Result<Vec<usize>, Trouble> {
    let parts = Parts { batch, source: source.with_file_name(format!("{compiler}.c")), run };
    let (mut left_out, mut accidents) = (Vec::new(), 0);
    let mut outcome = run(source);
    while let Err(Trouble::Crashed { .. }) = &outcome {
        let mut kept: Vec<usize> = (0..batch.prototypes.len()).collect();
        kept.retain(|case| !left_out.contains(case));
        let found = parts.culprits(&kept)?;
        accidents += usize::from(found.is_empty());
        if kept.is_empty() || accidents > ACCIDENTS {
            break;
        }
        left_out.extend(found);
        left_out.sort_unstable();
        outcome = parts.compile(&left_out);
    }
    outcome.map(|()| left_out)
}

/// The parts of a batch, for one compiler.
struct Parts<'b> {
    batch: &'b Batch,
    source: PathBuf,
    run: &'b dyn Fn(&Path) -> Result<(), Trouble>,
}

impl Parts<'_> {
    fn compile(&self, without: &[usize]) -> Result<(), Trouble> {
        fs::write(&self.source, c_source(self.batch, without))
            .map_err(Trouble::file(&self.source))?;
        (self.run)(&self.source)
    }

    /// Whether the compiler crashes at a file of these functions.
    fn crashes(&self, these: &[usize]) -> Result<bool, Trouble> {
        let all = 0..self.batch.prototypes.len();
        let others: Vec<usize> = all.filter(|case| !these.contains(case)).collect();
        match self.compile(&others) {
            Ok(()) => Ok(false),
            Err(Trouble::Crashed { .. }) => Ok(true),
            Err(other) => Err(other),
        }
    }

    /// The functions at which the compiler crashes; those that make it crash only together, as a group.
    fn culprits(&self, among: &[usize]) -> Result<Vec<usize>, Trouble> {
        if !self.crashes(among)? {
            return Ok(Vec::new());
        }
        if among.len() < 2 {
            return Ok(among.to_vec());
        }
        let halves = among.split_at(among.len() / 2);
        let mut found = self.culprits(halves.0)?;
        found.extend(self.culprits(halves.1)?);
        if found.is_empty() && self.crashes(among)? {
            found = among.to_vec();
        }
        Ok(found)
    }
}
