//! Rewrites LuaJIT's source text for another Lua.
//!
//! Metamethods cannot give the running Lua all of LuaJIT's behaviour. The rest becomes calls of helpers: `a == b` and `a ~= b`, because Lua asks no
//! metamethod whether a cdata equals a number or nil; `a .. b .. c`, because Lua 5.3 and later print the float 3 as `3.0`; literals of cdata.
//! Integer literals become floats, because each number of LuaJIT is a double; they stay integers if they are only indices.
//!
//! The text is parsed as Lua's own parser does it, and edited in place: no line moves.

mod escapes;
mod expression;

use super::edits::{Edits, Place};
use super::lex::{Kind, Numeral, Token, tokens};
use expression::{EXACT, What};

/// The rewriting that the running Lua's numbers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Lua has integers beside floats.
    pub(super) integers: bool,
    /// `<` and its like ask the metamethods of operands of two types.
    pub(super) mixed_order: bool,
    /// A function with `...` has a local variable `arg`; a chunk has not.
    pub(super) hidden_arg: bool,
    /// The name `_ENV` stands for the table of the global variables.
    pub(super) environment: bool,
    /// Strings have `\x`, `\z` and `\u`.
    pub(super) escapes: bool,
}

/// A literal that is a cdata.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal {
    Int64(i64),
    UInt64(u64),
    /// The imaginary part of a `complex`.
    Imaginary(f64),
}

/// The arguments of a rewritten chunk: functions for operators, the table of literals.
pub(super) const HELPERS: [&str; 10] = [
    "__ffi_eq",
    "__ffi_ne",
    "__ffi_lt",
    "__ffi_le",
    "__ffi_gt",
    "__ffi_ge",
    "__ffi_concat",
    "__ffi_mod",
    "__ffi_tail",
    "__ffi_literal",
];

/// The new name of a variable or label whose name has bytes beyond ASCII begins with this; the bytes follow in hexadecimal digits.
const NAME: &str = "__ffi_name_";

/// The new name of a local variable `_ENV`.
const LOCAL_ENVIRONMENT: &str = "__ffi_env";

/// How deep expressions and blocks nest, as in Lua.
const MAX_DEPTH: usize = 190;

/// The text to load in place of another.
#[derive(Debug, PartialEq)]
pub(super) enum Chunk {
    /// The text as it is.
    Unchanged,
    /// A chunk that takes the [`HELPERS`] and returns the function that the text is.
    Rewritten {
        text: Vec<u8>,
        /// The literals that their helper holds, from 1.
        literals: Vec<Literal>,
    },
    /// It is no Lua that the parser knows. This text has the same syntax error, but no literals that only LuaJIT has:
    /// `replaced` says whether there were any.
    Unknown { text: Vec<u8>, replaced: bool },
    /// It nests deeper than Lua allows.
    TooDeep,
}

/// Rewrites a chunk.
pub(super) fn rewrite(text: &[u8], dialect: Dialect) -> Chunk {
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        at: 0,
        depth: 0,
        dialect,
        edits: Edits::default(),
        literals: Vec::new(),
        environment_is_local: false,
    };
    if !dialect.escapes {
        parser.replace_escapes();
    }
    match parser.block() {
        Err(Failed::TooDeep) => Chunk::TooDeep,
        Ok(()) if parser.kind() == Kind::End => {
            if parser.edits.is_empty() {
                return Chunk::Unchanged;
            }
            let (before, after) = match dialect.hidden_arg {
                true => ("local __ffi_arg=arg ", "local arg=__ffi_arg "),
                false => ("", ""),
            };
            let helpers = HELPERS.join(",");
            let mut text =
                format!("local {helpers}=... {before}return function(...) {after}").into();
            parser.edits.apply(parser.text, &parser.tokens, &mut text);
            text.extend_from_slice(b"\nend");
            Chunk::Rewritten { text, literals: parser.literals }
        }
        _ => parser.without_literals(),
    }
}

/// Why the text cannot be parsed.
enum Failed {
    Syntax,
    TooDeep,
}

type Parse<T> = Result<T, Failed>;

struct Parser<'a> {
    text: &'a [u8],
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    dialect: Dialect,
    edits: Edits,
    literals: Vec<Literal>,
    /// Whether a local variable that the text calls `_ENV` is in scope.
    environment_is_local: bool,
}

