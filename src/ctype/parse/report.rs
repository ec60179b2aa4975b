//! Errors of the parser, and the recovery after one.

use super::{Checkpoint, Failed, Parser, Tok};
use crate::ctype::decls::{Conflict, Place};
use crate::ctype::diagnostic::{Diagnostic, Note, NotePlace};
use crate::ctype::keyword::Keyword;
use crate::ctype::lex::Offset;
use crate::ctype::source::Position;
use crate::ctype::{QualType, Type};

impl<'a> Parser<'a> {
    pub(super) fn error(&mut self, offset: Offset, message: String) -> Failed {
        self.report(offset, message, None, None)
    }

    pub(super) fn error_hint(&mut self, offset: Offset, message: String, hint: &str) -> Failed {
        self.report(offset, message, Some(hint.to_owned()), None)
    }

    pub(super) fn error_here(&mut self, message: String) -> Failed {
        self.error(self.tok.start, message)
    }

    pub(super) fn report(
        &mut self,
        offset: Offset,
        message: String,
        hint: Option<String>,
        note: Option<Note>,
    ) -> Failed {
        let diagnostic =
            Diagnostic::new(self.source.declared(), self.source.origin(offset), message);
        self.errors.push(Diagnostic { hint, note, ..diagnostic });
        Failed
    }

    pub(super) fn conflict(
        &mut self,
        offset: Offset,
        message: String,
        conflict: Conflict,
    ) -> Failed {
        let place = match conflict.place {
            Place::Here(offset) => {
                let origin = self.source.origin(offset);
                let Position { file, line } = Position::of(self.source.declared(), origin);
                NotePlace::Line(file, line)
            }
            Place::Earlier => NotePlace::EarlierText,
            Place::Predeclared => NotePlace::Predeclared,
        };
        let note = Note { place, text: conflict.text };
        self.report(offset, message, None, Some(note))
    }

    #[cold]
    pub(super) fn expected_punct(&mut self, punct: &str) -> Failed {
        self.expected(&format!("'{punct}'"))
    }

    /// An error at the current token: something else should stand there.
    #[cold]
    pub(super) fn expected(&mut self, what: &str) -> Failed {
        let found = match self.tok.kind {
            Tok::End if std::mem::replace(&mut self.ended, true) => return Failed,
            Tok::End => "the end of the text".to_owned(),
            Tok::Bad(bad) => return self.error_here(bad.message().to_owned()),
            Tok::Directive => return self.stray_directive(),
            _ => {
                let mut text = self.token_text(self.tok);
                if text.len() > 40 {
                    text = text.chars().take(37).collect::<String>() + "...";
                }
                format!("'{text}'")
            }
        };
        // The place of a missing ';' is the end of the declaration that lacks it.
        let missing_end = what == "';'" && self.last_end > 0;
        let offset = if missing_end { self.last_end } else { self.tok.start };
        self.error(offset, format!("expected {what} before {found}"))
    }

    /// Whether a declaration that failed would have completed a type: then an error of the type is a consequence of that failure.
    pub(super) fn is_fallout(&self, ty: QualType) -> bool {
        let table = &self.decls.table;
        let tag = match *table.shape(ty) {
            Type::Record(id) => table.record(id).tag,
            Type::Enum(id) => table.enum_(id).tag,
            Type::Array(element, _) => return self.is_fallout(element),
            _ => None,
        };
        tag.is_some_and(|tag| self.failed.contains_key(&tag))
    }

    /// Goes to the end of the declaration that began at `start` and failed somewhere: after its `;`, or after
    /// the `}` of a function body. In a record (`member`) not beyond its `}`. No error is about the names on the way.
    pub(super) fn recover(&mut self, start: Checkpoint<'a>, member: bool) {
        if self.tok.kind == Tok::End {
            return;
        }
        self.rewind_tokens(start);
        if self.tok.kind == Tok::Directive {
            self.ahead = None;
            self.lexer.skip_line();
            return self.advance();
        }
        let mut depth = 0_u32;
        let mut brace = Brace::default();
        loop {
            if let Tok::Name(name) = self.tok.kind
                && self.decls.find(name).is_none()
            {
                self.failed.entry(name).or_insert(self.errors.len().saturating_sub(1));
            }
            if depth == 0 {
                brace.see(self.tok.kind);
            }
            let closing = match self.tok.kind {
                Tok::End => return,
                Tok::Punct(p) => match p.char() {
                    b';' if depth == 0 => return self.advance(),
                    b'(' | b'[' | b'{' => {
                        depth += 1;
                        false
                    }
                    b'}' if depth == 0 && member => return,
                    b'}' if depth <= 1 => {
                        depth = 0;
                        true
                    }
                    b')' | b']' | b'}' => {
                        depth = depth.saturating_sub(1);
                        false
                    }
                    _ => false,
                },
                _ => false,
            };
            self.advance();
            if closing && !self.goes_on_after_brace(brace.of_record) {
                return;
            }
        }
    }

    /// Whether what follows a `}` belongs to the same declaration.
    fn goes_on_after_brace(&self, of_record: bool) -> bool {
        match self.tok.kind {
            Tok::Punct(p) => matches!(p.char(), b';' | b',' | b'*' | b'(' | b'[' | b'=' | b')'),
            Tok::Name(name) => of_record || self.decls.typedef(name).is_none(),
            Tok::Keyword(Keyword::Attribute | Keyword::Asm | Keyword::Const) => true,
            _ => false,
        }
    }
}

/// Whose `{` comes, by the tokens outside of brackets before it: that of a struct, union or enum, or that of a function.
#[derive(Default)]
struct Brace {
    /// `struct` and the like, with nothing but attributes and a tag behind it.
    of_record: bool,
    tagged: bool,
    /// The token before is a word that has arguments.
    arguments: bool,
}

impl Brace {
    fn see(&mut self, token: Tok) {
        let arguments = std::mem::take(&mut self.arguments);
        match token {
            Tok::Keyword(Keyword::Struct | Keyword::Union | Keyword::Enum) => {
                (self.of_record, self.tagged) = (true, false);
            }
            Tok::Keyword(Keyword::Attribute | Keyword::Declspec | Keyword::Alignas) => {
                self.arguments = true;
            }
            Tok::Name(_) if self.tagged => self.of_record = false,
            Tok::Name(_) => self.tagged = true,
            Tok::Punct(p) => match p.char() {
                b'*' | b'=' => self.of_record = false,
                b'(' if !arguments => self.of_record = false,
                _ => {}
            },
            _ => {}
        }
    }
}
