//! LuaJIT's source text for another Lua.
//!
//! What the running Lua cannot be taught by metamethods is spelled out as calls of helpers: `a == b` and `a ~= b`, because
//! Lua asks no metamethod whether a cdata equals a number or nil; `a .. b .. c`, because Lua 5.3 and later print the float 3
//! as `3.0`; literals of cdata. Integer literals become floats, as every number of LuaJIT is a double; where only their
//! value as an index counts they stay.
//!
//! The text is parsed as Lua's own parser does it, and edited in place: no line moves.

use super::edits::{Edits, Place};
use super::lex::{Kind, Numeral, Token, tokens};

/// What the host's numbers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Lua has integers beside floats.
    pub(super) integers: bool,
    /// `<` and its like ask the metamethods of operands of two types.
    pub(super) mixed_order: bool,
    /// A function with `...` has a local variable `arg`; a chunk has not.
    pub(super) hidden_arg: bool,
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
pub(super) const HELPERS: [&str; 8] = [
    "__ffi_eq",
    "__ffi_ne",
    "__ffi_lt",
    "__ffi_le",
    "__ffi_gt",
    "__ffi_ge",
    "__ffi_concat",
    "__ffi_literal",
];

/// The comparisons, in the order of their helpers.
const COMPARISONS: [&str; 6] = ["==", "~=", "<", "<=", ">", ">="];
/// The first of them that only some versions of Lua need.
const FIRST_ORDER: usize = 2;
const CONCAT: &str = HELPERS[6];
const LITERAL: &str = HELPERS[7];

/// How deep expressions and blocks nest, as in Lua.
const MAX_DEPTH: usize = 190;

/// Up to here doubles are exact integers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What to load for a text.
#[derive(Debug, PartialEq)]
pub(super) enum Chunk {
    /// The text as it is.
    Unchanged,
    /// A chunk that takes the [`HELPERS`] and returns the function that the text is.
    Rewritten {
        text: Vec<u8>,
        /// What the helper for literals holds, from 1.
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
    };
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

/// A parsed expression.
#[derive(Clone, Copy)]
struct Expression {
    /// The first token, and the one after the last.
    start: usize,
    end: usize,
    what: What,
}

/// As much as the rewriting of the operators around it asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// A string literal.
    Text,
    /// `type(…)`: a string too, but for programs that give the name another meaning.
    TypeName,
    /// A call or `...`, of any number of values.
    Multiple,
    Other,
}

struct Parser<'a> {
    text: &'a [u8],
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    dialect: Dialect,
    edits: Edits,
    literals: Vec<Literal>,
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
/// What binds tighter than `..`.
const CONCAT_STRENGTH: u8 = 9;

