//! Ordinary names that are declared again.

use super::text::Undo;
use super::{Declarations, Entry, Site};
use crate::ctype::lex::Offset;
use crate::ctype::predeclared;
use crate::ctype::same::Comparison;
use crate::ctype::scope::ScopeId;
use crate::ctype::table::Table;
use crate::ctype::{ArrayLen, Constant, Decl, Function, Name, QualType, Type, TypeId};

/// An earlier declaration that a new one does not agree with.
#[derive(Debug)]
pub(in crate::ctype) struct Conflict {
    pub(in crate::ctype) place: Place,
    /// The earlier declaration as C.
    pub(in crate::ctype) text: String,
}

/// Where an earlier declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ctype) enum Place {
    /// At a byte of the same text.
    Here(Offset),
    /// In an earlier text.
    Earlier,
    /// Nowhere: the name needs no declaration.
    Predeclared,
}

/// The rule for a function, variable or typedef that is declared again with another type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redeclared {
    /// The new declaration is an error.
    #[default]
    Refused,
    /// The first declaration stays, and the new one is taken without a word, as in LuaJIT.
    Ignored,
}

/// The treatment of a declaration whose name is declared already.
enum Merge {
    Keep,
    Replace(Decl),
    Conflict,
}

impl Declarations {
    /// Declares an ordinary name at a byte of the current text. Saying the same again is free.
    pub(in crate::ctype) fn declare(
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
    pub(in crate::ctype) fn declare_function(
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

    pub(super) fn conflict(&self, site: Site, text: String) -> Conflict {
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
            Decl::Static(ty) => format!("static {};", self.table.declare(*ty, name)),
            Decl::Constant { value: Constant::Int(value), .. } => format!("{name} = {value}"),
            Decl::Constant { value: Constant::Float(value), .. } => format!("{name} = {value}"),
        }
    }
}

/// The meaning of a name that is declared as `old` and then as `new`.
fn merge(table: &Table, old: &Decl, new: &Decl) -> Merge {
    match (old, new) {
        (Decl::Typedef(a), Decl::Typedef(b)) if table.same(*a, *b) => Merge::Keep,
        (Decl::Constant { .. }, Decl::Constant { .. }) if old == new => Merge::Keep,
        (Decl::Function { ty: a, symbol: asm, .. }, Decl::Function { ty: b, symbol, params }) => {
            let (Some(f), Some(g)) = (table.function(*a), table.function(*b)) else {
                return Merge::Conflict;
            };
            let loose = |open: &Function| open.unprototyped && open.params.is_empty();
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
            let Some(ty) = object_type(table, *a, *b) else { return Merge::Conflict };
            let symbol = symbol.clone().or_else(|| asm.clone());
            Merge::Replace(Decl::Variable { ty, symbol })
        }
        // `extern` after `static` declares the same variable.
        (Decl::Static(a), Decl::Static(b) | Decl::Variable { ty: b, .. }) => {
            object_type(table, *a, *b)
                .map_or(Merge::Conflict, |ty| Merge::Replace(Decl::Static(ty)))
        }
        _ => Merge::Conflict,
    }
}

/// The type of an object that two declarations give these types.
fn object_type(table: &Table, a: QualType, b: QualType) -> Option<QualType> {
    match () {
        () if table.same(a, b) || completes(table, b, a) => Some(a),
        () if completes(table, a, b) => Some(b),
        () => None,
    }
}

/// Whether `full` is the open array `open` with a length.
fn completes(table: &Table, open: QualType, full: QualType) -> bool {
    match (table.get(open.id()), table.get(full.id())) {
        (Type::Array(a, ArrayLen::Incomplete), Type::Array(b, _)) => table.same(*a, *b),
        _ => false,
    }
}
