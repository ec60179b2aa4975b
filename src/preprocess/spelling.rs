//! Interned spellings of tokens: equal texts have equal numbers.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::word::{PUNCTUATION, WORDS};

/// The text of a token, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spelling(pub(super) u32);

impl Spelling {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All spellings of one preprocessor. The first ones are those of `PUNCTUATION` and `WORDS`.
#[derive(Clone, Debug)]
pub struct Spellings {
    bytes: Vec<u8>,
    /// Where each spelling ends in `bytes`; it begins where the one before it ends.
    ends: Vec<u32>,
    /// A hash table with open addresses: the number of a spelling plus one, or 0.
    slots: Vec<u32>,
}

impl Default for Spellings {
    fn default() -> Spellings {
        let mut spellings =
            Spellings { bytes: Vec::new(), ends: Vec::new(), slots: vec![0; 1 << 14] };
        for text in PUNCTUATION.iter().chain(&WORDS) {
            spellings.intern(text.as_bytes());
        }
        spellings
    }
}

impl Spellings {
    /// The text of a spelling.
    #[inline]
    pub fn bytes(&self, spelling: Spelling) -> &[u8] {
        let index = spelling.index();
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start as usize..self.ends[index] as usize]
    }

    /// The text of a spelling, for messages.
    pub fn text(&self, spelling: Spelling) -> String {
        String::from_utf8_lossy(self.bytes(spelling)).into_owned()
    }

    /// The number of a text. Lexers count bytes in 32 bits, so that all spellings have less than 4 GiB.
    #[inline]
    pub fn intern(&mut self, text: &[u8]) -> Spelling {
        let mask = self.slots.len() - 1;
        let mut slot = hash(text) & mask;
        while let Some(number) = self.slots[slot].checked_sub(1) {
            if self.bytes(Spelling(number)) == text {
                return Spelling(number);
            }
            slot = (slot + 1) & mask;
        }
        self.add(text, slot)
    }

    /// The number of a text that was seen before.
    pub fn find(&self, text: &[u8]) -> Option<Spelling> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(text) & mask;
        while let Some(number) = self.slots[slot].checked_sub(1) {
            if self.bytes(Spelling(number)) == text {
                return Some(Spelling(number));
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// All spellings.
    pub(super) fn iter(&self) -> impl Iterator<Item = Spelling> + use<> {
        (0..self.ends.len() as u32).map(Spelling)
    }

    #[cold]
    fn add(&mut self, text: &[u8], slot: usize) -> Spelling {
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.slots[slot] = number + 1;
        if self.ends.len() * 2 > self.slots.len() {
            self.grow();
        }
        Spelling(number)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![0; mask + 1];
        for spelling in self.iter() {
            let mut slot = hash(self.bytes(spelling)) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = spelling.0 + 1;
        }
        self.slots = slots;
    }
}

#[inline]
fn hash(text: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    // 32 bits are as many as there can be spellings.
    (hasher.finish() >> 20) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_numbers() {
        let mut spellings = Spellings::default();
        let numbers: Vec<Spelling> =
            (0..10_000).map(|n| spellings.intern(format!("name{n}").as_bytes())).collect();
        for (n, &number) in numbers.iter().enumerate() {
            let text = format!("name{n}");
            assert_eq!(spellings.bytes(number), text.as_bytes());
            assert_eq!(spellings.intern(text.as_bytes()), number);
            assert_eq!(spellings.find(text.as_bytes()), Some(number));
        }
        assert_eq!(spellings.find(b"another"), None);
    }
}
