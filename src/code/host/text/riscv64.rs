//! riscv64.

use super::Callbacks;
use crate::abi;

/// The entry, with all argument and result registers of 64 and 128 bits.
macro_rules! entry {
    ($to:ident) => {
        $to! {
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
        }
    };
}

/// t1 and t2 carry no argument.
macro_rules! stub {
    ($to:ident) => {
        $to! {
            ("97030000", "auipc t2, 0"),
            ("03b30301", "ld t1, 16(t2)"),
            ("83330300", "ld t2, 0(t1)"),
            ("67800300", "jr t2"),
        }
    };
}

pub(super) static CALLBACKS: Callbacks = Callbacks {
    of: &abi::LP64D,
    directive: ".option norvc",
    stub: stub!(lines),
    entry: entry!(lines),
};
