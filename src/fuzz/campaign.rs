//! Many batches, several at a time. A failing function is shrunk and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, thread};

use super::batch::Batch;
use super::c_source::c_source;
use super::compiler::Compiler;
use super::generate::{Generator, Refused};
use super::platform::Platform;
use super::program::{Direction, Executor, Outcome, Step};
use super::scalar;
use super::shape::{self, Case};
use super::shrink;
use super::trouble::Trouble;
use crate::abi;
use crate::explain::clif;

/// Functions in one C file.
pub const BATCH: usize = 200;

/// Candidates that are tried at once while a finding shrinks.
const CANDIDATES: usize = 60;

/// The settings of a campaign.
pub struct Campaign<'e> {
    /// The convention.
    pub platform: &'static Platform,
    /// How batches are executed.
    pub executor: &'e dyn Executor,
    /// The seed of everything.
    pub seed: u64,
    /// The number of functions.
    pub cases: usize,
    /// Batches at a time.
    pub jobs: usize,
    /// Where files go while they are needed.
    pub scratch: PathBuf,
    /// Where the files of findings stay.
    pub findings: PathBuf,
    /// The campaign ends after so many findings; with 0 after the first batch that has failures, which are only counted.
    pub most_findings: usize,
}

/// The results.
#[derive(Debug, Default)]
pub struct Report {
    /// Counts by oracle and direction.
    pub tallies: BTreeMap<(String, Direction), Tally>,
    /// Failures, shrunk.
    pub findings: Vec<Finding>,
    /// Functions run.
    pub cases: usize,
    /// Types and functions that the convention does not carry, which were replaced by others.
    pub refused: Refused,
    /// Steps that rows of [`known`](super::known) kept from being run, by row.
    pub known: BTreeMap<String, usize>,
    /// Functions that a row, or a crash of the compiler, kept from being run against some compiler.
    pub excused: usize,
    /// Functions that were run against no compiler.
    pub untested: usize,
    /// Functions at which a compiler itself crashed, which are no failures.
    pub crashes: Vec<Crash>,
}

/// A function at which a compiler crashed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crash {
    /// The compiler.
    pub compiler: String,
    /// A header that declares the function.
    pub header: PathBuf,
    /// The function, as C.
    pub function: String,
}

/// Steps of one oracle in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Every byte was where it should be.
    pub passed: usize,
    /// Something is wrong.
    pub failed: usize,
    /// Not run, for the oracle is known to make the function otherwise.
    pub known: usize,
    /// The oracle cannot express the function, or is a compiler that crashed at it.
    pub skipped: usize,
}

/// A failure.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The oracle.
    pub oracle: String,
    /// Who calls whom.
    pub direction: Direction,
    /// The failure of the smallest function.
    pub words: String,
    /// The smallest function, as C.
    pub function: String,
    /// Its plan.
    pub plan: String,
    /// The Cranelift IR of its two thunks.
    pub clif: String,
    /// A header that declares the smallest function, with the C file and the libraries beside it.
    pub header: PathBuf,
}

/// A lock whose poison does not matter: counts are only ever added to.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Finding {
    /// Whether it shows the same.
    fn is_like(&self, other: &Finding) -> bool {
        self.oracle == other.oracle
            && self.direction == other.direction
            && self.function == other.function
    }

    /// The finding of a step that failed.
    pub fn of(batch: &Batch, step: &Step, words: String, header: &Path) -> Finding {
        let prototype = &batch.prototypes[step.case];
        let text = batch.header.strip_prefix(scalar::PRELUDE);
        let function = batch.describe(prototype);
        let clif = clif(&batch.platform.target(), &prototype.plan);
        Finding {
            oracle: step.oracle.clone(),
            direction: step.direction,
            words,
            plan: abi::explain(&prototype.plan, &batch.types(prototype)),
            clif: clif.unwrap_or_else(|error| error.to_string()),
            function: text.map_or(function, String::from),
            header: header.into(),
        }
    }
}

