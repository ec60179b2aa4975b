//! Failures of commands, and how they are shown: errors in C with their source lines, in colour on a terminal.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use anstream::AutoStream;
use cthunk::Error;
use cthunk::ctype::{Diagnostic, Diagnostics, Note, NotePlace};

use crate::output;

/// Why a command fails.
pub(crate) enum Failure {
    /// Something else than the C text.
    Other(String),
    /// The C text, which a file holds or an argument.
    Declaration(Option<PathBuf>, Diagnostics),
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::Other(message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Declaration(errors) => Failure::Declaration(None, errors),
            other => Failure::Other(other.to_string()),
        }
    }
}

impl Failure {
    /// The same failure, of a file.
    #[cfg(feature = "emit")]
    pub(crate) fn in_file(self, file: &Path) -> Failure {
        match self {
            Failure::Other(message) => in_file(file, &message).into(),
            Failure::Declaration(_, errors) => Failure::Declaration(Some(file.into()), errors),
        }
    }

    /// Prints it to standard error. `anstream` leaves colours to terminals, and to users who want them (`NO_COLOR`, `CLICOLOR_FORCE`).
    pub(crate) fn report(&self) {
        match self {
            Failure::Other(message) => output::report(format_args!("cthunk: {message}")),
            Failure::Declaration(file, errors) => {
                let colours =
                    AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
                for error in errors.iter() {
                    let text = rendered(file.as_deref(), error, colours);
                    output::report(format_args!("{text}"));
                }
            }
        }
    }
}

/// A message about a file.
pub(crate) fn in_file(file: &Path, message: &dyn Display) -> String {
    format!("{}: {message}", file.display())
}

/// An error as rustc draws its own.
fn rendered(file: Option<&Path>, error: &Diagnostic, colours: bool) -> String {
    let file = error.file.clone().or_else(|| file.map(|file| file.display().to_string()));
    let file = file.unwrap_or_else(|| "declaration".into());
    let place: Element = match error.column as usize == error.caret + 1 {
        true => Snippet::source(error.source_line.as_str())
            .line_start(error.line as usize)
            .path(file)
            .annotation(AnnotationKind::Primary.span(word(&error.source_line, error.caret)))
            .into(),
        // The line is too long to be shown, but its columns count.
        false => {
            Origin::path(file).line(error.line as usize).char_column(error.column as usize).into()
        }
    };
    let note = error.note.as_ref().map(|note| Element::from(Level::NOTE.message(noted(note))));
    let hint = error.hint.as_ref().map(|hint| Element::from(Level::HELP.message(hint)));
    let group = Group::with_title(Level::ERROR.primary_title(error.message.as_str()));
    let group = group.element(place).elements(note).elements(hint);
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The bytes of the word, or the character, that begins at a character of a line.
fn word(line: &str, caret: usize) -> std::ops::Range<usize> {
    let start = line.char_indices().nth(caret).map_or(line.len(), |(start, _)| start);
    let rest = &line[start..];
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start..start + end.max(first)
}

/// The other declaration of a conflict, and where it is.
fn noted(note: &Note) -> String {
    let text = &note.text;
    match &note.place {
        NotePlace::Line(Some(file), line) => format!("{file}:{line}: {text}"),
        NotePlace::Line(None, line) => format!("line {line}: {text}"),
        NotePlace::EarlierText => format!("an earlier text: {text}"),
        NotePlace::Predeclared => format!("predeclared: {text}"),
    }
}
