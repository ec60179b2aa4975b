//! A hash index: finds positions in a vector by the hash of the element.
//!
//! The keys stay in the vector. So each key is stored once, and the newest entries can be removed again.

/// Open addressing with linear probing over `(hash, position + 1)`; 0 is an empty slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    slots: Vec<(u32, u32)>,
    len: usize,
}

impl Index {
    /// The position with this hash that `matches` accepts.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut matches: impl FnMut(usize) -> bool) -> Option<usize> {
        let hash = fold(hash);
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                (_, 0) => return None,
                (h, p) if h == hash && matches(p as usize - 1) => return Some(p as usize - 1),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a position that [`Index::find`] did not find.
    pub(super) fn insert(&mut self, hash: u64, position: usize) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.resize((self.slots.len() * 2).max(16));
        }
        let position = u32::try_from(position + 1).expect("fewer than 2^32 - 1 entries");
        self.len += 1;
        self.place((fold(hash), position));
    }

    /// Makes room for `more` positions.
    pub(super) fn reserve(&mut self, more: usize) {
        let needed = (self.len + more) * 4 / 3 + 1;
        if needed > self.slots.len() {
            self.resize(needed.next_power_of_two());
        }
    }

    /// Takes a position out.
    pub(super) fn remove(&mut self, hash: u64, position: usize) {
        let Some(mask) = self.slots.len().checked_sub(1) else {
            return;
        };
        let mut hole = fold(hash) as usize & mask;
        while self.slots[hole].1 as usize != position + 1 {
            if self.slots[hole].1 == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // Entries after the hole move back unless that would put them before their home slot.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let (h, p) = self.slots[at];
            if p == 0 {
                break;
            }
            let home = h as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = (h, p);
                hole = at;
            }
        }
        self.slots[hole] = (0, 0);
    }

    fn place(&mut self, entry: (u32, u32)) {
        let mask = self.slots.len() - 1;
        let mut at = entry.0 as usize & mask;
        while self.slots[at].1 != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = entry;
    }

    fn resize(&mut self, size: usize) {
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for entry in old.into_iter().filter(|e| e.1 != 0) {
            self.place(entry);
        }
    }
}

fn fold(hash: u64) -> u32 {
    (hash ^ hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn finds_what_was_inserted_and_not_removed() {
        // Few distinct hashes, so that probe chains are long and removal has to move entries.
        let hash = |i: usize| (i % 7) as u64 * 5;
        let mut index = Index::default();
        for i in 0..500 {
            index.insert(hash(i), i);
        }
        for i in (0..500).filter(|i| i % 3 == 0) {
            index.remove(hash(i), i);
        }
        for i in 0..500 {
            assert_eq!(index.find(hash(i), |p| p == i).is_some(), i % 3 != 0, "{i}");
        }
    }
}
