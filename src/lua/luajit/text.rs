//! The texts of `string.format`, as C and LuaJIT print them.

/// How a number is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'a> {
    /// The flags and the width, in C's spelling.
    pub(super) flags: &'a [u8],
    /// Of the conversion.
    pub(super) letter: u8,
    pub(super) precision: usize,
}

/// An integer for one of `diuoxX`; `flags`: what stands between the `%` and the letter.
pub(super) fn integer(bits: u64, flags: &[u8], letter: u8) -> String {
    let (flags, precision) = match flags.iter().position(|c| *c == b'.') {
        Some(point) => (&flags[..point], Some(number(&flags[point + 1..]))),
        None => (flags, None),
    };
    let signed = matches!(letter, b'd' | b'i');
    let value = if signed { (bits as i64).unsigned_abs() } else { bits };
    let mut digits = match letter {
        b'o' => format!("{value:o}"),
        b'x' => format!("{value:x}"),
        b'X' => format!("{value:X}"),
        _ => value.to_string(),
    };
    if precision == Some(0) && value == 0 {
        digits.clear();
    }
    let missing = precision.unwrap_or(0).saturating_sub(digits.len());
    digits.insert_str(0, &"0".repeat(missing));
    if flags.contains(&b'#') && letter == b'o' && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    let prefix = match letter {
        b'd' | b'i' if (bits as i64) < 0 => "-",
        b'd' | b'i' if flags.contains(&b'+') => "+",
        b'd' | b'i' if flags.contains(&b' ') => " ",
        b'x' if flags.contains(&b'#') && value != 0 => "0x",
        b'X' if flags.contains(&b'#') && value != 0 => "0X",
        _ => "",
    };
    // A precision says how many zeros there are.
    let with_zeros = precision.is_none();
    padded(prefix, &digits, flags, with_zeros)
}

/// The digits at the start of a text as a number.
fn number(text: &[u8]) -> usize {
    let digits = text.iter().take_while(|c| c.is_ascii_digit());
    digits.fold(0, |n: usize, c| n.saturating_mul(10).saturating_add(usize::from(c - b'0'))).min(99)
}

/// A string for `%q`.
pub(super) fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for (i, &c) in text.iter().enumerate() {
        match c {
            b'"' | b'\\' | b'\n' => out.extend([b'\\', c]),
            _ if c.is_ascii_control() => {
                let full = text.get(i + 1).is_some_and(u8::is_ascii_digit);
                let code = if full { format!("\\{c:03}") } else { format!("\\{c}") };
                out.extend(code.bytes());
            }
            _ => out.push(c),
        }
    }
    out.push(b'"');
    out
}

/// A sign or prefix and digits in the width that the flags ask for. `zeros`: whether a flag `0` counts.
pub(super) fn padded(sign: &str, body: &str, flags: &[u8], zeros: bool) -> String {
    let flag_count = flags.iter().take_while(|c| b"-+ #0".contains(c)).count();
    let (flags, width) = flags.split_at(flag_count);
    let width = number(width);
    let missing = width.saturating_sub(sign.len() + body.len());
    let (left, zeros) = (flags.contains(&b'-'), zeros && flags.contains(&b'0'));
    match (left, zeros) {
        (true, _) => format!("{sign}{body}{}", " ".repeat(missing)),
        (false, true) => format!("{sign}{}{body}", "0".repeat(missing)),
        (false, false) => format!("{}{sign}{body}", " ".repeat(missing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_printed_as_c_prints_them() {
        for (bits, flags, letter, expected) in [
            (5, "", b'd', "5"),
            (-5_i64 as u64, "", b'i', "-5"),
            (-1_i64 as u64, "", b'u', "18446744073709551615"),
            (-1_i64 as u64, "", b'x', "ffffffffffffffff"),
            (i64::MIN as u64, "", b'd', "-9223372036854775808"),
            (42, "05", b'd', "00042"),
            (42, "-5", b'd', "42   "),
            (42, "+5", b'd', "  +42"),
            (42, " ", b'd', " 42"),
            (42, ".5", b'd', "00042"),
            (-42_i64 as u64, "8.5", b'd', "  -00042"),
            (42, "08.5", b'd', "   00042"),
            (0, ".0", b'd', ""),
            (255, "#", b'X', "0XFF"),
            (255, "#8", b'x', "    0xff"),
            (255, "#08", b'x', "0x0000ff"),
            (0, "#", b'x', "0"),
            (8, "#", b'o', "010"),
            (0, "#.0", b'o', "0"),
        ] {
            assert_eq!(
                integer(bits, flags.as_bytes(), letter),
                expected,
                "%{flags}{}",
                letter as char
            );
        }
    }

    #[test]
    fn strings_are_quoted_as_luajit_quotes_them() {
        let text = quoted(b"a\"b\\c\nd\0e\rf\x011\x7f\xc8");
        assert_eq!(text, b"\"a\\\"b\\\\c\\\nd\\0e\\13f\\0011\\127\xc8\"");
    }
}
