//! Numbers in C memory: every integer and floating-point format, bit-fields, and C's conversions between them.

use std::ptr;

use super::extended::Extended;
use crate::ctype::{Bits, FloatKind, IntKind};

/// The value of a C number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lua) enum Scalar {
    /// Of a signed type.
    Signed(i128),
    /// Of an unsigned type.
    Unsigned(u128),
    /// Of a floating-point type.
    Float(f64),
    /// Of one with more precision than a `double`.
    Extended(Extended),
}

impl Scalar {
    /// As a `double`.
    pub(in crate::lua) fn to_f64(self) -> f64 {
        match self {
            Scalar::Signed(n) => n as f64,
            Scalar::Unsigned(n) => n as f64,
            Scalar::Float(n) => n,
            Scalar::Extended(n) => n.to_f64(),
        }
    }

    /// In a format with more precision than a `double`.
    pub(in crate::lua) fn to_extended(self, kind: FloatKind) -> Extended {
        match self {
            Scalar::Signed(n) => Extended::from_signed(kind, n),
            Scalar::Unsigned(n) => Extended::from_unsigned(kind, n),
            Scalar::Float(n) => Extended::from_f64(kind, n),
            Scalar::Extended(n) => n.to_kind(kind),
        }
    }

    /// As an integer of a type, modulo its width. A float is truncated; out of range it is what x86-64 makes of it by
    /// way of a 64-bit integer, as in LuaJIT.
    pub(in crate::lua) fn to_bits(self, kind: IntKind) -> u128 {
        match (self, kind) {
            (Scalar::Signed(n), _) => n as u128,
            (Scalar::Unsigned(n), _) => n,
            (Scalar::Extended(n), IntKind::I128) => n.to_signed(128).unwrap_or(i128::MIN) as u128,
            (Scalar::Extended(n), IntKind::U128) => n.to_unsigned(128).unwrap_or(0),
            (Scalar::Extended(n), IntKind::U64) => {
                n.to_signed(64).map(|n| n as u128).or(n.to_unsigned(64)).unwrap_or(1 << 63)
            }
            (Scalar::Extended(n), _) => n.to_signed(64).unwrap_or(i64::MIN.into()) as u128,
            (Scalar::Float(n), IntKind::I128) => n as i128 as u128,
            (Scalar::Float(n), IntKind::U128) => n as u128,
            (Scalar::Float(n), IntKind::U64) => u128::from(float_to_u64(n)),
            (Scalar::Float(n), _) => float_to_i64(n) as u128,
        }
    }

    /// As an `int64_t`.
    pub(in crate::lua) fn to_i64(self) -> i64 {
        self.to_bits(IntKind::I64) as i64
    }

    /// Whether it is not zero; NaN is not.
    pub(in crate::lua) fn truth(self) -> bool {
        match self {
            Scalar::Signed(n) => n != 0,
            Scalar::Unsigned(n) => n != 0,
            Scalar::Float(n) => n != 0.0,
            Scalar::Extended(n) => !n.is_zero(),
        }
    }
}

/// Truncates; what does not fit gives the smallest integer.
pub(in crate::lua) fn float_to_i64(n: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&n) { n as i64 } else { i64::MIN }
}

/// Truncates; a negative number wraps.
pub(super) fn float_to_u64(n: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if n >= HALF { (n - HALF * 2.0) as i64 as u64 } else { float_to_i64(n) as u64 }
}

/// Reads a value of a Rust type that has the representation of the C type.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
unsafe fn read<T: Copy>(src: *const u8) -> T {
    // SAFETY: *Readable*, kept by the caller.
    unsafe { src.cast::<T>().read_unaligned() }
}

/// # Safety
/// - *Writable*: `dst` (see `value`).
unsafe fn write<T: Copy>(dst: *mut u8, value: T) {
    // SAFETY: *Writable*, kept by the caller.
    unsafe { dst.cast::<T>().write_unaligned(value) }
}

/// Reads an integer.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub(super) unsafe fn load_int(kind: IntKind, char_signed: bool, src: *const u8) -> Scalar {
    let signed = |n: i64| Scalar::Signed(n.into());
    let unsigned = |n: u64| Scalar::Unsigned(n.into());
    // SAFETY: *Readable*, kept by the caller.
    unsafe {
        match kind {
            IntKind::Char if char_signed => signed(read::<i8>(src).into()),
            IntKind::I8 => signed(read::<i8>(src).into()),
            IntKind::Char | IntKind::U8 => unsigned(read::<u8>(src).into()),
            IntKind::I16 => signed(read::<i16>(src).into()),
            IntKind::U16 => unsigned(read::<u16>(src).into()),
            IntKind::I32 => signed(read::<i32>(src).into()),
            IntKind::U32 => unsigned(read::<u32>(src).into()),
            IntKind::I64 => signed(read(src)),
            IntKind::U64 => unsigned(read(src)),
            IntKind::I128 => Scalar::Signed(read(src)),
            IntKind::U128 => Scalar::Unsigned(read(src)),
        }
    }
}

