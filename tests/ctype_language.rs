//! The accepted language, feature by feature: `docs/c-language.md` says which test proves what.
//!
//! The files in `tests/ctype/accept` are C whose `_Static_assert`s hold for the compiler that their first line
//! names and for us; what `tests/ctype/reject.txt` lists, both refuse.

#[path = "ctype/generate.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod generate;

use std::path::Path;
use std::process::Command;

use cthunk::ctype::{
    Access, ArrayLen, CallConv, Constant, Contract, Decl, Declarations, Diagnostics, Param,
    QualType, Quals, RecordId, Type, TypeId, layout_text,
};
use cthunk::target::Target;

const HOST: &str = "x86_64-unknown-linux-gnu";

fn declarations(triple: &str) -> Declarations {
    Declarations::new(&triple.parse::<Target>().expect("the triple is known"))
}

/// Declarations of a text that must be right.
fn declared(text: &str) -> Declarations {
    let mut decls = declarations(HOST);
    declare(&mut decls, text);
    decls
}

fn declare(decls: &mut Declarations, text: &str) {
    if let Err(errors) = decls.cdef(text.as_bytes(), &[]) {
        panic!("{errors}");
    }
}

fn ty(decls: &mut Declarations, text: &str) -> QualType {
    decls.parse_type(text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn record(decls: &mut Declarations, text: &str) -> RecordId {
    let ty = ty(decls, text);
    match *decls.table().shape(ty) {
        Type::Record(id) => id,
        ref other => panic!("{text} is {other:?}"),
    }
}

fn errors(decls: &mut Declarations, text: &str) -> Diagnostics {
    decls.cdef(text.as_bytes(), &[]).expect_err("the text is wrong")
}

fn first_lines(errors: &Diagnostics) -> Vec<String> {
    errors.iter().map(|d| format!("{}:{}: {}", d.line, d.column, d.message)).collect()
}

fn constant(decls: &Declarations, name: &str) -> Constant {
    match decls.lookup(name.as_bytes()) {
        Some(Decl::Constant { value, .. }) => *value,
        other => panic!("{name} is {other:?}"),
    }
}

fn function<'a>(decls: &'a Declarations, name: &str) -> &'a cthunk::ctype::Function {
    match decls.lookup(name.as_bytes()) {
        Some(Decl::Function { ty, .. }) => decls.table().function(*ty).expect("a function type"),
        other => panic!("{name} is {other:?}"),
    }
}

/// Runs a compiler's syntax check; `None` if it is not installed.
fn compiler_accepts(command: &str, text: &str, name: &str) -> Option<bool> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("the target folder is writable");
    std::fs::write(&file, text).expect("the target folder is writable");
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command");
    match Command::new(program).args(words).args(["-w", "-fsyntax-only"]).arg(&file).output() {
        Ok(output) => {
            if !output.status.success() && name.starts_with("accept") {
                eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            }
            Some(output.status.success())
        }
        Err(_) => {
            eprintln!("NOT TESTED: {name}: {program} is missing");
            assert!(std::env::var_os("CI").is_none(), "CI must have {program}");
            None
        }
    }
}

