//! Macros, conditionals, continued lines, line marks, and the macros that compilers predefine.

use std::process::Command;

use cthunk::ctype::{Constant, Decl, Declarations};
use cthunk::target::Target;

use super::{HOST, constant, declarations, declare, declared, errors, first_lines, ty};

/// The output of `gcc -E -P` or a similar command; `None` if the compiler is missing.
fn output_of(compiler: &str, arguments: &[&str], text: &str, name: &str) -> Option<String> {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(folder).expect("the target folder is writable");
    let file = folder.join(name);
    std::fs::write(&file, text).expect("the target folder is writable");
    match Command::new(compiler).args(arguments).arg(&file).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).expect("UTF-8"))
        }
        Err(_) => {
            eprintln!("NOT TESTED: {name}: {compiler} is missing");
            assert!(std::env::var_os("CI").is_none(), "CI must have {compiler}");
            None
        }
    }
}

/// Every declared name with its type, but constants.
fn signatures(decls: &Declarations) -> Vec<String> {
    let table = decls.table();
    let all = decls.declarations().filter_map(|(name, decl)| match decl {
        Decl::Typedef(ty) => Some(format!("typedef {}", table.declare(*ty, name))),
        Decl::Function { ty, .. } => Some(table.declare((*ty).into(), name)),
        Decl::Variable { ty, .. } | Decl::Static(ty) => {
            let size = table.layout_of(*ty).map(|layout| layout.size);
            Some(format!("{} {size:?}", table.declare(*ty, name)))
        }
        Decl::Constant { .. } => None,
    });
    all.collect()
}

#[test]
fn a_text_with_macros_declares_what_its_expansion_does() {
    let texts = [
        "#define PNGAPI\n#define EXPORT __attribute__((aligned(16)))\nint PNGAPI f(int);\ntypedef int EXPORT al;",
        "#define X 5\n#define Z X+1\n#define Y (X + 1)\nint a[Z*2], b[Y*2], c[X];",
        "#define A B\n#define B C\n#define C int\nA f(B, C);",
        "#define A B\n#define B A\nint A(int), C(int B);",
        "#define int_t int\ntypedef int_t t; struct s { int_t a; int_t int_t_; };",
        "#define const\n#define long int\nlong const f(long);",
        "#define P __attribute__((packed))\nstruct s { char a; int b; } P; extern struct s v;",
        "#define STR \"int\" // no type\nint f(int /* STR */); extern char s[sizeof STR];",
        "#define E e1 /* comment\n over lines */ , e2\nenum { E }; int g(void);",
        "#define open open64\nint open(const char *, int);\n#undef open\nint open(int);",
        "#define X 1\n#undef X\n#define X 22\nint a[X];",
        "#define MULTI struct \\\n  m { \\\n int a; }\nMULTI v;\nint la\\\nst(int);",
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint f(int);\n#ifdef __cplusplus\n}\n#endif\n",
        "#ifndef H\n#define H\nint f(int);\n#endif\n#ifndef H\nint g(int);\n#else\nint h(int);\n#endif",
        "#define A 3\n#if A > 2 && defined(A) && !defined B\nint yes;\n#elif 1\nint no;\n#else\nint no;\n#endif",
        "#if 0\n# if 1\nint a;\n# else\nint b;\n# endif\n#elif defined A || __CHAR_BIT__ == 8\nint c;\n# if UNKNOWN\nint d;\n# elif 'a' == 97\nint e;\n# endif\n#else\nint f;\n#endif",
        "#if 0\n'it is unbalanced\n#error no\n#unknown\n#endif\nint a;",
        "#if __SIZEOF_POINTER__ == 8 && __INT_MAX__ == 0x7fffffff && defined __linux__ && __GNUC__ >= 4\nint a;\n#endif",
        "#define N 2\nstruct s {\n#if N == 2\n int two;\n#else\n int other;\n#endif\n char c[N]; }; extern struct s v;",
        "#define F(x) x\nint f(int);",
        "#define SELF SELF\n#ifdef SELF\nint SELF(int);\n#endif",
        "#pragma pack(push, 1)\n#define EMPTY\nstruct s { char a; int EMPTY b; };\n#pragma pack(pop)\nextern struct s v;",
        "#define u8 unsigned char\nu8 a; extern int b[sizeof u8\"ab\"];",
        "  #  define SPACED   int   \n\t#\tifdef SPACED\nSPACED a;\n#endif // end",
        "#define EMPTY\nint EMPTY EMPTY a EMPTY;",
        "int a$b(int $c); struct $d { int e$; };",
        "int caf\\u00e9(int \\U000000fc);",
    ];
    for text in texts {
        let Some(expanded) = output_of("gcc", &["-E", "-P", "-x", "c"], text, "macros.c") else {
            return;
        };
        let (mut ours, mut gcc) = (declarations(HOST), declarations(HOST));
        declare(&mut ours, text);
        declare(&mut gcc, &expanded);
        assert_eq!(signatures(&ours), signatures(&gcc), "{text}\n---\n{expanded}");
        assert!(!signatures(&ours).is_empty(), "{text}");
    }
}

