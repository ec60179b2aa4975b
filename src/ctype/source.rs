//! The places in the original text of the bytes that the parser reads.

use super::lex::Offset;

/// A text after the preprocessor, and where its bytes stand in the text that was declared.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) text: Vec<u8>,
    /// In order, from the first byte on.
    pieces: Vec<Piece>,
}

/// A part of an expanded text.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: Offset,
    /// Where it begins in the declared text.
    origin: Offset,
    /// It is the expansion of a macro: all its bytes come from one place.
    is_macro: bool,
}

impl Expanded {
    /// Adds bytes that stand in the declared text.
    pub(super) fn copy(&mut self, bytes: &[u8], origin: usize) {
        self.push(bytes, origin, false);
    }

    /// Adds the expansion of a macro at a place of the declared text.
    pub(super) fn insert(&mut self, bytes: &[u8], origin: usize) {
        self.push(bytes, origin, true);
    }

    fn push(&mut self, bytes: &[u8], origin: usize, is_macro: bool) {
        // `Declarations` refuses texts whose offsets would not fit.
        let piece = Piece { start: self.text.len() as Offset, origin: origin as Offset, is_macro };
        self.pieces.push(piece);
        self.text.extend_from_slice(bytes);
    }

    fn origin(&self, offset: Offset) -> Offset {
        let after = self.pieces.partition_point(|piece| piece.start <= offset);
        match after.checked_sub(1).map(|at| self.pieces[at]) {
            Some(piece) if piece.is_macro => piece.origin,
            Some(piece) => piece.origin + (offset - piece.start),
            None => 0,
        }
    }
}

/// The text that a parser reads, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// As it was declared.
    declared: &'a [u8],
    expanded: Option<&'a Expanded>,
}

impl<'a> Source<'a> {
    /// A text that the parser reads as it is.
    pub(super) fn plain(text: &'a [u8]) -> Source<'a> {
        Source { declared: text, expanded: None }
    }

    pub(super) fn expanded(declared: &'a [u8], expanded: &'a Expanded) -> Source<'a> {
        Source { declared, expanded: Some(expanded) }
    }

    /// Whether it went through the preprocessor.
    pub(super) fn is_expanded(self) -> bool {
        self.expanded.is_some()
    }

    /// The text that the parser reads.
    pub(super) fn text(self) -> &'a [u8] {
        self.expanded.map_or(self.declared, |expanded| &expanded.text)
    }

    /// The declared text.
    pub(super) fn declared(self) -> &'a [u8] {
        self.declared
    }

    /// Where a byte that the parser reads is in the declared text.
    pub(super) fn origin(self, offset: Offset) -> Offset {
        self.expanded.map_or(offset, |expanded| expanded.origin(offset))
    }
}

/// Where a byte of a text is, as its line marks (`# 12 "file.h"`, `#line 12`) have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) file: Option<String>,
    pub(super) line: u32,
}

impl Position {
    pub(super) fn of(text: &[u8], offset: Offset) -> Position {
        let before = &text[..text.len().min(offset as usize)];
        let mut position = Position { file: None, line: 1 };
        // The last piece is the line of the byte itself.
        let mut lines = before.split(|&byte| byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() {
                break;
            }
            match mark(line) {
                Some((number, file)) => {
                    position.line = number;
                    position.file = file.or(position.file);
                }
                None => position.line = position.line.saturating_add(1),
            }
        }
        position
    }
}

/// The number and the file of a line mark.
fn mark(line: &[u8]) -> Option<(u32, Option<String>)> {
    let rest = line.trim_ascii_start().strip_prefix(b"#")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"line").unwrap_or(rest).trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let name = rest[digits..].trim_ascii_start().strip_prefix(b"\"");
    let file = name.and_then(|name| name.split(|&byte| byte == b'"').next());
    Some((number, file.map(|file| String::from_utf8_lossy(file).into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_marks_move_the_place() {
        let text = b"a\n# 100 \"foo.h\" 3\nb\nc\n  #  line 7\nd\n#pragma x\n#line 1 \"d/e.c\"\ne";
        let at = |byte: u8| {
            let offset = text.iter().position(|&b| b == byte).expect("it is there");
            let Position { file, line } = Position::of(text, offset as Offset);
            (file.unwrap_or_default(), line)
        };
        assert_eq!(at(b'a'), (String::new(), 1));
        assert_eq!(Position::of(text, 19), Position { file: Some("foo.h".into()), line: 100 });
        assert_eq!(Position::of(text, 21), Position { file: Some("foo.h".into()), line: 101 });
        let end = text.len() as Offset - 1;
        assert_eq!(Position::of(text, end), Position { file: Some("d/e.c".into()), line: 1 });
    }

    #[test]
    fn bytes_of_an_expanded_text_have_an_origin() {
        let mut expanded = Expanded::default();
        expanded.copy(b"int ", 0);
        expanded.insert(b" long name ", 4);
        expanded.copy(b"; x", 7);
        let origins: Vec<_> = [0, 3, 4, 9, 15, 17].map(|at| expanded.origin(at)).into();
        assert_eq!(origins, [0, 3, 4, 4, 7, 9]);
    }
}
