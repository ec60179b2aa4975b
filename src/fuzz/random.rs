//! Random choices that a printed seed, or the bytes of a fuzzing engine, reproduce on every machine.

/// A sequence of choices.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    /// xorshift64*
    Seed(u64),
    /// One byte for a choice, two bytes for a choice of more than 256 possibilities. After the last byte each choice is the first possibility.
    Bytes(std::vec::IntoIter<u8>),
}

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(Source::Seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    /// The choices that these bytes make.
    pub fn of_bytes(bytes: &[u8]) -> Random {
        Random(Source::Bytes(Vec::from(bytes).into_iter()))
    }

    /// A number from 0 to `n - 1`; `n` is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        match &mut self.0 {
            Source::Seed(state) => {
                *state ^= *state >> 12;
                *state ^= *state << 25;
                *state ^= *state >> 27;
                (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
            }
            Source::Bytes(bytes) => {
                let mut next = || usize::from(bytes.next().unwrap_or(0));
                let number = if n > 256 { next() << 8 | next() } else { next() };
                number % n
            }
        }
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of them; there is at least one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
