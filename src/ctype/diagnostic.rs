//! Errors in a text of declarations: message, place, source line, hint.

use std::fmt;

use super::lex::Offset;
use super::source::Position;

/// One error in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file that a line mark before it names (`# 12 "file.h"`).
    pub file: Option<String>,
    /// Line, from 1, or as line marks count.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The whole source line (cut to a window around the error where it is very long).
    pub source_line: String,
    /// Where the caret goes in `source_line`, in characters from 0.
    pub caret: usize,
    /// The message.
    pub message: String,
    /// A suggestion.
    pub hint: Option<String>,
    /// The other place of a conflict.
    pub note: Option<Note>,
    /// The declaration is right, but not permitted.
    pub(super) refused: bool,
    /// The byte of the text.
    pub(super) offset: Offset,
}

/// The declaration that a new one does not agree with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it is.
    pub place: NotePlace,
    /// The earlier declaration, as C.
    pub text: String,
}

/// Where the declaration of a [`Note`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotePlace {
    /// In this line of the same text, or of a file that it comes from.
    Line(Option<String>, u32),
    /// In the text of an earlier `cdef`.
    EarlierText,
    /// The name is predeclared.
    Predeclared,
}

/// The errors of one text, in its order; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub(super) Vec<Diagnostic>);

/// Longest part of a source line that is shown, in characters.
const WINDOW: usize = 160;

impl Diagnostic {
    /// An error at byte `offset` of `text`.
    pub(super) fn new(text: &[u8], offset: Offset, message: String) -> Diagnostic {
        let Position { file, line } = Position::of(text, offset);
        let position = offset;
        let offset = text.len().min(offset as usize);
        let before = &text[..offset];
        let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |p| p + 1);
        let end =
            text[offset..].iter().position(|&b| b == b'\n').map_or(text.len(), |p| offset + p);
        let characters = |bytes| String::from_utf8_lossy(bytes).chars().count();
        let column = characters(&text[start..offset]);
        let skipped = column.saturating_sub(WINDOW / 2);
        let source_line = String::from_utf8_lossy(&text[start..end])
            .trim_end()
            .chars()
            .skip(skipped)
            .take(WINDOW)
            .collect();
        Diagnostic {
            file,
            line,
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            source_line,
            caret: column - skipped,
            message,
            hint: None,
            note: None,
            refused: false,
            offset: position,
        }
    }
}

impl Diagnostics {
    /// Whether a declaration is right, but [refused](super::decls::Parsed::refuse).
    pub fn is_refusal(&self) -> bool {
        self.0.iter().any(|error| error.refused)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        writeln!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        writeln!(f, "    {}", self.source_line)?;
        // Tabs stay tabs, so that the caret stands under its character.
        let indent: String = (self.source_line.chars().chain(std::iter::repeat(' ')))
            .take(self.caret)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        write!(f, "    {indent}^")?;
        if let Some(note) = &self.note {
            match &note.place {
                NotePlace::Line(Some(file), line) => write!(f, "\n  {file}:{line}: {}", note.text)?,
                NotePlace::Line(None, line) => write!(f, "\n  line {line}: {}", note.text)?,
                NotePlace::EarlierText => write!(f, "\n  an earlier cdef: {}", note.text)?,
                NotePlace::Predeclared => write!(f, "\n  predeclared: {}", note.text)?,
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Diagnostics {
    /// The errors, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::Diagnostic;

    #[test]
    fn the_caret_stands_under_the_error() {
        let d = Diagnostic::new("int a;\n\tint \u{e4} +;\n".as_bytes(), 15, "expected ';'".into());
        assert_eq!((d.line, d.column), (2, 8));
        assert_eq!(d.to_string(), "2:8: expected ';'\n    \tint \u{e4} +;\n    \t      ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_error() {
        let text = vec![b'x'; 5000];
        let d = Diagnostic::new(&text, 4000, String::new());
        assert_eq!((d.column, d.source_line.len(), d.caret), (4001, 160, 80));
    }
}
