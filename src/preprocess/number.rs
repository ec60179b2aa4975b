//! The values of integers and characters in conditions.

/// An integer of a condition: of type `intmax_t` or `uintmax_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) bits: u64,
    pub(super) unsigned: bool,
}

impl Value {
    pub(super) fn signed(value: i64) -> Value {
        Value { bits: value as u64, unsigned: false }
    }

    pub(super) fn is_true(self) -> bool {
        self.bits != 0
    }
}

/// What the values of characters depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Characters {
    /// Whether `char` has no sign.
    pub(super) char_unsigned: bool,
    /// The bits of `wchar_t`.
    pub(super) wide_bits: u32,
    /// Whether `wchar_t` has no sign.
    pub(super) wide_unsigned: bool,
}

/// The value of a preprocessing number (C23 6.4.4.2).
pub(super) fn integer(text: &[u8]) -> Result<Value, String> {
    let shown = || String::from_utf8_lossy(text).into_owned();
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', b'b' | b'B', digits @ ..] => (2, digits),
        [b'0', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => (8, digits),
        _ => (10, text),
    };
    let is_digit = |byte: &u8| *byte == b'\'' || (*byte as char).is_digit(radix.max(10));
    let length = digits.iter().take_while(|byte| is_digit(byte)).count();
    let (digits, suffix) = digits.split_at(length);
    let unsigned = match suffix.to_ascii_lowercase().as_slice() {
        b"" | b"l" | b"ll" | b"z" | b"i64" => false,
        b"u" | b"ul" | b"lu" | b"ull" | b"llu" | b"uz" | b"zu" | b"ui64" => true,
        [b'.' | b'e' | b'p', ..] => {
            return Err(format!("'{}' is no integer, as conditions need", shown()));
        }
        _ => {
            let suffix = String::from_utf8_lossy(suffix);
            return Err(format!("'{suffix}' is no suffix of an integer"));
        }
    };
    let mut bits = 0_u64;
    for &digit in digits.iter().filter(|&&byte| byte != b'\'') {
        let next = (digit as char).to_digit(radix);
        let Some(next) = next else { return Err(format!("'{}' has a wrong digit", shown())) };
        let more = bits.checked_mul(u64::from(radix)).and_then(|b| b.checked_add(next.into()));
        bits = more.ok_or_else(|| format!("'{}' has more than 64 bits", shown()))?;
    }
    if digits.is_empty() {
        return Err(format!("'{}' has no digits", shown()));
    }
    Ok(Value { bits, unsigned: unsigned || bits > i64::MAX as u64 })
}

/// The value of a character constant (C23 6.4.4.5).
pub(super) fn character(text: &[u8], characters: Characters) -> Result<Value, String> {
    let open = text.iter().position(|&byte| byte == b'\'').unwrap_or(0);
    let (prefix, inside) = (&text[..open], &text[open + 1..text.len() - 1]);
    let (bits, unsigned) = match prefix {
        b"L" => (characters.wide_bits, characters.wide_unsigned),
        b"u" => (16, true),
        b"U" => (32, true),
        b"u8" => (8, true),
        _ => (8, characters.char_unsigned),
    };
    let units = units(inside, bits)?;
    let Some(&last) = units.last() else {
        return Err("a character constant without a character".into());
    };
    if prefix.is_empty() && units.len() > 1 {
        let value = units.iter().fold(0_u32, |value, unit| value << 8 | unit & 0xff);
        return Ok(Value::signed(i64::from(value as i32)));
    }
    let shift = 64 - bits;
    let value = u64::from(last) << shift;
    let value = if unsigned { value >> shift } else { ((value as i64) >> shift) as u64 };
    // A `char` becomes an `int`, which has room for all its values.
    Ok(Value { bits: value, unsigned: unsigned && !prefix.is_empty() && prefix != b"u8" })
}