impl Parser<'_> {
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

    fn expect_name(&mut self) -> Parse<()> {
        let found = self.kind() == Kind::Name;
        self.advance();
        if found { Ok(()) } else { Err(Failed::Syntax) }
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
                        self.expressions()?;
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
                self.block()?;
                self.expect("until")?;
                self.expression()?;
            }
            Kind::Symbol("function") => {
                self.advance();
                self.expect_name()?;
                while self.eat(".") || self.eat(":") {
                    self.expect_name()?;
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
                self.advance();
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
        self.expect_name()?;
        if self.eat("=") {
            loop {
                self.bound()?;
                if !self.eat(",") {
                    break;
                }
            }
        } else {
            while self.eat(",") {
                self.expect_name()?;
            }
            self.expect("in")?;
            self.expressions()?;
        }
        self.expect("do")?;
        self.block()?;
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
            self.expect_name()?;
            return self.function_body();
        }
        loop {
            self.expect_name()?;
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
        while !self.eat(")") {
            if !self.eat("...") {
                self.expect_name()?;
            }
            if !self.at_sign(")") {
                self.expect(",")?;
            }
        }
        self.block()?;
        self.expect("end")
    }

    // Expressions

    fn expressions(&mut self) -> Parse<()> {
        self.expression()?;
        while self.eat(",") {
            self.expression()?;
        }
        Ok(())
    }

    fn expression(&mut self) -> Parse<Expression> {
        self.binary(0)
    }

    /// Operators that bind tighter than `weakest`.
    fn binary(&mut self, weakest: u8) -> Parse<Expression> {
        self.nested(|p| {
            let start = p.at;
            let mut left = if UNARY.iter().any(|sign| p.at_sign(sign)) {
                p.advance();
                let operand = p.binary(UNARY_STRENGTH)?;
                Expression { start, what: What::Other, ..operand }
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
                    None => {
                        p.advance();
                        p.binary(right)?;
                    }
                }
                left = Expression { start, end: p.at, what: What::Other };
            }
        })
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
                self.numeral(numeral)?;
                self.advance();
                What::Other
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
    fn suffixed(&mut self) -> Parse<Expression> {
        let start = self.at;
        let named_type = self.is_name("type");
        if self.eat("(") {
            self.expression()?;
            self.expect(")")?;
        } else {
            self.expect_name()?;
        }
        let mut what = What::Other;
        loop {
            let first = self.at == start + 1;
            match self.kind() {
                Kind::Symbol(".") => {
                    self.advance();
                    self.expect_name()?;
                    what = What::Other;
                }
                Kind::Symbol("[") => {
                    self.advance();
                    self.key()?;
                    what = What::Other;
                }
                Kind::Symbol(":") => {
                    self.advance();
                    self.expect_name()?;
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
                    p.advance();
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
    fn without_literals(&mut self) -> Chunk {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MODERN: Dialect = Dialect { integers: true, mixed_order: true, hidden_arg: false };

    /// The text of the function, with short names for the helpers.
    fn rewritten(text: &str, integers: bool) -> String {
        match rewrite(text.as_bytes(), Dialect { integers, ..MODERN }) {
            Chunk::Unchanged => text.to_owned(),
            Chunk::Rewritten { text, .. } => {
                let text = String::from_utf8(text).expect("text");
                let (_, body) = text.split_once("function(...) ").expect("a function");
                let body = body.strip_suffix("\nend").expect("its end");
                let short =
                    ["eq", "ne", "lt", "le", "gt", "ge", "cat", "K"].into_iter().zip(HELPERS);
                short.fold(body.to_owned(), |body, (short, name)| body.replace(name, short))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn comparisons_become_calls() {
        for (text, expected) in [
            ("return a == b", "return eq(a , b)"),
            ("x = a ~= nil and b == c or d", "x = ne(a , nil) and eq(b , c) or d"),
            ("return a == b == c", "return eq(eq(a , b) , c)"),
            ("return a ~= b + c * -d", "return ne(a , b + c * -d)"),
            ("return not (a == b)", "return not (eq(a , b))"),
            ("return not a == b", "return eq(not a , b)"),
            ("return -x ^ y == z", "return eq(-x ^ y , z)"),
            (
                "if f(a == b, c) == g{x == y} then end",
                "if eq(f(eq(a , b), c) , g{eq(x , y)}) then end",
            ),
            ("return a < b == (c >= d)", "return eq(a < b , (c >= d))"),
            ("return type(x) == 'table' or 'a' == 'b'", "return type(x) == 'table' or 'a' == 'b'"),
            ("return x.type(y) == 'z'", "return eq(x.type(y) , 'z')"),
            ("return s:type() ~= [[z]]", "return ne(s:type() , [[z]])"),
            ("return #t == 0", "return eq(#t , 0)"),
            ("return a -- == c\n== b", "return eq(a -- == c\n, b)"),
        ] {
            assert_eq!(rewritten(text, false), expected);
        }
    }

    #[test]
    fn order_becomes_calls_where_lua_needs_it() {
        let text = b"return a < b, c >= d == (e > f), 'a' <= 'b'";
        assert_eq!(rewrite(b"return a < b", MODERN), Chunk::Unchanged);
        let dialect = Dialect { integers: false, mixed_order: false, hidden_arg: true };
        let Chunk::Rewritten { text, .. } = rewrite(text, dialect) else { panic!("comparisons") };
        let text = String::from_utf8(text).expect("text");
        let expected = "__ffi_lt(a , b), __ffi_eq(__ffi_ge(c , d) , (__ffi_gt(e , f))), 'a' <= 'b'";
        assert!(text.contains(expected), "{text}");
        assert!(
            text.contains("local __ffi_arg=arg return function(...) local arg=__ffi_arg return"),
            "{text}"
        );
    }

    #[test]
    fn concatenations_become_one_call() {
        for (text, expected) in [
            ("return a .. b", "return cat(a , b)"),
            ("return 'a' .. b .. 'c' .. d", "return cat('a' , b , 'c' , d)"),
            ("return 'a' .. 'b'", "return 'a' .. 'b'"),
            ("return a .. f()", "return cat(a , (f()))"),
            ("return a .. ...", "return cat(a , (...))"),
            ("return a .. f() .. x + y", "return cat(a , f() , x + y)"),
            ("return a .. b == c .. d", "return eq(cat(a , b) , cat(c , d))"),
            ("return a .. (b .. c)", "return cat(a , (cat(b , c)))"),
            ("return -a .. b ^ c", "return cat(-a , b ^ c)"),
        ] {
            assert_eq!(rewritten(text, true), expected);
        }
        assert_eq!(rewritten("return a .. b", false), "return a .. b");
    }

    #[test]
    fn integers_become_floats_but_for_keys_and_loops() {
        for (text, expected) in [
            ("x = 1 + 0xff", "x = 1.0 + 255.0"),
            ("x = 10000000000000000000", "x = 1e19"),
            ("x = 1.5, 1e3, 0x1p4", "x = 1.5, 1e3, 0x1p4"),
            ("x = t[1] + t[i + 1]", "x = t[1] + t[i + 1.0]"),
            ("x = { [1] = 2, 3; 4 }", "x = { [1] = 2.0, 3.0; 4.0 }"),
            ("for i = 1, 10 do end", "for i = 1, 10 do end"),
            ("for i = 10, -1, -1 do end", "for i = 10, -1, -1 do end"),
            ("for i = 1, n - 1 do f(1) end", "for i = 1, n - 1.0 do f(1.0) end"),
            ("for i in f, 1 do end", "for i in f, 1.0 do end"),
            ("x = 0b11", "x = 3.0"),
        ] {
            assert_eq!(rewritten(text, true), expected);
        }
        assert_eq!(rewritten("x = 1 + 0b11", false), "x = 1 + 3.0");
    }

    #[test]
    fn literals_of_cdata_come_from_a_table() {
        let text = b"f(1LL, 0xffULL, 2i, 1LL)\n--[[\n3LL]] x = '4LL'";
        let Chunk::Rewritten { text, literals } = rewrite(text, MODERN) else {
            panic!("it has literals")
        };
        let text = String::from_utf8(text).expect("text");
        assert!(text.ends_with("f(__ffi_literal[1], __ffi_literal[2], __ffi_literal[3], __ffi_literal[4])\n--[[\n3LL]] x = '4LL'\nend"), "{text}");
        let one = Literal::Int64(1);
        assert_eq!(literals, [one, Literal::UInt64(255), Literal::Imaginary(2.0), one]);
    }

    #[test]
    fn the_next_statement_is_no_argument() {
        assert_eq!(rewritten("x = a == b\n(f)()", true), "x = eq(a , b\n(f)())");
        assert_eq!(rewritten("x = a == 'b'\n(f)()", true), "x = eq(a , 'b');\n(f)()");
        assert_eq!(rewritten("x = 1LL\n(f)()", true), "x = K[1];\n(f)()");
        assert_eq!(rewritten("x = a == b .. nil\n(f)()", true), "x = eq(a , cat(b , nil));\n(f)()");
    }

    #[test]
    fn every_statement_is_understood() {
        let text = "
            local a <const>, b = 1LL, function(x, ...) return ... end
            local function f() goto done; do break end ::done:: end
            function a.b.c:d(...) return end
            while a do repeat local x until x if a then elseif b then else end end
            for k, v in pairs(t) do t[k], v.x = v, k end
            f 'x' { y = 1, [z] = 2, 3 } :m [[w]] (...)
            ;;; a.goto_ = goto_
            return (a), b;";
        assert!(matches!(rewrite(text.as_bytes(), MODERN), Chunk::Rewritten { .. }));
    }

    #[test]
    fn what_is_no_lua_stays_wrong() {
        for text in
            ["x = = 1LL", "x = (1LL", "f( end", "x = 1LL end", "a.b", "return 1 x", "x = 5 y = 1U"]
        {
            let chunk = rewrite(text.as_bytes(), MODERN);
            let Chunk::Unknown { text: plain, replaced } = chunk else {
                panic!("{text}: {chunk:?}")
            };
            assert_eq!(String::from_utf8(plain).expect("text"), text.replace("1LL", "0"));
            assert_eq!(replaced, text.contains("1LL"));
        }
        let deep = "(".repeat(1000) + &")".repeat(1000);
        assert_eq!(rewrite(format!("return {deep}").as_bytes(), MODERN), Chunk::TooDeep);
    }
}
