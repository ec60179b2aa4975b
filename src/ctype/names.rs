//! Interned identifiers.

use std::hash::Hasher;
use std::ops::Range;

use rustc_hash::FxHasher;

use super::Name;
use super::index::Index;
use super::table::{FEW, make_room};

/// Every distinct identifier once; equal texts have equal [`Name`]s, numbered from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The texts of all identifiers, one after the other, in UTF-8.
    text: Vec<u8>,
    words: Vec<Word>,
    index: Index,
}

/// An identifier. Most are told apart by their head, with no look at the text.
#[derive(Clone, Copy, Debug)]
struct Word {
    head: u64,
    start: u32,
    len: u32,
}

/// The bytes that a [`Word`] holds itself.
const HEAD: usize = size_of::<u64>();

/// The first eight bytes of an identifier as a little-endian number.
pub(super) fn head(text: &[u8]) -> u64 {
    text.iter().take(HEAD).rev().fold(0, |head, &byte| head << 8 | u64::from(byte))
}

impl Word {
    fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The text of a name.
    pub(super) fn text(&self, name: Name) -> &str {
        let text = &self.text[self.words[name.position()].range()];
        std::str::from_utf8(text).expect("checked when it was interned")
    }

    /// The name with this text, if it was interned.
    pub(super) fn find(&self, text: &[u8]) -> Option<Name> {
        let head = head(text);
        self.find_hashed(text, head, hash(text, head))
    }

    #[inline]
    fn find_hashed(&self, text: &[u8], head: u64, hash: u64) -> Option<Name> {
        let is_same = |position: usize| {
            let word = self.words[position];
            word.head == head
                && word.len as usize == text.len()
                && (text.len() <= HEAD || self.text[word.range()] == *text)
        };
        self.index.find(hash, is_same).map(Name::at)
    }

    /// The name with this text.
    pub(super) fn intern(&mut self, text: &str) -> Name {
        let (text, head) = (text.as_bytes(), head(text.as_bytes()));
        let hash = hash(text, head);
        self.find_hashed(text, head, hash).unwrap_or_else(|| self.add(text, head, hash))
    }

    /// The name with this text and head; `None` if it is not UTF-8.
    #[inline]
    pub(super) fn intern_bytes(&mut self, text: &[u8], head: u64) -> Option<Name> {
        let hash = hash(text, head);
        self.find_hashed(text, head, hash).or_else(|| self.add_bytes(text, head, hash))
    }

    #[inline(never)]
    fn add_bytes(&mut self, text: &[u8], head: u64, hash: u64) -> Option<Name> {
        let is_utf8 = text.is_ascii() || std::str::from_utf8(text).is_ok();
        is_utf8.then(|| self.add(text, head, hash))
    }

    fn add(&mut self, text: &[u8], head: u64, hash: u64) -> Name {
        let position = self.len();
        let number = |number| u32::try_from(number).expect("less than 4 GiB of names");
        self.words.push(Word { head, start: number(self.text.len()), len: number(text.len()) });
        self.text.extend_from_slice(text);
        self.index.insert(hash, position);
        Name::at(position)
    }

    /// Makes room for `more` names.
    pub(super) fn reserve(&mut self, more: usize) {
        // The slots of an index with much room lie far apart.
        if more > FEW {
            self.index.reserve(more);
        }
        make_room(&mut self.words, more);
        // As long as names usually are.
        make_room(&mut self.text, more * 8);
    }

    /// Forgets all but the first `len` names.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.len() > len {
            let Some(last) = self.words.pop() else { return };
            let text = &self.text[last.range()];
            self.index.remove(hash(text, last.head), self.words.len());
            self.text.truncate(last.start as usize);
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

/// The hash of a text that begins with `head`.
#[inline]
fn hash(text: &[u8], head: u64) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(head);
    if text.len() > HEAD {
        hasher.write(text);
    }
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