/// The characters of a constant, with their escapes: bytes, or code units of so many bits.
fn units(text: &[u8], bits: u32) -> Result<Vec<u32>, String> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (value, left, is_code) = match (first, after) {
            (b'\\', [escape, after @ ..]) => escaped(*escape, after)?,
            (0x80.., _) if bits > 8 => {
                let length = (1..=4.min(rest.len()))
                    .find(|&length| std::str::from_utf8(&rest[..length]).is_ok())
                    .ok_or("a character that is not UTF-8")?;
                let text = std::str::from_utf8(&rest[..length]).unwrap_or_default();
                (text.chars().next().map_or(0, u32::from), &rest[length..], false)
            }
            _ => (u32::from(first), after, false),
        };
        match char::from_u32(value).filter(|_| is_code && bits == 8) {
            Some(code) => {
                units.extend(code.encode_utf8(&mut [0; 4]).bytes().map(u32::from));
            }
            None => units.push(value),
        }
        rest = left;
    }
    Ok(units)
}

/// The value of what follows a backslash, what follows it, and whether it is the number of a character.
fn escaped(escape: u8, after: &[u8]) -> Result<(u32, &[u8], bool), String> {
    let simple = |value: u32| Ok((value, after, false));
    let digits = |radix: u32, after: &[u8], most: usize| {
        let is_digit = |byte: &&u8| (**byte as char).is_digit(radix);
        let length = after.iter().take(most).take_while(is_digit).count();
        let value = after[..length].iter().fold(0_u32, |value, &digit| {
            value.wrapping_mul(radix).wrapping_add((digit as char).to_digit(radix).unwrap_or(0))
        });
        (value, length)
    };
    match escape {
        b'a' => simple(7),
        b'b' => simple(8),
        b'f' => simple(12),
        b'n' => simple(10),
        b'r' => simple(13),
        b't' => simple(9),
        b'v' => simple(11),
        b'e' | b'E' => simple(27),
        b'0'..=b'7' => {
            let (more, length) = digits(8, after, 2);
            let value = (u32::from(escape - b'0') << (3 * length)) | more;
            Ok((value, &after[length..], false))
        }
        b'x' => match digits(16, after, usize::MAX) {
            (_, 0) => Err("'\\x' without digits".into()),
            (value, length) => Ok((value, &after[length..], false)),
        },
        b'u' | b'U' => {
            let wanted = if escape == b'u' { 4 } else { 8 };
            match digits(16, after, wanted) {
                (value, length) if length == wanted => Ok((value, &after[length..], true)),
                _ => Err(format!("'\\{}' needs {wanted} digits", escape as char)),
            }
        }
        other => simple(u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_radix_suffix_and_sign() {
        let value = |text: &str| integer(text.as_bytes()).map(|v| (v.bits, v.unsigned));
        assert_eq!(value("0"), Ok((0, false)));
        assert_eq!(value("0x7fU"), Ok((127, true)));
        assert_eq!(value("0b101l"), Ok((5, false)));
        assert_eq!(value("017ull"), Ok((15, true)));
        assert_eq!(value("1'000"), Ok((1000, false)));
        assert_eq!(value("0xffffffffffffffff"), Ok((u64::MAX, true)));
        for wrong in ["1.0", "1e5", "09", "0x", "1x", "18446744073709551616", "0b2"] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn characters_have_escapes_and_widths() {
        let characters = Characters { char_unsigned: false, wide_bits: 32, wide_unsigned: false };
        let value = |text: &str| character(text.as_bytes(), characters).map(|v| v.bits as i64);
        assert_eq!(value("'a'"), Ok(97));
        assert_eq!(value(r"'\377'"), Ok(-1));
        assert_eq!(value(r"'\xff'"), Ok(-1));
        assert_eq!(value(r"'\0'"), Ok(0));
        assert_eq!(value("'ab'"), Ok(0x6162));
        assert_eq!(value("L'\u{20ac}'"), Ok(0x20ac));
        assert_eq!(value(r"u'\u20ac'"), Ok(0x20ac));
        assert_eq!(value(r"u'\xffff'"), Ok(0xffff));
        assert!(value("''").is_err());
    }
}
