//! The conditions of `#if` (C23 6.10.2).

use super::number::{self, Characters, Value};
use super::reader::{Reader, Result};
use super::spelling::Spelling;
use super::token::{Kind, Place, Token};
use super::word::{self, spelling};

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Equal,
    Unequal,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
    Choose,
    Comma,
}

/// Each operator, and how tightly it binds.
static OPERATORS: [(Spelling, Operator, u8); 20] = [
    (spelling("*"), Operator::Multiply, 12),
    (spelling("/"), Operator::Divide, 12),
    (spelling("%"), Operator::Remainder, 12),
    (spelling("+"), Operator::Add, 11),
    (spelling("-"), Operator::Subtract, 11),
    (spelling("<<"), Operator::ShiftLeft, 10),
    (spelling(">>"), Operator::ShiftRight, 10),
    (spelling("<"), Operator::Less, 9),
    (spelling(">"), Operator::Greater, 9),
    (spelling("<="), Operator::LessEqual, 9),
    (spelling(">="), Operator::GreaterEqual, 9),
    (spelling("=="), Operator::Equal, 8),
    (spelling("!="), Operator::Unequal, 8),
    (spelling("&"), Operator::BitAnd, 7),
    (spelling("^"), Operator::BitXor, 6),
    (spelling("|"), Operator::BitOr, 5),
    (spelling("&&"), Operator::And, 4),
    (spelling("||"), Operator::Or, 3),
    (spelling("?"), Operator::Choose, 2),
    (spelling(","), Operator::Comma, 1),
];

const COLON: Spelling = spelling(":");
const PLUS: Spelling = spelling("+");
const MINUS: Spelling = spelling("-");
const NOT: Spelling = spelling("!");
const COMPLEMENT: Spelling = spelling("~");
const TRUE: Spelling = spelling("true");

fn operator(token: Token) -> Option<(Operator, u8)> {
    let row = OPERATORS.iter().find(|row| token.is(row.0))?;
    Some((row.1, row.2))
}

/// A condition that is being read.
struct Condition<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// The next token.
    ahead: Token,
    depth: usize,
}

impl Reader<'_> {
    /// Whether the condition on the rest of the line holds.
    pub(super) fn condition(&mut self, directive: Token) -> Result<bool> {
        let value = self.constant(directive)?;
        Ok(value.is_true())
    }

    /// The value of the constant expression on the rest of the line.
    fn constant(&mut self, directive: Token) -> Result<Value> {
        let ahead = self.next_solid()?;
        if ahead.kind == Kind::EndOfLine {
            let text = self.spellings.text(directive.spelling);
            return Err(self.error(directive.place, format!("'#{text}' without a condition")));
        }
        let mut condition = Condition { reader: self, ahead, depth: 0 };
        let value = condition.expression(1, true)?;
        match condition.ahead.kind {
            Kind::EndOfLine | Kind::End => Ok(value),
            _ => Err(condition.unexpected("an operator")),
        }
    }

    /// The value of the constant expression up to the `)` of a parameter; `(` was read.
    pub(super) fn constant_in_brackets(&mut self) -> Result<Value> {
        let ahead = self.next_solid()?;
        let mut condition = Condition { reader: self, ahead, depth: 0 };
        let value = condition.expression(1, true)?;
        if condition.ahead.is(word::CLOSE) { Ok(value) } else { Err(condition.unexpected("')'")) }
    }
}

impl Condition<'_, '_> {
    fn advance(&mut self) -> Result<()> {
        self.ahead = self.reader.next_solid()?;
        Ok(())
    }

    fn unexpected(&self, wanted: &str) -> Box<super::Error> {
        let found = self.reader.describe(self.ahead);
        let message = format!("the condition has {found} where {wanted} would be right");
        self.reader.error(self.ahead.place, message)
    }

