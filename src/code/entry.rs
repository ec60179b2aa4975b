//! Native entry points of callbacks: fixed machine code, one for each convention of the host.
//!
//! A stub of `stubs` loads the address of its [`Slot`] into R11, which every x86-64 convention leaves to
//! linkage code, and jumps here. The entry saves the argument registers into a [`Registers`] block, calls the
//! slot's compiled body, and loads the result registers from the block.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use crate::abi::{CallPlan, Convention, FrameLayout, Unsupported};
use crate::error::Error;
use crate::lower::{Native, registers};

/// What an entry saves and restores, the vector registers where the function uses some; the offsets are those of [`crate::lower::registers`].
#[derive(Default)]
#[repr(C, align(16))]
pub struct Registers {
    pub(super) int: [u64; 10],
    pub(super) float: [[u64; 2]; 8],
    pub(super) result_int: [u64; 2],
    pub(super) result_float: [[u64; 2]; 4],
    /// The address of the first stack argument.
    pub(super) stack: u64,
    /// Not 0 where the call uses a 256-bit register, whose upper half is in what follows.
    pub(super) wide: u64,
    pub(super) upper: [[u64; 2]; 8],
    pub(super) result_upper: [u64; 2],
}

impl Registers {
    /// All of it, at the offsets of [`crate::lower::registers`].
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: plain numbers with no padding (the sizes above add up), of which every byte may have any value.
        unsafe {
            std::slice::from_raw_parts_mut(ptr::from_mut(self).cast(), size_of::<Registers>())
        }
    }
}

const _: () = {
    assert!(offset_of!(Registers, int) == registers::INT as usize);
    assert!(offset_of!(Registers, float) == registers::FLOAT as usize);
    assert!(offset_of!(Registers, result_int) == registers::RESULT_INT as usize);
    assert!(offset_of!(Registers, result_float) == registers::RESULT_FLOAT as usize);
    assert!(offset_of!(Registers, stack) == registers::STACK as usize);
    assert!(offset_of!(Registers, wide) == registers::WIDE as usize);
    assert!(offset_of!(Registers, upper) == registers::UPPER as usize);
    assert!(offset_of!(Registers, result_upper) == registers::RESULT_UPPER as usize);
    assert!(size_of::<Registers>() == registers::WIDE_SIZE as usize);
};

/// One callback: the data behind a stub. Creating, changing and freeing a callback writes this and nothing else.
#[repr(C)]
pub struct Slot {
    /// One of this file's entry points; the stub jumps through it.
    pub(super) entry: *const c_void,
    /// The compiled body of the callback's shape.
    pub(super) body: *const c_void,
    /// Called by the body with this slot and the Frame.
    pub dispatch: unsafe extern "C" fn(*const Slot, *mut u8),
    /// The dispatcher's own; it stays when the callback is freed, so that a late call can say what it called.
    pub data: *const c_void,
    /// Drops `data` when another callback takes the slot.
    pub(super) drop: unsafe fn(*const c_void),
    /// The plan that an interpreted body reads; null where the body is compiled.
    pub(super) plan: *const CallPlan,
    /// Not 0: the callback takes or returns 256-bit registers.
    pub(super) wide: u64,
    /// The dispatcher's own.
    pub owner: AtomicUsize,
    /// The calls that are in the dispatcher and do not belong to the owner: no other callback takes the slot meanwhile.
    pub visitors: AtomicU32,
    /// Whether the callback is in use.
    pub(super) used: AtomicBool,
}

impl Slot {
    /// Where the entry's address is in an emitted slot.
    pub const ENTRY: u32 = offset_of!(Slot, entry) as u32;
    /// Where the body's address is.
    pub const BODY: u32 = offset_of!(Slot, body) as u32;
}

/// Where a callback body finds its dispatcher in the slot.
pub const DISPATCH_OFFSET: i32 = offset_of!(Slot, dispatch) as i32;

/// Where a 32-bit callback shim finds the gate in the slot: there `body` is the gate and `entry` the shim.
pub(super) const GATE_OFFSET: u32 = offset_of!(Slot, body) as u32;
/// Where a 32-bit stub finds its shim in the slot.
pub(super) const ENTRY_OFFSET: u32 = offset_of!(Slot, entry) as u32;

