//! The names of a program's declarations and their meanings.
//!
//! Names belong to scopes; a scope also sees the names of the scopes around it. Types belong to all scopes. A text is declared as a whole or not at
//! all: after an error, new entries are cut off again, and changed entries are restored from an undo log.

use rustc_hash::FxHashMap;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::lex::Offset;
use super::parse::{Parser, Piles};
use super::predeclared;
use super::preprocess::{self, Macro};
use super::same::Comparison;
use super::scope::{Scope, ScopeId};
use super::source::Source;
use super::table::{self, Table};
use super::{
    ArrayLen, Constant, Decl, EnumId, IntKind, Name, QualType, RecordBody, RecordId, Type, TypeId,
};
use crate::policy::Permissions;
use crate::target::{DataModel, Target};

/// The value of one `$` in a text, in order (LuaJIT's parameterised types).
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// A type, where C wants a type specifier.
    Type(QualType),
    /// An integer, where C wants a constant.
    Int(i64),
    /// An identifier.
    Name(&'a [u8]),
}

/// The types and names that a program has declared so far, for one target.
#[derive(Clone, Debug)]
pub struct Declarations {
    pub(super) table: Table,
    /// What texts may declare.
    pub(super) permissions: Permissions,
    /// What becomes of a function, variable or typedef that is declared with another type.
    redeclared: Redeclared,
    /// The names of the scope that was entered.
    pub(super) names: Scope,
    /// Those of the other scopes.
    pub(super) others: FxHashMap<ScopeId, Scope>,
    /// How many scopes there have been.
    scopes: u32,
    /// The parameter names of the functions of all scopes.
    parameters: Vec<Option<Name>>,
    /// The number of the text that is parsed, from 1; 0 are the predeclared names.
    text: u32,
    /// What there was before that text.
    mark: Mark,
    /// Changes of what there was.
    pub(super) undo: Vec<Undo>,
    /// Whether the parser met something that the preprocessor reads.
    pub(super) wants_preprocessor: bool,
    /// What parsers have use for again.
    pub(super) piles: Piles,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) decl: Decl,
    site: Site,
}

/// Where something was declared: in which text, and at which byte of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    text: u32,
    offset: Offset,
}

/// What a tag stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Record(RecordId),
    Enum(EnumId),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TagEntry {
    pub(super) name: Name,
    pub(super) tag: Tag,
    site: Site,
}

/// How much there was before a text.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    table: table::Mark,
    entries: usize,
    parameters: usize,
    tags: usize,
}

/// How to take back one change of something older than the text.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    Entry(usize, Entry),
    TagMoved(usize, Site),
    Record(RecordId),
    Enum(EnumId, Option<IntKind>),
    Macro(Box<[u8]>, Option<Option<Macro>>),
    /// The name of this entry was taken away from it.
    Removed(usize),
}

/// An earlier declaration that a new one does not agree with.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) place: Place,
    /// It as C.
    pub(super) text: String,
}

/// Where an earlier declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a byte of the same text.
    Here(Offset),
    /// In an earlier text.
    Earlier,
    /// Nowhere: the name needs no declaration.
    Predeclared,
}

/// What becomes of a function, variable or typedef that is declared again with another type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redeclared {
    /// The new declaration is an error.
    #[default]
    Refused,
    /// The first declaration stays, and the new one is taken without a word, as in LuaJIT.
    Ignored,
}

/// What to do with a declaration of a name that is declared.
enum Merge {
    Keep,
    Replace(Decl),
    Conflict,
}

impl Entry {
    /// Whether it needs no declaration.
    pub(super) fn is_predeclared(&self) -> bool {
        self.site.text == 0
    }
}

impl Declarations {
    /// The names that need no declaration: those of `<stdint.h>`, `<stddef.h>`, `<stdarg.h>`, `<uchar.h>`, and
    /// C23's `bool`, `true`, `false`, `nullptr`. A program may declare C23's keywords and the `int_fast` types, which depend on the C
    /// library, differently.
    pub fn new(target: &Target) -> Declarations {
        predeclared::fresh(target.model())
    }

