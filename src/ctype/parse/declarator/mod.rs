//! Declarators: pointers, arrays, functions and parentheses around a name.

mod derive;

use super::attribute::{Attributes, FunctionAttributes};
use super::{Keyword, Offset, Parse, Parser, Tok};
use crate::ctype::{ArrayLen, Contract, Name, QualType, Quals, Type, TypeId};

/// One step from a name outwards to the type of its specifiers.
#[derive(Debug)]
pub(super) enum Op {
    Pointer(Pointer),
    Array {
        len: ArrayLen,
        /// `[static n]` of a parameter.
        at_least: Option<u64>,
        start: Offset,
    },
    Function(FunctionSuffix),
}

/// `(…)` after a declarator.
#[derive(Debug)]
pub(super) struct FunctionSuffix {
    /// The index of its first parameter in the list of the parser. When the suffix is used, its parameters are the last of the list.
    params: usize,
    variadic: bool,
    unprototyped: bool,
    attributes: FunctionAttributes,
    start: Offset,
}

/// The parameters of the open parameter lists.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) types: Vec<QualType>,
    names: Vec<Option<Name>>,
}

impl Parameters {
    fn push(&mut self, name: Option<Name>, ty: QualType) {
        self.types.push(ty);
        self.names.push(name);
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.types.truncate(len);
        self.names.truncate(len);
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    quals: Quals,
    reference: bool,
    start: Offset,
}

/// Whether a declarator has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    Required,
    Optional,
    Forbidden,
}

/// A declarator with the type that it declares.
#[derive(Debug)]
pub(super) struct Declarator {
    pub(super) name: Option<(Name, Offset)>,
    pub(super) ty: QualType,
    /// The number of a parameter's outermost `[static n]`.
    pub(super) at_least: Option<u64>,
    /// Attributes among the pointers, but those of functions.
    pub(super) attributes: Attributes,
}

/// The core of a declarator: its name, and the attributes on the way to it.
#[derive(Debug, Default)]
struct Core {
    name: Option<(Name, Offset)>,
    attributes: Attributes,
}

