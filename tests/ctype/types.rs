//! Types as data: what the declarations of a text become.

use cthunk::ctype::{
    Access, ArrayLen, CallConv, Contract, Decl, Declarations, Param, Type, TypeId,
};
use cthunk::target::Target;

use super::{HOST, declarations, declare, declared, first_lines, function, record, ty};

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
fn only_cdef_declares_a_tag_by_its_first_use() {
    let mut decls = declared("struct known; enum one { A };");
    let pointer = ty(&mut decls, "struct known *");
    for text in [
        "struct unknown",
        "struct unknown *",
        "enum unknown",
        "struct unknown { int a; }",
        "struct { union unknown *u; }",
        "int (*)(struct unknown *)",
    ] {
        let errors = decls.parse_type(text.as_bytes(), &[]).expect_err(text);
        let first = first_lines(&errors).swap_remove(0);
        assert!(first.ends_with(": undeclared or implicit tag 'unknown'"), "{text}: {first}");
    }
    ty(&mut decls, "struct known { int a; }");
    assert_eq!(ty(&mut decls, "struct known *"), pointer);
    declare(&mut decls, "struct unknown *u; int f(struct unknown *);");
    ty(&mut decls, "struct unknown *");
}

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
         __attribute__((nonnull(1))) int before(char *a); int text(const char *s) __attribute__((null_terminated_string_arg(1))); \
         int word(char *a, void *b) __attribute__((trusted(1, 2))); int apart(char *restrict a, const char *__restrict b, int *c); \
         const char *named(int) __attribute__((trusted(0))); struct counted { int n; char *p __attribute__((counted_by(n))); };",
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
    assert_eq!(*function(&decls, "text").contracts, [Contract::Terminated { param: 0 }]);
    let trusted = |param| Contract::Trusted { param };
    assert_eq!(*function(&decls, "word").contracts, [trusted(0), trusted(1)]);
    assert_eq!(*function(&decls, "named").contracts, [Contract::TrustedResult]);
    let restrict = |param| Contract::Restrict { param };
    assert_eq!(*function(&decls, "apart").contracts, [restrict(0), restrict(1)]);
    let mut decls = decls;
    let id = record(&mut decls, "struct counted");
    let body = decls.table().record(id).body.as_ref().expect("complete");
    assert_eq!(body.members[1].counted_by, body.members[0].name);
}

#[test]
fn transparent_unions_are_marked() {
    for (members, transparent) in [
        ("int *i; float *f;", true),
        ("struct { int a, b; } s; long l;", true),
        // As GCC and Clang, which ignore the attribute here.
        ("float f; int i;", false),
        ("int i; long l;", false),
    ] {
        let text = format!("typedef union {{ {members} }} __attribute__((transparent_union)) u;");
        let mut decls = declared(&text);
        let id = record(&mut decls, "u");
        let body = decls.table().record(id).body.as_ref();
        assert_eq!(body.map(|body| body.transparent_union), Some(transparent), "{members}");
    }
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
fn types_nest_to_a_limit_however_they_are_written() {
    let chain = |first: &str, link: &dyn Fn(usize) -> String| {
        let text: String = (1..5000).map(link).collect();
        let errors = declarations(HOST).cdef(format!("{first}{text}").as_bytes(), &[]);
        let errors = errors.expect_err("5000 levels are refused");
        let lines = first_lines(&errors);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("type nested deeper than 200 levels"), "{lines:?}");
    };
    for kind in ["struct", "union"] {
        for member in ["m", "m[1]"] {
            chain(&format!("{kind} s0 {{ int x; }};"), &|i| {
                format!("{kind} s{i} {{ {kind} s{} {member}; }};\n", i - 1)
            });
        }
        // Pointers end it.
        let link = |i| format!("{kind} s{i} {{ {kind} s{} *m; }};", i - 1);
        declared(&(1..5000).map(link).collect::<String>());
    }
    // The typedef is older than the body.
    chain("typedef int t0;", &|i| {
        format!(
            "typedef struct s{i} t{i} __attribute__((aligned(8))); struct s{i} {{ t{} m; }};\n",
            i - 1
        )
    });
    let links = [
        "OLD *NEW",
        "OLD (*NEW)(void)",
        "OLD NEW[1]",
        "void (*NEW)(OLD)",
        "OLD (*(*NEW)(void))[2]",
    ];
    for link in links {
        chain("typedef int t0;", &|i| {
            let link = link.replace("OLD", &format!("t{}", i - 1)).replace("NEW", &format!("t{i}"));
            format!("typedef {link};\n")
        });
    }
    chain("typedef int t0;", &|i| format!("typedef struct {{ t{} a; }} t{i};\n", i - 1));
}

