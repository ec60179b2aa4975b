//! Escapes in strings that Lua 5.1 and 5.2 do not know, rewritten as decimal escapes.

/// A text that every Lua refuses, put in the place of a wrong escape.
const WRONG: &str = "'\\999'";

/// The literal of a string in quotes without `\x`, `\u` and `\z`, if it has one of them: as ASCII, with the line ends that it had, behind
/// the string where `\z` skips them. Of a wrong escape a literal that is wrong, too.
pub(super) fn in_decimal(literal: &[u8]) -> Option<String> {
    let (&quote, _) = literal.split_first().filter(|(c, _)| matches!(c, b'"' | b'\''))?;
    let found = literal.windows(2).any(|pair| matches!(pair, [b'\\', b'x' | b'u' | b'z']));
    found.then(|| converted(literal, quote).unwrap_or_else(|| WRONG.to_owned()))
}

fn converted(literal: &[u8], quote: u8) -> Option<String> {
    let (mut out, mut lines, mut at) = (String::new(), String::new(), 1);
    out.push(char::from(quote));
    let end = literal.len() - 1;
    while at < end {
        let rest = &literal[at..end];
        at += match rest {
            [b'\\', b'x', high, low, ..] => {
                let digits = [*high, *low];
                push_byte(&mut out, u8::try_from(number(&digits)?).ok()?);
                4
            }
            [b'\\', b'u', b'{', digits @ ..] => {
                let len = digits.iter().position(|c| *c == b'}')?;
                let c = char::from_u32(number(&digits[..len])?)?;
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    push_byte(&mut out, byte);
                }
                len + 4
            }
            [b'\\', b'z', space @ ..] => {
                let len =
                    space.iter().take_while(|c| c.is_ascii_whitespace() || **c == 0x0b).count();
                let ends = space[..len].iter().filter(|c| matches!(c, b'\n' | b'\r'));
                lines.extend(ends.map(|c| char::from(*c)));
                len + 2
            }
            [b'\\', b'x' | b'u', ..] => return None,
            // A line end that is escaped, or any other escape.
            [b'\\', c, ..] => {
                out.push('\\');
                out.push(char::from(Some(*c).filter(u8::is_ascii)?));
                2
            }
            [c, ..] => {
                if c.is_ascii() {
                    out.push(char::from(*c))
                } else {
                    push_byte(&mut out, *c)
                }
                1
            }
            [] => break,
        };
    }
    out.push(char::from(quote));
    Some(out + &lines)
}

/// Appends a byte in decimal digits, all three of them: a digit may follow.
fn push_byte(out: &mut String, byte: u8) {
    out.push_str(&format!("\\{byte:03}"));
}

/// The value of hexadecimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    all.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::{WRONG, in_decimal};

    #[test]
    fn later_escapes_become_decimal_digits() {
        for (text, expected) in [
            (r"'plain\n\065'", None),
            (r"'a\x41\x7a'", Some(r"'a\065\122'".to_owned())),
            (r#""\u{48}\u{20ac}1""#, Some(r#""\072\226\130\1721""#.to_owned())),
            ("'a\\z  \n\t b'", Some("'ab'\n".to_owned())),
            ("'\\\\x41'", Some("'\\\\x41'".to_owned())),
            ("'\\x41\u{e9}'", Some(r"'\065\195\169'".to_owned())),
            (r"'\xg0'", Some(WRONG.to_owned())),
            (r"'\x4'", Some(WRONG.to_owned())),
            (r"'\u{110000}'", Some(WRONG.to_owned())),
            ("[[\\x41]]", None),
        ] {
            assert_eq!(in_decimal(text.as_bytes()), expected, "{text}");
        }
    }
}
