//! The language of the preprocessor, rule by rule, with texts instead of files.

use std::path::PathBuf;

use cthunk::preprocess::{Compiler, Folder, Options, Platform, Standard, Texts, Unit, preprocess};

use crate::compilers::{is_installed, run, spellings, tokens};

fn options() -> Options {
    Options {
        folders: vec![Folder::At("".into()), Folder::At("other".into())],
        ..Options::default()
    }
}

fn unit(text: &str, files: &[(&str, &str)]) -> Unit {
    let texts: Texts = files.iter().copied().collect();
    preprocess("main.c", text.as_bytes(), &options(), &texts)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The tokens of a text, with a space between them.
fn joined(text: &str, files: &[(&str, &str)]) -> String {
    spellings(&unit(text, files)).join(" ")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(joined(text, &[]), expected);
}

/// C23 6.10.5, its examples.
#[test]
fn the_examples_of_the_standard() {
    let example_3 = "
        #define x 3
        #define f(a) f(x * (a))
        #undef x
        #define x 2
        #define g f
        #define z z[0]
        #define h g(~
        #define m(a) a(w)
        #define w 0,1
        #define t(a) a
        #define p() int
        #define q(x) x
        #define r(x,y) x ## y
        #define str(x) # x
        f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
        g(x+(3,4)-w) | h 5) & m
            (f)^m(m);
        p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
        char c[2][6] = { str(hello), str() };";
    check(
        example_3,
        "f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; \
         f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ; \
         int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { \"hello\" , \"\" } ;",
    );
    let example_4 = r#"
        #define str(s) # s
        #define xstr(s) str(s)
        #define debug(s, t) printf("x" # s "= %d, x" # t "= %s", x ## s, x ## t)
        #define INCFILE(n) vers ## n
        #define glue(a, b) a ## b
        #define xglue(a, b) glue(a, b)
        #define HIGHLOW "hello"
        #define LOW LOW ", world"
        debug(1, 2);
        fputs(str(strncmp("abc\0d", "abc", '\4') == 0) str(: @\n), s);
        xstr(INCFILE(2).h)
        glue(HIGH, LOW);
        xglue(HIGH, LOW)"#;
    check(
        example_4,
        r#"printf ( "x" "1" "= %d, x" "2" "= %s" , x1 , x2 ) ; fputs ( "strncmp(\"abc\\0d\", \"abc\", '\\4') == 0" ": @\n" , s ) ; "vers2.h" "hello" ; "hello" ", world""#,
    );
    let example_7 = r#"
        #define debug(...) fprintf(stderr, __VA_ARGS__)
        #define showlist(...) puts(#__VA_ARGS__)
        #define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))
        debug("Flag");
        showlist(The first, second, and third items.);
        report(x>y, "x is %d but y is %d", x, y);"#;
    check(
        example_7,
        r#"fprintf ( stderr , "Flag" ) ; puts ( "The first, second, and third items." ) ; ( ( x > y ) ? puts ( "x>y" ) : printf ( "x is %d but y is %d" , x , y ) ) ;"#,
    );
    let va_opt = "
        #define F(...) f(0 __VA_OPT__(,) __VA_ARGS__)
        #define G(X, ...) f(0, X __VA_OPT__(,) __VA_ARGS__)
        #define SDEF(sname, ...) S sname __VA_OPT__(= { __VA_ARGS__ })
        #define EMP
        #define H2(X, Y, ...) __VA_OPT__(X ## Y,) __VA_ARGS__
        #define H3(X, ...) #__VA_OPT__(X##X X##X)
        #define H4(X, ...) __VA_OPT__(a X ## X) ## b
        F(a, b, c) F() F(EMP) G(a, b, c) G(a, ) G(a) SDEF(foo); SDEF(bar, 1, 2); H2(a, b, c, d) H3(, 0) H4(, 1)";
    check(
        va_opt,
        "f ( 0 , a , b , c ) f ( 0 ) f ( 0 ) f ( 0 , a , b , c ) f ( 0 , a ) f ( 0 , a ) S foo ; S bar = { 1 , 2 } ; ab , c , d \"\" a b",
    );
}

#[test]
fn gnu_variadic_macros() {
    check(
        "#define e(f, ...) p(f, ## __VA_ARGS__)\ne(1) e(1,) e(1, 2, 3)",
        "p ( 1 ) p ( 1 , ) p ( 1 , 2 , 3 )",
    );
    check("#define e(f, rest...) p(f, ## rest)\ne(1) e(1, 2, 3)", "p ( 1 ) p ( 1 , 2 , 3 )");
    check("#define e(...) p(0, ## __VA_ARGS__)\ne() e(1)", "p ( 0 ) p ( 0 , 1 )");
}

