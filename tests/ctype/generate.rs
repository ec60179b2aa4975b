//! Random C types, as text that a compiler and our parser both read.

use std::fmt::Write;

/// A small, seeded random number generator (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        // The state must not be 0.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The extensions that the compiler of a target accepts.
#[derive(Clone, Copy)]
pub struct Dialect {
    pub int128: bool,
    pub ms_struct: bool,
    pub declspec: bool,
}

/// A generated struct or union.
pub struct Case {
    /// Its declaration, with what must come before it.
    pub text: String,
    /// `struct t0`
    pub tag: String,
    /// Paths of plain members, for `offsetof`.
    pub plain: Vec<String>,
    /// Paths of bit-fields, with whether they are `_Bool`.
    pub bits: Vec<(String, bool)>,
    /// Whether it can be an element and a member.
    pub closed: bool,
}

/// Integer types and the widest bit-field of each.
static INTEGERS: [(&str, usize); 15] = [
    ("char", 8),
    ("signed char", 8),
    ("unsigned char", 8),
    ("short", 16),
    ("unsigned short", 16),
    ("int", 32),
    ("unsigned", 32),
    ("long", 32),
    ("unsigned long", 32),
    ("long long", 64),
    ("unsigned long long", 64),
    ("_Bool", 1),
    ("enum small", 3),
    ("enum large", 32),
    ("tiny", 8),
];

static OTHERS: [&str; 18] = [
    "float",
    "double",
    "long double",
    "void *",
    "callback",
    "_Atomic char",
    "_Atomic short",
    "_Atomic int",
    "_Atomic(three)",
    "float _Complex",
    "double _Complex",
    "int8v",
    "float16v",
    "aligned_char",
    "aligned_int",
    "packed_int",
    "packed_double",
    "aligned_array",
];

/// Declared before all cases.
pub static PRELUDE: &str = "\
enum small { SMALL_A, SMALL_B = 5 };
enum large { LARGE_A = -1, LARGE_B = 0x7fffffff };
typedef enum { TINY_A = 200 } __attribute__((packed)) tiny;
typedef int (*callback)(void *, ...);
typedef struct three_bytes { char c[3]; } three;
typedef int int8v __attribute__((vector_size(8)));
typedef float float16v __attribute__((vector_size(16)));
typedef char aligned_char __attribute__((aligned(8)));
typedef int aligned_int __attribute__((aligned(16)));
typedef int packed_int __attribute__((aligned(2)));
typedef double packed_double __attribute__((aligned(4)));
typedef short aligned_array[4] __attribute__((aligned(8)));
";

/// Generates cases that may use each other, numbered from `first`.
pub struct Generator {
    pub random: Random,
    dialect: Dialect,
    made: Vec<(String, bool)>,
    names: usize,
}

impl Generator {
    pub fn new(seed: u64, dialect: Dialect) -> Generator {
        Generator { random: Random::new(seed), dialect, made: Vec::new(), names: 0 }
    }

    pub fn case(&mut self) -> Case {
        let keyword = if self.random.one_in(5) { "union" } else { "struct" };
        let tag = format!("{keyword} t{}", self.made.len());
        let pack = self.random.one_in(6).then(|| 1 << self.random.below(5));
        let mut text = String::new();
        if let Some(pack) = pack {
            let _ = writeln!(text, "#pragma pack(push, {pack})");
        }
        let mut case = Case { text, tag: tag.clone(), plain: vec![], bits: vec![], closed: true };
        let before = self.record_attributes(true);
        let _ = writeln!(case.text, "{keyword} {before}t{} {{", self.made.len());
        let flexible = keyword == "struct" && self.random.one_in(12);
        self.members(&mut case, "", 0, keyword == "union");
        if flexible {
            let name = self.name();
            let ty = self.random.pick(&INTEGERS).0;
            let _ = writeln!(case.text, "  char {name}x; {ty} {name}[];");
            case.plain.extend([format!("{name}x"), name]);
            case.closed = false;
        }
        let after = if before.is_empty() { self.record_attributes(false) } else { String::new() };
        let _ = writeln!(case.text, "}} {after};");
        if pack.is_some() {
            case.text.push_str("#pragma pack(pop)\n");
        }
        self.made.push((tag, case.closed));
        case
    }

    /// After the body, `__declspec` would not be about the type.
    fn record_attributes(&mut self, before: bool) -> String {
        let mut attributes = String::new();
        if self.random.one_in(6) {
            attributes.push_str("__attribute__((packed)) ");
        }
        if self.random.one_in(8) {
            let align = 1 << self.random.below(6);
            if before && self.dialect.declspec && self.random.one_in(2) {
                let _ = write!(attributes, "__declspec(align({align})) ");
            } else {
                let _ = write!(attributes, "__attribute__((aligned({align}))) ");
            }
        }
        if self.dialect.ms_struct && self.random.one_in(8) {
            let name = self.random.pick(&["ms_struct", "gcc_struct"]);
            let _ = write!(attributes, "__attribute__(({name})) ");
        }
        attributes
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("m{}", self.names)
    }