/// Writes the low bytes of an integer.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(in crate::lua) unsafe fn store_int(kind: IntKind, dst: *mut u8, bits: u128) {
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        match kind.size() {
            1 => write(dst, bits as u8),
            2 => write(dst, bits as u16),
            4 => write(dst, bits as u32),
            8 => write(dst, bits as u64),
            _ => write(dst, bits),
        }
    }
}

/// Reads a bit-field of an integer type.
///
/// # Safety
/// - *Readable*: `src`, the address of the storage unit.
pub(super) unsafe fn load_bit_field(field: Bits, signed: bool, src: *const u8) -> Scalar {
    let (first, shift, count) = field.bytes();
    let width = usize::from(field.width);
    // SAFETY: *Readable*, kept by the caller.
    let bits = unsafe {
        let src = src.add(first as usize);
        let low = load_bytes(src, count) >> shift;
        if count > 16 { low | u128::from(src.add(16).read()) << (128 - shift) } else { low }
    };
    extend(bits & mask(width), width, signed)
}

/// Writes the low bits of an integer into a bit-field; its neighbours keep theirs.
///
/// # Safety
/// - *Writable*: `dst`, the address of the storage unit.
pub(super) unsafe fn store_bit_field(field: Bits, dst: *mut u8, bits: u128) {
    let (first, shift, count) = field.bytes();
    let field = mask(usize::from(field.width));
    let bits = bits & field;
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        let dst = dst.add(first as usize);
        let old = load_bytes(dst, count);
        store_bytes(dst, count, old & !(field << shift) | bits << shift);
        if count > 16 {
            let above = 128 - shift;
            let old = dst.add(16).read();
            dst.add(16).write(old & !((field >> above) as u8) | (bits >> above) as u8);
        }
    }
}

fn mask(width: usize) -> u128 {
    if width >= 128 { u128::MAX } else { (1 << width) - 1 }
}

fn extend(bits: u128, width: usize, signed: bool) -> Scalar {
    let unused = 128 - width.min(128);
    if signed { Scalar::Signed((bits << unused) as i128 >> unused) } else { Scalar::Unsigned(bits) }
}

/// # Safety
/// - *Readable*: `src`, for `size` bytes, at most 16.
unsafe fn load_bytes(src: *const u8, size: usize) -> u128 {
    let mut bytes = [0; 16];
    // SAFETY: *Readable*, kept by the caller.
    unsafe { ptr::copy_nonoverlapping(src, bytes.as_mut_ptr(), size.min(16)) };
    u128::from_le_bytes(bytes)
}

/// # Safety
/// - *Writable*: `dst`, for `size` bytes, at most 16.
unsafe fn store_bytes(dst: *mut u8, size: usize, bits: u128) {
    let bytes = bits.to_le_bytes();
    // SAFETY: *Writable*, kept by the caller.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), dst, size.min(16)) }
}

/// The significant bytes of a floating-point format, padding not counted.
pub(super) fn float_bytes(kind: FloatKind) -> usize {
    match kind {
        FloatKind::F16 => 2,
        FloatKind::F32 => 4,
        FloatKind::F64 => 8,
        FloatKind::F80 => 10,
        FloatKind::F128 => 16,
    }
}

/// Reads a float, rounded to a `double`.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub(super) unsafe fn load_float(kind: FloatKind, src: *const u8) -> f64 {
    // SAFETY: *Readable*, kept by the caller.
    unsafe {
        match kind {
            FloatKind::F32 => read::<f32>(src).into(),
            FloatKind::F64 => read(src),
            FloatKind::F16 => F16.decode(load_bytes(src, 2)),
            FloatKind::F80 => F80.decode(load_bytes(src, 10)),
            FloatKind::F128 => F128.decode(load_bytes(src, 16)),
        }
    }
}

/// Reads a number of a format with more precision than a `double`.
///
/// # Safety
/// - *Readable*: `src` (see `value`).
pub(super) unsafe fn load_extended(kind: FloatKind, src: *const u8) -> Extended {
    // SAFETY: *Readable*, kept by the caller.
    Extended::from_bits(kind, unsafe { load_bytes(src, float_bytes(kind)) })
}

