//! `struct` and `union` specifiers.

use super::attribute::Attributes;
use super::declarator::{Declarator, Naming};
use super::specifier::Specifiers;
use super::{Failed, Keyword, Offset, Parse, Parser, Tok};
use crate::ctype::decls::Tag;
use crate::ctype::expected;
use crate::ctype::layout::{self, Field, Placed, Rules, Unplaceable};
use crate::ctype::names::NameIndex;
use crate::ctype::print::keyword;
use crate::ctype::{
    ArrayLen, Member, Name, QualType, RecordBody, RecordId, RecordKind, Redeclared, Type,
    UnnamedBits,
};
use crate::suggest::did_you_mean;

/// A record while its members are parsed.
#[derive(Debug, Default)]
struct Draft {
    members: Vec<DraftMember>,
    /// Every name, those of anonymous members included, and where it was declared.
    names: Vec<(Name, Offset)>,
    /// The constants of anonymous members.
    constants: Vec<(Name, Offset)>,
    /// The last member's array without a length; nothing may follow.
    flexible: Option<ArrayLen>,
}

#[derive(Debug)]
struct DraftMember {
    name: Option<Name>,
    field: Field,
    counted_by: Option<Name>,
    start: Offset,
}

impl Parser<'_> {
    /// `struct [tag] [{ … }]`
    pub(super) fn record_specifier(
        &mut self,
        kind: RecordKind,
        before: &mut Attributes,
    ) -> Parse<QualType> {
        self.advance();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let start = self.tok.start;
        let tag = match self.tok.kind {
            Tok::Name(name) => {
                self.advance();
                Some(name)
            }
            _ if self.at("{") => None,
            _ => return Err(self.expected("a tag or '{'")),
        };
        if self.at("{") {
            self.note_type(start);
        }
        let id = self.record_id(kind, tag, start)?;
        if self.at("{") {
            before.give_declspec_align(&mut attributes);
            self.record_body(id, kind, start, attributes)?;
            if let Some(tag) = tag {
                self.decls.set_tag(tag, Tag::Record(id), start);
            }
        }
        let ty = self.table().record_type(id).into();
        self.check_depth(ty, start)?;
        Ok(ty)
    }

    fn record_id(&mut self, kind: RecordKind, tag: Option<Name>, start: Offset) -> Parse<RecordId> {
        let Some(name) = tag else {
            return Ok(self.table().add_record(kind, None));
        };
        let known = if self.at("{") { self.decls.own_tag(name) } else { self.decls.tag(name) };
        match known {
            Some(Tag::Record(id)) if self.decls.table.record(id).kind == kind => Ok(id),
            Some(_) => Err(self.other_tag(name, start)),
            None => {
                self.check_new_tag(keyword(kind), name, start)?;
                let id = self.table().add_record(kind, tag);
                self.decls.set_tag(name, Tag::Record(id), start);
                Ok(id)
            }
        }
    }

    /// Refuses a tag that a type text alone would declare, as LuaJIT does.
    pub(super) fn check_new_tag(&mut self, keyword: &str, name: Name, start: Offset) -> Parse<()> {
        if self.implicit_tags {
            return Ok(());
        }
        let text = self.decls.table.name(name);
        let message = format!("undeclared or implicit tag '{text}'");
        let near = || did_you_mean(text, self.decls.visible_tags(keyword));
        let hint = match expected::tag(&self.decls.table, text) {
            Some(definition) => format!("declare it with cdef first: '{definition}'"),
            None => near().unwrap_or_else(|| "declare it with cdef first".to_owned()),
        };
        Err(self.error_hint(start, message, &hint))
    }

    /// A tag that was declared as another kind of type.
    pub(super) fn other_tag(&mut self, name: Name, start: Offset) -> Failed {
        let message = format!("'{}' is another kind of tag", self.decls.table.name(name));
        match self.decls.tag_conflict(name) {
            Some(conflict) => self.conflict(start, message, conflict),
            None => self.error(start, message),
        }
    }

    fn record_body(
        &mut self,
        id: RecordId,
        kind: RecordKind,
        start: Offset,
        mut attributes: Attributes,
    ) -> Parse<()> {
        self.advance();
        let mut draft = Draft::default();
        let outer = std::mem::take(&mut self.scoped);
        while !self.at("}") && self.tok.kind != Tok::End {
            let member = self.checkpoint();
            if self.member_declaration(&mut draft, kind).is_err() {
                self.recover(member, true);
            }
        }
        self.check_names(&mut draft);
        let constants = std::mem::replace(&mut self.scoped, outer);
        let pack = self.pack.current;
        self.expect("}")?;
        // A `__declspec` here is about what is declared, not about the type.
        while self.at_keyword(Keyword::Attribute) {
            self.attribute(&mut attributes)?;
        }
        if let (None, pragma @ Some(_)) = (attributes.object().ms_struct, self.pack.ms_struct) {
            attributes.object_mut().ms_struct = pragma;
        }
        let body = self.lay_out(kind, draft, &attributes, pack, start)?;
        let table = &self.decls.table;
        let anonymous = |member: &Member| match *table.shape(member.ty) {
            Type::Record(inner) => table.has_names(inner),
            _ => false,
        };
        let has_names = !constants.is_empty()
            || body.members.iter().any(|member| member.name.is_some() || anonymous(member));
        let body = RecordBody { constants: constants.into(), has_names, ..body };
        if self.decls.complete_record(id, body) {
            return Ok(());
        }
        let record = self.decls.table.record(id);
        let tag = record.tag;
        let message = format!(
            "conflicting body of '{} {}'",
            keyword(kind),
            tag.map_or("", |tag| self.decls.table.name(tag))
        );
        match tag.and_then(|tag| self.decls.tag_conflict(tag)) {
            Some(conflict) => Err(self.conflict(start, message, conflict)),
            None => Err(self.error(start, message)),
        }
    }

    fn member_declaration(&mut self, draft: &mut Draft, kind: RecordKind) -> Parse<()> {
        let token = self.tok.kind;
        match token {
            Tok::Directive => return self.directive(),
            Tok::Keyword(Keyword::StaticAssert) => return self.static_assert(),
            Tok::Punct(_) if self.eat(";") => return Ok(()),
            _ => {}
        }
        let start = self.tok.start;
        let scoped = self.scoped.len();
        let specifiers = self.specifiers()?;
        if !matches!(self.decls.table.get(specifiers.ty.id()), Type::Enum(_)) {
            // Only the enumerators of enums that stand here directly belong to the record.
            self.scoped.truncate(scoped);
        }
        if specifiers.storage.is_static || specifiers.storage.is_constexpr {
            return self.constant_member(&specifiers);
        }
        if let Some(storage) = specifiers.storage.word() {
            return Err(self.error(start, format!("a member has no storage class '{storage}'")));
        }
        let mut first = None;
        loop {
            if self.at(";") || self.at(",") {
                self.anonymous_member(draft, &specifiers, start)?;
            } else {
                self.member(draft, &specifiers, kind)?;
                first = first.or(draft.members.last().and_then(|member| member.name));
            }
            if !self.eat(",") {
                return self.end_after_body(&specifiers, first);
            }
        }
    }

    /// LuaJIT's `static const int NAME = value;` inside a record.
    fn constant_member(&mut self, specifiers: &Specifiers) -> Parse<()> {
        loop {
            let attributes = &specifiers.attributes.function;
            let declarator = self.declarator(specifiers.ty, Naming::Required, attributes)?;
            self.expect("=")?;
            let start = self.tok.start;
            let operand = self.initial_value()?;
            let value = self.convert(operand, declarator.ty, start)?.value;
            let Some(value) = value.constant() else {
                return Err(self.error(start, "not a constant number".into()));
            };
            if let Some((name, _)) = declarator.name {
                self.scoped.push((name, declarator.ty, value));
            }
            if !self.eat(",") {
                return self.expect(";");
            }
        }
    }

    /// A declaration without a declarator: an anonymous struct or union, or only a type.
    fn anonymous_member(
        &mut self,
        draft: &mut Draft,
        specifiers: &Specifiers,
        start: Offset,
    ) -> Parse<()> {
        let Type::Record(id) = *self.decls.table.shape(specifiers.ty) else {
            return if specifiers.tagged { Ok(()) } else { Err(self.expected("a member name")) };
        };
        self.add_names(draft, id, start)?;
        let field = Field {
            ty: specifiers.ty,
            named: false,
            width: None,
            attributes: specifiers.attributes.of_member(),
        };
        self.push_member(draft, DraftMember { name: None, field, counted_by: None, start })
    }

    /// The names of an anonymous member are names of the record.
    fn add_names(&mut self, draft: &mut Draft, id: RecordId, start: Offset) -> Parse<()> {
        let Some(body) = &self.decls.table.record(id).body else {
            return Err(self.error(start, "anonymous member of an incomplete type".into()));
        };
        draft.constants.extend(body.constants.iter().map(|constant| (constant.0, start)));
        let members: Vec<_> = body.members.iter().map(|m| (m.name, m.ty)).collect();
        for (name, ty) in members {
            match (name, self.decls.table.shape(ty)) {
                (Some(name), _) => draft.names.push((name, start)),
                (None, &Type::Record(inner)) if self.decls.table.has_names(inner) => {
                    self.nested(|p| p.add_names(draft, inner, start))?
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reports names that stand for two members, unless the first one is to be found by it, as in LuaJIT.
    fn check_names(&mut self, draft: &mut Draft) {
        if self.decls.redeclared() == Redeclared::Ignored {
            return;
        }
        for names in [&mut draft.names, &mut draft.constants] {
            names.sort_unstable();
            for pair in names.windows(2) {
                if pair[0].0 == pair[1].0 {
                    let message = format!("second member '{}'", self.decls.table.name(pair[1].0));
                    self.error(pair[1].1, message);
                }
            }
        }
    }

    fn member(
        &mut self,
        draft: &mut Draft,
        specifiers: &Specifiers,
        kind: RecordKind,
    ) -> Parse<()> {
        let start = self.tok.start;
        let function = &specifiers.attributes.function;
        let declarator = if self.at(":") {
            None
        } else {
            Some(self.declarator(specifiers.ty, Naming::Required, function)?)
        };
        let (name, mut ty, mut attributes) = match declarator {
            Some(Declarator { name, ty, attributes, .. }) => (name, ty, attributes),
            None => (None, specifiers.ty, Attributes::default()),
        };
        let width = if self.at(":") { Some(self.bit_width(ty, name.is_some())?) } else { None };
        self.attributes(&mut attributes)?;
        if !attributes.function.is_empty() {
            ty = self.slide(ty, &attributes.function);
        }
        ty = self.apply_to_base(ty, &attributes)?;
        attributes.merge(specifiers.attributes.clone());
        draft.names.extend(name);
        let start = name.map_or(start, |name| name.1);
        if self.at("=") {
            return Err(self.error_here("a member has no initial value".into()));
        }
        self.check_member_type(ty, start)?;
        if let Type::Array(_, len @ (ArrayLen::Incomplete | ArrayLen::Variable)) =
            *self.decls.table.shape(ty)
            && kind == RecordKind::Struct
        {
            draft.flexible = draft.flexible.or(Some(len));
        } else if let Some(len) = self.flexible_of(ty) {
            // GCC allows a struct that ends in an open array anywhere; it opens the record only at its end.
            draft.flexible = draft.flexible.or(Some(len).filter(|_| self.ends_record()));
        }
        let field = Field { ty, named: name.is_some(), width, attributes: attributes.of_member() };
        let member = DraftMember {
            name: name.map(|name| name.0),
            field,
            counted_by: attributes.object().counted_by,
            start,
        };
        self.push_member(draft, member)
    }

    fn ends_record(&mut self) -> bool {
        self.at(";") && self.peek_at("}")
    }

    fn flexible_of(&self, ty: QualType) -> Option<ArrayLen> {
        match *self.decls.table.shape(ty) {
            Type::Record(id) => self.decls.table.record(id).body.as_ref()?.flexible,
            _ => None,
        }
    }

    fn push_member(&mut self, draft: &mut Draft, member: DraftMember) -> Parse<()> {
        let open = draft.members.last().map(|last| last.field.ty);
        if let Some(ty) = open
            && let Type::Array(_, ArrayLen::Incomplete | ArrayLen::Variable) =
                self.decls.table.shape(ty)
            && draft.flexible.is_some()
        {
            let message = "member after an array without a length".into();
            return Err(self.error_hint(member.start, message, "such an array is the last member"));
        }
        draft.members.push(member);
        Ok(())
    }

    fn check_member_type(&mut self, ty: QualType, start: Offset) -> Parse<()> {
        let table = &self.decls.table;
        let problem = match table.shape(ty) {
            Type::Void => "void",
            Type::Function(_) => "function",
            Type::Record(id) if table.record(*id).body.is_none() => "incomplete",
            Type::Enum(id) if table.enum_(*id).base.is_none() => "incomplete",
            _ => return Ok(()),
        };
        if self.is_fallout(ty) {
            return Err(Failed);
        }
        let message = format!("member of {problem} type '{}'", table.repr(ty));
        Err(self.error_hint(start, message, "a pointer to it can be a member"))
    }

    /// `: width`
    fn bit_width(&mut self, ty: QualType, named: bool) -> Parse<u8> {
        self.advance();
        let start = self.tok.start;
        let width = self.constant_integer()?;
        let table = &self.decls.table;
        let most = match *table.shape(ty) {
            Type::Bool => 1,
            Type::Int(kind) => kind.size() * 8,
            Type::Enum(id) if table.enum_(id).base.is_some() => table.enum_base(id).size() * 8,
            _ => {
                let message = format!("bit-field of type '{}'", table.repr(ty));
                return Err(self.error_hint(
                    start,
                    message,
                    "it has an integer, bool or enum type",
                ));
            }
        };
        if width == 0 && named {
            return Err(self.error(start, "bit-field of width 0 with a name".into()));
        }
        match u8::try_from(width) {
            Ok(width) if u32::from(width) <= most => Ok(width),
            _ => Err(self.error(start, format!("width {width} is not one of 0 to {most}"))),
        }
    }

    /// Places the members.
    fn lay_out(
        &mut self,
        kind: RecordKind,
        draft: Draft,
        attributes: &Attributes,
        pack: Option<u32>,
        start: Offset,
    ) -> Parse<RecordBody> {
        let rules = Rules { kind, attributes: attributes.of_record(pack) };
        let fields: Vec<Field> = draft.members.iter().map(|member| member.field).collect();
        let placed = match layout::record(&self.decls.table, &rules, &fields) {
            Ok(placed) => placed,
            Err(Unplaceable::TooLarge) => {
                return Err(self.error(start, "record is larger than the address space".into()));
            }
            Err(Unplaceable::Incomplete(i)) if self.is_fallout(draft.members[i].field.ty) => {
                return Err(Failed);
            }
            Err(Unplaceable::Incomplete(i)) => {
                return Err(self.error(draft.members[i].start, "member of incomplete type".into()));
            }
        };
        let transparent = attributes.object().transparent_union
            && fields.first().is_some_and(|first| self.stands_for(first.ty, placed.layout.size));
        Ok(body(draft, placed, &rules, transparent))
    }

    /// Whether the first member of a union of `size` bytes can be passed in place of the union. If not, GCC ("union cannot be made transparent")
    /// and Clang ignore the attribute.
    fn stands_for(&self, first: QualType, size: u64) -> bool {
        let table = &self.decls.table;
        let is_real =
            matches!(table.shape(first), Type::Float(_) | Type::Complex(_) | Type::Vector(..));
        !is_real && table.layout_of(first).is_some_and(|layout| layout.size == size)
    }
}

fn body(draft: Draft, placed: Placed, rules: &Rules, transparent_union: bool) -> RecordBody {
    let mut members = Vec::with_capacity(draft.members.len());
    let mut unnamed_bits = Vec::new();
    for (member, (offset, bits)) in draft.members.into_iter().zip(placed.places) {
        let Field { ty, width, attributes, .. } = member.field;
        if let (None, Some(width)) = (member.name, width) {
            let before = u32::try_from(members.len()).unwrap_or(u32::MAX);
            unnamed_bits.push(UnnamedBits { before, ty, width, offset, bits });
            continue;
        }
        members.push(Member {
            name: member.name,
            ty,
            offset,
            bits,
            counted_by: member.counted_by,
            attributes,
        });
    }
    RecordBody {
        by_name: NameIndex::new(members.iter().map(|member| member.name)),
        members: members.into(),
        layout: placed.layout,
        flexible: draft.flexible,
        required_align: placed.required_align,
        constants: Box::default(),
        has_names: true,
        transparent_union,
        attributes: rules.attributes,
        unnamed_bits: unnamed_bits.into(),
    }
}
