//! x86-64, System V.

use super::Callbacks;
use crate::abi;

/// The entry, with all argument and result registers of 64 and 128 bits.
macro_rules! entry {
    ($to:ident) => {
        $to! {
            ("", ".cfi_startproc"),
            ("f30f1efa", "endbr64"),
            ("55", "push rbp"),
            ("", ".cfi_def_cfa_offset 16"),
            ("", ".cfi_offset rbp, -16"),
            ("4889e5", "mov rbp, rsp"),
            ("", ".cfi_def_cfa_register rbp"),
            ("4881ec30010000", "sub rsp, 304"),
            ("48893c24", "mov [rsp + 0], rdi"),
            ("4889742408", "mov [rsp + 8], rsi"),
            ("4889542410", "mov [rsp + 16], rdx"),
            ("48894c2418", "mov [rsp + 24], rcx"),
            ("4c89442420", "mov [rsp + 32], r8"),
            ("4c894c2428", "mov [rsp + 40], r9"),
            ("0f29442450", "movaps [rsp + 80], xmm0"),
            ("0f294c2460", "movaps [rsp + 96], xmm1"),
            ("0f29542470", "movaps [rsp + 112], xmm2"),
            ("0f299c2480000000", "movaps [rsp + 128], xmm3"),
            ("0f29a42490000000", "movaps [rsp + 144], xmm4"),
            ("0f29ac24a0000000", "movaps [rsp + 160], xmm5"),
            ("0f29b424b0000000", "movaps [rsp + 176], xmm6"),
            ("0f29bc24c0000000", "movaps [rsp + 192], xmm7"),
            ("488d4510", "lea rax, [rbp + 16]"),
            ("4889842420010000", "mov [rsp + 288], rax"),
            ("4889e7", "mov rdi, rsp"),
            ("4c89de", "mov rsi, r11"),
            ("41ff5308", "call [r11 + 8]"),
            ("488b8424d0000000", "mov rax, [rsp + 208]"),
            ("488b9424d8000000", "mov rdx, [rsp + 216]"),
            ("0f288424e0000000", "movaps xmm0, [rsp + 224]"),
            ("0f288c24f0000000", "movaps xmm1, [rsp + 240]"),
            ("c9", "leave"),
            ("", ".cfi_def_cfa rsp, 8"),
            ("c3", "ret"),
            ("", ".cfi_endproc"),
        }
    };
}

#[allow(unused_imports, reason = "for a process of this processor")]
pub(in crate::code::host) use entry;

/// r11 is linkage code's.
macro_rules! stub {
    ($to:ident) => {
        $to! {
            ("4c8b1d09000000", "mov r11, [rip + 9]"),
            ("41ff23", "jmp [r11]"),
            ("cc", "int3"),
            ("cc", "int3"),
            ("cc", "int3"),
            ("cc", "int3"),
            ("cc", "int3"),
            ("cc", "int3"),
        }
    };
}

/// `mov eax, 8`, `jmp [rip + target]`, the displacement 0: a System V variadic call announces up to eight vector registers
/// in AL, which Cranelift never sets.
pub const VECTOR_COUNT_STUB: [u8; 11] = [0xB8, 8, 0, 0, 0, 0xFF, 0x25, 0, 0, 0, 0];

pub(in crate::code::host) static CALLBACKS: Callbacks = Callbacks {
    of: &abi::SYSV64,
    directive: ".intel_syntax noprefix",
    stub: stub!(lines),
    entry: entry!(lines),
};
