//! Runs a batch on another processor: the thunks as an object file, linked with C, under an emulator.
//!
//! A program has one compiler's callees and callers, the thunks, and a `main` that takes each step and prints the lines of [`super::program`].
//! The compiler under test makes only the callees and callers; the machine's GCC makes the rest. So the program is a Linux program for the
//! machine, even if the callees follow the convention of another platform.

mod apple;

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use super::batch::{Batch, Prototype};
use super::c_source::{LOST_REGISTER, c_source};
use super::compiler::Compiler;
use super::image::{Image, RESULT};
use super::known;
use super::program::{Direction, Executor, Program};
use super::trouble::Trouble;
use super::uncompiled;
use crate::emit::{self, Function};

/// A processor with a Linux whose programs run here.
#[derive(Debug)]
pub struct Machine {
    /// The triple that thunks are emitted for.
    pub triple: &'static str,
    /// The emulator of its programs.
    pub emulator: &'static str,
    /// The compiler that assembles and links.
    pub gcc: &'static str,
    /// Whether that compiler knows the convention, too.
    pub gcc_knows: bool,
    /// Clang's options.
    pub clang: &'static [&'static str],
    /// The spelling of Clang's assembly.
    pub assembly: Assembly,
}

/// The spelling of assembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assembly {
    /// The machine's own.
    Elf,
    /// Apple's.
    MachO,
}

impl Machine {
    /// The compiler that the user calls `name`, as a cross compiler; `None` where it does not know the convention.
    ///
    /// # Errors
    /// [`Trouble::Missing`]
    pub fn compiler(&self, name: &str) -> Result<Option<Compiler>, Trouble> {
        match (Compiler::is_gcc(name), self.gcc_knows) {
            (true, true) => Compiler::with(name, &[self.gcc]).map(Some),
            (true, false) => Ok(None),
            (false, _) => Compiler::with(name, &[&[name][..], self.clang].concat()).map(Some),
        }
    }
}

/// Runs batches under an emulator.
pub struct Emitted {
    machine: &'static Machine,
    compilers: Vec<Compiler>,
    linker: Compiler,
}

impl Emitted {
    /// With these of the machine's compilers.
    ///
    /// # Errors
    /// [`Trouble::Missing`] for the machine's GCC or emulator.
    pub fn new(machine: &'static Machine, compilers: Vec<Compiler>) -> Result<Emitted, Trouble> {
        Compiler::find(machine.emulator)?;
        Ok(Emitted { machine, compilers, linker: Compiler::find(machine.gcc)? })
    }

    /// Compiles the C file with `compiler` to an object for the machine.
    fn compile(&self, compiler: &Compiler, source: &Path, object: &Path) -> Result<(), Trouble> {
        if self.machine.assembly == Assembly::Elf {
            return compiler.run(&["-c"], &[source], object);
        }
        let assembly = object.with_extension("s");
        compiler.run(&["-S"], &[source], &assembly)?;
        let text = std::fs::read_to_string(&assembly).map_err(Trouble::file(&assembly))?;
        write(&assembly, apple::to_elf(&text))?;
        self.linker.run(&["-c"], &[&assembly], object)
    }
}

impl Executor for Emitted {
    fn oracles(&self) -> Vec<String> {
        self.compilers.iter().map(|compiler| compiler.name.clone()).collect()
    }

    fn build(&self, batch: &Batch, folder: &Path) -> Result<Vec<Program>, Trouble> {
        let path = |name: &str| folder.join(name);
        let emitted = emit::emit(&functions(batch), &self.machine.triple.parse()?)?;
        let (thunks, source) = (path("thunks.o"), path("batch.c"));
        write(&thunks, emitted.object)?;
        write(&source, c_source(batch, &[]))?;
        write(&path("batch.h"), &batch.header)?;
        let program = |compiler: &Compiler| {
            let main = path(&format!("{}_main.c", compiler.name));
            let callees = path(&format!("{}.o", compiler.name));
            let left_out = uncompiled::compile(batch, &source, &compiler.name, &|source| {
                self.compile(compiler, source, &callees)
            })?;
            write(&main, main_source(batch, &emitted.header, &compiler.name, &left_out))?;
            let program = path(&compiler.name);
            self.linker.run(&["-static", "-no-pie"], &[&main, &callees, &thunks], &program)?;
            let command = vec![self.machine.emulator.into(), program.to_string_lossy().into()];
            Ok(Program { command })
        };
        self.compilers.iter().map(program).collect()
    }
}

fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Trouble> {
    std::fs::write(path, contents).map_err(Trouble::file(path))
}

fn functions(batch: &Batch) -> Vec<Function> {
    let function = |prototype: &Prototype| Function {
        name: prototype.name.clone(),
        declaration: batch.describe(prototype),
        signature: prototype.signature.clone(),
        convention: batch.platform.convention,
        preserving: false,
    };
    batch.prototypes.iter().map(function).collect()
}

/// The C code that runs the steps of a table of functions; `main` follows it.
const RUNNER: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
struct byte { unsigned char mask, limit; };
struct report { unsigned failed, size; unsigned char got[256]; };
extern struct report report;
/* A value in a frame; the result is the first of a function's values, argument n the one behind n - 1 others. */
struct value { unsigned offset, size; const struct byte *image; };
struct function {
    void (*call)(const void *, void *);
    void (*callback)(void), (*callee)(void);
    void (*caller)(void (*)(void));
    struct cthunk_slot *slot;
    /* The rows by which the steps are not run. */
    const char *known[2];
    unsigned size, count;
    const struct value *values;
};
static const struct function *current;
static char wrong[2048];
static const unsigned number(unsigned i) { return i ? i - 1 : RESULT; }
static unsigned char named(struct byte b, unsigned value, unsigned i) {
    unsigned v = value % 15 + 1;
    return b.limit == 1 ? v & 1 : (v << 4 | (i & 15)) & b.limit;
}
static void fill(const struct value *v, unsigned number, unsigned char *frame) {
    for (unsigned i = 0; i < v->size; i++) {
        unsigned char *to = frame + v->offset + i, mask = v->image[i].mask;
        *to = (*to & ~mask) | named(v->image[i], number, i);
    }
}
static void say(const char *what, unsigned n, const unsigned char *bytes, unsigned size) {
    if (*wrong) return;
    int at = snprintf(wrong, sizeof wrong, what, n);
    for (unsigned i = 0; i < size && at < 2000; i++) at += snprintf(wrong + at, sizeof wrong - at, " %02x", bytes[i]);
}
static void check(const struct value *v, unsigned number, const char *what, const unsigned char *frame) {
    const unsigned char *bytes = frame + v->offset;
    for (unsigned i = 0; i < v->size; i++)
        if ((bytes[i] & v->image[i].mask) != named(v->image[i], number, i)) {
            say(what, number + 1, bytes, v->size);
            return;
        }
}
static void reported(void) {
    unsigned n = report.failed, size = report.size < 256 ? report.size : 256;
    if (n == LOST) say("a register that a callee must save was changed", 0, 0, 0);
    else if (n == RESULT + 1) say("C got another result:", 0, report.got, size);
    else if (n) say("C got another argument %u:", n, report.got, size);
}
static void call_with(unsigned char *frame, int rest) {
    static unsigned char before[1 << 20];
    const struct function *f = current;
    memset(frame, rest, f->size);
    for (unsigned i = 1; i < f->count; i++) fill(&f->values[i], number(i), frame);
    memcpy(before, frame, f->size);
    report.failed = 0;
    f->call((const void *)f->callee, frame);
    reported();
    for (unsigned i = 0; i < f->size; i++)
        if (frame[i] != before[i] && i - f->values[0].offset >= f->values[0].size)
            say("byte %u of the Frame, outside the result, was changed", i, 0, 0);
    check(&f->values[0], RESULT, "the result is", frame);
}
/* The frame begins where its memory begins, then ends where its memory ends; pages around it that nobody may touch. */
static void call(void) {
    unsigned inner = (current->size + PAGE) / PAGE * PAGE;
    unsigned char *memory = mmap(0, inner + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + PAGE, inner, PROT_READ | PROT_WRITE)) exit(3);
    call_with(memory + PAGE, 0x00);
    call_with(memory + PAGE + inner - current->size, 0xFF);
    munmap(memory, inner + 2 * PAGE);
}
static void dispatch(struct cthunk_slot *slot, void *frame) {
    *wrong = 0;
    for (unsigned i = 1; i < current->count; i++)
        check(&current->values[i], number(i), "the callback got another argument %u:", frame);
    fill(&current->values[0], RESULT, frame);
}
static void callback(void) {
    say("the callback was not called", 0, 0, 0);
    current->slot->dispatch = dispatch;
    current->caller(current->callback);
    reported();
}
static int run(const struct function *functions, unsigned count, int skip) {
    alarm(300);
    for (unsigned i = 0; i < 2 * count; i++) {
        if ((int)i < skip) continue;
        current = &functions[i / 2];
        *wrong = 0;
        printf("step %u %s %s\n", i / 2, ORACLE, i % 2 ? "callback" : "call");
        fflush(stdout);
        if (!current->callee) puts("uncompiled");
        else if (current->known[i % 2]) printf("known %s\n", current->known[i % 2]);
        else if (i % 2 == 0) call();
        else if (current->caller) callback();
        else puts("skip callbacks take no variable arguments");
        if (*wrong) printf("wrong %s\n", wrong);
    }
    puts("done");
    return 0;
}
"#;

