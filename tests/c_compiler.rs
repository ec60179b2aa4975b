//! Both directions against C: our call thunks call functions that the system's C compiler made, and its callers call our
//! callbacks. Random signatures, fixed and variadic, of both x86-64 conventions in one process.
#![cfg(all(target_arch = "x86_64", unix))]

mod support;

use std::ffi::{CString, c_char, c_int, c_void};
use std::fmt::Write;

use cthunk::abi::{self, Convention};
use support::{
    Checker, Part, Prototype, RESULT, Random, Spelled, Types, call_named, cases, report,
};

/// Signatures in one C file.
const BATCH: usize = 50;

/// What C needs beside the functions: values that name themselves, as in `support`.
const PRELUDE: &str = r#"
#include <stdarg.h>
int failed;
static unsigned char byte_of(int is_bool, unsigned value, unsigned offset) {
    unsigned v = value % 15 + 1;
    return is_bool ? v & 1 : v << 4 | (offset & 15);
}
__attribute__((noinline)) static int named(const void *p, unsigned size, int is_bool, unsigned value, unsigned offset) {
    for (unsigned i = 0; i < size; i++)
        if (((const unsigned char *)p)[i] != byte_of(is_bool, value, offset + i)) return 0;
    return 1;
}
__attribute__((noinline)) static void name(void *p, unsigned size, int is_bool, unsigned value, unsigned offset) {
    for (unsigned i = 0; i < size; i++) ((unsigned char *)p)[i] = byte_of(is_bool, value, offset + i);
}
#define CHECK(x, offset, size, is_bool, v) if (!named((char *)&(x) + offset, size, is_bool, v, offset) && !failed) failed = v + 1
#define NAME(x, offset, size, is_bool, v) name((char *)&(x) + offset, size, is_bool, v, offset)
"#;

