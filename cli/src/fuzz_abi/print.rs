//! The output of `fuzz-abi`: text, or one JSON object on each line.

use std::time::Duration;

use cthunk::fuzz::compiler::Compiler;
use cthunk::fuzz::known::{DISAGREEMENTS, Disagreement};
use cthunk::fuzz::program::Direction;
use cthunk::fuzz::{Crash, Finding, Platform, Report, Tally};
use serde_json::json;

use super::Options;
use crate::output::say_line;

pub struct Printer<'o> {
    pub options: &'o Options,
    pub platform: &'static Platform,
}

impl Printer<'_> {
    /// The campaign that is about to run.
    pub fn begin(&self, compilers: &[Compiler]) {
        let Options { cases, seed, replay, .. } = self.options;
        let convention = self.platform.convention;
        let versions: Vec<_> = compilers.iter().map(|compiler| &*compiler.version).collect();
        if self.options.json {
            say_line!(
                "{}",
                json!({ "kind": "campaign", "convention": convention.name, "seed": seed,
                    "cases": cases, "compilers": versions })
            );
            return;
        }
        let what = match replay {
            Some(header) => header.display().to_string(),
            None => format!("{cases} functions, seed {seed}"),
        };
        say_line!("{} ({}): {what}", convention.name, convention.source);
        versions.iter().for_each(|version| say_line!("  against {version}"));
    }

    /// A failure, small enough to look at.
    pub fn finding(&self, finding: &Finding) {
        let Finding { oracle, direction, words, function, plan, header, clif } = finding;
        let command = format!(
            "cthunk fuzz-abi --convention {} --cc {} --replay {}",
            self.platform.convention.name,
            self.options.cc.join(","),
            header.display()
        );
        if self.options.json {
            say_line!(
                "{}",
                json!({ "kind": "finding", "convention": self.platform.convention.name,
                    "oracle": oracle, "direction": direction.name(), "words": words,
                    "function": function, "plan": plan,
                    "clif": self.options.clif.then_some(clif), "replay": command })
            );
            return;
        }
        say_line!("\nFINDING, {oracle} {}: {words}", direction.name());
        say_line!("{function}\n{plan}");
        if self.options.clif {
            say_line!("{clif}");
        }
        say_line!("replay: {command}\n");
    }

    /// The counts.
    pub fn summary(&self, oracles: &[String], report: &Report, took: Duration) {
        let directions =
            oracles.iter().flat_map(|o| Direction::ALL.map(|direction| (o, direction)));
        let rows = directions.map(|(oracle, direction)| {
            let tally = report.tallies.get(&(oracle.clone(), direction));
            (oracle, direction, tally.copied().unwrap_or_default())
        });
        match self.options.json {
            true => self.json_summary(rows, report, took),
            false => self.text_summary(rows, report, took),
        }
    }

    fn json_summary<'r>(
        &self,
        rows: impl Iterator<Item = (&'r String, Direction, Tally)>,
        report: &Report,
        took: Duration,
    ) {
        let convention = self.platform.convention.name;
        for (oracle, direction, Tally { passed, failed, known, skipped }) in rows {
            say_line!(
                "{}",
                json!({ "kind": "row", "convention": convention, "oracle": oracle,
                    "direction": direction.name(), "passed": passed, "failed": failed,
                    "known": known, "skipped": skipped })
            );
        }
        for Crash { compiler, header, function } in &report.crashes {
            say_line!(
                "{}",
                json!({ "kind": "crash", "convention": convention, "compiler": compiler,
                    "function": function, "header": header })
            );
        }
        say_line!(
            "{}",
            json!({ "kind": "end", "convention": convention, "cases": report.cases,
                "failures": report.failures(), "refused": report.refused, "known": report.known,
                "excused": report.excused, "untested": report.untested,
                "crashes": report.crashes.len(),
                "seconds": took.as_secs() })
        );
    }

    fn text_summary<'r>(
        &self,
        rows: impl Iterator<Item = (&'r String, Direction, Tally)>,
        report: &Report,
        took: Duration,
    ) {
        say_line!(
            "  {:<12} {:<9} {:>8} {:>8} {:>8} {:>8}",
            "oracle",
            "direction",
            "passed",
            "failed",
            "known",
            "skipped"
        );
        for (oracle, direction, tally) in rows {
            let Tally { passed, failed, known, skipped } = tally;
            let note = match tally == Tally::default() {
                true => "  NOT RUN: is it installed?",
                false => "",
            };
            say_line!(
                "  {oracle:<12} {:<9} {passed:>8} {failed:>8} {known:>8} {skipped:>8}{note}",
                direction.name()
            );
        }
        for (name, times) in &report.known {
            let mut rows = DISAGREEMENTS.iter().copied().flatten();
            let here = |row: &&Disagreement| row.conventions.contains(&self.platform.convention);
            let row = rows.find(|row| row.name == *name && here(row));
            let (reason, link) = row.map_or(("", ""), |row| (row.reason, row.link));
            say_line!("  known {name}, {times} steps not run: {reason}\n    {link}");
        }
        for crashes in report.crashes.chunk_by(|a, b| a.compiler == b.compiler) {
            let functions = if crashes.len() == 1 { "function" } else { "functions" };
            let headers = crashes.iter().map(|crash| crash.header.display().to_string());
            say_line!(
                "  {} crashed: {} {functions}, header kept at {}",
                crashes[0].compiler,
                crashes.len(),
                headers.collect::<Vec<_>>().join(", ")
            );
        }
        for (what, times) in &report.refused {
            say_line!("  not carried, {times} times: {what}");
        }
        say_line!(
            "  {} functions in {} s, {} failures; {} not run against every compiler ({:.2} %), {} against none",
            report.cases,
            took.as_secs(),
            report.failures(),
            report.excused,
            100.0 * report.excused as f64 / report.cases.max(1) as f64,
            report.untested
        );
    }
}
