//! Errors: what they say, and what they leave behind.

use cthunk::ctype::{Constant, Decl, Declarations, Type, TypeId};

use super::{
    HOST, compiler_accepts, constant, declarations, declare, declared, errors, first_lines, ty,
};

#[test]
fn every_error_of_a_text_is_reported_with_its_line() {
    let text = "int ok;\nint bad bad;\nstruct s {\n  foo a;\n  int b : 40;\n  int c;\n};\nint f(void) { return 1 }\nbar g(void);\n";
    let errors = errors(&mut declarations(HOST), text);
    assert_eq!(
        first_lines(&errors),
        [
            "2:8: expected ';' before 'bad'",
            "4:3: unknown type name 'foo'",
            "5:11: width 40 is not one of 0 to 32",
            "9:1: unknown type name 'bar'",
        ]
    );
}

#[test]
fn an_error_shows_its_line_a_caret_and_a_hint() {
    let errors = errors(&mut declarations(HOST), "int a;\n\tsize_tt n;\n");
    assert_eq!(
        errors.to_string(),
        "2:2: unknown type name 'size_tt'\n    \tsize_tt n;\n    \t^\n  hint: did you mean 'size_t'?"
    );
}

#[test]
fn a_conflict_names_both_places() {
    let mut decls = declarations(HOST);
    let same_text = errors(&mut decls, "int f(int);\n\nint f(long);");
    assert_eq!(
        same_text.to_string(),
        "3:5: conflicting declaration of 'f'\n    int f(long);\n        ^\n  line 1: int f(int);"
    );
    declare(&mut decls, "typedef struct { int a; } t; struct s { int a; };");
    let earlier = errors(&mut decls, "typedef int t;").to_string();
    assert!(earlier.contains("an earlier cdef: typedef struct { int a; } t;"), "{earlier}");
    let body = errors(&mut decls, "struct s { int b; };").to_string();
    assert!(body.contains("1:8: conflicting body of 'struct s'"), "{body}");
    assert!(body.contains("an earlier cdef: struct s"), "{body}");
}

#[test]
fn a_failed_text_declares_nothing() {
    let mut decls = declared("extern int array[]; struct s; enum e : int; int old(void);");
    let count = |decls: &Declarations| (decls.table().ids().count(), decls.declarations().count());
    let before = count(&decls);
    let text = "typedef int t; struct s { t a; }; enum e { A }; extern int array[3]; struct n { int b; }; \
                static const int C = 1; int old(void) __asm__(\"x\"); typedef int bool; oops x;";
    errors(&mut decls, text);
    assert_eq!(count(&decls), before);
    for name in ["t", "A", "C", "x"] {
        assert_eq!(decls.lookup(name.as_bytes()), None, "{name}");
    }
    assert!(matches!(decls.lookup(b"old"), Some(Decl::Function { symbol: None, .. })));
    assert!(matches!(decls.lookup(b"int8_t"), Some(Decl::Typedef(ty)) if ty.id() != TypeId::INT));
    let incomplete = ty(&mut decls, "struct s *");
    let Type::Pointer(s) = *decls.table().get(incomplete.id()) else { panic!("a pointer") };
    assert_eq!(decls.table().layout(s.id()), None);
    declare(
        &mut decls,
        "struct s { char c; }; extern int array[5]; enum e { A = 9 }; typedef char t;",
    );
    assert_eq!(decls.table().layout(s.id()).map(|l| l.size), Some(1));
    assert_eq!(constant(&decls, "A"), Constant::Int(9));
}

/// The hint of the error that a name is no type.
fn hint_for(name: &str, triple: &str) -> String {
    let errors = errors(&mut declarations(triple), &format!("{name} x;"));
    errors.iter().next().expect("an error").hint.clone().unwrap_or_default()
}

#[test]
fn hints_for_expected_names_are_what_the_headers_say() {
    let posix = "off_t pid_t uid_t gid_t id_t mode_t time_t clock_t suseconds_t dev_t ino_t nlink_t blksize_t blkcnt_t socklen_t \
                 in_addr_t in_port_t sa_family_t clockid_t key_t pthread_t wint_t locale_t FILE DIR off64_t u_char u_short u_int \
                 u_long ushort uint ulong u_int8_t u_int32_t __u8 __u16 __u32 __s8 __s16 __s32 quad_t";
    let includes = "sys/types.h sys/socket.h netinet/in.h time.h dirent.h stdio.h wchar.h locale.h linux/types.h";
    let windows = "BYTE WORD DWORD LONG ULONG BOOL INT UINT LONGLONG ULONGLONG DWORD64 SIZE_T ULONG_PTR WPARAM LPARAM LRESULT HANDLE \
                   PVOID LPVOID LPCVOID LPSTR LPCSTR LPWSTR LPCWSTR HRESULT BOOLEAN ATOM SOCKET FILE off_t pid_t mode_t time_t clock_t \
                   dev_t ino_t wint_t socklen_t";
    let windows_includes = "winsock2.h ws2tcpip.h windows.h sys/types.h stdio.h wchar.h time.h";
    for (compiler, triple, names, includes) in [
        ("gcc", HOST, posix, includes),
        ("i686-linux-gnu-gcc", "i686-unknown-linux-gnu", posix, includes),
        ("aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu", posix, includes),
        ("riscv64-linux-gnu-gcc", "riscv64gc-unknown-linux-gnu", posix, includes),
        ("x86_64-w64-mingw32-gcc", "x86_64-pc-windows-gnu", windows, windows_includes),
        ("i686-w64-mingw32-gcc", "i686-pc-windows-gnu", windows, windows_includes),
    ] {
        let mut text = String::from("#define _GNU_SOURCE\n");
        includes.split_whitespace().for_each(|file| text += &format!("#include <{file}>\n"));
        let bare = compiler_accepts(compiler, &text, "expected.c");
        // On 32-bit Windows these are `long`, which is as large.
        let is_word = |name: &&str| {
            ["_PTR", "PARAM", "LRESULT", "SIZE_T"].iter().any(|part| name.contains(part))
        };
        let names = names
            .split_whitespace()
            .filter(|name| !triple.starts_with("i686-pc") || !is_word(name));
        for name in names {
            let hint = hint_for(name, triple);
            let typedef =
                hint.strip_prefix("declare it first: '").and_then(|hint| hint.strip_suffix("'"));
            let typedef = typedef.unwrap_or_else(|| panic!("{name} on {triple}: {hint}"));
            let ours = typedef.strip_suffix(&format!("{name};")).expect("it ends with the name");
            // Windows makes structs of handles of one name each, which are passed as `void *` is.
            text += &format!(
                "{ours}our_{name}; _Static_assert(__builtin_types_compatible_p({name}, our_{name}), \"{name}\");\n"
            );
            declare(&mut declarations(triple), typedef);
        }
        match bare {
            Some(true) => assert_eq!(
                compiler_accepts(compiler, &text, "accept-expected.c"),
                Some(true),
                "{triple}"
            ),
            _ => eprintln!("NOT TESTED: the headers of {triple} are missing"),
        }
    }
}