#[test]
fn vectors_have_the_size_that_they_ask_for() {
    for shift in 0..=28 {
        let text = format!("char __attribute__((vector_size({})))", 1_u64 << shift);
        let mut decls = declarations(HOST);
        let vector = ty(&mut decls, &text);
        let layout = decls.table().layout_of(vector).expect("it has a size");
        assert_eq!((layout.size, layout.align), (1 << shift, 1 << shift), "{text}");
    }
    let mut decls = declarations(HOST);
    for (size, message) in [
        ("0x80000000", "number of vector components 2147483648 exceeds 2147483646"),
        ("1ull << 63", "number of vector components 9223372036854775808 exceeds 2147483646"),
        ("3", "vector size must be a power of two"),
        ("-16", "vector size must be a power of two"),
    ] {
        let text = format!("char __attribute__((vector_size({size})))");
        let errors = decls.parse_type(text.as_bytes(), &[]).expect_err("no vector");
        assert!(first_lines(&errors)[0].contains(message), "{size}: {errors}");
    }
}

/// Whether a function with an attribute can be called on a target, wherever and however the attribute is written.
fn called_with(attribute: &str, triple: &str) -> Result<(), String> {
    let target: Target = triple.parse().expect("the triple is known");
    let spellings = [
        "__attribute__((A)) int f(int);",
        "int f(int) __attribute__((__noinline__, A));",
        "[[gnu::A]] int f(int);",
        "__declspec(A) int f(int);",
        "int (__attribute__((A)) *p)(int);",
        "int __attribute__((A)) f(int);",
        "typedef int t(int) __attribute__((A));",
    ];
    let outcomes = spellings.map(|spelling| {
        let mut decls = Declarations::new(&target);
        let text = spelling.replace('A', attribute);
        if let Err(errors) = decls.cdef(text.as_bytes(), &[]) {
            return Err(errors.iter().next().expect("an error").message.clone());
        }
        let mut conventions = decls.table().ids().filter_map(|id| match decls.table().get(id) {
            Type::Function(function) => Some(function.convention),
            _ => None,
        });
        // An attribute behind a function makes another type of it.
        let last = conventions.by_ref().last().expect("a function type");
        let found = target.convention(last, false);
        found.map(|_| ()).map_err(|error| error.to_string())
    });
    for outcome in &outcomes {
        assert_eq!(*outcome, outcomes[0], "{attribute}");
    }
    outcomes[0].clone()
}

#[test]
fn an_attribute_that_changes_calls_is_refused_where_it_is_not_known() {
    let unsupported = [
        "preserve_none",
        "swiftcall",
        "swiftasynccall",
        "regcall",
        "aarch64_vector_pcs",
        "aarch64_sve_pcs",
        "pcs(\"aapcs\")",
        "interrupt",
        "interrupt(\"IRQ\")",
        "naked",
        "intel_ocl_bicc",
        "sseregparm",
        "callee_pop_aggregate_return(1)",
        "device",
        "m68k_rtd",
        "riscv_vector_cc",
        "__swiftcall__",
        "vectorcall",
        "pascal",
    ];
    let x86 = [HOST, "i686-unknown-linux-gnu", "x86_64-pc-windows-gnu"];
    let others =
        ["aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu", "aarch64-apple-darwin"];
    for target in x86.iter().chain(&others) {
        for attribute in unsupported {
            let error = called_with(attribute, target).expect_err(attribute);
            assert!(error.contains("is not supported on"), "{attribute} on {target}: {error}");
        }
        for attribute in [
            "preserve_most",
            "preserve_all",
            "no_caller_saved_registers",
            "target(\"avx2\")",
            "unknown(1, 2)",
            "cdecl",
        ] {
            assert_eq!(called_with(attribute, target), Ok(()), "{attribute} on {target}");
        }
        for attribute in [
            "pass_object_size(0)",
            "scalar_storage_order(\"big-endian\")",
            "address_space(1)",
            "swift_context",
        ] {
            called_with(attribute, target).expect_err(attribute);
        }
    }
    for target in others {
        assert!(called_with("sysv_abi", target).is_err(), "{target}");
    }
}

#[test]
fn machine_modes_make_vectors() {
    let mut decls = declarations(HOST);
    for (text, like) in [
        ("int __attribute__((mode(V4SI)))", "int __attribute__((vector_size(16)))"),
        (
            "unsigned char __attribute__((__mode__(__V16QI__)))",
            "unsigned char __attribute__((vector_size(16)))",
        ),
        ("float __attribute__((mode(V2SF)))", "float __attribute__((vector_size(8)))"),
        ("double __attribute__((mode(V2SF)))", "float __attribute__((vector_size(8)))"),
        ("int __attribute__((mode(V1TI)))", "__int128 __attribute__((vector_size(16)))"),
        ("float __attribute__((ext_vector_type(4)))", "float __attribute__((vector_size(16)))"),
    ] {
        assert_eq!(ty(&mut decls, text), ty(&mut decls, like), "{text}");
    }
    let oct = ty(&mut decls, "int __attribute__((mode(OI)))");
    assert_eq!(decls.table().layout_of(oct).map(|l| (l.size, l.align)), Some((32, 16)));
    for wrong in [
        "int __attribute__((mode(V4SF)))",
        "float __attribute__((mode(V4SI)))",
        "int __attribute__((mode(V3SI)))",
    ] {
        assert!(decls.parse_type(wrong.as_bytes(), &[]).is_err(), "{wrong}");
    }
}
