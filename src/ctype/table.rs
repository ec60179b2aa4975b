//! The interned types of one target, and the records, enums and names that they refer to.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::function::FunctionRef;
use super::index::Index;
use super::layout::Facts;
use super::names::{NameIndex, Names};
use super::{
    ArrayLen, Bits, Constant, Enum, EnumId, Function, IntKind, Layout, Member, Name, QualType,
    Quals, Record, RecordBody, RecordId, RecordKind, Type, TypeId,
};
use crate::target::DataModel;

/// How deep types may nest, in either sense of [`Depth`]: it bounds every recursion over types.
pub(super) const MAX_DEPTH: u16 = 200;

/// How deep a type nests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Depth {
    /// The depth of the type's text, which has no members of tagged records, except anonymous members.
    text: u16,
    /// The depth of its values, which end at pointers.
    value: u16,
}

impl Depth {
    fn max(self, other: Depth) -> Depth {
        Depth { text: self.text.max(other.text), value: self.value.max(other.value) }
    }

    fn plus_one(self) -> Depth {
        Depth { text: self.text.saturating_add(1), value: self.value.saturating_add(1) }
    }
}

/// The declarations of a short text.
pub(super) const FEW: usize = 8;

/// Makes room for `more` values, and for an eighth of those there are: a full `Vec` doubles when it grows, and most programs declare
/// less than is predeclared.
pub(super) fn make_room<T>(values: &mut Vec<T>, more: usize) {
    if values.capacity() - values.len() < more {
        values.reserve_exact(more.max(values.len() / 8));
    }
}

/// Interned types. Equal types have one [`TypeId`]; ids are dense and never change.
#[derive(Clone, Debug)]
pub struct Table {
    model: &'static DataModel,
    pub(super) names: Names,
    types: Vec<Type>,
    depths: Vec<Depth>,
    type_index: Index,
    records: Vec<Record>,
    enums: Vec<Enum>,
}

/// A member found by name, through anonymous members too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundMember {
    /// Bytes from the start of the record that was asked, as [`super::Member::offset`].
    pub offset: u64,
    /// Its type, with the qualifiers of the anonymous members on the way.
    pub ty: QualType,
    /// Where the bits are, for a bit-field.
    pub bits: Option<Bits>,
    /// `counted_by(name)`
    pub counted_by: Option<Name>,
}

/// How much a table held at some time; see [`Table::rollback`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    names: usize,
    types: usize,
    records: usize,
    enums: usize,
}

impl Mark {
    /// Whether the table had this record then.
    pub(super) fn has_record(&self, id: RecordId) -> bool {
        (id.0 as usize) < self.records
    }

    /// Whether the table had this enum then.
    pub(super) fn has_enum(&self, id: EnumId) -> bool {
        (id.0 as usize) < self.enums
    }
}

