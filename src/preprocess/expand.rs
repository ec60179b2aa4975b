//! The replacement of macros.
//!
//! A name is not replaced while the replacement of its own macro is being read, and never again afterwards: it is *painted* (C23
//! 6.10.5.4). Which macros are being read is a flag of each macro, set while its [`Context`] is on the stack, so that the question costs
//! the same however deep macros lead to macros. GCC and Clang have the same rule. Prosser's hide sets, by which the committee once
//! explained it, differ in a case that the standard leaves open: a name that comes out of the argument of a macro is hidden there from
//! all macros that led to it, even after these have ended. Here it is as in GCC and Clang.

use std::rc::Rc;

use super::macros::{Definition, Macro};
use super::reader::{Reader, Result};
use super::source::Use;
use super::substitute::Argument;
use super::token::{Flags, Kind, Token};
use super::word;

/// Tokens to read before the file goes on.
#[derive(Debug)]
pub(super) struct Context {
    tokens: Tokens,
    at: usize,
    /// The macro that they are the replacement of.
    pub(super) of: Option<Use>,
    /// An argument: reading stops at its end.
    is_argument: bool,
}

#[derive(Debug)]
enum Tokens {
    Body(Rc<Macro>),
    List(Vec<Token>),
}

impl Tokens {
    #[inline]
    fn get(&self, at: usize) -> Option<Token> {
        match self {
            Tokens::Body(found) => found.body.get(at).copied(),
            Tokens::List(list) => list.get(at).copied(),
        }
    }
}

