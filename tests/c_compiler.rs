//! Both directions against C: our call thunks call functions that the system's C compiler made, and its callers call our
//! callbacks. Random signatures, fixed and variadic, of both x86-64 conventions in one process.
#![cfg(all(target_arch = "x86_64", unix))]

mod support;

use std::ffi::{CString, c_char, c_int, c_void};
use std::fmt::Write;

use cthunk::abi::{self, Convention, Signature, Type};
use support::{Checker, RESULT, Random, c_name, call_named, cases, report, signature, variadic};

/// Signatures in one C file.
const BATCH: usize = 250;

/// What C needs beside the functions: values that name themselves, as in `support`.
const PRELUDE: &str = r#"
#include <stdarg.h>
int failed;
static unsigned char byte_of(int is_bool, unsigned value, unsigned index) {
    unsigned v = value % 15 + 1;
    return is_bool ? v & 1 : v << 4 | index;
}
static __attribute__((noinline)) int named(const void *p, unsigned size, int is_bool, unsigned value) {
    for (unsigned i = 0; i < size; i++)
        if (((const unsigned char *)p)[i] != byte_of(is_bool, value, i)) return 0;
    return 1;
}
static __attribute__((noinline)) void name(void *p, unsigned size, int is_bool, unsigned value) {
    for (unsigned i = 0; i < size; i++) ((unsigned char *)p)[i] = byte_of(is_bool, value, i);
}
#define IS_BOOL(x) _Generic((x), _Bool: 1, default: 0)
#define CHECK(x, v) if (!named(&(x), sizeof (x), IS_BOOL(x), v) && !failed) failed = v + 1
#define NAME(x, v) name(&(x), sizeof (x), IS_BOOL(x), v)
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

fn c_functions(text: &mut String, i: usize, signature: &Signature, abi: &Abi) -> std::fmt::Result {
    let result = c_name(&signature.result);
    let fixed = signature.fixed.unwrap_or(signature.arguments.len());
    let typed = |named: bool| {
        let one = |(i, ty): (usize, &Type)| match named {
            true => format!("{} a{i}", c_name(ty)),
            false => c_name(ty).to_owned(),
        };
        let mut list: Vec<_> = signature.arguments[..fixed].iter().enumerate().map(one).collect();
        list.extend(signature.fixed.map(|_| "...".to_owned()));
        match list.is_empty() {
            true => "void".to_owned(),
            false => list.join(", "),
        }
    };
    let attribute = abi.attribute;
    writeln!(text, "{attribute} {result} callee_{i}({}) {{ failed = 0;", typed(true))?;
    for v in 0..fixed {
        writeln!(text, "  CHECK(a{v}, {v});")?;
    }
    if signature.fixed.is_some() {
        let [list, start, end] = abi.va;
        writeln!(text, "  {list} va; {start}(va, a{});", fixed - 1)?;
        for (v, ty) in signature.arguments.iter().enumerate().skip(fixed) {
            let ty = c_name(ty);
            writeln!(text, "  {{ {ty} a = va_arg(va, {ty}); CHECK(a, {v}); }}")?;
        }
        writeln!(text, "  {end}(va);")?;
    }
    let returns = signature.result != Type::VOID;
    if returns {
        writeln!(text, "  {result} r; NAME(r, {RESULT}); return r;")?;
    }
    writeln!(text, "}}")?;
    if signature.fixed.is_some() {
        return Ok(());
    }
    writeln!(text, "int caller_{i}(void *f) {{")?;
    for (v, ty) in signature.arguments.iter().enumerate() {
        writeln!(text, "  {} a{v}; NAME(a{v}, {v});", c_name(ty))?;
    }
    let arguments: Vec<_> = (0..fixed).map(|v| format!("a{v}")).collect();
    let call = format!("(({result} ({attribute} *)({}))f)({})", typed(false), arguments.join(", "))
        .replace(", noinline", "");
    match returns {
        true => writeln!(
            text,
            "  {result} r = {call}; return named(&r, sizeof r, IS_BOOL(r), {RESULT}); }}"
        ),
        false => writeln!(text, "  {call}; return 1; }}"),
    }
}

/// A shared library that the system's C compiler made of `text`.
struct Library(*mut c_void);