fn hash_type(ty: &Type) -> u64 {
    match ty {
        Type::Function(function) => hash(function.borrowed()),
        ty => hash(ty),
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Table {
    /// A table with the basic types of a target.
    pub(super) fn new(model: &'static DataModel) -> Table {
        let mut table = Table {
            model,
            names: Names::default(),
            types: Vec::new(),
            depths: Vec::new(),
            type_index: Index::default(),
            records: Vec::new(),
            enums: Vec::new(),
        };
        for ty in TypeId::FIRST {
            table.intern(ty);
        }
        table
    }

    /// How many types, records and enums there are.
    #[allow(clippy::len_without_is_empty, reason = "a table has the basic types")]
    pub fn len(&self) -> usize {
        self.types.len() + self.records.len() + self.enums.len()
    }

    /// The records that were made since.
    pub(super) fn records_since(&self, mark: Mark) -> impl Iterator<Item = RecordId> {
        (mark.records..self.records.len()).map(|id| RecordId(id as u32))
    }

    /// Sizes and layout rules of the target.
    pub fn model(&self) -> &'static DataModel {
        self.model
    }

    /// The definition of a type. An over-aligned typedef is a [`Type::Aligned`]; [`Table::resolve`] strips it.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.index()]
    }

    /// Every type, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..self.types.len() as u32).map(TypeId)
    }

    /// The type under [`Type::Aligned`], with the qualifiers of both.
    pub fn resolve(&self, ty: QualType) -> QualType {
        let mut ty = ty;
        while let Type::Aligned(inner, _) = *self.get(ty.id()) {
            ty = inner.qualified(ty.quals());
        }
        ty
    }

    /// The definition of a type, with [`Type::Aligned`] stripped.
    pub fn shape(&self, ty: QualType) -> &Type {
        self.get(self.resolve(ty).id())
    }

    /// The id of a type.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        let hash = hash_type(&ty);
        match self.type_index.find(hash, |p| self.types[p] == ty) {
            Some(found) => TypeId(found as u32),
            None => self.add_type(ty, hash),
        }
    }

    /// The id of a function type, which is copied only if it is new.
    pub(super) fn intern_function(&mut self, function: FunctionRef<'_>) -> TypeId {
        let hash = hash(function);
        let is_same = |p: usize| match &self.types[p] {
            Type::Function(other) => other.borrowed() == function,
            _ => false,
        };
        match self.type_index.find(hash, is_same) {
            Some(found) => TypeId(found as u32),
            None => self.add_type(Type::Function(Box::new(function.to_owned())), hash),
        }
    }

    fn add_type(&mut self, ty: Type, hash: u64) -> TypeId {
        let depth = self.depth_of(&ty);
        let id = self.types.len();
        // Four bits of a QualType are the qualifiers.
        assert!(id < 1 << 28, "a table holds less than 2^28 types");
        self.type_index.insert(hash, id);
        self.types.push(ty);
        self.depths.push(depth);
        TypeId(id as u32)
    }

    /// `T *`
    pub fn pointer_to(&mut self, to: QualType) -> TypeId {
        self.intern(Type::Pointer(to))
    }

    /// `T [n]`
    pub fn array_of(&mut self, element: QualType, len: ArrayLen) -> TypeId {
        self.intern(Type::Array(element, len))
    }

    /// `T &`
    pub fn reference_to(&mut self, to: QualType) -> TypeId {
        self.intern(Type::Reference(to))
    }

    /// The type of a record.
    pub fn record_type(&mut self, id: RecordId) -> TypeId {
        self.intern(Type::Record(id))
    }

    /// A type with more qualifiers. Qualifiers of an array are those of its elements.
    #[inline]
    pub fn qualify(&mut self, ty: QualType, quals: Quals) -> QualType {
        if quals == Quals::NONE { ty } else { self.more_qualified(ty, quals) }
    }

    fn more_qualified(&mut self, ty: QualType, quals: Quals) -> QualType {
        match *self.get(ty.id()) {
            Type::Array(element, len) => {
                let element = self.qualify(element, quals);
                self.array_of(element, len).into()
            }
            // Qualifying a function type means nothing, and a reference cannot change anyway.
            Type::Function(_) | Type::Reference(_) => ty,
            _ => ty.qualified(quals),
        }
    }

    /// Whether a type nests deeper than [`MAX_DEPTH`].
    pub(super) fn is_too_deep(&self, id: TypeId) -> bool {
        let Depth { text, value } = self.depth(id);
        text.max(value) >= MAX_DEPTH
    }

    fn depth(&self, id: TypeId) -> Depth {
        match self.get(id) {
            // The record inside may have got its body since.
            Type::Aligned(inner, _) => self.depth(inner.id()).plus_one(),
            _ => self.depths[id.index()],
        }
    }

    fn depth_of(&self, ty: &Type) -> Depth {
        let depth = |ty: QualType| self.depth(ty.id());
        let text = |ty: QualType| Depth { value: 0, ..depth(ty) };
        let deepest =
            |depths: &mut dyn Iterator<Item = Depth>| depths.reduce(Depth::max).unwrap_or_default();
        let inner = match ty {
            Type::Pointer(t) | Type::Reference(t) => text(*t),
            Type::Array(t, _) | Type::Vector(t, _) | Type::Aligned(t, _) => depth(*t),
            Type::Function(f) => {
                deepest(&mut f.params.iter().map(|&t| text(t))).max(text(f.result))
            }
            Type::Record(id) => {
                let record = self.record(*id);
                let members = record.body.iter().flat_map(|body| &*body.members);
                deepest(&mut members.map(|member| match member.name {
                    Some(_) if record.tag.is_some() => Depth { text: 0, ..depth(member.ty) },
                    _ => depth(member.ty),
                }))
            }
            Type::Void | Type::Bool | Type::Int(_) | Type::Float(_) | Type::Complex(_) => {
                Depth::default()
            }
            Type::Enum(_) => Depth::default(),
        };
        inner.plus_one()
    }

    /// Size and alignment as a member; `None` for `void`, functions, incomplete types and arrays of open
    /// length. A struct that ends in `[]` or `[?]` has the layout of its fixed part.
    pub fn layout(&self, id: TypeId) -> Option<Layout> {
        self.layout_of(id.into())
    }

    /// [`Table::layout`] of a qualified type: `_Atomic` may align a type more.
    pub fn layout_of(&self, ty: QualType) -> Option<Layout> {
        let facts = Facts::of(self, ty)?;
        facts.complete.then_some(Layout { size: facts.size, align: facts.member_align() })
    }

    /// GCC's `__alignof__`: the alignment of an object outside records, 8 for an i386 `double`.
    pub fn preferred_align(&self, ty: QualType) -> Option<u64> {
        Facts::of(self, ty).map(|facts| facts.align)
    }

    /// The function type behind an id.
    pub fn function(&self, id: TypeId) -> Option<&Function> {
        match self.get(id) {
            Type::Function(function) => Some(function),
            _ => None,
        }
    }

    /// A struct or union.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0 as usize]
    }

    /// An enum.
    pub fn enum_(&self, id: EnumId) -> &Enum {
        &self.enums[id.0 as usize]
    }

    /// The integer type that holds an enum; `int` while it is incomplete.
    pub fn enum_base(&self, id: EnumId) -> IntKind {
        self.enum_(id).base.unwrap_or(IntKind::I32)
    }

    /// The text of a name.
    pub fn name(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// The name with this text, if any declaration used it.
    pub fn find_name(&self, text: &[u8]) -> Option<Name> {
        self.names.find(text)
    }

    /// A member by name, those of anonymous members included.
    pub fn find_member(&self, record: RecordId, name: Name) -> Option<FoundMember> {
        let body = self.record(record).body.as_ref()?;
        let own = body.by_name.find(name, body.members.iter().map(|m| m.name));
        // Where names may repeat, the first member counts.
        let before = &body.members[..own.unwrap_or(body.members.len())];
        let inner = self.anonymous(before).find_map(|(outer, inner)| {
            let found = self.find_member(inner, name)?;
            Some(FoundMember {
                offset: outer.offset + found.offset,
                ty: found.ty.qualified(outer.ty.quals()),
                ..found
            })
        });
        inner.or_else(|| {
            let member = &body.members[own?];
            Some(FoundMember {
                offset: member.offset,
                ty: member.ty,
                bits: member.bits,
                counted_by: member.counted_by,
            })
        })
    }

    /// A `static const` member, or an enumerator of an enum declared inside a record.
    pub fn find_constant(&self, record: RecordId, name: Name) -> Option<(QualType, Constant)> {
        let body = self.record(record).body.as_ref()?;
        let own = body.constants.iter().find(|c| c.0 == name);
        own.map(|&(_, ty, value)| (ty, value)).or_else(|| {
            self.anonymous(&body.members).find_map(|(_, inner)| self.find_constant(inner, name))
        })
    }

    /// The member or constant of a struct or union, or of what a pointer to one leads to, whose name is nearest to one that it has not.
    pub fn nearest_member(&self, ty: QualType, name: &str) -> Option<&str> {
        let ty = match *self.shape(ty) {
            Type::Pointer(to) | Type::Reference(to) => to,
            _ => ty,
        };
        let Type::Record(record) = *self.shape(ty) else { return None };
        let mut names = Vec::new();
        let mut left = vec![record];
        while let Some(record) = left.pop() {
            let Some(body) = &self.record(record).body else { continue };
            names.extend(body.members.iter().filter_map(|member| member.name));
            names.extend(body.constants.iter().map(|constant| constant.0));
            left.extend(self.anonymous(&body.members).map(|(_, inner)| inner));
        }
        crate::suggest::nearest(name, names.into_iter().map(|name| self.name(name)))
    }

    /// The constants of an enum as text, for an error about a constant that it does not have.
    pub fn constants_text(&self, ty: QualType, wanted: &str) -> String {
        const MOST: usize = 8;
        let Type::Enum(id) = *self.shape(ty) else { return String::new() };
        let names: Vec<&str> =
            self.enum_(id).values.iter().map(|value| self.name(value.0)).collect();
        let more = if names.len() > MOST { " …" } else { "" };
        let known = names[..names.len().min(MOST)].join(", ");
        let near = crate::suggest::did_you_mean(wanted, names);
        let near = near.map_or(String::new(), |hint| format!("; {hint}"));
        format!("no constant '{wanted}' among {known}{more}{near}")
    }

    /// The anonymous records of a record that have names for it.
    fn anonymous<'a>(
        &'a self,
        members: &'a [Member],
    ) -> impl Iterator<Item = (&'a Member, RecordId)> {
        let unnamed = members.iter().filter(|member| member.name.is_none());
        unnamed.filter_map(|member| match *self.shape(member.ty) {
            Type::Record(inner) if self.has_names(inner) => Some((member, inner)),
            _ => None,
        })
    }

    /// Whether a search by name in a record can find anything. Other records are not searched: in 60 records, each with two anonymous members of
    /// the type before, a search would take 2^60 steps.
    pub(super) fn has_names(&self, record: RecordId) -> bool {
        self.record(record).body.as_ref().is_some_and(|body| body.has_names)
    }

    /// The value of an enumerator by name (unsigned 64-bit values as their bit pattern).
    pub fn enum_value(&self, id: EnumId, name: &[u8]) -> Option<i64> {
        let declared = self.enum_(id);
        let names = declared.values.iter().map(|value| Some(value.0));
        let position = declared.by_name.find(self.find_name(name)?, names)?;
        Some(declared.values[position].1)
    }

    /// A new incomplete struct or union.
    pub(super) fn add_record(&mut self, kind: RecordKind, tag: Option<Name>) -> RecordId {
        self.records.push(Record { kind, tag, body: None });
        RecordId(self.records.len() as u32 - 1)
    }

    /// Gives an incomplete record its body.
    pub(super) fn complete_record(&mut self, id: RecordId, body: RecordBody) {
        self.records[id.0 as usize].body = Some(Box::new(body));
        let ty = self.record_type(id);
        self.depths[ty.index()] = self.depth_of(&Type::Record(id));
    }

    /// A new enum with no values.
    pub(super) fn add_enum(&mut self, tag: Option<Name>) -> EnumId {
        self.enums.push(Enum {
            tag,
            base: None,
            values: Box::default(),
            by_name: NameIndex::default(),
        });
        EnumId(self.enums.len() as u32 - 1)
    }

    /// Gives an enum its type before its values (`enum e : short`).
    pub(super) fn set_enum_base(&mut self, id: EnumId, base: Option<IntKind>) {
        self.enums[id.0 as usize].base = base;
    }

    /// Gives an enum its type and values.
    pub(super) fn complete_enum(&mut self, id: EnumId, base: IntKind, values: Box<[(Name, i64)]>) {
        let entry = &mut self.enums[id.0 as usize];
        entry.by_name = NameIndex::new(values.iter().map(|value| Some(value.0)));
        (entry.base, entry.values) = (Some(base), values);
    }

    /// Makes a record incomplete again.
    pub(super) fn undo_record(&mut self, id: RecordId) {
        self.records[id.0 as usize].body = None;
        let ty = self.record_type(id);
        self.depths[ty.index()] = self.depth_of(&Type::Record(id));
    }

    /// Makes an enum incomplete again.
    pub(super) fn undo_enum(&mut self, id: EnumId, base: Option<IntKind>) {
        let entry = &mut self.enums[id.0 as usize];
        (entry.base, entry.values) = (base, Box::default());
    }

    /// Makes room for the names and types of this number of declarations. The index of types gets no room: types repeat, and an index touches
    /// all of its pages even with few entries.
    pub(super) fn reserve(&mut self, declarations: usize) {
        self.names.reserve(declarations);
        make_room(&mut self.types, declarations);
        make_room(&mut self.depths, declarations);
    }

    /// The current sizes of the table, to cut it back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            names: self.names.len(),
            types: self.types.len(),
            records: self.records.len(),
            enums: self.enums.len(),
        }
    }

    /// Forgets everything newer than a mark. Records and enums that were completed since then are the
    /// caller's to undo.
    pub(super) fn rollback(&mut self, mark: Mark) {
        while self.types.len() > mark.types {
            if let Some(ty) = self.types.pop() {
                self.type_index.remove(hash_type(&ty), self.types.len());
            }
        }
        self.depths.truncate(mark.types);
        self.records.truncate(mark.records);
        self.enums.truncate(mark.enums);
        self.names.truncate(mark.names);
    }

    /// A type as LuaJIT prints it: `int64_t` for every 64-bit integer, `struct 105` for an anonymous one.
    pub fn repr(&self, ty: QualType) -> String {
        super::print::repr(self, ty)
    }

    /// A C declaration of `name` (which may be empty) that parses back to the same type. Anonymous records
    /// and enums are written out.
    pub fn declare(&self, ty: QualType, name: &str) -> String {
        super::print::declare(self, ty, name)
    }

    /// A type as C: of a struct, union or enum its definition, of others what [`Table::declare`] says with no name.
    pub fn define(&self, ty: QualType) -> String {
        super::print::define(self, ty)
    }
}
