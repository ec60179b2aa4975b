//! `cthunk fuzz-abi`: campaigns, replays, and the worker process.

mod print;

use std::io::stdout;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, process, thread};

use clap::Args;
use cthunk::fuzz::compiler::Compiler;
#[cfg(feature = "emit")]
use cthunk::fuzz::emitted::Emitted;
use cthunk::fuzz::host::{self, Host};
use cthunk::fuzz::program::{Executor, Outcome};
use cthunk::fuzz::{Batch, Campaign, Platform, Report, Trouble, campaign, platform};
use indicatif::{ProgressBar, ProgressStyle};

use print::Printer;

use crate::input::read_declarations;

/// Options of `fuzz-abi`.
#[derive(Args)]
pub struct Options {
    /// The conventions, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "sysv64,win64")]
    convention: Vec<String>,
    /// Functions a convention.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    cases: usize,
    /// The same seed gives the same functions.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// C compilers to compare with, separated by commas; without it those that the convention is known from.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    cc: Vec<String>,
    /// The optimisation level of the compilers.
    #[arg(long, value_name = "LEVEL", default_value = "1")]
    opt: String,
    /// Batches at a time; the number of processors if it is not given.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Prints one JSON object a line, and no progress bar.
    #[arg(long)]
    json: bool,
    /// Shows the Cranelift IR of a finding, too.
    #[arg(long)]
    clif: bool,
    /// Where the files of findings stay.
    #[arg(long, value_name = "FOLDER", default_value = "fuzz-abi-findings")]
    findings: PathBuf,
    /// Ends a campaign after so many findings.
    #[arg(long, value_name = "N", default_value_t = 5)]
    most_findings: usize,
    /// Runs the functions of a header instead of random ones. The variable arguments of `int f(int, ...);` are the
    /// parameters of `void f_variable(double, struct s);`.
    #[arg(long, value_name = "HEADER")]
    replay: Option<PathBuf>,
}

/// Runs the campaigns; findings are an error.
pub fn main(options: &Options) -> Result<(), String> {
    let mut failures = 0;
    for name in &options.convention {
        let known = || {
            let names = platform::PLATFORMS.iter().map(|platform| platform.convention.name);
            format!("no convention {name:?}; there are {}", names.collect::<Vec<_>>().join(", "))
        };
        let platform = Platform::of(name).ok_or_else(known)?;
        failures += convention(options, name, platform).map_err(|trouble| trouble.to_string())?;
    }
    match failures {
        0 => Ok(()),
        1 => Err("1 step failed".into()),
        n => Err(format!("{n} steps failed")),
    }
}

/// Runs one convention and returns the number of failures.
fn convention(
    options: &Options,
    name: &str,
    platform: &'static Platform,
) -> Result<usize, Trouble> {
    let compilers = compilers(options, platform)?;
    let printer = Printer { options, platform };
    printer.begin(&compilers);
    let executor = executor(name, platform, compilers)?;
    let executor = &*executor;
    let scratch = Scratch::new(platform)?;
    let start = Instant::now();
    let report = match &options.replay {
        Some(header) => replay(executor, platform, header, &scratch.0)?,
        None => random(options, platform, executor, &scratch.0)?,
    };
    for finding in &report.findings {
        printer.finding(finding);
    }
    printer.summary(&executor.oracles(), &report, start.elapsed());
    Ok(report.failures())
}

/// The compilers that the user asks for and that know the convention.
fn compilers(options: &Options, platform: &Platform) -> Result<Vec<Compiler>, Trouble> {
    if options.cc.is_empty() && !platform.compilers.is_empty() {
        let all = platform.compilers.iter();
        return all
            .map(|(name, command)| Ok(Compiler::with(name, command)?.at(&options.opt)))
            .collect();
    }
    let plain = ["gcc", "clang-19"].map(String::from);
    let names = if options.cc.is_empty() { &plain[..] } else { &options.cc };
    #[cfg(feature = "emit")]
    if let Some(machine) = platform.machine {
        let found = names.iter().map(|name| machine.compiler(name));
        let found = found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten();
        return Ok(found.map(|compiler| compiler.at(&options.opt)).collect());
    }
    let find = |name: &String| match platform.compilers.iter().find(|(known, _)| known == name) {
        Some((name, command)) => Compiler::with(name, command),
        None => Compiler::find(name),
    };
    names.iter().map(|name| Ok(find(name)?.at(&options.opt))).collect()
}

