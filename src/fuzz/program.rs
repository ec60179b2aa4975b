//! Ways to run a batch, and the lines by which a running program reports its progress.
//!
//! Generated code may do anything, so it runs in processes of its own. The last argument of a program is the number of steps to skip. It prints
//! a line `step CASE ORACLE DIRECTION` before each step, then `wrong WORDS`, `skip WORDS`, `known ROW` or `uncompiled` if there is something
//! to report, and `done` at the end. A program that ends without `done` crashed in its last step; it is started again after that step.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::batch::Batch;
use super::trouble::Trouble;

/// A way of executing batches.
pub trait Executor: Sync {
    /// The oracles, in the order of the summary.
    fn oracles(&self) -> Vec<String>;

    /// Makes the programs that run a batch, with their files in `folder`, which exists.
    ///
    /// # Errors
    /// [`Trouble`] of compilers and files.
    fn build(&self, batch: &Batch, folder: &Path) -> Result<Vec<Program>, Trouble>;
}

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Our call thunk calls a function of the oracle.
    Call,
    /// A function of the oracle calls our callback.
    Callback,
}

impl Direction {
    /// Both.
    pub const ALL: [Direction; 2] = [Direction::Call, Direction::Callback];

    /// As programs and reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Call => "call",
            Direction::Callback => "callback",
        }
    }
}

/// One function called in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The position of the function in its batch.
    pub case: usize,
    /// The oracle.
    pub oracle: String,
    /// Who calls whom.
    pub direction: Direction,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every byte was where it should be.
    Passed,
    /// A value did not arrive, or something else was touched; or the process ended.
    Wrong(String),
    /// The oracle cannot express the function.
    Skipped(String),
    /// It was not run: the oracle makes the function otherwise, as this row of [`super::known`] says.
    Known(String),
    /// The oracle is a compiler that crashed at the function.
    Uncompiled,
}

/// A program that runs a batch.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command, without its last argument.
    pub command: Vec<String>,
}

impl Program {
    /// Runs every step; a crash is an outcome, and the program begins again behind it.
    ///
    /// # Errors
    /// [`Trouble::Missing`] and [`Trouble::Program`].
    pub fn run(&self, mut report: impl FnMut(Step, Outcome)) -> Result<(), Trouble> {
        let mut steps = 0;
        while !self.run_from(&mut steps, &mut report)? {}
        Ok(())
    }

    /// Runs until the program ends, counts the steps, and says whether all of them were run.
    fn run_from(
        &self,
        steps: &mut usize,
        report: &mut impl FnMut(Step, Outcome),
    ) -> Result<bool, Trouble> {
        let said =
            |said: &str| Trouble::Program { command: self.command.join(" "), said: said.into() };
        let missing = |source| Trouble::Missing { name: self.command[0].clone(), source };
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .arg(steps.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(missing)?;
        let mut current: Option<(Step, Outcome)> = None;
        let mut done = false;
        let lines = child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines());
        for line in lines.map_while(Result::ok) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match (word, &mut current) {
                ("step", current) => {
                    let step = parse_step(rest).ok_or_else(|| said(&line))?;
                    *steps += 1;
                    if let Some((step, outcome)) = current.replace((step, Outcome::Passed)) {
                        report(step, outcome);
                    }
                }
                ("wrong", Some((_, outcome))) => *outcome = Outcome::Wrong(rest.into()),
                ("skip", Some((_, outcome))) => *outcome = Outcome::Skipped(rest.into()),
                ("known", Some((_, outcome))) => *outcome = Outcome::Known(rest.into()),
                ("uncompiled", Some((_, outcome))) => *outcome = Outcome::Uncompiled,
                ("done", _) => done = true,
                _ => return Err(said(&line)),
            }
        }
        let status = child.wait().map_err(missing)?;
        match current {
            Some((step, outcome)) if done => report(step, outcome),
            Some((step, _)) => report(step, Outcome::Wrong(format!("the process ended: {status}"))),
            None if done => {}
            None => return Err(said(&status.to_string())),
        }
        Ok(done)
    }
}

fn parse_step(line: &str) -> Option<Step> {
    let mut words = line.split(' ');
    let case = words.next()?.parse().ok()?;
    let oracle = words.next()?.into();
    let direction = words.next()?;
    let direction = Direction::ALL.into_iter().find(|d| d.name() == direction)?;
    Some(Step { case, oracle, direction })
}