/// The registers that an entry must keep, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first two integer registers, which are the Frame: the entry calls the dispatcher itself.
    TwoPassed,
    /// The integer registers, which are the Frame.
    IntegersPassed,
    /// All, which are the Frame.
    AllPassed,
    /// The integer registers, for a body.
    Integers,
    /// All, for a body.
    All,
}

impl Keep {
    /// For a body of a plan.
    pub(super) fn for_body(plan: &CallPlan) -> Keep {
        if plan.has_vectors() { Keep::All } else { Keep::Integers }
    }

    /// Where what is kept of a plan is the Frame.
    pub(super) fn passed(plan: &CallPlan, frame: &FrameLayout) -> Keep {
        let in_two = |&offset: &u32| (registers::INT..registers::INT + 16).contains(&offset);
        match plan.has_vectors() {
            true => Keep::AllPassed,
            false if frame.arguments.iter().all(in_two) => Keep::TwoPassed,
            false => Keep::IntegersPassed,
        }
    }
}

/// The entry point for callbacks of a convention, if the host can be called so.
pub(super) fn entry_point(convention: &Convention, keep: Keep) -> Option<*const c_void> {
    #[cfg(all(target_arch = "x86_64", not(windows)))]
    {
        use crate::abi::Backend;
        Some(match convention.backend {
            _ if !runs(convention) => return None,
            Backend::SystemV => match keep {
                Keep::TwoPassed => sysv64_two_passed as *const c_void,
                Keep::IntegersPassed => sysv64_integers_passed as *const c_void,
                Keep::AllPassed => sysv64_passed as *const c_void,
                Keep::Integers => sysv64_integers as *const c_void,
                Keep::All => sysv64 as *const c_void,
            },
            Backend::WindowsFastcall => win64 as *const c_void,
            Backend::X86(_) => return None,
        })
    }
    #[cfg(not(all(target_arch = "x86_64", not(windows))))]
    {
        let _ = (convention, keep);
        None
    }
}

/// Whether the host's processor is the convention's.
pub fn runs(convention: &Convention) -> bool {
    convention.architecture == std::env::consts::ARCH
}

/// Whether the host's processor has registers of 256 bits: those of AVX.
pub fn has_wide_registers() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Whether the host's processor has the registers of a plan.
pub(super) fn has_registers(plan: &CallPlan) -> bool {
    !plan.is_wide() || has_wide_registers()
}

/// The error for a plan whose registers the host does not have.
pub(super) fn check_registers(plan: &CallPlan) -> Result<(), Unsupported> {
    match has_registers(plan) {
        true => Ok(()),
        false => Err(Unsupported {
            what: "a 32-byte vector by value, on a processor without AVX,".into(),
            convention: plan.convention.name,
        }),
    }
}

/// The error for a convention that the host cannot be called by.
pub(super) fn not_here(convention: &Convention) -> Error {
    let target = target_lexicon::Triple::host().to_string();
    Error::Convention { asked: convention.name, target }
}

/// The error for a convention that has no native exit: its calls need a thunk.
pub(super) fn not_interpreted(convention: &Convention) -> Error {
    Error::codegen(format!("convention {} has no interpreter here", convention.name))
}

/// What thunks call for results on the x87 stack, and for calls of a convention that Cranelift cannot make.
pub(super) fn native(convention: &Convention) -> Native {
    let exit = super::exit::exit(convention).map_or(0, |exit| exit as usize);
    #[cfg(all(target_arch = "x86_64", not(windows)))]
    return Native {
        pop_x87: pop_x87 as *const () as usize,
        push_x87: push_x87 as *const () as usize,
        exit,
    };
    #[cfg(not(all(target_arch = "x86_64", not(windows))))]
    Native { exit, ..Native::default() }
}

/// Pops st0 into 10 bytes of memory. Naked: nothing else touches the x87 stack.
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pop_x87(_memory: &mut [u64; 2]) {
    std::arch::naked_asm!("fstp tbyte ptr [rdi]", "ret")
}

/// Elsewhere nothing is on an x87 stack.
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
pub(super) unsafe extern "C" fn pop_x87(_: &mut [u64; 2]) {}

/// Pushes 10 bytes of memory onto the x87 stack.
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn push_x87(_memory: &[u64; 2]) {
    std::arch::naked_asm!("fld tbyte ptr [rdi]", "ret")
}

/// Elsewhere nothing is on an x87 stack.
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
pub(super) unsafe extern "C" fn push_x87(_: &[u64; 2]) {}

