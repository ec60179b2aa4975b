//! Row by row what the compilers do not agree on: the plan, and its call executed with code of all four.

use cthunk::explain::{Emit, explain};

use super::guest::{COMPILERS, LONG, ONE, TWO, as_int, each, places};

/// A row of the table of disagreements: a function that says whether its arguments arrived, and for each of `COMPILERS` where
/// they are and how many bytes it pops.
struct Row {
    declaration: &'static str,
    body: &'static str,
    arguments: &'static [&'static [u8]],
    expected: [(&'static str, u32); 4],
}

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
        expected: [("s edx s", 8), ("s edx s", 8), ("s ecx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(struct word a, int b, int c)",
        body: "a.a == 1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("s edx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(union one_word a, int b, int c)",
        body: "a.a == 1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("s edx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(struct one_array a, int b, int c)",
        body: "a.a[0] == 1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("s ecx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(struct all_bits a, int b, int c)",
        body: "a.a == 1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("s ecx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(struct then_no_bits a, int b, int c)",
        body: "a.a == 1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("s edx s", 8), ("s edx s", 8), ("s ecx s", 8), ("s ecx edx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(union either a, int b, int c)",
        body: "a.a == (int *)1 && b == 1 && c == 2",
        arguments: &[ONE, ONE, TWO],
        expected: [("ecx edx s", 4), ("ecx edx s", 4), ("ecx edx s", 4), ("ecx edx s", 4)],
    },
    Row {
        declaration: "int THISCALL f(union either a, int b)",
        body: "a.a == (int *)1 && b == 2",
        arguments: &[ONE, TWO],
        expected: [("ecx s", 4), ("ecx s", 4), ("ecx s", 4), ("ecx s", 4)],
    },
    Row {
        declaration: "int FASTCALL f(union no_bits a, int b)",
        body: "b == 1",
        arguments: &[&[0; 4], ONE],
        expected: [("s ecx", 0), ("s ecx", 0), ("s ecx", 0), ("s ecx", 4)],
    },
    Row {
        declaration: "int FASTCALL f(struct byte a, struct word b, int c)",
        body: "a.a == 7 && b.a == 1 && c == 2",
        arguments: &[&[7], ONE, TWO],
        expected: [("s s s", 12), ("s s s", 12), ("s s s", 12), ("s s ecx", 8)],
    },
    Row {
        declaration: "int FASTCALL f(struct word a, struct byte b, int c)",
        body: "a.a == 1 && b.a == 7 && c == 2",
        arguments: &[ONE, &[7], TWO],
        expected: [("s s s", 12), ("s s s", 12), ("s s s", 12), ("s s ecx", 8)],
    },
    Row {
        declaration: "int FASTCALL f(struct byte a, int b, struct word c, int d)",
        body: "a.a == 7 && b == 1 && c.a == 2 && d == 1",
        arguments: &[&[7], ONE, TWO, ONE],
        expected: [("s edx s s", 12), ("s edx s s", 12), ("s ecx s s", 12), ("s ecx s edx", 8)],
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
struct array_in_front { char a[3]; char b; }; struct word { int a; }; union one_word { int a; };
struct one_array { int a[1]; }; struct all_bits { int a : 32; }; struct then_no_bits { int a; int : 0; };
union no_bits { int : 0; };
union either { int *a; float *b; } __attribute__((transparent_union));
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
        let end = if body.contains('}') { "" } else { "}" };
        text = text.replace(&format!("{head} "), &format!("{head} {{{body}{end} "));
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

/// Types that travel in SSE or MMX registers, if only under some compiler options, are refused: `gcc -msse2` returns a struct of one
/// `_Float16` in xmm0, `gcc -mmmx` a struct of one small vector in mm0.
#[test]
fn halves_and_small_vectors_in_structs() {
    let vector = "struct { int a __attribute__((vector_size(8))); }";
    let declarations = [
        "struct { _Float16 a; } f(void)",
        "void __fastcall f(struct { _Float16 a[2]; }, int)",
        &format!("{vector} f(void)"),
        &format!("void __fastcall f({vector}, int)"),
    ];
    for compiler in &COMPILERS {
        let target = compiler.triple.parse().unwrap();
        for declaration in declarations {
            let refused = explain(declaration, &[], &target, Emit::Plan).unwrap_err().to_string();
            assert!(refused.contains("not supported by"), "{declaration}: {refused}");
        }
    }
}
