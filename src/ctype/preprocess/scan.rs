//! A text as the preprocessor sees it: lines joined by backslashes, and tokens that are words or others.

use std::borrow::Cow;

use crate::ctype::source::Expanded;

/// A text without the backslashes before the ends of lines, and without those ends.
pub(super) struct Spliced<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// The places where bytes were taken out: the position of the next byte in `bytes`, and in the declared text.
    splices: Vec<(usize, usize)>,
}

impl<'a> Spliced<'a> {
    pub(super) fn new(declared: &'a [u8]) -> Spliced<'a> {
        if splice_length(declared, 0).is_none() && !has_splice(declared) {
            return Spliced { bytes: declared.into(), splices: Vec::new() };
        }
        let mut bytes = Vec::with_capacity(declared.len());
        let mut splices = Vec::new();
        let mut at = 0;
        while at < declared.len() {
            match splice_length(declared, at) {
                Some(length) => {
                    at += length;
                    splices.push((bytes.len(), at));
                }
                None => {
                    bytes.push(declared[at]);
                    at += 1;
                }
            }
        }
        Spliced { bytes: bytes.into(), splices }
    }

    /// Where a byte is in the declared text.
    pub(super) fn origin(&self, at: usize) -> usize {
        let after = self.splices.partition_point(|splice| splice.0 <= at);
        match after.checked_sub(1).map(|splice| self.splices[splice]) {
            Some((here, there)) => there + (at - here),
            None => at,
        }
    }

    /// Copies a range, piece by piece where something was taken out.
    pub(super) fn copy(&self, from: usize, to: usize, out: &mut Expanded) {
        let mut from = from;
        let first = self.splices.partition_point(|splice| splice.0 <= from);
        for &(here, _) in self.splices[first..].iter().take_while(|splice| splice.0 < to) {
            out.copy(&self.bytes[from..here], self.origin(from));
            from = here;
        }
        out.copy(&self.bytes[from..to], self.origin(from));
    }
}

fn has_splice(text: &[u8]) -> bool {
    (0..text.len()).any(|at| text[at] == b'\\' && splice_length(text, at).is_some())
}

/// The length of a backslash and the end of its line.
fn splice_length(text: &[u8], at: usize) -> Option<usize> {
    match text[at..] {
        [b'\\', b'\n', ..] => Some(2),
        [b'\\', b'\r', b'\n', ..] => Some(3),
        _ => None,
    }
}

/// The kind of a piece of text, for the preprocessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An identifier or keyword.
    Word,
    Newline,
    /// White space in a line, and comments.
    Space,
    /// `#`
    Hash,
    /// Numbers, literals, punctuation.
    Other,
}

/// The piece that begins at a byte, and where it ends; `None` at the end of the text.
pub(super) fn next(text: &[u8], at: usize) -> Option<(Piece, usize)> {
    let rest = &text[at..];
    let first = *rest.first()?;
    let (piece, length) = match first {
        b'\n' => (Piece::Newline, 1),
        b'#' => (Piece::Hash, 1),
        b' ' | b'\t' | b'\r' | 0x0b | 0x0c => (Piece::Space, 1),
        b'/' if rest.starts_with(b"//") => (Piece::Space, find(rest, b"\n", 0)),
        b'/' if rest.starts_with(b"/*") => (Piece::Space, find(rest, b"*/", 2)),
        b'"' | b'\'' => (Piece::Other, literal(rest, first)),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => (Piece::Other, number(rest)),
        b'0'..=b'9' => (Piece::Other, number(rest)),
        _ if is_word(rest) => {
            let end = word_end(text, at, text.len());
            // A prefix belongs to its literal.
            match (&text[at..end], text.get(end)) {
                (b"L" | b"u" | b"U" | b"u8", Some(&quote @ (b'"' | b'\''))) => {
                    (Piece::Other, end - at + literal(&text[end..], quote))
                }
                _ => (Piece::Word, end - at),
            }
        }
        _ => (Piece::Other, 1),
    };
    Some((piece, at + length))
}

