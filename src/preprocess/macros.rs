//! Macros: what `#define` stores.

use std::rc::Rc;

use super::builtin::Builtin;
use super::reader::{Reader, Result};
use super::spelling::Spelling;
use super::token::{Flags, Kind, Place, Token};
use super::word;

/// A macro of a text.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub(super) place: Place,
    /// The parameters of a function-like macro; `__VA_ARGS__` is the last one of `(…, ...)`.
    pub(super) params: Option<Vec<Spelling>>,
    /// Whether the last parameter takes all arguments that are left.
    pub(super) variadic: bool,
    /// The replacement list: parameters and `__VA_OPT__` are tokens of their own, `#` and `##` are flags.
    pub(super) body: Vec<Token>,
    /// Whether something in the body has a `##`.
    pub(super) pastes: bool,
}

impl Macro {
    /// Whether a redefinition says the same (C23 6.10.5p1).
    fn is_same(&self, other: &Macro) -> bool {
        let same = |(a, b): (&Token, &Token)| {
            let space = |token: &Token| token.flags.has(Flags::WHITE);
            let operators = Flags::PASTE.with(Flags::STRINGIFY);
            (a.kind, a.spelling, space(a)) == (b.kind, b.spelling, space(b))
                && a.flags.only(operators) == b.flags.only(operators)
        };
        self.params == other.params
            && self.variadic == other.variadic
            && self.body.len() == other.body.len()
            && self.body.iter().zip(&other.body).all(same)
    }

    /// The last parameter, if it takes all arguments that are left.
    pub(super) fn rest(&self) -> Option<usize> {
        self.params.as_ref().filter(|_| self.variadic)?.len().checked_sub(1)
    }
}

/// The meaning of a name for the preprocessor.
#[derive(Clone, Debug, Default)]
pub(super) enum Definition {
    /// It is no macro.
    #[default]
    None,
    User(Rc<Macro>),
    Builtin(Builtin),
    /// `#pragma GCC poison`
    Poisoned,
}

/// A name and its macro.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) definition: Definition,
    /// Whether its replacement is being read.
    pub(super) active: bool,
}

/// The macros of all names.
#[derive(Clone, Debug, Default)]
pub(super) struct Macros {
    /// Whether there is one. Most names have none, and these bytes are near one another.
    defined: Vec<bool>,
    slots: Vec<Slot>,
}

impl Macros {
    #[inline]
    pub(super) fn get(&self, name: Spelling) -> Option<&Slot> {
        let defined = self.defined.get(name.index()).copied().unwrap_or(false);
        if defined { self.slots.get(name.index()) } else { None }
    }

    pub(super) fn is_defined(&self, name: Spelling) -> bool {
        self.get(name).is_some_and(|slot| !matches!(slot.definition, Definition::Poisoned))
    }

    /// Changes the macro of a name; the old one.
    pub(super) fn set(&mut self, name: Spelling, definition: Definition) -> Definition {
        let slot = self.slot(name);
        let defined = !matches!(definition, Definition::None);
        let old = std::mem::replace(&mut slot.definition, definition);
        self.defined[name.index()] = defined;
        old
    }

    pub(super) fn set_active(&mut self, name: Spelling, active: bool) {
        self.slot(name).active = active;
    }

    fn slot(&mut self, name: Spelling) -> &mut Slot {
        if self.slots.len() <= name.index() {
            self.slots.resize_with(name.index() + 1, Slot::default);
            self.defined.resize(name.index() + 1, false);
        }
        &mut self.slots[name.index()]
    }

    /// The macros of texts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Spelling, &Rc<Macro>)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| match &slot.definition {
            Definition::User(found) => Some((Spelling(index as u32), found)),
            _ => None,
        })
    }
}

