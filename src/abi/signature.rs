//! The part of a C function type that a calling convention sees.

use crate::ctype::{FloatKind, QualType, Table, Type as CType, TypeId};
use crate::error::Error;
use crate::target::Target;

use super::{Bank, Class, Convention, Extension, Scalar, Unsupported, Width};

/// A C type as a calling convention sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of types that conventions tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `void`, as a result.
    Void,
    /// `_Bool`: one byte, 0 or 1.
    Bool,
    /// An integer or enum of at most 64 bits.
    Int {
        /// Whether it extends with its sign.
        signed: bool,
    },
    /// A data or function pointer, or a C++ reference.
    Pointer,
    /// `float` or `double`.
    Float,
    /// `_Float16`, x87 or IEEE quad `long double`.
    OtherFloat,
    /// `__int128`
    Int128,
    /// A complex number.
    Complex,
    /// A vector.
    Vector,
    /// A struct or union.
    Record,
}

impl Type {
    const fn new(size: u32, kind: Kind) -> Type {
        Type { size, align: size, kind }
    }

    /// `void`
    pub const VOID: Type = Type { size: 0, align: 1, kind: Kind::Void };
    /// `_Bool`
    pub const BOOL: Type = Type::new(1, Kind::Bool);
    /// `float`
    pub const F32: Type = Type::new(4, Kind::Float);
    /// `double`
    pub const F64: Type = Type::new(8, Kind::Float);
    /// A pointer of a 64-bit target.
    pub const POINTER: Type = Type::new(8, Kind::Pointer);

    /// An integer of `size` bytes.
    pub const fn int(size: u32, signed: bool) -> Type {
        Type::new(size, Kind::Int { signed })
    }

    /// What `ty` is to a convention.
    ///
    /// # Errors
    /// [`Error::IncompleteType`] for a type that cannot be a parameter or a result.
    pub fn of(table: &Table, ty: QualType) -> Result<Type, Error> {
        let kind = match table.get(table.resolve(ty).id()) {
            CType::Void => return Ok(Type::VOID),
            CType::Bool => Kind::Bool,
            CType::Int(kind) if kind.size() > 8 => Kind::Int128,
            CType::Int(kind) => Kind::Int { signed: kind.is_signed(table.model().char_signed) },
            CType::Enum(id) => Kind::Int {
                signed: table
                    .enum_(*id)
                    .base
                    .is_none_or(|base| base.is_signed(table.model().char_signed)),
            },
            CType::Pointer(_) | CType::Reference(_) => Kind::Pointer,
            CType::Float(FloatKind::F32 | FloatKind::F64) => Kind::Float,
            CType::Float(_) => Kind::OtherFloat,
            CType::Complex(_) => Kind::Complex,
            CType::Vector(..) => Kind::Vector,
            CType::Record(_) => Kind::Record,
            CType::Array(..) | CType::Function(_) | CType::Aligned(..) => {
                return Err(Error::incomplete(table, ty));
            }
        };
        let layout = table.layout(ty.id()).ok_or_else(|| Error::incomplete(table, ty))?;
        let size = u32::try_from(layout.size).map_err(|_| Error::incomplete(table, ty))?;
        Ok(Type { size, align: layout.align as u32, kind })
    }

    fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Void => "void",
            Kind::Bool => "_Bool",
            Kind::Int { .. } => "an integer",
            Kind::Pointer => "a pointer",
            Kind::Float => "a floating-point number",
            Kind::OtherFloat => "long double, _Float16 or _Float128 by value",
            Kind::Int128 => "__int128 by value",
            Kind::Complex => "a complex number by value",
            Kind::Vector => "a vector by value",
            Kind::Record => "a struct or union by value",
        }
    }
}

/// The class of a scalar; the same in every 64-bit convention that promotes small integers to 32 bits.
pub(super) fn scalar(ty: &Type, convention: &'static str) -> Result<Class, Unsupported> {
    let (bank, signed) = match ty.kind {
        Kind::Void => return Ok(Class::Ignore),
        Kind::Bool | Kind::Pointer => (Bank::Int, false),
        Kind::Int { signed } => (Bank::Int, signed),
        Kind::Float => (Bank::Float, false),
        _ => {
            return Err(Unsupported { what: ty.describe().into(), convention });
        }
    };
    let width = if ty.size > 4 { Width::W64 } else { Width::W32 };
    let extension = match (ty.size < width.bytes(), signed) {
        (false, _) => Extension::None,
        (true, false) => Extension::Zero,
        (true, true) => Extension::Sign,
    };
    Ok(Class::Scalar(Scalar { bank, width, extension }))
}

/// A function type as a calling convention sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Argument types, the variable ones included.
    pub arguments: Box<[Type]>,
    /// The result type.
    pub result: Type,
    /// For a variadic function the number of arguments that its prototype names.
    pub fixed: Option<usize>,
}

impl Signature {
    /// The signature and convention of the function type `function`, called with `variable` types for `...`.
    ///
    /// # Errors
    /// [`Error::IncompleteType`], [`Error::Convention`].
    pub fn of(
        table: &Table,
        target: &Target,
        function: TypeId,
        variable: &[QualType],
    ) -> Result<(Signature, &'static Convention), Error> {
        let CType::Function(function) = table.get(function) else {
            return Err(Error::incomplete(table, function.into()));
        };
        let convention = target.convention(function.convention)?;
        let arguments = function.params.iter().chain(variable);
        let signature = Signature {
            arguments: arguments.map(|&ty| Type::of(table, ty)).collect::<Result<_, _>>()?,
            result: Type::of(table, function.result)?,
            fixed: function.variadic.then_some(function.params.len()),
        };
        Ok((signature, convention))
    }

    /// What the argument at `index` is to the call.
    pub fn role(&self, index: usize) -> Role {
        match self.fixed {
            Some(fixed) if index >= fixed => Role::Variable,
            _ => Role::Fixed,
        }
    }
}

use super::Role;

/// A call's values in plain memory: one slot for the result, one for each argument, each naturally aligned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    /// Offset of the result slot, in bytes.
    pub result: u32,
    /// Offset of each argument's slot.
    pub arguments: Box<[u32]>,
    /// Bytes in all.
    pub size: u32,
    /// Alignment of the whole.
    pub align: u32,
}

impl FrameLayout {
    /// The layout for a signature; it does not depend on the convention.
    pub fn of(signature: &Signature) -> FrameLayout {
        let mut align = 8;
        let mut size = 0;
        let mut place = |ty: &Type| {
            align = align.max(ty.align);
            let offset: u32 = size;
            let offset = offset.next_multiple_of(ty.align.max(8));
            size = offset + ty.size.max(8);
            offset
        };
        let result = place(&signature.result);
        let arguments = signature.arguments.iter().map(place).collect();
        FrameLayout { result, arguments, size: size.next_multiple_of(align), align }
    }
}
