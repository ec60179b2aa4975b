//! The Microsoft x64 calling convention ("x64 calling convention", learn.microsoft.com).

use super::ty::scalar;
use super::{
    Backend, Bank, Class, Convention, Extension, Kind, Otherwise, Part, Registers, Role, Scalar,
    Type, Unsupported, Width, registers,
};
use crate::ctype::CallConv;

/// x86-64 Windows; `__attribute__((ms_abi))` elsewhere.
pub static WIN64: Convention = Convention {
    name: "win64",
    source: "Microsoft x64 calling convention",
    architecture: "x86_64",
    default_on: &["x86_64-msvc", "x86_64-mingw", "x86_64-gnullvm"],
    keyword: Some(CallConv::MsAbi),
    arguments: Registers {
        int: registers!(Int: "rcx" "rdx" "r8" "r9"),
        float: registers!(Float: "xmm0" "xmm1" "xmm2" "xmm3"),
        x87: &[],
    },
    results: Registers { int: registers!(Int: "rax"), float: registers!(Float: "xmm0"), x87: &[] },
    indirect_result: None,
    positional: true,
    slot: 8,
    shadow: 32,
    stack_align: 16,
    variable_on_stack: false,
    vector_count: false,
    classify,
    backend: Backend::WindowsFastcall,
};

fn classify(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    match scalar(ty) {
        // "Varargs": a floating-point value for `...` goes to the integer register, where `va_arg` looks.
        Some(_) if ty.kind == Kind::Float && role == Role::Variable => {
            Ok(Class::scalar(integer(8), ty.size))
        }
        Some(class) => Ok(class),
        // Microsoft's C has no empty structs: GCC and Clang pass them as structs of an odd size, GCC returns nothing.
        None if ty.size == 0 && role == Role::Result => Ok(Class::Ignore),
        None => aggregate(ty, role),
    }
}

/// "Structs and unions of size 8, 16, 32, or 64 bits, and __m64 types, are passed as if they were integers of the same size.
/// Structs or unions of other sizes are passed as a pointer to memory allocated by the caller." GCC and Clang treat a complex
/// number as a struct, `__int128` as an `__m128`, and x87 and quad numbers as structs, as results too.
fn aggregate(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    let result = role == Role::Result;
    match (&ty.kind, ty.size) {
        // Microsoft has no half; as Clang has it, it is a floating-point value.
        (Kind::OtherFloat(_), 2) if role != Role::Variable => Ok(float(Width::W32, 2)),
        // "…including the __m128, __m128i, __m128d … types, are returned in XMM0."
        (Kind::Vector(_) | Kind::Int128(_), 16) if result => Ok(float(Width::W128, 16)),
        (Kind::Vector(_), 32) if result => {
            let half = |offset, width| float_part(offset, width, 16);
            let parts = [half(0, Width::W128), half(16, Width::Upper128)];
            Ok(Class::parts(parts, Otherwise::Memory { align: 32 }))
        }
        (Kind::Vector(_), 33..) if result => Err(ty.wide_vector(WIN64.name)),
        (_, size @ (1 | 2 | 4 | 8)) => Ok(Class::scalar(integer(size), size)),
        _ => Ok(Class::Pointer),
    }
}

fn float(width: Width, bytes: u32) -> Class {
    let part = float_part(0, width, bytes);
    Class::scalar(part.scalar, bytes)
}

fn float_part(offset: u32, width: Width, bytes: u32) -> Part {
    let extension = if bytes < width.bytes() { Extension::Zero } else { Extension::None };
    Part { offset, bytes, scalar: Scalar { bank: Bank::Float, width, extension } }
}

fn integer(bytes: u32) -> Scalar {
    let extension = if bytes < 8 { Extension::Zero } else { Extension::None };
    Scalar { bank: Bank::Int, width: Width::W64, extension }
}
