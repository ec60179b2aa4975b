//! The macros of a program's texts, and the names that are visible from a scope.

use super::decls::{Declarations, Undo};
use super::preprocess::Macro;
use super::{Constant, Decl, Name};

impl Declarations {
    /// The replacement of a macro.
    pub(super) fn find_macro(&self, name: &[u8]) -> Option<&Macro> {
        self.outwards(|scope| scope.macros.get(name)).and_then(Option::as_ref)
    }

    /// Whether there is a macro with this name.
    pub(super) fn has_macro(&self, name: &[u8]) -> bool {
        self.find_macro(name).is_some()
    }

    /// Whether there are macros that the preprocessor must expand.
    pub(super) fn has_texts(&self) -> bool {
        self.outwards(|scope| (scope.texts > 0).then_some(())).is_some()
    }

    /// Defines a macro, or takes its definition away.
    pub(super) fn set_macro(&mut self, name: &[u8], found: Option<Macro>) {
        let old = self.replace_macro(name.into(), Some(found));
        self.undo.push(Undo::Macro(name.into(), old));
    }

    /// Sets the entry of a macro in the entered scope: no entry, no macro of this name, or the macro.
    pub(super) fn replace_macro(
        &mut self,
        name: Box<[u8]>,
        new: Option<Option<Macro>>,
    ) -> Option<Option<Macro>> {
        let is_text = |found: &Option<Option<Macro>>| {
            found.as_ref().is_some_and(|found| found.as_ref().is_some_and(Macro::needs_expansion))
        };
        let added = usize::from(is_text(&new));
        let old = match new {
            Some(new) => self.names.macros.insert(name, new),
            None => self.names.macros.remove(&name),
        };
        self.names.texts = self.names.texts + added - usize::from(is_text(&old));
        old
    }

    /// Takes the meaning of a constant's name away.
    pub(super) fn remove_constant(&mut self, name: Name) {
        let Some(position) = self.names.ordinary.get(name) else { return };
        if let Decl::Constant { .. } = self.names.entries[position].decl {
            self.names.ordinary.set(name, None);
            self.undo.push(Undo::Removed(position));
        }
    }

    /// The value of a predeclared constant with underscores before its name.
    pub(super) fn predeclared_number(&self, name: &str) -> Option<i128> {
        let name = self.table.find_name(name.as_bytes()).filter(|_| name.starts_with("__"))?;
        let entry = self.outwards(|scope| Some(&scope.entries[scope.ordinary.get(name)?]))?;
        match entry.decl {
            Decl::Constant { value: Constant::Int(value), .. } if entry.is_predeclared() => {
                Some(value)
            }
            _ => None,
        }
    }

    /// Every ordinary name that can be seen.
    pub(super) fn visible(&self) -> impl Iterator<Item = (Name, &Decl)> {
        let mut next = Some(&self.names);
        let scopes = std::iter::from_fn(move || {
            let scope = next?;
            next = scope.parent.and_then(|parent| self.others.get(&parent));
            Some(scope)
        });
        scopes.flat_map(|scope| scope.entries.iter().map(|entry| (entry.name, &entry.decl)))
    }

    /// Every tag that can be seen with this keyword.
    pub(super) fn visible_tags(&self, keyword: &str) -> impl Iterator<Item = &str> {
        let entries = self.names.tags.iter().chain(self.others.values().flat_map(|s| &s.tags));
        let tags = entries
            .map(|entry| entry.name)
            .filter(move |&name| self.tag_keyword(name) == Some(keyword));
        tags.map(|name| self.table.name(name))
    }

    /// The declared name, other than a type's, that is nearest to one that is not declared.
    pub fn nearest_symbol(&self, name: &str) -> Option<&str> {
        let symbols = self.visible().filter(|(_, decl)| !matches!(decl, Decl::Typedef(_)));
        crate::suggest::nearest(name, symbols.map(|(name, _)| self.table.name(name)))
    }
}