#[test]
fn digraphs_splices_and_comments() {
    check("%:define a(x) %:x\n%: define b(x, y) x%:%:y\na(q) b(1,2) <:1:>", "\"q\" 12 <: 1 :>");
    check("#def\\\nine a\\\nb 1 /* two\nlines */ + 2 // rest \\\n of it\nab /* x */ #", "1 + 2 #");
    check("??= a", "? ? = a");
}

#[test]
fn lines_files_and_counters() {
    check(
        "__LINE__ __FILE__\n#line 100 \"x\\\"y.c\"\n__LINE__ __FILE__\n# 7 \"z.c\" 3 4\n__LINE__ __FILE__ __BASE_FILE__",
        "1 \"main.c\" 100 \"x\\\"y.c\" 7 \"z.c\" \"main.c\"",
    );
    check("__COUNTER__ __COUNTER__ __DATE__ __TIME__", "0 1 \"Jan  1 1970\" \"00:00:00\"");
    let files = [
        ("a.h", "#include \"sub/b.h\"\n__INCLUDE_LEVEL__ __FILE__"),
        ("sub/b.h", "__INCLUDE_LEVEL__ __FILE__ __FILE_NAME__"),
    ];
    assert_eq!(
        joined("#include <a.h>\n__INCLUDE_LEVEL__", &files),
        "2 \"sub/b.h\" \"b.h\" 1 \"a.h\" 0"
    );
}

#[test]
fn conditions() {
    for (condition, holds) in [
        ("1 + 2 * 3 == 7", true),
        ("-1 > 0u", true),
        ("(2 || 1 / 0) && !(0 && 1 / 0)", true),
        ("1 ? 0 : 1 / 0", false),
        ("0x7fffffffffffffff + 1 < 0", true),
        ("-9223372036854775807 - 1 == 0x8000000000000000", true),
        ("'\\xff' < 0 && 'ab' == 24930 && L'\u{e9}' == 0xe9", true),
        ("defined main || defined(__LINE__)", true),
        ("1 << 63 >> 63 == -1", true),
        ("true", false),
        ("(1, 0)", false),
        ("__has_include(<a.h>) && __has_include(\"b/c.h\") && !__has_include(<c.h>)", true),
        (
            "__has_attribute(__aligned__) && __has_builtin(__builtin_memcpy) && !__has_attribute(nothing)",
            true,
        ),
        ("__has_c_attribute(gnu::packed) && !defined __has_feature", true),
    ] {
        let text = format!("#if {condition}\n1\n#else\n0\n#endif");
        let found = joined(&text, &[("a.h", ""), ("b/c.h", "")]);
        assert_eq!(found == "1", holds, "{condition}");
    }
    check(
        "#if 0\n#if 1\n#else\n#elif\n#endif\n#bad 'it\n#elif 1\nyes\n#elif (\n#else\nno\n#endif",
        "yes",
    );
    check("#define A\n#ifdef B\n1\n#elifdef A\n2\n#elifndef A\n3\n#endif", "2");
    check("#define D defined(E)\n#if D\n1\n#elif !D\n2\n#endif", "2");
}

#[test]
fn files_are_found_and_read_once() {
    let files = [
        ("once.h", "#pragma once\nonce"),
        ("guard.h", "/* text */\n#ifndef G\n#define G\nguard\n#endif\n"),
        ("bang.h", "#if !defined(G2)\n#define G2\nbang\n#endif"),
        ("open.h", "#ifndef G3\n#define G3\n#endif\nopen"),
        ("imported.h", "imported"),
        ("next.h", "first\n#include_next <next.h>"),
        ("other/next.h", "second"),
    ];
    let twice = |name: &str| joined(&format!("#include <{name}>\n#include \"{name}\"\n"), &files);
    assert_eq!(twice("once.h"), "once");
    assert_eq!(twice("guard.h"), "guard");
    assert_eq!(twice("bang.h"), "bang");
    assert_eq!(twice("open.h"), "open open");
    // What `"…"` finds beside the file is not in the search path, which is searched from its beginning.
    assert_eq!(twice("next.h"), "first second first first second");
    assert_eq!(joined("#import <imported.h>\n#import <imported.h>", &files), "imported");
    assert_eq!(
        joined("#define N <once.h>\n#include N\n#define M \"guard.h\"\n#include M", &files),
        "once guard"
    );
}

