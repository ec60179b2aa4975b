//! Errors: what is wrong, where, and how the preprocessor came there.

use std::fmt;

use super::source::{Expansion, Location};

/// An error or warning of the preprocessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Where it is.
    pub at: Location,
    /// The `#include`s that lead there, the nearest first.
    pub included_from: Vec<Location>,
    /// The macros that are being replaced, the innermost first.
    pub expanded_from: Vec<Expansion>,
    /// What would be right.
    pub hint: Option<String>,
}

/// How many macros of a chain are shown.
const SHOWN: usize = 8;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, from) in self.included_from.iter().enumerate() {
            let start = if index == 0 { "In file included from" } else { "                 from" };
            let end = if index + 1 == self.included_from.len() { ":" } else { "," };
            writeln!(f, "{start} {}:{}{end}", from.file, from.line)?;
        }
        writeln!(f, "{}:{}:{}: {}", self.at.file, self.at.line, self.at.column, self.message)?;
        excerpt(f, &self.at)?;
        for expansion in self.expanded_from.iter().take(SHOWN) {
            let Location { file, line, column, .. } = &expansion.at;
            writeln!(f)?;
            writeln!(f, "{file}:{line}:{column}: in what the macro '{}' becomes", expansion.name)?;
            excerpt(f, &expansion.at)?;
        }
        if let Some(more) = self.expanded_from.len().checked_sub(SHOWN + 1) {
            write!(f, "\nand in {} more macros", more + 1)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A line, and a caret under a column.
fn excerpt(f: &mut fmt::Formatter<'_>, at: &Location) -> fmt::Result {
    /// The longest part of a line that is shown, in characters.
    const WINDOW: usize = 160;
    let caret = (at.column as usize).saturating_sub(1);
    let skipped = caret.saturating_sub(WINDOW / 2);
    let line: String = at.text.chars().skip(skipped).take(WINDOW).collect();
    writeln!(f, "    {line}")?;
    // Tabs stay tabs, so that the caret stands under its character.
    let indent: String = (line.chars().chain(std::iter::repeat(' ')))
        .take(caret - skipped)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    write!(f, "    {indent}^")
}

impl std::error::Error for Error {}