struct Abi {
    convention: &'static Convention,
    attribute: &'static str,
    va: [&'static str; 3],
}

const SYSV: Abi = Abi {
    convention: &abi::SYSV64,
    attribute: "__attribute__((sysv_abi, noinline))",
    va: ["va_list", "va_start", "va_end"],
};
const MS: Abi = Abi {
    convention: &abi::WIN64,
    attribute: "__attribute__((ms_abi, noinline))",
    va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
};

/// `MACRO(value, offset, size, is_bool, v);` for every part of a value.
fn each_part(text: &mut String, action: &str, name: &str, ty: &Spelled, v: usize) {
    for Part { offset, size, is_bool } in &ty.parts {
        let is_bool = u8::from(*is_bool);
        let _ = writeln!(text, "  {action}({name}, {offset}, {size}, {is_bool}, {v});");
    }
}

/// The parameter list, or with no names the list of types.
fn parameters(prototype: &Prototype, fixed: usize, named: bool) -> String {
    let one = |(i, ty): (usize, &Spelled)| match named {
        true => format!("{} a{i}", ty.c),
        false => ty.c.clone(),
    };
    let mut list: Vec<_> = prototype.arguments[..fixed].iter().enumerate().map(one).collect();
    list.extend(prototype.fixed.map(|_| "...".to_owned()));
    match list.is_empty() {
        true => "void".to_owned(),
        false => list.join(", "),
    }
}

fn c_callee(text: &mut String, i: usize, prototype: &Prototype, abi: &Abi) -> std::fmt::Result {
    let fixed = prototype.fixed.unwrap_or(prototype.arguments.len());
    let (attribute, result) = (abi.attribute, &prototype.result);
    let list = parameters(prototype, fixed, true);
    writeln!(text, "{attribute} {} callee_{i}({list}) {{ failed = 0;", result.c)?;
    for (v, ty) in prototype.arguments[..fixed].iter().enumerate() {
        each_part(text, "CHECK", &format!("a{v}"), ty, v);
    }
    if prototype.fixed.is_some() {
        let [list, start, end] = abi.va;
        writeln!(text, "  {list} va; {start}(va, a{});", fixed - 1)?;
        for (v, ty) in prototype.arguments.iter().enumerate().skip(fixed) {
            writeln!(text, "  {{ {0} a = va_arg(va, {0});", ty.c)?;
            each_part(text, "CHECK", "a", ty, v);
            writeln!(text, "  }}")?;
        }
        writeln!(text, "  {end}(va);")?;
    }
    if result.c != "void" {
        writeln!(text, "  {} r;", result.c)?;
        each_part(text, "NAME", "r", result, RESULT);
        writeln!(text, "  return r;")?;
    }
    writeln!(text, "}}")
}

/// A function that calls our callback: the number of the first thing that is wrong.
fn c_caller(text: &mut String, i: usize, prototype: &Prototype, abi: &Abi) -> std::fmt::Result {
    let count = prototype.arguments.len();
    writeln!(text, "int caller_{i}(void *f) {{ failed = 0;")?;
    for (v, ty) in prototype.arguments.iter().enumerate() {
        writeln!(text, "  {} a{v};", ty.c)?;
        each_part(text, "NAME", &format!("a{v}"), ty, v);
    }
    let arguments: Vec<_> = (0..count).map(|v| format!("a{v}")).collect();
    let (attribute, result) = (abi.attribute.replace(", noinline", ""), &prototype.result);
    let list = parameters(prototype, count, false);
    let call = format!("(({} ({attribute} *)({list}))f)({})", result.c, arguments.join(", "));
    if result.c == "void" {
        writeln!(text, "  {call};")?;
    } else {
        writeln!(text, "  {} r = {call};", result.c)?;
        each_part(text, "CHECK", "r", result, RESULT);
    }
    writeln!(text, "  return failed; }}")
}

/// A shared library that the system's C compiler made of `text`.
struct Library(*mut c_void);

impl Library {
    /// With the system's C compiler, or the one of that name.
    fn compile(name: &str, text: &str, compiler: Option<&str>) -> Library {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, library) =
            (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
        std::fs::write(&source, text).unwrap();
        let triple = "x86_64-unknown-linux-gnu";
        let mut build = cc::Build::new();
        if let Some(compiler) = compiler {
            build.compiler(compiler);
        }
        let compiler =
            build.cargo_output(false).target(triple).host(triple).opt_level(1).get_compiler();
        let status = compiler
            .to_command()
            .args(["-shared", "-fPIC", "-Wno-psabi", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler is needed: install gcc or clang");
        assert!(status.success(), "{}", source.display());
        let path = CString::new(library.to_str().unwrap()).unwrap();
        // SAFETY: the library is the one that was just compiled; it has no constructors.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "{}", library.display());
        Library(handle)
    }

    fn symbol(&self, name: &str) -> *const c_void {
        let name = CString::new(name).unwrap();
        // SAFETY: an open library and a C string.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr().cast::<c_char>()) };
        assert!(!address.is_null(), "{name:?}");
        address
    }
}

fn our_call(library: &Library, i: usize, prototype: &Prototype, abi: &Abi) -> Result<(), String> {
    let target = library.symbol(&format!("callee_{i}"));
    // SAFETY: C declares the callee with this type and convention.
    unsafe { call_named(prototype, abi.convention, target, 0xFF)? };
    // SAFETY: an `int` of the library.
    match unsafe { *library.symbol("failed").cast::<c_int>() } {
        0 => Ok(()),
        argument => Err(format!("C got another argument {argument}")),
    }
}

fn our_callback(
    library: &Library,
    i: usize,
    prototype: &Prototype,
    abi: &Abi,
) -> Result<(), String> {
    let plan = abi::plan(&prototype.signature(), abi.convention).map_err(|e| e.to_string())?;
    let caller = library.symbol(&format!("caller_{i}"));
    // SAFETY: C declares the caller with this type.
    let caller: unsafe extern "C" fn(*const c_void) -> c_int =
        unsafe { std::mem::transmute(caller) };
    let mut failed = 0;
    Checker::new(prototype, &plan).during(abi.convention, |callback| {
        // SAFETY: the callback has the type that the caller casts it to.
        failed = unsafe { caller(callback) };
    })?;
    match failed {
        0 => Ok(()),
        _ => Err("C got another result from the callback".into()),
    }
}

fn against_c(
    abi: &Abi,
    compiler: Option<&str>,
    types: &Types,
    prototypes: &[Prototype],
    name: &str,
    seed: u64,
) {
    let name = format!("{name}_{}_{}", abi.convention.name, types.text.len());
    let mut text = PRELUDE.to_owned() + &types.text;
    for (i, prototype) in prototypes.iter().enumerate() {
        c_callee(&mut text, i, prototype, abi).unwrap();
        if prototype.fixed.is_none() {
            c_caller(&mut text, i, prototype, abi).unwrap();
        }
    }
    let library = Library::compile(&name, &text, compiler);
    for (i, prototype) in prototypes.iter().enumerate() {
        let mut outcome = our_call(&library, i, prototype, abi);
        if prototype.fixed.is_none() {
            outcome = outcome.and_then(|()| our_callback(&library, i, prototype, abi));
        }
        if let Err(error) = outcome {
            let replay = format!("seed {seed} (CTHUNK_SEED), {name}.c, function {i}");
            panic!("{}\n{}", report(prototype, abi.convention, &error, &replay), types.text);
        }
    }
}

/// Random prototypes, in batches with `aggregates` structs and unions each.
fn random(abi: &Abi, compiler: Option<&str>, name: &str, aggregates: usize, most: usize) {
    let (cases, seed) = cases(300);
    let mut random = Random::new(seed);
    for batch in (0..cases).step_by(BATCH) {
        let exotic = aggregates > 0 && abi.convention == &abi::SYSV64;
        let mut types = if exotic { Types::exotic() } else { Types::new() };
        types.make(&mut random, aggregates);
        let prototypes: Vec<_> = (batch..cases.min(batch + BATCH))
            .map(|_| match name.starts_with("variadic") {
                true => types.variadic(&mut random, most),
                false => types.signature(&mut random, most),
            })
            .collect();
        against_c(abi, compiler, &types, &prototypes, &format!("{name}_{batch}"), seed);
    }
    println!("{}: {cases} {name} signatures against C, seed {seed}", abi.convention.name);
}

#[test]
fn scalars_sysv64() {
    random(&SYSV, None, "scalars", 0, 20);
}

#[test]
fn scalars_win64() {
    random(&MS, None, "scalars", 0, 20);
}

#[test]
fn aggregates_sysv64() {
    random(&SYSV, None, "aggregates", 25, 8);
}

#[test]
fn aggregates_win64() {
    random(&MS, None, "aggregates", 25, 8);
}

#[test]
fn variadic_sysv64() {
    random(&SYSV, None, "variadic", 12, 10);
}

#[test]
fn variadic_win64() {
    random(&MS, None, "variadic", 0, 15);
}

/// Clang only: `va_arg` of a `__builtin_ms_va_list` in GCC 12 reads a struct of more than 8 bytes in place, where the
/// convention, MSVC and Clang have a pointer.
#[test]
fn variadic_aggregates_win64() {
    let clang = "clang-19";
    let found = std::process::Command::new(clang).arg("--version").output();
    if found.is_err() {
        assert!(std::env::var_os("CI").is_none(), "{clang} is missing: apt-get install {clang}");
        eprintln!(
            "SKIPPED: {clang} is not installed, so structs for `...` of ms_abi were not tested"
        );
        return;
    }
    random(&MS, Some(clang), "variadic_aggregates", 12, 10);
}

/// What the FFIs before this one got wrong.
#[test]
fn known_traps() {
    let mut types = Types::new();
    let mixed: Vec<&str> = (0..20).map(|i| support::SCALARS[i * 5 % 12]).collect();
    let promoted: Vec<&str> = (0..20).map(|i| support::PROMOTED[i % 4]).collect();
    let both = [["double"; 10], ["long long"; 10]].concat();
    let integers = [&["int"][..], &["long long"; 8]].concat();
    let doubles = [&["int"][..], &["double"; 12]].concat();
    let prototypes = [
        types.prototype(&["double"; 10], "double", None),
        types.prototype(&["float"; 10], "float", None),
        types.prototype(&both, "double", None),
        types.prototype(&mixed, "signed char", None),
        types.prototype(&integers, "long long", Some(1)),
        types.prototype(&doubles, "double", Some(1)),
        types.prototype(&promoted, "_Bool", Some(3)),
    ];
    for abi in [&SYSV, &MS] {
        against_c(abi, None, &types, &prototypes, "traps", 0);
    }
}
