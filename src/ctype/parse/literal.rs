//! Numbers, characters and strings.

use super::value::{Operand, Value};
use super::{Failed, Param, Parse, Parser, Tok};
use crate::ctype::{FloatKind, IntKind, TypeId};

/// The encoding prefix of a character or string literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    Utf8,
    Utf16,
    Utf32,
    Wide,
}

impl Prefix {
    fn split(text: &[u8]) -> (Prefix, &[u8]) {
        match text {
            [b'u', b'8', rest @ ..] => (Prefix::Utf8, rest),
            [b'u', rest @ ..] => (Prefix::Utf16, rest),
            [b'U', rest @ ..] => (Prefix::Utf32, rest),
            [b'L', rest @ ..] => (Prefix::Wide, rest),
            _ => (Prefix::None, text),
        }
    }

    /// The type of an element of a string.
    pub(super) fn element(self, wchar: IntKind) -> IntKind {
        match self {
            Prefix::None => IntKind::Char,
            Prefix::Utf8 => IntKind::U8,
            Prefix::Utf16 => IntKind::U16,
            Prefix::Utf32 => IntKind::U32,
            Prefix::Wide => wchar,
        }
    }
}

impl Parser<'_> {
    fn bytes(&self) -> &[u8] {
        &self.lexer.text()[self.tok.start as usize..self.tok.end as usize]
    }

    fn bad_literal(&mut self, message: &str) -> Failed {
        let text = self.token_text(self.tok);
        self.error_here(format!("{message} '{text}'"))
    }

    /// A plain integer token, for places that take nothing else.
    pub(super) fn integer_literal(&mut self) -> Parse<i128> {
        match self.number()?.value {
            Value::Int(value) => Ok(value),
            _ => Err(self.expected("an integer")),
        }
    }

    /// A number token as an operand.
    pub(super) fn number(&mut self) -> Parse<Operand> {
        if let Tok::Int(position) = self.tok.kind {
            let Some(&Param::Int(value)) = self.params.get(position as usize) else {
                return Err(self.expected("a number"));
            };
            self.advance();
            let kind = if i32::try_from(value).is_ok() { IntKind::I32 } else { IntKind::I64 };
            return Ok(Operand::int(kind, value.into()));
        }
        if self.tok.kind != Tok::Number {
            return Err(self.expected("a number"));
        }
        let text: String = self
            .bytes()
            .iter()
            .filter(|&&b| b != b'\'')
            .map(|&b| b.to_ascii_lowercase() as char)
            .collect();
        let hex = text.starts_with("0x");
        let float = text.contains('.') || text.contains('p') || !hex && text.contains('e');
        let operand = if float { self.float(&text, hex) } else { self.integer(&text) };
        operand.inspect(|_| self.advance())
    }

    fn integer(&mut self, text: &str) -> Parse<Operand> {
        let (radix, digits) = match text.as_bytes() {
            [b'0', b'x', ..] => (16, &text[2..]),
            [b'0', b'b', ..] => (2, &text[2..]),
            [b'0', b'0'..=b'9', ..] => (8, &text[1..]),
            _ => (10, text),
        };
        let split = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let (digits, suffix) = digits.split_at(split);
        let Some((unsigned, long)) = integer_suffix(suffix) else {
            return Err(self.bad_literal("bad number"));
        };
        if digits.is_empty() {
            return Err(self.bad_literal("number without digits"));
        }
        let Some(value) = u64::from_str_radix(digits, radix).ok() else {
            return Err(self.bad_literal("integer does not fit 64 bits:"));
        };
        let kind = self.literal_kind(value, unsigned, long, radix != 10);
        Ok(Operand::int(kind, value.into()))
    }

    /// The first type of C11 6.4.4.1's list that holds the value.
    fn literal_kind(&self, value: u64, unsigned: bool, long: u8, unsigned_too: bool) -> IntKind {
        let long_size = match long {
            0 => 4,
            1 => u32::from(self.decls.table.model().long),
            _ => 8,
        };
        let fits =
            |size: u32, signed: bool| value <= u64::MAX >> (64 - size * 8 + u32::from(signed));
        for size in [long_size, 8] {
            for signed in [true, false] {
                let allowed = if signed { !unsigned } else { unsigned || unsigned_too };
                if allowed
                    && fits(size, signed)
                    && let Some(kind) = IntKind::of(size, signed)
                {
                    return kind;
                }
            }
        }
        IntKind::U64
    }

    fn float(&mut self, text: &str, hex: bool) -> Parse<Operand> {
        let split = if hex {
            let exponent = text.find('p').unwrap_or(text.len());
            let digits = text[exponent..].find(|c: char| !"p+-0123456789".contains(c));
            digits.map_or(text.len(), |p| exponent + p)
        } else {
            text.find(|c: char| !"+-.e0123456789".contains(c)).unwrap_or(text.len())
        };
        let (digits, suffix) = text.split_at(split);
        let long_double = self.decls.table.model().long_double.0;
        let kind = match suffix {
            "" | "f64" | "f32x" => FloatKind::F64,
            "f" | "f32" => FloatKind::F32,
            "l" | "w" | "f64x" => long_double,
            "f16" => FloatKind::F16,
            "q" | "f128" => FloatKind::F128,
            _ => return Err(self.bad_literal("bad number")),
        };
        let value = if hex { hex_float(digits) } else { digits.parse().ok() };
        match value {
            Some(value) => Ok(Operand {
                ty: TypeId::float(kind).into(),
                value: Value::Float(if kind == FloatKind::F32 {
                    f64::from(value as f32)
                } else {
                    value
                }),
            }),
            None => Err(self.bad_literal("bad number")),
        }
    }

    /// A character constant.
    pub(super) fn character(&mut self) -> Parse<Operand> {
        let (prefix, rest) = Prefix::split(self.bytes());
        let units = decode(&rest[1..rest.len() - 1], prefix, self.decls.table.model().wchar);
        let model = self.decls.table.model();
        let units = match units {
            Some(units)
                if !units.is_empty()
                    && (units.len() == 1 || prefix == Prefix::None && units.len() <= 4) =>
            {
                units
            }
            _ => return Err(self.bad_literal("bad character constant")),
        };
        self.advance();
        if prefix != Prefix::None {
            return Ok(Operand::int(prefix.element(model.wchar), units[0].into()));
        }
        // Several characters make an int, the first the most significant, as GCC has it.
        let value = match units[..] {
            [unit] if model.char_signed => i32::from(unit as u8 as i8),
            _ => units.iter().fold(0, |value, &unit| value << 8 | unit as i32),
        };
        Ok(Operand::int(IntKind::I32, value.into()))
    }

    /// Adjacent string literals as one: the bytes, which must be narrow.
    pub(super) fn string_literal(&mut self) -> Parse<Vec<u8>> {
        if let Some(text) = self.plain_string() {
            self.advance();
            return Ok(text);
        }
        let start = self.tok.start;
        let (prefix, units) = self.string_units()?;
        match prefix {
            Prefix::None | Prefix::Utf8 => Ok(units.into_iter().map(|unit| unit as u8).collect()),
            _ => Err(self.error(start, "a wide string cannot stand here".into())),
        }
    }

    /// The string literal that the current token is, if it has no prefix, no escapes and none beside it.
    fn plain_string(&mut self) -> Option<Vec<u8>> {
        if self.tok.kind != Tok::Str || self.peek() == Tok::Str {
            return None;
        }
        let text = self.bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        (!text.contains(&b'\\')).then(|| text.to_vec())
    }

    /// Adjacent string literals as one.
    pub(super) fn string_units(&mut self) -> Parse<(Prefix, Vec<u32>)> {
        if self.tok.kind != Tok::Str {
            return Err(self.expected("a string"));
        }
        let wchar = self.decls.table.model().wchar;
        let mut whole = (Prefix::None, Vec::new());
        while self.tok.kind == Tok::Str {
            let (prefix, rest) = Prefix::split(self.bytes());
            if prefix != Prefix::None {
                whole.0 = prefix;
            }
            match decode(&rest[1..rest.len() - 1], whole.0, wchar) {
                Some(units) => whole.1.extend(units),
                None => return Err(self.bad_literal("bad escape in")),
            }
            self.advance();
        }
        Ok(whole)
    }
}

