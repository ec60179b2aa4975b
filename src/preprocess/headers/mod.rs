//! The headers that belong to the compiler and not to the system (C23 4p6, 5.1.2.2), so that no folder of a compiler is needed.

use std::path::Path;

/// Each header and its text.
static HEADERS: [(&str, &str); 10] = [
    ("float.h", include_str!("float.h")),
    ("iso646.h", include_str!("iso646.h")),
    ("limits.h", include_str!("limits.h")),
    ("stdalign.h", include_str!("stdalign.h")),
    ("stdarg.h", include_str!("stdarg.h")),
    ("stdatomic.h", include_str!("stdatomic.h")),
    ("stdbool.h", include_str!("stdbool.h")),
    ("stddef.h", include_str!("stddef.h")),
    ("stdint.h", include_str!("stdint.h")),
    ("stdnoreturn.h", include_str!("stdnoreturn.h")),
];

/// The headers of x86's vector instructions, of which only the types are here: `windows.h` and `SDL.h` include them.
static VECTOR_HEADERS: [&str; 11] = [
    "emmintrin.h",
    "immintrin.h",
    "mm_malloc.h",
    "mmintrin.h",
    "nmmintrin.h",
    "pmmintrin.h",
    "smmintrin.h",
    "tmmintrin.h",
    "wmmintrin.h",
    "x86intrin.h",
    "xmmintrin.h",
];

static VECTORS: &str = include_str!("vectors.h");

/// The text of a built-in header.
pub(super) fn find(name: &Path) -> Option<&'static str> {
    let own = HEADERS.iter().find(|header| Path::new(header.0) == name).map(|header| header.1);
    own.or_else(|| VECTOR_HEADERS.iter().any(|header| Path::new(header) == name).then_some(VECTORS))
}
