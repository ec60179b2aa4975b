//! Makes a program that differs smaller: fewer statements, simpler expressions.

use crate::draw::{END, Program, START, TEXT};
use crate::run::{Difference, Runner};

/// Attempts for one program.
const ATTEMPTS: usize = 300;

/// The smallest program found that still differs.
pub fn shrink(runner: &Runner, program: Program) -> Difference {
    let number = program.number;
    let (_, whole) = runner.difference(number, &program.statements);
    let mut smaller =
        Smaller { runner, number, statements: program.statements, whole, attempts: 0 };
    smaller.drop_statements();
    while smaller.simplify() {}
    smaller.drop_statements();
    let (lines, _) = runner.difference(number, &smaller.statements);
    Difference { number, text: Program::text(&smaller.statements), lines }
}

struct Smaller<'a> {
    runner: &'a Runner,
    number: u64,
    statements: Vec<String>,
    /// Whether LuaJIT runs the program to its end: what does not is another, undefined program.
    whole: bool,
    attempts: usize,
}

impl Smaller<'_> {
    fn keeps(&mut self, statements: &[String]) -> bool {
        self.attempts += 1;
        if self.attempts > ATTEMPTS {
            return false;
        }
        let (lines, whole) = self.runner.difference(self.number, statements);
        whole == self.whole && !lines.is_empty()
    }

    /// Drops statements, many at a time first, each with those that use its names.
    fn drop_statements(&mut self) {
        let mut size = self.statements.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < self.statements.len() {
                let dropped =
                    with_users(&self.statements, at..(at + size).min(self.statements.len()));
                let kept = self.statements.iter().enumerate();
                let kept = kept.filter(|(i, _)| !dropped.contains(i)).map(|(_, s)| s.clone());
                let kept: Vec<_> = kept.collect();
                if self.keeps(&kept) {
                    self.statements = kept;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Replaces one sub-expression by a simpler one; false if none can be.
    fn simplify(&mut self) -> bool {
        for i in 0..self.statements.len() {
            for (start, end) in expressions(&self.statements[i]) {
                let statement = self.statements[i].clone();
                let marked = &statement[start..end];
                let (kind, text) = marked[1..].split_once(TEXT).expect("a kind");
                let inner = expressions(text).into_iter().map(|(from, to)| &text[from..to]);
                let inner = inner.filter(|inner| inner[1..].starts_with(&format!("{kind}{TEXT}")));
                let simple = self.runner.templates.simplest(kind).take(4);
                let simple: Vec<_> = simple.map(str::to_owned).collect();
                if simple.iter().any(|simple| text.strip_suffix(END) == Some(simple)) {
                    continue;
                }
                let simple =
                    simple.iter().map(|simple| format!("{START}{kind}{TEXT}{simple}{END}"));
                for other in inner.map(str::to_owned).chain(simple) {
                    let mut statements = self.statements.clone();
                    statements[i] = [&statement[..start], &other, &statement[end..]].concat();
                    if self.keeps(&statements) {
                        self.statements = statements;
                        return true;
                    }
                }
            }
        }
        false
    }
}

/// Where the marked sub-expressions of a text are, the outer ones first.
fn expressions(text: &str) -> Vec<(usize, usize)> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            START => open.push(at),
            END => found.extend(open.pop().map(|start| (start, at + 1))),
            _ => {}
        }
    }
    found.sort_by_key(|(start, end)| (*start, usize::MAX - end));
    found
}

/// Statements and those that use names which they are the first to have.
fn with_users(statements: &[String], mut range: std::ops::Range<usize>) -> Vec<usize> {
    let mut dropped: Vec<_> = range.by_ref().collect();
    let Some(&first) = dropped.first() else { return dropped };
    let known: Vec<_> = statements[..first].iter().flat_map(|s| names(s)).collect();
    let mut gone: Vec<_> = dropped.iter().flat_map(|i| names(&statements[*i])).collect();
    gone.retain(|name| !known.contains(name));
    for (i, statement) in statements.iter().enumerate().skip(first) {
        if !dropped.contains(&i) && names(statement).iter().any(|name| gone.contains(name)) {
            dropped.push(i);
        }
    }
    dropped
}

/// Names as `Drawer::name` makes them.
fn names(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let made = |word: &&str| word.rsplit('_').take(2).all(|part| part.parse::<u64>().is_ok());
    words.filter(|word| word.contains('_')).filter(made).collect()
}