#[test]
fn macros_hold_in_later_texts() {
    let mut decls = declared(
        "#define EXPORT __attribute__((packed))\n#define TYPE int\n#define N 3\n#define OPEN 1+1\n",
    );
    declare(&mut decls, "struct s { char a; TYPE b; } EXPORT; struct t { char c[N], d[OPEN*2]; };");
    let size = |decls: &mut Declarations, text: &str| {
        let ty = ty(decls, text);
        decls.table().layout_of(ty).map(|layout| layout.size)
    };
    assert_eq!((size(&mut decls, "struct s"), size(&mut decls, "struct t")), (Some(5), Some(6)));
    assert_eq!(size(&mut decls, "TYPE[N]"), Some(12));
    assert_eq!(
        (constant(&decls, "N"), constant(&decls, "OPEN")),
        (Constant::Int(3), Constant::Int(2))
    );
    // A text that fails defines and undefines nothing.
    errors(&mut decls, "#define OTHER int\n#undef TYPE\n#undef N\n#define N 4\noops x;");
    assert_eq!(size(&mut decls, "TYPE[N]"), Some(12));
    errors(&mut decls, "OTHER x;");
    declare(&mut decls, "#undef N\n#define N 5\n#undef TYPE\ntypedef char TYPE;");
    assert_eq!(size(&mut decls, "TYPE[N]"), Some(5));
    // A scope's macros are its own.
    let inner = decls.add_scope(cthunk::ctype::ScopeId::ROOT);
    declare(
        decls.enter(inner).expect("it is there"),
        "#define INNER int\n#undef EXPORT\n#define EXPORT int\n",
    );
    assert_eq!(size(&mut decls, "INNER"), Some(4));
    decls.enter(cthunk::ctype::ScopeId::ROOT);
    assert!(decls.parse_type(b"INNER", &[]).is_err());
    declare(&mut decls, "struct u { char a; int b; } EXPORT;");
    assert_eq!(size(&mut decls, "struct u"), Some(5));
}

#[test]
fn what_macros_cannot_do_is_an_error_in_its_place() {
    let doubled: String =
        (1..60).map(|i| format!("#define D{i} D{} D{}\n", i - 1, i - 1)).collect();
    let chain: String = (1..5000).map(|i| format!("#define D{i} D{}\n", i - 1)).collect();
    let rows = [
        (
            "#define F(x) x\nint f(int);\nint F(g)(int);".to_owned(),
            "3:5: the macro 'F' has parameters, which is not supported yet",
        ),
        ("#define E a\n#define E b".into(), "2:9: conflicting definition of the macro 'E'"),
        ("#define X 5\n#define X 6".into(), "2:9: conflicting declaration of 'X'"),
        ("#define T foo_t\nint a;\n  T x;".into(), "3:3: unknown type name 'foo_t'"),
        ("in\\\nt a;\nstruct s \\\n { bad b; };".into(), "4:4: unknown type name 'bad'"),
        (format!("#define D0\n{doubled}D59 int x;"), "19:9: macros that become too much"),
        (
            format!("#define D0 int\n{chain}D4999 x;"),
            "201:9: macros that lead to macros more than 200 times",
        ),
        (
            "#if 1 +\n#endif".into(),
            "1:5: the condition of '#if': expected an expression before the end of the text",
        ),
        ("#if 1 / 0\n#endif".into(), "1:5: the condition of '#if': division by zero"),
        ("#if 1\n#else\n#else\n#endif".into(), "3:1: '#elif' or '#else' after '#else'"),
        ("int a;\n#include \"b.h\"".into(), "2:1: '#include' is a preprocessor directive"),
    ];
    for (text, message) in rows {
        let errors = errors(&mut declarations(HOST), &text);
        assert_eq!(first_lines(&errors)[0], message, "{}", &text[..text.len().min(200)]);
    }
}