impl Parser<'_> {
    /// A declarator whose type starts from `base`. `attributes` belong to the whole declaration; those about functions are applied to the
    /// function that is declared or pointed to.
    pub(super) fn declarator(
        &mut self,
        base: QualType,
        naming: Naming,
        attributes: &FunctionAttributes,
    ) -> Parse<Declarator> {
        let mark = self.piles.ops.len();
        let (mut ty, mut core) = (base, Core::default());
        let (mut rest, mut own) = Default::default();
        if !matches!(self.tok.kind, Tok::Name(_)) {
            (rest, own) = self.outer_prefix(&mut ty, &mut core)?;
        }
        rest.merge(self.core_and_suffixes(naming, &mut core, own)?);
        if !attributes.is_empty() {
            let mut all = attributes.clone();
            all.merge(rest);
            rest = all;
        }
        self.build(ty, mark, core, rest)
    }

    /// The prefix of a declarator that stands in no parentheses: its pointers are the first to be applied, whatever follows.
    fn outer_prefix(
        &mut self,
        ty: &mut QualType,
        core: &mut Core,
    ) -> Parse<(FunctionAttributes, FunctionAttributes)> {
        let mark = self.piles.pointers.len();
        let attributes = self.pointer_prefix(&mut core.attributes)?;
        for at in mark..self.piles.pointers.len() {
            *ty = self.build_pointer(*ty, self.piles.pointers[at])?;
            self.check_depth(*ty, self.tok.start)?;
        }
        self.piles.pointers.truncate(mark);
        Ok(attributes)
    }

    /// Parses a declarator in parentheses within a declarator. Pushes the derivations from the inside out, and returns the function
    /// attributes that belong to an outer declarator.
    fn inner_declarator(&mut self, naming: Naming, core: &mut Core) -> Parse<FunctionAttributes> {
        let pointers = self.piles.pointers.len();
        let (mut outer, own) = self.pointer_prefix(&mut core.attributes)?;
        outer.merge(self.core_and_suffixes(naming, core, own)?);
        while self.piles.pointers.len() > pointers {
            if let Some(pointer) = self.piles.pointers.pop() {
                self.piles.ops.push(Op::Pointer(pointer));
            }
        }
        Ok(outer)
    }

    /// The name, or a declarator in parentheses, and what follows it; `own` are the attributes before it, which belong
    /// to a function of this level, and are returned if there is none.
    #[inline]
    fn core_and_suffixes(
        &mut self,
        naming: Naming,
        core: &mut Core,
        mut own: FunctionAttributes,
    ) -> Parse<FunctionAttributes> {
        let token = self.tok.kind;
        match token {
            Tok::Name(found) if naming != Naming::Forbidden => {
                core.name = Some((found, self.tok.start));
                self.advance();
            }
            Tok::Punct(_) if self.at("(") && self.is_parenthesised(naming) => {
                self.advance();
                let inner = self.nested(|p| p.inner_declarator(naming, core))?;
                self.expect(")")?;
                own.merge(inner);
            }
            _ if naming == Naming::Required => return Err(self.expected("a name")),
            _ => {}
        }
        if self.at("(") || self.at("[") {
            self.suffixes(&mut own)?;
        }
        Ok(own)
    }

    /// `*`, `&`, qualifiers and attributes. The attributes before a `*` belong to the function that the
    /// pointer points to, those after the last `*` to a function of this level.
    fn pointer_prefix(
        &mut self,
        attributes: &mut Attributes,
    ) -> Parse<(FunctionAttributes, FunctionAttributes)> {
        let mark = self.piles.pointers.len();
        let mut outer = FunctionAttributes::default();
        loop {
            let start = self.tok.start;
            let is_star = self.at("*") || self.at("^");
            if is_star || self.at("&") || self.at("&&") {
                self.advance();
                outer.merge(std::mem::take(&mut attributes.function));
                self.piles.pointers.push(Pointer {
                    quals: Quals::NONE,
                    reference: !is_star,
                    start,
                });
            } else if let Some(qual) = self.qualifier() {
                match self.piles.pointers[mark..].last_mut() {
                    Some(pointer) => pointer.quals = pointer.quals.with(qual),
                    None => {
                        return Err(self.error(start, "qualifier without a '*' before it".into()));
                    }
                }
            } else if let Tok::Keyword(keyword @ (Keyword::Ptr32 | Keyword::Ptr64)) = self.tok.kind
            {
                self.pointer_size(keyword)?;
            } else if !self.attribute(attributes)? {
                return Ok((outer, std::mem::take(&mut attributes.function)));
            }
        }
    }

    fn qualifier(&mut self) -> Option<Quals> {
        let quals = match self.tok.kind {
            Tok::Keyword(Keyword::Const) => Quals::CONST,
            Tok::Keyword(Keyword::Volatile) => Quals::VOLATILE,
            Tok::Keyword(Keyword::Restrict) => Quals::RESTRICT,
            Tok::Keyword(Keyword::Atomic) => Quals::ATOMIC,
            _ => return None,
        };
        self.advance();
        Some(quals)
    }

    /// Whether a `(` opens a nested declarator, and not the parameters of an abstract one.
    fn is_parenthesised(&mut self, naming: Naming) -> bool {
        if naming == Naming::Required {
            return true;
        }
        match self.peek() {
            Tok::Punct(p) => matches!(p.char(), b'*' | b'(' | b'[' | b'&' | b'^'),
            Tok::Name(name) => naming == Naming::Optional && self.decls.typedef(name).is_none(),
            Tok::Keyword(keyword) => {
                keyword == Keyword::Attribute || super::attribute::convention(keyword).is_some()
            }
            _ => false,
        }
    }

    /// `[…]` and `(…)`; the first function takes the attributes of its level.
    fn suffixes(&mut self, own: &mut FunctionAttributes) -> Parse<()> {
        loop {
            if self.at("[") {
                if self.peek_at("[") {
                    let mut attributes = Attributes::default();
                    self.attribute(&mut attributes)?;
                    own.merge(attributes.function);
                } else {
                    let op = self.array_suffix()?;
                    self.piles.ops.push(op);
                }
            } else if self.at("(") {
                let attributes = std::mem::take(own);
                let suffix = self.nested(|p| p.parameter_list(attributes))?;
                self.piles.ops.push(Op::Function(suffix));
            } else {
                return Ok(());
            }
        }
    }

    fn array_suffix(&mut self) -> Parse<Op> {
        let start = self.tok.start;
        self.advance();
        let mut is_static = false;
        loop {
            if self.eat_keyword(Keyword::Static) {
                is_static = true;
            } else if self.qualifier().is_none() {
                break;
            }
        }
        let len = if self.at("]") {
            ArrayLen::Incomplete
        } else if self.at("*") && self.peek_at("]") {
            self.advance();
            ArrayLen::Incomplete
        } else if self.at("?") {
            self.advance();
            ArrayLen::Variable
        } else {
            self.array_length()?
        };
        self.expect("]")?;
        let at_least = match len {
            ArrayLen::Fixed(count) if is_static => Some(count),
            _ => None,
        };
        Ok(Op::Array { len, at_least, start })
    }

    fn array_length(&mut self) -> Parse<ArrayLen> {
        let checkpoint = self.checkpoint();
        let start = self.tok.start;
        let count = match self.constant_integer() {
            Ok(count) if self.at("]") || self.prototypes == 0 => count,
            // The length of a parameter may be another parameter.
            _ if self.prototypes > 0 => {
                self.rewind(checkpoint);
                self.skip_to_bracket()?;
                return Ok(ArrayLen::Incomplete);
            }
            Ok(_) => return Err(self.expected("']'")),
            Err(failed) => return Err(failed),
        };
        match u64::try_from(count) {
            Ok(count) => Ok(ArrayLen::Fixed(count)),
            Err(_) => Err(self.error(start, format!("array length {count} is negative"))),
        }
    }

    fn skip_to_bracket(&mut self) -> Parse<()> {
        while !self.at("]") {
            match self.tok.kind {
                Tok::End | Tok::Bad(_) => return Err(self.expected("']'")),
                _ if self.at("(") || self.at("[") || self.at("{") => self.skip_balanced()?,
                _ => self.advance(),
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn parameter_list(&mut self, mut attributes: FunctionAttributes) -> Parse<FunctionSuffix> {
        let start = self.tok.start;
        self.advance();
        let mark = self.piles.parameters.types.len();
        let mut variadic = false;
        let unprototyped = self.at(")");
        while !self.at(")") {
            if self.eat("...") {
                variadic = true;
                break;
            }
            let param_start = self.tok.start;
            self.prototypes += 1;
            let parameter =
                self.parameter(self.piles.parameters.types.len() - mark, &mut attributes);
            self.prototypes -= 1;
            let (name, ty) = parameter?;
            if ty.id() == TypeId::VOID {
                if self.piles.parameters.types.len() == mark && name.is_none() && self.at(")") {
                    break;
                }
                return Err(self.error(param_start, "parameter of type void".into()));
            }
            self.piles.parameters.push(name, ty);
            if !self.at(")") && !self.eat(",") {
                return Err(self.expected("',' or ')'"));
            }
        }
        self.expect(")")?;
        Ok(FunctionSuffix { params: mark, variadic, unprototyped, attributes, start })
    }

    /// A parameter with its adjusted type; what it promises goes to the function's attributes.
    fn parameter(
        &mut self,
        index: usize,
        attributes: &mut FunctionAttributes,
    ) -> Parse<(Option<Name>, QualType)> {
        let specifiers = self.specifiers()?;
        let own = &specifiers.attributes.function;
        let declarator = self.declarator(specifiers.ty, Naming::Optional, own)?;
        let mut ty = declarator.ty;
        // GCC's `nonnull` of a parameter is about that parameter.
        let mut nonnull = own.all_nonnull();
        if self.may_be_attribute() {
            let mut trailing = Attributes::default();
            self.attributes(&mut trailing)?;
            if !trailing.function.is_empty() {
                ty = self.slide(ty, &trailing.function);
            }
            nonnull |= trailing.function.all_nonnull();
        }
        let param = u32::try_from(index).unwrap_or(u32::MAX);
        if let Some(count) = declarator.at_least {
            attributes.list().contracts.push(Contract::AtLeast { param, count });
        }
        if nonnull {
            attributes.list().contracts.push(Contract::NonNull { param });
        }
        if ty.quals().has(Quals::RESTRICT) {
            attributes.list().contracts.push(Contract::Restrict { param });
        }
        let ty = match *self.decls.table.shape(ty) {
            Type::Array(element, _) => {
                let pointer = self.table().pointer_to(element);
                QualType::from(pointer)
            }
            Type::Function(_) => self.table().pointer_to(ty).into(),
            _ => ty.id().into(),
        };
        Ok((declarator.name.map(|name| name.0), ty))
    }

    /// A type name: specifiers and a declarator without a name.
    pub(super) fn type_name(&mut self) -> Parse<QualType> {
        let specifiers = self.specifiers()?;
        let attributes = &specifiers.attributes.function;
        let declarator = self.declarator(specifiers.ty, Naming::Forbidden, attributes)?;
        let mut trailing = Attributes::default();
        self.attributes(&mut trailing)?;
        let ty = if trailing.function.is_empty() {
            declarator.ty
        } else {
            self.slide(declarator.ty, &trailing.function)
        };
        Ok(match specifiers.attributes.alignment().max(trailing.alignment()) {
            Some(align) => self.aligned(ty, align),
            None => ty,
        })
    }
}
