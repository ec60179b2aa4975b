//! Types back to text.

use cthunk::ctype::{
    ArrayLen, CallConv, Contract, Declarations, Layout, QualType, Quals, Type, TypeId, layout_text,
};

use super::{declare, declared, generate, ty};

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
        "complex float",
        "complex long double",
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

#[test]
fn a_packed_record_parses_back_to_the_same_layout() {
    let mut decls = declared(
        "typedef struct { char a; int b; } plain;\n#pragma pack(2)\n\
         typedef struct { char a; int b; struct { char c; int d; } e; plain f; } packed;",
    );
    // All but the first line, which has the number of the anonymous type.
    let drawn = |decls: &Declarations, ty: QualType| {
        let text = layout_text(decls.table(), ty);
        text.split_once('\n').map(|(_, members)| members.to_owned())
    };
    for (text, size, align) in [("packed", 20, 2), ("plain", 8, 4)] {
        let made = ty(&mut decls, text);
        assert_eq!(decls.table().layout_of(made), Some(Layout { size, align }), "{text}");
        let text = decls.table().declare(made, "name");
        let (_, parsed) = decls.parse_one(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(decls.table().layout_of(parsed), Some(Layout { size, align }), "{text}");
        assert_eq!(drawn(&decls, parsed), drawn(&decls, made), "{text}");
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
    let trusted = random.one_in(2);
    for (param, &ty) in (0..).zip(&params) {
        if matches!(decls.table().get(ty.id()), Type::Pointer(_)) && random.one_in(3) {
            contracts.push(match trusted {
                false => Contract::NonNull { param },
                true => Contract::Trusted { param },
            });
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
