//! C values as Rust code passes them.

use std::ffi::c_void;
use std::fmt;

use crate::abi::{Kind, Type};

/// A C value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No result.
    Void,
    /// `_Bool`
    Bool(bool),
    /// An integer or enum; every result of a signed type.
    Int(i64),
    /// An integer or enum; every result of an unsigned type.
    Uint(u64),
    /// `float`, `double`
    Float(f64),
    /// A pointer.
    Pointer(*mut c_void),
    /// The bytes of any other type, as they are in memory: structs, unions, complex numbers, `__int128`, `long double`, vectors.
    Bytes(Vec<u8>),
}

impl Value {
    /// Writes the value as an argument of a type; the error says what the type takes.
    pub(super) fn write(&self, ty: &Type, slot: &mut [u8]) -> Result<(), String> {
        let size = slot.len();
        match (&ty.kind, self) {
            (Kind::Bool, Value::Bool(truth)) => slot[0] = u8::from(*truth),
            (Kind::Int { signed }, Value::Int(_) | Value::Uint(_)) => {
                let bytes = self.integer(*signed, size).ok_or_else(|| expected(ty))?;
                slot.copy_from_slice(&bytes[..size]);
            }
            (Kind::Float, Value::Float(number)) if size == 4 => {
                slot.copy_from_slice(&(*number as f32).to_le_bytes());
            }
            (Kind::Float, Value::Float(number)) => slot.copy_from_slice(&number.to_le_bytes()),
            (Kind::Pointer, Value::Pointer(pointer)) => {
                slot.copy_from_slice(&(*pointer as usize).to_le_bytes()[..size]);
            }
            (_, Value::Bytes(bytes)) if ty.leaves().is_some() && bytes.len() == size => {
                slot.copy_from_slice(bytes);
            }
            _ => return Err(expected(ty)),
        }
        Ok(())
    }

    /// The bytes of an integer, if a type of `size` bytes has it.
    fn integer(&self, signed: bool, size: usize) -> Option<[u8; 8]> {
        let wide = match *self {
            Value::Int(n) => i128::from(n),
            Value::Uint(n) => i128::from(n),
            _ => return None,
        };
        let bits = 8 * size as u32 - u32::from(signed);
        let (low, high) = (if signed { -(1_i128 << bits) } else { 0 }, (1_i128 << bits) - 1);
        (low..=high).contains(&wide).then(|| (wide as i64).to_le_bytes())
    }

    /// Reads a result of a type.
    pub(super) fn read(ty: &Type, slot: &[u8]) -> Value {
        let mut bytes = [0; 8];
        let low = slot.len().min(8);
        bytes[..low].copy_from_slice(&slot[..low]);
        let bits = u64::from_le_bytes(bytes);
        let unused = 64 - 8 * low as u32;
        match ty.kind {
            Kind::Void => Value::Void,
            Kind::Bool => Value::Bool(bits != 0),
            Kind::Int { signed: true } => Value::Int((bits << unused) as i64 >> unused),
            Kind::Int { signed: false } => Value::Uint(bits),
            Kind::Float if low == 4 => Value::Float(f32::from_bits(bits as u32).into()),
            Kind::Float => Value::Float(f64::from_bits(bits)),
            Kind::Pointer => Value::Pointer(bits as usize as *mut c_void),
            _ => Value::Bytes(slot.to_vec()),
        }
    }

    /// The type that the value has as an argument for `...`.
    pub(super) fn variable_type(&self) -> Option<Type> {
        match self {
            Value::Bool(_) => Some(Type::BOOL),
            Value::Int(_) => Some(Type::int(8, true)),
            Value::Uint(_) => Some(Type::int(8, false)),
            Value::Float(_) => Some(Type::F64),
            Value::Pointer(_) => Some(Type::POINTER),
            Value::Void | Value::Bytes(_) => None,
        }
    }
}

/// The expected argument for a type, in words.
fn expected(ty: &Type) -> String {
    let size = ty.size;
    match ty.kind {
        Kind::Void => "nothing".to_owned(),
        Kind::Bool => "a bool".to_owned(),
        Kind::Int { signed: true } => format!("an integer of {size} bytes"),
        Kind::Int { signed: false } => format!("an unsigned integer of {size} bytes"),
        Kind::Float => "a float".to_owned(),
        Kind::Pointer => "a pointer".to_owned(),
        _ => format!("{size} bytes"),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Void => f.write_str("nothing"),
            Value::Bool(truth) => truth.fmt(f),
            Value::Int(n) => n.fmt(f),
            Value::Uint(n) => n.fmt(f),
            Value::Float(n) => n.fmt(f),
            Value::Pointer(pointer) => write!(f, "{pointer:p}"),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

macro_rules! from {
    ($($ty:ty => $variant:ident),* $(,)?) => {
        $(impl From<$ty> for Value {
            fn from(value: $ty) -> Value {
                Value::$variant(value.into())
            }
        })*
    };
}

from! {
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int,
    u8 => Uint, u16 => Uint, u32 => Uint, u64 => Uint,
    f32 => Float, f64 => Float,
}

impl<T> From<*mut T> for Value {
    fn from(pointer: *mut T) -> Value {
        Value::Pointer(pointer.cast())
    }
}

impl<T> From<*const T> for Value {
    fn from(pointer: *const T) -> Value {
        Value::Pointer(pointer.cast_mut().cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_fit_or_are_refused() {
        let mut slot = [0; 1];
        assert!(Value::Int(-128).write(&Type::int(1, true), &mut slot).is_ok());
        assert_eq!(Value::read(&Type::int(1, true), &slot), Value::Int(-128));
        assert!(Value::Int(128).write(&Type::int(1, true), &mut slot).is_err());
        assert!(Value::Int(-1).write(&Type::int(1, false), &mut slot).is_err());
        assert!(Value::Uint(255).write(&Type::int(1, false), &mut slot).is_ok());
        let mut wide = [0; 8];
        assert!(Value::Uint(u64::MAX).write(&Type::int(8, false), &mut wide).is_ok());
        assert_eq!(Value::read(&Type::int(8, false), &wide), Value::Uint(u64::MAX));
        assert!(Value::Uint(u64::MAX).write(&Type::int(8, true), &mut wide).is_err());
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let mut slot = [0; 8];
        let wanted = Value::Int(1).write(&Type::POINTER, &mut slot).unwrap_err();
        assert_eq!(wanted, "a pointer");
        assert!(Value::Float(1.0).write(&Type::int(4, true), &mut slot[..4]).is_err());
        assert!(Value::Bool(true).write(&Type::F64, &mut slot).is_err());
    }
}