impl Reader<'_> {
    /// The next token before macros are replaced. Directives are carried out.
    pub(super) fn raw(&mut self) -> Result<Token> {
        self.read()
    }

    #[inline(always)]
    fn read(&mut self) -> Result<Token> {
        loop {
            while let Some(context) = self.contexts.last_mut() {
                if let Some(token) = context.tokens.get(context.at) {
                    context.at += 1;
                    return Ok(token);
                }
                if context.is_argument {
                    return Ok(Token::mark(Kind::End, Flags::NONE, self.outer));
                }
                self.pop();
                if !self.in_directive {
                    return Ok(Token::mark(Kind::GapEnd, Flags::NONE, self.outer));
                }
            }
            let token = self.lex();
            let begins_line = token.flags.has(Flags::LINE) && token.is_hash();
            if !begins_line || self.in_directive || self.looks_ahead {
                return Ok(token);
            }
            self.directive(token)?;
        }
    }

    /// The next token. A macro that is replaced leaves a [`Kind::Gap`] first.
    pub(super) fn next(&mut self) -> Result<Token> {
        loop {
            let mut token = self.read()?;
            if token.kind != Kind::Name || token.flags.has(Flags::PAINTED) {
                return Ok(token);
            }
            let Some(slot) = self.macros.get(token.spelling) else { return Ok(token) };
            if slot.active {
                token.flags = token.flags.with(Flags::PAINTED);
                return Ok(token);
            }
            if self.keeps_macros || !self.enter(token)? {
                return Ok(token);
            }
            if !self.in_directive {
                return Ok(Token::mark(Kind::Gap, token.flags.only(Flags::WHITE), token.place));
            }
        }
    }

    /// The next token that is no gap.
    pub(super) fn next_solid(&mut self) -> Result<Token> {
        loop {
            let token = self.next()?;
            if !token.is_gap() {
                return Ok(token);
            }
        }
    }

    /// The next token that is no gap, before macros are replaced.
    pub(super) fn raw_solid(&mut self) -> Result<Token> {
        let kept = std::mem::replace(&mut self.keeps_macros, true);
        let token = self.next_solid();
        self.keeps_macros = kept;
        token
    }

    /// Reads on in these tokens.
    pub(super) fn push(&mut self, tokens: Vec<Token>) {
        let tokens = Tokens::List(tokens);
        self.contexts.push(Context { tokens, at: 0, of: None, is_argument: false });
    }

    pub(super) fn pop(&mut self) {
        let Some(context) = self.contexts.pop() else { return };
        if let Some(Use { name, .. }) = context.of {
            self.macros.set_active(name, false);
        }
        if let Tokens::List(list) = context.tokens {
            self.recycle(list);
        }
    }

    /// Replaces a macro; `false` if it is function-like and no `(` follows.
    fn enter(&mut self, name: Token) -> Result<bool> {
        if self.contexts.is_empty() && !name.flags.has(Flags::BODY) {
            self.outer = name.place;
        }
        let found = match self.macros.get(name.spelling).map(|slot| &slot.definition) {
            Some(Definition::User(found)) => found.clone(),
            Some(Definition::Poisoned) => {
                let text = self.spellings.text(name.spelling);
                return Err(self.error(name.place, format!("'{text}' is poisoned")));
            }
            Some(&Definition::Builtin(builtin)) => {
                let token = self.builtin(builtin, name)?;
                self.push(vec![token]);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let tokens = if found.params.is_some() {
            let Some(mut arguments) = self.arguments(&found, name)? else { return Ok(false) };
            let of = Use { name: name.spelling, at: name.place };
            let list = self.substitute(&found, &mut arguments, of);
            arguments.into_iter().flat_map(Argument::lists).for_each(|list| self.recycle(list));
            Tokens::List(list?)
        } else if found.pastes {
            let of = Use { name: name.spelling, at: name.place };
            Tokens::List(self.substitute(&found, &mut [], of)?)
        } else {
            Tokens::Body(found)
        };
        self.count_expansion(name)?;
        self.macros.set_active(name.spelling, true);
        let of = Some(Use { name: name.spelling, at: name.place });
        self.contexts.push(Context { tokens, at: 0, of, is_argument: false });
        Ok(true)
    }

    fn count_expansion(&mut self, name: Token) -> Result<()> {
        self.expansions += 1;
        if self.expansions > self.limits.expansions {
            let message = format!("more than {} macros are replaced", self.limits.expansions);
            return Err(self.error(name.place, message));
        }
        Ok(())
    }

    /// Whether `(` comes next; it is read then. Else the gaps before the next token stay.
    fn opens(&mut self) -> Result<bool> {
        let position = self.buffer().lexer.position();
        let mut gaps = self.list();
        self.looks_ahead = true;
        let token = loop {
            match self.raw() {
                Ok(token) if token.is_gap() => gaps.push(token),
                token => break token,
            }
        };
        self.looks_ahead = false;
        let token = token?;
        if token.is(word::OPEN) {
            self.recycle(gaps);
            return Ok(true);
        }
        match self.contexts.last_mut() {
            None => self.buffer().lexer.go_to(position),
            Some(_) if token.kind == Kind::End => {}
            Some(context) => context.at -= 1,
        }
        if !gaps.is_empty() && !self.in_directive {
            self.push(gaps);
        }
        Ok(false)
    }

    /// The arguments of a function-like macro; nothing if no `(` follows its name.
    fn arguments(&mut self, found: &Macro, name: Token) -> Result<Option<Vec<Argument>>> {
        if !self.opens()? {
            return Ok(None);
        }
        let params = found.params.as_ref().map_or(0, Vec::len);
        let mut arguments = Vec::with_capacity(params);
        let mut list = self.list();
        let mut depth = 0_usize;
        loop {
            let mut token = self.read()?;
            match token.kind {
                Kind::End | Kind::EndOfLine => {
                    let text = self.spellings.text(name.spelling);
                    let message = format!("the arguments of the macro '{text}' have no ')'");
                    return Err(self.error(name.place, message));
                }
                Kind::Gap | Kind::GapEnd if list.is_empty() => continue,
                Kind::Punct if token.spelling == word::OPEN => depth += 1,
                Kind::Punct if token.spelling == word::CLOSE && depth == 0 => break,
                Kind::Punct if token.spelling == word::CLOSE => depth -= 1,
                Kind::Punct if token.spelling == word::COMMA && depth == 0 => {
                    let is_rest = found.variadic && arguments.len() + 1 == params;
                    if !is_rest {
                        let next = self.list();
                        arguments.push(Argument::new(std::mem::replace(&mut list, next)));
                        continue;
                    }
                }
                Kind::Name if self.macros.get(token.spelling).is_some_and(|slot| slot.active) => {
                    token.flags = token.flags.with(Flags::PAINTED);
                }
                _ => {}
            }
            if token.flags.has(Flags::LINE) {
                token.flags = token.flags.without(Flags::LINE).with(Flags::SPACE);
            }
            list.push(token);
        }
        arguments.push(Argument::new(list));
        self.check_count(found, name, &mut arguments)?;
        Ok(Some(arguments))
    }

    fn check_count(
        &mut self,
        found: &Macro,
        name: Token,
        arguments: &mut Vec<Argument>,
    ) -> Result<()> {
        let params = found.params.as_ref().map_or(0, Vec::len);
        let given = arguments.len();
        if found.variadic && params == 1 && arguments[0].is_empty() {
            arguments[0] = Argument::omitted();
        }
        if given == params || params == 0 && given == 1 && arguments[0].is_empty() {
            return Ok(());
        }
        if found.variadic && given + 1 == params {
            arguments.push(Argument::omitted());
            return Ok(());
        }
        let text = self.spellings.text(name.spelling);
        let least = if found.variadic { "at least " } else { "" };
        let count = if found.variadic { params - 1 } else { params };
        let message = format!("the macro '{text}' takes {least}{count} arguments, not {given}");
        Err(self.error(name.place, message))
    }

    /// The tokens of an argument after its macros were replaced, as if it were a file of its own.
    pub(super) fn expand_argument(&mut self, raw: &[Token]) -> Result<Vec<Token>> {
        let mut expanded = self.list();
        if !raw
            .iter()
            .any(|token| token.kind == Kind::Name && self.macros.get(token.spelling).is_some())
        {
            expanded.extend_from_slice(raw);
            return Ok(expanded);
        }
        self.nesting += 1;
        if self.nesting > self.limits.nesting {
            let message =
                format!("macros in arguments of macros, more than {} deep", self.limits.nesting);
            return Err(self.error(self.outer, message));
        }
        let mut list = self.list();
        list.extend_from_slice(raw);
        let depth = self.contexts.len();
        let tokens = Tokens::List(list);
        self.contexts.push(Context { tokens, at: 0, of: None, is_argument: true });
        let kept = std::mem::replace(&mut self.keeps_macros, false);
        loop {
            let token = self.next()?;
            if token.kind == Kind::End {
                break;
            }
            expanded.push(token);
        }
        self.keeps_macros = kept;
        debug_assert_eq!(self.contexts.len(), depth + 1, "the argument is on top again");
        self.pop();
        self.nesting -= 1;
        Ok(expanded)
    }
}
