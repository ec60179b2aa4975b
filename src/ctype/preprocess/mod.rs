//! Macros, conditionals and continued lines: removes them from a text before the parser reads it.
//!
//! A text goes through here only if the parser met one of them. The result keeps two kinds of directives: `#pragma`, and `#define` and `#undef`,
//! from which the parser declares constants.

mod condition;
mod macros;
mod scan;

use super::decls::Declarations;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::lex::Offset;
use super::source::Expanded;
pub(super) use macros::{Macro, is_closed};
use scan::{Piece, Spliced};

/// How much a text may become.
const MAX_LENGTH: usize = 1 << 26;

/// How many macros a text may expand.
const MAX_EXPANSIONS: u32 = 1_000_000;

/// How deep macros may lead to macros.
const MAX_NESTING: usize = 200;

const HINT: &str = "run the text through 'cc -E -P' and declare its output";

/// An error, at a byte of the spliced text.
#[derive(Debug)]
struct Trouble {
    at: usize,
    message: String,
    hint: Option<&'static str>,
}

impl Trouble {
    fn new(at: usize, message: impl Into<String>) -> Trouble {
        Trouble { at, message: message.into(), hint: None }
    }
}

/// An `#if` that is open.
#[derive(Debug)]
struct Branch {
    /// Where its `#if` is.
    at: usize,
    /// The text up to the next directive of this `#if` is read.
    active: bool,
    /// No further part is read: one of them was read, or the text around the `#if` is not.
    done: bool,
    /// Its `#else` was there.
    last: bool,
}

struct Preprocessor<'a> {
    decls: &'a mut Declarations,
    text: &'a Spliced<'a>,
    out: Expanded,
    branches: Vec<Branch>,
    expansions: u32,
}

/// Reads a text's directives and expands its macros. Macros that it defines hold from then on.
pub(super) fn expand(decls: &mut Declarations, declared: &[u8]) -> Result<Expanded, Diagnostics> {
    let text = Spliced::new(declared);
    let mut preprocessor = Preprocessor {
        decls,
        text: &text,
        out: Expanded::default(),
        branches: Vec::new(),
        expansions: 0,
    };
    match preprocessor.run() {
        Ok(()) => Ok(preprocessor.out),
        Err(trouble) => {
            let offset = text.origin(trouble.at) as Offset;
            let diagnostic = Diagnostic::new(declared, offset, trouble.message);
            let hint = trouble.hint.map(str::to_owned);
            Err(Diagnostics(vec![Diagnostic { hint, ..diagnostic }]))
        }
    }
}

impl Preprocessor<'_> {
    fn run(&mut self) -> Result<(), Trouble> {
        let text = self.text;
        let (mut at, mut line_start) = (0, true);
        while let Some((piece, end)) = scan::next(&text.bytes, at) {
            match piece {
                Piece::Hash if line_start => {
                    let end = scan::line_end(&text.bytes, at);
                    self.directive(at, end)?;
                    at = end;
                    continue;
                }
                Piece::Newline => {
                    line_start = true;
                    self.copy(at, end);
                }
                _ if !self.is_active() => {}
                Piece::Word => {
                    line_start = false;
                    self.word(at, end)?;
                }
                Piece::Space => self.copy(at, end),
                Piece::Hash | Piece::Other => {
                    line_start = false;
                    self.copy(at, end);
                }
            }
            at = end;
            if self.out.text.len() > MAX_LENGTH {
                return Err(Trouble::new(at, "macros make the text longer than 64 MiB"));
            }
        }
        match self.branches.last() {
            None => Ok(()),
            Some(open) => Err(Trouble::new(open.at, "'#if' without its '#endif'")),
        }
    }

    fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    fn copy(&mut self, from: usize, to: usize) {
        self.text.copy(from, to, &mut self.out);
    }

    /// A word outside of directives.
    fn word(&mut self, at: usize, end: usize) -> Result<(), Trouble> {
        let word = &self.text.bytes[at..end];
        if !self.decls.has_macro(word) {
            let name = scan::utf8_name(word);
            match name {
                Some(name) => self.out.insert(&name, self.text.origin(at)),
                None => self.copy(at, end),
            }
            return Ok(());
        }
        let mut expanded = Vec::new();
        let rest = &self.text.bytes[end..];
        self.expand_word(word, rest, at, &mut expanded, &mut Vec::new())?;
        self.out.insert(&expanded, self.text.origin(at));
        Ok(())
    }

    /// A line that begins with `#`, without its end.
    fn directive(&mut self, at: usize, end: usize) -> Result<(), Trouble> {
        let bytes = &self.text.bytes;
        let start = scan::skip_space(bytes, at + 1, end);
        let word_end = scan::word_end(bytes, start, end);
        let arguments = scan::skip_space(bytes, word_end, end);
        let line = Line { at, arguments, end };
        match &bytes[start..word_end] {
            b"if" => {
                let holds = self.is_active() && self.condition(line)?;
                self.open_branch(line, holds);
            }
            b"ifdef" => {
                let holds = self.is_active() && self.is_defined(line)?;
                self.open_branch(line, holds);
            }
            b"ifndef" => {
                let holds = self.is_active() && !self.is_defined(line)?;
                self.open_branch(line, holds);
            }
            b"elif" => self.next_branch(line, |p| p.condition(line))?,
            b"elifdef" => self.next_branch(line, |p| p.is_defined(line))?,
            b"elifndef" => self.next_branch(line, |p| Ok(!p.is_defined(line)?))?,
            b"else" => {
                self.next_branch(line, |_| Ok(true))?;
                if let Some(branch) = self.branches.last_mut() {
                    branch.last = true;
                }
            }
            b"endif" => {
                if self.branches.pop().is_none() {
                    return Err(Trouble::new(at, "'#endif' without its '#if'"));
                }
            }
            _ if !self.is_active() => {}
            b"define" => self.define(line)?,
            b"undef" => self.undefine(line)?,
            b"error" => {
                let text = String::from_utf8_lossy(&bytes[arguments..end]).trim().to_owned();
                return Err(Trouble::new(at, format!("#error {text}")));
            }
            b"warning" | b"ident" | b"sccs" => {}
            b"pragma" | b"line" | b"" => self.copy(at, end),
            word if word[0].is_ascii_digit() => self.copy(at, end),
            word => {
                let word = String::from_utf8_lossy(word);
                let message = format!("'#{word}' is a preprocessor directive");
                return Err(Trouble { hint: Some(HINT), ..Trouble::new(at, message) });
            }
        }
        Ok(())
    }

    fn open_branch(&mut self, line: Line, holds: bool) {
        let done = holds || !self.is_active();
        self.branches.push(Branch { at: line.at, active: holds, done, last: false });
    }

    /// `#elif` and `#else`; `holds` is asked only if no part before was read.
    fn next_branch(
        &mut self,
        line: Line,
        holds: impl FnOnce(&mut Self) -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        let wrong = match self.branches.last() {
            None => "without its '#if'",
            Some(branch) if branch.last => "after '#else'",
            Some(_) => "",
        };
        if !wrong.is_empty() {
            return Err(Trouble::new(line.at, format!("'#elif' or '#else' {wrong}")));
        }
        let done = self.branches.last().is_some_and(|branch| branch.done);
        let active = !done && holds(self)?;
        if let Some(branch) = self.branches.last_mut() {
            branch.active = active;
            branch.done |= active;
        }
        Ok(())
    }
}

/// A directive: the places of its `#`, of its arguments, and of its end.
#[derive(Clone, Copy)]
struct Line {
    at: usize,
    arguments: usize,
    end: usize,
}
