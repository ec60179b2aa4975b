//! Expressions in constant expressions, `sizeof` and `typeof`.

mod builtin;

use super::constant::Arithmetic;
use super::value::{
    BINARY, Binary, NOT_CONSTANT, Operand, Value, common_float, common_int, float_binary,
    int_binary, promote,
};
use super::{Failed, Keyword, Offset, Parse, Parser, Tok};
use crate::ctype::{ArrayLen, Decl, IntKind, Name, QualType, Type, TypeId};

impl Parser<'_> {
    /// `a, b`
    pub(super) fn comma_expression(&mut self) -> Parse<Operand> {
        let mut operand = self.conditional()?;
        while self.eat(",") {
            operand = self.conditional()?;
        }
        Ok(operand)
    }

    /// `a ? b : c`, or GNU's `a ?: c`. The strongest expression without commas or assignments.
    pub(super) fn conditional(&mut self) -> Parse<Operand> {
        self.nested(|p| {
            let condition = p.binary(0)?;
            if !p.at("?") {
                return Ok(condition);
            }
            p.advance();
            let then = if p.at(":") { condition } else { p.comma_expression()? };
            p.expect(":")?;
            let otherwise = p.conditional()?;
            let (then, otherwise) = (p.decayed(then), p.decayed(otherwise));
            let chosen = match condition.value.truth() {
                Some(true) => then,
                Some(false) => otherwise,
                None => Operand { value: condition.value, ..then },
            };
            match p.common_type(then.ty, otherwise.ty) {
                Some(ty) => p.convert(chosen, ty, 0),
                None => Ok(chosen),
            }
        })
    }

    fn common_type(&self, a: QualType, b: QualType) -> Option<QualType> {
        let id = match (self.arithmetic(a)?, self.arithmetic(b)?) {
            (Arithmetic::Int(a), Arithmetic::Int(b)) => TypeId::int(common_int(a, b)),
            (Arithmetic::Float(a), Arithmetic::Float(b)) => TypeId::float(common_float(a, b)),
            (Arithmetic::Float(kind), _) | (_, Arithmetic::Float(kind)) => TypeId::float(kind),
        };
        Some(id.into())
    }

    /// Binary operators that bind tighter than `weakest`.
    fn binary(&mut self, weakest: u8) -> Parse<Operand> {
        let mut left = self.unary()?;
        loop {
            let Tok::Punct(punct) = self.tok.kind else {
                return Ok(left);
            };
            let found = BINARY.iter().find(|op| op.0 == punct);
            let Some(&(_, precedence, op)) = found.filter(|op| op.1 > weakest) else {
                return Ok(left);
            };
            let start = self.tok.start;
            self.advance();
            let right = self.nested(|p| p.binary(precedence))?;
            left = self.apply(op, left, right, start)?;
        }
    }

    fn apply(
        &mut self,
        op: Binary,
        left: Operand,
        right: Operand,
        start: Offset,
    ) -> Parse<Operand> {
        let (left, right) = (self.decayed(left), self.decayed(right));
        if matches!(op, Binary::And | Binary::Or) {
            return Ok(logical(op, left.value, right.value));
        }
        if self.pointee(left.ty).is_some() || self.pointee(right.ty).is_some() {
            return self.apply_pointer(op, left, right, start);
        }
        if matches!(op, Binary::ShiftLeft | Binary::ShiftRight) {
            return self.shift(op, left, right, start);
        }
        let Some(ty) = self.common_type(left.ty, right.ty) else {
            return Err(self.error(start, "this operator needs numbers".into()));
        };
        let (a, b) = (self.convert(left, ty, start)?, self.convert(right, ty, start)?);
        let value = match (a.value, b.value, self.arithmetic(ty)) {
            (Value::Int(a), Value::Int(b), Some(Arithmetic::Int(kind))) => {
                int_binary(op, kind, a, b)
            }
            (Value::Float(a), Value::Float(b), Some(Arithmetic::Float(kind))) => {
                float_binary(op, kind, a, b)
            }
            (unknown @ Value::Unknown(_), ..) | (_, unknown, _) => unknown,
        };
        let ty = if op.is_comparison() { TypeId::INT.into() } else { ty };
        Ok(Operand { ty, value })
    }

    /// The type of a shift is that of its left operand.
    fn shift(
        &mut self,
        op: Binary,
        left: Operand,
        right: Operand,
        start: Offset,
    ) -> Parse<Operand> {
        let (Some(Arithmetic::Int(kind)), Some(Arithmetic::Int(_))) =
            (self.arithmetic(left.ty), self.arithmetic(right.ty))
        else {
            return Err(self.error(start, "shifts need integers".into()));
        };
        let kind = promote(kind);
        let value = match (left.value, right.value) {
            (Value::Int(a), Value::Int(b)) => int_binary(op, kind, a, b),
            (unknown @ Value::Unknown(_), _) | (_, unknown) => unknown,
        };
        Ok(Operand { ty: TypeId::int(kind).into(), value })
    }

    /// `p + n`, `n + p`, `p - n`, `p - q` and comparisons.
    fn apply_pointer(
        &mut self,
        op: Binary,
        left: Operand,
        right: Operand,
        start: Offset,
    ) -> Parse<Operand> {
        if op.is_comparison() {
            let value = match (left.value, right.value) {
                (Value::Int(a), Value::Int(b)) => int_binary(op, self.word(false), a, b),
                (unknown @ Value::Unknown(_), _) | (_, unknown) => unknown,
            };
            return Ok(Operand { ty: TypeId::INT.into(), value });
        }
        let (pointer, other) =
            if self.pointee(left.ty).is_some() { (left, right) } else { (right, left) };
        let Some(element) = self.pointee(pointer.ty) else {
            return Err(self.error(start, "this operator needs numbers".into()));
        };
        // void and functions count as bytes, as GNU C has it.
        let size = self.decls.table.layout_of(element).map_or(1, |layout| layout.size.max(1));
        let both = self.pointee(other.ty).is_some();
        match (op, pointer.value, other.value) {
            (Binary::Subtract, Value::Int(a), Value::Int(b)) if both => {
                Ok(Operand::int(self.word(true), a.wrapping_sub(b) / i128::from(size)))
            }
            (Binary::Subtract, ..) if both => {
                Ok(Operand::unknown(TypeId::int(self.word(true)).into()))
            }
            (Binary::Add | Binary::Subtract, Value::Int(a), Value::Int(b)) => {
                let distance = b.wrapping_mul(size.into());
                let sum = if op == Binary::Add {
                    a.wrapping_add(distance)
                } else {
                    a.wrapping_sub(distance)
                };
                let value = Value::Int(sum).wrapped(self.word(false), true);
                Ok(Operand { ty: pointer.ty, value })
            }
            (Binary::Add | Binary::Subtract, ..) => Ok(Operand::unknown(pointer.ty)),
            _ => Err(self.error(start, "this operator needs numbers".into())),
        }
    }

    fn unary(&mut self) -> Parse<Operand> {
        let start = self.tok.start;
        match self.tok.kind {
            Tok::Punct(punct) => match punct.char() {
                op @ (b'-' | b'+' | b'~' | b'!' | b'&' | b'*') => {
                    self.advance();
                    let operand = self.nested(|p| p.unary())?;
                    self.apply_unary(op, operand, start)
                }
                b'(' if self.peek_starts_cast() => {
                    self.advance();
                    let ty = self.type_name()?;
                    self.expect(")")?;
                    self.after_cast_type(ty, start)
                }
                _ => self.postfix(),
            },
            Tok::Keyword(Keyword::Ignored) => {
                self.advance();
                self.nested(|p| p.unary())
            }
            Tok::Keyword(
                keyword @ (Keyword::Sizeof | Keyword::Alignof | Keyword::PreferredAlignof),
            ) => {
                self.advance();
                self.size_or_align(keyword)
            }
            _ => self.postfix(),
        }
    }

    fn peek_starts_cast(&mut self) -> bool {
        let next = self.peek();
        self.starts_type(next)
    }

    /// A cast, or a compound literal, whose value does not matter.
    fn after_cast_type(&mut self, ty: QualType, start: Offset) -> Parse<Operand> {
        if self.at("{") {
            self.skip_balanced()?;
            return self.postfix_of(Operand::unknown(ty));
        }
        let operand = self.nested(|p| p.unary())?;
        self.convert(operand, ty, start)
    }

    fn apply_unary(&mut self, op: u8, operand: Operand, start: Offset) -> Parse<Operand> {
        if op == b'&' {
            let pointer = self.table().pointer_to(operand.ty);
            let value = match operand.value {
                Value::Place(address) => Value::Int(address),
                _ => NOT_CONSTANT,
            };
            return Ok(Operand { ty: pointer.into(), value });
        }
        let operand = self.decayed(operand);
        if op == b'*' {
            return self.dereference(operand, start);
        }
        if op == b'!' {
            let value =
                operand.value.truth().map_or(operand.value, |truth| Value::Int((!truth).into()));
            return Ok(Operand { ty: TypeId::INT.into(), value });
        }
        match (self.arithmetic(operand.ty), operand.value) {
            (Some(Arithmetic::Int(kind)), value) => {
                let kind = promote(kind);
                let value = match (op, value) {
                    (b'-', Value::Int(value)) => Value::Int(value.wrapping_neg()),
                    (b'~', Value::Int(value)) => Value::Int(!value),
                    (_, value) => value,
                };
                Ok(Operand { ty: TypeId::int(kind).into(), value: value.wrapped(kind, true) })
            }
            (Some(Arithmetic::Float(_)), Value::Float(value)) if op != b'~' => {
                let value = if op == b'-' { -value } else { value };
                Ok(Operand { ty: operand.ty, value: Value::Float(value) })
            }
            (Some(Arithmetic::Float(_)), value) if op != b'~' => {
                Ok(Operand { ty: operand.ty, value })
            }
            _ => Err(self.error(start, "this operator needs a number".into())),
        }
    }

    fn dereference(&mut self, operand: Operand, start: Offset) -> Parse<Operand> {
        let Some(ty) = self.pointee(operand.ty) else {
            return Err(self.error(start, "'*' needs a pointer".into()));
        };
        let value = match operand.value {
            Value::Int(address) => Value::Place(address),
            value => value,
        };
        Ok(Operand { ty, value })
    }

    fn postfix(&mut self) -> Parse<Operand> {
        let operand = self.primary()?;
        self.postfix_of(operand)
    }

    /// `[i]`, `(arguments)`, `.member`, `->member`
    fn postfix_of(&mut self, operand: Operand) -> Parse<Operand> {
        let mut operand = operand;
        loop {
            let start = self.tok.start;
            if self.eat("[") {
                let index = self.comma_expression()?;
                self.expect("]")?;
                let sum = self.apply(Binary::Add, operand, index, start)?;
                operand = self.dereference(sum, start)?;
            } else if self.at("(") {
                operand = self.call(operand)?;
            } else if self.eat("->") {
                let pointer = self.decayed(operand);
                let object = self.dereference(pointer, start)?;
                operand = self.member_of(object)?;
            } else if self.eat(".") {
                operand = self.member_of(operand)?;
            } else {
                return Ok(operand);
            }
        }
    }

    /// A call; only its type is known.
    fn call(&mut self, callee: Operand) -> Parse<Operand> {
        let start = self.tok.start;
        let ty = self.pointee(callee.ty).unwrap_or(callee.ty);
        let Some(function) = self.decls.table.function(ty.id()) else {
            return Err(self.error(start, "call of something that is no function".into()));
        };
        let result = function.result;
        self.skip_balanced()?;
        Ok(Operand::unknown(result))
    }

    fn member_of(&mut self, object: Operand) -> Parse<Operand> {
        let (name, start) = self.expect_name()?;
        if let Type::Record(id) = *self.decls.table.shape(object.ty)
            && let Some((ty, constant)) = self.decls.table.find_constant(id, name)
        {
            return Ok(Operand { ty, value: constant.into() });
        }
        let (ty, offset) = self.find_member(object.ty, name, start)?;
        let value = match object.value {
            Value::Place(address) => Value::Place(address.wrapping_add(offset.into())),
            value => value,
        };
        Ok(Operand { ty, value })
    }

    fn find_member(
        &mut self,
        record: QualType,
        name: Name,
        start: Offset,
    ) -> Parse<(QualType, u64)> {
        let table = &self.decls.table;
        let found = match *table.shape(record) {
            Type::Record(id) => table.find_member(id, name),
            _ => None,
        };
        match found {
            Some(member) => Ok((member.ty, member.offset)),
            None if self.failed.contains_key(&name) => Err(Failed),
            None => {
                let message =
                    format!("'{}' has no member '{}'", table.repr(record), table.name(name));
                let hint = table.nearest_member(record, table.name(name));
                let hint = hint.map(|near| format!("did you mean '{near}'?"));
                Err(self.report(start, message, hint, None))
            }
        }
    }

    fn primary(&mut self) -> Parse<Operand> {
        match self.tok.kind {
            Tok::Number | Tok::Int(_) => self.number(),
            Tok::Char => self.character(),
            Tok::Str => self.string(),
            Tok::Name(name) => self.named(name),
            Tok::Keyword(Keyword::Offsetof) => self.offset_of(),
            Tok::Keyword(Keyword::Generic) => self.generic_selection(),
            Tok::Keyword(Keyword::TypesCompatible) => self.types_compatible(),
            Tok::Keyword(Keyword::ConstantP) => {
                self.advance();
                self.expect("(")?;
                let operand = self.conditional()?;
                self.expect(")")?;
                let known = matches!(operand.value, Value::Int(_) | Value::Float(_));
                Ok(Operand::int(IntKind::I32, known.into()))
            }
            Tok::Keyword(Keyword::ChooseExpr) => self.choose_expression(),
            Tok::Punct(_) if self.at("(") => {
                self.advance();
                if self.at("{") {
                    return Err(
                        self.error_here("statements in an expression are not supported".into())
                    );
                }
                let operand = self.comma_expression()?;
                self.expect(")")?;
                Ok(operand)
            }
            _ => Err(self.expected("an expression")),
        }
    }

    fn string(&mut self) -> Parse<Operand> {
        let (prefix, units) = self.string_units()?;
        let kind = prefix.element(self.decls.table.model().wchar);
        let len = ArrayLen::Fixed(units.len() as u64 + 1);
        let ty = self.table().array_of(TypeId::int(kind).into(), len);
        Ok(Operand::unknown(ty.into()))
    }

    fn named(&mut self, name: Name) -> Parse<Operand> {
        match self.decls.find(name) {
            Some(&Decl::Constant { ty, value }) => {
                self.advance();
                Ok(Operand { ty, value: value.into() })
            }
            Some(&(Decl::Variable { ty, .. } | Decl::Static(ty))) => {
                self.advance();
                Ok(Operand::unknown(ty))
            }
            Some(&Decl::Function { ty, .. }) => {
                self.advance();
                Ok(Operand::unknown(ty.into()))
            }
            Some(Decl::Typedef(_)) => Err(self.expected("an expression")),
            None => self.unknown_name(name),
        }
    }

    fn unknown_name(&mut self, name: Name) -> Parse<Operand> {
        let text = self.decls.table.name(name).to_owned();
        if text == "offsetof" {
            return self.offset_of();
        }
        // Other builtins are calls of which nothing is known.
        if text.starts_with("__builtin_") && self.peek_at("(") {
            self.advance();
            self.skip_balanced()?;
            return Ok(Operand::unknown(TypeId::INT.into()));
        }
        if self.failed.contains_key(&name) {
            return Err(Failed);
        }
        let message = format!("unknown name '{text}'");
        if let Some(near) = self.decls.nearest_symbol(&text) {
            let hint = format!("did you mean '{near}'?");
            return Err(self.error_hint(self.tok.start, message, &hint));
        }
        let hint = "constants are enumerators, 'static const' numbers and '#define's of this or an earlier text";
        Err(self.error_hint(self.tok.start, message, hint))
    }
}

/// `&&` and `||`, which need not know their right operand.
fn logical(op: Binary, left: Value, right: Value) -> Operand {
    let decisive = op == Binary::Or;
    let value = match (left.truth(), right.truth()) {
        (Some(truth), _) if truth == decisive => Value::Int(decisive.into()),
        (Some(_), Some(truth)) => Value::Int(truth.into()),
        (Some(_), None) => right,
        (None, _) => left,
    };
    Operand { ty: TypeId::INT.into(), value }
}