/// The length of the piece that ends with `end`, or of the whole text if `end` is missing. The search begins at byte `from`.
fn find(text: &[u8], end: &[u8], from: usize) -> usize {
    let found = text[from..].windows(end.len()).position(|window| window == end);
    match found {
        // The newline after a comment is no part of it.
        Some(position) if end == b"\n" => from + position,
        Some(position) => from + position + end.len(),
        None => text.len(),
    }
}

fn literal(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != b'\n' {
        match text[at] {
            b'\\' => at += 2,
            byte => {
                at += 1;
                if byte == quote {
                    return at;
                }
            }
        }
    }
    at.min(text.len())
}

/// A preprocessing number.
fn number(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'e' | b'E' | b'p' | b'P', Some(b'+' | b'-')) => at += 2,
            (b'\'', Some(next)) if next.is_ascii_alphanumeric() => at += 2,
            (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.', _) => at += 1,
            _ => break,
        }
    }
    at
}

fn is_word(text: &[u8]) -> bool {
    match text {
        [b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.., ..] => true,
        _ => universal(text).is_some(),
    }
}

/// The character that `\uXXXX` or `\UXXXXXXXX` stands for, and its length.
fn universal(text: &[u8]) -> Option<(char, usize)> {
    let length = match text {
        [b'\\', b'u', ..] => 6,
        [b'\\', b'U', ..] => 10,
        _ => return None,
    };
    let digits = std::str::from_utf8(text.get(2..length)?).ok()?;
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    // Others have spellings of their own.
    (!character.is_ascii()).then_some((character, length))
}

/// The end of the word that begins at a byte, at most `limit`.
pub(super) fn word_end(text: &[u8], at: usize, limit: usize) -> usize {
    let mut end = at;
    while end < limit {
        match text[end] {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => end += 1,
            // A `$` alone is a parameter.
            b'$' if end > at => end += 1,
            _ => match universal(&text[end..limit]) {
                Some((_, length)) => end += length,
                None => break,
            },
        }
    }
    end
}

/// A word with `\u…` in it, in UTF-8.
pub(super) fn utf8_name(word: &[u8]) -> Option<Vec<u8>> {
    if !word.contains(&b'\\') {
        return None;
    }
    let (mut name, mut at) = (Vec::new(), 0);
    while at < word.len() {
        match universal(&word[at..]) {
            Some((character, length)) => {
                name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            None => {
                name.push(word[at]);
                at += 1;
            }
        }
    }
    Some(name)
}

/// The end of the line that a directive is on; a comment that begins there may take it further.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let mut at = at;
    while let Some((piece, end)) = next(text, at) {
        if piece == Piece::Newline {
            break;
        }
        at = end;
    }
    at
}

/// The first byte from `at` on that is no white space and no comment.
pub(super) fn skip_space(text: &[u8], at: usize, limit: usize) -> usize {
    let mut at = at;
    while at < limit
        && let Some((Piece::Space, end)) = next(text, at)
    {
        at = end;
    }
    at.min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_words_or_not() {
        let text = b"ab 0x1eu+c L\"d e\" 'f' // g\n/* h */#i \\u00e9j $k";
        let (mut at, mut words) = (0, Vec::new());
        while let Some((piece, end)) = next(text, at) {
            if piece == Piece::Word {
                words.push(std::str::from_utf8(&text[at..end]).expect("text"));
            }
            at = end;
        }
        assert_eq!(words, ["ab", "c", "i", "\\u00e9j", "k"]);
        assert_eq!(utf8_name(b"\\u00e9j").as_deref(), Some("\u{e9}j".as_bytes()));
    }

    #[test]
    fn lines_are_spliced_and_know_their_origin() {
        let text = b"in\\\nt a\\\r\nb;\nc";
        let spliced = Spliced::new(text);
        assert_eq!(&*spliced.bytes, b"int ab;\nc");
        let origins: Vec<_> = (0..9).map(|at| text[spliced.origin(at)]).collect();
        assert_eq!(origins, b"int ab;\nc");
    }
}
