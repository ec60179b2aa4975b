//! Tokens of Lua source text, with LuaJIT's number literals.

/// A token and its bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// An identifier.
    Name,
    /// A keyword or a sign.
    Symbol(&'static str),
    Number(Numeral),
    String,
    /// A byte that begins no token, or an unfinished string: Lua itself raises the error.
    Invalid,
    End,
}

/// A number literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numeral {
    /// As every Lua reads it.
    Plain,
    /// An integer without a fraction or exponent, by its value as a double.
    Integer(f64),
    /// `LL`
    Int64(i64),
    /// `ULL`
    UInt64(u64),
    /// `i`: the imaginary part.
    Imaginary(f64),
    /// No number.
    Malformed,
}

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// The longest first.
const SIGNS: [&str; 33] = [
    "...", "..", "==", "~=", "<=", ">=", "::", "//", "<<", ">>", "+", "-", "*", "/", "%", "^", "#",
    "<", ">", "=", "(", ")", "{", "}", "[", "]", ";", ":", ",", ".", "&", "|", "~",
];

/// Every token of a text; the last one is [`Kind::End`].
pub(super) fn tokens(text: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut at = 0;
    loop {
        at = skip_space(text, at);
        let (kind, end) = token(text, at);
        tokens.push(Token { kind, start: at, end });
        if kind == Kind::End {
            return tokens;
        }
        at = end;
    }
}

/// The first byte after white space and comments.
fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        if rest.first().is_some_and(|c| c.is_ascii_whitespace() || *c == 0x0b) {
            at += 1;
        } else if rest.starts_with(b"--") {
            at += 2;
            at = match long_bracket(text, at) {
                Some(end) => end,
                None => at + text[at..].iter().take_while(|c| **c != b'\n').count(),
            };
        } else {
            return at;
        }
    }
}

/// The end of the long bracket that begins at `at`, if one does; the end of the text where it has none.
fn long_bracket(text: &[u8], at: usize) -> Option<usize> {
    let level = text.get(at + 1..)?.iter().take_while(|c| **c == b'=').count();
    if text.get(at) != Some(&b'[') || text.get(at + 1 + level) != Some(&b'[') {
        return None;
    }
    let mut close = vec![b'='; level + 2];
    (close[0], close[level + 1]) = (b']', b']');
    let start = at + level + 2;
    let found = text[start..].windows(level + 2).position(|window| window == close);
    Some(found.map_or(text.len(), |found| start + found + level + 2))
}

fn token(text: &[u8], at: usize) -> (Kind, usize) {
    let rest = &text[at..];
    let Some(&first) = rest.first() else { return (Kind::End, at) };
    match first {
        _ if is_name_byte(first) && !first.is_ascii_digit() => {
            let len = rest.iter().take_while(|c| is_name_byte(**c)).count();
            let keyword = KEYWORDS.iter().find(|keyword| keyword.as_bytes() == &rest[..len]);
            (keyword.map_or(Kind::Name, |keyword| Kind::Symbol(keyword)), at + len)
        }
        b'"' | b'\'' => match quoted(rest, first) {
            Some(len) => (Kind::String, at + len),
            None => (Kind::Invalid, text.len()),
        },
        b'[' if long_bracket(text, at).is_some() => {
            (Kind::String, long_bracket(text, at).unwrap_or(text.len()))
        }
        b'0'..=b'9' => number(rest, at),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => number(rest, at),
        _ => match SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) {
            Some(sign) => (Kind::Symbol(sign), at + sign.len()),
            None => (Kind::Invalid, at + 1),
        },
    }
}

