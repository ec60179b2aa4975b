//! Derived types: the pointers, arrays and functions that a declarator makes from the type of its specifiers.

use super::{Core, Declarator, FunctionSuffix, Op, Pointer};
use crate::ctype::function::FunctionRef;
use crate::ctype::layout::max_size;
use crate::ctype::parse::attribute::FunctionAttributes;
use crate::ctype::parse::contract::{contracts, sorted};
use crate::ctype::parse::{Failed, Offset, Parse, Parser};
use crate::ctype::{ArrayLen, QualType, Type, TypeId};

impl Parser<'_> {
    /// Applies the collected steps to the base type.
    #[inline]
    pub(super) fn build(
        &mut self,
        base: QualType,
        mark: usize,
        core: Core,
        rest: FunctionAttributes,
    ) -> Parse<Declarator> {
        // No function inside a parameter or a type name is declared.
        let declares = core.name.is_some() && self.prototypes == 0;
        if declares {
            self.piles.declared_names.clear();
        }
        if self.piles.ops.len() == mark && rest.is_empty() {
            let Core { name, attributes } = core;
            return Ok(Declarator { name, ty: base, at_least: None, attributes });
        }
        self.build_steps(base, mark, core, rest, declares)
    }

    fn build_steps(
        &mut self,
        base: QualType,
        mark: usize,
        core: Core,
        mut rest: FunctionAttributes,
        declares: bool,
    ) -> Parse<Declarator> {
        let Core { name, attributes: others } = core;
        let mut ty = base;
        let mut outermost_at_least = None;
        while self.piles.ops.len() > mark {
            let Some(op) = self.piles.ops.pop() else { break };
            let innermost = self.piles.ops.len() == mark;
            match op {
                Op::Pointer(pointer) => ty = self.build_pointer(ty, pointer)?,
                Op::Array { len, at_least, start } => {
                    if innermost {
                        outermost_at_least = at_least;
                    }
                    ty = self.build_array(ty, len, start)?;
                }
                Op::Function(mut suffix) => {
                    let last =
                        !self.piles.ops[mark..].iter().any(|op| matches!(op, Op::Function(_)));
                    if last && !rest.is_empty() {
                        suffix.attributes.merge(std::mem::take(&mut rest));
                    }
                    ty = self.build_function(ty, suffix, innermost && declares)?.into();
                }
            }
            self.check_depth(ty, name.map_or(self.tok.start, |name| name.1))?;
        }
        if !rest.is_empty() {
            ty = self.slide(ty, &rest);
        }
        Ok(Declarator { name, ty, at_least: outermost_at_least, attributes: others })
    }

    /// A function type. Its parameters are the last of `Piles::parameters`, and are removed from there.
    fn build_function(
        &mut self,
        result: QualType,
        suffix: FunctionSuffix,
        declares: bool,
    ) -> Parse<TypeId> {
        self.check_result(result, suffix.start)?;
        let params = &self.piles.parameters.types[suffix.params..];
        let contracts = contracts(&self.decls.table, params, &suffix.attributes);
        let ty = self.decls.table.intern_function(FunctionRef {
            result,
            params,
            variadic: suffix.variadic,
            unprototyped: suffix.unprototyped,
            convention: suffix.attributes.convention().unwrap_or_default(),
            contracts: &contracts,
        });
        if declares {
            self.piles
                .declared_names
                .extend_from_slice(&self.piles.parameters.names[suffix.params..]);
        }
        self.piles.parameters.truncate(suffix.params);
        Ok(ty)
    }

    pub(super) fn build_pointer(&mut self, to: QualType, pointer: Pointer) -> Parse<QualType> {
        if matches!(self.decls.table.get(to.id()), Type::Reference(_)) {
            return Err(self.error(pointer.start, "pointer to a reference".into()));
        }
        Ok(if pointer.reference {
            self.table().reference_to(to).into()
        } else {
            QualType::new(self.table().pointer_to(to), pointer.quals)
        })
    }

    pub(in crate::ctype::parse) fn build_array(
        &mut self,
        element: QualType,
        len: ArrayLen,
        start: Offset,
    ) -> Parse<QualType> {
        let table = &self.decls.table;
        let problem = match table.shape(element) {
            Type::Void => Some("array of void"),
            Type::Function(_) => Some("array of functions"),
            Type::Reference(_) => Some("array of references"),
            Type::Array(_, ArrayLen::Incomplete | ArrayLen::Variable) if self.prototypes == 0 => {
                Some("array of arrays of open length")
            }
            Type::Record(id) if table.record(*id).body.is_none() => {
                Some("array of an incomplete type")
            }
            Type::Enum(id) if table.enum_(*id).base.is_none() => {
                Some("array of an incomplete type")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            if self.is_fallout(element) {
                return Err(Failed);
            }
            let message = format!("{problem} '{}'", table.repr(element));
            return Err(self.error(start, message));
        }
        if let (Some(layout), ArrayLen::Fixed(count)) = (table.layout_of(element), len) {
            let limit = max_size(table.model());
            if layout.size.checked_mul(count).is_none_or(|size| size > limit) {
                return Err(self.error(start, "array is larger than the address space".into()));
            }
            if layout.size % layout.align != 0 && count > 1 {
                return Err(
                    self.error(start, "elements are aligned more than they are large".into())
                );
            }
        }
        Ok(self.table().array_of(element, len).into())
    }

    fn check_result(&mut self, result: QualType, start: Offset) -> Parse<()> {
        let what = match self.decls.table.shape(result) {
            Type::Array(..) => "an array",
            Type::Function(_) => "a function",
            _ => return Ok(()),
        };
        Err(self.error_hint(
            start,
            format!("function that returns {what}"),
            "it can return a pointer to one",
        ))
    }

    /// Applies attributes to the function type behind pointers and arrays, if there is one.
    pub(in crate::ctype::parse) fn slide(
        &mut self,
        ty: QualType,
        attributes: &FunctionAttributes,
    ) -> QualType {
        let id = match self.decls.table.get(ty.id()).clone() {
            Type::Pointer(to) => {
                let to = self.slide(to, attributes);
                self.table().pointer_to(to)
            }
            Type::Array(element, len) => {
                let element = self.slide(element, attributes);
                self.table().array_of(element, len)
            }
            Type::Function(mut function) => {
                function.convention = attributes.convention().unwrap_or(function.convention);
                let more = contracts(&self.decls.table, &function.params, attributes);
                function.contracts =
                    sorted(function.contracts.iter().chain(&more).cloned().collect());
                self.table().intern(Type::Function(function))
            }
            _ => ty.id(),
        };
        QualType::new(id, ty.quals())
    }

    /// A type with an alignment of its own.
    pub(in crate::ctype::parse) fn aligned(&mut self, ty: QualType, align: u32) -> QualType {
        let inner = QualType::from(self.decls.table.resolve(ty).id());
        let quals = self.decls.table.resolve(ty).quals();
        QualType::new(self.table().intern(Type::Aligned(inner, align)), quals)
    }
}
