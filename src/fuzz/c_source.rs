//! The C side of a batch: for each function a callee that checks its arguments, and a caller that calls a callback.

use std::collections::HashMap;
use std::fmt::{self, Write};

use super::batch::{Batch, Prototype, Value};
use super::image::{Image, RESULT};
use super::platform::Platform;
use crate::abi::Kind;

/// Callers that hold values in callee-saved registers during the call: one in so many.
const LIVE: usize = 8;

/// C text before the functions: values that name themselves, as in [`super::image`]. `report` has the number of the first wrong value,
/// counted from 1, and its bytes.
const PRELUDE: &str = r#"
#include <stdarg.h>
struct byte { unsigned char mask, limit; };
struct report { unsigned failed, size; unsigned char got[256]; } report;
static unsigned char named(struct byte b, unsigned value, unsigned i) {
    unsigned v = value % 15 + 1;
    return b.limit == 1 ? v & 1 : (v << 4 | (i & 15)) & b.limit;
}
__attribute__((noinline)) static void name(void *p, const struct byte *t, unsigned size, unsigned value) {
    for (unsigned i = 0; i < size; i++) ((unsigned char *)p)[i] = (0xA5 & ~t[i].mask) | named(t[i], value, i);
}
/* An argument in the struct of all arguments of a function. */
struct argument { unsigned offset, size; const struct byte *image; };
__attribute__((noinline)) static void name_all(void *p, const struct argument *a, unsigned count) {
    for (unsigned v = 0; v < count; v++) name((char *)p + a[v].offset, a[v].image, a[v].size, v);
}
__attribute__((noinline)) static void check(const void *p, const struct byte *t, unsigned size, unsigned value) {
    const unsigned char *b = p;
    unsigned wrong = 0;
    for (unsigned i = 0; i < size; i++) wrong |= (b[i] & t[i].mask) != named(t[i], value, i);
    if (!wrong || report.failed) return;
    report.failed = value + 1;
    report.size = size;
    for (unsigned i = 0; i < size && i < sizeof report.got; i++) report.got[i] = b[i];
}
/* An integer of less than a register: what the compiler makes of the whole register, which it may rely on. */
__attribute__((noinline)) static void exact(long long is, long long expected, unsigned value) {
    if (is == expected || report.failed) return;
    report.failed = value + 1;
    report.size = 8;
    for (unsigned i = 0; i < 8; i++) report.got[i] = is >> 8 * i;
}
volatile long live_integers[6] = {11, 22, 33, 44, 55, 66};
volatile double live_doubles[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
"#;

/// The functions that compilers call by themselves, for code that is linked with nothing.
const FREESTANDING: &str = r#"
int _fltused;
__attribute__((used)) void *memcpy(void *to, const void *from, unsigned n) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}
__attribute__((used)) void *memset(void *to, int c, unsigned n) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
    return start;
}
"#;

/// The number that `report.failed` has when a register that a callee must save was lost.
pub const LOST_REGISTER: u32 = 1000;

/// The symbol that says that a compiler's output lacks a function.
pub fn left_out(function: &str) -> String {
    format!("left_out_{function}")
}

/// The C file of a batch: `callee_NAME`, and `caller_NAME` for functions without `...`; for the functions at these positions
/// [`left_out`] in place of both. All callees come first: GCC sets up its target anew wherever a function of another convention
/// follows, in every pass.
pub fn c_source(batch: &Batch, without: &[usize]) -> String {
    let freestanding = if batch.platform.is_guest() { FREESTANDING } else { "" };
    let text = freestanding.to_owned() + PRELUDE;
    let mut writer = Writer { batch, text, tables: HashMap::new() };
    writer.text += &batch.header;
    for &i in without {
        writer.text += &format!("const char {} = 1;\n", left_out(&batch.prototypes[i].name));
    }
    let functions = batch.prototypes.iter().enumerate().filter(|(i, _)| !without.contains(i));
    for (_, prototype) in functions.clone() {
        writer.callee(prototype).expect("a String takes everything");
    }
    for (i, prototype) in functions.filter(|(_, prototype)| !prototype.is_variadic()) {
        writer.caller(prototype, i % LIVE == 0).expect("a String takes everything");
    }
    writer.text
}

struct Writer<'b> {
    batch: &'b Batch,
    text: String,
    tables: HashMap<&'b Image, usize>,
}

impl<'b> Writer<'b> {
    /// The number of the value's table of bytes, and its size.
    fn table(&mut self, value: &'b Value) -> Result<(usize, usize), fmt::Error> {
        let next = self.tables.len();
        let number = *self.tables.entry(&value.image).or_insert(next);
        if number == next {
            write!(self.text, "static const struct byte image_{number}[] = {{")?;
            for byte in &value.image.bytes {
                write!(self.text, "{{{},{}}},", byte.mask, byte.limit)?;
            }
            writeln!(self.text, "}};")?;
        }
        Ok((number, value.image.bytes.len()))
    }

    fn declare(&self, value: &Value, name: &str) -> String {
        self.batch.table().declare(value.ty, name)
    }

    /// The parameter list: of a definition with names, of a type without.
    fn parameters(&self, prototype: &Prototype, named: bool) -> String {
        let fixed = prototype.signature.fixed.unwrap_or(prototype.arguments.len());
        let one = |(i, value): (usize, &Value)| match named {
            true => self.declare(value, &format!("a{i}")),
            false => self.declare(value, ""),
        };
        let mut list: Vec<_> = prototype.arguments[..fixed].iter().enumerate().map(one).collect();
        list.extend(prototype.is_variadic().then(|| "...".to_owned()));
        match list.is_empty() {
            true => "void".into(),
            false => list.join(", "),
        }
    }