    fn members(&mut self, case: &mut Case, path: &str, depth: usize, union: bool) {
        let count = if union { 1 + self.random.below(4) } else { self.random.below(9) };
        let mostly_bits = self.random.one_in(3);
        for _ in 0..count {
            let bits = if mostly_bits { 5 } else { 1 };
            match self.random.below(6 + bits) {
                0..=2 => self.plain_member(case, path),
                3 => self.array_member(case, path),
                4 if depth < 2 => self.inline_member(case, path, depth),
                5 => self.used_member(case, path),
                _ => self.bit_member(case, path),
            }
        }
        if count == 0 && self.dialect.declspec {
            // Microsoft C has no empty records.
            self.plain_member(case, path);
        }
    }

    fn scalar(&mut self) -> &'static str {
        match self.random.below(3) {
            0 => OTHERS[self.random.below(OTHERS.len())],
            1 if self.dialect.int128 && self.random.one_in(8) => "__int128",
            _ => self.random.pick(&INTEGERS).0,
        }
    }

    fn member_attributes(&mut self) -> String {
        let mut attributes = String::new();
        if self.random.one_in(10) {
            attributes.push_str(" __attribute__((packed))");
        }
        if self.random.one_in(10) {
            let align = 1 << self.random.below(6);
            let _ = write!(attributes, " __attribute__((aligned({align})))");
        }
        attributes
    }

    fn plain_member(&mut self, case: &mut Case, path: &str) {
        let (ty, name) = (self.scalar(), self.name());
        let before = match self.random.below(20) {
            0 => "_Alignas(16) ",
            1 if self.dialect.declspec => "__declspec(align(8)) ",
            2 => "const ",
            _ => "",
        };
        let attributes = self.member_attributes();
        let _ = writeln!(case.text, "  {before}{ty} {name}{attributes};");
        case.plain.push(format!("{path}{name}"));
    }

    fn array_member(&mut self, case: &mut Case, path: &str) {
        let ty = loop {
            // Elements must not be aligned more than they are large.
            let ty = self.scalar();
            if !["aligned_char", "aligned_int"].contains(&ty) {
                break ty;
            }
        };
        let name = self.name();
        let mut lengths = String::new();
        for _ in 0..=self.random.below(2) {
            let _ = write!(
                lengths,
                "[{}]",
                self.random.below(5).max(usize::from(self.dialect.declspec))
            );
        }
        let attributes = self.member_attributes();
        let _ = writeln!(case.text, "  {ty} {name}{lengths}{attributes};");
        case.plain.push(format!("{path}{name}"));
    }

    fn inline_member(&mut self, case: &mut Case, path: &str, depth: usize) {
        let union = self.random.one_in(2);
        let keyword = if union { "union" } else { "struct" };
        let attributes = self.record_attributes(true);
        let _ = writeln!(case.text, "  {keyword} {attributes}{{");
        if self.random.one_in(2) {
            self.members(case, path, depth + 1, union);
            case.text.push_str("  };\n");
        } else {
            let name = self.name();
            self.members(case, &format!("{path}{name}."), depth + 1, union);
            let attributes = self.member_attributes();
            let _ = writeln!(case.text, "  }} {name}{attributes};");
            case.plain.push(format!("{path}{name}"));
        }
    }

    fn used_member(&mut self, case: &mut Case, path: &str) {
        let from = self.made.len().saturating_sub(40);
        let usable: Vec<_> = self.made[from..].iter().filter(|made| made.1).collect();
        if usable.is_empty() {
            return self.plain_member(case, path);
        }
        let ty = self.random.pick(&usable).0.clone();
        let name = self.name();
        let array = if self.random.one_in(3) { "[2]" } else { "" };
        let attributes = self.member_attributes();
        let _ = writeln!(case.text, "  {ty} {name}{array}{attributes};");
        case.plain.push(format!("{path}{name}"));
    }

    fn bit_member(&mut self, case: &mut Case, path: &str) {
        let &(ty, most) = self.random.pick(&INTEGERS);
        let (ty, most) = match self.random.below(24) {
            0 if self.dialect.int128 => ("__int128", 128),
            1 => ("packed_int", 32),
            _ => (ty, most),
        };
        match self.random.below(8) {
            0 => {
                let _ = writeln!(case.text, "  {ty} : 0;");
            }
            1 => {
                let width = 1 + self.random.below(most);
                let _ = writeln!(case.text, "  {ty} : {width};");
            }
            kind => {
                // Whole units, nearly whole ones, and anything.
                let width = match kind {
                    2 => most,
                    3 => [8, 16, 32].into_iter().rfind(|&w| w <= most).unwrap_or(most),
                    _ => 1 + self.random.below(most),
                };
                let name = self.name();
                let attributes = self.member_attributes();
                let _ = writeln!(case.text, "  {ty} {name} : {width}{attributes};");
                case.bits.push((format!("{path}{name}"), ty == "_Bool"));
            }
        }
    }
}
