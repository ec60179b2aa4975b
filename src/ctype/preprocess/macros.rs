//! Object-like macros: what `#define` stores, and the replacement of a word.

use super::scan::{self, Piece};
use super::{HINT, Line, MAX_EXPANSIONS, MAX_LENGTH, MAX_NESTING, Preprocessor, Trouble};

/// The name and replacement of a `#define`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ctype) enum Macro {
    /// Text that stands for nothing but a number, so that the constant of its name is the macro.
    Constant(Box<[u8]>),
    /// Any text.
    Text(Box<[u8]>),
    /// With parameters.
    Function,
}

impl Macro {
    /// The replacement.
    pub(super) fn body(&self) -> Option<&[u8]> {
        match self {
            Macro::Constant(body) | Macro::Text(body) => Some(body),
            Macro::Function => None,
        }
    }

    /// Whether the preprocessor must see texts that use it.
    pub(in crate::ctype) fn needs_expansion(&self) -> bool {
        !matches!(self, Macro::Constant(_))
    }
}

/// Whether a text is one operand wherever it stands, so that its value may take its place: a token, one with a sign, or all in brackets.
pub(in crate::ctype) fn is_closed(body: &[u8]) -> bool {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((piece, end)) = scan::next(body, at) {
        if !matches!(piece, Piece::Space | Piece::Newline) {
            tokens.push(&body[at..end]);
        }
        at = end;
    }
    match &tokens[..] {
        [_] | [b"-" | b"+" | b"~" | b"!", _] => true,
        [b"(", inner @ .., b")"] => {
            // The first bracket is closed by the last one.
            let mut depth = 0_i64;
            inner.iter().all(|token| {
                depth += i64::from(**token == *b"(") - i64::from(**token == *b")");
                depth >= 0
            })
        }
        _ => false,
    }
}

impl Preprocessor<'_> {
    /// `#define NAME text`
    pub(super) fn define(&mut self, line: Line) -> Result<(), Trouble> {
        let bytes = &self.text.bytes;
        let name_end = scan::word_end(bytes, line.arguments, line.end);
        let name = &bytes[line.arguments..name_end];
        if name.is_empty() || name[0].is_ascii_digit() {
            return Err(Trouble::new(line.arguments, "expected the name of a macro"));
        }
        if name == b"defined" {
            return Err(Trouble::new(line.arguments, "'defined' cannot be a macro"));
        }
        let body = plain(&bytes[name_end..line.end]);
        let found = match bytes.get(name_end) {
            Some(b'(') => Macro::Function,
            // A name that stands for itself, for `#ifdef`.
            _ if *body == *name => Macro::Constant(body.clone().into()),
            _ => Macro::Text(body.clone().into()),
        };
        if let Some(old) = self.decls.find_macro(name)
            && old.body() != found.body()
        {
            let name = String::from_utf8_lossy(name);
            let message = format!("conflicting definition of the macro '{name}'");
            let hint = Some("'#undef' it first");
            return Err(Trouble { hint, ..Trouble::new(line.arguments, message) });
        }
        if matches!(found, Macro::Text(_)) && !body.is_empty() {
            // For the parser to declare a constant, if it is one.
            let mut expanded = Vec::new();
            self.expand_text(&body, line.arguments, &mut expanded, &mut vec![name.to_vec()])?;
            self.copy(line.at, name_end);
            self.out.insert(b" ", self.text.origin(name_end));
            let origin = scan::skip_space(&self.text.bytes, name_end, line.end);
            self.out.insert(&expanded, self.text.origin(origin));
        }
        if self.decls.find_macro(name).is_none() {
            self.decls.set_macro(name, Some(found));
        }
        Ok(())
    }

    /// `#undef NAME`
    pub(super) fn undefine(&mut self, line: Line) -> Result<(), Trouble> {
        let name_end = scan::word_end(&self.text.bytes, line.arguments, line.end);
        let name = &self.text.bytes[line.arguments..name_end];
        if name.is_empty() {
            return Err(Trouble::new(line.arguments, "expected the name of a macro"));
        }
        if self.decls.has_macro(name) {
            self.decls.set_macro(name, None);
            self.copy(line.at, name_end);
        }
        Ok(())
    }

    /// Adds the expansion of a word. `rest` is the text behind it, `at` the place of the outermost macro, `active` the macros that are being
    /// expanded.
    pub(super) fn expand_word(
        &mut self,
        word: &[u8],
        rest: &[u8],
        at: usize,
        out: &mut Vec<u8>,
        active: &mut Vec<Vec<u8>>,
    ) -> Result<(), Trouble> {
        let found = match self.decls.find_macro(word) {
            Some(found) if !active.iter().any(|name| name == word) => found.clone(),
            _ => {
                out.extend_from_slice(word);
                return Ok(());
            }
        };
        self.expansions += 1;
        let too_much = if self.expansions > MAX_EXPANSIONS || out.len() > MAX_LENGTH {
            Some("macros that become too much")
        } else if active.len() >= MAX_NESTING {
            Some("macros that lead to macros more than 200 times")
        } else {
            None
        };
        if let Some(message) = too_much {
            return Err(Trouble::new(at, message));
        }
        let Some(body) = found.body() else {
            if !rest.trim_ascii_start().starts_with(b"(") {
                out.extend_from_slice(word);
                return Ok(());
            }
            let name = String::from_utf8_lossy(word);
            let message = format!("the macro '{name}' has parameters, which is not supported yet");
            return Err(Trouble { hint: Some(HINT), ..Trouble::new(at, message) });
        };
        active.push(word.to_vec());
        out.push(b' ');
        self.expand_text(body, at, out, active)?;
        out.push(b' ');
        active.pop();
        Ok(())
    }

    /// Adds a text with its macros expanded.
    pub(super) fn expand_text(
        &mut self,
        text: &[u8],
        at: usize,
        out: &mut Vec<u8>,
        active: &mut Vec<Vec<u8>>,
    ) -> Result<(), Trouble> {
        let mut from = 0;
        while let Some((piece, end)) = scan::next(text, from) {
            match piece {
                Piece::Word => self.expand_word(&text[from..end], &text[end..], at, out, active)?,
                _ => out.extend_from_slice(&text[from..end]),
            }
            from = end;
        }
        Ok(())
    }
}

/// A text without comments and without white space around it.
fn plain(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some((piece, end)) = scan::next(text, at) {
        match piece {
            Piece::Space | Piece::Newline => out.push(b' '),
            _ => out.extend_from_slice(&text[at..end]),
        }
        at = end;
    }
    out.trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::is_closed;

    #[test]
    fn a_closed_text_is_one_operand() {
        for text in ["5", "-5", "( 1 + 2 )", "((1)+(2))", "'a'", "NAME", "0x1e+3"] {
            assert!(is_closed(text.as_bytes()), "{text}");
        }
        for text in ["1 + 2", "(1)+(2)", "", "- - 1", "(1", "sizeof int"] {
            assert!(!is_closed(text.as_bytes()), "{text}");
        }
    }
}
