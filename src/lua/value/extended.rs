//! `long double` and `__float128` in full precision: the 80-bit numbers of x87 and IEEE's quads, by software that rounds to nearest
//! (`rustc_apfloat`, a port of LLVM's).

use std::cmp::Ordering;

use rustc_apfloat::ieee::{Double, Quad, X87DoubleExtended};
use rustc_apfloat::{Float, FloatConvert, Round};

use crate::ctype::FloatKind;
use crate::lua::value::operator::Operator;

/// A number of one of the two formats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lua) enum Extended {
    /// 64 bits of precision.
    X87(X87DoubleExtended),
    /// 113 bits of precision.
    Quad(Quad),
}

/// Evaluates an expression with the number of either format; `$wrap` is the variant.
macro_rules! each {
    ($value:expr, $n:ident, $wrap:ident => $body:expr) => {
        match $value {
            Extended::X87($n) => {
                #[allow(unused_imports)]
                use Extended::X87 as $wrap;
                $body
            }
            Extended::Quad($n) => {
                #[allow(unused_imports)]
                use Extended::Quad as $wrap;
                $body
            }
        }
    };
}

impl Extended {
    /// Whether the formats of a kind are these.
    pub(in crate::lua) fn has(kind: FloatKind) -> bool {
        matches!(kind, FloatKind::F80 | FloatKind::F128)
    }

    /// From the bits in memory. What x87 calls an unsupported encoding is NaN.
    pub(in crate::lua) fn from_bits(kind: FloatKind, bits: u128) -> Extended {
        match kind {
            FloatKind::F80 => {
                let (exponent, integer) = (bits >> 64 & 0x7fff, bits >> 63 & 1);
                Extended::X87(match exponent != 0 && integer == 0 {
                    true => X87DoubleExtended::NAN,
                    false => X87DoubleExtended::from_bits(bits & ((1 << 80) - 1)),
                })
            }
            _ => Extended::Quad(Quad::from_bits(bits)),
        }
    }

    /// The bits in memory, of which x87's has 80.
    pub(in crate::lua) fn to_bits(self) -> u128 {
        each!(self, n, _Wrap => n.to_bits())
    }

    pub(in crate::lua) fn kind(self) -> FloatKind {
        match self {
            Extended::X87(_) => FloatKind::F80,
            Extended::Quad(_) => FloatKind::F128,
        }
    }

    /// In the format of a kind, rounded where that has fewer bits.
    pub(in crate::lua) fn to_kind(self, kind: FloatKind) -> Extended {
        match (self, kind) {
            (Extended::X87(n), FloatKind::F128) => Extended::Quad(n.convert(&mut false).value),
            (Extended::Quad(n), FloatKind::F80) => Extended::X87(n.convert(&mut false).value),
            _ => self,
        }
    }

    pub(super) fn from_f64(kind: FloatKind, value: f64) -> Extended {
        let value = Double::from_bits(value.to_bits().into());
        match kind {
            FloatKind::F80 => Extended::X87(value.convert(&mut false).value),
            _ => Extended::Quad(value.convert(&mut false).value),
        }
    }

    pub(super) fn from_signed(kind: FloatKind, value: i128) -> Extended {
        match kind {
            FloatKind::F80 => Extended::X87(X87DoubleExtended::from_i128(value).value),
            _ => Extended::Quad(Quad::from_i128(value).value),
        }
    }

    pub(super) fn from_unsigned(kind: FloatKind, value: u128) -> Extended {
        match kind {
            FloatKind::F80 => Extended::X87(X87DoubleExtended::from_u128(value).value),
            _ => Extended::Quad(Quad::from_u128(value).value),
        }
    }