    fn callee(&mut self, prototype: &'b Prototype) -> fmt::Result {
        let Platform { attribute, va: [list, start, end], .. } = *self.batch.platform;
        let tables = prototype.arguments.iter().map(|value| self.table(value));
        let tables: Vec<_> = tables.collect::<Result<_, _>>()?;
        let (result, result_size) = self.table(&prototype.result)?;
        let fixed = prototype.signature.fixed.unwrap_or(tables.len());
        let head = format!("callee_{}({})", prototype.name, self.parameters(prototype, true));
        let head = self.declare(&prototype.result, &head);
        writeln!(self.text, "{attribute} {head} {{ report.failed = 0;")?;
        for (v, (table, size)) in tables[..fixed].iter().enumerate() {
            match integer(prototype, v) {
                Some(number) => writeln!(self.text, "  exact(a{v}, {number}, {v});")?,
                None => writeln!(self.text, "  check(&a{v}, image_{table}, {size}, {v});")?,
            }
        }
        if prototype.is_variadic() {
            writeln!(self.text, "  {list} va; {start}(va, a{});", fixed - 1)?;
            for (v, (table, size)) in tables.iter().enumerate().skip(fixed) {
                let value = &prototype.arguments[v];
                let (a, ty) = (self.declare(value, "a"), self.declare(value, ""));
                writeln!(
                    self.text,
                    "  {{ {a} = va_arg(va, {ty}); check(&a, image_{table}, {size}, {v}); }}"
                )?;
            }
            writeln!(self.text, "  {end}(va);")?;
        }
        if !prototype.is_void() {
            let r = self.declare(&prototype.result, "r");
            writeln!(
                self.text,
                "  {r}; name(&r, image_{result}, {result_size}, {RESULT}); return r;"
            )?;
        }
        writeln!(self.text, "}}")
    }

    /// A struct of all arguments of a function, and its table: compilers take longer for a call that names each argument.
    fn all_arguments(&mut self, prototype: &Prototype, tables: &[(usize, usize)]) -> fmt::Result {
        let name = &prototype.name;
        let member = |(v, value)| self.declare(value, &format!("a{v}")) + "; ";
        let members: String = prototype.arguments.iter().enumerate().map(member).collect();
        writeln!(self.text, "struct all_{name} {{ {members}}};")?;
        let row = |(v, (table, size)): (usize, &(usize, usize))| {
            format!("{{__builtin_offsetof(struct all_{name}, a{v}), {size}, image_{table}}},")
        };
        let rows: String = tables.iter().enumerate().map(row).collect();
        writeln!(self.text, "static const struct argument all_{name}[] = {{{rows}}};")
    }

    /// A function that calls our callback and leaves in `report` what is wrong with its result.
    fn caller(&mut self, prototype: &'b Prototype, live: bool) -> fmt::Result {
        let attribute = self.batch.platform.attribute;
        let tables = prototype.arguments.iter().map(|value| self.table(value));
        let tables: Vec<_> = tables.collect::<Result<_, _>>()?;
        let (result, result_size) = self.table(&prototype.result)?;
        let ty = format!("({attribute} *f)({})", self.parameters(prototype, false));
        let ty = self.declare(&prototype.result, &ty);
        let (name, count) = (&prototype.name, tables.len());
        if count > 0 {
            self.all_arguments(prototype, &tables)?;
        }
        writeln!(self.text, "void caller_{name}({ty}) {{ report.failed = 0;")?;
        if count > 0 {
            writeln!(self.text, "  struct all_{name} all; name_all(&all, all_{name}, {count});")?;
        }
        let each = |template: &dyn Fn(&str, usize) -> String| {
            let one = |(name, count): (&str, usize)| -> String {
                (0..count).map(|i| template(name, i)).collect()
            };
            one(("integers", 6)) + &one(("doubles", 10))
        };
        if live {
            let load = each(&|name, i| {
                format!(" __typeof__(+live_{name}[0]) {name}{i} = live_{name}[{i}];")
            });
            writeln!(self.text, " {load}")?;
        }
        let arguments: Vec<_> = (0..count).map(|v| format!("all.a{v}")).collect();
        let call = format!("f({})", arguments.join(", "));
        if prototype.is_void() {
            writeln!(self.text, "  {call};")?;
        } else {
            let r = self.declare(&prototype.result, "r");
            writeln!(
                self.text,
                "  {r} = {call}; check(&r, image_{result}, {result_size}, {RESULT});"
            )?;
        }
        if live {
            let lost = each(&|name, i| format!(" || {name}{i} != live_{name}[{i}]"));
            writeln!(
                self.text,
                "  if (0{lost}) report.failed = {LOST_REGISTER}, report.size = 0;"
            )?;
        }
        writeln!(self.text, "}}")
    }
}

/// The value of an argument that is an integer narrower than a register.
fn integer(prototype: &Prototype, argument: usize) -> Option<i64> {
    let ty = &prototype.signature.arguments[argument];
    let signed = match ty.kind {
        Kind::Bool => false,
        Kind::Int { signed } if ty.size < 8 => signed,
        _ => return None,
    };
    let mut bytes = [0; 8];
    prototype.arguments[argument].image.fill(argument, &mut bytes[..ty.size as usize]);
    let unused = 64 - 8 * ty.size;
    let number = i64::from_le_bytes(bytes);
    Some(if signed { number << unused >> unused } else { number })
}