/// Whether names have that byte: in LuaJIT all bytes beyond ASCII, too.
pub(super) fn is_name_byte(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

/// The length of a string in quotes; `None` where it does not end on its line.
fn quoted(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match *text.get(at)? {
            c if c == quote => return Some(at + 1),
            b'\n' | b'\r' => return None,
            // `\z` skips white space, line ends included.
            b'\\' if text.get(at + 1) == Some(&b'z') => {
                at += 2;
                at += text[at..].iter().take_while(|c| c.is_ascii_whitespace()).count();
            }
            b'\\' if text[at + 1..].starts_with(b"\r\n") => at += 3,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Reads as LuaJIT's `lex_number` does: whatever looks like part of a number is.
fn number(text: &[u8], at: usize) -> (Kind, usize) {
    let hexadecimal = text.len() > 1 && text[0] == b'0' && text[1] | 0x20 == b'x';
    let exponent = if hexadecimal { b'p' } else { b'e' };
    let mut len = 0;
    while let Some(&c) = text.get(len) {
        let sign = len > 0 && matches!(c, b'+' | b'-') && text[len - 1] | 0x20 == exponent;
        if !(is_name_byte(c) || c == b'.' || sign) {
            break;
        }
        len += 1;
    }
    (Kind::Number(numeral(&text[..len].to_ascii_lowercase())), at + len)
}

fn numeral(text: &[u8]) -> Numeral {
    let Ok(text) = std::str::from_utf8(text) else { return Numeral::Malformed };
    let suffixes = [("ull", true), ("llu", true), ("ll", false)];
    if let Some((digits, unsigned)) =
        suffixes.iter().find_map(|s| Some((text.strip_suffix(s.0)?, s.1)))
    {
        return match integer_64(digits) {
            Some(value) if unsigned => Numeral::UInt64(value),
            Some(value) => Numeral::Int64(value as i64),
            None => Numeral::Malformed,
        };
    }
    if let Some(number) = text.strip_suffix('i') {
        return value(number).map_or(Numeral::Malformed, Numeral::Imaginary);
    }
    match integer(text) {
        Some(value) => Numeral::Integer(value),
        None if value(text).is_some() => Numeral::Plain,
        None => Numeral::Malformed,
    }
}

/// The digits of an integer literal and their base.
fn digits(text: &str) -> Option<(&str, u32)> {
    let (digits, base) = match (text.strip_prefix("0x"), text.strip_prefix("0b")) {
        (Some(digits), _) => (digits, 16),
        (_, Some(digits)) => (digits, 2),
        _ => (text, 10),
    };
    (!digits.is_empty() && digits.chars().all(|c| c.is_digit(base))).then_some((digits, base))
}

fn integer_64(text: &str) -> Option<u64> {
    let (digits, base) = digits(text)?;
    u64::from_str_radix(digits, base).ok()
}

fn integer(text: &str) -> Option<f64> {
    match digits(text)? {
        (digits, 10) => digits.parse().ok(),
        (digits, base) => Some(digits.chars().fold(0.0, |value, digit| {
            value * f64::from(base) + f64::from(digit.to_digit(base).unwrap_or(0))
        })),
    }
}

/// The value of a number without sign and suffix, in lower case.
pub(super) fn value(text: &str) -> Option<f64> {
    if let Some(value) = integer(text) {
        return Some(value);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        let (mantissa, exponent) = hexadecimal.split_once('p').unwrap_or((hexadecimal, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let mantissa = integer(&format!("0x{all}"))?;
        let exponent: i32 = exponent.parse().ok()?;
        let exponent = exponent.saturating_sub(4 * i32::try_from(fraction.len()).ok()?);
        return Some(mantissa * f64::from(exponent).exp2());
    }
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Kind)> {
        tokens(text.as_bytes()).iter().map(|t| (&text[t.start..t.end], t.kind)).collect()
    }

    #[test]
    fn strings_comments_and_long_brackets_are_one_token_or_none() {
        let names: Vec<_> =
            kinds("a --[==[ 1LL ]] ]==] 'b\\'1LL' [[\n2ULL]] \"\\z \n x\" -- 3LL\n[=[]]]=]")
                .into_iter()
                .map(|(text, kind)| (text, kind == Kind::String))
                .collect();
        let expected = [
            ("a", false),
            ("'b\\'1LL'", true),
            ("[[\n2ULL]]", true),
            ("\"\\z \n x\"", true),
            ("[=[]]]=]", true),
            ("", false),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn numbers_are_those_of_luajit() {
        use Numeral::*;
        for (text, expected) in [
            ("1", Integer(1.0)),
            ("0x10", Integer(16.0)),
            ("0xffffffffffffffffff", Integer(4.722366482869645e21)),
            ("0b101", Integer(5.0)),
            ("1e3", Plain),
            (".5", Plain),
            ("0x1.8p1", Plain),
            ("1ll", Int64(1)),
            ("1ULL", UInt64(1)),
            ("1LLU", UInt64(1)),
            ("0xffffffffffffffffLL", Int64(-1)),
            ("0b11LL", Int64(3)),
            ("18446744073709551616ULL", Malformed),
            ("1e3LL", Malformed),
            ("1.5i", Imaginary(1.5)),
            ("0x1i", Imaginary(1.0)),
            ("1e3I", Imaginary(1000.0)),
            ("0x1.8p1i", Imaginary(3.0)),
            ("12iLL", Malformed),
            ("1U", Malformed),
            ("3x", Malformed),
        ] {
            assert_eq!(kinds(text)[0], (text, Kind::Number(expected)), "{text}");
        }
    }

    #[test]
    fn dots_end_numbers_as_in_lua() {
        let texts = |text| kinds(text).into_iter().map(|k| k.0).collect::<Vec<_>>();
        assert_eq!(texts("a..b"), ["a", "..", "b", ""]);
        assert_eq!(texts("1 ..2"), ["1", "..", "2", ""]);
        assert_eq!(texts("x.y:z(...)"), ["x", ".", "y", ":", "z", "(", "...", ")", ""]);
        assert_eq!(kinds("1..2")[0].1, Kind::Number(Numeral::Malformed));
    }
}