#[test]
fn line_marks_give_the_place() {
    let text = "# 100 \"foo.h\"\nint f(int);\nunknown_t g(void);\n# 7 \"dir/bar.h\" 2 3\nint f(long);\n#line 50\nbad x;\n";
    let message = errors(&mut declarations(HOST), text).to_string();
    for part in [
        "foo.h:101:1: unknown type name 'unknown_t'\n    unknown_t g(void);\n    ^\n",
        "\ndir/bar.h:7:5: conflicting declaration of 'f'\n    int f(long);\n        ^\n  foo.h:100: int f(int);",
        "\ndir/bar.h:50:1: unknown type name 'bad'",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn open_arrays_have_the_length_of_their_initialiser() {
    for (declaration, size) in [
        ("char s[] = \"abc\"", 4),
        ("char s[] = { \"a\\0b\" \"c\" }", 5),
        ("int s[] = L\"ab\"", 12),
        ("int s[] = { 1, 2, 3, }", 12),
        ("int s[] = { [5] = 1, 2, [2] = (1) }", 28),
        ("const char *s[] = { \"a\", \"b\" }", 16),
        ("struct p { int x, y; } s[] = { { 1, 2 }, { .x = 3 } }", 16),
        ("int s[][2] = { { 1, 2 }, { 3 } }", 16),
        ("int s[2] = { 1 }", 8),
    ] {
        let decls = declared(&format!("{declaration}; enum {{ SIZE = sizeof s }};"));
        assert_eq!(constant(&decls, "SIZE"), Constant::Int(size), "{declaration}");
        let text = format!("{declaration}; _Static_assert(sizeof s == {size}, \"\");");
        output_of("gcc", &["-fsyntax-only", "-w", "-x", "c"], &text, "initialiser.c");
    }
    // The parser does not count elements if inner braces are missing, or an index is unknown.
    declared("struct p { int x, y; } s[] = { 1, 2, 3, 4 }; extern int t[] = { [unknown] = 1 };");
}

#[test]
fn predefined_macros_are_those_of_the_compiler() {
    for (compiler, triple) in [
        ("gcc", HOST),
        ("i686-linux-gnu-gcc", "i686-unknown-linux-gnu"),
        ("aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu"),
        ("riscv64-linux-gnu-gcc", "riscv64gc-unknown-linux-gnu"),
        ("x86_64-w64-mingw32-gcc", "x86_64-pc-windows-gnu"),
        ("i686-w64-mingw32-gcc", "i686-pc-windows-gnu"),
    ] {
        let Some(macros) = output_of(compiler, &["-dM", "-E", "-x", "c"], "", "none.c") else {
            continue;
        };
        let target: Target = triple.parse().expect("the triple is known");
        let mut decls = Declarations::new(&target);
        let mut compared = 0;
        for line in macros.lines() {
            let Some((name, body)) = line.trim_start_matches("#define ").split_once(' ') else {
                continue;
            };
            match decls.lookup(name.as_bytes()).cloned() {
                Some(Decl::Typedef(found)) => {
                    let gcc = decls.parse_type(body.as_bytes(), &[]).expect(name);
                    assert_eq!(found, gcc, "{name} on {triple}");
                }
                Some(Decl::Constant { value, .. }) => {
                    let (_, gcc) = decls.evaluate(body.as_bytes(), &[]).expect(name);
                    assert_eq!(value, gcc, "{name} on {triple}");
                }
                _ => continue,
            }
            compared += 1;
        }
        assert!(compared >= 60, "{compared} macros on {triple}");
    }
}

#[test]
fn floating_point_types_may_be_typedefs() {
    declared(
        "typedef float _Float32; typedef double _Float64, _Float32x; typedef long double _Float64x; typedef __float128 _Float128; \
         typedef _Complex float __cfloat128 __attribute__((__mode__(__TC__))); typedef _Complex _Float32 c; _Float32 f(_Float32x);",
    );
    let message = errors(&mut declarations(HOST), "typedef double _Float32;").to_string();
    assert!(message.starts_with("1:16: '_Float32' is a type, and not 'double'"), "{message}");
}