    /// An expression of operators that bind at least so tightly. What is not evaluated has no errors of values.
    fn expression(&mut self, least: u8, evaluated: bool) -> Result<Value> {
        self.depth += 1;
        if self.depth > self.reader.limits.nesting {
            let message = "the condition has too many brackets and operators in one another";
            return Err(self.reader.error(self.ahead.place, message));
        }
        let mut left = self.operand(evaluated)?;
        while let Some((operator, binding)) = operator(self.ahead).filter(|row| row.1 >= least) {
            let place = self.ahead.place;
            self.advance()?;
            left = match operator {
                Operator::Choose => self.choice(left, evaluated)?,
                Operator::And | Operator::Or => {
                    let decided = left.is_true() == (operator == Operator::Or);
                    let right = self.expression(binding + 1, evaluated && !decided)?;
                    let value = if decided { left.is_true() } else { right.is_true() };
                    Value::signed(value.into())
                }
                _ => {
                    let right = self.expression(binding + 1, evaluated)?;
                    self.apply(operator, left, right, evaluated.then_some(place))?
                }
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    /// `condition ? a : b`, from `a` on.
    fn choice(&mut self, condition: Value, evaluated: bool) -> Result<Value> {
        let first = self.expression(1, evaluated && condition.is_true())?;
        if !self.ahead.is(COLON) {
            return Err(self.unexpected("':'"));
        }
        self.advance()?;
        let second = self.expression(2, evaluated && !condition.is_true())?;
        let chosen = if condition.is_true() { first } else { second };
        Ok(Value { bits: chosen.bits, unsigned: first.unsigned || second.unsigned })
    }

    fn operand(&mut self, evaluated: bool) -> Result<Value> {
        let token = self.ahead;
        match token.kind {
            Kind::Number | Kind::Char => {
                let text = self.reader.spellings.bytes(token.spelling);
                let value = match token.kind {
                    Kind::Number => number::integer(text),
                    _ => number::character(text, self.reader.characters()),
                };
                let value = value.map_err(|message| self.reader.error(token.place, message))?;
                self.advance()?;
                Ok(value)
            }
            Kind::Name if token.spelling == word::DEFINED => self.defined(),
            Kind::Name => {
                let holds = token.spelling == TRUE && self.reader.rules.c23;
                self.advance()?;
                Ok(Value::signed(holds.into()))
            }
            Kind::Punct => self.unary(token, evaluated),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn unary(&mut self, token: Token, evaluated: bool) -> Result<Value> {
        /// Tighter than all operators between two operands.
        const UNARY: u8 = 13;
        match token.spelling {
            word::OPEN => {
                self.advance()?;
                let value = self.expression(1, evaluated)?;
                if !self.ahead.is(word::CLOSE) {
                    return Err(self.unexpected("')'"));
                }
                self.advance()?;
                Ok(value)
            }
            PLUS | MINUS | NOT | COMPLEMENT => {
                self.advance()?;
                let value = self.expression(UNARY, evaluated)?;
                Ok(match token.spelling {
                    MINUS => Value { bits: value.bits.wrapping_neg(), ..value },
                    NOT => Value::signed((!value.is_true()).into()),
                    COMPLEMENT => Value { bits: !value.bits, ..value },
                    _ => value,
                })
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    /// `defined NAME`, `defined(NAME)`
    fn defined(&mut self) -> Result<Value> {
        let mut name = self.reader.raw_solid()?;
        let open = name.is(word::OPEN);
        if open {
            name = self.reader.raw_solid()?;
        }
        let closed = !open || self.reader.raw_solid()?.is(word::CLOSE);
        if name.kind != Kind::Name || !closed {
            return Err(self.reader.error(name.place, "'defined' is written 'defined(NAME)'"));
        }
        self.advance()?;
        Ok(Value::signed(self.reader.macros.is_defined(name.spelling).into()))
    }

    /// `left operator right`; the place of the operator if it is evaluated.
    fn apply(
        &self,
        operator: Operator,
        left: Value,
        right: Value,
        place: Option<Place>,
    ) -> Result<Value> {
        let unsigned = left.unsigned || right.unsigned;
        let (a, b) = (left.bits, right.bits);
        let (x, y) = (a as i64, b as i64);
        let is_less = |strictly: bool| match (unsigned, strictly) {
            (true, true) => a < b,
            (true, false) => a <= b,
            (false, true) => x < y,
            (false, false) => x <= y,
        };
        let truth = |holds: bool| Ok(Value::signed(holds.into()));
        let bits = match operator {
            Operator::Multiply => a.wrapping_mul(b),
            Operator::Divide | Operator::Remainder if b == 0 => match place {
                Some(place) => {
                    return Err(self.reader.error(place, "the condition divides by zero"));
                }
                None => 0,
            },
            Operator::Divide if unsigned => a / b,
            Operator::Divide => x.wrapping_div(y) as u64,
            Operator::Remainder if unsigned => a % b,
            Operator::Remainder => x.wrapping_rem(y) as u64,
            Operator::Add => a.wrapping_add(b),
            Operator::Subtract => a.wrapping_sub(b),
            Operator::ShiftLeft => return Ok(shift(left, right, false)),
            Operator::ShiftRight => return Ok(shift(left, right, true)),
            Operator::Less => return truth(is_less(true)),
            Operator::Greater => return truth(!is_less(false)),
            Operator::LessEqual => return truth(is_less(false)),
            Operator::GreaterEqual => return truth(!is_less(true)),
            Operator::Equal => return truth(a == b),
            Operator::Unequal => return truth(a != b),
            Operator::BitAnd => a & b,
            Operator::BitXor => a ^ b,
            Operator::BitOr => a | b,
            Operator::Comma => return Ok(right),
            // `expression` evaluates them.
            Operator::And | Operator::Or | Operator::Choose => b,
        };
        Ok(Value { bits, unsigned })
    }
}

/// A shift by any number; a negative one shifts the other way, as in GCC.
fn shift(left: Value, right: Value, to_right: bool) -> Value {
    let by = right.bits as i64;
    let backwards = !right.unsigned && by < 0;
    let count = if backwards { by.unsigned_abs() } else { right.bits };
    let to_right = to_right != backwards;
    let bits = match (to_right, left.unsigned) {
        (true, false) => ((left.bits as i64) >> count.min(63)) as u64,
        _ if count >= 64 => 0,
        (true, true) => left.bits >> count,
        (false, _) => left.bits << count,
    };
    Value { bits, ..left }
}

impl Reader<'_> {
    fn characters(&self) -> Characters {
        let is_defined = |name: &[u8]| {
            self.spellings.find(name).is_some_and(|name| self.macros.is_defined(name))
        };
        let windows = is_defined(b"_WIN32");
        Characters {
            char_unsigned: is_defined(b"__CHAR_UNSIGNED__"),
            wide_bits: if windows { 16 } else { 32 },
            wide_unsigned: windows || is_defined(b"__WCHAR_UNSIGNED__"),
        }
    }
}