    /// From decimal or hexadecimal text, as C writes numbers; "inf" and "nan" too.
    pub(in crate::lua) fn parse(kind: FloatKind, text: &str) -> Option<Extended> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let value = match digits.to_ascii_lowercase().as_str() {
            "inf" | "infinity" => Extended::from_f64(kind, f64::INFINITY),
            "nan" => Extended::from_f64(kind, f64::NAN),
            digits if is_complete(digits) => {
                let nearest = Round::NearestTiesToEven;
                match kind {
                    FloatKind::F80 => {
                        Extended::X87(X87DoubleExtended::from_str_r(digits, nearest).ok()?.value)
                    }
                    _ => Extended::Quad(Quad::from_str_r(digits, nearest).ok()?.value),
                }
            }
            _ => return None,
        };
        Some(if negative { value.negated() } else { value })
    }

    pub(in crate::lua) fn to_f64(self) -> f64 {
        let double: Double = each!(self, n, _Wrap => n.convert(&mut false).value);
        f64::from_bits(double.to_bits() as u64)
    }

    /// Cut towards zero to an integer of so many bits; `None` where it does not fit, and for NaN.
    pub(super) fn to_signed(self, bits: usize) -> Option<i128> {
        each!(self, n, _Wrap => {
            let cut = n.to_i128_r(bits, Round::TowardZero, &mut false);
            (!cut.status.contains(rustc_apfloat::Status::INVALID_OP)).then_some(cut.value)
        })
    }

    /// [`Extended::to_signed`] of an unsigned integer.
    pub(super) fn to_unsigned(self, bits: usize) -> Option<u128> {
        each!(self, n, _Wrap => {
            let cut = n.to_u128_r(bits, Round::TowardZero, &mut false);
            (!cut.status.contains(rustc_apfloat::Status::INVALID_OP)).then_some(cut.value)
        })
    }

    pub(in crate::lua) fn is_zero(self) -> bool {
        each!(self, n, _Wrap => n.is_zero())
    }

    fn negated(self) -> Extended {
        each!(self, n, Wrap => Wrap(-n))
    }

    fn floor(self) -> Extended {
        each!(self, n, Wrap => Wrap(n.round_to_integral(Round::TowardNegative).value))
    }

    /// Two numbers in the wider format.
    fn with(self, other: Extended) -> (Extended, Extended) {
        let kind = match (self.kind(), other.kind()) {
            (FloatKind::F80, FloatKind::F80) => FloatKind::F80,
            _ => FloatKind::F128,
        };
        (self.to_kind(kind), other.to_kind(kind))
    }

    pub(in crate::lua) fn compare(self, other: Extended) -> Option<Ordering> {
        match self.with(other) {
            (Extended::X87(a), Extended::X87(b)) => a.partial_cmp(&b),
            (Extended::Quad(a), Extended::Quad(b)) => a.partial_cmp(&b),
            _ => None,
        }
    }

    /// `None`: not an operator of floating-point numbers.
    pub(in crate::lua) fn compute(self, operator: Operator, other: Extended) -> Option<Extended> {
        macro_rules! apply {
            ($a:ident, $b:ident, $wrap:expr) => {
                Some($wrap(match operator {
                    Operator::Add => ($a + $b).value,
                    Operator::Sub => ($a - $b).value,
                    Operator::Mul => ($a * $b).value,
                    Operator::Div => ($a / $b).value,
                    Operator::Mod => {
                        // As Lua's `%` of floats: the result has the sign of the divisor.
                        let rest = $a.c_fmod($b).value;
                        match !rest.is_zero() && rest.is_negative() != $b.is_negative() {
                            true if $b.is_finite() || rest.is_nan() => (rest + $b).value,
                            true => $b,
                            false => rest,
                        }
                    }
                    _ => return None,
                }))
            };
        }
        match (operator, self.with(other)) {
            (Operator::Unm, _) => Some(self.negated()),
            (Operator::IDiv, _) => Some(self.compute(Operator::Div, other)?.floor()),
            (Operator::Pow, (a, b)) => Some(a.power(b)),
            (_, (Extended::X87(a), Extended::X87(b))) => apply!(a, b, Extended::X87),
            (_, (Extended::Quad(a), Extended::Quad(b))) => apply!(a, b, Extended::Quad),
            _ => None,
        }
    }

    /// A power: of an integer by multiplications in a quad, of another number as `double` has it.
    fn power(self, exponent: Extended) -> Extended {
        let kind = self.kind();
        let whole = exponent.to_signed(32).filter(|n| {
            Extended::from_signed(exponent.kind(), *n).compare(exponent) == Some(Ordering::Equal)
        });
        let Some(n) = whole else {
            return Extended::from_f64(kind, self.to_f64().powf(exponent.to_f64()));
        };
        let one = Extended::from_signed(FloatKind::F128, 1);
        let (mut base, mut power, mut left) =
            (self.to_kind(FloatKind::F128), one, n.unsigned_abs());
        while left > 0 {
            let times = |a: Extended, b| a.compute(Operator::Mul, b).unwrap_or(a);
            if left & 1 == 1 {
                power = times(power, base);
            }
            base = times(base, base);
            left >>= 1;
        }
        let power = if n < 0 { one.compute(Operator::Div, power).unwrap_or(power) } else { power };
        power.to_kind(kind)
    }
}

/// Whether a text begins like a number and its exponent, if it has one, has digits.
fn is_complete(text: &str) -> bool {
    let mark = if text.starts_with("0x") { 'p' } else { 'e' };
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && !text.ends_with([mark, '+', '-'])
}

