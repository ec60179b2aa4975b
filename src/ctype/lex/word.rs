//! The end of a word, found eight bytes at a time.

use crate::ctype::names;

/// The word that a text begins with: letters, digits, `_`, and all that is not ASCII. Returns its length, and its head as [`names::head`]
/// has it. Reads eight bytes at a time, because processors guess the ends of words wrong.
#[inline]
pub(super) fn word(text: &[u8]) -> (usize, u64) {
    if let Some(&chunk) = text.first_chunk() {
        let bytes = u64::from_le_bytes(chunk);
        let end = eight::outside_words(bytes);
        if end != 0 {
            let below = (end & end.wrapping_neg()) - 1;
            return (below.count_ones() as usize / 8, bytes & (below >> 7));
        }
    }
    let length = long_word(text);
    (length, names::head(&text[..length]))
}

/// The length of a word by single bytes.
#[cold]
fn long_word(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_in_word(**byte)).count()
}

pub(super) fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Eight bytes in one number, each examined by additions that leave their answer in its high bit.
mod eight {
    const HIGH_BITS: u64 = each(0x80);

    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    /// Which bytes are of no word.
    #[inline]
    pub(super) fn outside_words(bytes: u64) -> u64 {
        let ascii = bytes & !HIGH_BITS;
        let letters = between(ascii | each(0x20), b'a', b'z');
        let underscore = between(ascii, b'_', b'_');
        !(bytes | letters | underscore | between(ascii, b'0', b'9')) & HIGH_BITS
    }

    /// Which bytes, all of them ASCII, are of a range.
    #[inline]
    fn between(ascii: u64, first: u8, last: u8) -> u64 {
        (ascii + each(0x80 - first)) & !(ascii + each(0x7f - last))
    }
}
