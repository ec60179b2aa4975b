//! The preprocessor lines that have a meaning here: `#pragma pack`, `#define NAME constant`.

use super::{Failed, Keyword, Lexer, Offset, Parse, Parser, Tok};
use crate::ctype::lex::Token;
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
        let hash = self.tok;
        // Directives end with their line, so the line is parsed by a parser of its own tokens.
        let line_end = self.line_end(hash.end);
        self.advance();
        let done = match self.directive_word(line_end).as_str() {
            "pragma" => {
                self.advance();
                self.pragma(line_end)
            }
            "define" => self.define(line_end),
            other => Err(self.unsupported_directive(hash, other)),
        };
        if done.is_ok() && self.tok.start < line_end && self.tok.kind != Tok::End {
            return Err(self.expected("the end of the line"));
        }
        done
    }

    fn directive_word(&self, line_end: Offset) -> String {
        if self.tok.start < line_end { self.token_text(self.tok) } else { String::new() }
    }

    /// The end of the line that `from` is on, continuation lines included.
    fn line_end(&self, from: Offset) -> Offset {
        let text = self.lexer.text();
        let mut end = from as usize;
        while end < text.len() && (text[end] != b'\n' || is_continued(text, end)) {
            end += 1;
        }
        end as Offset
    }

    fn unsupported_directive(&mut self, hash: Token, word: &str) -> Failed {
        self.error_hint(
            hash.start,
            format!("'#{word}' is a preprocessor directive"),
            "run the text through 'cc -E -P' and declare its output",
        )
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
            word => self.unsupported_directive(hash, word),
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
        self.advance();
        self.expect("(")?;
        self.pack_arguments()?;
        self.expect(")")
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

    /// `#define NAME constant-expression` declares a constant.
    fn define(&mut self, line_end: Offset) -> Parse<()> {
        const HINT: &str = "only '#define NAME constant' is understood; \
                            run the text through 'cc -E -P' and declare its output";
        self.advance();
        let start = self.tok.start;
        let Tok::Name(name) = self.tok.kind else {
            return Err(self.expected("a name"));
        };
        let function_like = self.lexer.text().get(self.tok.end as usize) == Some(&b'(');
        self.advance();
        if function_like {
            return Err(self.error_hint(start, "macro with parameters".into(), HINT));
        }
        if self.tok.start >= line_end {
            // `#define NAME` alone is an include guard or a feature switch.
            return Ok(());
        }
        if matches!(self.tok.kind, Tok::Keyword(k) if k != Keyword::Sizeof && k != Keyword::Alignof)
        {
            return Err(self.error_hint(start, "macro that is not a constant".into(), HINT));
        }
        let (ty, value) = self.constant_value(Some(HINT))?;
        self.declare(name, Decl::Constant { ty, value }, start)
    }
}

fn is_continued(text: &[u8], newline: usize) -> bool {
    text[..newline].strip_suffix(b"\r").unwrap_or(&text[..newline]).ends_with(b"\\")
}
