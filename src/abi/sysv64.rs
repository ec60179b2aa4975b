//! System V AMD64 psABI 1.0, section 3.2.3 "Parameter Passing".

use super::signature::scalar;
use super::{Backend, Class, Convention, Registers, Role, Type, Unsupported, Variadic, registers};

/// x86-64 on everything but Windows; `__attribute__((sysv_abi))` there.
pub static SYSV64: Convention = Convention {
    name: "sysv64",
    source: "System V AMD64 psABI, section 3.2.3",
    arguments: Registers {
        int: registers!(Int: "rdi" "rsi" "rdx" "rcx" "r8" "r9"),
        float: registers!(Float: "xmm0" "xmm1" "xmm2" "xmm3" "xmm4" "xmm5" "xmm6" "xmm7"),
    },
    results: Registers {
        int: registers!(Int: "rax" "rdx"),
        float: registers!(Float: "xmm0" "xmm1"),
    },
    positional: false,
    slot: 8,
    shadow: 0,
    stack_align: 16,
    variadic: Variadic::VectorCount,
    classify,
    backend: Backend::SystemV,
};

fn classify(ty: &Type, _role: Role) -> Result<Class, Unsupported> {
    scalar(ty, SYSV64.name)
}