    /// Without the predeclared names.
    pub(super) fn empty(model: &'static DataModel) -> Declarations {
        let mut table = Table::new(model);
        super::lex::intern_keywords(&mut table.names);
        Declarations {
            table,
            permissions: Permissions::ALL,
            redeclared: Redeclared::Refused,
            names: Scope::root(),
            others: FxHashMap::default(),
            scopes: 1,
            parameters: Vec::new(),
            text: 0,
            mark: Mark::default(),
            undo: Vec::new(),
            wants_preprocessor: false,
            piles: Piles::default(),
        }
    }

    /// Makes a scope inside another one. What is declared there hides what is declared outside, as in a block of C: a tag with
    /// a body is a type of its own, a tag without one is the outer type where there is one.
    pub fn add_scope(&mut self, parent: ScopeId) -> ScopeId {
        let id = ScopeId(self.scopes);
        self.scopes += 1;
        self.others.insert(id, Scope::inside(parent, id));
        id
    }

    /// Makes a scope the one whose names texts see and declare; `None` where it was dropped.
    pub fn enter(&mut self, scope: ScopeId) -> Option<&mut Declarations> {
        if self.names.id != scope {
            let entered = self.others.remove(&scope)?;
            let left = std::mem::replace(&mut self.names, entered);
            self.others.insert(left.id, left);
        }
        Some(self)
    }

    /// Forgets the names of a scope. Its types stay; scopes inside it see no more of what is outside.
    pub fn drop_scope(&mut self, scope: ScopeId) {
        if scope != ScopeId::ROOT {
            self.enter(ScopeId::ROOT);
            self.others.remove(&scope);
        }
    }

    /// Says what the texts that follow may declare: [`Permission::DeclareTypes`](crate::policy::Permission::DeclareTypes) and
    /// [`Permission::DeclareFunctions`](crate::policy::Permission::DeclareFunctions) count.
    pub fn permit(&mut self, permissions: Permissions) {
        self.permissions = permissions;
    }

    /// Says what becomes of a function, variable or typedef that is declared again with another type. What a constant, a tag or a body
    /// stands for is never another thing.
    pub fn on_redeclaration(&mut self, redeclared: Redeclared) {
        self.redeclared = redeclared;
    }

    /// What `find` finds first, from the entered scope outwards.
    pub(super) fn outwards<'a, T>(&'a self, find: impl Fn(&'a Scope) -> Option<T>) -> Option<T> {
        let mut scope = &self.names;
        loop {
            if let Some(found) = find(scope) {
                return Some(found);
            }
            scope = self.others.get(&scope.parent?)?;
        }
    }

