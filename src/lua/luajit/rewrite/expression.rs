//! Rewrites expressions: their operators and literals.

use super::super::edits::Place;
use super::super::lex::{Kind, Numeral};
use super::{Chunk, Failed, HELPERS, Literal, Parse, Parser};

/// The comparisons, in the order of their helpers.
const COMPARISONS: [&str; 6] = ["==", "~=", "<", "<=", ">", ">="];
/// The first of them that only some versions of Lua need.
const FIRST_ORDER: usize = 2;
const CONCAT: &str = HELPERS[6];
const MODULO: &str = HELPERS[7];
const TAIL: &str = HELPERS[8];
const LITERAL: &str = HELPERS[9];

/// Up to here doubles are exact integers.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// A parsed expression.
#[derive(Clone, Copy)]
pub(super) struct Expression {
    /// The first token, and the one after the last.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What,
}

/// As much as the rewriting of the operators around it asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A string literal.
    Text,
    /// `type(…)`: a string too, but for programs that give the name another meaning.
    TypeName,
    /// A call or `...`, of any number of values.
    Multiple,
    /// The literal of an imaginary number, by its place in the list of literals.
    Imaginary(usize),
    Other,
}

/// Binary operators: how strong they bind to the left and to the right.
const BINARY: [(&str, u8, u8); 21] = [
    ("or", 1, 1),
    ("and", 2, 2),
    ("<", 3, 3),
    (">", 3, 3),
    ("<=", 3, 3),
    (">=", 3, 3),
    ("~=", 3, 3),
    ("==", 3, 3),
    ("|", 4, 4),
    ("~", 5, 5),
    ("&", 6, 6),
    ("<<", 7, 7),
    (">>", 7, 7),
    ("..", 9, 8),
    ("+", 10, 10),
    ("-", 10, 10),
    ("*", 11, 11),
    ("/", 11, 11),
    ("//", 11, 11),
    ("%", 11, 11),
    ("^", 14, 13),
];
const UNARY: [&str; 4] = ["not", "-", "#", "~"];
const UNARY_STRENGTH: u8 = 12;
/// Operators of this strength bind tighter than `..`.
const CONCAT_STRENGTH: u8 = 9;

