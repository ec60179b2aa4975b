//! The shims of random functions of every 32-bit convention, decoded again: only known instructions, the stack balanced where
//! they return, and no access outside of the Frame, the stack arguments and the caller's own.
#![cfg(all(feature = "fuzz-abi", unix))]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[path = "shims/executed.rs"]
mod executed;

use cthunk::abi::CallPlan;
use cthunk::fuzz::platform::PLATFORMS;
use cthunk::fuzz::{Batch, Generator, shape};
use cthunk::lower::x86::{call_shim, callback_shim};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

/// The memory that a shim may touch: a range of bytes from each base register.
struct Limits {
    /// From EBP: what the caller pushed, and the registers that are saved there.
    ebp: std::ops::Range<i64>,
    /// From the aligned ESP.
    esp: std::ops::Range<i64>,
    /// From ESI, the Frame of a call.
    esi: std::ops::Range<i64>,
    /// Where ESP must be at the end, from where it was at the start.
    end: i64,
    popped: u32,
}

/// Follows the one path of a shim. ESP is known from the start on, or only as "aligned" between `and` and the `lea` from EBP.
fn follow(code: &[u8], limits: &Limits) -> Result<(), String> {
    let (mut esp, mut ebp) = (Some(0i64), None);
    let mut decoder = Decoder::new(32, code, DecoderOptions::NONE);
    let mut calls = 0;
    while decoder.can_decode() {
        let instruction = decoder.decode();
        let at = || format!("{:#x}: {instruction:?}", instruction.ip());
        if instruction.is_invalid() {
            return Err(at());
        }
        access(&instruction, limits).map_err(|error| format!("{error} at {}", at()))?;
        match (instruction.code(), instruction.op0_register()) {
            (Code::Retnd | Code::Retnd_imm16, _) => {
                let popped =
                    if instruction.code() == Code::Retnd { 0 } else { instruction.immediate16() };
                let rest = decoder.position() < code.len();
                return match (esp, u32::from(popped), rest, calls) {
                    (Some(esp), popped, false, 1)
                        if esp == limits.end && popped == limits.popped =>
                    {
                        Ok(())
                    }
                    state => Err(format!("returns with {state:?}")),
                };
            }
            (Code::Push_r32, _) => esp = esp.map(|esp| esp - 4),
            (Code::Pop_r32, _) => esp = esp.map(|esp| esp + 4),
            (Code::And_rm32_imm8, Register::ESP) => esp = None,
            (Code::Sub_rm32_imm32, Register::ESP) => {
                esp = esp.map(|esp| esp - i64::from(instruction.immediate32()));
            }
            (Code::Mov_r32_rm32, Register::EBP) => ebp = esp,
            (Code::Lea_r32_m, Register::ESP) => {
                let base = if instruction.memory_base() == Register::EBP { ebp } else { esp };
                esp = base.map(|base| base + displacement(&instruction));
            }
            (Code::Call_rm32, _) => calls += 1,
            (_, Register::ESP) => return Err(format!("changes esp at {}", at())),
            _ => {}
        }
    }
    Err("it does not return".into())
}

fn displacement(instruction: &Instruction) -> i64 {
    i64::from(instruction.memory_displacement32() as i32)
}

/// Whether a memory operand is where it may be.
fn access(instruction: &Instruction, limits: &Limits) -> Result<(), String> {
    let memory = (0..instruction.op_count()).any(|i| instruction.op_kind(i) == OpKind::Memory);
    if !memory || instruction.mnemonic() == Mnemonic::Lea {
        return Ok(());
    }
    let from = displacement(instruction);
    let to = from + instruction.memory_size().size() as i64;
    let limits = match instruction.memory_base() {
        Register::EBP => &limits.ebp,
        Register::ESP => &limits.esp,
        Register::ESI => &limits.esi,
        // The slot of a callback: its dispatcher.
        Register::EAX if instruction.code() == Code::Call_rm32 => return Ok(()),
        other => return Err(format!("through {other:?}")),
    };
    match limits.start <= from && to <= limits.end {
        true => Ok(()),
        false => Err(format!("{from}..{to} is outside of {limits:?}")),
    }
}

fn check(plan: &CallPlan) -> Result<(), String> {
    let (frame, stack) = (i64::from(plan.frame.size), i64::from(plan.stack_bytes));
    let call = Limits { ebp: 8..16, esp: 0..stack, esi: 0..frame, end: 0, popped: 0 };
    follow(&call_shim(plan).map_err(|e| e.to_string())?, &call)
        .map_err(|e| format!("call: {e}"))?;
    // The slot that the stub pushed lies below the return address.
    let callback =
        Limits { ebp: 4..12 + stack, esp: 0..16 + frame, esi: 0..0, end: 4, popped: plan.popped };
    follow(&callback_shim(plan, 8).map_err(|e| e.to_string())?, &callback)
        .map_err(|e| format!("callback: {e}"))
}

fn option(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn shims_are_balanced_and_stay_inside() {
    let (cases, seed) = (option("CTHUNK_CASES", 300), option("CTHUNK_SEED", 1));
    for platform in PLATFORMS.iter().filter(|platform| platform.is_guest()) {
        let mut generator = Generator::new(platform, seed);
        let cases: Vec<_> = (0..cases).map(|_| generator.case()).collect();
        let batch = Batch::parse(&shape::header(&cases), platform).unwrap();
        for prototype in &batch.prototypes {
            if let Err(error) = check(&prototype.plan) {
                let (name, what) = (platform.convention.name, batch.describe(prototype));
                panic!("{name}: {what}\n{error}\nCTHUNK_SEED={seed}");
            }
        }
    }
    println!("{cases} functions of each 32-bit convention, CTHUNK_SEED={seed}");
}
