//! 32-bit x86 code of four compilers, run in this 64-bit process: every convention, calls and callbacks, and row by row what
//! the compilers do not agree on.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

#[path = "gate/guest.rs"]
mod guest;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cthunk::abi::{Pass, Place};
use cthunk::explain::{Emit, explain};
use guest::{COMPILERS, Callback, Compiler, Function, Guest, gate_is_open};

fn int(value: i32) -> [u8; 4] {
    value.to_le_bytes()
}

fn as_int(bytes: &[u8]) -> i32 {
    i32::from_le_bytes(bytes.try_into().unwrap())
}

/// Runs a test for every compiler that is here.
fn each(name: &str, text: &str, test: impl Fn(&Compiler, &Guest)) {
    if !gate_is_open() {
        return;
    }
    for compiler in COMPILERS.iter().filter(|compiler| compiler.is_here()) {
        test(compiler, &compiler.load(name, text, &[]));
    }
}

/// Where arguments are, and the hidden pointer of the result before them: registers by name, the stack as `s`.
fn places(function: &Function) -> String {
    let hidden = match &function.plan.result {
        Pass::Pointer { pointer, .. } => Some(std::slice::from_ref(pointer)),
        _ => None,
    };
    let arguments = function.plan.arguments.iter().map(|pass| match pass {
        Pass::Pieces(pieces) => &pieces[..],
        _ => &[],
    });
    let names = hidden.into_iter().chain(arguments).map(|pieces| match pieces {
        [] => "s".to_owned(),
        pieces => {
            let name = |piece: &cthunk::abi::Piece| match piece.place {
                Place::Register(register) => register.name,
                Place::Stack(_) => "s",
            };
            pieces.iter().map(name).collect::<Vec<_>>().join(":")
        }
    });
    names.collect::<Vec<_>>().join(" ")
}