/// Files that count how often they are read.
struct Counting(Texts, std::cell::RefCell<Vec<PathBuf>>);

impl cthunk::preprocess::Files for Counting {
    fn read(&self, path: &std::path::Path) -> std::io::Result<Option<Vec<u8>>> {
        self.1.borrow_mut().push(path.to_owned());
        self.0.read(path)
    }

    fn exists(&self, path: &std::path::Path) -> bool {
        self.0.exists(path)
    }
}

#[test]
fn a_file_is_read_from_disk_once() {
    let texts: Texts = [("a.h", "a"), ("other/b.h", "b")].into_iter().collect();
    let files = Counting(texts, Vec::new().into());
    let text = "#include <a.h>\n#include <b.h>\n".repeat(50);
    let unit = preprocess("main.c", text.as_bytes(), &options(), &files).expect("C");
    assert_eq!(unit.tokens.len(), 100);
    assert_eq!(unit.files, [PathBuf::from("a.h"), PathBuf::from("other/b.h")]);
    let read = files.1.into_inner();
    assert_eq!(read, ["a.h", "b.h", "other/b.h"].map(PathBuf::from));
}

#[test]
fn pragmas() {
    check(
        "#define X 1\n#pragma push_macro(\"X\")\n#undef X\n#define X 2\nX\n#pragma pop_macro(\"X\")\nX",
        "2 1",
    );
    check(
        "#define N 8\n#pragma pack(push, N)\n_Pragma(\"pack(\\\"x\\\")\") a",
        "#pragma pack ( push , 8 ) #pragma end #pragma pack ( \"x\" ) #pragma end a",
    );
    check(
        "#define P(x) _Pragma(#x) x\nP(omp parallel)",
        "#pragma omp parallel #pragma end omp parallel",
    );
    check("#pragma GCC system_header\n#ident \"x\"\n#\na", "a");
    let unit = unit("#define N 4\na\n#pragma pack(N)\nb", &[]);
    assert_eq!(unit.text(), "a\n#pragma pack(4)\nb\n");
}

#[test]
fn embed() {
    let files = [("data", "AB\u{1}"), ("empty", "")];
    assert_eq!(joined("{\n#embed \"data\"\n}", &files), "{ 65 , 66 , 1 }");
    assert_eq!(
        joined("#embed <data> limit(1 + 1) prefix(0,) suffix(,9)", &files),
        "0 , 65 , 66 , 9"
    );
    assert_eq!(joined("#embed <empty> if_empty(7) prefix(1)", &files), "7");
    let asks = |text: &str| {
        let options = Options { standard: Standard::C23, ..options() };
        let texts: Texts = files.iter().copied().collect();
        let text = format!("#if {text}\nyes\n#endif");
        preprocess("main.c", text.as_bytes(), &options, &texts).expect("C").tokens.len() == 1
    };
    assert!(asks(
        "__has_embed(<data>) == 1 && __has_embed(<empty>) == 2 && __has_embed(<no>) == 0"
    ));
    assert!(asks("__has_embed(<data> limit(0)) == 2 && __has_embed(<data> unknown(1)) == 0"));
}

#[test]
fn a_painted_name_stays() {
    // Both compilers agree, and differ from Prosser's hide sets, which would give `A`.
    check("#define id(x) x\n#define A g X ()\n#define g() A\n#define X\nid(A)", "g ( )");
    check("#define f(a) a*g\n#define g(a) f(a)\nf(2)(9)", "2 * 9 * g");
    check("#define foo foo + bar\n#define bar foo\nfoo bar", "foo + foo foo + bar");
}

#[test]
fn white_space_is_kept_for_strings_and_lines() {
    check(
        "#define S(x) T(x)\n#define T(x) #x\n#define E\n#define I(x) x\nS(a E b) S(I( c)d) S( E )",
        "\"a b\" \"cd\" \"\"",
    );
    let unit = unit("#define P +\n#define M(x) -x\nP+ M(-1) M(\n2)\nx", &[]);
    assert_eq!(unit.text(), "+ + - -1 -2\nx\n");
}

#[test]
fn a_token_of_a_macro_is_where_the_outermost_one_is_used() {
    let unit = unit("#define A B(c)\n#define B(x) x\n\n  x A B(z)", &[]);
    let places: Vec<(u32, u32)> = unit
        .tokens
        .iter()
        .map(|token| {
            let location = unit.location(token.place);
            (location.line, location.column)
        })
        .collect();
    // An argument has a place of its own.
    assert_eq!(places, [(4, 3), (4, 5), (4, 9)]);
}