fn executor(
    convention: &str,
    platform: &'static Platform,
    compilers: Vec<Compiler>,
) -> Result<Box<dyn Executor>, Trouble> {
    #[cfg(feature = "emit")]
    if let Some(machine) = platform.machine {
        return Ok(Box::new(Emitted::new(machine, compilers)?));
    }
    let command = std::env::current_exe()
        .map_err(|source| Trouble::File { path: "the cthunk command".into(), source })?;
    let command = command.to_string_lossy().into_owned();
    let worker = vec![command, "fuzz-abi-worker".into(), convention.into()];
    Ok(Box::new(Host { platform, worker, compilers }))
}

fn random(
    options: &Options,
    platform: &'static Platform,
    executor: &dyn Executor,
    scratch: &Path,
) -> Result<Report, Trouble> {
    let bar = match options.json {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(options.cases as u64),
    };
    let style = "{prefix} {wide_bar} {pos}/{len} functions, {msg}, {elapsed} of {duration}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is right"));
    bar.set_prefix(platform.convention.name);
    bar.set_message("no failures");
    bar.enable_steady_tick(Duration::from_millis(200));
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        platform,
        executor,
        seed: options.seed,
        cases: options.cases,
        jobs: options.jobs.unwrap_or_else(processors),
        scratch: scratch.into(),
        findings: options.findings.clone(),
        most_findings: options.most_findings,
    };
    let report = campaign.run(&|cases, failures| {
        bar.set_position(cases as u64);
        if failures > 0 {
            bar.set_message(format!("{failures} failures"));
        }
    });
    bar.finish_and_clear();
    report
}

/// Runs a header's functions once.
fn replay(
    executor: &dyn Executor,
    platform: &'static Platform,
    header: &Path,
    scratch: &Path,
) -> Result<Report, Trouble> {
    let text = read_declarations(header)
        .map_err(|source| Trouble::File { path: header.into(), source })?;
    let batch = Batch::parse(&text, platform)?;
    let mut report = Report::default();
    let steps = campaign::execute(executor, &batch, scratch)?;
    report.count_functions(&steps, batch.prototypes.len());
    report.crashes = campaign::crashes(&batch, &steps, |_| Ok(header.into()))?;
    for (step, outcome) in steps {
        let failed = report.count(&step, &outcome);
        if let (true, Outcome::Wrong(words)) = (failed, outcome) {
            report.findings.push(campaign::Finding::of(&batch, &step, words, header));
        }
    }
    Ok(report)
}

/// A folder for the files of this run, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(platform: &Platform) -> Result<Scratch, Trouble> {
        let convention = platform.convention.name.replace(':', "-");
        let name = format!("cthunk-fuzz-abi-{convention}-{}", process::id());
        let path = std::env::temp_dir().join(name);
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(Scratch(path)),
            Err(source) => Err(Trouble::File { path, source }),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            log::warn!("{}: {error}", self.0.display());
        }
    }
}

/// Arguments of the worker process.
#[derive(Args)]
pub struct WorkerOptions {
    convention: String,
    header: PathBuf,
    /// `COMPILER=LIBRARY` for each compiler, then the number of steps to leave out.
    #[arg(required = true)]
    rest: Vec<String>,
}

/// Runs one batch.
pub fn work(options: &WorkerOptions) -> Result<(), String> {
    let platform = Platform::of(&options.convention).ok_or("no such convention")?;
    let text = fs::read_to_string(&options.header).map_err(|e| e.to_string())?;
    let batch = Batch::parse(&text, platform).map_err(|e| e.to_string())?;
    let (skip, libraries) = options.rest.split_last().ok_or("no number of steps")?;
    let skip = skip.parse().map_err(|_| "no number of steps")?;
    let library = |text: &String| {
        text.split_once('=').map(|(compiler, path)| (compiler.into(), PathBuf::from(path)))
    };
    let libraries: Vec<_> = libraries.iter().filter_map(library).collect();
    let oracles = host::oracles(platform, &libraries).map_err(|e| e.to_string())?;
    let done: io::Result<()> = host::work(&batch, &oracles, skip, &mut stdout().lock());
    done.map_err(|e| e.to_string())
}
