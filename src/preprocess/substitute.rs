//! Replacement lists with their arguments: parameters, `#`, `##` and `__VA_OPT__`.

use std::rc::Rc;

use super::lexer::Lexer;
use super::macros::Macro;
use super::reader::{Reader, Result};
use super::source::Use;
use super::token::{Flags, Kind, Place, Spacing, Token};
use super::word;

/// The argument for a parameter.
#[derive(Debug)]
pub(super) struct Argument {
    /// As it was written.
    raw: Vec<Token>,
    /// After its macros were replaced, once somebody asks.
    expanded: Option<Vec<Token>>,
    /// Whether it is the variable argument of a macro, and nothing was written for it.
    omitted: bool,
}

impl Argument {
    pub(super) fn new(mut raw: Vec<Token>) -> Argument {
        while raw.last().is_some_and(Token::is_gap) {
            raw.pop();
        }
        Argument { raw, expanded: None, omitted: false }
    }

    /// The variable argument, where even its comma is missing.
    pub(super) fn omitted() -> Argument {
        Argument { omitted: true, ..Argument::new(Vec::new()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The memory of both lists, for others.
    pub(super) fn lists(self) -> impl Iterator<Item = Vec<Token>> {
        std::iter::once(self.raw).chain(self.expanded)
    }
}

/// What the operands of `##` and the white space around depend on.
#[derive(Clone, Copy)]
struct Sides {
    /// `##` is before it.
    left: bool,
    /// `##` is behind it.
    right: bool,
}

impl Reader<'_> {
    /// The replacement of a macro.
    pub(super) fn substitute(
        &mut self,
        found: &Macro,
        arguments: &mut [Argument],
        of: Use,
    ) -> Result<Vec<Token>> {
        let outside = Sides { left: false, right: false };
        let mut out = self.substitute_part(found, 0..found.body.len(), outside, arguments, of)?;
        if found.pastes {
            out.retain(|token| token.kind != Kind::Placemarker);
        }
        Ok(out)
    }

    /// A part of the body, with its placemarkers: all of it, or the inside of a `__VA_OPT__`, which may have `##` around it.
    fn substitute_part(
        &mut self,
        found: &Macro,
        part: std::ops::Range<usize>,
        around: Sides,
        arguments: &mut [Argument],
        of: Use,
    ) -> Result<Vec<Token>> {
        let mut out = self.list();
        let mut at = part.start;
        let mut left = false;
        while at < part.end {
            let token = found.body[at];
            let sides = Sides { left, right: token.flags.has(Flags::PASTE) };
            at += 1;
            match token.kind {
                Kind::Param if token.flags.has(Flags::STRINGIFY) => {
                    let argument = &arguments[token.spelling.index()].raw;
                    out.push(stringify(self, argument, token));
                }
                Kind::Param => {
                    let index = token.spelling.index();
                    let argument = &mut arguments[index];
                    let is_rest = found.rest() == Some(index);
                    let after_comma = is_rest && left && !sides.right;
                    if let Some(comma) = after_comma.then(|| last_comma(&out)).flatten() {
                        variable_arguments(argument, comma, &mut out);
                    } else if sides.left || sides.right {
                        operand(&mut out, &argument.raw, token, sides);
                    } else {
                        self.expand(argument)?;
                        let expanded = argument.expanded.as_deref().unwrap_or_default();
                        operand(&mut out, expanded, token, sides);
                        let first = around.left && at == part.start + 1;
                        let last = around.right && at == part.end;
                        if (first || last) && expanded.iter().all(Token::is_gap) {
                            out.push(Token::mark(Kind::Placemarker, Flags::NONE, token.place));
                        }
                    }
                }
                Kind::Opt => {
                    let end = token.spelling.index();
                    let list = self.optional(found, at..end, sides, arguments, of)?;
                    at = end + 1;
                    if token.flags.has(Flags::STRINGIFY) {
                        out.push(stringify(self, &list, token));
                    } else {
                        operand(&mut out, &list, token, sides);
                    }
                    self.recycle(list);
                }
                _ => out.push(token),
            }
            left = sides.right;
        }
        self.count_tokens(out.len(), of.at)?;
        if found.pastes {
            self.paste_all(&mut out, of)?;
        }
        Ok(out)
    }

    fn expand(&mut self, argument: &mut Argument) -> Result<()> {
        if argument.expanded.is_none() {
            argument.expanded = Some(self.expand_argument(&argument.raw)?);
        }
        Ok(())
    }

    /// The inside of a `__VA_OPT__`, if there are variable arguments; else nothing.
    fn optional(
        &mut self,
        found: &Macro,
        part: std::ops::Range<usize>,
        around: Sides,
        arguments: &mut [Argument],
        of: Use,
    ) -> Result<Vec<Token>> {
        if let Some(rest) = found.rest() {
            self.expand(&mut arguments[rest])?;
            let expanded = arguments[rest].expanded.as_deref().unwrap_or_default();
            if expanded.iter().any(|token| !token.is_gap()) {
                return self.substitute_part(found, part, around, arguments, of);
            }
        }
        Ok(Vec::new())
    }

    /// Carries out the `##` of a list.
    fn paste_all(&mut self, list: &mut Vec<Token>, of: Use) -> Result<()> {
        let (mut read, mut written) = (0, 0);
        while read < list.len() {
            let mut left = list[read];
            read += 1;
            while left.flags.has(Flags::PASTE) {
                match list[read..].iter().position(|token| !token.is_gap()) {
                    None => left.flags = left.flags.without(Flags::PASTE),
                    Some(gaps) => {
                        left = self.paste(left, list[read + gaps], of)?;
                        read += gaps + 1;
                    }
                }
            }
            list[written] = left;
            written += 1;
        }
        list.truncate(written);
        Ok(())
    }

    /// `left ## right`
    fn paste(&mut self, left: Token, right: Token, of: Use) -> Result<Token> {
        let paste = right.flags.only(Flags::PASTE);
        if left.kind == Kind::Placemarker {
            return Ok(right);
        }
        if right.kind == Kind::Placemarker {
            return Ok(Token { flags: left.flags.without(Flags::PASTE).with(paste), ..left });
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.extend_from_slice(self.spellings.bytes(left.spelling));
        text.extend_from_slice(self.spellings.bytes(right.spelling));
        let kind = if left.kind == Kind::Name
            && matches!(right.kind, Kind::Name | Kind::Number)
            && !text.contains(&b'.')
            && !text.contains(&b'+')
            && !text.contains(&b'-')
            && !text.contains(&b'\'')
        {
            Some(Kind::Name)
        } else {
            let mut lexer = Lexer::new(Rc::new(text.clone()), Place(0), self.rules);
            let token = lexer.next(&mut self.spellings);
            let all = lexer.next(&mut self.spellings).kind == Kind::End;
            let one = all && self.spellings.bytes(token.spelling) == text;
            (one && token.kind != Kind::Other && token.kind != Kind::End).then_some(token.kind)
        };
        let spelling = self.spellings.intern(&text);
        self.scratch = text;
        let Some(kind) = kind else {
            let shown = |token: Token| self.spellings.text(token.spelling);
            let message = format!("'{}' ## '{}' is no token", shown(left), shown(right));
            return Err(self.error_in(left.place, message, of));
        };
        let flags = left.flags.only(Flags::WHITE).with(Flags::BODY).with(paste);
        Ok(Token { kind, flags, spelling, place: left.place })
    }
}

/// Where the comma is whose `##` the next operand gets.
fn last_comma(out: &[Token]) -> Option<usize> {
    let last = out.iter().rposition(|token| !token.is_gap() && token.kind != Kind::Placemarker)?;
    (out[last].is(word::COMMA) && out[last].flags.has(Flags::PASTE)).then_some(last)
}

/// GCC's `, ## __VA_ARGS__`: if the argument was omitted, the comma goes.
fn variable_arguments(argument: &Argument, comma: usize, out: &mut Vec<Token>) {
    out.truncate(comma + 1);
    out[comma].flags = out[comma].flags.without(Flags::PASTE);
    if argument.omitted {
        out[comma].kind = Kind::Placemarker;
    } else {
        out.extend_from_slice(&argument.raw);
    }
}

/// Adds what takes the place of a parameter or `__VA_OPT__`.
fn operand(out: &mut Vec<Token>, tokens: &[Token], token: Token, sides: Sides) {
    if !sides.left {
        out.push(Token::mark(Kind::Gap, token.flags.only(Flags::WHITE), token.place));
    }
    let pastes = sides.left || sides.right;
    if pastes && tokens.iter().all(Token::is_gap) {
        out.push(Token::mark(Kind::Placemarker, Flags::NONE, token.place));
    } else {
        out.extend_from_slice(tokens);
    }
    if sides.right {
        mark_paste(out);
    } else {
        out.push(Token::mark(Kind::GapEnd, Flags::NONE, token.place));
    }
}

/// Notes that `##` follows the last token.
fn mark_paste(out: &mut [Token]) {
    if let Some(last) = out.iter_mut().rev().find(|token| !token.is_gap()) {
        last.flags = last.flags.with(Flags::PASTE);
    }
}

/// `#argument`: a string of the spellings.
fn stringify(reader: &mut Reader, argument: &[Token], operand: Token) -> Token {
    let mut text = vec![b'"'];
    let mut spacing = Spacing::default();
    for &token in argument {
        if token.is_gap() {
            spacing.gap(token);
            continue;
        }
        if token.kind == Kind::Placemarker {
            continue;
        }
        let space = spacing.take(token);
        if text.len() > 1 && space.has(Flags::WHITE) {
            text.push(b' ');
        }
        let bytes = reader.spellings.bytes(token.spelling);
        if matches!(token.kind, Kind::Str | Kind::Char) {
            for &byte in bytes {
                if matches!(byte, b'"' | b'\\') {
                    text.push(b'\\');
                }
                text.push(byte);
            }
        } else {
            text.extend_from_slice(bytes);
        }
    }
    // A backslash before the closing quote would escape it.
    let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\').count();
    if backslashes % 2 == 1 {
        text.pop();
    }
    text.push(b'"');
    let flags = operand.flags.only(Flags::WHITE.with(Flags::PASTE).with(Flags::BODY));
    let spelling = reader.spellings.intern(&text);
    Token { kind: Kind::Str, flags, spelling, place: operand.place }
}
