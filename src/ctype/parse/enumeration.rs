//! `enum` specifiers.

use super::attribute::Attributes;
use super::value::Value;
use super::{Offset, Parse, Parser, Tok};
use crate::ctype::decls::Tag;
use crate::ctype::{Constant, Decl, EnumId, IntKind, Name, QualType, Type, TypeId};

impl Parser<'_> {
    /// `enum [tag] [: type] [{ … }]`
    pub(super) fn enum_specifier(&mut self) -> Parse<QualType> {
        self.advance();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let start = self.tok.start;
        let tag = match self.tok.kind {
            Tok::Name(name) => {
                self.advance();
                Some(name)
            }
            _ if self.at("{") || self.at(":") => None,
            _ => return Err(self.expected("a tag or '{'")),
        };
        if self.at("{") || self.at(":") {
            self.note_type(start);
        }
        let id = self.enum_id(tag, start)?;
        if self.at(":") && (tag.is_none() || self.peek_starts_type()) {
            self.advance();
            self.fixed_type(id)?;
        }
        if self.at("{") {
            self.enum_body(id, start, attributes)?;
            if let Some(tag) = tag {
                self.decls.set_tag(tag, Tag::Enum(id), start);
            }
        }
        Ok(self.table().intern(Type::Enum(id)).into())
    }

    fn peek_starts_type(&mut self) -> bool {
        let next = self.peek();
        self.starts_type(next)
    }

    fn enum_id(&mut self, tag: Option<Name>, start: Offset) -> Parse<EnumId> {
        let Some(name) = tag else {
            return Ok(self.table().add_enum(None));
        };
        let body = self.at("{") || self.at(":") && self.peek_starts_type();
        let known = if body { self.decls.own_tag(name) } else { self.decls.tag(name) };
        match known {
            Some(Tag::Enum(id)) => Ok(id),
            Some(Tag::Record(_)) => Err(self.other_tag(name, start)),
            None => {
                self.check_new_tag("enum", name, start)?;
                let id = self.table().add_enum(tag);
                self.decls.set_tag(name, Tag::Enum(id), start);
                Ok(id)
            }
        }
    }

    fn fixed_type(&mut self, id: EnumId) -> Parse<()> {
        let start = self.tok.start;
        let ty = self.specifiers()?.ty;
        let base = match *self.decls.table.shape(ty) {
            Type::Int(IntKind::I128 | IntKind::U128) => None,
            Type::Int(kind) => Some(kind),
            Type::Bool => Some(IntKind::U8),
            Type::Enum(of) => Some(self.decls.table.enum_base(of)),
            _ => None,
        };
        match base {
            Some(base) if self.decls.fix_enum(id, base) => Ok(()),
            Some(_) => Err(self.error(start, "this enum had another type before".into())),
            None => Err(self.error_hint(
                start,
                "no type for an enum".into(),
                "it is an integer type of at most 64 bits",
            )),
        }
    }

    fn enum_body(&mut self, id: EnumId, start: Offset, mut attributes: Attributes) -> Parse<()> {
        self.advance();
        // A body that was there before has left its base; only one given with ':' counts here.
        let fixed = if self.decls.table.enum_(id).values.is_empty() {
            self.decls.table.enum_(id).base
        } else {
            None
        };
        let mut values: Vec<(Name, Offset, i128)> = Vec::new();
        let mut next = 0;
        while !self.at("}") {
            let (name, start) = self.expect_name()?;
            self.attributes(&mut Attributes::default())?;
            if self.eat("=") {
                next = self.constant_integer()?;
            }
            if i64::try_from(next).is_err() && u64::try_from(next).is_err() {
                return Err(self.error(start, format!("enumerator {next} does not fit 64 bits")));
            }
            self.declare_enumerator(name, next, fixed, start)?;
            values.push((name, start, next));
            next += 1;
            if !self.at("}") && !self.eat(",") {
                return Err(self.expected("',' or '}'"));
            }
        }
        self.expect("}")?;
        self.attributes(&mut attributes)?;
        let Some(base) = fixed.or_else(|| self.enum_base(&values, attributes.object().packed))
        else {
            return Err(self.error(start, "no integer type holds all values of this enum".into()));
        };
        self.check_range(&values, base)?;
        let values = values.into_iter().map(|(name, _, value)| (name, value as i64)).collect();
        if self.decls.complete_enum(id, base, values) {
            return Ok(());
        }
        let tag = self.decls.table.enum_(id).tag;
        match tag.and_then(|tag| self.decls.tag_conflict(tag)) {
            Some(conflict) => {
                Err(self.conflict(start, "conflicting values of this enum".into(), conflict))
            }
            None => Err(self.error(start, "conflicting values of this enum".into())),
        }
    }

    fn declare_enumerator(
        &mut self,
        name: Name,
        value: i128,
        fixed: Option<IntKind>,
        start: Offset,
    ) -> Parse<()> {
        let kind = match fixed {
            Some(kind) => kind,
            None => [IntKind::I32, IntKind::U32, IntKind::I64]
                .into_iter()
                .find(|kind| holds(*kind, value))
                .unwrap_or(IntKind::U64),
        };
        let ty = QualType::from(TypeId::int(kind));
        let value = Constant::Int(value);
        self.scoped.push((name, ty, value));
        self.declare(name, Decl::Constant { ty, value }, start)
    }

    /// The integer type that the platform's compiler gives an enum.
    fn enum_base(&self, values: &[(Name, Offset, i128)], packed: bool) -> Option<IntKind> {
        let fits = |kind: IntKind| values.iter().all(|&(_, _, value)| holds(kind, value));
        if self.decls.table.model().enum_is_int && fits(IntKind::I32) {
            return Some(IntKind::I32);
        }
        let small = [IntKind::U8, IntKind::I8, IntKind::U16, IntKind::I16];
        let large = [IntKind::U32, IntKind::I32, IntKind::U64, IntKind::I64];
        let small = small.into_iter().filter(|_| packed);
        small.chain(large).find(|&kind| fits(kind))
    }

    fn check_range(&mut self, values: &[(Name, Offset, i128)], base: IntKind) -> Parse<()> {
        for &(name, start, value) in values {
            if !holds(base, value) {
                let name = self.decls.table.name(name);
                let message = format!("'{name}' = {value} does not fit the enum's type");
                return Err(self.error(start, message));
            }
        }
        Ok(())
    }
}

/// Whether an integer type of at most 64 bits has a value.
fn holds(kind: IntKind, value: i128) -> bool {
    let wrapped = Value::Int(value).wrapped(kind, true);
    wrapped == Value::Int(value)
}
