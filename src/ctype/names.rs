//! Interned identifiers.

use std::hash::Hasher;
use std::ops::Range;

use rustc_hash::FxHasher;

use super::Name;
use super::index::Index;

/// Every distinct identifier once; equal texts have equal [`Name`]s, numbered from 0.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// All of them, one after the other.
    text: String,
    /// Where each begins in `text`, and where the last ends.
    bounds: Vec<usize>,
    index: Index,
}

impl Default for Names {
    fn default() -> Names {
        Names { text: String::new(), bounds: vec![0], index: Index::default() }
    }
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The text of a name.
    pub(super) fn text(&self, name: Name) -> &str {
        self.at(name.position())
    }

    fn at(&self, position: usize) -> &str {
        &self.text[self.range(position)]
    }

    fn range(&self, position: usize) -> Range<usize> {
        self.bounds[position]..self.bounds[position + 1]
    }

    /// The name with this text, if it was interned.
    pub(super) fn find(&self, text: &[u8]) -> Option<Name> {
        self.find_hashed(text, hash(text))
    }

    fn find_hashed(&self, text: &[u8], hash: u64) -> Option<Name> {
        let found = self.index.find(hash, |p| self.text.as_bytes()[self.range(p)] == *text);
        found.map(Name::at)
    }

    /// The name with this text.
    pub(super) fn intern(&mut self, text: &str) -> Name {
        let hash = hash(text.as_bytes());
        self.find_hashed(text.as_bytes(), hash).unwrap_or_else(|| self.add(text, hash))
    }

    /// The name with this text; `None` if it is not UTF-8.
    pub(super) fn intern_bytes(&mut self, text: &[u8]) -> Option<Name> {
        let hash = hash(text);
        match self.find_hashed(text, hash) {
            Some(found) => Some(found),
            None => Some(self.add(std::str::from_utf8(text).ok()?, hash)),
        }
    }

    fn add(&mut self, text: &str, hash: u64) -> Name {
        let position = self.len();
        self.text.push_str(text);
        self.bounds.push(self.text.len());
        self.index.insert(hash, position);
        Name::at(position)
    }

    /// Makes room for `more` names.
    pub(super) fn reserve(&mut self, more: usize) {
        self.index.reserve(more);
        self.bounds.reserve(more);
        // As long as names usually are.
        self.text.reserve(more * 8);
    }

    /// Forgets all but the first `len` names.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.len() > len {
            let last = self.len() - 1;
            let hash = hash(self.at(last).as_bytes());
            self.index.remove(hash, last);
            self.bounds.pop();
            self.text.truncate(self.bounds[last]);
        }
    }
}

/// Positions of a record's members or an enum's values by name. Few are searched one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct NameIndex(Box<[(Name, u32)]>);

impl NameIndex {
    const FEW: usize = 12;

    /// An index of names in order, some of which may be missing.
    pub(super) fn new(names: impl ExactSizeIterator<Item = Option<Name>>) -> NameIndex {
        if names.len() <= NameIndex::FEW {
            return NameIndex::default();
        }
        let mut sorted: Vec<_> =
            (0..).zip(names).filter_map(|(position, name)| Some((name?, position))).collect();
        sorted.sort_unstable();
        NameIndex(sorted.into())
    }

    /// The position of a name among the names that the index was made of.
    pub(super) fn find(
        &self,
        name: Name,
        mut names: impl ExactSizeIterator<Item = Option<Name>>,
    ) -> Option<usize> {
        if names.len() <= NameIndex::FEW {
            return names.position(|other| other == Some(name));
        }
        let found = self.0.binary_search_by_key(&name, |entry| entry.0).ok()?;
        Some(self.0[found].1 as usize)
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{Name, NameIndex, Names};

    #[test]
    fn names_are_found_in_few_and_in_many() {
        for count in [3, 12, 13, 500] {
            // Every fifth position has no name.
            let names = (0..count).map(|i| (i % 5 != 0).then_some(Name::at(1000 - i)));
            let index = NameIndex::new(names.clone());
            for i in 0..count {
                let expected = (i % 5 != 0).then_some(i);
                assert_eq!(
                    index.find(Name::at(1000 - i), names.clone()),
                    expected,
                    "{i} of {count}"
                );
            }
        }
    }

    #[test]
    fn equal_texts_are_one_name_until_truncated() {
        let mut names = Names::default();
        let a = names.intern("a");
        let b = names.intern("bb");
        assert_eq!((a, names.intern("a")), (names.find(b"a").unwrap(), a));
        assert_eq!(names.text(b), "bb");
        names.truncate(1);
        assert_eq!(names.find(b"bb"), None);
        assert_eq!(names.intern("c"), b);
        assert_eq!(names.text(b), "c");
    }
}