impl Campaign<'_> {
    /// Runs everything; `progress` hears how many functions were run, and how many failures there are.
    ///
    /// # Errors
    /// The first [`Trouble`].
    pub fn run(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, Trouble> {
        let batches = self.cases.div_ceil(BATCH);
        let next = AtomicUsize::new(0);
        let report = Mutex::new(Report::default());
        let trouble = Mutex::new(None);
        let worker = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= batches || self.has_enough(&report) {
                    return;
                }
                match self.batch(number, &report) {
                    Ok(()) => {
                        let report = lock(&report);
                        progress(report.cases, report.failures());
                    }
                    Err(error) => {
                        next.store(batches, Ordering::Relaxed);
                        *lock(&trouble) = Some(error);
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, batches.max(1)) {
                scope.spawn(worker);
            }
        });
        match lock(&trouble).take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut lock(&report))),
        }
    }

    /// The functions of a batch, which depend on the seed and its number alone.
    fn generate(&self, number: usize) -> (Vec<Case>, Refused) {
        let seed = self.seed.wrapping_mul(0x1_0000_0001).wrapping_add(number as u64);
        let mut generator = Generator::new(self.platform, seed);
        let count = BATCH.min(self.cases - number * BATCH);
        let cases = (0..count).map(|_| generator.case()).collect();
        (cases, generator.refused().clone())
    }

    fn has_enough(&self, report: &Mutex<Report>) -> bool {
        let report = lock(report);
        report.failures() > 0 && report.findings.len() >= self.most_findings
    }

    /// Runs a batch, and shrinks what fails.
    fn batch(&self, number: usize, report: &Mutex<Report>) -> Result<(), Trouble> {
        let (cases, refused) = self.generate(number);
        let folder = self.scratch.join(format!("batch-{number}"));
        let (batch, mut steps) = self.execute(&cases, &folder)?;
        let crashes = crashes(&batch, &steps, |step| self.keep_crash(&cases, number, step))?;
        {
            let mut report = lock(report);
            report.count_functions(&steps, cases.len());
            report.crashes.extend(crashes);
            report.crashes.sort();
            for (what, times) in refused {
                *report.refused.entry(what).or_default() += times;
            }
            steps.retain(|(step, outcome)| report.count(step, outcome));
        }
        for (step, _) in steps {
            if self.has_enough(report) {
                break;
            }
            let finding = self.shrink(&cases[step.case], &step, &folder)?;
            let mut report = lock(report);
            let is_new = !report.findings.iter().any(|other| other.is_like(&finding));
            if is_new && report.findings.len() < self.most_findings {
                report.findings.push(self.keep(finding, number, &step)?);
            }
        }
        fs::remove_dir_all(&folder).map_err(Trouble::file(&folder))
    }

    fn execute(
        &self,
        cases: &[Case],
        folder: &Path,
    ) -> Result<(Batch, Vec<(Step, Outcome)>), Trouble> {
        let batch = Batch::parse(&shape::header(cases), self.platform)?;
        let steps = execute(self.executor, &batch, folder)?;
        Ok((batch, steps))
    }

    /// The smallest function that fails in the same step; its files stay in `folder`.
    fn shrink(&self, case: &Case, step: &Step, folder: &Path) -> Result<Finding, Trouble> {
        let folder = folder.join("shrink");
        let mut smallest = case.clone();
        while let Some(smaller) = self.smaller(&smallest, step, &folder)? {
            smallest = smaller;
        }
        let (batch, steps) = self.execute(std::slice::from_ref(&smallest), &folder)?;
        let words = steps.into_iter().find_map(|(at, outcome)| match outcome {
            Outcome::Wrong(words) if at.is_like(step) => Some(words),
            _ => None,
        });
        let words = words.unwrap_or_else(|| "it does not fail every time".into());
        let step = Step { case: 0, ..step.clone() };
        Ok(Finding::of(&batch, &step, words, &folder.join("batch.h")))
    }

    /// The cheapest candidate that fails in the same step.
    fn smaller(&self, case: &Case, step: &Step, folder: &Path) -> Result<Option<Case>, Trouble> {
        let carried = |case: &Case| {
            Batch::parse(&shape::header(std::slice::from_ref(case)), self.platform).is_ok()
        };
        let mut candidates = shrink::candidates(case);
        candidates.retain(carried);
        for candidates in candidates.chunks(CANDIDATES) {
            let (_, steps) = match self.execute(candidates, folder) {
                // A candidate that is no C for some compiler: nothing is lost but a step of shrinking.
                Err(Trouble::Refused { .. }) => continue,
                other => other?,
            };
            let fails = |(at, outcome): &(Step, Outcome)| {
                matches!(outcome, Outcome::Wrong(_)) && at.is_like(step)
            };
            if let Some(first) = steps.iter().filter(|s| fails(s)).map(|(at, _)| at.case).min() {
                return Ok(Some(candidates[first].clone()));
            }
        }
        Ok(None)
    }

    /// A folder that stays, for a step of a batch.
    fn folder(&self, number: usize, step: &Step, what: &str) -> Result<PathBuf, Trouble> {
        let (convention, seed) = (self.platform.convention.name, self.seed);
        let Step { case, oracle, .. } = step;
        let folder =
            self.findings.join(format!("{convention}-{seed}-{number}-{case}-{oracle}-{what}"));
        fs::create_dir_all(&folder).map_err(Trouble::file(&folder))?;
        Ok(folder)
    }

    /// Writes the header and the C file of a function at which a compiler crashed to where they stay, and returns the header's path.
    fn keep_crash(&self, cases: &[Case], number: usize, step: &Step) -> Result<PathBuf, Trouble> {
        let text = shape::header(std::slice::from_ref(&cases[step.case]));
        let batch = Batch::parse(&text, self.platform)?;
        let folder = self.folder(number, step, "crash")?;
        let (header, source) = (folder.join("batch.h"), folder.join("batch.c"));
        fs::write(&header, text).map_err(Trouble::file(&header))?;
        fs::write(&source, c_source(&batch, &[])).map_err(Trouble::file(&source))?;
        Ok(header)
    }

    /// Moves the files of a finding to where they stay.
    fn keep(&self, finding: Finding, number: usize, step: &Step) -> Result<Finding, Trouble> {
        let to = self.folder(number, step, step.direction.name())?;
        let from = finding.header.parent().unwrap_or(Path::new("."));
        for entry in fs::read_dir(from).map_err(Trouble::file(from))?.flatten() {
            let target = to.join(entry.file_name());
            fs::copy(entry.path(), &target).map_err(Trouble::file(&target))?;
        }
        Ok(Finding { header: to.join("batch.h"), ..finding })
    }
}

