//! AArch64.

use super::Callbacks;
use crate::abi;

/// The entry, with all argument and result registers of 64 and 128 bits.
macro_rules! entry {
    ($to:ident) => {
        $to! {
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
        }
    };
}

/// x17 and x16 are linkage code's ("IP1" and "IP0", AAPCS64 section 6.1.1).
macro_rules! stub {
    ($to:ident) => {
        $to! {
            ("91000058", "ldr x17, .+16"),
            ("300240f9", "ldr x16, [x17]"),
            ("00021fd6", "br x16"),
            ("1f2003d5", "nop"),
        }
    };
}

pub(super) static CALLBACKS: Callbacks =
    Callbacks { of: &abi::AAPCS64, directive: "", stub: stub!(lines), entry: entry!(lines) };
