//! Constant expressions: the questions that declarations ask of an expression (a size, a value, a condition), and conversions.

use super::value::{Operand, Value, rounded};
use super::{Offset, Parse, Parser};
use crate::ctype::{Constant, FloatKind, IntKind, QualType, Type, TypeId};

/// An arithmetic type as constant expressions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Int(IntKind),
    Float(FloatKind),
}

impl Parser<'_> {
    /// An integer constant expression.
    pub(super) fn constant_integer(&mut self) -> Parse<i128> {
        let start = self.tok.start;
        let operand = self.conditional()?;
        match operand.value {
            Value::Int(value) => Ok(value),
            Value::Float(_) => {
                Err(self.error(start, "expected an integer, not a floating-point number".into()))
            }
            Value::Place(_) => Err(self.error(start, "expected an integer constant".into())),
            Value::Unknown(reason) => Err(self.error(start, reason.to_owned())),
        }
    }

    /// The initialiser of a constant.
    pub(super) fn initial_value(&mut self) -> Parse<Operand> {
        let operand = self.conditional()?;
        Ok(self.decayed(operand))
    }

    /// A number or a constant pointer.
    pub(super) fn constant_value(&mut self) -> Parse<(QualType, Constant)> {
        let start = self.tok.start;
        let operand = self.initial_value()?;
        match operand.value {
            Value::Int(value) => Ok((operand.ty, Constant::Int(value))),
            Value::Float(value) => Ok((operand.ty, Constant::Float(value))),
            Value::Unknown(reason) => Err(self.error(start, reason.to_owned())),
            Value::Place(_) => Err(self.error(start, "not a constant expression".into())),
        }
    }

    /// The type of an expression that is not evaluated.
    pub(super) fn expression_type(&mut self) -> Parse<QualType> {
        Ok(self.comma_expression()?.ty)
    }

    /// Integers, enums, bool and floating-point types; others are `None`.
    pub(super) fn arithmetic(&self, ty: QualType) -> Option<Arithmetic> {
        let table = &self.decls.table;
        Some(match *table.shape(ty) {
            Type::Bool => Arithmetic::Int(IntKind::U8),
            Type::Int(IntKind::Char) if table.model().char_signed => Arithmetic::Int(IntKind::I8),
            Type::Int(IntKind::Char) => Arithmetic::Int(IntKind::U8),
            Type::Int(kind) => Arithmetic::Int(kind),
            Type::Enum(id) => Arithmetic::Int(table.enum_base(id)),
            Type::Float(kind) => Arithmetic::Float(kind),
            _ => return None,
        })
    }

    pub(super) fn is_arithmetic(&self, ty: QualType) -> bool {
        self.arithmetic(ty).is_some()
    }

    /// Whether a type is a pointer (or a reference).
    pub(super) fn pointee(&self, ty: QualType) -> Option<QualType> {
        match *self.decls.table.shape(ty) {
            Type::Pointer(to) => Some(to),
            _ => None,
        }
    }

    /// The integer type as large as a pointer.
    pub(super) fn word(&self, signed: bool) -> IntKind {
        let size = u32::from(self.decls.table.model().pointer);
        IntKind::of(size, signed).unwrap_or(IntKind::I64)
    }

    /// Conversion to a type, as by a cast.
    pub(super) fn convert(
        &mut self,
        operand: Operand,
        ty: QualType,
        start: Offset,
    ) -> Parse<Operand> {
        let operand = self.decayed(operand);
        if *self.decls.table.shape(ty) == Type::Bool {
            let value =
                operand.value.truth().map_or(operand.value, |truth| Value::Int(truth.into()));
            return Ok(Operand { ty, value });
        }
        let target = match self.arithmetic(ty) {
            Some(target) => target,
            None if self.pointee(ty).is_some() => Arithmetic::Int(self.word(false)),
            None if *self.decls.table.shape(ty) == Type::Void => return Ok(Operand::unknown(ty)),
            None => {
                let message = format!("cannot convert to '{}' here", self.decls.table.repr(ty));
                return Err(self.error(start, message));
            }
        };
        let unsigned_wide = self.arithmetic(operand.ty) == Some(Arithmetic::Int(IntKind::U128));
        let value = match (operand.value, target) {
            (value @ Value::Int(_), Arithmetic::Int(kind)) => value.wrapped(kind, true),
            (Value::Int(value), Arithmetic::Float(kind)) if unsigned_wide => {
                Value::Float(rounded(kind, value as u128 as f64))
            }
            (Value::Int(value), Arithmetic::Float(kind)) => {
                Value::Float(rounded(kind, value as f64))
            }
            (Value::Float(value), Arithmetic::Float(kind)) => Value::Float(rounded(kind, value)),
            (Value::Float(value), Arithmetic::Int(kind)) => {
                Value::Int(value as i128).wrapped(kind, true)
            }
            (Value::Place(_), _) => super::value::NOT_CONSTANT,
            (unknown @ Value::Unknown(_), _) => unknown,
        };
        Ok(Operand { ty, value })
    }

    /// Arrays and functions become pointers; other objects are read, which makes them unknown.
    pub(super) fn decayed(&mut self, operand: Operand) -> Operand {
        let pointer_to = match *self.decls.table.shape(operand.ty) {
            Type::Array(element, _) => element,
            Type::Function(_) => operand.ty,
            _ => {
                let value = match operand.value {
                    Value::Place(_) => super::value::NOT_CONSTANT,
                    value => value,
                };
                return Operand { ty: operand.ty, value };
            }
        };
        let value = match operand.value {
            Value::Place(address) => Value::Int(address),
            value => value,
        };
        let ty: TypeId = self.table().pointer_to(pointer_to);
        Operand { ty: ty.into(), value }
    }
}