#[test]
fn macros_can_be_listed() {
    let unit = unit("#define A 1 + 2\n#define F(x) x\n#define B\n#undef B", &[]);
    let mut macros: Vec<(String, Option<String>)> = unit
        .macros()
        .map(|(name, body)| (String::from_utf8_lossy(name).into_owned(), body))
        .collect();
    macros.sort();
    assert_eq!(macros, [("A".to_owned(), Some("1 + 2\n".to_owned())), ("F".to_owned(), None)]);
}

/// Each built-in header declares what the compiler's own declares, for the compiler.
#[test]
fn built_in_headers_compile() {
    let text = "
        #include <float.h>
        #include <iso646.h>
        #include <limits.h>
        #include <stdalign.h>
        #include <stdarg.h>
        #include <stdbool.h>
        #include <stddef.h>
        #include <stdint.h>
        #include <stdnoreturn.h>
        #include <stdatomic.h>
        #define SAME(name, wanted) _Static_assert(name == wanted, #name);
        SAME(CHAR_BIT, 8) SAME(INT_MIN + INT_MAX, -1) SAME(ULONG_MAX, ~0ul) SAME(LLONG_MIN, -LLONG_MAX - 1)
        SAME(SHRT_MAX, __SHRT_MAX__) SAME(USHRT_MAX, (unsigned short)-1) SAME(UCHAR_MAX, 255) SAME(UINT_MAX, ~0u)
        SAME(CHAR_MIN, ((char)-1 < 0 ? -128 : 0)) SAME(SCHAR_MIN, -128) SAME(LONG_MIN, -LONG_MAX - 1) SAME(ULLONG_MAX, ~0ull)
        SAME(DBL_MANT_DIG, 53) SAME(FLT_RADIX, 2) SAME((int)(FLT_MAX > 1e38f), 1) SAME(true, 1) SAME(offsetof(struct s, b), 4)
        SAME(sizeof(size_t), sizeof(sizeof 0)) SAME(sizeof(wchar_t), sizeof(L' ')) SAME(sizeof(ptrdiff_t), sizeof(char *))
        SAME(UINT64_MAX, UINT64_C(0xffffffffffffffff)) SAME(INT8_MIN, -128) SAME(SIZE_MAX, (size_t)-1) SAME(alignof(int), 4)
        SAME(memory_order_seq_cst, 5) SAME(sizeof(atomic_int), 4) SAME((1 and not 0), 1)
        alignas(16) max_align_t most; noreturn void stop(void); bool is; void *nothing = NULL;
        int f(int n, ...) { va_list list, copy; va_start(list, n); va_copy(copy, list); int x = va_arg(copy, int); va_end(copy); va_end(list); return x; }";
    let text = format!("struct s {{ int a, b; }};{text}");
    let mut compiled = 0;
    for platform in &cthunk::preprocess::PLATFORMS {
        if !is_installed(platform) {
            continue;
        }
        // Without the system's headers, and with those that are installed.
        let alone = Options {
            platform: Some(platform),
            folders: vec![Folder::BuiltIn],
            ..Options::default()
        };
        for options in [alone, Options::of(platform, &Default::default())] {
            let unit = preprocess("t.c", text.as_bytes(), &options, &cthunk::preprocess::Disk);
            let unit = unit.unwrap_or_else(|error| panic!("{}: {error}", platform.name));
            let output =
                run(platform, &["-fsyntax-only", "-Wno-everything", "-w"], unit.text().as_bytes());
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} {:?}: {errors}", platform.name, platform.compiler);
            compiled += 1;
        }
    }
    println!("{compiled} texts compile");
}

/// The tokens of a text are those of its printed text, which the comparison with compilers rests on.
#[test]
fn printed_texts_have_their_tokens() {
    let gcc = Platform::of("x86_64-sysv", Compiler::Gcc).expect("a platform");
    let options = Options { platform: Some(gcc), ..Options::default() };
    let text = "#define C(x, y) x y\n#define J(x) x\nJ(+)J(+) J(.)J(.)J(.) J(L)J('a') J(1)J(.)J(e)J(+)J(1) J(-)J(>) J(<)J(:) J(%)J(:) J(/)J(/) J(a)J(\"b\") J(&)J(&)J(=)";
    let unit = preprocess("t.c", text.as_bytes(), &options, &Texts::default()).expect("C");
    assert_eq!(spellings(&unit), tokens(unit.text().as_bytes()));
}
