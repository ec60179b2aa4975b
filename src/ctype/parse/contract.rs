//! Contracts: attributes that say what a function does with its pointers.

use super::attribute::{FunctionAttributes, bare};
use super::{Parse, Parser};
use crate::ctype::{Access, Contract, QualType, Table, Type};

impl Parser<'_> {
    /// The number of a parameter, from 1 in C and from 0 here.
    pub(super) fn parameter_number(&mut self) -> Parse<u32> {
        let start = self.tok.start;
        let number = self.constant_integer()?;
        match number.checked_sub(1).and_then(|param| u32::try_from(param).ok()) {
            Some(param) => Ok(param),
            None => Err(self.error(start, "parameters are numbered from 1".into())),
        }
    }

    /// The number of a parameter, or 0 for the result, which is `None`.
    pub(super) fn parameter_or_result(&mut self) -> Parse<Option<u32>> {
        let start = self.tok.start;
        match self.constant_integer()? {
            0 => Ok(None),
            number => match number.checked_sub(1).and_then(|param| u32::try_from(param).ok()) {
                Some(param) => Ok(Some(param)),
                None => Err(self.error(start, "parameters are numbered from 1".into())),
            },
        }
    }

    /// `read_only, 1 [, 2]`
    pub(super) fn access(&mut self) -> Parse<Contract> {
        let start = self.tok.start;
        let (name, _) = self.expect_name()?;
        let mode = match bare(self.decls.table.name(name)) {
            "read_only" => Access::ReadOnly,
            "write_only" => Access::WriteOnly,
            "read_write" => Access::ReadWrite,
            "none" => Access::None,
            _ => {
                let message = "unknown access mode".into();
                let hint = "read_only, write_only, read_write or none";
                return Err(self.error_hint(start, message, hint));
            }
        };
        self.expect(",")?;
        let param = self.parameter_number()?;
        let size = if self.eat(",") { Some(self.parameter_number()?) } else { None };
        Ok(Contract::Access { mode, param, size })
    }
}

/// The contracts of these parameters, in a canonical order.
pub(super) fn contracts(
    table: &Table,
    params: &[QualType],
    attributes: &FunctionAttributes,
) -> Box<[Contract]> {
    if attributes.is_empty() {
        return Box::default();
    }
    let in_range = |param: &u32| (*param as usize) < params.len();
    let mut found: Vec<Contract> = attributes
        .contracts()
        .iter()
        .filter(|contract| match contract {
            Contract::NonNull { param }
            | Contract::AtLeast { param, .. }
            | Contract::Terminated { param }
            | Contract::Trusted { param }
            | Contract::Nullable { param }
            | Contract::Releases { param }
            | Contract::Restrict { param } => in_range(param),
            Contract::TrustedResult | Contract::NullableResult | Contract::Acquires => true,
            Contract::Access { param, size, .. } => {
                in_range(param) && size.is_none_or(|s| in_range(&s))
            }
        })
        .cloned()
        .collect();
    if attributes.all_nonnull() {
        let pointers =
            (0..).zip(params).filter(|(_, ty)| matches!(table.shape(**ty), Type::Pointer(_)));
        found.extend(pointers.map(|(param, _)| Contract::NonNull { param }));
    }
    sorted(found)
}

/// Contracts without duplicates, so that equal function types are equal.
pub(super) fn sorted(mut contracts: Vec<Contract>) -> Box<[Contract]> {
    contracts.sort_by_key(|contract| match *contract {
        Contract::NonNull { param } => (0, param, 0, None, 0),
        Contract::Access { mode, param, size } => {
            let mode = match mode {
                Access::ReadOnly => 0,
                Access::WriteOnly => 1,
                Access::ReadWrite => 2,
                Access::None => 3,
            };
            (1, param, mode, size, 0)
        }
        Contract::AtLeast { param, count } => (2, param, 0, None, count),
        Contract::Terminated { param } => (3, param, 0, None, 0),
        Contract::Trusted { param } => (4, param, 0, None, 0),
        Contract::Restrict { param } => (5, param, 0, None, 0),
        Contract::TrustedResult => (6, 0, 0, None, 0),
        Contract::Nullable { param } => (7, param, 0, None, 0),
        Contract::NullableResult => (8, 0, 0, None, 0),
        Contract::Releases { param } => (9, param, 0, None, 0),
        Contract::Acquires => (10, 0, 0, None, 0),
    });
    contracts.dedup();
    contracts.into()
}