#[test]
fn names_that_are_nearly_right_are_named() {
    let declarations_so_far = "typedef int counter_t; struct point { int x, height; }; enum color { COLOR_RED, COLOR_GREEN }; int compute(int);";
    for (text, hint) in [
        ("sizet n;", "did you mean 'size_t'?"),
        ("unit32_t n;", "did you mean 'uint32_t'?"),
        ("conter_t n;", "did you mean 'counter_t'?"),
        ("insigned n;", "did you mean 'unsigned'?"),
        ("point p;", "write 'struct point', or declare 'typedef struct point point;'"),
        ("color c;", "write 'enum color', or declare 'typedef enum color color;'"),
        ("class X;", "this is C++; C declarations are read"),
        ("int a[COLOUR_RED];", "did you mean 'COLOR_RED'?"),
        ("int a[sizeof(((struct point *)0)->heigth)];", "did you mean 'height'?"),
        (
            "nothing_like_it n;",
            "declare it first, as in 'typedef struct nothing_like_it nothing_like_it;'",
        ),
        ("DWORD n;", "declare it first: 'typedef unsigned int DWORD;'"),
    ] {
        let errors = errors(&mut declared(declarations_so_far), text);
        assert_eq!(
            errors.iter().next().and_then(|error| error.hint.as_deref()),
            Some(hint),
            "{text}"
        );
    }
    for (text, hint) in [
        ("struct pont *", "did you mean 'point'?"),
        ("struct color *", ""),
        (
            "struct timeval",
            "declare it with cdef first: 'struct timeval { long tv_sec, tv_usec; };'",
        ),
    ] {
        let errors = declared(declarations_so_far)
            .parse_type(text.as_bytes(), &[])
            .expect_err("no such tag");
        assert_eq!(
            errors.iter().next().and_then(|error| error.hint.as_deref()).unwrap_or_default(),
            hint,
            "{text}"
        );
    }
}

#[test]
fn what_an_error_caused_is_no_error() {
    for (text, lines) in [
        (
            "typedef struct { int x; } pt;\ntypedef struct { int y; } pt;\n",
            &["2:27: conflicting declaration of 'pt'"][..],
        ),
        ("typedef bad t; t x; t f(t);", &["1:9: unknown type name 'bad'"]),
        ("typedef int t t2; t2 x; struct s { t2 a; };", &["1:14: expected ';' before 't2'"]),
        (
            "struct s { bad x; int y; }; enum { A = __builtin_offsetof(struct s, x) };",
            &["1:12: unknown type name 'bad'"],
        ),
        (
            "enum e { A, B = 1 2, C }; int a[C]; struct s { enum e e; int b[A + B]; };",
            &["1:19: expected ',' or '}' before '2'"],
        ),
        (
            "struct s { int a : 99; } x; struct t { struct s s; struct s u[2]; };",
            &["1:20: width 99 is not one of 0 to 32"],
        ),
        ("struct s { int a }; struct t { struct s s; };", &["1:17: expected ';' before '}'"]),
        ("struct s { int a; }\nint f(void);\nint g(void);", &["1:20: expected ';' before 'int'"]),
        (
            "typedef int foo_t;\nstruct s { int a; }\nfoo_t *g(void);\n",
            &["2:20: expected ';' after '}'"],
        ),
        ("typedef int foo_t;\nint f(int)\nfoo_t g(void);", &["2:11: expected ';' before 'foo_t'"]),
        ("struct s {\n  int a\n  int b;\n};", &["2:8: expected ';' before 'int'"]),
        ("enum e { A B };", &["1:12: expected ',' or '}' before 'B'"]),
        (
            "bad x; bad y; int ok; worse z;",
            &["1:1: unknown type name 'bad'", "1:23: unknown type name 'worse'"],
        ),
    ] {
        assert_eq!(first_lines(&errors(&mut declarations(HOST), text)), lines, "{text}");
    }
}