/// Runs every step of a batch, with its files in `folder`, which is made.
///
/// # Errors
/// [`Trouble`]
pub fn execute(
    executor: &dyn Executor,
    batch: &Batch,
    folder: &Path,
) -> Result<Vec<(Step, Outcome)>, Trouble> {
    fs::create_dir_all(folder).map_err(Trouble::file(folder))?;
    let mut steps = Vec::new();
    for program in executor.build(batch, folder)? {
        program.run(|step, outcome| steps.push((step, outcome)))?;
    }
    Ok(steps)
}

/// The functions of a batch at which compilers crashed; `keep` gives the header that declares the function of a step.
///
/// # Errors
/// Those of `keep`.
pub fn crashes(
    batch: &Batch,
    steps: &[(Step, Outcome)],
    keep: impl Fn(&Step) -> Result<PathBuf, Trouble>,
) -> Result<Vec<Crash>, Trouble> {
    let once = |(step, outcome): &&(Step, Outcome)| {
        *outcome == Outcome::Uncompiled && step.direction == Direction::Call
    };
    let crash = |(step, _): &(Step, Outcome)| {
        let function = batch.describe(&batch.prototypes[step.case]);
        Ok(Crash { compiler: step.oracle.clone(), header: keep(step)?, function })
    };
    steps.iter().filter(once).map(crash).collect()
}

