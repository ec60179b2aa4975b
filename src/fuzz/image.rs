//! Values that name themselves: byte `b` of value `v` is `0xVB`.

use crate::ctype::{Bits, FloatKind, QualType, Table, Type};

/// The bits of a type's bytes that belong to values, and those of them that may be 1; the other bits are padding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Image {
    /// One entry a byte.
    pub bytes: Vec<Byte>,
}

/// A byte of an [`Image`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Byte {
    /// The bits that belong to a value.
    pub mask: u8,
    /// The bits of `mask` that may be 1: for a `_Bool`, the lowest.
    pub limit: u8,
}

/// The number of the result among the values; arguments count from 0.
pub const RESULT: usize = 13;

impl Image {
    /// The image of a complete type.
    pub fn of(table: &Table, ty: QualType) -> Image {
        let size = table.layout_of(ty).map_or(0, |layout| layout.size as usize);
        let mut image = Image { bytes: vec![Byte::default(); size] };
        image.collect(table, ty, 0);
        image
    }

    fn collect(&mut self, table: &Table, ty: QualType, at: usize) {
        let size = table.layout_of(ty).map_or(0, |layout| layout.size as usize);
        match *table.shape(ty) {
            Type::Void => {}
            Type::Array(element, _) => {
                let step = table.layout_of(element).map_or(0, |layout| layout.size as usize);
                (0..size.checked_div(step).unwrap_or(0))
                    .for_each(|i| self.collect(table, element, at + i * step));
            }
            Type::Record(record) => {
                let Some(body) = &table.record(record).body else { return };
                for member in &body.members {
                    let at = at + member.offset as usize;
                    match member.bits {
                        Some(bits) => self.bits(bits, at),
                        None => self.collect(table, member.ty, at),
                    }
                }
            }
            Type::Bool => self.add(at, 0xFF, 1),
            // The bytes behind the ten of an x87 number are padding.
            Type::Float(FloatKind::F80) => self.whole(at, 10),
            Type::Complex(FloatKind::F80) => {
                self.whole(at, 10);
                self.whole(at + size / 2, 10);
            }
            _ => self.whole(at, size),
        }
    }

    fn bits(&mut self, bits: Bits, at: usize) {
        let first = usize::from(bits.shift);
        for bit in first..first + usize::from(bits.width) {
            self.add(at + bit / 8, 1 << (bit % 8), 1 << (bit % 8));
        }
    }

    fn whole(&mut self, at: usize, size: usize) {
        (at..at + size).for_each(|at| self.add(at, 0xFF, 0xFF));
    }

    /// Adds bits; where members of a union overlap, every one of them must allow a bit.
    fn add(&mut self, at: usize, mask: u8, limit: u8) {
        let byte = &mut self.bytes[at];
        byte.limit = (byte.limit | !byte.mask) & (limit | !mask) & (byte.mask | mask);
        byte.mask |= mask;
    }

    /// The byte at `index` of the value numbered `value`: 0xVI, where V goes from 1 to F and I is the index; for a `_Bool` or one bit, the
    /// lowest bit of V.
    fn named(&self, value: usize, index: usize) -> u8 {
        let v = (value % 15 + 1) as u8;
        match self.bytes[index].limit {
            1 => v & 1,
            limit => (v << 4 | (index & 15) as u8) & limit,
        }
    }

    /// Writes a value that names itself; padding stays as it is.
    pub fn fill(&self, value: usize, to: &mut [u8]) {
        for (index, (byte, to)) in self.bytes.iter().zip(to).enumerate() {
            *to = *to & !byte.mask | self.named(value, index);
        }
    }

    /// Whether the bytes are those of [`Image::fill`], padding apart.
    pub fn is_named(&self, value: usize, bytes: &[u8]) -> bool {
        let same =
            |(index, (byte, is)): (usize, (&Byte, &u8))| is & byte.mask == self.named(value, index);
        self.bytes.iter().zip(bytes).enumerate().all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctype::Declarations;
    use crate::target::Target;

    fn image(c: &str) -> Image {
        let mut declarations = Declarations::new(&Target::host());
        let ty = declarations.parse_type(c.as_bytes(), &[]).unwrap();
        Image::of(declarations.table(), ty)
    }

    fn masks(c: &str) -> Vec<u8> {
        image(c).bytes.iter().map(|byte| byte.mask).collect()
    }

    #[test]
    fn padding_is_no_value() {
        assert_eq!(masks("struct { char a; short b; }"), [0xFF, 0, 0xFF, 0xFF]);
        assert_eq!(masks("struct { int a : 3; int : 2; int b : 4; }"), [0xE7, 1, 0, 0]);
        assert_eq!(masks("long double")[9..11], [0xFF, 0]);
        assert!(masks("struct {}").is_empty());
    }

    #[test]
    fn a_union_allows_what_all_members_allow() {
        let image = image("union { _Bool a; unsigned char b[2]; }");
        assert_eq!(image.bytes[0], Byte { mask: 0xFF, limit: 1 });
        assert_eq!(image.bytes[1], Byte { mask: 0xFF, limit: 0xFF });
    }

    #[test]
    fn values_name_themselves() {
        let image = image("struct { char a; short b; _Bool c; }");
        let mut bytes = [0xEE; 6];
        image.fill(1, &mut bytes);
        assert_eq!(bytes, [0x20, 0xEE, 0x22, 0x23, 0x00, 0xEE]);
        assert!(image.is_named(1, &bytes) && !image.is_named(2, &bytes));
    }
}
