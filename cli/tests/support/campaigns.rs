//! Campaigns of random functions against mutants of conventions.

use std::path::Path;

use cthunk::Error;

use cthunk::fuzz::compiler::Compiler;
use cthunk::fuzz::host::Host;
use cthunk::fuzz::mutants::Mutant;
use cthunk::fuzz::program::Executor;
use cthunk::fuzz::{Campaign, Platform, Trouble};

use crate::needs::repository;

/// Where a mutant's functions run.
pub fn platform(mutant: &Mutant) -> &'static Platform {
    Platform::of(mutant.name).unwrap()
}

/// Runs a mutant's functions in processes of the command, against these compilers.
pub fn host(mutant: &Mutant, compilers: Vec<Compiler>) -> Host {
    let worker = [env!("CARGO_BIN_EXE_cthunk"), "fuzz-abi-worker", mutant.name];
    let worker = worker.map(String::from).to_vec();
    Host { platform: platform(mutant), worker, compilers }
}

/// The oracles and directions that see a mutant in so many functions of seed 1; or the checker of plans, which an object is not made
/// without; or `emit`, which refuses a plan that needs code of the process.
pub fn caught_in(mutant: &Mutant, executor: &dyn Executor, functions: usize) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(mutant.name.replace(':', "-"));
    let campaign = Campaign {
        platform: platform(mutant),
        executor,
        seed: 1,
        cases: functions,
        jobs: 1,
        scratch: folder.clone(),
        findings: folder,
        most_findings: 0,
    };
    let report = match campaign.run(&|_, _| {}) {
        Ok(report) => report,
        Err(Trouble::Header(Error::Codegen { .. })) => return vec!["the checker of plans".into()],
        Err(Trouble::Header(Error::Emit { .. })) => return vec!["`emit`".into()],
        Err(trouble) => panic!("{}: {trouble}", mutant.name),
    };
    let failed = report.tallies.iter().filter(|(_, tally)| tally.failed > 0);
    failed.map(|((oracle, direction), _)| format!("{oracle} {}", direction.name())).collect()
}

/// Writes a page of `docs/` if `CTHUNK_BLESS` is set.
pub fn bless(page: &str, text: &str) {
    if std::env::var_os("CTHUNK_BLESS").is_some() {
        std::fs::write(repository::path("docs").join(page), text).unwrap();
    }
}