impl Reader<'_> {
    /// `#define NAME text`, `#define NAME(parameters) text`
    pub(super) fn define(&mut self) -> Result<()> {
        let name = self.macro_name("define")?;
        let mut token = self.raw()?;
        let mut made = Macro {
            place: name.place,
            params: None,
            variadic: false,
            body: Vec::new(),
            pastes: false,
        };
        if token.is(word::OPEN) && !token.has_space() {
            (made.params, made.variadic) = self.parameters(name)?;
            token = self.raw()?;
        }
        let mut tokens = self.list();
        while !matches!(token.kind, Kind::EndOfLine | Kind::End) {
            tokens.push(token);
            token = self.raw()?;
        }
        made.body.reserve_exact(tokens.len());
        self.body(&mut made, &tokens)?;
        self.recycle(tokens);
        let old = self.macros.set(name.spelling, Definition::None);
        if let Definition::User(old) = &old
            && !old.is_same(&made)
        {
            let text = self.spellings.text(name.spelling);
            let (file, line) = self.sources.line(old.place);
            let message = format!("'{text}' has another definition in {file}:{line}");
            self.warn(name.place, message);
        }
        self.macros.set(name.spelling, Definition::User(Rc::new(made)));
        Ok(())
    }

    /// `#undef NAME`
    pub(super) fn undefine(&mut self) -> Result<()> {
        let name = self.macro_name("undef")?;
        self.macros.set(name.spelling, Definition::None);
        Ok(())
    }

    /// The name behind `#define`, `#ifdef` and their kin.
    pub(super) fn macro_name(&mut self, directive: &str) -> Result<Token> {
        let token = self.raw()?;
        if token.kind != Kind::Name {
            let found = self.describe(token);
            let message = format!("'#{directive}' needs the name of a macro, not {found}");
            return Err(self.error(token.place, message));
        }
        let poisoned = matches!(
            self.macros.get(token.spelling),
            Some(Slot { definition: Definition::Poisoned, .. })
        );
        if token.spelling == word::DEFINED || poisoned {
            let name = self.spellings.text(token.spelling);
            return Err(self.error(token.place, format!("'{name}' cannot be a macro")));
        }
        Ok(token)
    }

    /// Parameters up to `)`, and whether the last one takes all that is left.
    fn parameters(&mut self, name: Token) -> Result<(Option<Vec<Spelling>>, bool)> {
        let mut params = Vec::new();
        let mut token = self.raw()?;
        if token.is(word::CLOSE) {
            return Ok((Some(params), false));
        }
        loop {
            if token.kind == Kind::Name {
                if params.contains(&token.spelling) {
                    let text = self.spellings.text(token.spelling);
                    return Err(
                        self.error(token.place, format!("two parameters are named '{text}'"))
                    );
                }
                params.push(token.spelling);
                token = self.raw()?;
                if token.is(word::COMMA) {
                    token = self.raw()?;
                    continue;
                }
            } else if token.is(word::ELLIPSIS) {
                params.push(word::VA_ARGS);
            }
            if token.is(word::CLOSE) && params.last() != Some(&word::VA_ARGS) {
                return Ok((Some(params), false));
            }
            let variadic = token.is(word::ELLIPSIS);
            let end = if variadic { self.raw()? } else { token };
            if variadic && end.is(word::CLOSE) {
                return Ok((Some(params), true));
            }
            let (found, text) = (self.describe(end), self.spellings.text(name.spelling));
            let message =
                format!("the parameters of '{text}' have {found} where ',' or ')' would be right");
            return Err(self.error(end.place, message));
        }
    }

    /// Makes parameters, `__VA_OPT__`, `#` and `##` of the tokens of a replacement list.
    fn body(&mut self, made: &mut Macro, tokens: &[Token]) -> Result<()> {
        let mut at = 0;
        // Where the `__VA_OPT__` that is open began, and how many brackets are open in it.
        let mut open: Option<(usize, usize)> = None;
        while at < tokens.len() {
            let mut token = tokens[at];
            at += 1;
            let white = if made.body.is_empty() { Flags::NONE } else { token.flags };
            token.flags = white.only(Flags::WHITE).with(Flags::BODY);
            if token.is_paste() {
                self.paste_operator(made, open, tokens.get(at), token)?;
                continue;
            }
            if made.params.is_some() && token.is_hash() {
                let Some(&operand) = tokens.get(at).filter(|next| self.is_operand(made, next))
                else {
                    return Err(self.error(token.place, "'#' without a parameter behind it"));
                };
                token = Token { flags: token.flags.with(Flags::STRINGIFY), ..operand };
                at += 1;
            }
            if token.kind == Kind::Name && token.spelling == word::VA_OPT && made.variadic {
                if open.is_some() {
                    return Err(self.error(token.place, "'__VA_OPT__' in a '__VA_OPT__'"));
                }
                if !tokens.get(at).is_some_and(|next| next.is(word::OPEN)) {
                    return Err(self.error(token.place, "'__VA_OPT__' without its '('"));
                }
                at += 1;
                open = Some((made.body.len(), 0));
                made.body.push(Token { kind: Kind::Opt, ..token });
                continue;
            }
            if let Some((start, depth)) = &mut open {
                if token.is(word::CLOSE) && *depth == 0 {
                    made.body[*start].spelling = Spelling(made.body.len() as u32);
                    token.kind = Kind::OptEnd;
                    open = None;
                } else if token.is(word::OPEN) {
                    *depth += 1;
                } else if token.is(word::CLOSE) {
                    *depth -= 1;
                }
            }
            if let Some(index) = self.param(made, token) {
                token.kind = Kind::Param;
                token.spelling = Spelling(index as u32);
            }
            made.body.push(token);
        }
        match open {
            None => Ok(()),
            Some((start, _)) => {
                Err(self.error(made.body[start].place, "'__VA_OPT__' without its ')'"))
            }
        }
    }

    /// Notes `##` at what is before it.
    fn paste_operator(
        &self,
        made: &mut Macro,
        open: Option<(usize, usize)>,
        next: Option<&Token>,
        token: Token,
    ) -> Result<()> {
        let first = match open {
            None => made.body.is_empty(),
            Some((start, _)) => start + 1 == made.body.len(),
        };
        let last = match (open, next) {
            (_, None) => true,
            (Some((_, 0)), Some(next)) => next.is(word::CLOSE),
            _ => false,
        };
        if first || last {
            return Err(self.error(token.place, "'##' needs something on both sides"));
        }
        made.pastes = true;
        let before = made.body.len() - 1;
        // The flag of a `__VA_OPT__` is at its beginning.
        let operand = match made.body[before].kind {
            Kind::OptEnd => made.body.iter().rposition(|token| token.kind == Kind::Opt),
            _ => None,
        };
        let operand = &mut made.body[operand.unwrap_or(before)];
        operand.flags = operand.flags.with(Flags::PASTE);
        Ok(())
    }

    /// Whether `#` may stand before it.
    fn is_operand(&self, made: &Macro, token: &Token) -> bool {
        self.param(made, *token).is_some()
            || made.variadic && token.kind == Kind::Name && token.spelling == word::VA_OPT
    }

    fn param(&self, made: &Macro, token: Token) -> Option<usize> {
        let params = made.params.as_ref().filter(|_| token.kind == Kind::Name)?;
        params.iter().position(|&param| param == token.spelling)
    }
}
