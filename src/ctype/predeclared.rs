//! Names that need no declaration.

use super::decls::Declarations;
use super::parse::Parser;
use super::source::Source;
use super::{Constant, Decl, IntKind, QualType, TypeId};
use crate::target::{BitFieldRule, Compiler, DataModel, VaList};

/// The predeclared names of a target.
pub(super) fn declare(model: &'static DataModel) -> Declarations {
    let mut decls = Declarations::empty(model);
    let types = types(model);
    let named = types.iter().map(|&(name, ty)| (name.to_owned(), ty));
    for (name, ty) in named.chain(type_macros(&types)) {
        let name = decls.table.names.intern(&name);
        decls.push(name, Decl::Typedef(ty.into()), 0);
    }
    let bool = QualType::from(TypeId::BOOL);
    let constants =
        [("true", bool, 1), ("false", bool, 0), ("nullptr", TypeId::VOID_POINTER.into(), 0)];
    for (name, ty, value) in constants {
        let name = decls.table.names.intern(name);
        decls.push(name, Decl::Constant { ty, value: Constant::Int(value) }, 0);
    }
    for (name, kind, value) in limits(model) {
        let name = decls.table.names.intern(&name);
        let ty = TypeId::int(kind).into();
        decls.push(name, Decl::Constant { ty, value: Constant::Int(value) }, 0);
    }
    let text: &[u8] = match model.va_list {
        VaList::Pointer => b"typedef char *__builtin_va_list;",
        VaList::SysV64 => {
            b"typedef struct __va_list_tag { unsigned gp_offset, fp_offset; \
              void *overflow_arg_area, *reg_save_area; } __builtin_va_list[1];"
        }
        VaList::Aapcs64 => {
            b"typedef struct __va_list { void *__stack, *__gr_top, *__vr_top; \
              int __gr_offs, __vr_offs; } __builtin_va_list;"
        }
    };
    let alias = b"typedef __builtin_va_list __gnuc_va_list, va_list;";
    for text in [text, alias] {
        let parsed = Parser::new(&mut decls, Source::plain(text), &[]).translation_unit();
        debug_assert!(parsed.is_ok(), "{parsed:?}");
    }
    decls
}

/// Whether a program may declare a predeclared name as something else. It may for C23's keywords, which C11 takes from `<stdbool.h>` or does
/// not have, and for names on which C libraries disagree. Another type for other names would change the functions of every header.
pub(super) fn gives_way(name: &str) -> bool {
    matches!(name, "bool" | "true" | "false" | "nullptr" | "nullptr_t" | "char8_t")
        || name.starts_with("int_fast")
        || name.starts_with("uint_fast")
}

fn types(model: &DataModel) -> Vec<(&'static str, TypeId)> {
    use IntKind::{I8, I16, I32, I64, U8, U16, U32, U64};
    let word = if model.pointer == 8 { (I64, U64) } else { (I32, U32) };
    // glibc's fast types are words, Microsoft's and Apple's the smallest.
    let windows = model.bit_fields == BitFieldRule::Ms;
    let small = windows || model.compiler != Compiler::Gcc;
    let fast16 = if small { (I16, U16) } else { word };
    let fast32 = if small { (I32, U32) } else { word };
    let pairs = [
        ("int8_t", "uint8_t", (I8, U8)),
        ("int16_t", "uint16_t", (I16, U16)),
        ("int32_t", "uint32_t", (I32, U32)),
        ("int64_t", "uint64_t", (I64, U64)),
        ("int_least8_t", "uint_least8_t", (I8, U8)),
        ("int_least16_t", "uint_least16_t", (I16, U16)),
        ("int_least32_t", "uint_least32_t", (I32, U32)),
        ("int_least64_t", "uint_least64_t", (I64, U64)),
        ("int_fast8_t", "uint_fast8_t", (I8, U8)),
        ("int_fast16_t", "uint_fast16_t", fast16),
        ("int_fast32_t", "uint_fast32_t", fast32),
        ("int_fast64_t", "uint_fast64_t", (I64, U64)),
        ("intmax_t", "uintmax_t", (I64, U64)),
        ("intptr_t", "uintptr_t", word),
        ("ssize_t", "size_t", word),
        ("ptrdiff_t", "char16_t", (word.0, U16)),
        ("wchar_t", "char32_t", (model.wchar, U32)),
    ];
    let integers = pairs.iter().flat_map(|&(signed, unsigned, (s, u))| {
        [(signed, TypeId::int(s)), (unsigned, TypeId::int(u))]
    });
    let others =
        [("char8_t", TypeId::int(U8)), ("bool", TypeId::BOOL), ("nullptr_t", TypeId::VOID_POINTER)];
    // GCC's names; not of every target.
    let wide =
        [("__int128_t", TypeId::int(IntKind::I128)), ("__uint128_t", TypeId::int(IntKind::U128))];
    let wide = wide.into_iter().filter(|_| model.int128);
    integers.chain(others).chain(wide).collect()
}