/// `u`, `l`, `ll`, `z`, `i64` and their mixtures: whether unsigned, and how long (2: 64 bits).
fn integer_suffix(suffix: &str) -> Option<(bool, u8)> {
    Some(match suffix {
        "" => (false, 0),
        "u" => (true, 0),
        "l" => (false, 1),
        "ul" | "lu" => (true, 1),
        "ll" | "i64" => (false, 2),
        "ull" | "llu" | "ui64" => (true, 2),
        "z" => (false, 1),
        "uz" | "zu" => (true, 1),
        "i8" | "i16" | "i32" => (false, 0),
        "ui8" | "ui16" | "ui32" => (true, 0),
        _ => return None,
    })
}

/// `0x1.8p3`; more digits than a double holds are cut off.
fn hex_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.strip_prefix("0x")?.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let scale = i64::from(exponent) - 4 * fraction.len() as i64;
    Some(value * 2.0_f64.powi(scale.clamp(-5000, 5000) as i32))
}

/// The code units of the text between the quotes; `None` for a bad escape.
fn decode(text: &[u8], prefix: Prefix, wchar: IntKind) -> Option<Vec<u32>> {
    let unit_size = prefix.element(wchar).size();
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            if unit_size == 1 || first.is_ascii() {
                units.push(u32::from(*first));
            } else {
                let start = text.len() - rest.len() - 1;
                let window = &text[start..text.len().min(start + 4)];
                let c = String::from_utf8_lossy(window).chars().next()?;
                if c == char::REPLACEMENT_CHARACTER {
                    return None;
                }
                rest = &text[start + c.len_utf8()..];
                encode(c, unit_size, &mut units);
            }
            continue;
        }
        let [escape, tail @ ..] = rest else { return None };
        rest = tail;
        match escape {
            b'x' => {
                let (value, tail) = digits(rest, 16, usize::MAX)?;
                rest = tail;
                units.push(value);
            }
            b'0'..=b'7' => {
                let start = text.len() - rest.len() - 1;
                let (value, tail) = digits(&text[start..], 8, 3)?;
                rest = tail;
                units.push(value);
            }
            b'u' | b'U' => {
                let count = if *escape == b'u' { 4 } else { 8 };
                let (value, tail) = digits(rest, 16, count)?;
                rest = tail;
                encode(char::from_u32(value)?, unit_size, &mut units);
            }
            b'\n' => {}
            _ => units.push(simple_escape(*escape)?),
        }
    }
    Some(units)
}

fn simple_escape(escape: u8) -> Option<u32> {
    Some(u32::from(match escape {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'e' => 27,
        b'\\' | b'\'' | b'"' | b'?' => escape,
        _ => return None,
    }))
}

/// At least one and at most `most` digits, and what follows them.
fn digits(text: &[u8], radix: u32, most: usize) -> Option<(u32, &[u8])> {
    let count = text.iter().take(most).take_while(|b| (**b as char).is_digit(radix)).count();
    let (digits, rest) = text.split_at(count);
    let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    Some((value, rest))
}

fn encode(c: char, unit_size: u32, units: &mut Vec<u32>) {
    match unit_size {
        1 => units.extend(c.encode_utf8(&mut [0; 4]).bytes().map(u32::from)),
        2 => units.extend(c.encode_utf16(&mut [0; 2]).iter().map(|&u| u32::from(u))),
        _ => units.push(c.into()),
    }
}