    /// Declares a text of C declarations. The values of its `$` come from `params`.
    ///
    /// # Errors
    /// All errors of the text; then nothing of it is declared.
    pub fn cdef(&mut self, text: &[u8], params: &[Param<'_>]) -> Result<(), Diagnostics> {
        self.transaction(text, params, |parser| parser.translation_unit())
    }

    /// The type that a type name stands for: `"struct x *"`, `"int[4]"`, `"int (*)(double)"`, `"struct { int a; }"`.
    /// Its tags must have been declared, as in LuaJIT; it may complete one.
    ///
    /// # Errors
    /// All errors of the text; then nothing of it is declared.
    pub fn parse_type(
        &mut self,
        text: &[u8],
        params: &[Param<'_>],
    ) -> Result<QualType, Diagnostics> {
        self.transaction(text, params, |parser| parser.whole_type_name())
    }

    /// One declaration with or without its `;`, or a type name: its type, and the name if there is one. The
    /// name is not declared, but tags are.
    ///
    /// # Errors
    /// All errors of the text.
    pub fn parse_one(&mut self, text: &[u8]) -> Result<(Option<Name>, QualType), Diagnostics> {
        self.transaction(text, &[], |parser| parser.single())
    }

    /// A text that is one constant expression: its type and value.
    ///
    /// # Errors
    /// All errors of the text; an expression that is not constant.
    pub fn evaluate(
        &mut self,
        text: &[u8],
        params: &[Param<'_>],
    ) -> Result<(QualType, Constant), Diagnostics> {
        self.transaction(text, params, |parser| parser.whole_constant())
    }

    /// What an ordinary name stands for.
    pub fn lookup(&self, name: &[u8]) -> Option<&Decl> {
        self.find(self.table.find_name(name)?)
    }

    /// The types.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The types, to derive new ones.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Every ordinary name that the entered scope declares but the predeclared ones, oldest first.
    pub fn declarations(&self) -> impl Iterator<Item = (&str, &Decl)> {
        let declared = self.names.entries.iter().enumerate().filter(|(position, entry)| {
            entry.site.text != 0 && self.names.ordinary.get(entry.name) == Some(*position)
        });
        declared.map(|(_, entry)| (self.table.name(entry.name), &entry.decl))
    }

    /// The names of a function's parameters, one entry each; nothing for other declarations.
    pub fn parameter_names(&self, decl: &Decl) -> &[Option<Name>] {
        let Decl::Function { params, .. } = decl else { return &[] };
        self.parameters.get(params.start as usize..params.end as usize).unwrap_or(&[])
    }

    fn transaction<T>(
        &mut self,
        text: &[u8],
        params: &[Param<'_>],
        parse: impl Fn(Parser<'_>) -> Result<T, Diagnostics>,
    ) -> Result<T, Diagnostics> {
        if Offset::try_from(text.len()).is_err() {
            let message = "a text must be shorter than 4 GiB".to_owned();
            return Err(Diagnostics(vec![Diagnostic::new(text, 0, message)]));
        }
        self.mark = Mark {
            table: self.table.mark(),
            entries: self.names.entries.len(),
            parameters: self.parameters.len(),
            tags: self.names.tags.len(),
        };
        self.text += 1;
        self.reserve(text.len());
        let mut result = parse(Parser::new(self, Source::plain(text), params));
        if std::mem::take(&mut self.wants_preprocessor) {
            self.rollback();
            result = preprocess::expand(self, text).and_then(|expanded| {
                parse(Parser::new(self, Source::expanded(text, &expanded), params))
            });
        }
        match &result {
            Ok(_) => self.undo.clear(),
            Err(_) => self.rollback(),
        }
        result
    }

    /// Makes room for what a long text of so many bytes declares, at 64 bytes a prototype, so that little has to move while it
    /// is read. Room that is not used costs no memory, but the slots of an index lie the further apart.
    fn reserve(&mut self, text_len: usize) {
        let declarations = text_len / 64;
        if declarations < 8 {
            return;
        }
        self.table.reserve(declarations);
        self.names.ordinary.reserve(declarations);
        self.names.entries.reserve(declarations);
        self.parameters.reserve(declarations);
    }

    fn rollback(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Entry(position, entry) => self.names.entries[position] = entry,
                Undo::TagMoved(position, site) => self.names.tags[position].site = site,
                Undo::Record(id) => self.table.undo_record(id),
                Undo::Enum(id, base) => self.table.undo_enum(id, base),
                Undo::Macro(name, old) => {
                    self.replace_macro(name, old);
                }
                Undo::Removed(position) => {
                    let name = self.names.entries[position].name;
                    self.names.ordinary.set(name, Some(position));
                }
            }
        }
        for entry in self.names.entries.drain(self.mark.entries..) {
            self.names.ordinary.set(entry.name, None);
        }
        for entry in self.names.tags.drain(self.mark.tags..) {
            self.names.tag_slots.set(entry.name, None);
        }
        self.parameters.truncate(self.mark.parameters);
        self.table.rollback(self.mark.table);
        let names = self.table.names.len();
        self.names.ordinary.truncate(names);
        self.names.tag_slots.truncate(names);
    }

    /// What an ordinary name stands for.
    pub(super) fn find(&self, name: Name) -> Option<&Decl> {
        self.outwards(|scope| scope.decl(name))
    }

    /// Whether a name is a typedef.
    pub(super) fn typedef(&self, name: Name) -> Option<QualType> {
        match self.find(name) {
            Some(Decl::Typedef(ty)) => Some(*ty),
            _ => None,
        }
    }

    /// Declares a name that is not declared.
    pub(super) fn push(&mut self, name: Name, decl: Decl, offset: Offset) {
        self.names.ordinary.set(name, Some(self.names.entries.len()));
        let site = self.site(offset);
        self.names.entries.push(Entry { name, decl, site });
    }

    fn site(&self, offset: Offset) -> Site {
        Site { text: self.text, offset }
    }

    /// Declares an ordinary name at a byte of the current text. Saying the same again is free.
    pub(super) fn declare(
        &mut self,
        name: Name,
        decl: Decl,
        offset: Offset,
    ) -> Result<(), Conflict> {
        let Some(position) = self.names.ordinary.get(name) else {
            if self.names.id != ScopeId::ROOT && self.differs_from_predeclared(name, &decl)? {
                return Ok(());
            }
            self.push(name, decl, offset);
            return Ok(());
        };
        let old = &self.names.entries[position];
        let is_constant = |decl: &Decl| matches!(decl, Decl::Constant { .. });
        let new = match merge(&self.table, &old.decl, &decl) {
            Merge::Keep => return Ok(()),
            Merge::Replace(new) => new,
            Merge::Conflict if self.gives_way(name, old) => decl,
            Merge::Conflict if is_constant(&old.decl) || is_constant(&decl) => {
                return Err(self.conflict_with(name, old));
            }
            Merge::Conflict => match self.redeclared {
                Redeclared::Refused => return Err(self.conflict_with(name, old)),
                Redeclared::Ignored => return Ok(()),
            },
        };
        let entry = Entry { name, decl: new, site: self.site(offset) };
        let old = std::mem::replace(&mut self.names.entries[position], entry);
        if position < self.mark.entries {
            self.undo.push(Undo::Entry(position, old));
        }
        Ok(())
    }

    /// Whether a declaration is a predeclared one that programs may replace.
    fn gives_way(&self, name: Name, old: &Entry) -> bool {
        old.site.text == 0 && predeclared::gives_way(self.table.name(name))
    }

    /// Whether a declaration of an inner scope is to be ignored as it gives a predeclared name of the outermost one another meaning.
    fn differs_from_predeclared(&self, name: Name, decl: &Decl) -> Result<bool, Conflict> {
        let Some(root) = self.others.get(&ScopeId::ROOT) else { return Ok(false) };
        let Some(old) = root.ordinary.get(name).map(|position| &root.entries[position]) else {
            return Ok(false);
        };
        let differs = old.site.text == 0
            && !self.gives_way(name, old)
            && matches!(merge(&self.table, &old.decl, decl), Merge::Conflict);
        match self.redeclared {
            Redeclared::Refused if differs => Err(self.conflict_with(name, old)),
            _ => Ok(differs),
        }
    }

    fn conflict_with(&self, name: Name, old: &Entry) -> Conflict {
        self.conflict(old.site, self.describe(name, &old.decl))
    }

    /// Declares a function with the names of its parameters.
    pub(super) fn declare_function(
        &mut self,
        name: Name,
        ty: TypeId,
        symbol: Option<Box<str>>,
        names: &[Option<Name>],
        offset: Offset,
    ) -> Result<(), Conflict> {
        let start = self.parameters.len();
        self.parameters.extend_from_slice(names);
        let params = start as u32..self.parameters.len() as u32;
        self.declare(name, Decl::Function { ty, symbol, params }, offset)?;
        let kept = match self.find(name) {
            Some(Decl::Function { params, .. }) => params.start as usize == start,
            _ => false,
        };
        if !kept {
            self.parameters.truncate(start);
        }
        Ok(())
    }

    fn conflict(&self, site: Site, text: String) -> Conflict {
        let place = match site.text {
            0 => Place::Predeclared,
            number if number == self.text => Place::Here(site.offset),
            _ => Place::Earlier,
        };
        Conflict { place, text }
    }

    fn describe(&self, name: Name, decl: &Decl) -> String {
        let name = self.table.name(name);
        match decl {
            Decl::Typedef(ty) => format!("typedef {};", self.table.declare(*ty, name)),
            Decl::Function { ty, .. } => format!("{};", self.table.declare((*ty).into(), name)),
            Decl::Variable { ty, .. } => format!("extern {};", self.table.declare(*ty, name)),
            Decl::Constant { value: Constant::Int(value), .. } => format!("{name} = {value}"),
            Decl::Constant { value: Constant::Float(value), .. } => format!("{name} = {value}"),
        }
    }

    /// What a tag stands for.
    pub(super) fn tag(&self, name: Name) -> Option<Tag> {
        self.outwards(|scope| scope.tag(name))
    }

    /// What a tag stands for that gets its body: one of the entered scope.
    pub(super) fn own_tag(&self, name: Name) -> Option<Tag> {
        self.names.tag(name)
    }

    /// Declares a tag, or moves its place to where its body is.
    pub(super) fn set_tag(&mut self, name: Name, tag: Tag, offset: Offset) {
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
    pub(super) fn tag_keyword(&self, name: Name) -> Option<&'static str> {
        self.tag(name).map(|tag| self.keyword(tag))
    }

    fn keyword(&self, tag: Tag) -> &'static str {
        match tag {
            Tag::Record(id) => super::print::keyword(self.table.record(id).kind),
            Tag::Enum(_) => "enum",
        }
    }

    /// The conflict with an earlier declaration of a tag.
    pub(super) fn tag_conflict(&self, name: Name) -> Option<Conflict> {
        let entry = self.outwards(|scope| Some(scope.tags[scope.tag_slots.get(name)?]))?;
        let keyword = self.keyword(entry.tag);
        Some(self.conflict(entry.site, format!("{keyword} {}", self.table.name(name))))
    }

    /// Completes a record; a complete one must have had the same body.
    pub(super) fn complete_record(&mut self, id: RecordId, body: RecordBody) -> bool {
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
    pub(super) fn fix_enum(&mut self, id: EnumId, base: IntKind) -> bool {
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
    pub(super) fn complete_enum(
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

/// What becomes of a name that is declared as `old` and then as `new`.
fn merge(table: &Table, old: &Decl, new: &Decl) -> Merge {
    match (old, new) {
        (Decl::Typedef(a), Decl::Typedef(b)) if table.same(*a, *b) => Merge::Keep,
        (Decl::Constant { .. }, Decl::Constant { .. }) if old == new => Merge::Keep,
        (Decl::Function { ty: a, symbol: asm, .. }, Decl::Function { ty: b, symbol, params }) => {
            let (Some(f), Some(g)) = (table.function(*a), table.function(*b)) else {
                return Merge::Conflict;
            };
            let loose = |open: &super::Function| open.unprototyped && open.params.is_empty();
            let agree = Comparison::new(table).functions(f, g)
                || (loose(f) || loose(g))
                    && table.same(f.result, g.result)
                    && f.convention == g.convention;
            if !agree {
                return Merge::Conflict;
            }
            // The declaration that says more is kept.
            let says_more =
                !g.unprototyped && (f.unprototyped || f.contracts.len() < g.contracts.len());
            match (says_more, asm.is_none() && symbol.is_some()) {
                (false, false) => Merge::Keep,
                (more, _) => Merge::Replace(Decl::Function {
                    ty: if more { *b } else { *a },
                    symbol: symbol.clone().or_else(|| asm.clone()),
                    params: params.clone(),
                }),
            }
        }
        (Decl::Variable { ty: a, symbol: asm }, Decl::Variable { ty: b, symbol }) => {
            let ty = if table.same(*a, *b) || completes(table, *b, *a) {
                *a
            } else if completes(table, *a, *b) {
                *b
            } else {
                return Merge::Conflict;
            };
            let symbol = symbol.clone().or_else(|| asm.clone());
            Merge::Replace(Decl::Variable { ty, symbol })
        }
        _ => Merge::Conflict,
    }
}

/// Whether `full` is the open array `open` with a length.
fn completes(table: &Table, open: QualType, full: QualType) -> bool {
    match (table.get(open.id()), table.get(full.id())) {
        (Type::Array(a, ArrayLen::Incomplete), Type::Array(b, _)) => table.same(*a, *b),
        _ => false,
    }
}
