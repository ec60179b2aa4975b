//! The machine code of emitted callbacks that no plan changes, as bytes beside their assembly.
//!
//! A callback is a *stub* that loads the address of its slot from the word behind it and jumps to the slot's *entry*, which saves
//! the argument registers into a block ([`crate::lower::registers`]), calls the slot's body with the block and the slot, and
//! loads the result registers. `cli/tests/qemu.rs` assembles the text and compares the bytes.

use crate::abi::Convention;

/// An instruction: its bytes in hexadecimal, in the order of memory, and its text.
pub type Line = (&'static str, &'static str);

/// The code of the callbacks of some conventions.
#[derive(Debug)]
pub struct Callbacks {
    /// Names of conventions.
    pub conventions: &'static [&'static str],
    /// What an assembler is told before the text.
    pub directive: &'static str,
    /// Loads the slot's address, the 8 bytes behind it, and jumps to the entry.
    pub stub: &'static [Line],
    /// Saves, calls, restores, returns.
    pub entry: &'static [Line],
}

/// All that can be emitted.
pub static CALLBACKS: &[Callbacks] = &[
    Callbacks {
        conventions: &["aapcs64", "aapcs64-apple", "aapcs64-windows"],
        directive: "",
        stub: AARCH64_STUB,
        entry: AARCH64_ENTRY,
    },
    Callbacks {
        conventions: &["lp64d"],
        directive: ".option norvc",
        stub: RISCV64_STUB,
        entry: RISCV64_ENTRY,
    },
    Callbacks {
        conventions: &["sysv64"],
        directive: ".intel_syntax noprefix",
        stub: X86_64_STUB,
        entry: X86_64_ENTRY,
    },
];

/// The callbacks of a convention.
pub(super) fn of(convention: &Convention) -> Option<&'static Callbacks> {
    CALLBACKS.iter().find(|callbacks| callbacks.conventions.contains(&convention.name))
}

/// The bytes of some lines.
pub fn bytes(lines: &[Line]) -> Vec<u8> {
    let byte = |hex: &[u8]| hex.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit));
    lines.iter().flat_map(|(hex, _)| hex.as_bytes().chunks(2).map(byte)).collect()
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    }
}

/// x17 and x16 are linkage code's ("IP1" and "IP0", AAPCS64 section 6.1.1).
static AARCH64_STUB: &[Line] = &[
    ("91000058", "ldr x17, .+16"),
    ("300240f9", "ldr x16, [x17]"),
    ("00021fd6", "br x16"),
    ("1f2003d5", "nop"),
];

static AARCH64_ENTRY: &[Line] = &[
    ("fd7bbfa9", "stp x29, x30, [sp, #-16]!"),
    ("fd030091", "mov x29, sp"),
    ("ffc304d1", "sub sp, sp, #304"),
    ("e00700a9", "stp x0, x1, [sp]"),
    ("e20f01a9", "stp x2, x3, [sp, #16]"),
    ("e41702a9", "stp x4, x5, [sp, #32]"),
    ("e61f03a9", "stp x6, x7, [sp, #48]"),
    ("e82300f9", "str x8, [sp, #64]"),
    ("e08702ad", "stp q0, q1, [sp, #80]"),
    ("e28f03ad", "stp q2, q3, [sp, #112]"),
    ("e49704ad", "stp q4, q5, [sp, #144]"),
    ("e69f05ad", "stp q6, q7, [sp, #176]"),
    ("a0430091", "add x0, x29, #16"),
    ("e09300f9", "str x0, [sp, #288]"),
    ("e0030091", "mov x0, sp"),
    ("e10311aa", "mov x1, x17"),
    ("290640f9", "ldr x9, [x17, #8]"),
    ("20013fd6", "blr x9"),
    ("e0074da9", "ldp x0, x1, [sp, #208]"),
    ("e00747ad", "ldp q0, q1, [sp, #224]"),
    ("e20f48ad", "ldp q2, q3, [sp, #256]"),
    ("bf030091", "mov sp, x29"),
    ("fd7bc1a8", "ldp x29, x30, [sp], #16"),
    ("c0035fd6", "ret"),
];

/// t1 and t2 carry no argument.
static RISCV64_STUB: &[Line] = &[
    ("97030000", "auipc t2, 0"),
    ("03b30301", "ld t1, 16(t2)"),
    ("83330300", "ld t2, 0(t1)"),
    ("67800300", "jr t2"),
];

static RISCV64_ENTRY: &[Line] = &[
    ("130101ec", "addi sp, sp, -320"),
    ("233c1112", "sd ra, 312(sp)"),
    ("23388112", "sd s0, 304(sp)"),
    ("13040114", "addi s0, sp, 320"),
    ("2330a100", "sd a0, 0(sp)"),
    ("2334b100", "sd a1, 8(sp)"),
    ("2338c100", "sd a2, 16(sp)"),
    ("233cd100", "sd a3, 24(sp)"),
    ("2330e102", "sd a4, 32(sp)"),
    ("2334f102", "sd a5, 40(sp)"),
    ("23380103", "sd a6, 48(sp)"),
    ("233c1103", "sd a7, 56(sp)"),
    ("2738a104", "fsd fa0, 80(sp)"),
    ("2730b106", "fsd fa1, 96(sp)"),
    ("2738c106", "fsd fa2, 112(sp)"),
    ("2730d108", "fsd fa3, 128(sp)"),
    ("2738e108", "fsd fa4, 144(sp)"),
    ("2730f10a", "fsd fa5, 160(sp)"),
    ("2738010b", "fsd fa6, 176(sp)"),
    ("2730110d", "fsd fa7, 192(sp)"),
    ("23308112", "sd s0, 288(sp)"),
    ("13050100", "mv a0, sp"),
    ("93050300", "mv a1, t1"),
    ("83338300", "ld t2, 8(t1)"),
    ("e7800300", "jalr t2"),
    ("0335010d", "ld a0, 208(sp)"),
    ("8335810d", "ld a1, 216(sp)"),
    ("0735010e", "fld fa0, 224(sp)"),
    ("8735010f", "fld fa1, 240(sp)"),
    ("83308113", "ld ra, 312(sp)"),
    ("03340113", "ld s0, 304(sp)"),
    ("13010114", "addi sp, sp, 320"),
    ("67800000", "ret"),
];

/// r11 is linkage code's.
static X86_64_STUB: &[Line] = &[
    ("4c8b1d09000000", "mov r11, [rip + 9]"),
    ("41ff23", "jmp [r11]"),
    ("cc", "int3"),
    ("cc", "int3"),
    ("cc", "int3"),
    ("cc", "int3"),
    ("cc", "int3"),
    ("cc", "int3"),
];

static X86_64_ENTRY: &[Line] = &[
    ("55", "push rbp"),
    ("4889e5", "mov rbp, rsp"),
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
    ("c3", "ret"),
];
