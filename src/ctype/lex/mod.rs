//! From bytes to tokens, which borrow from the text.

mod token;
mod word;

use super::keyword::KEYWORDS;
use super::names::{self, Names};

pub(in crate::ctype) use token::{Bad, Offset, Punct, Tok, Token};
use word::{is_in_word, word};

/// Punctuation of more than one character, longest first.
static LONG_PUNCTUATION: [&str; 23] = [
    "...", "<<=", ">>=", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "::",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
];

/// Alternative spellings (C11 6.4.6).
static DIGRAPHS: [(&[u8], &str); 4] = [(b"<:", "["), (b":>", "]"), (b"<%", "{"), (b"%>", "}")];

/// The class of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters, `_`, and all that are not ASCII.
    Letter,
    Space,
    Newline,
    /// The first byte of a comment, a directive or a continued line.
    Hiding,
    /// Punctuation that is always one character.
    Single,
    Other,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c => Class::Space,
            b'\n' => Class::Newline,
            b'\\' | b'/' | b'#' => Class::Hiding,
            b'(' | b')' | b'*' | b',' | b';' | b'{' | b'}' | b'[' | b']' => Class::Single,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Puts the reserved words into an empty interner, where [`Lexer`] expects them.
pub(in crate::ctype) fn intern_keywords(names: &mut Names) {
    for (text, _) in KEYWORDS {
        names.intern(text);
    }
}

/// A position in a text. Copying one is looking ahead.
#[derive(Clone, Copy, Debug)]
pub(in crate::ctype) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether only white space came before on this line.
    line_start: bool,
    /// Whether a `$` that touches a word belongs to it; else it is a parameter.
    dollars: bool,
    /// Whether a backslash was found that the preprocessor must look at.
    spliced: bool,
}

impl<'t> Lexer<'t> {
    pub(in crate::ctype) fn new(text: &'t [u8], dollars: bool) -> Lexer<'t> {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Lexer { text, at, line_start: true, dollars, spliced: false }
    }

    /// Whether a line is continued, or a word has a `\u…`.
    pub(in crate::ctype) fn is_spliced(&self) -> bool {
        self.spliced
    }

    /// Goes to the end of the text.
    pub(in crate::ctype) fn end(&mut self) {
        self.at = self.text.len();
    }

    pub(in crate::ctype) fn text(&self) -> &'t [u8] {
        self.text
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    /// The next token.
    #[inline(always)]
    pub(in crate::ctype) fn next(&mut self, names: &mut Names) -> Token {
        self.skip_space();
        let start = self.at;
        let line_start = std::mem::replace(&mut self.line_start, false);
        let kind = match self.text.get(self.at) {
            None => Tok::End,
            Some(&byte) => match class(byte) {
                Class::Letter => self.word(names),
                Class::Single => {
                    self.at += 1;
                    Tok::Punct(Punct::of(byte))
                }
                _ => self.rarer(byte, line_start, names),
            },
        };
        // `Declarations` refuses texts whose offsets would not fit.
        Token { kind, start: start as Offset, end: self.at as Offset }
    }

    /// All tokens but words and the commonest punctuation.
    #[inline(never)]
    fn rarer(&mut self, byte: u8, line_start: bool, names: &mut Names) -> Tok {
        match byte {
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'"' | b'\'' => self.quoted(byte),
            b'$' => {
                self.at += 1;
                if self.dollars && is_in_word(self.byte(0)) {
                    self.at -= 1;
                    return self.dollar_word(names, self.at);
                }
                Tok::Dollar
            }
            b'\\' if matches!(self.byte(1), b'u' | b'U') => {
                self.spliced = true;
                self.at += 1;
                Tok::Bad(Bad::Stray)
            }
            b'#' if line_start => {
                self.at += 1;
                Tok::Directive
            }
            _ => self.punctuation(byte),
        }
    }

    /// Skips white space, comments, line marks and the pragmas that mean nothing here.
    #[inline]
    fn skip_space(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match class(byte) {
                Class::Space => self.at += 1,
                Class::Newline => {
                    self.at += 1;
                    self.line_start = true;
                }
                Class::Hiding => match self.hidden() {
                    0 => return,
                    length => {
                        self.spliced |= byte == b'\\';
                        self.at += length;
                    }
                },
                _ => return,
            }
        }
    }

    /// The length of what counts as white space from here on although it begins with `\`, `/` or `#`.
    #[cold]
    fn hidden(&self) -> usize {
        let rest = self.rest();
        match rest {
            [b'\\', b'\n', ..] => 2,
            [b'\\', b'\r', b'\n', ..] => 3,
            [b'/', b'/', ..] => self.line_length(),
            [b'/', b'*', comment @ ..] => find(comment, b"*/").map_or(0, |length| length + 4),
            [b'#', ..] if self.line_start && self.is_ignored_directive() => self.line_length(),
            _ => 0,
        }
    }

    /// Goes to the end of the line.
    pub(in crate::ctype) fn skip_line(&mut self) {
        self.at += self.line_length();
    }

    /// Bytes to the end of the line; a backslash before the newline continues it.
    fn line_length(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        while length < rest.len() && rest[length] != b'\n' {
            length += match &rest[length..] {
                [b'\\', b'\n', ..] => 2,
                [b'\\', b'\r', b'\n', ..] => 3,
                _ => 1,
            };
        }
        length
    }

