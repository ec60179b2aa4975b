//! The scalar types that the generator uses.

/// A scalar C type; complex numbers and vectors count as scalars here.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    /// As C spells it.
    pub c: &'static str,
    /// Whether the default argument promotions leave it as it is, so that `va_arg` can ask for it.
    pub promoted: bool,
    /// Bits of the widest bit-field of this type on every platform; 0: none may have it.
    pub bits: usize,
    /// The processors ([`Convention::architecture`](crate::abi::Convention)) whose compilers have it; none: all.
    pub on: &'static [&'static str],
}

const fn scalar(c: &'static str) -> Scalar {
    Scalar { c, promoted: false, bits: 0, on: &[] }
}

const fn integer(c: &'static str, bits: usize, promoted: bool) -> Scalar {
    Scalar { promoted, bits, ..scalar(c) }
}

const fn wide(c: &'static str) -> Scalar {
    Scalar { promoted: true, ..scalar(c) }
}

/// Declarations that a header needs before it uses [`SCALARS`].
pub const PRELUDE: &str = "enum word { WORD_A, WORD_B = 5 };
typedef float vector8 __attribute__((vector_size(8)));
typedef short vector8i __attribute__((vector_size(8)));
typedef double vector16 __attribute__((vector_size(16)));
typedef int vector16i __attribute__((vector_size(16)));
typedef double vector32 __attribute__((vector_size(32)));
";

/// `int`, the simplest type, which everything shrinks to.
pub static INT: Scalar = integer("int", 32, true);

/// `double`, the simplest floating-point type.
pub static DOUBLE: Scalar = wide("double");

/// Every scalar type, common ones first.
pub static SCALARS: &[&Scalar] = &[
    &INT,
    &DOUBLE,
    &scalar("float"),
    &integer("_Bool", 1, false),
    &integer("signed char", 8, false),
    &integer("unsigned char", 8, false),
    &integer("char", 8, false),
    &integer("short", 16, false),
    &integer("unsigned short", 16, false),
    &integer("unsigned int", 32, true),
    &integer("enum word", 3, true),
    &integer("long", 32, true),
    &integer("unsigned long", 32, true),
    &integer("long long", 64, true),
    &integer("unsigned long long", 64, true),
    &wide("void *"),
    &wide("long double"),
    &scalar("float _Complex"),
    &wide("double _Complex"),
    &wide("long double _Complex"),
    &wide("__int128"),
    &wide("unsigned __int128"),
    // GCC 12 has no half precision on riscv64, and no compiler promotes it.
    &Scalar { on: &["x86", "x86_64", "aarch64"], ..scalar("_Float16") },
    // A type of x86; elsewhere `long double` is this one.
    &Scalar { on: &["x86", "x86_64"], ..wide("__float128") },
    &wide("vector8"),
    &wide("vector8i"),
    &wide("vector16"),
    &wide("vector16i"),
    &Scalar { on: &["x86_64"], ..wide("vector32") },
];

/// The first so many of [`SCALARS`] are plain: a register each.
pub const PLAIN: usize = 16;

/// Where `double` and `float` are in [`SCALARS`].
pub const NUMBERS: std::ops::Range<usize> = 1..3;

/// The types that homogeneous aggregates are made of.
pub const FLOATING: &[&str] =
    &["float", "double", "_Float16", "long double", "vector8", "vector16", "float _Complex"];