/// Writes a number in a format with more precision than a `double`.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(in crate::lua) unsafe fn store_extended(kind: FloatKind, dst: *mut u8, value: Extended) {
    // SAFETY: *Writable*, kept by the caller.
    unsafe { store_bytes(dst, float_bytes(kind), value.to_kind(kind).to_bits()) }
}

/// Writes a `double` in a format, rounded to nearest.
///
/// # Safety
/// - *Writable*: `dst` (see `value`).
pub(super) unsafe fn store_float(kind: FloatKind, dst: *mut u8, value: f64) {
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        match kind {
            FloatKind::F32 => write(dst, value as f32),
            FloatKind::F64 => write(dst, value),
            FloatKind::F16 => store_bytes(dst, 2, F16.encode(value)),
            FloatKind::F80 => store_bytes(dst, 10, F80.encode(value)),
            FloatKind::F128 => store_bytes(dst, 16, F128.encode(value)),
        }
    }
}

/// A binary floating-point format that Rust has no stable type for.
struct Format {
    exponent: u32,
    /// Bits of the fraction; an explicit integer bit is not counted.
    fraction: u32,
    /// Whether the integer bit is stored (x87).
    explicit: bool,
}

const F16: Format = Format { exponent: 5, fraction: 10, explicit: false };
const F80: Format = Format { exponent: 15, fraction: 63, explicit: true };
const F128: Format = Format { exponent: 15, fraction: 112, explicit: false };

impl Format {
    fn mantissa_bits(&self) -> u32 {
        self.fraction + u32::from(self.explicit)
    }

    fn max_exponent(&self) -> u32 {
        (1 << self.exponent) - 1
    }

    fn bias(&self) -> i32 {
        (1 << (self.exponent - 1)) - 1
    }

    fn decode(&self, bits: u128) -> f64 {
        let mantissa = bits & mask(self.mantissa_bits() as usize);
        let fraction = bits & mask(self.fraction as usize);
        let exponent = (bits >> self.mantissa_bits()) as u32 & self.max_exponent();
        let negative = bits >> (self.mantissa_bits() + self.exponent) & 1 != 0;
        let magnitude = if exponent == self.max_exponent() {
            if fraction == 0 { f64::INFINITY } else { f64::NAN }
        } else {
            let significand = match (self.explicit, exponent) {
                (true, _) | (false, 0) => mantissa,
                (false, _) => mantissa | 1 << self.fraction,
            };
            scale(significand as f64, exponent.max(1) as i32 - self.bias() - self.fraction as i32)
        };
        if negative { -magnitude } else { magnitude }
    }

    fn encode(&self, value: f64) -> u128 {
        let sign = u128::from(value.is_sign_negative()) << (self.mantissa_bits() + self.exponent);
        let integer_bit = u128::from(self.explicit) << self.fraction;
        let special = |fraction: u128| {
            u128::from(self.max_exponent()) << self.mantissa_bits() | integer_bit | fraction
        };
        let value = value.abs();
        let magnitude = if value.is_nan() {
            special(1 << (self.fraction - 1))
        } else if value.is_infinite() {
            special(0)
        } else if value == 0.0 {
            0
        } else {
            let (significand, exponent) = decompose(value);
            self.assemble(significand, exponent, special(0))
        };
        sign | magnitude
    }

    /// The bits of `significand * 2^(exponent - 52)`, where `significand` has 53 bits; `infinity` on overflow.
    fn assemble(&self, significand: u64, exponent: i32, infinity: u128) -> u128 {
        let biased = exponent + self.bias();
        let denormal = (1 - biased).max(0) as u32;
        let wide = u128::from(significand) << 64 >> denormal.min(127);
        let dropped = 116 - self.fraction;
        let mut fixed = wide >> dropped;
        let rest = wide & mask(dropped as usize);
        let half = 1_u128 << (dropped - 1);
        if rest > half || rest == half && fixed & 1 == 1 {
            fixed += 1;
        }
        // A carry out of the significand moves into the exponent by itself where the integer bit is hidden.
        let mut biased = if denormal > 0 { 0 } else { biased as u128 };
        if fixed >> self.fraction == 2 {
            fixed >>= 1;
            biased += 1;
        } else if denormal > 0 && fixed >> self.fraction == 1 {
            biased = 1;
        }
        if biased >= u128::from(self.max_exponent()) {
            return infinity;
        }
        let stored = if self.explicit { fixed } else { fixed & mask(self.fraction as usize) };
        biased << self.mantissa_bits() | stored
    }
}

/// A finite positive number as a 53-bit significand and the exponent of its leading bit.
fn decompose(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    if exponent == 0 {
        let shift = fraction.leading_zeros() - 11;
        (fraction << shift, -1022 - shift as i32)
    } else {
        (fraction | 1 << 52, exponent - 1023)
    }
}

