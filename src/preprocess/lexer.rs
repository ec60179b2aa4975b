//! From bytes to preprocessing tokens.

use std::rc::Rc;

use memchr::{memchr, memchr3, memmem};

use super::spelling::{Spelling, Spellings};
use super::token::{Flags, Kind, Place, Token};
use super::word;

/// Punctuation of more than one character, longest first.
static LONG_PUNCTUATION: [&[u8]; 30] = [
    b"%:%:", b"...", b"<<=", b">>=", b"->", b"++", b"--", b"<<", b">>", b"<=", b">=", b"==", b"!=",
    b"&&", b"||", b"::", b"*=", b"/=", b"%=", b"+=", b"-=", b"&=", b"^=", b"|=", b"##", b"<:",
    b":>", b"<%", b"%>", b"%:",
];

/// The class of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters, `_`, `$`, and all that are not ASCII.
    Letter,
    Digit,
    Space,
    Newline,
    /// Punctuation that is always one character.
    Single(Spelling),
    /// A character that may begin longer punctuation.
    Punct(Spelling),
    Quote,
    Other,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut index = 0;
    while index < word::PUNCTUATION.len() {
        if let [byte] = *word::PUNCTUATION[index].as_bytes() {
            let spelling = Spelling(index as u32);
            classes[byte as usize] = match byte {
                b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';' | b',' | b'?' | b'~' => {
                    Class::Single(spelling)
                }
                _ => Class::Punct(spelling),
            };
        }
        index += 1;
    }
    let mut byte = 0;
    while byte < 256 {
        match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => classes[byte] = Class::Letter,
            b'0'..=b'9' => classes[byte] = Class::Digit,
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0 => classes[byte] = Class::Space,
            b'\n' => classes[byte] = Class::Newline,
            b'"' | b'\'' => classes[byte] = Class::Quote,
            _ => {}
        }
        byte += 1;
    }
    classes
};

#[inline(always)]
fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

#[inline(always)]
fn is_in_word(byte: u8) -> bool {
    matches!(class(byte), Class::Letter | Class::Digit)
}

/// The lexical rules that standards of C differ in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// `1'000` is one number, and `u8'x'` a character (C23).
    pub(super) c23: bool,
}

/// A position in a text without continued lines. Copying one is looking ahead.
#[derive(Clone, Debug)]
pub(super) struct Lexer {
    text: Rc<Vec<u8>>,
    at: usize,
    /// The place of the first byte.
    base: u32,
    /// Whether only white space came before on this line.
    line_start: bool,
    /// Whether the end of the line is a token.
    directive: bool,
    rules: Rules,
}

impl Lexer {
    pub(super) fn new(text: Rc<Vec<u8>>, base: Place, rules: Rules) -> Lexer {
        Lexer { text, at: 0, base: base.0, line_start: true, directive: false, rules }
    }

    /// Where the next byte is.
    pub(super) fn place(&self) -> Place {
        Place(self.base + self.at as u32)
    }

    /// Where reading goes on after a look ahead.
    pub(super) fn position(&self) -> (usize, bool) {
        (self.at, self.line_start)
    }

    pub(super) fn go_to(&mut self, (at, line_start): (usize, bool)) {
        self.at = at;
        self.line_start = line_start;
    }

    /// From here on, the end of the line is a token.
    pub(super) fn begin_directive(&mut self) {
        self.directive = true;
    }

    /// Goes to the end of the line, past comments that go on behind it.
    pub(super) fn end_directive(&mut self) {
        while self.at < self.text.len() && self.text[self.at] != b'\n' {
            self.at = match self.text[self.at] {
                b'/' if self.rest().starts_with(b"/*") => {
                    self.after_comment().unwrap_or(self.text.len())
                }
                b'/' if self.rest().starts_with(b"//") => self.line_end(),
                quote @ (b'"' | b'\'') => self.after_literal(self.at, quote).0,
                _ => self.at + 1,
            };
        }
        self.directive = false;
    }

