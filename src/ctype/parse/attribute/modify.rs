//! Types that attributes make of other types: machine modes and vectors.

use super::{Attributes, ObjectAttributes};
use crate::ctype::parse::attribute_table::{Mode, ScalarMode};
use crate::ctype::parse::{Parse, Parser};
use crate::ctype::{IntKind, QualType, Type, TypeId};

/// The most elements of a vector (GCC's limit).
const MAX_COMPONENTS: u32 = i32::MAX as u32 - 1;

impl Parser<'_> {
    /// A type changed by `mode` and `vector_size`.
    #[inline]
    pub(in crate::ctype::parse) fn apply_to_base(
        &mut self,
        ty: QualType,
        attributes: &Attributes,
    ) -> Parse<QualType> {
        match &attributes.object {
            Some(attributes) => self.modified(ty, attributes),
            None => Ok(ty),
        }
    }

    fn modified(&mut self, ty: QualType, attributes: &ObjectAttributes) -> Parse<QualType> {
        let mut ty = ty;
        if let Some(mode) = attributes.mode {
            ty = self.with_mode(ty, mode)?;
        }
        if let Some(size) = attributes.vector_size {
            ty = self.vector(ty, |element| size / element, size)?;
        }
        if let Some(count) = attributes.vector_elements {
            ty = self.vector(ty, |_| count.into(), count.into())?;
        }
        Ok(ty)
    }

    /// A vector of a type. `count` gives the number of elements by the size of one; `asked` is the number in the attribute.
    fn vector(&mut self, ty: QualType, count: impl Fn(u64) -> u64, asked: u64) -> Parse<QualType> {
        let start = self.tok.start;
        let scalar = matches!(
            self.decls.table.shape(ty),
            Type::Int(_) | Type::Float(_) | Type::Bool | Type::Pointer(_) | Type::Enum(_)
        );
        let element = self.decls.table.layout_of(ty).filter(|_| scalar).map_or(0, |l| l.size);
        let count = if element == 0 { 0 } else { count(element) };
        if count == 0 {
            let message = format!("no vector of {asked} bytes of '{}'", self.decls.table.repr(ty));
            let hint = "its elements are numbers, and its size is a multiple of theirs";
            return Err(self.error_hint(start, message, hint));
        }
        match u32::try_from(count).ok().filter(|&count| count <= MAX_COMPONENTS) {
            Some(count) => {
                let vector = self.table().intern(Type::Vector(ty.id().into(), count));
                Ok(QualType::new(vector, ty.quals()))
            }
            None => {
                let message =
                    format!("number of vector components {count} exceeds {MAX_COMPONENTS}");
                Err(self.error(start, message))
            }
        }
    }

    fn with_mode(&mut self, ty: QualType, mode: Mode) -> Parse<QualType> {
        match mode {
            Mode::Vector(element, count) => {
                let ty = self.with_scalar_mode(ty, element)?;
                self.vector(ty, |_| count.into(), count.into())
            }
            // Four words, as LuaJIT aligns it; C compilers have no such integer.
            Mode::Oct => {
                let ty = self.with_scalar_mode(ty, ScalarMode::Int(8))?;
                let ty = self.vector(ty, |_| 4, 4)?;
                Ok(self.aligned(ty, 16))
            }
            Mode::Scalar(mode) => self.with_scalar_mode(ty, mode),
        }
    }

    fn with_scalar_mode(&mut self, ty: QualType, mode: ScalarMode) -> Parse<QualType> {
        let char_signed = self.decls.table.model().char_signed;
        let id = match (self.decls.table.shape(ty), mode) {
            (Type::Int(kind), ScalarMode::Int(size)) => {
                IntKind::of(size.into(), kind.is_signed(char_signed)).map(TypeId::int)
            }
            (Type::Float(_), ScalarMode::Float(kind)) => Some(TypeId::float(kind)),
            (Type::Complex(_), ScalarMode::Complex(kind)) => {
                Some(self.table().intern(Type::Complex(kind)))
            }
            // An enum or pointer of its natural size.
            (Type::Enum(_) | Type::Pointer(_), ScalarMode::Int(_)) => Some(ty.id()),
            _ => None,
        };
        match id {
            Some(id) => Ok(QualType::new(id, ty.quals())),
            None => Err(self.error_here("this machine mode does not fit the type".into())),
        }
    }
}