impl Parser<'_> {
    /// Spells the escapes of all strings so that Lua 5.1 reads them.
    fn replace_escapes(&mut self) {
        for (i, token) in self.tokens.iter().enumerate().filter(|(_, t)| t.kind == Kind::String) {
            if let Some(text) = escapes::in_decimal(&self.text[token.start..token.end]) {
                self.edits.add(i, Place::Instead, text);
            }
        }
    }

    fn kind(&self) -> Kind {
        self.tokens[self.at].kind
    }

    fn at_sign(&self, symbol: &str) -> bool {
        matches!(self.kind(), Kind::Symbol(s) if s == symbol)
    }

    fn ahead(&self, n: usize) -> Kind {
        self.tokens.get(self.at + n).map_or(Kind::End, |token| token.kind)
    }

    fn advance(&mut self) {
        if self.kind() != Kind::End {
            self.at += 1;
        }
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.at_sign(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Parse<()> {
        if self.eat(symbol) { Ok(()) } else { Err(Failed::Syntax) }
    }

    /// A name that is no key of a table.
    fn expect_name(&mut self) -> Parse<()> {
        let found = self.kind() == Kind::Name;
        if let Some(name) = self.name_beyond_ascii() {
            let bytes: String = name.iter().map(|c| format!("{c:02x}")).collect();
            self.edit(self.at, Place::Instead, format!("{NAME}{bytes}"));
        }
        self.advance();
        if found { Ok(()) } else { Err(Failed::Syntax) }
    }

    /// A name that is a key, in a place where none but names stand.
    fn expect_key(&mut self) -> Parse<()> {
        if self.name_beyond_ascii().is_some() {
            return Err(Failed::Syntax);
        }
        self.expect_name()
    }

    /// A name that is a key, in a place where a key in brackets may stand.
    fn key_name(&mut self) {
        if let Some(name) = self.name_beyond_ascii() {
            let bytes: String = name.iter().map(|c| format!("\\{c:03}")).collect();
            self.edit(self.at, Place::Instead, format!("[\"{bytes}\"]"));
        }
        self.advance();
    }

    /// The next token, where it is a name that only LuaJIT takes for one.
    fn name_beyond_ascii(&self) -> Option<&[u8]> {
        let token = self.tokens[self.at];
        let name = &self.text[token.start..token.end];
        (token.kind == Kind::Name && !name.is_ascii()).then_some(name)
    }

    /// A name in the place of a variable.
    fn expect_variable(&mut self) -> Parse<()> {
        if self.is_environment() {
            let name = if self.environment_is_local { LOCAL_ENVIRONMENT } else { "_ENV._ENV" };
            self.edit(self.at, Place::Instead, name);
        }
        self.expect_name()
    }

    /// The name of a new local variable. Whether it is called `_ENV`.
    fn expect_local(&mut self) -> Parse<bool> {
        let found = self.is_environment();
        if found {
            self.edit(self.at, Place::Instead, LOCAL_ENVIRONMENT);
        }
        self.expect_name().map(|()| found)
    }

    /// Whether the next token is the name that stands for the global variables here and for nothing in LuaJIT.
    fn is_environment(&self) -> bool {
        self.dialect.environment && self.is_name("_ENV")
    }

    /// Parses what has local variables of its own.
    fn scope<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        let outside = self.environment_is_local;
        let parsed = parse(self);
        self.environment_is_local = outside;
        parsed
    }

    fn is_name(&self, text: &str) -> bool {
        let token = self.tokens[self.at];
        token.kind == Kind::Name && &self.text[token.start..token.end] == text.as_bytes()
    }

    fn edit(&mut self, token: usize, place: Place, text: impl Into<String>) {
        self.edits.add(token, place, text.into());
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth == MAX_DEPTH {
            return Err(Failed::TooDeep);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    // Statements

    fn block(&mut self) -> Parse<()> {
        self.scope(Self::statements)
    }

    fn statements(&mut self) -> Parse<()> {
        loop {
            match self.kind() {
                Kind::End | Kind::Symbol("end" | "else" | "elseif" | "until") => return Ok(()),
                Kind::Symbol("return") => {
                    self.advance();
                    let last = matches!(
                        self.kind(),
                        Kind::End | Kind::Symbol("end" | "else" | "elseif" | "until" | ";")
                    );
                    if !last {
                        self.results()?;
                    }
                    self.eat(";");
                    return Ok(());
                }
                _ => self.nested(Self::statement)?,
            }
        }
    }

    fn statement(&mut self) -> Parse<()> {
        match self.kind() {
            Kind::Symbol(";" | "break") => self.advance(),
            Kind::Symbol("if") => {
                self.condition("then")?;
                while self.at_sign("elseif") {
                    self.condition("then")?;
                }
                if self.eat("else") {
                    self.block()?;
                }
                self.expect("end")?;
            }
            Kind::Symbol("while") => {
                self.condition("do")?;
                self.expect("end")?;
            }
            Kind::Symbol("do") => {
                self.advance();
                self.block()?;
                self.expect("end")?;
            }
            Kind::Symbol("for") => self.for_loop()?,
            Kind::Symbol("repeat") => {
                self.advance();
                self.scope(|p| {
                    p.statements()?;
                    p.expect("until")?;
                    p.expression()
                })?;
            }
            Kind::Symbol("function") => {
                self.advance();
                self.expect_variable()?;
                while self.eat(".") || self.eat(":") {
                    self.expect_key()?;
                }
                self.function_body()?;
            }
            Kind::Symbol("local") => self.local()?,
            Kind::Symbol("::") => {
                self.advance();
                self.expect_name()?;
                self.expect("::")?;
            }
            Kind::Name if self.is_name("goto") && self.ahead(1) == Kind::Name => {
                self.advance();
                self.expect_name()?;
            }
            _ => self.assignment_or_call()?,
        }
        self.separate();
        Ok(())
    }

    /// A helper's call or a cdata literal at the end of a statement would take the `(` of the next one for its arguments.
    fn separate(&mut self) {
        let Some(last) = self.at.checked_sub(1) else { return };
        if self.at_sign("(") && self.edits.end_at(last) {
            self.edit(last, Place::After, ";");
        }
    }

    /// `if c then block`, and the like.
    fn condition(&mut self, then: &str) -> Parse<()> {
        self.advance();
        self.expression()?;
        self.expect(then)?;
        self.block()
    }

    fn for_loop(&mut self) -> Parse<()> {
        self.advance();
        let mut environment = self.expect_local()?;
        if self.eat("=") {
            loop {
                self.bound()?;
                if !self.eat(",") {
                    break;
                }
            }
        } else {
            while self.eat(",") {
                environment |= self.expect_local()?;
            }
            self.expect("in")?;
            self.expressions()?;
        }
        self.expect("do")?;
        self.scope(|p| {
            p.environment_is_local |= environment;
            p.block()
        })?;
        self.expect("end")
    }

    /// A bound of a numeric loop. Literals stay integers, so that the loop counts in integers.
    fn bound(&mut self) -> Parse<()> {
        let sign = usize::from(self.at_sign("-"));
        let alone = matches!(self.ahead(sign + 1), Kind::Symbol("," | "do"));
        if alone && matches!(self.ahead(sign), Kind::Number(Numeral::Integer(n)) if n < EXACT) {
            self.at += sign + 1;
            return Ok(());
        }
        self.expression().map(|_| ())
    }

    fn local(&mut self) -> Parse<()> {
        self.advance();
        if self.eat("function") {
            self.environment_is_local |= self.expect_local()?;
            return self.function_body();
        }
        let mut environment = false;
        loop {
            environment |= self.expect_local()?;
            if self.eat("<") {
                self.expect_name()?;
                self.expect(">")?;
            }
            if !self.eat(",") {
                break;
            }
        }
        if self.eat("=") {
            self.expressions()?;
        }
        self.environment_is_local |= environment;
        Ok(())
    }

    fn assignment_or_call(&mut self) -> Parse<()> {
        let first = self.suffixed()?;
        if !self.at_sign("=") && !self.at_sign(",") {
            return if first.what == What::Other { Err(Failed::Syntax) } else { Ok(()) };
        }
        while self.eat(",") {
            self.suffixed()?;
        }
        self.expect("=")?;
        self.expressions()
    }

    fn function_body(&mut self) -> Parse<()> {
        self.expect("(")?;
        let mut environment = false;
        while !self.eat(")") {
            if !self.eat("...") {
                environment |= self.expect_local()?;
            }
            if !self.at_sign(")") {
                self.expect(",")?;
            }
        }
        self.scope(|p| {
            p.environment_is_local |= environment;
            p.block()
        })?;
        self.expect("end")
    }
}

#[cfg(test)]
mod tests;