/// The shortest decimal that reads as the same number.
impl std::fmt::Display for Extended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// Digits that are enough for every quad.
        const MOST: usize = 36;
        each!(*self, n, _Wrap => {
            if n.is_nan() {
                return f.write_str("nan");
            }
            if n.is_infinite() || n.is_zero() {
                let sign = if n.is_negative() { "-" } else { "" };
                return write!(f, "{sign}{}", if n.is_zero() { "0" } else { "inf" });
            }
            for digits in 1..=MOST {
                // With a width of 0 it is always "d.dddE±x".
                let text = format!("{n:width$.digits$}", width = 0);
                let text = match digits {
                    MOST => text,
                    _ if Extended::parse(self.kind(), &text) == Some(*self) => text,
                    _ => continue,
                };
                return f.write_str(&laid_out(&text));
            }
            Ok(())
        })
    }
}

/// A number "d.dddE±x" as C's `%g` lays it out, but with all of its digits.
fn laid_out(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let count = digits.len() as i32;
    let point = |at: i32| {
        let (whole, fraction) = digits.split_at(at as usize);
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    };
    match exponent {
        -4..=-1 => format!("{sign}0.{}{digits}", "0".repeat((-1 - exponent) as usize)),
        0..21 if exponent >= count => {
            format!("{sign}{digits}{}", "0".repeat((exponent + 1 - count) as usize))
        }
        0..21 => format!("{sign}{}", point(exponent + 1)),
        _ => {
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{}e{mark}{:02}", point(1), exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(kind: FloatKind, text: &str) -> Extended {
        Extended::parse(kind, text).expect("a number")
    }

    #[test]
    fn numbers_print_as_the_shortest_text_that_reads_as_them() {
        for kind in [FloatKind::F80, FloatKind::F128] {
            for text in [
                "0",
                "-0",
                "1",
                "-1.5",
                "0.1",
                "0.0001",
                "1e-05",
                "123456789012345678",
                "1e+21",
                "100000000000000000000",
                "3.14",
                "inf",
                "-inf",
                "1e+4000",
                "2.5e-4000",
            ] {
                assert_eq!(number(kind, text).to_string(), text, "{kind:?}");
            }
        }
        // The neighbours of 1; GCC's LDBL_MAX, LDBL_DENORM_MIN, FLT128_MAX and FLT128_DENORM_MIN.
        for (kind, bits, text) in [
            (FloatKind::F80, 0x3fff_8000_0000_0000_0001, "1.0000000000000000001"),
            (FloatKind::F80, 0x7ffe_ffff_ffff_ffff_ffff, "1.189731495357231765e+4932"),
            (FloatKind::F80, 1, "4e-4951"),
            (FloatKind::F128, (0x3fff << 112) + 1, "1.0000000000000000000000000000000002"),
            (FloatKind::F128, 1, "6e-4966"),
        ] {
            let number = Extended::from_bits(kind, bits);
            assert_eq!(number.to_string(), text);
            assert_eq!(Extended::parse(kind, text), Some(number));
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in ["", "x", "1x", "--1", "0x", "1e", "."] {
            assert_eq!(Extended::parse(FloatKind::F80, text), None, "{text:?}");
        }
    }

    #[test]
    fn integers_of_64_bits_are_exact() {
        for value in [i128::from(i64::MIN), i64::MAX.into(), (1 << 53) + 1, -1] {
            let number = Extended::from_signed(FloatKind::F80, value);
            assert_eq!(number.to_signed(64), Some(value));
        }
        assert_eq!(number(FloatKind::F80, "1e30").to_signed(64), None);
        assert_eq!(number(FloatKind::F128, "-2.9").to_signed(64), Some(-2));
    }

    #[test]
    fn remainders_and_powers_are_those_of_lua() {
        let compute = |a, operator, b| {
            let number = |text| number(FloatKind::F80, text);
            number(a).compute(operator, number(b)).expect("an operator").to_string()
        };
        assert_eq!(compute("7", Operator::Mod, "4"), "3");
        assert_eq!(compute("-7", Operator::Mod, "4"), "1");
        assert_eq!(compute("7", Operator::Mod, "-4"), "-1");
        assert_eq!(compute("-7", Operator::Mod, "-4"), "-3");
        assert_eq!(compute("-1", Operator::Mod, "inf"), "inf");
        assert_eq!(compute("-7", Operator::IDiv, "2"), "-4");
        assert_eq!(compute("3", Operator::Pow, "40"), "12157665459056928801");
        assert_eq!(compute("2", Operator::Pow, "-3"), "0.125");
        assert_eq!(compute("2", Operator::Pow, "0.5"), "1.4142135623730951455");
        assert_eq!(compute("1", Operator::Div, "0"), "inf");
    }
}
