//! Interned identifiers.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::Name;
use super::index::Index;

/// Every distinct identifier once; equal texts have equal [`Name`]s, numbered from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    text: String,
    ends: Vec<usize>,
    index: Index,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a name.
    pub(super) fn text(&self, name: Name) -> &str {
        self.at(name.0 as usize)
    }

    fn at(&self, position: usize) -> &str {
        let start = position.checked_sub(1).map_or(0, |p| self.ends[p]);
        &self.text[start..self.ends[position]]
    }

    /// The name with this text, if it was interned.
    pub(super) fn find(&self, text: &[u8]) -> Option<Name> {
        self.index.find(hash(text), |p| self.at(p).as_bytes() == text).map(|p| Name(p as u32))
    }

    /// The name with this text.
    pub(super) fn intern(&mut self, text: &str) -> Name {
        let hash = hash(text.as_bytes());
        match self.index.find(hash, |p| self.at(p) == text) {
            Some(found) => Name(found as u32),
            None => self.add(text, hash),
        }
    }

    /// The name with this text; `None` if it is not UTF-8.
    pub(super) fn intern_bytes(&mut self, text: &[u8]) -> Option<Name> {
        let hash = hash(text);
        match self.index.find(hash, |p| self.at(p).as_bytes() == text) {
            Some(found) => Some(Name(found as u32)),
            None => Some(self.add(std::str::from_utf8(text).ok()?, hash)),
        }
    }

    fn add(&mut self, text: &str, hash: u64) -> Name {
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.index.insert(hash, self.ends.len() - 1);
        Name(self.ends.len() as u32 - 1)
    }

    /// Makes room for the names of a text, so that they need not move while it is read.
    pub(super) fn reserve(&mut self, text_len: usize) {
        // A new name comes about every so many bytes.
        let names = text_len / 32;
        self.index.reserve(names);
        self.ends.reserve(names);
    }

    /// Forgets all but the first `len` names.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.ends.len() > len {
            let last = self.ends.len() - 1;
            let hash = hash(self.at(last).as_bytes());
            self.index.remove(hash, last);
            self.ends.pop();
            self.text.truncate(self.ends.last().copied().unwrap_or(0));
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
            let names = (0..count).map(|i| (i % 5 != 0).then_some(Name(1000 - i)));
            let index = NameIndex::new(names.clone());
            for i in 0..count {
                let expected = (i % 5 != 0).then_some(i as usize);
                assert_eq!(index.find(Name(1000 - i), names.clone()), expected, "{i} of {count}");
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
