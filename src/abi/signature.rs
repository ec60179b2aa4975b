//! The part of a C function type that a calling convention reads.

use super::ty::Type;
use super::{Convention, Role};
use crate::ctype::{QualType, Table, Type as CType, TypeId};
use crate::error::Error;
use crate::target::Target;

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
        let convention = target.convention(function.convention, function.variadic)?;
        let mut types = Vec::with_capacity(function.params.len() + variable.len());
        for &ty in function.params.iter().chain(variable) {
            types.push(Type::of(table, ty)?);
        }
        let signature = Signature {
            arguments: types.into(),
            result: Type::of(table, function.result)?,
            fixed: function.variadic.then_some(function.params.len()),
        };
        Ok((signature, convention))
    }

    /// The role of the argument at `index`.
    pub fn role(&self, index: usize) -> Role {
        match self.fixed {
            Some(fixed) if index >= fixed => Role::Variable,
            fixed => Role::Fixed { variadic: fixed.is_some() },
        }
    }
}

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