/// A row of the table of disagreements: a function that says whether its arguments arrived, and for each of `COMPILERS` where
/// they are and how many bytes it pops.
struct Row {
    declaration: &'static str,
    body: &'static str,
    arguments: &'static [&'static [u8]],
    /// An empty string: not supported.
    expected: [(&'static str, u32); 4],
}

const ONE: &[u8] = &1i32.to_le_bytes();
const TWO: &[u8] = &2i32.to_le_bytes();
const LONG: &[u8] = &0x0102_0304_0506_0708i64.to_le_bytes();
const PAIR: &[u8] = &[3, 0, 0, 0, 4, 0, 0, 0];

/// The answer of a function whose arguments arrived.
const FINE: i32 = 4711;

const ROWS: &[Row] = &[
    Row {
        declaration: "int FASTCALL f(long long a, int b, int c)",
        body: "a == 0x0102030405060708 && b == 1 && c == 2",
        arguments: &[LONG, ONE, TWO],
        expected: [("s s s", 16), ("s s s", 16), ("s ecx edx", 8), ("s ecx edx", 8)],
    },
    Row {
        declaration: "int FASTCALL f(int a, long long b, int c)",
        body: "b == 0x0102030405060708 && a == 1 && c == 2",
        arguments: &[ONE, LONG, TWO],
        expected: [("ecx s s", 12), ("ecx s s", 12), ("ecx s edx", 8), ("ecx s edx", 8)],
    },
    Row {
        declaration: "int FASTCALL f(struct pair a, int b, int c)",
        body: "a.a == 3 && a.b == 4 && b == 1 && c == 2",
        arguments: &[PAIR, ONE, TWO],
        expected: [("s s s", 16), ("s s s", 16), ("s s s", 16), ("s ecx edx", 8)],
    },
    Row {
        declaration: "int FASTCALL f(struct byte a, int b, int c)",
        body: "a.a == 7 && b == 1 && c == 2",
        arguments: &[&[7], ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("", 0), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int THISCALL f(void *self, long long a, int b)",
        body: "self == (void *)1 && a == 0x0102030405060708 && b == 2",
        arguments: &[ONE, LONG, TWO],
        expected: [("ecx s s", 12), ("ecx s s", 12), ("ecx s s", 12), ("ecx s s", 12)],
    },
    Row {
        declaration: "int FASTCALL f(float a, struct one_float b, int c, double d, int e)",
        body: "a == 1.5f && b.f == 2.5f && c == 1 && d == 0.25 && e == 2",
        arguments: &[
            &1.5f32.to_le_bytes(),
            &2.5f32.to_le_bytes(),
            ONE,
            &0.25f64.to_le_bytes(),
            TWO,
        ],
        expected: [
            ("s s ecx s edx", 16),
            ("s s ecx s edx", 16),
            ("s s ecx s edx", 16),
            ("s s ecx s edx", 16),
        ],
    },
];

/// Functions that return structs: the result's bytes, and for each of `COMPILERS` where the hidden pointer and the arguments
/// are and how many bytes are popped.
struct ResultRow {
    declaration: &'static str,
    body: &'static str,
    arguments: &'static [&'static [u8]],
    result: &'static [u8],
    expected: [(&'static str, u32); 4],
}

const TRIPLE: &[u8] = &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];

const RESULT_ROWS: &[ResultRow] = &[
    ResultRow {
        declaration: "struct triple FASTCALL f(int a, int b)",
        body: "struct triple r = {a, b, 3}; return r;",
        arguments: &[ONE, TWO],
        result: TRIPLE,
        expected: [("ecx edx s", 4), ("ecx edx s", 4), ("s ecx edx", 4), ("s ecx edx", 4)],
    },
    ResultRow {
        declaration: "struct triple THISCALL f(void *self, int b)",
        body: "struct triple r = {(int)self, b, 3}; return r;",
        arguments: &[ONE, TWO],
        result: TRIPLE,
        expected: [("ecx s s", 8), ("ecx s s", 8), ("ecx s s", 8), ("s ecx s", 8)],
    },
    ResultRow {
        declaration: "struct pair f(int a)",
        body: "struct pair r = {a + 2, 4}; return r;",
        arguments: &[ONE],
        result: PAIR,
        expected: [("s s", 4), ("s", 0), ("s", 0), ("s", 0)],
    },
    ResultRow {
        declaration: "struct one_float f(int a)",
        body: "struct one_float r = {a + 0.5f}; return r;",
        arguments: &[ONE],
        result: &1.5f32.to_le_bytes(),
        expected: [("s s", 4), ("s", 0), ("s", 0), ("s", 0)],
    },
    ResultRow {
        declaration: "struct one_double f(int a)",
        body: "struct one_double r = {a + 0.5}; return r;",
        arguments: &[ONE],
        result: &1.5f64.to_le_bytes(),
        expected: [("s s", 4), ("s", 0), ("s", 0), ("s", 0)],
    },
    ResultRow {
        declaration: "struct triple f(int a, int b)",
        body: "struct triple r = {a, b, 3}; return r;",
        arguments: &[ONE, TWO],
        result: TRIPLE,
        expected: [("s s s", 4), ("s s s", 0), ("s s s", 0), ("s s s", 0)],
    },
    ResultRow {
        declaration: "struct triple STDCALL f(int a, int b)",
        body: "struct triple r = {a, b, 3}; return r;",
        arguments: &[ONE, TWO],
        result: TRIPLE,
        expected: [("s s s", 12), ("s s s", 12), ("s s s", 12), ("s s s", 12)],
    },
    ResultRow {
        declaration: "union one_float_union f(int a)",
        body: "union one_float_union r = {a + 0.5f}; return r;",
        arguments: &[ONE],
        result: &1.5f32.to_le_bytes(),
        expected: [("s s", 4), ("s", 0), ("s", 0), ("s", 0)],
    },
    ResultRow {
        declaration: "struct array_in_front f(void)",
        body: "struct array_in_front r = {{1, 2, 3}, 4}; return r;",
        arguments: &[],
        result: &[1, 2, 3, 4],
        expected: [("s", 4), ("s", 0), ("s", 0), ("s", 0)],
    },
];

const STRUCTS: &str =
    "struct pair { int a, b; }; struct triple { int a, b, c; }; struct byte { char a; };
struct one_float { float f; }; struct one_double { double d; }; union one_float_union { float f; };
struct array_in_front { char a[3]; char b; };
";

/// For our parser: the attributes spelled out, the structs in front.
fn spelled(declaration: &str) -> String {
    let mut text = declaration.to_owned();
    for (short, long) in
        [("FASTCALL", "__fastcall"), ("THISCALL", "__thiscall"), ("STDCALL", "__stdcall")]
    {
        text = text.replace(short, long);
    }
    for line in STRUCTS.split(";\n").flat_map(|line| line.split("}; ")) {
        let Some((head, body)) = line.split_once(" {") else { continue };
        let body = body.trim_end_matches('}');
        text = text.replace(&format!("{head} "), &format!("{head} {{{body}}} "));
    }
    text
}

#[test]
fn arguments_where_compilers_disagree() {
    let functions = ROWS.iter().enumerate().map(|(i, row)| {
        let head = row.declaration.replace(" f(", &format!(" f{i}("));
        format!("{head} {{ return {} ? {FINE} : 0; }}\n", row.body)
    });
    let text = STRUCTS.to_owned() + &functions.collect::<String>();
    each("argument_rows", &text, |compiler, guest| {
        let which = COMPILERS.iter().position(|c| c.name == compiler.name).unwrap();
        for (i, row) in ROWS.iter().enumerate() {
            let what = format!("{}: {}", compiler.name, row.declaration);
            if row.expected[which].0.is_empty() {
                let refused = explain(&spelled(row.declaration), &[], &guest.target, Emit::Plan);
                assert!(refused.unwrap_err().to_string().contains("not supported by"), "{what}");
                continue;
            }
            let mut function = guest.function(&spelled(row.declaration), &[]);
            function.name = format!("f{i}");
            assert_eq!((&*places(&function), function.plan.popped), row.expected[which], "{what}");
            assert_eq!(as_int(&guest.call(&function, row.arguments)), FINE, "{what}");
        }
    });
}

#[test]
fn results_where_compilers_disagree() {
    let functions = RESULT_ROWS.iter().enumerate().map(|(i, row)| {
        let head = row.declaration.replace(" f(", &format!(" f{i}("));
        format!("{head} {{ {} }}\n", row.body)
    });
    let text = STRUCTS.to_owned() + &functions.collect::<String>();
    each("result_rows", &text, |compiler, guest| {
        let which = COMPILERS.iter().position(|c| c.name == compiler.name).unwrap();
        for (i, row) in RESULT_ROWS.iter().enumerate() {
            let mut function = guest.function(&spelled(row.declaration), &[]);
            function.name = format!("f{i}");
            let what = format!("{}: {}", compiler.name, row.declaration);
            assert_eq!((&*places(&function), function.plan.popped), row.expected[which], "{what}");
            assert_eq!(guest.call(&function, row.arguments), row.result, "{what}");
        }
    });
}

/// `thiscall` whose first argument is no `this`: GCC passes all of it on the stack, Clang splits it, and we refuse Clang's.
#[test]
fn a_large_integer_before_this() {
    let text = "int THISCALL f(long long a, int b) { return a == 0x0102030405060708 && b == 1; }
        int by_hand(void *f) { int r;
        __asm__(\"push $1; push $0x01020304; mov $0x05060708, %%ecx; call *%1\" : \"=a\"(r) : \"r\"(f) : \"ecx\", \"edx\", \"memory\");
        return r; }
        void *address_of_f(void) { return f; }";
    each("before_this", text, |compiler, guest| {
        let declaration = "int __thiscall f(long long a, int b)";
        if compiler.name.starts_with("gcc") {
            assert_eq!(as_int(&guest.run(declaration, &[LONG, ONE])), 1);
            return;
        }
        let f = guest.run("void *address_of_f(void)", &[]);
        assert_eq!(
            as_int(&guest.run("int by_hand(void *f)", &[&f])),
            1,
            "low word in ecx, high word pushed"
        );
        let refused = explain(declaration, &[], &guest.target, Emit::Plan);
        assert!(refused.unwrap_err().to_string().contains("not supported by convention thiscall:"));
    });
}

/// `fastcall` with a struct of one word first: Clang for MinGW leaves it on the stack and counts a register for it, the first one
/// if it can pass the struct's member as it is, else the second one, and we refuse to.
#[test]
fn a_small_struct_before_integers() {
    let text = "struct byte { char a; }; struct word { int a; };
        int FASTCALL f(struct byte a, int b, int c) { return a.a == 7 && b == 1 && c == 2; }
        int FASTCALL g(struct word a, int b, int c) { return a.a == 7 && b == 1 && c == 2; }
        int by_hand(void *f, int ecx, int edx) { int r;
        __asm__ volatile(\"push $2; push $7; call *%3\" : \"=a\"(r), \"+c\"(ecx), \"+d\"(edx) : \"r\"(f) : \"memory\");
        return r; }
        void *address_of_f(void) { return f; }
        void *address_of_g(void) { return g; }";
    each("small_struct", text, |compiler, guest| {
        if compiler.name != "clang-gnu" {
            return;
        }
        let by_hand = "int by_hand(void *f, int ecx, int edx)";
        for (address, name, ecx, edx) in [
            ("void *address_of_f(void)", "struct { char a; }", 1, 0),
            ("void *address_of_g(void)", "struct { int a; }", 0, 1),
        ] {
            let target = guest.run(address, &[]);
            let answer = guest.run(by_hand, &[&target, &int(ecx), &int(edx)]);
            assert_eq!(as_int(&answer), 1, "{name}");
            let declaration = format!("int __fastcall f({name} a, int b, int c)");
            let refused = explain(&declaration, &[], &guest.target, Emit::Plan);
            assert!(refused.unwrap_err().to_string().contains("not supported by"), "{name}");
        }
    });
}

/// A struct that an attribute aligns to 8 lies where others do, but for Microsoft's compiler, which has no such arguments (C2719).
#[test]
fn structs_aligned_by_an_attribute() {
    let text = "struct wide { int a; } __attribute__((aligned(8)));
        int f(int x, struct wide w, int y) { return x == 1 && w.a == 2 && y == 2; }";
    each("aligned", text, |compiler, guest| {
        let declaration = "int f(int, struct { int a; } __attribute__((aligned(8))), int)";
        if compiler.name == "clang-msvc" {
            let refused = explain(declaration, &[], &guest.target, Emit::Plan).unwrap_err();
            assert!(refused.to_string().contains("not supported by convention cdecl:msvc"));
            return;
        }
        let wide = 2i64.to_le_bytes();
        assert_eq!(as_int(&guest.run(declaration, &[ONE, &wide, TWO])), 1, "{}", compiler.name);
    });
}

#[test]
fn scalars_of_every_kind() {
    let text = "long long mix(signed char a, unsigned short b, _Bool c, long long d, float e, double f, long double g) {
            return a + b + c + d + (long long)(e * 2) + (long long)(f * 4) + (long long)(g * 8); }
        long double STDCALL widen(float a, double b) { return (long double)a + b; }
        float FASTCALL narrow(double a, unsigned char b) { return a + b; }
        signed char negative(void) { return -5; }
        unsigned short large(void) { return 65535; }
        _Bool truth(int a) { return a; }
        const char *text(void) { return \"guest\"; }";
    each("scalars", text, |compiler, guest| {
        let long_double = |value: f64| match compiler.name {
            "clang-msvc" => value.to_le_bytes().to_vec(),
            // 1.5 and 3.75 as x87 numbers: sign and exponent behind a significand with its leading bit.
            _ => {
                let bits = value.to_bits();
                let exponent = (bits >> 52) as u16 - 1023 + 16383;
                let mut bytes = ((bits << 11) | 1 << 63).to_le_bytes().to_vec();
                bytes.extend(exponent.to_le_bytes());
                bytes
            }
        };
        let mix = "long long mix(signed char, unsigned short, _Bool, long long, float, double, long double)";
        let arguments: [&[u8]; 7] = [
            &[0xFF],
            &[0x10, 0x27],
            &[1],
            &(1i64 << 40).to_le_bytes(),
            &1.5f32.to_le_bytes(),
            &(-2.25f64).to_le_bytes(),
            &long_double(1.5),
        ];
        let result = i64::from_le_bytes(guest.run(mix, &arguments).try_into().unwrap());
        assert_eq!(result, -1 + 10000 + 1 + (1 << 40) + 3 - 9 + 12, "{}", compiler.name);
        let widened = guest.run(
            "long double __stdcall widen(float, double)",
            &[&1.5f32.to_le_bytes(), &2.25f64.to_le_bytes()],
        );
        let expected = long_double(3.75);
        assert_eq!(widened[..expected.len()], expected, "{}", compiler.name);
        let narrow = guest.run(
            "float __fastcall narrow(double, unsigned char)",
            &[&0.5f64.to_le_bytes(), &[200]],
        );
        assert_eq!(narrow, 200.5f32.to_le_bytes());
        assert_eq!(guest.run("signed char negative(void)", &[]), [0xFB]);
        assert_eq!(guest.run("unsigned short large(void)", &[]), [0xFF; 2]);
        assert_eq!(guest.run("_Bool truth(int)", &[&int(8)]), [1]);
        let text = guest.run("const char *text(void)", &[]);
        let text = u32::from_le_bytes(text.try_into().unwrap()) as usize as *const std::ffi::c_char;
        // SAFETY: a C string of the image.
        assert_eq!(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes(), b"guest");
    });
}

#[test]
fn variable_arguments() {
    let text = "#include <stdarg.h>
        struct pair { int a, b; };
        double STDCALL sum(int n, ...) { double s = 0; va_list v; va_start(v, n);
            while (n--) { s += va_arg(v, int); s += va_arg(v, double); s += va_arg(v, long long); s += va_arg(v, struct pair).b; }
            va_end(v); return s; }";
    each("variadic", text, |compiler, guest| {
        let variable = ["int", "double", "long long", "struct { int a, b; }"].repeat(2);
        let sum = guest.function("double __stdcall sum(int n, ...)", &variable);
        assert_eq!(sum.plan.popped, 0, "the caller pops, whatever is asked");
        let group: [&[u8]; 4] = [
            &int(10),
            &0.5f64.to_le_bytes(),
            &(1i64 << 33).to_le_bytes(),
            &[0, 0, 0, 0, 7, 0, 0, 0],
        ];
        let count = int(2);
        let mut arguments: Vec<&[u8]> = vec![&count];
        arguments.extend(group.iter().chain(&group).copied());
        let result = guest.call(&sum, &arguments);
        assert_eq!(
            result,
            (2.0 * (10.0 + 0.5 + (1i64 << 33) as f64 + 7.0)).to_le_bytes(),
            "{}",
            compiler.name
        );
    });
}

/// A callee of every convention that calls back a function of every convention.
#[test]
fn callbacks_of_every_convention() {
    let keywords = ["", "__stdcall", "__fastcall", "__thiscall"];
    let attribute = ["", "STDCALL", "FASTCALL", "THISCALL"];
    let text: String = (0..4)
        .map(|i| {
            format!(
                "double call{i}(double ({} *f)(void *, long long, float, short), int n) {{
            double s = 0; while (n--) s += f((void *)9, 1LL << 40, 1.5f, -3); return s; }}\n",
                attribute[i]
            )
        })
        .collect();
    each("callbacks", &text, |compiler, guest| {
        for (i, keyword) in keywords.iter().enumerate() {
            let ty = format!("double {keyword} f(void *, long long, float, short)");
            let mut calls = 0;
            let callback = Callback::new(&guest.function(&ty, &[]), |arguments, result| {
                calls += 1;
                let long = (1i64 << 40).to_le_bytes();
                let expected: [&[u8]; 4] =
                    [&int(9), &long, &1.5f32.to_le_bytes(), &(-3i16).to_le_bytes()];
                assert_eq!(arguments, expected);
                result.copy_from_slice(&0.25f64.to_le_bytes());
            });
            let call = format!("double call{i}(void *f, int n)");
            let sum = guest.run(&call, &[&callback.address(), &int(1000)]);
            drop(callback);
            assert_eq!(
                (sum, calls),
                (250f64.to_le_bytes().to_vec(), 1000),
                "{} {ty}",
                compiler.name
            );
        }
    });
}

/// Callees that pop and callees that do not, compiled with frame pointers and without, and callers of callbacks alike: the stack
/// pointer after a call is measured by code of its own, and by ours after every call.
#[test]
fn the_stack_is_balanced_with_frame_pointers_and_without() {
    let kinds = [
        ("", ""),
        ("__stdcall", "STDCALL"),
        ("__fastcall", "FASTCALL"),
        ("__thiscall", "THISCALL"),
    ];
    let text: String = (0..)
        .zip(kinds)
        .map(|(i, (_, attribute))| {
            format!(
                "long long {attribute} f{i}(void *a, long long b, int c, double d) {{ return (int)a + b + c + d; }}
                int call{i}(int ({attribute} *f)(void *, long long, int, double), int n) {{
                    volatile char room[100]; int sum = 0; room[n % 100] = 1;
                    while (n--) sum += f((void *)1, 2, n, 0.5); return sum; }}\n"
            )
        })
        .collect();
    for option in ["-fomit-frame-pointer", "-fno-omit-frame-pointer"] {
        for compiler in COMPILERS.iter().filter(|compiler| gate_is_open() && compiler.is_here()) {
            let guest = compiler.load(&format!("balance{option}"), &text, &[option]);
            let words = cthunk::code::gate::memory::allocate(64).unwrap();
            let pointer = (words.as_ptr() as usize as u32).to_le_bytes();
            for (i, (keyword, _)) in kinds.iter().enumerate() {
                let what = format!("{} {option} {keyword}", compiler.name);
                let rest = "(void *a, long long b, int c, double d)";
                let function = guest.function(&format!("long long {keyword} f{i}{rest}"), &[]);
                let popped_by = "int popped_by(void *f, int n, int *words)";
                let f = guest.address(&function).to_le_bytes();
                let popped = as_int(&guest.run(popped_by, &[&f, &int(8), &pointer]));
                assert_eq!(popped, function.plan.popped as i32, "{what}");
                let arguments: [&[u8]; 4] =
                    [ONE, &(1i64 << 40).to_le_bytes(), TWO, &4f64.to_le_bytes()];
                for _ in 0..100 {
                    // The shim says how many bytes were popped; `call` compares them with the plan.
                    let sum = guest.call(&function, &arguments);
                    assert_eq!(sum, ((1i64 << 40) + 7).to_le_bytes(), "{what}");
                }
                let ty = guest.function(&format!("int {keyword} f{rest}"), &[]);
                let callback =
                    Callback::new(&ty, |arguments, result| result.copy_from_slice(arguments[2]));
                let call = format!("int call{i}(void *f, int n)");
                let sum = guest.run(&call, &[&callback.address(), &int(100)]);
                assert_eq!(as_int(&sum), 4950, "{what}");
            }
            // SAFETY: allocated above; nothing uses it any more.
            unsafe { cthunk::code::gate::memory::free(words, 64) };
        }
    }
}

/// The stack pointer before and after a callback, measured by code that pushes the words itself.
#[test]
fn callbacks_pop_what_their_convention_says() {
    let types = [
        ("int f(int, int, int)", [0, 0, 0, 0]),
        ("int __stdcall f(int, int, int)", [12; 4]),
        ("int __fastcall f(int, int, int)", [4; 4]),
        ("int __thiscall f(void *, int, int)", [8; 4]),
        ("int __fastcall f(long long, int)", [12, 12, 8, 8]),
        ("struct { int a[4]; } f(int)", [4, 0, 0, 0]),
        ("struct { int a[4]; } __stdcall f(int)", [8; 4]),
    ];
    each("popped", "", |compiler, guest| {
        let which = COMPILERS.iter().position(|c| c.name == compiler.name).unwrap();
        let popped_by = guest.function("int popped_by(void *f, int n, int *words)", &[]);
        let memory = cthunk::code::gate::memory::allocate(64).unwrap();
        let address = memory.as_ptr() as usize as u32;
        // Whatever the function takes for its hidden pointer leads to memory.
        let words = [address; 8];
        // SAFETY: 64 bytes of our own.
        unsafe { memory.cast::<[u32; 8]>().add(1).write(words) };
        for (ty, popped) in types {
            let callback = Callback::new(&guest.function(ty, &[]), |_, _| {});
            let words = (address + 32).to_le_bytes();
            let result = guest.call(&popped_by, &[&callback.address(), &int(8), &words]);
            assert_eq!(as_int(&result), popped[which], "{} {ty}", compiler.name);
        }
        // SAFETY: allocated above; nothing uses it any more.
        unsafe { cthunk::code::gate::memory::free(memory, 64) };
    });
}

#[test]
fn callbacks_nested_ten_deep() {
    let text = "int STDCALL descend(int (FASTCALL *f)(int, int), int depth) { return f(depth, depth * 10) + 1; }";
    each("nested", text, |compiler, guest| {
        let ty = guest.function("int __fastcall f(int, int)", &[]);
        let descend = guest.function("int __stdcall descend(void *f, int depth)", &[]);
        let address = std::cell::Cell::new([0; 4]);
        let callback = Callback::new(&ty, |arguments, result| {
            let depth = as_int(arguments[0]);
            assert_eq!(as_int(arguments[1]), depth * 10);
            let below = match depth {
                0 => 100,
                _ => as_int(&guest.call(&descend, &[&address.get(), &int(depth - 1)])),
            };
            result.copy_from_slice(&int(below));
        });
        address.set(callback.address());
        assert_eq!(
            as_int(&guest.call(&descend, &[&address.get(), &int(10)])),
            111,
            "{}",
            compiler.name
        );
    });
}

#[test]
fn registers_for_arguments() {
    let text = "struct three { char c[3]; };
        __attribute__((regparm(3))) int f(long long a, struct three b, int c) { return a == 0x0102030405060708 && b.c[2] == 3 && c == 1; }
        __attribute__((regparm(3))) int g(int a, int b, long long c, int d) { return a == 1 && b == 2 && c == 0x0102030405060708 && d == 1; }
        __attribute__((regparm(2))) double h(float a, int b, double c, int d) { return a + b + c + d; }";
    if !gate_is_open() {
        return;
    }
    for compiler in ["gcc-linux", "gcc-mingw"].map(Compiler::flavour) {
        if !compiler.is_here() {
            continue;
        }
        let guest = compiler.load("regparm", text, &[]);
        let f = "__attribute__((regparm(3))) int f(long long, struct { char c[3]; }, int)";
        assert_eq!(places(&guest.function(f, &[])), "eax:edx ecx s");
        assert_eq!(as_int(&guest.run(f, &[LONG, &[1, 2, 3], ONE])), 1);
        let g = "__attribute__((regparm(3))) int g(int, int, long long, int)";
        assert_eq!(places(&guest.function(g, &[])), "eax edx s s");
        assert_eq!(as_int(&guest.run(g, &[ONE, TWO, LONG, ONE])), 1);
        let h = "__attribute__((regparm(2))) double h(float, int, double, int)";
        let result = guest.run(h, &[&1.5f32.to_le_bytes(), ONE, &0.25f64.to_le_bytes(), TWO]);
        assert_eq!(result, 4.75f64.to_le_bytes());
    }
}

#[test]
fn images_are_relocated_and_imports_resolved_or_named() {
    if !gate_is_open() {
        return;
    }
    let text = "extern int outside(int);
        static int table[3] = {1, 2, 3}; int *pointer = &table[1]; int zeros[100]; const char *const names[] = {\"a\", \"bc\"};
        static int twice(int x) { return x * 2; } int (*function)(int) = twice;
        int use(int x) { zeros[x] += 1; return function(*pointer) + outside(x) + names[1][1] + zeros[x]; }";
    for compiler in COMPILERS.iter().filter(|compiler| compiler.is_here()) {
        let target: cthunk::Target = compiler.triple.parse().unwrap();
        let empty = compiler.load("nothing", "", &[]);
        let callback =
            Callback::new(&empty.function("int outside(int)", &[]), |arguments, result| {
                result.copy_from_slice(&int(as_int(arguments[0]) * 1000));
            });
        let mut asked = Vec::new();
        let image = compiler.image("imports", text, &[], |name| {
            asked.push(name.to_owned());
            name.ends_with("outside").then(|| u32::from_le_bytes(callback.address()))
        });
        let guest = Guest { target, image: image.unwrap() };
        assert!(asked.iter().all(|name| name.trim_start_matches('_') == "outside"), "{asked:?}");
        assert_eq!(as_int(&guest.run("int use(int)", &[&int(5)])), 4 + 5000 + i32::from(b'c') + 1);
        let error = compiler.image("imports", text, &[], |_| None).unwrap_err().to_string();
        assert!(error.contains("undefined symbol '") && error.contains("outside'"), "{error}");
    }
    let error = cthunk::code::gate::image::Image::load(b"no object", |_| None).unwrap_err();
    assert!(error.to_string().starts_with("cannot load the object file: "), "{error}");
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let error = cthunk::code::gate::image::Image::load(&own, |_| None).unwrap_err();
    assert!(error.to_string().contains("not for i386"), "{error}");
}

static TICKS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn tick(_: i32) {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// A timer of 1 kHz interrupts two threads that call the guest and are called back.
#[test]
fn signals_and_threads() {
    if !gate_is_open() || !Compiler::flavour("gcc-linux").is_here() {
        return;
    }
    let calls =
        std::env::var("CTHUNK_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000) * 100;
    let text = "int STDCALL spin(int (*f)(int), int x) { volatile int i; for (i = 0; i < 10; i++); return f ? f(x) : x + 1; }";
    let guest = Compiler::flavour("gcc-linux").load("signals", text, &[]);
    // SAFETY: a handler that only counts; the timer is stopped below.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = tick as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
        let every = libc::timeval { tv_sec: 0, tv_usec: 1000 };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let guest = &guest;
            scope.spawn(move || {
                let spin = guest.function("int __stdcall spin(void *f, int x)", &[]);
                let callback =
                    Callback::new(&guest.function("int f(int)", &[]), |arguments, result| {
                        result.copy_from_slice(&int(as_int(arguments[0]) + 1));
                    });
                for i in 0..calls {
                    let f = if i % 4 == 0 { callback.address() } else { [0; 4] };
                    assert_eq!(
                        as_int(&guest.call(&spin, &[&f, &int(i)])),
                        i + 1,
                        "thread {thread}"
                    );
                }
            });
        }
    });
    // SAFETY: stops the timer.
    unsafe {
        let never: libc::itimerval = std::mem::zeroed();
        libc::setitimer(libc::ITIMER_REAL, &raw const never, std::ptr::null_mut());
    }
    let ticks = TICKS.load(Ordering::Relaxed);
    println!("2 threads with {calls} guest calls each, {ticks} signals");
    assert!(ticks > 0, "no signal arrived");
}

/// A fault of the guest is reported, and the process still ends of it: in a child process, which runs this test.
#[test]
fn a_fault_is_reported_with_the_guests_registers() {
    const CHILD: &str = "CTHUNK_GATE_FAULT";
    if !gate_is_open() || !Compiler::flavour("gcc-linux").is_here() {
        return;
    }
    if std::env::var_os(CHILD).is_some() {
        let text = "int f(int x) { return *(volatile int *)(x + 0x10); }";
        Compiler::flavour("gcc-linux").load("fault", text, &[]).run("int f(int)", &[&int(0x20)]);
        unreachable!("the guest faults");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_fault_is_reported_with_the_guests_registers", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(libc::SIGSEGV), "{error}");
    assert!(error.contains("segmentation fault in i686 code, address 0x00000030"), "{error}");
    assert!(error.contains(" eip=") && error.contains(" esp="), "{error}");
}

/// Random functions of every convention, both ways, through `cthunk fuzz-abi`.
#[cfg(feature = "cli")]
fn random_functions(compiler: &str, conventions: &str) {
    if !gate_is_open() || !Compiler::flavour(compiler).is_here() {
        return;
    }
    let option = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let (cases, seed) = (option("CTHUNK_CASES", "100"), option("CTHUNK_SEED", "1"));
    let findings = concat!(env!("CARGO_TARGET_TMPDIR"), "/findings");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", conventions, "--cases", &cases, "--seed", &seed])
        .args(["--findings", findings, "--most-findings", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let each = format!("  {cases} functions in ");
    assert_eq!(text.matches(&each).count(), conventions.split(',').count(), "{text}");
}

#[cfg(feature = "cli")]
#[test]
fn random_functions_linux() {
    let all = "cdecl,stdcall,fastcall,thiscall,regparm1,regparm2,regparm3";
    random_functions("gcc-linux", all);
}

#[cfg(feature = "cli")]
#[test]
fn random_functions_mingw() {
    random_functions("gcc-mingw", "cdecl:mingw,stdcall:mingw,fastcall:mingw,thiscall:mingw");
}

#[cfg(feature = "cli")]
#[test]
fn random_functions_gnullvm() {
    let all = "cdecl:gnullvm,stdcall:gnullvm,fastcall:gnullvm,thiscall:gnullvm";
    random_functions("clang-gnu", all);
}

#[cfg(feature = "cli")]
#[test]
fn random_functions_msvc() {
    random_functions("clang-msvc", "cdecl:msvc,stdcall:msvc,fastcall:msvc,thiscall:msvc");
}