/// The C file with `main`, for a compiler that left out these functions.
fn main_source(batch: &Batch, header: &str, oracle: &str, left_out: &[usize]) -> String {
    let mut text = format!(
        "#define RESULT {RESULT}\n#define LOST {LOST_REGISTER}\n#define PAGE 65536u\n#define ORACLE \"{oracle}\"\n"
    );
    text += header;
    text += RUNNER;
    let mut images: HashMap<&Image, usize> = HashMap::new();
    let mut table = String::new();
    for (case, prototype) in batch.prototypes.iter().enumerate() {
        let known = known(batch, prototype, oracle);
        let compiled = !left_out.contains(&case);
        let _ = function(&mut text, &mut table, &mut images, prototype, known, compiled);
    }
    let main = "int main(int argc, char **argv) { return run(functions, sizeof functions / sizeof *functions, atoi(argv[argc - 1])); }";
    format!("{text}static const struct function functions[] = {{\n{table}}};\n{main}\n")
}

/// The rows by which the steps of a function are not run, as C.
fn known(batch: &Batch, prototype: &Prototype, oracle: &str) -> String {
    let row = |direction| match known::row(batch, prototype, oracle, direction) {
        Some(row) => format!("\"{}\"", row.name),
        None => "0".into(),
    };
    Direction::ALL.map(row).join(",")
}

/// The values of a function, declarations of its C sides, and its row of the table.
fn function<'b>(
    text: &mut String,
    table: &mut String,
    images: &mut HashMap<&'b Image, usize>,
    prototype: &'b Prototype,
    known: String,
    compiled: bool,
) -> std::fmt::Result {
    let (name, frame) = (&prototype.name, &prototype.plan.frame);
    let mut rows = String::new();
    let offsets = std::iter::once(frame.result).chain(frame.arguments.iter().copied());
    let values = std::iter::once(&prototype.result).chain(&prototype.arguments);
    for (value, offset) in values.zip(offsets) {
        let next = images.len();
        let number = *images.entry(&value.image).or_insert(next);
        if number == next {
            write!(text, "static const struct byte image_{number}[] = {{")?;
            for byte in &value.image.bytes {
                write!(text, "{{{},{}}},", byte.mask, byte.limit)?;
            }
            writeln!(text, "}};")?;
        }
        write!(rows, "{{{offset}, {}, image_{number}}},", value.image.bytes.len())?;
    }
    writeln!(text, "static const struct value {name}_values[] = {{{rows}}};")?;
    writeln!(text, "void callee_{name}(void), caller_{name}(void (*)(void));")?;
    let name_or_null = |there: bool, kind: &str| match there {
        true => format!("{kind}_{name}"),
        false => "0".into(),
    };
    let callee = name_or_null(compiled, "callee");
    let caller = name_or_null(compiled && !prototype.is_variadic(), "caller");
    writeln!(
        table,
        "{{{name}_call, {name}_callback, {callee}, {caller}, &{name}_slot, {{{known}}}, {}, {}, {name}_values}},",
        frame.size,
        prototype.arguments.len() + 1
    )
}
