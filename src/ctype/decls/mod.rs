//! The names of a program's declarations and their meanings.
//!
//! Names belong to scopes; a scope also sees the names of the scopes around it. Types belong to all scopes. A text is declared as a whole or not at
//! all: after an error, new entries are cut off again, and changed entries are restored from an undo log.
//!
//! | file | knows |
//! |---|---|
//! | `text` | how a text is parsed, and kept or taken back |
//! | `redeclaration` | ordinary names that are declared again |
//! | `tags` | the tags of structs, unions and enums, and their bodies |

mod redeclaration;
mod tags;
mod text;

use rustc_hash::FxHashMap;

use super::lex::Offset;
use super::parse::Piles;
use super::predeclared;
use super::scope::{Scope, ScopeId};
use super::table::Table;
use super::{Decl, Name, QualType};
use crate::target::{DataModel, Target};

pub use redeclaration::Redeclared;
pub(in crate::ctype) use redeclaration::{Conflict, Place};
pub(in crate::ctype) use tags::{Tag, TagEntry};
use text::Mark;
pub(in crate::ctype) use text::Undo;
pub use text::{Declared, Goal, Parsed};

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
    pub(in crate::ctype) table: Table,
    /// The rule for a function, variable or typedef that is declared again with another type.
    redeclared: Redeclared,
    /// The names of the scope that was entered.
    pub(in crate::ctype) names: Scope,
    /// The names of the other scopes.
    pub(in crate::ctype) others: FxHashMap<ScopeId, Scope>,
    /// How many scopes there have been.
    scopes: u32,
    /// The parameter names of the functions of all scopes.
    parameters: Vec<Option<Name>>,
    /// The number of the text that is parsed, from 1; 0 are the predeclared names.
    text: u32,
    /// The state before that text.
    mark: Mark,
    /// Changes of earlier entries.
    pub(in crate::ctype) undo: Vec<Undo>,
    /// The kinds of declarations in that text.
    pub(in crate::ctype) declared: Declared,
    /// Whether the parser met something that the preprocessor reads.
    pub(in crate::ctype) wants_preprocessor: bool,
    /// Memory that the next parser uses again.
    pub(in crate::ctype) piles: Piles,
}

#[derive(Clone, Debug)]
pub(in crate::ctype) struct Entry {
    pub(in crate::ctype) name: Name,
    pub(in crate::ctype) decl: Decl,
    site: Site,
}

/// Where something was declared: in which text, and at which byte of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::ctype) struct Site {
    text: u32,
    offset: Offset,
}

impl Entry {
    /// Whether it needs no declaration.
    pub(in crate::ctype) fn is_predeclared(&self) -> bool {
        self.site.text == 0
    }
}

impl Declarations {
    /// The names that need no declaration: those of `<stdint.h>`, `<stddef.h>`, `<stdarg.h>`, `<uchar.h>`, and
    /// C23's `bool`, `true`, `false`, `nullptr`. A program may declare C23's keywords and the `int_fast` types, which depend on the C
    /// library, differently.
    pub fn new(target: &Target) -> Declarations {
        predeclared::declare(target.model())
    }

    /// Without the predeclared names.
    pub(in crate::ctype) fn empty(model: &'static DataModel) -> Declarations {
        let mut table = Table::new(model);
        super::lex::intern_keywords(&mut table.names);
        Declarations {
            table,
            redeclared: Redeclared::Refused,
            names: Scope::root(),
            others: FxHashMap::default(),
            scopes: 1,
            parameters: Vec::new(),
            text: 0,
            mark: Mark::default(),
            undo: Vec::new(),
            declared: Declared::default(),
            wants_preprocessor: false,
            piles: Piles::default(),
        }
    }

    /// Makes a scope inside another one. Its declarations hide outer ones, as in a block of C: a tag with a body is a type of its own; a tag
    /// without a body is the outer type, if there is one.
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

    /// Forgets the names of a scope. Its types stay. Scopes inside it see no outer names any more.
    pub fn drop_scope(&mut self, scope: ScopeId) {
        if scope != ScopeId::ROOT {
            self.enter(ScopeId::ROOT);
            self.others.remove(&scope);
        }
    }

    /// Sets the rule for a function, variable or typedef that is declared again with another type. For constants, tags and bodies this is
    /// always an error.
    pub fn on_redeclaration(&mut self, redeclared: Redeclared) {
        self.redeclared = redeclared;
    }

    pub(in crate::ctype) fn redeclared(&self) -> Redeclared {
        self.redeclared
    }

    /// The first result of `find`, from the entered scope outwards.
    pub(in crate::ctype) fn outwards<'a, T>(
        &'a self,
        find: impl Fn(&'a Scope) -> Option<T>,
    ) -> Option<T> {
        let mut scope = &self.names;
        loop {
            if let Some(found) = find(scope) {
                return Some(found);
            }
            scope = self.others.get(&scope.parent?)?;
        }
    }

    /// The meaning of an ordinary name.
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

    /// The meaning of an ordinary name.
    pub(in crate::ctype) fn find(&self, name: Name) -> Option<&Decl> {
        self.outwards(|scope| scope.decl(name))
    }

    /// Whether a name is a typedef.
    pub(in crate::ctype) fn typedef(&self, name: Name) -> Option<QualType> {
        match self.find(name) {
            Some(Decl::Typedef(ty)) => Some(*ty),
            _ => None,
        }
    }

    /// Declares a name that is not declared.
    pub(in crate::ctype) fn push(&mut self, name: Name, decl: Decl, offset: Offset) {
        self.names.ordinary.set(name, Some(self.names.entries.len()));
        let site = self.site(offset);
        self.names.entries.push(Entry { name, decl, site });
    }

    fn site(&self, offset: Offset) -> Site {
        Site { text: self.text, offset }
    }
}
