//! The characters of literals.

/// A string literal of these characters.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal.push('"');
    literal
}

/// The characters of a string literal, where `\"` and `\\` are the only escapes, as in `_Pragma` and `#line`.
pub(super) fn unescaped(literal: &[u8]) -> String {
    let open = literal.iter().position(|&byte| byte == b'"').map_or(0, |open| open + 1);
    let inside = literal[open..].strip_suffix(b"\"").unwrap_or(&literal[open..]);
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'\\' && matches!(bytes.peek(), Some(b'"' | b'\\'));
        text.push(if escaped { bytes.next().unwrap_or(byte) } else { byte });
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_characters() {
        assert_eq!(quoted(r#"a\b"c"#), r#""a\\b\"c""#);
        assert_eq!(unescaped(br#"L"a\\b\"c\n""#), r#"a\b"c\n"#);
    }
}