#[test]
fn accepted_by_the_compiler_and_by_us() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ctype/accept");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("the file is text");
        let mut lines = text.lines();
        let mut header = |key: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(key));
            line.unwrap_or_else(|| panic!("{name} says no {key}")).trim().to_owned()
        };
        let compiler = header("// compiler:");
        let target = header("// target:");
        if compiler_accepts(&compiler, &text, &format!("accept-{name}")) == Some(false) {
            wrong.push(format!("{name}: {compiler} refuses it"));
        }
        if let Err(errors) = declarations(&target).cdef(text.as_bytes(), &[]) {
            wrong.push(format!("{name}: {errors}"));
        }
        count += 1;
    }
    assert!(count >= 14, "only {count} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refused_by_the_compiler_and_by_us() {
    let list = include_str!("ctype/reject.txt").lines().filter(|line| !line.starts_with("# "));
    let mut text = String::new();
    let mut wrong = Vec::new();
    for line in list {
        let Some(expected) = line.strip_prefix("=> ") else {
            text.push_str(line);
            continue;
        };
        let (expected, only_here) = match expected.strip_suffix(" (only here)") {
            Some(expected) => (expected, true),
            None => (expected, false),
        };
        match declarations(HOST).cdef(text.as_bytes(), &[]) {
            Ok(()) => wrong.push(format!("{text}\n  is accepted")),
            Err(errors) => {
                let first = &first_lines(&errors)[0];
                if first != expected {
                    wrong.push(format!("{text}\n  says     {first}\n  expected {expected}"));
                }
            }
        }
        if !only_here
            && compiler_accepts("gcc -std=gnu11 -pedantic-errors", &text, "reject.c") == Some(true)
        {
            wrong.push(format!("{text}\n  is accepted by gcc"));
        }
        text.clear();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Errors

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
        "2:2: unknown type name 'size_tt'\n    \tsize_tt n;\n    \t^\n  \
         hint: declare it first, as in 'typedef struct size_tt size_tt;'"
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
                static const int C = 1; int old(void) __asm__(\"x\"); typedef int int8_t; oops x;";
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

// Redeclaration

#[test]
fn identical_redeclarations_are_free() {
    let text = "typedef struct { int a; struct { char b[3]; } c; enum { X, Y } d; } t; struct s { t *p; struct s *n; }; \
                enum e { A, B = 7 }; int f(t *, enum e); extern int v[4]; static const int C = 5; union u; union u { int i; };\n\
                #define D (C_MACRO_FREE_SUM)\n"
        .replace("C_MACRO_FREE_SUM", "3 + 4");
    let mut decls = declared(&text);
    let before: Vec<_> = decls.declarations().map(|(n, d)| (n.to_owned(), d.clone())).collect();
    declare(&mut decls, &text);
    declare(&mut decls, &text);
    let after: Vec<_> = decls.declarations().map(|(n, d)| (n.to_owned(), d.clone())).collect();
    assert_eq!(before, after);
}

#[test]
fn a_later_declaration_completes_an_earlier_one() {
    let decls = declared(
        "extern int a[]; extern int a[3]; extern int a[]; int f(); int f(int named); int g(void); \
         int g(void) __asm__(\"other\"); int g(void); void *h(void *p); void *h(void *p) __attribute__((nonnull));",
    );
    let Some(&Decl::Variable { ty, .. }) = decls.lookup(b"a") else { panic!("a variable") };
    assert_eq!(decls.table().layout_of(ty).map(|l| l.size), Some(12));
    assert_eq!(function(&decls, "f").params.len(), 1);
    assert!(
        matches!(decls.lookup(b"g"), Some(Decl::Function { symbol: Some(s), .. }) if &**s == "other")
    );
    assert_eq!(*function(&decls, "h").contracts, [Contract::NonNull { param: 0 }]);
}

#[test]
fn predeclared_names_give_way() {
    let mut decls = declarations(HOST);
    for name in
        ["size_t", "uint64_t", "wchar_t", "va_list", "bool", "intptr_t", "char32_t", "ssize_t"]
    {
        ty(&mut decls, name);
    }
    assert_eq!(ty(&mut decls, "int64_t"), ty(&mut decls, "long"));
    declare(
        &mut decls,
        "typedef unsigned short wchar_t; enum { false, true }; typedef int bool; typedef long ssize_t;",
    );
    assert_eq!(ty(&mut decls, "bool").id(), TypeId::INT);
    // From here on they are the program's.
    errors(&mut decls, "typedef int wchar_t;");
}

// Declarations

#[test]
fn functions_keep_symbol_and_parameter_names() {
    let mut decls = declared(
        "int f(int first, char *, double third) __asm__(\"g\"); int (*(*p)(int a))(int b);",
    );
    let names = |decls: &Declarations, name: &str| -> Vec<Option<String>> {
        let decl = decls.lookup(name.as_bytes()).expect("a declared name");
        let names = decls.parameter_names(decl).iter();
        names.map(|name| name.map(|name| decls.table().name(name).to_owned())).collect()
    };
    let some = |name: &str| Some(name.to_owned());
    let Some(Decl::Function { symbol, .. }) = decls.lookup(b"f") else { panic!("a function") };
    assert_eq!(symbol.as_deref(), Some("g"));
    assert_eq!(names(&decls, "f"), [some("first"), None, some("third")]);
    assert!(matches!(decls.lookup(b"p"), Some(Decl::Variable { .. })));

    // What was declared first stays; a type has no names to give.
    declare(
        &mut decls,
        "typedef int type(int of_the_type); type by_type; int f(int again, char *, double); \
         int old(); int old(int (*callback)(int inner), int last); int last(int a[sizeof(int (*)(int b))]);",
    );
    assert_eq!(names(&decls, "f"), [some("first"), None, some("third")]);
    assert_eq!(names(&decls, "by_type"), []);
    assert_eq!(names(&decls, "old"), [some("callback"), some("last")]);
    assert_eq!(names(&decls, "last"), [some("a")]);
}

#[test]
fn constants_have_types_and_values() {
    let decls = declared(
        "static const int A = -3; static const unsigned char B = 300; static const double C = 1.5; static const float D = 0.1; \
         constexpr long long E = 1LL << 40; enum { F = 7, G = 0xffffffffffffffff };\n\
         #define H 0x10u\n#define I (-2.5)\n#define J ((void *)-1)\n#define GUARD\n#define K 'a'\nstatic const long L = sizeof(int);",
    );
    let value = |name| constant(&decls, name);
    assert_eq!(value("A"), Constant::Int(-3));
    assert_eq!(value("B"), Constant::Int(44));
    assert_eq!(value("C"), Constant::Float(1.5));
    assert_eq!(value("D"), Constant::Float(f64::from(0.1_f32)));
    assert_eq!(value("E"), Constant::Int(1 << 40));
    assert_eq!(value("G"), Constant::Int(u64::MAX.into()));
    assert_eq!(value("H"), Constant::Int(16));
    assert_eq!(value("I"), Constant::Float(-2.5));
    assert_eq!(value("J"), Constant::Int(u64::MAX.into()));
    assert_eq!(value("K"), Constant::Int(97));
    assert_eq!(value("L"), Constant::Int(4));
    assert_eq!(decls.lookup(b"GUARD"), None);
    assert!(
        matches!(decls.lookup(b"J"), Some(Decl::Constant { ty, .. }) if ty.id() == TypeId::VOID_POINTER)
    );
}

#[test]
fn other_initialisers_are_skipped() {
    let decls = declared(
        "int a = 5, b[] = { 1, 2, (3) }, *c = &a; static const char *const names[] = { \"a;\", \"b}\" }; \
         struct { int x; } s = { .x = 1 }; static const struct { int y; } t = { 2 }; int after;",
    );
    for name in ["a", "b", "c", "names", "s", "t", "after"] {
        assert!(matches!(decls.lookup(name.as_bytes()), Some(Decl::Variable { .. })), "{name}");
    }
}

#[test]
fn records_have_scoped_constants() {
    let mut decls = declared(
        "struct s { static const int N = 4; int a; enum { X = 1, Y } kind; struct { enum { Z = 3 } deep; }; }; \
         struct uses { enum outer_e { Q = 9 } *p; };",
    );
    let id = record(&mut decls, "struct s");
    let find = |name: &str| {
        decls
            .table()
            .find_constant(id, decls.table().find_name(name.as_bytes())?)
            .map(|found| found.1)
    };
    assert_eq!(find("N"), Some(Constant::Int(4)));
    assert_eq!(find("Y"), Some(Constant::Int(2)));
    assert_eq!(find("Z"), Some(Constant::Int(3)));
    assert_eq!(find("Q"), None);
    let body = decls.table().record(id).body.as_ref().expect("complete");
    assert_eq!(body.layout.size, 12);
    assert_eq!(constant(&decls, "Q"), Constant::Int(9));
    assert_eq!(decls.lookup(b"N"), None);
}

#[test]
fn enumerators_are_found_by_name() {
    let mut decls = declared("enum e { A = 3, B, C = -1 }; enum f { D = 0xffffffffffffffff };");
    let e = ty(&mut decls, "enum e");
    let Type::Enum(id) = *decls.table().get(e.id()) else { panic!("an enum") };
    assert_eq!(decls.table().enum_value(id, b"B"), Some(4));
    assert_eq!(decls.table().enum_value(id, b"C"), Some(-1));
    assert_eq!(decls.table().enum_value(id, b"D"), None);
}

#[test]
fn members_are_found_through_anonymous_records() {
    let mut decls = declared(
        "struct s { int a; const struct { int b; union { long c; struct { char d : 4, e : 4; }; }; }; };",
    );
    let id = record(&mut decls, "struct s");
    let find =
        |name: &str| decls.table().find_member(id, decls.table().find_name(name.as_bytes())?);
    let c = find("c").expect("c is a member");
    assert_eq!((c.offset, c.ty.is_const()), (16, true));
    let e = find("e").and_then(|member| member.bits).expect("e is a bit-field");
    assert_eq!((e.shift, e.width), (4, 4));
    assert!(!find("a").expect("a is a member").ty.is_const());
    assert_eq!(find("f"), None);
}

// LuaJIT's own

#[test]
fn parameters_stand_for_types_integers_and_names() {
    let mut decls = declared("struct s { int a; };");
    let s = ty(&mut decls, "struct s");
    let params = [Param::Type(s), Param::Int(3), Param::Name(b"made"), Param::Name(b"field")];
    decls
        .cdef(b"typedef struct { $ inner[$]; } $; struct other { int $; };", &params)
        .expect("it is C");
    assert_eq!(ty(&mut decls, "made"), ty(&mut decls, "made"));
    let made = ty(&mut decls, "made");
    assert_eq!(decls.table().layout_of(made).map(|l| l.size), Some(12));
    let pointer = decls.parse_type(b"$ *", &[Param::Type(s)]).expect("it is C");
    assert_eq!(decls.table().repr(pointer), "struct s *");
    let big = decls.parse_type(b"char[$]", &[Param::Int(1 << 40)]).expect("it is C");
    assert_eq!(decls.table().layout_of(big).map(|l| l.size), Some(1 << 40));

    let mut message = |text: &str, params: &[Param<'_>]| {
        first_lines(&decls.parse_type(text.as_bytes(), params).expect_err("wrong")).join("\n")
    };
    assert_eq!(message("$", &[]), "1:1: '$' without a value");
    assert_eq!(
        message("int", &[Param::Int(1)]),
        "1:4: 1 values for '$' were given, but the text has 0"
    );
    assert_eq!(
        message("struct $ *", &[Param::Name(b"not a name")]),
        "1:8: the value of '$' is not an identifier"
    );
    assert_eq!(message("int[$]", &[Param::Type(s)]), "1:5: expected an expression before '$'");
}

#[test]
fn arrays_may_have_an_open_length() {
    let mut decls =
        declared("struct vls { int n; double d[?]; }; struct flexible { char n; short d[]; };");
    let open = ty(&mut decls, "int[?]");
    assert_eq!(*decls.table().get(open.id()), Type::Array(TypeId::INT.into(), ArrayLen::Variable));
    assert_eq!(decls.table().layout(open.id()), None);
    for (text, flexible, size) in
        [("struct vls", ArrayLen::Variable, 8), ("struct flexible", ArrayLen::Incomplete, 2)]
    {
        let id = record(&mut decls, text);
        let body = decls.table().record(id).body.as_ref().expect("complete");
        assert_eq!((body.flexible, body.layout.size), (Some(flexible), size), "{text}");
    }
}

#[test]
fn references_are_types() {
    let mut decls = declarations(HOST);
    let reference = ty(&mut decls, "int &");
    assert_eq!(*decls.table().get(reference.id()), Type::Reference(TypeId::INT.into()));
    assert_eq!(decls.table().layout(reference.id()).map(|l| l.size), Some(8));
    assert!(decls.parse_type(b"int &*", &[]).is_err());
}

#[test]
fn an_unknown_tag_is_declared() {
    let mut decls = declarations(HOST);
    let pointer = ty(&mut decls, "struct unknown *");
    declare(&mut decls, "struct unknown { int a; };");
    assert_eq!(ty(&mut decls, "struct unknown *"), pointer);
}

// Functions

#[test]
fn calling_conventions_belong_to_the_function_they_stand_at() {
    let decls = declared(
        "int __stdcall a(int); int (__fastcall *b)(int); int __attribute__((ms_abi)) c(int); void (*d)(int) __attribute__((sysv_abi)); \
         int (*__stdcall e(int))(double); int (__thiscall *(__cdecl *f)(int))(double); __attribute__((vectorcall)) int *g(void); \
         typedef int plain(int); plain __stdcall h; void i(void (__stdcall *callback)(int));",
    );
    let convention = |name: &str| match decls.lookup(name.as_bytes()) {
        Some(Decl::Function { ty, .. }) => decls.table().function(*ty).map(|f| f.convention),
        Some(Decl::Variable { ty, .. }) => match decls.table().get(ty.id()) {
            Type::Pointer(to) => decls.table().function(to.id()).map(|f| f.convention),
            _ => None,
        },
        _ => None,
    };
    let expected = [
        ("a", CallConv::Stdcall),
        ("b", CallConv::Fastcall),
        ("c", CallConv::MsAbi),
        ("d", CallConv::SysvAbi),
        ("e", CallConv::Stdcall),
        ("f", CallConv::Cdecl),
        ("g", CallConv::Vectorcall),
        ("h", CallConv::Stdcall),
        ("i", CallConv::Default),
    ];
    for (name, wanted) in expected {
        assert_eq!(convention(name), Some(wanted), "{name}");
    }
    let inner = |name: &str| {
        let function = match decls.lookup(name.as_bytes()) {
            Some(Decl::Function { ty, .. }) => decls.table().function(*ty),
            Some(Decl::Variable { ty, .. }) => match decls.table().get(ty.id()) {
                Type::Pointer(to) => decls.table().function(to.id()),
                _ => None,
            },
            _ => None,
        };
        let result = function.expect("a function").result;
        decls.table().repr(result)
    };
    assert_eq!(inner("e"), "int (*)(double)");
    assert_eq!(inner("f"), "int (__thiscall *)(double)");
    assert_eq!(decls.table().repr(function(&decls, "i").params[0]), "void (__stdcall *)(int)");
}

#[test]
fn promises_about_pointers_are_kept() {
    let decls = declared(
        "void *copy(void *d, const void *s, unsigned long n) __attribute__((nonnull(1, 2), access(write_only, 1, 3), access(read_only, 2, 3))); \
         int all(char *a, int b, char *c) __attribute__((nonnull)); int first(int a[static 4], int b[3]); int none(char *a) __attribute__((nonnull(7))); \
         __attribute__((nonnull(1))) int before(char *a); struct counted { int n; char *p __attribute__((counted_by(n))); };",
    );
    let nonnull = |param| Contract::NonNull { param };
    let access = |mode, param| Contract::Access { mode, param, size: Some(2) };
    assert_eq!(
        *function(&decls, "copy").contracts,
        [nonnull(0), nonnull(1), access(Access::WriteOnly, 0), access(Access::ReadOnly, 1)]
    );
    assert_eq!(*function(&decls, "all").contracts, [nonnull(0), nonnull(2)]);
    assert_eq!(*function(&decls, "first").contracts, [Contract::AtLeast { param: 0, count: 4 }]);
    assert_eq!(*function(&decls, "none").contracts, []);
    assert_eq!(*function(&decls, "before").contracts, [nonnull(0)]);
    let mut decls = decls;
    let id = record(&mut decls, "struct counted");
    let body = decls.table().record(id).body.as_ref().expect("complete");
    assert_eq!(body.members[1].counted_by, body.members[0].name);
}

#[test]
fn transparent_unions_are_marked() {
    let mut decls = declared("typedef union { int *i; } __attribute__((transparent_union)) u;");
    let id = record(&mut decls, "u");
    assert!(decls.table().record(id).body.as_ref().is_some_and(|body| body.transparent_union));
}

// Printing

#[test]
fn types_print_as_luajit_prints_them() {
    let mut decls = declared(
        "struct point { int x; }; enum e { A }; typedef struct { int a; } t; typedef int a16 __attribute__((aligned(16)));",
    );
    let same = [
        "int",
        "unsigned int",
        "char",
        "signed char",
        "unsigned char",
        "short",
        "unsigned short",
        "bool",
        "float",
        "double",
        "long double",
        "void *",
        "const char *",
        "char *const",
        "const int *const *",
        "struct point",
        "struct point *",
        "enum e",
        "int [3]",
        "int [2][3]",
        "char [?]",
        "int []",
        "int (*)[4]",
        "int *[4]",
        "int (*)(void)",
        "int (*)(const char *, ...)",
        "void (*(*)(int))(double)",
        "const volatile int",
        "int &",
        "complex",
        "float complex",
        "int ()",
        "float __attribute__((vector_size(16)))",
        "int (__stdcall *)(int)",
    ];
    for text in same {
        let parsed = ty(&mut decls, text);
        assert_eq!(decls.table().repr(parsed), text);
    }
    let different = [
        ("long long", "int64_t"),
        ("unsigned long", "uint64_t"),
        ("signed", "int"),
        ("_Bool", "bool"),
        ("double _Complex", "complex"),
        ("a16", "int"),
        ("int const", "const int"),
        ("uint8_t", "unsigned char"),
    ];
    for (text, printed) in different {
        let parsed = ty(&mut decls, text);
        assert_eq!(decls.table().repr(parsed), printed, "{text}");
    }
    let anonymous = ty(&mut decls, "t");
    assert_eq!(decls.table().repr(anonymous), format!("struct {}", anonymous.id().index()));
}

#[test]
fn declarations_parse_back_to_the_same_type() {
    let mut decls = declared(generate::PRELUDE);
    declare(&mut decls, "struct tagged { int a; }; union u; enum forward : short;");
    let mut random = generate::Random::new(42);
    for _ in 0..5_000 {
        let made = random_type(&mut decls, &mut random, 0);
        let name = if random.one_in(2) { "name" } else { "" };
        let text = decls.table().declare(made, name);
        let (parsed_name, parsed) = match decls.parse_one(text.as_bytes()) {
            Ok(parsed) => parsed,
            Err(errors) => panic!("{errors}"),
        };
        assert_eq!(parsed_name.map_or("", |name| decls.table().name(name)), name, "{text}");
        assert_eq!(parsed, made, "{text} came back as {}", decls.table().declare(parsed, name));
    }
}

/// A random type made without the parser.
fn random_type(decls: &mut Declarations, random: &mut generate::Random, depth: usize) -> QualType {
    let leaf = depth > 4 || random.one_in(3);
    let quals = [
        Quals::NONE,
        Quals::NONE,
        Quals::CONST,
        Quals::VOLATILE,
        Quals::CONST.with(Quals::VOLATILE),
    ];
    if leaf {
        let leaves = [
            "char",
            "signed char",
            "int",
            "unsigned",
            "long",
            "unsigned long",
            "__int128",
            "float",
            "double",
            "long double",
            "_Bool",
            "_Float16",
            "double _Complex",
            "float _Complex",
            "__float128",
            "struct tagged",
            "enum small",
            "float16v",
            "aligned_int",
            "packed_double",
            "aligned_array",
        ];
        let leaf = ty(decls, leaves[random.below(leaves.len())]);
        return decls.table_mut().qualify(leaf, *random.pick(&quals));
    }
    let inner = random_type(decls, random, depth + 1);
    let table = decls.table_mut();
    match random.below(4) {
        0 | 1 => {
            let mut quals = *random.pick(&quals);
            if random.one_in(6) {
                quals = quals.with(Quals::RESTRICT);
            }
            QualType::new(table.pointer_to(inner), quals)
        }
        2 => match table.get(inner.id()) {
            Type::Array(_, ArrayLen::Incomplete | ArrayLen::Variable) | Type::Function(_) => inner,
            _ if table.layout_of(inner).is_none_or(|l| l.size % l.align != 0) => inner,
            _ => {
                let len = match random.below(8) {
                    0 => ArrayLen::Incomplete,
                    1 => ArrayLen::Variable,
                    n => ArrayLen::Fixed(n as u64),
                };
                table.array_of(inner, len).into()
            }
        },
        _ => random_function(decls, random, inner, depth),
    }
}

fn random_function(
    decls: &mut Declarations,
    random: &mut generate::Random,
    inner: QualType,
    depth: usize,
) -> QualType {
    let returns = |decls: &Declarations, ty: QualType| {
        !matches!(decls.table().shape(ty), Type::Array(..) | Type::Function(_))
    };
    let result = if returns(decls, inner) { inner } else { TypeId::INT.into() };
    let mut params = Vec::new();
    for _ in 0..random.below(4) {
        let param = random_type(decls, random, depth + 1);
        if returns(decls, param) {
            params.push(QualType::from(param.id()));
        }
    }
    let conventions = [
        CallConv::Default,
        CallConv::Default,
        CallConv::Stdcall,
        CallConv::MsAbi,
        CallConv::Regparm(2),
    ];
    let mut contracts = Vec::new();
    for (param, &ty) in (0..).zip(&params) {
        if matches!(decls.table().get(ty.id()), Type::Pointer(_)) && random.one_in(3) {
            contracts.push(Contract::NonNull { param });
        }
    }
    let function = cthunk::ctype::Function {
        result,
        variadic: !params.is_empty() && random.one_in(4),
        unprototyped: params.is_empty() && random.one_in(2),
        params: params.into(),
        convention: *random.pick(&conventions),
        contracts: contracts.into(),
    };
    decls.table_mut().intern(Type::Function(Box::new(function))).into()
}

#[test]
fn one_declaration_is_read_with_or_without_its_end() {
    let mut decls = declarations(HOST);
    for (text, name, printed) in [
        ("int puts(const char *s);", Some("puts"), "int (const char *)"),
        ("int puts(const char *s)", Some("puts"), "int (const char *)"),
        ("const char *", None, "const char *"),
        ("struct s { int a; };", None, "struct s"),
        ("extern int x[3]", Some("x"), "int [3]"),
        ("int f(void) __asm__(\"g\");", Some("f"), "int (void)"),
    ] {
        let (found, ty) =
            decls.parse_one(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(found.map(|name| decls.table().name(name)), name, "{text}");
        assert_eq!(decls.table().repr(ty), printed, "{text}");
    }
    assert_eq!(decls.lookup(b"puts"), None);
    assert!(decls.parse_one(b"int a; int b;").is_err());
}

#[test]
fn a_layout_is_drawn() {
    let mut decls = declared(
        "struct s { char c; int a : 3, b : 7; union { double d; float f; } u; short last; char more[]; };",
    );
    let s = ty(&mut decls, "struct s");
    assert_eq!(
        layout_text(decls.table(), s),
        "struct s: 24 bytes, aligned to 8\n\
         \x20 offset  size\n\
         \x20      0     1  char c\n\
         \x20      1     1  int a : 3   bits 8..11 from byte 0\n\
         \x20      1     2  int b : 7   bits 11..18 from byte 0\n\
         \x20      3     5  (hole)\n\
         \x20      8     8  union {…} u\n\
         \x20      8     8    double d\n\
         \x20      8     4    float f\n\
         \x20     16     2  short last\n\
         \x20     18     0  char more[]\n\
         \x20     18     6  (padding)\n\
         \x20     24     +  (as many elements as allocated)\n"
    );
}

#[test]
fn the_documentation_names_tests_that_exist() {
    let tests = include_str!("ctype_language.rs");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ctype/accept");
    let rows = include_str!("../docs/c-language.md").lines().filter(|line| line.starts_with("| "));
    let mut checked = 0;
    for proof in
        rows.filter_map(|row| row.trim_end_matches('|').rsplit_once(" | ")).map(|row| row.1)
    {
        for name in proof.split('`').skip(1).step_by(2) {
            let exists = match name {
                file if file.ends_with(".h") => folder.join(file).exists(),
                path if path.contains('/') => {
                    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
                }
                test => tests.contains(&format!("fn {test}()")),
            };
            assert!(exists, "{name} is no test");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} names");
}

// Speed

#[test]
fn cost_is_linear_in_the_text() {
    let text = |count: usize| {
        let line = |i: usize| match i % 4 {
            0 => format!(
                "int function_{i}(const char *name, unsigned flags, struct object_{} *o);\n",
                i / 2
            ),
            1 => format!(
                "typedef struct node_{i} {{ int id; struct node_{i} *next; double v[4]; }} node_{i}_t;\n"
            ),
            2 => format!("enum color_{i} {{ RED_{i}, GREEN_{i} = 5 }};\n"),
            _ => format!("void *allocate_{i}(unsigned long size, int (*callback)(void *, int));\n"),
        };
        (0..count).map(line).collect::<String>()
    };
    let (small, large) = (text(1_000), text(100_000));
    let time = |text: &str| {
        let mut decls = declarations(HOST);
        let start = std::time::Instant::now();
        decls.cdef(text.as_bytes(), &[]).expect("it is C");
        start.elapsed()
    };
    // The fastest of several, as other processes only ever add time.
    let small = (0..10).map(|_| time(&small)).min().expect("ten runs");
    let large = (0..3).map(|_| time(&large)).min().expect("three runs");
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    println!("1,000 declarations {small:?}, 100,000 {large:?}: {ratio:.0} times");
    // 100 times the text; a quadratic cost would be 10,000. The rest is memory that no cache holds any more,
    // on a machine that other tests use.
    assert!(ratio < 1_000.0, "{ratio}");
}
