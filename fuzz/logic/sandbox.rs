//! Random scripts in a checked state that has only the functions of its host: errors are allowed, accesses outside of the given memory are not.
//! With AddressSanitizer, the functions of the C library check it, too.

use cthunk::policy::Limits;
use cthunk::{Ffi, Policy};
use mlua::Lua;

/// The declarations of the host: functions that AddressSanitizer watches, with contracts for their pointers.
const DECLARED: &str = r#"
    struct point { int x, y; };
    struct list { int n; struct list *next; char name[8]; struct point at[2]; };
    struct flexible { int n; short data[?]; };
    struct counted { unsigned char n; int data[] __attribute__((counted_by(n))); };
    struct bits { unsigned a : 3; long b : 40; _Bool c : 1; };
    #pragma pack(push, 1)
    struct packed { char c; double d; struct point p; };
    #pragma pack(pop)
    union plain { int i; double d; char bytes[16]; struct point p; };
    union both { void *p; unsigned long n; };
    typedef int vector __attribute__((vector_size(16)));
    enum colour { RED, GREEN = 5 };
    struct refers { int &to; };
    struct calls { int (*f)(int); };
    void *memcpy(void *restrict, const void *restrict, unsigned long) __attribute__((access(write_only, 1, 3), access(read_only, 2, 3)));
    void *memmove(void *, const void *, unsigned long) __attribute__((access(write_only, 1, 3), access(read_only, 2, 3)));
    void *memset(void *, int, unsigned long) __attribute__((access(write_only, 1, 3)));
    void *memchr(const void *, int, unsigned long) __attribute__((access(read_only, 1, 3)));
    int memcmp(const void *, const void *, unsigned long) __attribute__((access(read_only, 1, 3), access(read_only, 2, 3)));
    unsigned long strlen(const char *) __attribute__((null_terminated_string_arg(1)));
    char *strchr(const char *, int) __attribute__((null_terminated_string_arg(1)));
    int strcmp(const char *, const char *) __attribute__((null_terminated_string_arg(1, 2)));
    unsigned long strspn(const char *, const char *) __attribute__((null_terminated_string_arg(1, 2)));
    double frexp(double, int *) __attribute__((access(write_only, 2)));
    double modf(double, double *) __attribute__((access(write_only, 2)));
    int abs(int);
    char *strncpy(char *restrict, const char *restrict, unsigned long) __attribute__((access(write_only, 1, 3), null_terminated_string_arg(2)));
    char *strdup(const char *);
    void *malloc(unsigned long);
    double fabs(double);
    const char *gnu_get_libc_version(void) __attribute__((trusted(0)));
"#;

/// Statements of a random script. `$v`: a variable; `$x`: any expression; `$t`: a type; `$n`: a number; `$f`: a field;
/// `$c`: a function of C; `$g`: a function of Lua; `$s`: a string.
const STATEMENTS: [&str; 49] = [
    "$v = ffi.new($t)",
    "$v = ffi.new($t, $x)",
    "$v = ffi.new($t, $n, $x)",
    "$v = ffi.new($t, {$x, $x, $x})",
    "$v = ffi.new($t, { n = $n, x = $x, name = $s, next = $x })",
    "$v = ffi.new('char[?]', $n)",
    "$v = ffi.new('struct flexible', $n)",
    "$v = ffi.cast($t, $x)",
    "$v = ffi.cast($t, $v)",
    "$v = ffi.cast('char *', $v)",
    "$v = ffi.cast('struct list *', $v)",
    "$v = ffi.cast('struct counted *', $v)",
    "$v = ffi.cast('unsigned long *', $v)",
    "$v = ffi.cast('void **', $v)",
    "$v = $v[$n]",
    "$v = $v[$n]",
    "$v[$n] = $x",
    "$v[$n] = $v",
    "$v = $v.$f",
    "$v = $v.$f",
    "$v.$f = $x",
    "$v.$f = $v",
    "$v.$f.$f = $x",
    "$v = $v + $n",
    "$v = $v - $n",
    "$v = $v - $v",
    "$v = $v == $x",
    "$v = $v < $v",
    "$v = ffi.addressof($v)",
    "$v = ffi.addressof($v)",
    "$v = ffi.string($v)",
    "$v = ffi.string($v, $n)",
    "ffi.copy($v, $x, $n)",
    "ffi.copy($v, $v, $n)",
    "ffi.copy($v, $x)",
    "ffi.fill($v, $n, $n)",
    "$v = C.$c($x)",
    "$v = C.gnu_get_libc_version()",
    "$v = C.$c($v, $x)",
    "$v = C.$c($v, $x, $n)",
    "$v = C.$c($v, $v, $n)",
    "$v = $v($x)",
    "$v = ffi.gc($v, $g)",
    "$v = ffi.cast('int (*)(int)', $g) $v:free() $v($n)",
    "collectgarbage()",
    "$v = nil collectgarbage()",
    "$v = tostring($v)",
    "$v = ffi.typeof($t)",
    "ffi.metatype($t, { __index = $g, __gc = $g, __new = $g })",
];

