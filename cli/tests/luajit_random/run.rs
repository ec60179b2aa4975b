//! Programs under `luajit` and under `cthunk run --luajit`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::draw::{Program, Templates};

/// One program and the lines in which the two differ.
pub struct Difference {
    pub number: u64,
    pub text: String,
    pub lines: String,
}

/// A place for the files of programs.
pub struct Runner {
    pub folder: PathBuf,
    pub templates: Templates,
}

const PRELUDE: &str = include_str!("prelude.lua");

/// Longer than any program needs.
const SECONDS: &str = "60";

impl Runner {
    /// The outputs of both for some programs, one after the other: LuaJIT's outputs first.
    fn outputs(&self, programs: &[(u64, String)]) -> [String; 2] {
        let mut text = String::from(PRELUDE);
        for (number, program) in programs {
            text += &format!("run({number}, [====[\n{program}]====])\n");
        }
        let path = self.folder.join("batch.lua");
        fs::write(&path, text).expect("the folder can be written");
        let ours = env!("CARGO_BIN_EXE_cthunk");
        [&["luajit"][..], &[ours, "run", "--luajit"]].map(|command| output(command, &path))
    }

    /// The programs whose outcomes differ.
    pub fn differing(&self, programs: &[Program]) -> Vec<u64> {
        let texts: Vec<_> =
            programs.iter().map(|p| (p.number, Program::text(&p.statements))).collect();
        self.differing_texts(&texts)
    }

    fn differing_texts(&self, programs: &[(u64, String)]) -> Vec<u64> {
        let [theirs, ours] = self.outputs(programs);
        if theirs == ours {
            return Vec::new();
        }
        if programs.len() > 1 && !(is_whole(&theirs) && is_whole(&ours)) {
            // One of them ended the process: which one shows in halves.
            let (first, second) = programs.split_at(programs.len() / 2);
            return [self.differing_texts(first), self.differing_texts(second)].concat();
        }
        let sections = |output: &str| -> Vec<String> {
            output.split("== ").skip(1).map(str::to_owned).collect()
        };
        let (theirs, ours) = (sections(&theirs), sections(&ours));
        let differing = |(i, (number, _)): (usize, &(u64, String))| {
            let (theirs, ours) = (theirs.get(i)?, ours.get(i)?);
            (!differences(theirs, ours).is_empty()).then_some(*number)
        };
        programs.iter().enumerate().filter_map(differing).collect()
    }

    /// The lines in which the outcomes of statements differ, empty if they are equal; and whether LuaJIT runs them to their end.
    pub fn difference(&self, number: u64, statements: &[String]) -> (String, bool) {
        let [theirs, ours] = self.outputs(&[(number, Program::text(statements))]);
        (differences(&theirs, &ours), is_whole(&theirs))
    }
}

/// Whether a process that printed this ended well.
fn is_whole(output: &str) -> bool {
    output.ends_with("\nend 0\n")
}

/// The lines that differ.
fn differences(theirs: &str, ours: &str) -> String {
    let (mut a, mut b, mut lines) = (theirs.lines(), ours.lines(), String::new());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return lines,
            (Some(a), Some(b)) if same(a, b) => {}
            (a, b) => {
                let text = |line: Option<&str>| line.unwrap_or("(nothing)").to_owned();
                lines += &format!("  luajit: {}\n  cthunk: {}\n", text(a), text(b));
            }
        }
    }
}

/// Whether two lines say the same. LuaJIT does not know the place of an error in a C function that was called last.
fn same(theirs: &str, ours: &str) -> bool {
    let placed = |(before, words): (&str, &str)| {
        let place = ours.strip_prefix(before)?.strip_prefix("\terror\t")?.strip_suffix(words)?;
        Some(place.starts_with('p') && place.trim_end().ends_with(':') && !words.starts_with('p'))
    };
    theirs == ours || theirs.split_once("\terror\t").and_then(placed) == Some(true)
}

/// Runs a command; returns its output, and the signal or exit code with which it ends.
fn output(command: &[&str], path: &Path) -> String {
    let mut timed = Command::new("timeout");
    timed.arg(SECONDS).args(command).arg(path).stdin(Stdio::null());
    let output = timed.output().expect("timeout runs");
    let text = without_addresses(&String::from_utf8_lossy(&output.stdout));
    let error = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => text + "end 0\n",
        code => format!("{text}\nend {code:?} {}\n", error.lines().next().unwrap_or_default()),
    }
}

/// A text with `table: address` and the like for what `tostring` says of them.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split(": 0x");
    let mut plain = String::from(parts.next().unwrap_or_default());
    for part in parts {
        plain += ": address";
        plain += part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    plain
}
