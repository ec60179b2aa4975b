//! Preprocessing tokens.

use super::spelling::Spelling;
use super::word;

/// A byte of one of the texts that a preprocessor has read: all inclusions, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub(super) u32);

/// A preprocessing token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The kind.
    pub kind: Kind,
    pub(super) flags: Flags,
    /// The text.
    pub spelling: Spelling,
    /// Where it is; for what comes from the body of a macro, where the outermost macro is used.
    pub place: Place,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Name,
    /// A preprocessing number.
    Number,
    /// A character constant with its prefix.
    Char,
    /// A string literal with its prefix.
    Str,
    /// Punctuation.
    Punct,
    /// Bytes that are no other token: a stray character, a literal without its closing quote.
    Other,
    /// `#pragma`; its tokens follow, then [`Kind::PragmaEnd`].
    Pragma,
    /// The end of a pragma.
    PragmaEnd,
    /// The end of a line that is a directive.
    EndOfLine,
    /// The end of a file, or of the argument of a macro.
    End,
    /// The place of a macro or parameter that was replaced; its flags are theirs.
    Gap,
    /// The end of what a macro or argument became.
    GapEnd,
    /// The place of a parameter in the body of a macro; the spelling is its number.
    Param,
    /// `__VA_OPT__(` in the body of a macro; the spelling is the position of its [`Kind::OptEnd`].
    Opt,
    /// `)` of a `__VA_OPT__`.
    OptEnd,
    /// An operand of `##` that has no tokens.
    Placemarker,
}

/// Facts of a token, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const NONE: Flags = Flags(0);
    /// White space is before it.
    pub(super) const SPACE: Flags = Flags(1);
    /// It is the first of its line.
    pub(super) const LINE: Flags = Flags(2);
    /// It names a macro that was being replaced when it was read: it stays (C23 6.10.5.4).
    pub(super) const PAINTED: Flags = Flags(4);
    /// `##` follows.
    pub(super) const PASTE: Flags = Flags(8);
    /// `#` comes before it.
    pub(super) const STRINGIFY: Flags = Flags(16);
    /// It comes from the body of a macro.
    pub(super) const BODY: Flags = Flags(32);
    /// What makes white space before a token.
    pub(super) const WHITE: Flags = Flags(Flags::SPACE.0 | Flags::LINE.0);

    #[inline]
    pub(super) fn has(self, any: Flags) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) fn with(self, more: Flags) -> Flags {
        Flags(self.0 | more.0)
    }

    pub(super) fn without(self, fewer: Flags) -> Flags {
        Flags(self.0 & !fewer.0)
    }

    pub(super) fn only(self, some: Flags) -> Flags {
        Flags(self.0 & some.0)
    }
}

impl Token {
    pub(super) fn new(kind: Kind, spelling: Spelling, place: Place) -> Token {
        Token { kind, flags: Flags::NONE, spelling, place }
    }

    /// A token without a text.
    pub(super) fn mark(kind: Kind, flags: Flags, place: Place) -> Token {
        Token { kind, flags, spelling: Spelling(0), place }
    }

    /// Whether it is this punctuation.
    #[inline]
    pub(super) fn is(&self, punctuation: Spelling) -> bool {
        self.kind == Kind::Punct && self.spelling == punctuation
    }

    /// `#` or `%:`
    #[inline]
    pub(super) fn is_hash(&self) -> bool {
        const HASH: Spelling = word::spelling("#");
        const DIGRAPH: Spelling = word::spelling("%:");
        self.is(HASH) || self.is(DIGRAPH)
    }

    /// `##` or `%:%:`
    pub(super) fn is_paste(&self) -> bool {
        const PASTE: Spelling = word::spelling("##");
        const DIGRAPH: Spelling = word::spelling("%:%:");
        self.is(PASTE) || self.is(DIGRAPH)
    }

    pub(super) fn is_gap(&self) -> bool {
        matches!(self.kind, Kind::Gap | Kind::GapEnd)
    }

    /// Whether white space is before it.
    pub fn has_space(&self) -> bool {
        self.flags.has(Flags::WHITE)
    }

    /// Whether it is the first of a line of a file.
    pub fn starts_line(&self) -> bool {
        self.flags.has(Flags::LINE)
    }
}

/// White space between tokens, where macros and arguments begin and end.
///
/// What a macro becomes has the white space of the macro's name before it, so that `#` sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spacing {
    /// The flags that take the place of those of the next token.
    source: Option<Flags>,
}

impl Spacing {
    /// Notes a [`Kind::Gap`] or [`Kind::GapEnd`].
    pub(super) fn gap(&mut self, gap: Token) {
        let found = (gap.kind == Kind::Gap).then_some(gap.flags);
        match self.source {
            None => self.source = found,
            Some(source) if !source.has(Flags::WHITE) && found.is_none() => self.source = None,
            Some(_) => {}
        }
    }

    /// The white space before a token; the next one has its own.
    pub(super) fn take(&mut self, token: Token) -> Flags {
        self.source.take().unwrap_or(token.flags).only(Flags::WHITE)
    }
}
