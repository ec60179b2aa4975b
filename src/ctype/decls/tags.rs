//! The tags of structs, unions and enums, and their bodies.

use super::text::Undo;
use super::{Conflict, Declarations, Site};
use crate::ctype::lex::Offset;
use crate::ctype::print;
use crate::ctype::same::Comparison;
use crate::ctype::{EnumId, IntKind, Name, RecordBody, RecordId};

/// The record or enum of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ctype) enum Tag {
    Record(RecordId),
    Enum(EnumId),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::ctype) struct TagEntry {
    pub(in crate::ctype) name: Name,
    pub(in crate::ctype) tag: Tag,
    pub(super) site: Site,
}

impl Declarations {
    /// The record or enum of a tag.
    pub(in crate::ctype) fn tag(&self, name: Name) -> Option<Tag> {
        self.outwards(|scope| scope.tag(name))
    }

    /// The tag of that name that a definition completes: one of the current scope, not of an outer one.
    pub(in crate::ctype) fn own_tag(&self, name: Name) -> Option<Tag> {
        self.names.tag(name)
    }

    /// Declares a tag, or moves its place to where its body is.
    pub(in crate::ctype) fn set_tag(&mut self, name: Name, tag: Tag, offset: Offset) {
        let site = self.site(offset);
        match self.names.tag_slots.get(name) {
            Some(position) => {
                let before = std::mem::replace(&mut self.names.tags[position].site, site);
                if position < self.mark.tags {
                    self.undo.push(Undo::TagMoved(position, before));
                }
            }
            None => {
                self.names.tag_slots.set(name, Some(self.names.tags.len()));
                self.names.tags.push(TagEntry { name, tag, site });
            }
        }
    }

    /// `struct`, `union` or `enum`, as a tag was declared.
    pub(in crate::ctype) fn tag_keyword(&self, name: Name) -> Option<&'static str> {
        self.tag(name).map(|tag| self.keyword(tag))
    }

    fn keyword(&self, tag: Tag) -> &'static str {
        match tag {
            Tag::Record(id) => print::keyword(self.table.record(id).kind),
            Tag::Enum(_) => "enum",
        }
    }

    /// The conflict with an earlier declaration of a tag.
    pub(in crate::ctype) fn tag_conflict(&self, name: Name) -> Option<Conflict> {
        let entry = self.outwards(|scope| Some(scope.tags[scope.tag_slots.get(name)?]))?;
        let keyword = self.keyword(entry.tag);
        Some(self.conflict(entry.site, format!("{keyword} {}", self.table.name(name))))
    }

    /// Completes a record; a complete one must have had the same body.
    pub(in crate::ctype) fn complete_record(&mut self, id: RecordId, body: RecordBody) -> bool {
        if let Some(old) = &self.table.record(id).body {
            return Comparison::new(&self.table).bodies(old, &body);
        }
        self.table.complete_record(id, body);
        if self.mark.table.has_record(id) {
            self.undo.push(Undo::Record(id));
        }
        true
    }

    /// Gives an enum its fixed type; a different one before is a conflict.
    pub(in crate::ctype) fn fix_enum(&mut self, id: EnumId, base: IntKind) -> bool {
        match self.table.enum_(id).base {
            Some(old) => old == base,
            None => {
                if self.mark.table.has_enum(id) {
                    self.undo.push(Undo::Enum(id, None));
                }
                self.table.set_enum_base(id, Some(base));
                true
            }
        }
    }

    /// Completes an enum; a complete one must have had the same values.
    pub(in crate::ctype) fn complete_enum(
        &mut self,
        id: EnumId,
        base: IntKind,
        values: Vec<(Name, i64)>,
    ) -> bool {
        let old = self.table.enum_(id);
        if !old.values.is_empty() {
            return old.base == Some(base) && *old.values == *values;
        }
        if self.mark.table.has_enum(id) {
            self.undo.push(Undo::Enum(id, old.base));
        }
        self.table.complete_enum(id, base, values.into());
        true
    }
}
