//! Replacements of tokens in a text, which keep every line in its place.

use super::lex::{Token, is_name_byte};

/// Where an edit goes, relative to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Before,
    Instead,
    After,
}

#[derive(Debug)]
struct Edit {
    token: usize,
    place: Place,
    text: String,
}

/// The edits so far. Of two edits before one token, and of two after it, the later one is the outer one.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>);

impl Edits {
    pub(super) fn add(&mut self, token: usize, place: Place, text: String) {
        self.0.push(Edit { token, place, text });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether the token is replaced, or followed by an edit.
    pub(super) fn end_at(&self, token: usize) -> bool {
        self.0.iter().rev().any(|edit| edit.token == token && edit.place != Place::Before)
    }

    /// Appends the edited text.
    pub(super) fn apply(&self, text: &[u8], tokens: &[Token], out: &mut Vec<u8>) {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|&i| {
            let Edit { token, place, .. } = self.0[i];
            (token, place, if place == Place::Before { self.0.len() - i } else { i })
        });
        let mut copied = 0;
        for i in order {
            let edit = &self.0[i];
            let token = tokens[edit.token];
            let (until, resume) = match edit.place {
                Place::Before => (token.start, token.start),
                Place::Instead => (token.start, token.end),
                Place::After => (token.end, token.end),
            };
            append(out, &text[copied..until]);
            append(out, edit.text.as_bytes());
            copied = resume;
        }
        append(out, &text[copied..]);
    }
}

/// Appends a text to another, as a token of its own: `if(a)==b` becomes `if f((a),b)`.
fn append(out: &mut Vec<u8>, text: &[u8]) {
    if let (Some(&last), Some(&first)) = (out.last(), text.first())
        && is_name_byte(last)
        && is_name_byte(first)
    {
        out.push(b' ');
    }
    out.extend_from_slice(text);
}