/// The upper half of YMM0, where the result has one.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! wide_result {
    () => {
        concat!(
            "cmp qword ptr [rsp + {wide}], 0\n",
            "je 3f\n",
            "vinsertf128 ymm0, ymm0, [rsp + {result_upper}], 1\n",
            "3:\n",
        )
    };
}

/// An entry point for System V callers; the pieces of assembly keep the registers after the first two, call, and load those of the
/// result.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! system_v {
    (
        $(#[$doc:meta])* $name:ident,
        keep: [$($keep:expr,)*], call: [$($call:expr,)*], load: [$($load:expr,)*], $($operands:tt)*
    ) => {
        $(#[$doc])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            std::arch::naked_asm!(
                ".cfi_startproc",
                "endbr64",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                "sub rsp, {size}",
                "mov [rsp + {int}], rdi",
                "mov [rsp + {int} + 8], rsi",
                $($keep,)*
                $($call,)*
                "mov rax, [rsp + {result_int}]",
                $($load,)*
                "leave",
                ".cfi_def_cfa rsp, 8",
                "ret",
                ".cfi_endproc",
                int = const registers::INT,
                result_int = const registers::RESULT_INT,
                $($operands)*
            )
        }
    };
}

/// Calls the slot's body.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! call_body {
    () => {
        concat!(
            // Above the saved RBP and the return address.
            "lea rax, [rbp + 16]\n",
            "mov [rsp + {stack}], rax\n",
            "mov rdi, rsp\n",
            "mov rsi, r11\n",
            "call [r11 + {body}]\n",
        )
    };
}

/// Calls the slot's dispatcher.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! call_dispatcher {
    () => {
        concat!("mov rdi, r11\n", "mov rsi, rsp\n", "call [r11 + {dispatch}]\n")
    };
}

/// Keeps the other integer registers.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! keep_integers {
    () => {
        concat!(
            "mov [rsp + {int} + 16], rdx\n",
            "mov [rsp + {int} + 24], rcx\n",
            "mov [rsp + {int} + 32], r8\n",
            "mov [rsp + {int} + 40], r9\n",
        )
    };
}