/// The macros of GCC and Clang for types, `__SIZE_TYPE__` for `size_t`.
fn type_macros(types: &[(&'static str, TypeId)]) -> Vec<(String, TypeId)> {
    let no_macros = ["ssize_t", "char8_t", "bool", "nullptr_t", "__int128_t", "__uint128_t"];
    let macros = types.iter().filter(|(name, _)| !no_macros.contains(name));
    let macros = macros.map(|(name, ty)| {
        (format!("__{}_TYPE__", name.trim_end_matches("_t").to_uppercase()), *ty)
    });
    macros.collect()
}

/// Their macros for the limits of types, with the type of each.
fn limits(model: &DataModel) -> Vec<(String, IntKind, i128)> {
    use IntKind::{I8, I16, I32, I64, U8, U16, U32, U64};
    let (pointer, long, int) = (u32::from(model.pointer), u32::from(model.long), I32);
    let of = |size, signed| IntKind::of(size, signed).unwrap_or(int);
    let max = |kind: IntKind| (1_i128 << (kind.size() * 8 - u32::from(kind.is_signed(true)))) - 1;
    let (word, unsigned_word) = (of(pointer, true), of(pointer, false));
    let bounds = [
        ("SCHAR", I8),
        ("SHRT", I16),
        ("INT", I32),
        ("LONG", of(long, true)),
        ("LONG_LONG", I64),
        ("WCHAR", model.wchar),
        ("PTRDIFF", word),
        ("SIZE", unsigned_word),
        ("INTMAX", I64),
        ("UINTMAX", U64),
        ("INT8", I8),
        ("INT16", I16),
        ("INT32", I32),
        ("INT64", I64),
        ("UINT8", U8),
        ("UINT16", U16),
        ("UINT32", U32),
        ("UINT64", U64),
        ("INTPTR", word),
        ("UINTPTR", unsigned_word),
    ];
    // The value of a macro has the type after promotion.
    let promoted = |kind: IntKind| if kind.size() < 4 { I32 } else { kind };
    let bounds = bounds.map(|(name, kind)| (format!("__{name}_MAX__"), promoted(kind), max(kind)));
    let long_double = u32::from(model.long_double.1);
    let sizes = [
        ("SHORT", 2),
        ("INT", 4),
        ("LONG", long),
        ("LONG_LONG", 8),
        ("FLOAT", 4),
        ("DOUBLE", 8),
        ("LONG_DOUBLE", long_double),
        ("POINTER", pointer),
        ("SIZE_T", pointer),
        ("PTRDIFF_T", pointer),
        ("WCHAR_T", model.wchar.size()),
    ];
    let wide = [("INT128", 16)].into_iter().filter(|_| model.int128);
    let sizes = sizes.into_iter().chain(wide);
    let sizes = sizes.map(|(name, size)| (format!("__SIZEOF_{name}__"), int, size.into()));
    let others = [
        ("__CHAR_BIT__", 8),
        ("__BIGGEST_ALIGNMENT__", model.biggest_align.into()),
        ("__ORDER_LITTLE_ENDIAN__", 1234),
        ("__ORDER_BIG_ENDIAN__", 4321),
        ("__BYTE_ORDER__", 1234),
    ];
    let others = others.map(|(name, value)| (name.to_owned(), int, value));
    bounds.into_iter().chain(sizes).chain(others).collect()
}