impl Report {
    /// Counts the functions of a batch by how their steps went.
    pub fn count_functions(&mut self, steps: &[(Step, Outcome)], functions: usize) {
        let mut excused = vec![false; functions];
        let mut tested = vec![false; functions];
        for (step, outcome) in steps {
            let compiler = Compiler::is_gcc(&step.oracle) || Compiler::is_clang(&step.oracle);
            match outcome {
                Outcome::Known(_) | Outcome::Uncompiled => excused[step.case] |= compiler,
                Outcome::Passed | Outcome::Wrong(_) => tested[step.case] |= compiler,
                Outcome::Skipped(_) => {}
            }
        }
        self.cases += functions;
        self.excused += excused.iter().filter(|&&excused| excused).count();
        self.untested += tested.iter().filter(|&&tested| !tested).count();
    }

    /// Counts a step, and says whether it is a failure.
    pub fn count(&mut self, step: &Step, outcome: &Outcome) -> bool {
        let tally = self.tallies.entry((step.oracle.clone(), step.direction)).or_default();
        match outcome {
            Outcome::Passed => tally.passed += 1,
            Outcome::Skipped(_) | Outcome::Uncompiled => tally.skipped += 1,
            Outcome::Wrong(_) => tally.failed += 1,
            Outcome::Known(row) => {
                tally.known += 1;
                *self.known.entry(row.clone()).or_default() += 1;
            }
        }
        matches!(outcome, Outcome::Wrong(_))
    }

    /// Steps that failed.
    pub fn failures(&self) -> usize {
        self.tallies.values().map(|tally| tally.failed).sum()
    }
}

impl Step {
    /// The same oracle and direction.
    fn is_like(&self, other: &Step) -> bool {
        self.oracle == other.oracle && self.direction == other.direction
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::Program;
    use super::*;

    /// An executor for which functions with a `float` are wrong, and those with a `short` crash.
    struct Dislikes;

    impl Executor for Dislikes {
        fn oracles(&self) -> Vec<String> {
            vec!["it".into()]
        }

        fn build(&self, batch: &Batch, folder: &Path) -> Result<Vec<Program>, Trouble> {
            let header = folder.join("batch.h");
            fs::write(&header, &batch.header).map_err(Trouble::file(&header))?;
            let mut script = String::new();
            for (i, prototype) in batch.prototypes.iter().enumerate() {
                let types = batch.types(prototype);
                let has = |name: &str| types.iter().any(|ty| ty == name);
                script += &format!("[ $1 -gt {i} ] || {{ echo step {i} it call; ");
                script += if has("float") { "echo wrong float; " } else { ":; " };
                script += if has("short") { "kill -9 $$; }\n" } else { ":; }\n" };
            }
            script += "echo done";
            Ok(vec![Program { command: ["sh", "-c", &script, "sh"].map(String::from).to_vec() }])
        }
    }

    fn run(cases: usize, most_findings: usize) -> (Report, PathBuf) {
        let name = format!("cthunk-campaign-{}-{cases}-{most_findings}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let campaign = Campaign {
            platform: Platform::of("sysv64").unwrap(),
            executor: &Dislikes,
            seed: 3,
            cases,
            jobs: 2,
            scratch: folder.join("scratch"),
            findings: folder.join("findings"),
            most_findings,
        };
        (campaign.run(&|_, _| {}).unwrap(), folder)
    }

    #[test]
    fn findings_are_shrunk_and_kept() {
        let (report, folder) = run(30, 1000);
        let functions: Vec<&str> = report.findings.iter().map(|f| &*f.function).collect();
        assert!(
            functions.contains(&"void f0(float);\n") || functions.contains(&"float f0(void);\n")
        );
        assert!(
            functions.contains(&"void f0(short);\n") || functions.contains(&"short f0(void);\n")
        );
        assert!(functions.len() <= 4, "{functions:?}");
        let text = fs::read_to_string(&report.findings[0].header).unwrap();
        assert!(text.ends_with(functions[0]));
        let tally = report.tallies[&("it".to_owned(), Direction::Call)];
        assert_eq!(tally.passed + tally.failed, 30);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_campaign_ends_with_enough_findings() {
        let (report, folder) = run(250, 1);
        assert!(report.findings.len() == 1 && report.failures() > 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