/// Keeps the vector registers.
#[cfg(all(target_arch = "x86_64", not(windows)))]
macro_rules! keep_vectors {
    () => {
        concat!(
            "movaps [rsp + {float}], xmm0\n",
            "movaps [rsp + {float} + 16], xmm1\n",
            "movaps [rsp + {float} + 32], xmm2\n",
            "movaps [rsp + {float} + 48], xmm3\n",
            "movaps [rsp + {float} + 64], xmm4\n",
            "movaps [rsp + {float} + 80], xmm5\n",
            "movaps [rsp + {float} + 96], xmm6\n",
            "movaps [rsp + {float} + 112], xmm7\n",
        )
    };
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
system_v! {
    /// [`Keep::TwoPassed`]
    sysv64_two_passed,
    keep: [],
    call: [call_dispatcher!(),],
    load: [],
    size = const registers::SIZE,
    dispatch = const DISPATCH_OFFSET,
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
system_v! {
    /// [`Keep::IntegersPassed`]
    sysv64_integers_passed,
    keep: [keep_integers!(),],
    call: [call_dispatcher!(),],
    load: [],
    size = const registers::SIZE,
    dispatch = const DISPATCH_OFFSET,
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
system_v! {
    /// [`Keep::AllPassed`]: no upper halves are used, and no second register of the result.
    sysv64_passed,
    keep: [keep_integers!(), keep_vectors!(),],
    call: [call_dispatcher!(),],
    load: ["movaps xmm0, [rsp + {result_float}]",],
    size = const registers::SIZE,
    float = const registers::FLOAT,
    result_float = const registers::RESULT_FLOAT,
    dispatch = const DISPATCH_OFFSET,
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
system_v! {
    /// [`Keep::Integers`]
    sysv64_integers,
    keep: [keep_integers!(),],
    call: [call_body!(),],
    load: ["mov rdx, [rsp + {result_int} + 8]",],
    size = const registers::SIZE,
    stack = const registers::STACK,
    body = const offset_of!(Slot, body),
}

#[cfg(all(target_arch = "x86_64", not(windows)))]
system_v! {
    /// [`Keep::All`]
    sysv64,
    keep: [
        keep_integers!(),
        keep_vectors!(),
        "mov rax, [r11 + {slot_wide}]",
        "mov [rsp + {wide}], rax",
        "test rax, rax",
        "jz 2f",
        "vextractf128 [rsp + {upper}], ymm0, 1",
        "vextractf128 [rsp + {upper} + 16], ymm1, 1",
        "vextractf128 [rsp + {upper} + 32], ymm2, 1",
        "vextractf128 [rsp + {upper} + 48], ymm3, 1",
        "vextractf128 [rsp + {upper} + 64], ymm4, 1",
        "vextractf128 [rsp + {upper} + 80], ymm5, 1",
        "vextractf128 [rsp + {upper} + 96], ymm6, 1",
        "vextractf128 [rsp + {upper} + 112], ymm7, 1",
        "vzeroupper",
        "2:",
    ],
    call: [call_body!(),],
    load: [
        "mov rdx, [rsp + {result_int} + 8]",
        "movaps xmm0, [rsp + {result_float}]",
        "movaps xmm1, [rsp + {result_float} + 16]",
        wide_result!(),
    ],
    size = const registers::WIDE_SIZE,
    float = const registers::FLOAT,
    stack = const registers::STACK,
    wide = const registers::WIDE,
    upper = const registers::UPPER,
    result_float = const registers::RESULT_FLOAT,
    result_upper = const registers::RESULT_UPPER,
    slot_wide = const offset_of!(Slot, wide),
    body = const offset_of!(Slot, body),
}

/// Microsoft x64 callers: RDI, RSI and XMM6 to XMM15 are theirs, and the body, a System V function, may change them.
#[cfg(all(target_arch = "x86_64", not(windows)))]
#[unsafe(naked)]
unsafe extern "C" fn win64() {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "endbr64",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, {size} + 176",
        "mov [rsp + {size} + 160], rdi",
        "mov [rsp + {size} + 168], rsi",
        "movaps [rsp + {size}], xmm6",
        "movaps [rsp + {size} + 16], xmm7",
        "movaps [rsp + {size} + 32], xmm8",
        "movaps [rsp + {size} + 48], xmm9",
        "movaps [rsp + {size} + 64], xmm10",
        "movaps [rsp + {size} + 80], xmm11",
        "movaps [rsp + {size} + 96], xmm12",
        "movaps [rsp + {size} + 112], xmm13",
        "movaps [rsp + {size} + 128], xmm14",
        "movaps [rsp + {size} + 144], xmm15",
        "mov [rsp + {int}], rcx",
        "mov [rsp + {int} + 8], rdx",
        "mov [rsp + {int} + 16], r8",
        "mov [rsp + {int} + 24], r9",
        "movaps [rsp + {float}], xmm0",
        "movaps [rsp + {float} + 16], xmm1",
        "movaps [rsp + {float} + 32], xmm2",
        "movaps [rsp + {float} + 48], xmm3",
        "mov rax, [r11 + {slot_wide}]",
        "mov [rsp + {wide}], rax",
        // Above the saved RBP, the return address and the shadow space.
        "lea rax, [rbp + 48]",
        "mov [rsp + {stack}], rax",
        "mov rdi, rsp",
        "mov rsi, r11",
        "call [r11 + {body}]",
        "mov rax, [rsp + {result_int}]",
        "movaps xmm0, [rsp + {result_float}]",
        wide_result!(),
        "movaps xmm6, [rsp + {size}]",
        "movaps xmm7, [rsp + {size} + 16]",
        "movaps xmm8, [rsp + {size} + 32]",
        "movaps xmm9, [rsp + {size} + 48]",
        "movaps xmm10, [rsp + {size} + 64]",
        "movaps xmm11, [rsp + {size} + 80]",
        "movaps xmm12, [rsp + {size} + 96]",
        "movaps xmm13, [rsp + {size} + 112]",
        "movaps xmm14, [rsp + {size} + 128]",
        "movaps xmm15, [rsp + {size} + 144]",
        "mov rdi, [rsp + {size} + 160]",
        "mov rsi, [rsp + {size} + 168]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        size = const registers::WIDE_SIZE,
        int = const registers::INT,
        float = const registers::FLOAT,
        stack = const registers::STACK,
        wide = const registers::WIDE,
        result_upper = const registers::RESULT_UPPER,
        slot_wide = const offset_of!(Slot, wide),
        result_int = const registers::RESULT_INT,
        result_float = const registers::RESULT_FLOAT,
        body = const offset_of!(Slot, body),
    )
}
