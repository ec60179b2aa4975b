//! The Microsoft x64 calling convention ("x64 calling convention", learn.microsoft.com).

use super::signature::scalar;
use super::{
    Backend, Bank, Class, Convention, Extension, Registers, Role, Scalar, Type, Unsupported,
    Variadic, Width, registers,
};

/// x86-64 Windows; `__attribute__((ms_abi))` elsewhere.
pub static WIN64: Convention = Convention {
    name: "win64",
    source: "Microsoft x64 calling convention",
    arguments: Registers {
        int: registers!(Int: "rcx" "rdx" "r8" "r9"),
        float: registers!(Float: "xmm0" "xmm1" "xmm2" "xmm3"),
    },
    results: Registers { int: registers!(Int: "rax"), float: registers!(Float: "xmm0") },
    positional: true,
    slot: 8,
    shadow: 32,
    stack_align: 16,
    variadic: Variadic::FloatsAsInts,
    classify,
    backend: Backend::WindowsFastcall,
};

/// "Varargs": a floating-point value for `...` goes to the integer register, where `va_arg` looks.
fn classify(ty: &Type, role: Role) -> Result<Class, Unsupported> {
    match scalar(ty, WIN64.name)? {
        Class::Scalar(s) if s.bank == Bank::Float && role == Role::Variable => {
            Ok(Class::Scalar(Scalar {
                bank: Bank::Int,
                width: Width::W64,
                extension: Extension::None,
            }))
        }
        class => Ok(class),
    }
}