    /// `# 12 "file"`, `#line 12`, `#ident`, and any `#pragma` but `pack` and `ms_struct`.
    fn is_ignored_directive(&self) -> bool {
        let mut words = self.text[self.at + 1..]
            .split(|&b| b == b'\n')
            .next()
            .unwrap_or(&[])
            .split(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
            .filter(|word| !word.is_empty());
        match words.next() {
            None => true,
            Some(b"line" | b"ident") => true,
            Some(b"pragma") => {
                !matches!(words.next(), Some(b"pack" | b"ms_struct" | b"scalar_storage_order"))
            }
            Some(word) => word[0].is_ascii_digit(),
        }
    }

    #[inline(always)]
    fn word(&mut self, names: &mut Names) -> Tok {
        let rest = self.rest();
        let (length, head) = word(rest);
        self.at += length;
        if self.byte(0) == b'$' && self.dollars {
            return self.dollar_word(names, self.at - length);
        }
        if length <= 2
            && let quote @ (b'"' | b'\'') = self.byte(0)
            && matches!(rest[..length], [b'L' | b'u' | b'U'] | [b'u', b'8'])
        {
            return self.quoted(quote);
        }
        let Some(name) = names.intern_bytes(&rest[..length], head) else {
            return Tok::Bad(Bad::NotUtf8);
        };
        match KEYWORDS.get(name.position()) {
            Some(&(_, keyword)) => Tok::Keyword(keyword),
            None => Tok::Name(name),
        }
    }

    /// A word with `$` in it, which GCC and Clang take for a letter.
    #[cold]
    fn dollar_word(&mut self, names: &mut Names, start: usize) -> Tok {
        let in_word = |byte: &&u8| **byte == b'$' || is_in_word(**byte);
        let text = &self.text[start..];
        let text = &text[..text.iter().take_while(in_word).count()];
        self.at = start + text.len();
        names.intern_bytes(text, names::head(text)).map_or(Tok::Bad(Bad::NotUtf8), Tok::Name)
    }

    fn number(&mut self) -> Tok {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'e' | b'E' | b'p' | b'P', b'+' | b'-') => self.at += 2,
                (b'\'', next) if next.is_ascii_alphanumeric() => self.at += 2,
                (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.', _) => self.at += 1,
                _ => return Tok::Number,
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Tok {
        self.at += 1;
        loop {
            match self.byte(0) {
                b'\\' if self.at + 1 < self.text.len() => {
                    self.spliced |= matches!(self.byte(1), b'\n' | b'\r');
                    self.at += 2;
                }
                b'\n' => break,
                _ if self.at >= self.text.len() => break,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        return if quote == b'"' { Tok::Str } else { Tok::Char };
                    }
                }
            }
        }
        Tok::Bad(Bad::OpenLiteral)
    }

    /// All punctuation but the commonest.
    fn punctuation(&mut self, byte: u8) -> Tok {
        let rest = self.rest();
        if rest.starts_with(b"/*") {
            self.at = self.text.len();
            return Tok::Bad(Bad::OpenComment);
        }
        if let Some((from, to)) = DIGRAPHS.iter().find(|d| rest.starts_with(d.0)) {
            self.at += from.len();
            return Tok::Punct(Punct::new(to));
        }
        if let Some(long) = LONG_PUNCTUATION.iter().find(|p| rest.starts_with(p.as_bytes())) {
            self.at += long.len();
            return Tok::Punct(Punct::new(long));
        }
        self.at += 1;
        match byte {
            b'!' | b'#' | b'%'..=b'/' | b':'..=b'?' | b'['..=b'^' | b'{'..=b'~' => {
                Tok::Punct(Punct::of(byte))
            }
            _ => Tok::Bad(Bad::Stray),
        }
    }
}

/// The position of `needle` in `text`.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Tok, &str)> {
        let mut names = Names::default();
        intern_keywords(&mut names);
        let mut lexer = Lexer::new(text.as_bytes(), true);
        let mut tokens = Vec::new();
        loop {
            let token = lexer.next(&mut names);
            if token.kind == Tok::End {
                return tokens;
            }
            tokens.push((token.kind, &text[token.start as usize..token.end as usize]));
        }
    }

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn white_space_comments_and_line_marks_are_skipped() {
        let text = "# 1 \"a.h\" 3 4\n#line 2\n#pragma GCC poison x\nint/**/a // b\n\\\n;/* \n */";
        assert_eq!(texts(text), ["int", "a", ";"]);
    }

    #[test]
    fn words_end_where_their_bytes_do() {
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
            for position in 0..20 {
                let mut text = [b'a'; 20];
                text[position] = byte;
                let length = if expected { 20 } else { position };
                let head = names::head(&text[..length]);
                assert_eq!(word(&text), (length, head), "{byte:#x} at {position}");
            }
        }
    }

    #[test]
    fn numbers_take_signs_and_separators() {
        assert_eq!(
            texts("0x1p-3 1'000'000u 1e+5 .5f 1.. 3...x"),
            ["0x1p-3", "1'000'000u", "1e+5", ".5f", "1..", "3...x"]
        );
    }

    #[test]
    fn the_longest_punctuation_wins() {
        assert_eq!(
            texts("a->b<<=c...<:d:>&&"),
            ["a", "->", "b", "<<=", "c", "...", "<:", "d", ":>", "&&"]
        );
    }

    #[test]
    fn literals_keep_their_prefix_and_escapes() {
        assert_eq!(texts(r#"L"a\"b" u8'\'' U"""#), [r#"L"a\"b""#, r"u8'\''", r#"U"""#]);
    }

    #[test]
    fn broken_tokens_are_named() {
        let kind = |text| tokens(text)[0].0;
        assert_eq!(kind("/* x"), Tok::Bad(Bad::OpenComment));
        assert_eq!(kind("\"x\n\""), Tok::Bad(Bad::OpenLiteral));
        assert_eq!(kind("`"), Tok::Bad(Bad::Stray));
        assert_eq!(kind("#define X 1"), Tok::Directive);
    }
}
