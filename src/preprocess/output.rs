//! The result: tokens, and the text that they make.

use std::path::PathBuf;

use super::error::Error;
use super::macros::Macros;
use super::source::{Location, Sources};
use super::spelling::Spellings;
use super::token::{Kind, Place, Token};

/// A text after the preprocessor: a translation unit.
#[derive(Debug)]
pub struct Unit {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// `#warning`, and macros that are defined again in another way.
    pub warnings: Vec<Error>,
    /// The spellings of the tokens.
    pub spellings: Spellings,
    pub(super) sources: Sources,
    pub(super) macros: Macros,
    /// The files that were read, in the order in which they were found.
    pub files: Vec<PathBuf>,
}

impl Unit {
    /// Where a place is.
    pub fn location(&self, place: Place) -> Location {
        self.sources.location(place)
    }

    /// The `#include`s that lead to a place, the nearest first.
    pub fn included_from(&self, place: Place) -> Vec<Location> {
        self.sources.chain(place)
    }

    /// The names of the macros that are defined at the end, with their replacement if they have no parameters.
    pub fn macros(&self) -> impl Iterator<Item = (&[u8], Option<String>)> {
        self.macros.iter().map(|(name, found)| {
            let body = match found.params {
                Some(_) => None,
                None => Some(text(&self.spellings, &found.body)),
            };
            (self.spellings.bytes(name), body)
        })
    }

    /// The text of the tokens, as `cc -E -P` prints it: the same lines and tokens, with other white space.
    pub fn text(&self) -> String {
        text(&self.spellings, &self.tokens)
    }
}

/// A text that has these tokens.
fn text(spellings: &Spellings, tokens: &[Token]) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(tokens.len() * 6);
    let mut in_pragma = false;
    let mut line_end = true;
    for token in tokens {
        match token.kind {
            Kind::Pragma => {
                if !line_end {
                    out.push(b'\n');
                }
                out.extend_from_slice(b"#pragma");
                in_pragma = true;
                line_end = false;
                continue;
            }
            Kind::PragmaEnd => {
                out.push(b'\n');
                in_pragma = false;
                line_end = true;
                continue;
            }
            _ => {}
        }
        let bytes = spellings.bytes(token.spelling);
        if !line_end {
            if token.starts_line() && !in_pragma {
                out.push(b'\n');
            } else if token.has_space() || would_join(out.last().copied(), bytes[0]) {
                out.push(b' ');
            }
        }
        out.extend_from_slice(bytes);
        line_end = false;
    }
    if !line_end {
        out.push(b'\n');
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// Whether two tokens, side by side, could be read as others, by the last byte of one and the first of the other.
fn would_join(last: Option<u8>, first: u8) -> bool {
    let Some(last) = last else { return false };
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    match last {
        b'.' => first == b'.' || in_word(first),
        b'#' | b'%' | b':' | b'<' | b'>' | b'=' | b'!' | b'&' | b'|' | b'^' | b'*' | b'/'
        | b'+' | b'-' => {
            !in_word(first)
                && !matches!(
                    first,
                    b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';' | b',' | b'"' | b'\''
                )
        }
        b'\\' => in_word(first),
        _ if in_word(last) => {
            in_word(first) || matches!(first, b'.' | b'"' | b'\'' | b'+' | b'-' | b'\\')
        }
        _ => false,
    }
}
