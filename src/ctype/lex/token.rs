//! Tokens.

use crate::ctype::keyword::Keyword;
use crate::ctype::{Name, QualType};

/// A byte of a text. Texts are shorter than 4 GiB.
pub(in crate::ctype) type Offset = u32;

/// A token and the bytes of the text that it covers.
#[derive(Clone, Copy, Debug)]
pub(in crate::ctype) struct Token {
    pub(in crate::ctype) kind: Tok,
    pub(in crate::ctype) start: Offset,
    pub(in crate::ctype) end: Offset,
}

/// The kind of a token. Its data has at most 32 bits, so that a kind travels in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::ctype) enum Tok {
    /// The end of the text.
    End,
    Name(Name),
    Keyword(Keyword),
    /// A preprocessing number: digits, letters, `.`, `'` and signed exponents.
    Number,
    /// A character constant with its prefix.
    Char,
    /// A string literal with its prefix.
    Str,
    /// An operator or other punctuation, by its characters.
    Punct(Punct),
    /// `$`, which the parser replaces by what it stands for.
    Dollar,
    /// `$` that stands for a type.
    Type(QualType),
    /// `$` that stands for an integer: the position of its value.
    Int(u32),
    /// `#` at the start of a line that the parser must look at: `#pragma pack`, `#define`, and errors.
    Directive,
    /// Bytes that are no token.
    Bad(Bad),
}

/// Why bytes are no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(in crate::ctype) enum Bad {
    OpenComment,
    OpenLiteral,
    NotUtf8,
    Stray,
    ParamMissing,
    ParamNotName,
}

impl Bad {
    pub(in crate::ctype) fn message(self) -> &'static str {
        match self {
            Bad::OpenComment => "comment without an end",
            Bad::OpenLiteral => "literal without its closing quote",
            Bad::NotUtf8 => "identifier that is not UTF-8",
            Bad::Stray => "stray character",
            Bad::ParamMissing => "'$' without a value",
            Bad::ParamNotName => "the value of '$' is not an identifier",
        }
    }
}

/// Punctuation: one to three ASCII characters, the first in the lowest byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::ctype) struct Punct(u32);

impl Punct {
    /// The punctuation with this spelling.
    pub(in crate::ctype) const fn new(text: &str) -> Punct {
        let bytes = text.as_bytes();
        let mut punct = 0;
        let mut i = bytes.len();
        while i > 0 {
            i -= 1;
            punct = punct << 8 | bytes[i] as u32;
        }
        Punct(punct)
    }

    /// One character.
    pub(super) const fn of(byte: u8) -> Punct {
        Punct(byte as u32)
    }

    /// The character, if it is only one; else 0.
    pub(in crate::ctype) fn char(self) -> u8 {
        u8::try_from(self.0).unwrap_or(0)
    }
}

impl std::fmt::Debug for Punct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.0.to_le_bytes();
        f.write_str(String::from_utf8_lossy(&bytes).trim_end_matches('\0'))
    }
}