    /// The bytes up to the end of the line, comments and all.
    pub(super) fn line(&self) -> &[u8] {
        &self.text[self.at..self.line_end()]
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn line_end(&self) -> usize {
        memchr(b'\n', self.rest()).map_or(self.text.len(), |length| self.at + length)
    }

    /// The byte after the comment `/*` that begins here.
    fn after_comment(&self) -> Option<usize> {
        let inside = self.at + 2;
        memmem::find(&self.text[inside..], b"*/").map(|length| inside + length + 2)
    }

    /// The next token.
    #[inline]
    pub(super) fn next(&mut self, spellings: &mut Spellings) -> Token {
        let mut flags = if self.line_start { Flags::LINE } else { Flags::NONE };
        loop {
            let Some(&byte) = self.text.get(self.at) else {
                return Token::mark(Kind::End, flags, self.place());
            };
            let start = self.at;
            let place = self.place();
            let (kind, spelling) = match class(byte) {
                Class::Letter => self.word(spellings),
                Class::Space => {
                    self.at += 1;
                    flags = flags.with(Flags::SPACE);
                    continue;
                }
                Class::Newline if self.directive => {
                    return Token::mark(Kind::EndOfLine, flags, place);
                }
                Class::Newline => {
                    self.at += 1;
                    self.line_start = true;
                    flags = Flags::LINE;
                    continue;
                }
                Class::Single(spelling) => {
                    self.at += 1;
                    (Kind::Punct, spelling)
                }
                Class::Digit => self.number(spellings),
                Class::Punct(spelling) => {
                    let next = self.byte(start + 1);
                    if byte == b'/' && matches!(next, b'/' | b'*') {
                        if self.comment(next) {
                            flags = flags.with(Flags::SPACE);
                            continue;
                        }
                        (Kind::Other, spellings.intern(b"/*"))
                    } else if byte == b'.' && next.is_ascii_digit() {
                        self.number(spellings)
                    } else {
                        self.punctuation(spelling, next, spellings)
                    }
                }
                Class::Quote => self.literal(start, byte, spellings),
                Class::Other => self.other(spellings),
            };
            self.line_start = false;
            return Token { kind, flags, spelling, place };
        }
    }

    /// Skips a comment; `false` if it has no end.
    fn comment(&mut self, second: u8) -> bool {
        if second == b'/' {
            self.at = self.line_end();
            return true;
        }
        let end = self.after_comment();
        self.at = end.unwrap_or(self.text.len());
        end.is_some()
    }

    #[inline]
    fn word(&mut self, spellings: &mut Spellings) -> (Kind, Spelling) {
        let start = self.at;
        let text = &self.text[start..];
        let length = text.iter().position(|&byte| !is_in_word(byte)).unwrap_or(text.len());
        self.at += length;
        match self.byte(self.at) {
            quote @ (b'"' | b'\'') if length <= 2 && self.is_prefix(start, quote) => {
                self.literal(start, quote, spellings)
            }
            b'\\' if universal(self.rest()).is_some() => self.universal_word(start, spellings),
            _ => (Kind::Name, spellings.intern(&self.text[start..self.at])),
        }
    }

    fn is_prefix(&self, start: usize, quote: u8) -> bool {
        match &self.text[start..self.at] {
            b"L" | b"u" | b"U" => true,
            b"u8" => quote == b'"' || self.rules.c23,
            _ => false,
        }
    }

    /// A name with `\u…` in it, which is the one in UTF-8.
    #[cold]
    fn universal_word(&mut self, start: usize, spellings: &mut Spellings) -> (Kind, Spelling) {
        let mut name = self.text[start..self.at].to_vec();
        loop {
            if let Some((character, length)) = universal(self.rest()) {
                name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                self.at += length;
            } else if is_in_word(self.byte(self.at)) {
                name.push(self.byte(self.at));
                self.at += 1;
            } else {
                return (Kind::Name, spellings.intern(&name));
            }
        }
    }

    fn number(&mut self, spellings: &mut Spellings) -> (Kind, Spelling) {
        let start = self.at;
        self.at += 1;
        loop {
            let byte = self.byte(self.at);
            self.at += match (byte, self.byte(self.at + 1)) {
                (b'e' | b'E' | b'p' | b'P', b'+' | b'-') => 2,
                (b'\'', next) if self.rules.c23 && next.is_ascii_alphanumeric() => 2,
                (b'.', _) => 1,
                (b'$', _) => break,
                _ if is_in_word(byte) => 1,
                _ => break,
            };
        }
        (Kind::Number, spellings.intern(&self.text[start..self.at]))
    }

    /// The byte after a literal whose opening quote is here, and whether it has a closing one on its line.
    fn after_literal(&self, open: usize, quote: u8) -> (usize, bool) {
        let mut at = open + 1;
        while let Some(found) = memchr3(quote, b'\\', b'\n', &self.text[at.min(self.text.len())..])
        {
            at += found;
            match self.text[at] {
                // The end of a line cannot be escaped.
                b'\\' if self.byte(at + 1) != b'\n' => at += 2,
                b'\\' => at += 1,
                b'\n' => return (at, false),
                _ => return (at + 1, true),
            }
        }
        (self.text.len(), false)
    }

    /// A literal that begins with its prefix at `start`; the opening quote is here.
    fn literal(&mut self, start: usize, quote: u8, spellings: &mut Spellings) -> (Kind, Spelling) {
        let (end, closed) = self.after_literal(self.at, quote);
        self.at = end;
        let kind = match quote {
            _ if !closed => Kind::Other,
            b'"' => Kind::Str,
            _ => Kind::Char,
        };
        (kind, spellings.intern(&self.text[start..end]))
    }

    fn punctuation(
        &mut self,
        single: Spelling,
        next: u8,
        spellings: &mut Spellings,
    ) -> (Kind, Spelling) {
        if matches!(class(next), Class::Punct(_))
            && let Some(long) = LONG_PUNCTUATION.iter().find(|long| self.rest().starts_with(long))
        {
            self.at += long.len();
            return (Kind::Punct, spellings.intern(long));
        }
        self.at += 1;
        (Kind::Punct, single)
    }

    #[cold]
    fn other(&mut self, spellings: &mut Spellings) -> (Kind, Spelling) {
        if universal(self.rest()).is_some() {
            return self.universal_word(self.at, spellings);
        }
        self.at += 1;
        (Kind::Other, spellings.intern(&self.text[self.at - 1..self.at]))
    }

    /// The name between `<` and `>`, if this is what comes next on the line.
    pub(super) fn angle_name(&mut self) -> Option<Vec<u8>> {
        let line = self.line();
        let space = line.iter().take_while(|&&byte| class(byte) == Class::Space).count();
        let name = line[space..].strip_prefix(b"<")?;
        let name = name[..memchr(b'>', name)?].to_vec();
        self.at += space + name.len() + 2;
        self.line_start = false;
        Some(name)
    }

    /// The name between quotes, in which a backslash is nothing special, if this is what comes next on the line.
    pub(super) fn quoted_name(&mut self) -> Option<Vec<u8>> {
        let line = self.line();
        let space = line.iter().take_while(|&&byte| class(byte) == Class::Space).count();
        let name = line[space..].strip_prefix(b"\"")?;
        let name = name[..memchr(b'"', name)?].to_vec();
        self.at += space + name.len() + 2;
        self.line_start = false;
        Some(name)
    }

    /// Goes to the next `#` that begins a line, and past it; `false` at the end of the text.
    pub(super) fn skip_to_hash(&mut self) -> bool {
        let mut line_start = self.line_start;
        loop {
            if line_start {
                line_start = false;
                match self.skip_blank() {
                    b'#' => {
                        self.at += 1;
                        self.line_start = false;
                        return true;
                    }
                    b'%' if self.rest().starts_with(b"%:") => {
                        self.at += 2;
                        self.line_start = false;
                        return true;
                    }
                    _ => {}
                }
            }
            let Some(found) =
                self.rest().iter().position(|&byte| matches!(byte, b'\n' | b'/' | b'"' | b'\''))
            else {
                self.at = self.text.len();
                return false;
            };
            self.at += found;
            match self.text[self.at] {
                b'\n' => {
                    line_start = true;
                    self.at += 1;
                }
                b'/' => match self.byte(self.at + 1) {
                    second @ (b'/' | b'*') => _ = self.comment(second),
                    _ => self.at += 1,
                },
                quote => self.at = self.after_literal(self.at, quote).0,
            }
        }
    }

    /// Skips white space and comments, but no end of a line; the byte that follows.
    fn skip_blank(&mut self) -> u8 {
        loop {
            let byte = self.byte(self.at);
            if self.at < self.text.len() && class(byte) == Class::Space {
                self.at += 1;
            } else if byte == b'/' && self.byte(self.at + 1) == b'*' {
                self.comment(b'*');
            } else {
                return byte;
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(Kind, String)> {
        let mut spellings = Spellings::default();
        let rules = Rules { c23: true };
        let mut lexer = Lexer::new(Rc::new(text.into()), Place(0), rules);
        let mut tokens = Vec::new();
        loop {
            let token = lexer.next(&mut spellings);
            if token.kind == Kind::End {
                return tokens;
            }
            tokens.push((token.kind, spellings.text(token.spelling)));
        }
    }

    fn texts(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.1).collect()
    }

    #[test]
    fn the_longest_punctuation_wins() {
        let expected =
            ["a", "->", "b", "<<=", "c", "...", "<:", "d", ":>", "&&", "&", "%:%:", "%:", ".."];
        // `..` is two tokens.
        let expected: Vec<&str> = expected
            .iter()
            .flat_map(|&t| if t == ".." { vec![".", "."] } else { vec![t] })
            .collect();
        assert_eq!(texts("a->b<<=c...<:d:>&&&%:%:%:.."), expected);
    }

    #[test]
    fn numbers_take_signs_separators_and_letters() {
        assert_eq!(
            texts("0x1p-3 1'000'000u 1e+5 .5f 1..x 3+e"),
            ["0x1p-3", "1'000'000u", "1e+5", ".5f", "1..x", "3", "+", "e"]
        );
    }

    #[test]
    fn literals_keep_their_prefix_and_escapes() {
        let text = r#"L"a\"b" u8'\'' U"" R"" 'it"#;
        let expected = [
            (Kind::Str, r#"L"a\"b""#),
            (Kind::Char, r"u8'\''"),
            (Kind::Str, r#"U"""#),
            (Kind::Name, "R"),
            (Kind::Str, r#""""#),
            (Kind::Other, "'it"),
        ];
        assert_eq!(tokens(text), expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn names_may_have_dollars_and_universal_characters() {
        assert_eq!(
            texts("a$b \\u00e9t\\u00e9 \u{e9} @\\"),
            ["a$b", "\u{e9}t\u{e9}", "\u{e9}", "@", "\\"]
        );
    }

    #[test]
    fn directives_are_found_behind_comments_and_literals() {
        let text = "x '#' \"\n#1 /*\n#2 */ // #\n /* c\n */ # here";
        let mut lexer = Lexer::new(Rc::new(text.into()), Place(0), Rules::default());
        assert!(lexer.skip_to_hash() && lexer.line().starts_with(b"1"));
        assert!(lexer.skip_to_hash() && lexer.line() == b" here");
        assert!(!lexer.skip_to_hash());
    }
}
