//! Names and the things that they stand for: functions, constants, members; declaring them again.

use cthunk::ctype::{
    Constant, Contract, Decl, Declarations, IntKind, Redeclared, ScopeId, Type, TypeId,
};

use super::{HOST, constant, declarations, declare, declared, errors, function, record, ty};

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
        "typedef int wchar_t; enum { false, true }; typedef int bool; typedef long ssize_t; typedef int int_fast16_t;",
    );
    assert_eq!(ty(&mut decls, "bool").id(), TypeId::INT);
    assert_eq!(ty(&mut decls, "int_fast16_t").id(), TypeId::INT);
    // From here on they are the program's.
    errors(&mut decls, "typedef char bool;");
}

#[test]
fn a_predeclared_type_keeps_its_meaning() {
    let mut decls = declarations(HOST);
    let inner = decls.add_scope(ScopeId::ROOT);
    for scope in [ScopeId::ROOT, inner] {
        let decls = decls.enter(scope).expect("it is there");
        for text in [
            "typedef unsigned int size_t;",
            "int size_t(int);",
            "extern int va_list;",
            "typedef short wchar_t;",
        ] {
            let errors = errors(decls, text).to_string();
            assert!(
                errors.contains("conflicting declaration of ")
                    && errors.contains("\n  predeclared: typedef "),
                "{errors}"
            );
        }
        declare(
            decls,
            "typedef unsigned long size_t; typedef long int64_t; typedef __builtin_va_list va_list;",
        );
    }
}

#[test]
fn a_redeclaration_may_be_ignored_as_in_luajit() {
    let mut decls = declared(
        "int f(int); typedef int t; extern int v; enum e { K }; struct s { int a; }; static const int C = 1;",
    );
    decls.on_redeclaration(Redeclared::Ignored);
    declare(
        &mut decls,
        "double f(double); typedef double t; extern char *v; int t(void); typedef char f, v; \
         typedef unsigned int size_t; typedef int va_list; int two(int); int two(long);",
    );
    assert_eq!(function(&decls, "f").result.id(), TypeId::INT);
    assert_eq!(function(&decls, "two").params[0].id(), TypeId::INT);
    assert_eq!(ty(&mut decls, "t").id(), TypeId::INT);
    assert_eq!(ty(&mut decls, "size_t").id(), TypeId::int(IntKind::U64));
    assert!(
        matches!(decls.lookup(b"v"), Some(Decl::Variable { ty, .. }) if ty.id() == TypeId::INT)
    );
    // LuaJIT: "attempt to redefine".
    for text in [
        "enum { K = 5 };",
        "struct s { int a, b; };",
        "union s { int a; };",
        "static const int C = 2;",
        "enum e { L };",
        "int K(void);",
    ] {
        errors(&mut decls, text);
    }
    decls.on_redeclaration(Redeclared::Refused);
    errors(&mut decls, "double f(double);");
}

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

    // The names of the first declaration stay; a typedef of a function type gives no names.
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
    for name in ["a", "b", "c", "s", "after"] {
        assert!(matches!(decls.lookup(name.as_bytes()), Some(Decl::Variable { .. })), "{name}");
    }
    for name in ["names", "t"] {
        assert!(matches!(decls.lookup(name.as_bytes()), Some(Decl::Static(_))), "{name}");
    }
}

#[test]
fn a_static_variable_is_no_symbol() {
    let decls = declared(
        "static int n; static int n; extern int n; static int list[]; static int list[3];",
    );
    assert!(matches!(decls.lookup(b"n"), Some(Decl::Static(_))));
    let Some(Decl::Static(list)) = decls.lookup(b"list") else { panic!("a variable") };
    assert_eq!(decls.table().layout_of(*list).map(|layout| layout.size), Some(12));
    let other = errors(&mut declared("extern int e;"), "static int e;").to_string();
    assert!(other.contains("conflicting declaration of 'e'"), "{other}");
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