const TYPES: [&str; 30] = [
    "int",
    "char[8]",
    "int[4]",
    "int[?]",
    "double[2][3]",
    "struct point",
    "struct list",
    "struct flexible",
    "struct counted *",
    "struct bits",
    "struct packed",
    "union plain",
    "union both",
    "vector",
    "enum colour",
    "struct refers",
    "struct calls",
    "struct point *",
    "struct list *",
    "char *",
    "const char *",
    "void *",
    "int **",
    "void **",
    "unsigned long *",
    "int &",
    "struct list &",
    "int64_t",
    "complex double",
    "int (*)(int)",
];

const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "8",
    "15",
    "16",
    "17",
    "-1",
    "-2",
    "255",
    "4096",
    "65536",
    "2^31",
    "2^53",
    "math.maxinteger",
    "math.mininteger",
    "0x4000000000000001",
];

const FIELDS: [&str; 14] =
    ["x", "y", "n", "next", "name", "at", "data", "a", "b", "c", "bytes", "to", "p", "f"];

const FUNCTIONS: [&str; 18] = [
    "memcpy",
    "memmove",
    "memset",
    "memchr",
    "memcmp",
    "strlen",
    "strchr",
    "strcmp",
    "strspn",
    "frexp",
    "modf",
    "abs",
    "strncpy",
    "strdup",
    "malloc",
    "fabs",
    "gnu_get_libc_version",
    "undeclared",
];

const LUA_FUNCTIONS: [&str; 6] = [
    "function(o) v[1] = o end",
    "function(o, k) return o end",
    "function(o) v[2] = ffi.cast('char *', o) + 1 return v[2] end",
    "function() collectgarbage() return v[3] end",
    "function(o) v[4] = ffi.addressof(o) v[5] = nil collectgarbage() end",
    "print",
];

const STRINGS: [&str; 5] = ["''", "'text'", "('x'):rep(100)", "'a\\0b'", "('\\1\\2\\3\\4'):rep(8)"];

/// The variables of a script.
const VARIABLES: u8 = 8;
/// Statements of a script at most.
const LENGTH: usize = 60;

struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::from(self.next().unwrap_or(0)) % of.len()]
    }

    fn variable(&mut self) -> String {
        format!("v[{}]", 1 + self.next().unwrap_or(0) % VARIABLES)
    }

    /// A template, its holes filled.
    fn fill(&mut self, template: &str) -> String {
        let mut pieces = template.split('$');
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (hole, rest) = piece.split_at(1);
            text += &match hole {
                "v" => self.variable(),
                "t" => format!("'{}'", self.one(&TYPES)),
                "n" => self.one(&NUMBERS).to_owned(),
                "f" => self.one(&FIELDS).to_owned(),
                "c" => self.one(&FUNCTIONS).to_owned(),
                "g" => self.one(&LUA_FUNCTIONS).to_owned(),
                "s" => self.one(&STRINGS).to_owned(),
                _ => match self.next().unwrap_or(0) % 8 {
                    0..4 => self.variable(),
                    4 => self.one(&NUMBERS).to_owned(),
                    5 => self.one(&STRINGS).to_owned(),
                    6 => self.one(&LUA_FUNCTIONS).to_owned(),
                    _ => "nil".to_owned(),
                },
            };
            text += rest;
        }
        text
    }
}

/// The script that bytes stand for.
fn script(data: &[u8]) -> String {
    let mut choices = Choices(data);
    let mut text = "local C, v = ffi.C, {}\n".to_owned();
    for _ in 0..LENGTH {
        let Some(which) = choices.next() else { break };
        let statement = choices.fill(STATEMENTS[usize::from(which) % STATEMENTS.len()]);
        text += &format!("pcall(function() {statement} end)\n");
    }
    text
}

/// Runs a script in a fresh state.
pub fn sandbox(data: &[u8]) {
    let lua = Lua::new();
    let limits = Limits {
        cdata_bytes: Some(1 << 20),
        callbacks: Some(100),
        thunks: Some(100),
        declaration_bytes: Some(1 << 16),
        ..Limits::default()
    };
    let policy = Policy::declared_only().limits(limits);
    let ffi = Ffi::builder().policy(policy).global("ffi").install(&lua).expect("it confines");
    // SAFETY: the C library has these functions, and they do with their pointers what is declared.
    unsafe { ffi.declare(DECLARED) }.expect("the declarations are right");
    let script = script(data);
    lua.globals()
        .set("print", lua.create_function(|_, ()| Ok(())).expect("memory"))
        .expect("memory");
    if let Err(error) = lua.load(&script).set_name("=sandbox").exec() {
        panic!("{error}\n{script}");
    }
    let _ = lua.gc_collect();
}
