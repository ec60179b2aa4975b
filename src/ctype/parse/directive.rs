//! The preprocessor lines that the parser reads: `#pragma pack`, and `#define` of constants.

use super::{Failed, Lexer, Offset, Parse, Parser, Tok};
use crate::ctype::preprocess::{self, Macro};
use crate::ctype::{Decl, Name};

/// The state of `#pragma pack` and `#pragma ms_struct`, for one text.
#[derive(Debug, Default)]
pub(super) struct Pack {
    /// Bytes; `None` is the target's default.
    pub(super) current: Option<u32>,
    stack: Vec<(Option<Name>, Option<u32>)>,
    pub(super) ms_struct: Option<bool>,
}

impl Parser<'_> {
    /// A line that starts with `#`, of which the `#` is the current token.
    pub(super) fn directive(&mut self) -> Parse<()> {
        // Directives end with their line, so the line is parsed by a parser of its own tokens.
        let line_end = self.line_end(self.tok.end);
        self.advance();
        let word = self.directive_word(line_end);
        let done = match word.as_str() {
            "pragma" => {
                self.advance();
                self.pragma(line_end)
            }
            "define" => self.define(line_end),
            "undef" if self.source.is_expanded() => self.undefine(),
            _ => Err(self.leave_to_preprocessor()),
        };
        if done.is_ok() && self.tok.start < line_end && self.tok.kind != Tok::End {
            return Err(self.expected("the end of the line"));
        }
        done
    }

    fn directive_word(&self, line_end: Offset) -> String {
        if self.tok.start < line_end { self.token_text(self.tok) } else { String::new() }
    }

    /// The end of the line that `from` is on.
    fn line_end(&self, from: Offset) -> Offset {
        let rest = &self.lexer.text()[from as usize..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        from + length as Offset
    }

    /// A directive in the middle of a declaration.
    pub(super) fn stray_directive(&mut self) -> Failed {
        let hash = self.tok;
        let mut lexer: Lexer<'_> = self.lexer;
        let word = match self.ahead {
            Some(token) => token,
            None => lexer.next(&mut self.decls.table.names),
        };
        let word = self.token_text(word);
        match word.as_str() {
            "pragma" => self.error(hash.start, "'#pragma' in the middle of a declaration".into()),
            word if self.source.is_expanded() => {
                self.error(hash.start, format!("'#{word}' in the middle of a declaration"))
            }
            _ => self.leave_to_preprocessor(),
        }
    }

    fn pragma(&mut self, line_end: Offset) -> Parse<()> {
        if self.directive_word(line_end) == "ms_struct" {
            self.advance();
            self.pack.ms_struct = match self.directive_word(line_end).as_str() {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            };
            self.advance();
            return Ok(());
        }
        if self.directive_word(line_end) == "scalar_storage_order" {
            return self.storage_order(line_end);
        }
        self.advance();
        self.expect("(")?;
        self.pack_arguments()?;
        self.expect(")")
    }

    /// `#pragma scalar_storage_order`, which may only say what is so anyway.
    fn storage_order(&mut self, line_end: Offset) -> Parse<()> {
        self.advance();
        let (start, word) = (self.tok.start, self.directive_word(line_end));
        if word == "big" {
            return Err(self.error(start, "records in another byte order than the target's".into()));
        }
        self.skip_to_line_end(line_end);
        Ok(())
    }

    /// `pack(n)`, `pack()`, `pack(push [, name] [, n])`, `pack(pop [, name] [, n])`.
    fn pack_arguments(&mut self) -> Parse<()> {
        if self.at(")") {
            self.pack.current = None;
            return Ok(());
        }
        let mut set = None;
        let mut name = None;
        let mut action = None;
        loop {
            match self.tok.kind {
                Tok::Number | Tok::Int(_) => set = Some(self.pack_value()?),
                Tok::Name(word) => {
                    let text = self.decls.table.name(word);
                    match text {
                        "push" if action.is_none() => action = Some(true),
                        "pop" if action.is_none() => action = Some(false),
                        _ => name = Some(word),
                    }
                    self.advance();
                }
                _ => return Err(self.expected("'push', 'pop' or a number")),
            }
            if !self.eat(",") {
                break;
            }
        }
        match action {
            Some(true) => self.pack.stack.push((name, self.pack.current)),
            Some(false) => self.pop_pack(name),
            None => {}
        }
        if let Some(value) = set {
            self.pack.current = value;
        }
        Ok(())
    }

    /// Without a matching push this changes nothing, as in the compilers, which only warn.
    fn pop_pack(&mut self, name: Option<Name>) {
        let stack = &mut self.pack.stack;
        let from = match name {
            None => stack.len().checked_sub(1),
            Some(_) => stack.iter().rposition(|entry| entry.0 == name),
        };
        if let Some(from) = from {
            self.pack.current = stack[from].1;
            stack.truncate(from);
        }
    }

    fn pack_value(&mut self) -> Parse<Option<u32>> {
        let start = self.tok.start;
        match self.integer_literal()? {
            0 => Ok(None),
            value @ (1 | 2 | 4 | 8 | 16) => Ok(Some(value as u32)),
            _ => Err(self.error_hint(start, "bad packing".into(), "it is 1, 2, 4, 8 or 16")),
        }
    }

    /// `_Pragma("…")` and Microsoft's `__pragma(…)`. Those of `pack` count; others are ignored.
    pub(super) fn pragma_operator(&mut self) -> Parse<()> {
        let start = self.tok.start;
        self.advance();
        if !self.at("(") {
            return Err(self.expected("'('"));
        }
        if self.peek() == Tok::Str {
            self.advance();
            let text = self.string_literal()?;
            if text.trim_ascii_start().starts_with(b"pack") {
                let message = "_Pragma(\"pack\") is not supported".into();
                return Err(self.error_hint(
                    start,
                    message,
                    "write #pragma pack on a line of its own",
                ));
            }
            return self.expect(")");
        }
        let inner = self.ahead.map_or(String::new(), |token| self.token_text(token));
        if inner != "pack" {
            return self.skip_balanced();
        }
        self.advance();
        self.advance();
        self.expect("(")?;
        self.pack_arguments()?;
        self.expect(")")?;
        self.expect(")")
    }

    /// `#define NAME text`: a constant, if the text is one. Others are the preprocessor's.
    fn define(&mut self, line_end: Offset) -> Parse<()> {
        self.advance();
        let start = self.tok.start;
        let Tok::Name(name) = self.tok.kind else {
            return Err(self.leave_to_preprocessor_unless_expanded(line_end));
        };
        if start >= line_end {
            return Err(self.leave_to_preprocessor());
        }
        let name_end = self.tok.end;
        let text = self.lexer.text();
        let body = text[name_end as usize..line_end as usize].trim_ascii();
        let closed = preprocess::is_closed(body);
        let expanded = self.source.is_expanded();
        let reserved = self.decls.table.name(name) == "defined";
        if !expanded && (!closed || reserved || text.get(name_end as usize) == Some(&b'(')) {
            return Err(self.leave_to_preprocessor());
        }
        self.advance();
        let before = self.checkpoint();
        let value = self.constant_value();
        let ends = self.tok.start >= line_end || self.tok.kind == Tok::End;
        match value {
            Ok((ty, value)) if ends => {
                self.declare(name, Decl::Constant { ty, value }, start)?;
                self.define_constant(name, body, closed);
                Ok(())
            }
            _ if self.decls.wants_preprocessor => Err(Failed),
            _ if !expanded => Err(self.leave_to_preprocessor()),
            _ => {
                self.rewind(before);
                self.skip_to_line_end(line_end);
                Ok(())
            }
        }
    }

    /// Notes that the constant of a name is all that its macro says.
    fn define_constant(&mut self, name: Name, body: &[u8], closed: bool) {
        let name = self.decls.table.name(name).as_bytes().to_vec();
        let says_the_same = match self.decls.find_macro(&name) {
            Some(Macro::Text(text)) => **text == *body,
            Some(_) => false,
            None => true,
        };
        if closed && says_the_same {
            self.decls.set_macro(&name, Some(Macro::Constant(body.into())));
        }
    }

    /// A macro whose name is a keyword is no constant.
    fn leave_to_preprocessor_unless_expanded(&mut self, line_end: Offset) -> Failed {
        if self.source.is_expanded() {
            self.skip_to_line_end(line_end);
            return Failed;
        }
        self.leave_to_preprocessor()
    }

    fn skip_to_line_end(&mut self, line_end: Offset) {
        while self.tok.start < line_end && self.tok.kind != Tok::End {
            self.advance();
        }
    }

    /// `#undef NAME`
    fn undefine(&mut self) -> Parse<()> {
        self.advance();
        if let Tok::Name(name) = self.tok.kind {
            self.decls.remove_constant(name);
        }
        self.advance();
        Ok(())
    }
}
