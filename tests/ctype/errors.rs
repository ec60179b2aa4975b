//! Errors: what they say, and what they leave behind.

use cthunk::ctype::{Constant, Decl, Declarations, Type, TypeId};

use super::{HOST, constant, declarations, declare, declared, errors, first_lines, ty};

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
