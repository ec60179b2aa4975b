//! `#pragma` and `_Pragma`: those of the preprocessor are carried out, the others are tokens for the parser.

use super::lexer::Lexer;
use super::macros::Definition;
use super::reader::{Reader, Result};
use super::source::Text;
use super::spelling::Spelling;
use super::text;
use super::token::{Flags, Kind, Token};
use super::word::{self, spelling};

const ONCE: Spelling = spelling("once");
const PUSH_MACRO: Spelling = spelling("push_macro");
const POP_MACRO: Spelling = spelling("pop_macro");
const GCC: Spelling = spelling("GCC");
const CLANG: Spelling = spelling("clang");
const POISON: Spelling = spelling("poison");
const SYSTEM_HEADER: Spelling = spelling("system_header");
const WARNING: Spelling = spelling("warning");
const ERROR: Spelling = spelling("error");
const PACK: Spelling = spelling("pack");

impl Reader<'_> {
    /// `#pragma` in a line of its own.
    pub(super) fn pragma_line(&mut self, name: Token) -> Result<()> {
        let mut tokens = Vec::new();
        loop {
            let token = self.raw()?;
            if matches!(token.kind, Kind::EndOfLine | Kind::End) {
                break;
            }
            tokens.push(token);
        }
        self.pragma(name, tokens)
    }

    /// `_Pragma("tokens")`
    pub(super) fn pragma_operator(&mut self, name: Token) -> Result<()> {
        let open = self.next_solid()?;
        let literal = self.next_solid()?;
        let close = self.next_solid()?;
        if !open.is(word::OPEN) || literal.kind != Kind::Str || !close.is(word::CLOSE) {
            return Err(self.error(name.place, "'_Pragma' is written '_Pragma(\"text\")'"));
        }
        let text = Text::new(text::unescaped(self.spellings.bytes(literal.spelling)).into_bytes());
        let mut lexer = Lexer::new(text.bytes.clone(), literal.place, self.rules);
        lexer.begin_directive();
        let mut tokens = Vec::new();
        loop {
            let token = lexer.next(&mut self.spellings);
            if matches!(token.kind, Kind::EndOfLine | Kind::End) {
                break;
            }
            tokens.push(Token { place: literal.place, ..token });
        }
        self.pragma(name, tokens)
    }

    fn pragma(&mut self, name: Token, tokens: Vec<Token>) -> Result<()> {
        let word = |index: usize| {
            tokens.get(index).filter(|token| token.kind == Kind::Name).map(|token| token.spelling)
        };
        match (word(0), word(1)) {
            (Some(ONCE), _) => {
                if let Some(file) = self.buffer().file {
                    self.library.set_once(file);
                }
            }
            (Some(PUSH_MACRO), _) => {
                if let Some(name) = self.named_macro(&tokens) {
                    let old = self.macros.set(name, Definition::None);
                    self.macros.set(name, old.clone());
                    self.pushed.entry(name).or_default().push(old);
                }
            }
            (Some(POP_MACRO), _) => {
                if let Some(name) = self.named_macro(&tokens)
                    && let Some(old) = self.pushed.get_mut(&name).and_then(Vec::pop)
                {
                    self.macros.set(name, old);
                }
            }
            (Some(GCC | CLANG), Some(POISON)) => {
                for token in tokens.iter().skip(2).filter(|token| token.kind == Kind::Name) {
                    self.macros.set(token.spelling, Definition::Poisoned);
                }
            }
            (Some(GCC | CLANG), Some(SYSTEM_HEADER)) => {}
            (Some(GCC), Some(WARNING)) => {
                let message = self.pragma_message(&tokens);
                self.warn(name.place, message);
            }
            (Some(GCC), Some(ERROR)) => {
                let message = self.pragma_message(&tokens);
                return Err(self.error(name.place, message));
            }
            (Some(PACK), _) => {
                // Its numbers may be macros, as in the headers of Windows.
                let expanded = self.expand_pragma(&tokens)?;
                self.emit_pragma(name, &expanded);
            }
            _ => self.emit_pragma(name, &tokens),
        }
        Ok(())
    }

    /// The macro of `push_macro("NAME")`.
    fn named_macro(&mut self, tokens: &[Token]) -> Option<Spelling> {
        let literal = tokens.get(2).filter(|token| token.kind == Kind::Str)?;
        let name = text::unescaped(self.spellings.bytes(literal.spelling));
        Some(self.spellings.intern(name.as_bytes()))
    }

    fn pragma_message(&self, tokens: &[Token]) -> String {
        let literal = tokens.get(2).filter(|token| token.kind == Kind::Str);
        literal.map_or_else(
            || "a message of a pragma".to_owned(),
            |literal| text::unescaped(self.spellings.bytes(literal.spelling)),
        )
    }

    fn expand_pragma(&mut self, tokens: &[Token]) -> Result<Vec<Token>> {
        let mut expanded = self.expand_argument(tokens)?;
        expanded.retain(|token| !token.is_gap());
        Ok(expanded)
    }

    /// Hands a pragma on to the parser.
    fn emit_pragma(&mut self, name: Token, tokens: &[Token]) {
        const PRAGMA: Spelling = spelling("pragma");
        let place = self.visible_place(name);
        let start = Token { flags: Flags::LINE, ..Token::new(Kind::Pragma, PRAGMA, place) };
        self.out.push(start);
        self.out.extend(tokens.iter().map(|token| Token { place, ..*token }));
        self.out.push(Token::mark(Kind::PragmaEnd, Flags::LINE, place));
    }
}