/// `value * 2^exponent`.
fn scale(value: f64, exponent: i32) -> f64 {
    let mut value = value;
    let mut rest = exponent;
    while rest != 0 && value != 0.0 && value.is_finite() {
        let step = rest.clamp(-1000, 1000);
        value *= 2_f64.powi(step);
        rest -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(kind: FloatKind, value: f64) -> f64 {
        let mut bytes = [0; 16];
        // SAFETY: 16 bytes hold every format.
        unsafe {
            store_float(kind, bytes.as_mut_ptr(), value);
            load_float(kind, bytes.as_ptr())
        }
    }

    #[test]
    fn wide_formats_keep_every_double() {
        let values = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            0.1,
            f64::INFINITY,
            -1e-310,
        ];
        for kind in [FloatKind::F80, FloatKind::F128, FloatKind::F64] {
            for value in values {
                assert_eq!(through(kind, value).to_bits(), value.to_bits(), "{kind:?} {value}");
            }
            assert!(through(kind, f64::NAN).is_nan());
        }
    }

    #[test]
    fn half_precision_rounds_to_nearest_even() {
        // From the table of IEEE 754 binary16 examples.
        for (value, bits) in [
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (65519.9, 0x7bff),
            (65520.0, 0x7c00),
            (6.103_515_625e-5, 0x0400),
            (5.960_464_477_539_063e-8, 0x0001),
            (2.980_232_238_769_531_3e-8, 0x0000),
            (6.097_555_160_522_461e-5, 0x03ff),
            (1.0 / 3.0, 0x3555),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            // Above the middle by less than a `float` can tell, where the crate `half` (2.7) gives 0x3c00.
            (1.0 + 1.0 / 2048.0 + f64::EPSILON, 0x3c01),
        ] {
            assert_eq!(F16.encode(value), bits, "{value}");
        }
        for bits in (0..0x7c00_u128).chain(0x8000..0xfc00) {
            assert_eq!(F16.encode(F16.decode(bits)), bits);
        }
    }

    #[test]
    fn extended_precision_is_x87() {
        assert_eq!(F80.encode(1.0), 0x3fff_8000_0000_0000_0000);
        assert_eq!(F80.encode(-0.5), 0xbffe_8000_0000_0000_0000);
        assert_eq!(F128.encode(1.0), 0x3fff << 112);
        assert_eq!(F80.encode(f64::INFINITY), 0x7fff_8000_0000_0000_0000);
    }

    #[test]
    fn bit_fields_leave_their_neighbours() {
        let mut bytes = [0xff_u8; 10];
        let field = Bits { shift: 3, width: 64 };
        // SAFETY: bits 3 to 66 lie in the first 9 bytes.
        unsafe {
            store_bit_field(field, bytes.as_mut_ptr(), 0);
            assert_eq!(bytes, [7, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0xff]);
            store_bit_field(field, bytes.as_mut_ptr(), 1 << 63 | 1);
            assert_eq!(load_bit_field(field, false, bytes.as_ptr()), Scalar::Unsigned(1 << 63 | 1));
            assert_eq!(
                load_bit_field(field, true, bytes.as_ptr()),
                Scalar::Signed(i128::from(i64::MIN + 1))
            );
        }
    }

    #[test]
    fn a_packed_128_bit_field_may_touch_17_bytes() {
        let mut bytes = [0xff_u8; 18];
        let field = Bits { shift: 5, width: 128 };
        // SAFETY: bits 5 to 132 lie in the first 17 bytes.
        unsafe {
            store_bit_field(field, bytes.as_mut_ptr(), 1 << 127 | 6);
            assert_eq!(
                load_bit_field(field, false, bytes.as_ptr()),
                Scalar::Unsigned(1 << 127 | 6)
            );
        }
        assert_eq!((bytes[0], bytes[16], bytes[17]), (0b1101_1111, 0b1111_0000, 0xff));
    }

    #[test]
    fn floats_out_of_range_convert_as_in_luajit() {
        assert_eq!(Scalar::Float(4_294_967_301.0).to_bits(IntKind::I32) as i32, 5);
        assert_eq!(Scalar::Float(1e30).to_i64(), i64::MIN);
        assert_eq!(Scalar::Float(f64::NAN).to_i64(), i64::MIN);
        assert_eq!(Scalar::Float(9_223_372_036_854_775_808.0).to_bits(IntKind::U64), 1 << 63);
        assert_eq!(Scalar::Float(-1.5).to_bits(IntKind::U64) as u64, u64::MAX);
    }
}