impl Parser<'_> {
    pub(super) fn expressions(&mut self) -> Parse<()> {
        self.expression()?;
        while self.eat(",") {
            self.expression()?;
        }
        Ok(())
    }

    /// The values of `return`. LuaJIT has no frame for a function that ends in a call, which `error` has to be told.
    pub(super) fn results(&mut self) -> Parse<()> {
        let start = self.at;
        let raises = self.is_name("error");
        self.expressions()?;
        if raises && self.is_one_call(start) {
            self.edit(start, Place::Before, format!("{TAIL}("));
            self.edit(start, Place::After, ")");
        }
        Ok(())
    }

    /// Whether the tokens from `start` to here are a name with the arguments of one call.
    fn is_one_call(&self, start: usize) -> bool {
        let (first, last) = (start + 1, self.at - 1);
        let mut depth = 0_usize;
        for at in first..=last {
            match self.tokens[at].kind {
                Kind::String if at == first => return first == last,
                Kind::Symbol("(" | "{" | "[") => depth += 1,
                Kind::Symbol(")" | "}" | "]") => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at == last && at > first;
            }
        }
        false
    }

    pub(super) fn expression(&mut self) -> Parse<Expression> {
        self.binary(0)
    }

    /// Operators that bind tighter than `weakest`.
    fn binary(&mut self, weakest: u8) -> Parse<Expression> {
        self.nested(|p| {
            let start = p.at;
            let mut left = if UNARY.iter().any(|sign| p.at_sign(sign)) {
                let minus = p.at_sign("-");
                p.advance();
                let operand = p.binary(UNARY_STRENGTH)?;
                let what = if minus { p.negate(operand.what, start) } else { What::Other };
                Expression { start, what, ..operand }
            } else {
                p.simple()?
            };
            loop {
                let Kind::Symbol(symbol) = p.kind() else { return Ok(left) };
                let found = BINARY.iter().find(|operator| operator.0 == symbol);
                let Some(&(_, _, right)) = found.filter(|operator| operator.1 > weakest) else {
                    return Ok(left);
                };
                let comparison = COMPARISONS.iter().position(|comparison| *comparison == symbol);
                match comparison.filter(|c| *c < FIRST_ORDER || !p.dialect.mixed_order) {
                    Some(comparison) => p.comparison(&left, comparison)?,
                    None if symbol == ".." && p.dialect.integers => p.concatenation(&left)?,
                    None if symbol == "%" && p.dialect.integers => {
                        p.operator_as_call(&left, right, MODULO)?;
                    }
                    None => {
                        p.advance();
                        p.binary(right)?;
                    }
                }
                left = Expression { start, end: p.at, what: What::Other };
            }
        })
    }

    /// The value of `-operand` with the sign at `sign`. The parser of LuaJIT negates imaginary parts; no operator does.
    fn negate(&mut self, operand: What, sign: usize) -> What {
        let What::Imaginary(literal) = operand else { return What::Other };
        if let Some(Literal::Imaginary(value)) = self.literals.get_mut(literal) {
            *value = -*value;
        }
        self.edit(sign, Place::Instead, "");
        operand
    }

    /// `left operator right` as the call of a helper.
    fn operator_as_call(&mut self, left: &Expression, strength: u8, helper: &str) -> Parse<()> {
        self.edit(self.at, Place::Instead, ",");
        self.advance();
        let right = self.binary(strength)?;
        self.wrap(left.start, right.end, &format!("{helper}("));
        Ok(())
    }

    /// `left == right` and the like as a call.
    fn comparison(&mut self, left: &Expression, comparison: usize) -> Parse<()> {
        let operator = self.at;
        self.advance();
        let right = self.binary(3)?;
        let known = |a: What, b: What| a == What::Text && matches!(b, What::Text | What::TypeName);
        if !known(left.what, right.what) && !known(right.what, left.what) {
            self.edit(operator, Place::Instead, ",");
            self.wrap(left.start, right.end, &format!("{}(", HELPERS[comparison]));
        }
        Ok(())
    }

    /// `left .. b .. c` as one call.
    fn concatenation(&mut self, left: &Expression) -> Parse<()> {
        let mut last = *left;
        let mut known = left.what == What::Text;
        let edits = self.edits.len();
        while self.at_sign("..") {
            self.edit(self.at, Place::Instead, ",");
            self.advance();
            last = self.binary(CONCAT_STRENGTH)?;
            known &= last.what == What::Text;
        }
        if known {
            // Nothing but string literals, which have no edits of their own.
            self.edits.truncate(edits);
            return Ok(());
        }
        if last.what == What::Multiple {
            self.wrap(last.start, last.end, "(");
        }
        self.wrap(left.start, last.end, &format!("{CONCAT}("));
        Ok(())
    }

    /// Puts `open` and a `)` around tokens, outside of what is there.
    fn wrap(&mut self, start: usize, end: usize, open: &str) {
        self.edit(start, Place::Before, open);
        self.edit(end - 1, Place::After, ")");
    }

    fn simple(&mut self) -> Parse<Expression> {
        let start = self.at;
        let what = match self.kind() {
            Kind::Number(numeral) => {
                let what = match numeral {
                    Numeral::Imaginary(_) => What::Imaginary(self.literals.len()),
                    _ => What::Other,
                };
                self.numeral(numeral)?;
                self.advance();
                what
            }
            Kind::String => {
                self.advance();
                What::Text
            }
            Kind::Symbol("nil" | "true" | "false") => {
                self.advance();
                What::Other
            }
            Kind::Symbol("...") => {
                self.advance();
                What::Multiple
            }
            Kind::Symbol("{") => {
                self.table()?;
                What::Other
            }
            Kind::Symbol("function") => {
                self.advance();
                self.function_body()?;
                What::Other
            }
            _ => return self.suffixed(),
        };
        Ok(Expression { start, end: self.at, what })
    }

    /// A name or an expression in parentheses, with fields, indices and calls.
    pub(super) fn suffixed(&mut self) -> Parse<Expression> {
        let start = self.at;
        let named_type = self.is_name("type");
        let mut what = What::Other;
        if self.eat("(") {
            if let Expression { what: literal @ What::Imaginary(_), .. } = self.expression()? {
                what = literal;
            }
            self.expect(")")?;
        } else {
            self.expect_variable()?;
        }
        loop {
            let first = self.at == start + 1;
            match self.kind() {
                Kind::Symbol(".") if self.ahead(1) == Kind::Name => {
                    let dot = self.at;
                    self.advance();
                    if self.name_beyond_ascii().is_some() {
                        self.edit(dot, Place::Instead, "");
                    }
                    self.key_name();
                    what = What::Other;
                }
                Kind::Symbol("[") => {
                    self.advance();
                    self.key()?;
                    what = What::Other;
                }
                Kind::Symbol(":") => {
                    self.advance();
                    self.expect_key()?;
                    self.arguments()?;
                    what = What::Multiple;
                }
                Kind::Symbol("(" | "{") | Kind::String => {
                    self.arguments()?;
                    what = if named_type && first { What::TypeName } else { What::Multiple };
                }
                _ => return Ok(Expression { start, end: self.at, what }),
            }
        }
    }

    /// The rest of `[key]`. A literal stays an integer.
    fn key(&mut self) -> Parse<()> {
        let literal = matches!(self.kind(), Kind::Number(Numeral::Integer(n)) if n < EXACT);
        if literal && self.ahead(1) == Kind::Symbol("]") {
            self.advance();
        } else {
            self.expression()?;
        }
        self.expect("]")
    }

    fn arguments(&mut self) -> Parse<()> {
        match self.kind() {
            Kind::String => self.advance(),
            Kind::Symbol("{") => self.table()?,
            _ => {
                self.expect("(")?;
                if !self.eat(")") {
                    self.expressions()?;
                    self.expect(")")?;
                }
            }
        }
        Ok(())
    }

    fn table(&mut self) -> Parse<()> {
        self.nested(|p| {
            p.expect("{")?;
            while !p.eat("}") {
                if p.eat("[") {
                    p.key()?;
                    p.expect("=")?;
                } else if p.kind() == Kind::Name && p.ahead(1) == Kind::Symbol("=") {
                    p.key_name();
                    p.advance();
                }
                p.expression()?;
                if !p.eat(",") && !p.eat(";") && !p.at_sign("}") {
                    return Err(Failed::Syntax);
                }
            }
            Ok(())
        })
    }

    fn numeral(&mut self, numeral: Numeral) -> Parse<()> {
        let literal = match numeral {
            Numeral::Plain => return Ok(()),
            Numeral::Malformed => return Err(Failed::Syntax),
            Numeral::Integer(value) => {
                let token = self.tokens[self.at];
                let binary =
                    self.text[token.start..token.end].get(1).is_some_and(|c| c | 0x20 == b'b');
                if binary || self.dialect.integers {
                    let text =
                        if value.is_finite() { format!("{value:?}") } else { "1e999".into() };
                    self.edit(self.at, Place::Instead, text);
                }
                return Ok(());
            }
            Numeral::Int64(value) => Literal::Int64(value),
            Numeral::UInt64(value) => Literal::UInt64(value),
            Numeral::Imaginary(value) => Literal::Imaginary(value),
        };
        // Each literal is an object of its own.
        self.literals.push(literal);
        self.edit(self.at, Place::Instead, format!("{LITERAL}[{}]", self.literals.len()));
        Ok(())
    }

    /// The text with a plain number for every literal that only LuaJIT reads.
    pub(super) fn without_literals(&mut self) -> Chunk {
        self.edits.clear();
        for i in 0..self.tokens.len() {
            if let Kind::Number(Numeral::Int64(_) | Numeral::UInt64(_) | Numeral::Imaginary(_)) =
                self.tokens[i].kind
            {
                self.edit(i, Place::Instead, "0");
            }
        }
        let (mut text, replaced) = (Vec::new(), !self.edits.is_empty());
        self.edits.apply(self.text, &self.tokens, &mut text);
        Chunk::Unknown { text, replaced }
    }
}