impl Library {
    fn compile(name: &str, text: &str) -> Library {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, library) =
            (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
        std::fs::write(&source, text).unwrap();
        let triple = "x86_64-unknown-linux-gnu";
        let compiler = cc::Build::new().target(triple).host(triple).opt_level(1).get_compiler();
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

fn our_call(library: &Library, i: usize, signature: &Signature, abi: &Abi) -> Result<(), String> {
    let target = library.symbol(&format!("callee_{i}"));
    // SAFETY: C declares the callee with this signature and convention.
    unsafe { call_named(signature, abi.convention, target, 0xFF)? };
    // SAFETY: an `int` of the library.
    match unsafe { *library.symbol("failed").cast::<c_int>() } {
        0 => Ok(()),
        argument => Err(format!("C got another argument {argument}")),
    }
}

fn our_callback(
    library: &Library,
    i: usize,
    signature: &Signature,
    abi: &Abi,
) -> Result<(), String> {
    let plan = abi::plan(signature, abi.convention).map_err(|e| e.to_string())?;
    let caller = library.symbol(&format!("caller_{i}"));
    // SAFETY: C declares the caller with this type.
    let caller: unsafe extern "C" fn(*const c_void) -> c_int =
        unsafe { std::mem::transmute(caller) };
    let mut result_is_right = 0;
    Checker::new(signature, &plan).during(abi.convention, |callback| {
        // SAFETY: the callback has the type that the caller casts it to.
        result_is_right = unsafe { caller(callback) };
    })?;
    match result_is_right {
        1 => Ok(()),
        _ => Err("C got another result from the callback".into()),
    }
}

fn against_c(abi: &Abi, signatures: &[Signature], name: &str, seed: u64) {
    for (batch, signatures) in signatures.chunks(BATCH).enumerate() {
        let mut text = PRELUDE.to_owned();
        for (i, signature) in signatures.iter().enumerate() {
            c_functions(&mut text, i, signature, abi).unwrap();
        }
        let library = Library::compile(&format!("{name}_{}_{batch}", abi.convention.name), &text);
        for (i, signature) in signatures.iter().enumerate() {
            let mut outcome = our_call(&library, i, signature, abi);
            if signature.fixed.is_none() {
                outcome = outcome.and_then(|()| our_callback(&library, i, signature, abi));
            }
            if let Err(error) = outcome {
                let file = format!("{name}_{}_{batch}.c", abi.convention.name);
                let replay = format!("seed {seed} (CTHUNK_SEED), {file}, function {i}");
                panic!("{}", report(signature, abi.convention, &error, &replay));
            }
        }
    }
    println!(
        "{}: {} {name} signatures against C, seed {seed}",
        abi.convention.name,
        signatures.len()
    );
}

fn random(abi: &Abi, name: &str, make: fn(&mut Random, usize) -> Signature, most: usize) {
    let (cases, seed) = cases(300);
    let mut random = Random::new(seed);
    let signatures: Vec<_> = (0..cases).map(|_| make(&mut random, most)).collect();
    against_c(abi, &signatures, name, seed);
}

#[test]
fn fixed_sysv64() {
    random(&SYSV, "fixed", signature, 20);
}

#[test]
fn fixed_win64() {
    random(&MS, "fixed", signature, 20);
}

#[test]
fn variadic_sysv64() {
    random(&SYSV, "variadic", variadic, 15);
}

#[test]
fn variadic_win64() {
    random(&MS, "variadic", variadic, 15);
}

/// What the FFIs before this one got wrong.
#[test]
fn known_traps() {
    let (long, double) = (Type::int(8, true), Type::F64);
    let signature = |arguments: Vec<Type>, result, fixed| Signature {
        arguments: arguments.into(),
        result,
        fixed,
    };
    let mixed: Vec<Type> = (0..20).map(|i| support::SCALARS[i * 5 % 12].0).collect();
    let promoted: Vec<Type> = (0..20).map(|i| support::PROMOTED[i % 4].0).collect();
    let signatures = [
        signature(vec![double; 10], double, None),
        signature(vec![Type::F32; 10], Type::F32, None),
        signature([vec![double; 10], vec![long; 10]].concat(), double, None),
        signature(mixed, Type::int(1, true), None),
        signature([vec![Type::int(4, true)], vec![long; 8]].concat(), long, Some(1)),
        signature([vec![Type::int(4, true)], vec![double; 12]].concat(), double, Some(1)),
        signature(promoted, Type::BOOL, Some(3)),
    ];
    for abi in [&SYSV, &MS] {
        against_c(abi, &signatures, "traps", 0);
    }
}
