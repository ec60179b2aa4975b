//! Every instruction of the i686 shims matters, and every rule of their conventions: each is broken once, and somebody notices.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

#[path = "support/campaigns.rs"]
mod campaigns;
#[path = "../../tests/gate/guest.rs"]
mod guest;
#[path = "../../tests/shims/machine.rs"]
mod machine;

use std::fmt::Write;

use cthunk::code::gate::image::Image;
use cthunk::fuzz::compiler::Compiler;
use cthunk::fuzz::mutants::{Mutant, x86};
use cthunk::lower::x86::{call_shim, callback_shim};
use guest::needs;
use guest::{Function, function, gate_is_open};
use iced_x86::{
    Code, Decoder, DecoderOptions, Encoder, Formatter, Instruction, NasmFormatter, OpKind, Register,
};
use machine::{Machine, Verdict};

/// Functions whose shims have every kind of instruction, by target.
const FUNCTIONS: [(&str, &str); 14] = [
    ("i686-unknown-linux-gnu", "int f(signed char, unsigned short, _Bool, int)"),
    ("i686-unknown-linux-gnu", "long long __stdcall f(short, long long, unsigned char)"),
    ("i686-unknown-linux-gnu", "signed char __fastcall f(signed char, unsigned short, int)"),
    ("i686-unknown-linux-gnu", "unsigned short __thiscall f(void *, double)"),
    ("i686-unknown-linux-gnu", "float __fastcall f(float, unsigned char, short)"),
    ("i686-unknown-linux-gnu", "double __stdcall f(void)"),
    ("i686-unknown-linux-gnu", "long double f(long double, int)"),
    ("i686-unknown-linux-gnu", "struct { char c[13]; } f(struct { char c[5]; })"),
    ("i686-unknown-linux-gnu", "struct { int n[3]; } __stdcall f(int, struct { int n[40]; }, int)"),
    (
        "i686-unknown-linux-gnu",
        "__attribute__((regparm(3))) int f(signed char, struct { short s[3]; }, int)",
    ),
    ("i686-pc-windows-gnu", "struct { float f; } __fastcall f(struct { short s; }, int)"),
    ("i686-pc-windows-gnullvm", "struct { short s; } __stdcall f(int, struct { int n[20]; }, int)"),
    ("i686-pc-windows-msvc", "struct { int n[3]; } __thiscall f(void *, int)"),
    (
        "i686-pc-windows-msvc",
        "struct { char c; } __fastcall f(struct { int n[2]; }, signed char, int)",
    ),
];

/// The machine code of a shim as instructions; shims have no jumps, so that each can change its length.
fn decode(code: &[u8]) -> Vec<Instruction> {
    Decoder::new(32, code, DecoderOptions::NONE).into_iter().collect()
}

fn encode(instructions: &[Instruction]) -> Option<Vec<u8>> {
    let mut encoder = Encoder::new(32);
    for instruction in instructions {
        encoder.encode(instruction, 0).ok()?;
    }
    Some(encoder.take_buffer())
}

/// The instructions that a mistake could write instead of `of`.
fn mistakes(of: &Instruction) -> Vec<Instruction> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Instruction)| {
        let mut other = *of;
        change(&mut other);
        found.push(other);
    };
    for operand in 0..of.op_count() {
        match of.op_kind(operand) {
            OpKind::Memory => with(&|other| {
                other.set_memory_displacement64(of.memory_displacement64().wrapping_add(4));
                other.set_memory_displ_size(1);
            }),
            OpKind::Register => {
                let next = match of.op_register(operand) {
                    Register::EAX => Register::ECX,
                    Register::ECX => Register::EDX,
                    Register::EDX => Register::EAX,
                    Register::ESI => Register::EDI,
                    Register::EDI => Register::ESI,
                    _ => continue,
                };
                with(&|other| other.set_op_register(operand, next));
            }
            OpKind::Immediate16 => with(&|other| other.set_immediate16(of.immediate16() + 4)),
            OpKind::Immediate32 if of.code() == Code::Sub_rm32_imm32 => {
                let less = of.immediate32().checked_sub(16);
                less.into_iter().for_each(|less| with(&|other| other.set_immediate32(less)));
            }
            OpKind::Immediate32 => with(&|other| other.set_immediate32(of.immediate32() - 1)),
            _ => {}
        }
    }
    const PAIRS: [(Code, Code); 6] = [
        (Code::Movsx_r32_rm8, Code::Movzx_r32_rm8),
        (Code::Movsx_r32_rm16, Code::Movzx_r32_rm16),
        (Code::Movzx_r32_rm8, Code::Mov_r32_rm32),
        (Code::Movzx_r32_rm16, Code::Mov_r32_rm32),
        (Code::Fstp_m32fp, Code::Fstp_m64fp),
        (Code::Fld_m32fp, Code::Fld_m64fp),
    ];
    for (one, other) in PAIRS {
        match of.code() {
            code if code == one => with(&|instruction| instruction.set_code(other)),
            code if code == other && one != Code::Movzx_r32_rm8 && one != Code::Movzx_r32_rm16 => {
                with(&|instruction| instruction.set_code(one));
            }
            _ => {}
        }
    }
    found
}

/// Every shim with one instruction left out or mistaken, and what is wrong with it.
fn mutants(code: &[u8]) -> Vec<(String, Vec<u8>)> {
    let instructions = decode(code);
    let mut mutants = Vec::new();
    for (i, instruction) in instructions.iter().enumerate() {
        let mut with = |other: Option<Instruction>| {
            let mut all = instructions.clone();
            all.splice(i..=i, other);
            let what = other.map_or("left out".to_owned(), |other| text(&other));
            let bytes = encode(&all).filter(|bytes| bytes != code);
            mutants.extend(bytes.map(|b| (format!("{i}: {}: {what}", text(instruction)), b)));
        };
        with(None);
        mistakes(instruction).into_iter().for_each(|mistake| with(Some(mistake)));
    }
    mutants
}

fn text(instruction: &Instruction) -> String {
    let mut text = String::new();
    NasmFormatter::new().format(instruction, &mut text);
    text
}

/// Whether a run in a child process, which may crash or hang, ends as it should.
fn survives(run: impl FnOnce() -> Verdict) -> bool {
    // SAFETY: the child runs guest code and compares memory; it never returns from here.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0, "no child process");
        if child == 0 {
            let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
            libc::dup2(null, libc::STDERR_FILENO);
            libc::alarm(5);
            let verdict = run();
            libc::_exit(i32::from(verdict.is_err()));
        }
        let mut status = 0;
        libc::waitpid(child, &raw mut status, 0);
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
    }
}

/// Whether the broken instruction makes no difference where it is.
fn is_equivalent(shim: &str, what: &str) -> bool {
    const EQUIVALENT: [&str; 5] = [
        // After a string copy the callback needs neither register any more: its caller's are on the stack.
        "mov eax,esi",
        "mov edx,edi",
        "mov esi,eax",
        "mov edi,edx",
        // Without a copy EDI still is the caller's.
        "pop edi: pop esi",
    ];
    shim == "callback" && EQUIVALENT.iter().any(|mistake| what.contains(mistake))
}

#[test]
fn every_instruction_of_a_shim_matters() {
    let compiler = guest::Compiler::flavour("gcc-linux");
    if !gate_is_open() || !compiler.is_here() {
        return;
    }
    let machine = Machine::new(compiler, "machine_mutants");
    let (mut count, mut survivors) = (0, Vec::new());
    for (triple, declaration) in FUNCTIONS {
        let Function { signature, plan, .. } = function(&triple.parse().unwrap(), declaration, &[]);
        let mut consider = |shim: &str, what: String, survived: bool| {
            count += 1;
            if survived && !is_equivalent(shim, &what) {
                survivors.push(format!("{declaration}: {shim} shim: {what}"));
            }
        };
        let code = call_shim(&plan).unwrap();
        let image = Image::of_code(&code).unwrap();
        assert_eq!(machine.call(&signature, &plan, &image), Ok(()), "{declaration}: call");
        for (what, code) in mutants(&code) {
            let image = Image::of_code(&code).unwrap();
            consider("call", what, survives(|| machine.call(&signature, &plan, &image)));
        }
        let code = callback_shim(&plan, Machine::DISPATCHER).unwrap();
        let stub = machine.stub(&code);
        assert_eq!(machine.callback(&signature, &plan, &stub), Ok(()), "{declaration}: callback");
        for (what, code) in mutants(&code) {
            let stub = machine.stub(&code);
            consider("callback", what, survives(|| machine.callback(&signature, &plan, &stub)));
        }
    }
    println!("{count} mutants of {} shims", 2 * FUNCTIONS.len());
    assert!(survivors.is_empty(), "nobody noticed:\n{}", survivors.join("\n"));
}

/// The oracles and directions that see a broken rule in random functions: in a few, or else in more.
fn caught_by(mutant: &Mutant) -> Vec<String> {
    // One compiler is enough; where there are two, the second imitates the first.
    let (name, command) = campaigns::platform(mutant).compilers[0];
    let host = campaigns::host(mutant, vec![Compiler::with(name, command).unwrap()]);
    let mut caught = [60, 2000].into_iter().map(|n| campaigns::caught_in(mutant, &host, n));
    caught.find(|caught| !caught.is_empty()).unwrap_or_default()
}

#[test]
fn a_broken_rule_is_found() {
    if gate_is_open() && guest::Compiler::flavour("gcc-linux").is_here() {
        let mutant = Mutant::of("fastcall-registers-swapped").unwrap();
        assert_eq!(caught_by(mutant), ["i686-linux-gnu-gcc call", "i686-linux-gnu-gcc callback"]);
    }
}

/// All of them, and the list of what found each: `CTHUNK_BLESS=1 cargo test --test x86_mutants -- --ignored`.
#[test]
#[ignore = "takes minutes: cargo test --test x86_mutants -- --ignored"]
fn every_broken_rule_is_found() {
    assert!(gate_is_open() && guest::COMPILERS.iter().all(guest::Compiler::is_here));
    let mut list = String::from(
        "# Mutants of the 32-bit conventions

Each row breaks one rule of a 32-bit convention (`src/fuzz/mutants/x86.rs`), and lists who noticed in 60 random functions of seed 1 (in up to
2,000, if nobody noticed in those), executed through the gate. This command writes the page:

    CTHUNK_BLESS=1 cargo test --test x86_mutants -- --ignored

The shims have mutants of their own: the test `every_instruction_of_a_shim_matters` in the same file leaves out or changes each of their
instructions.

| mutant | caught by |
|---|---|
",
    );
    let mut survivors = Vec::new();
    for mutant in x86::MUTANTS {
        let caught = caught_by(mutant);
        println!("{}: {}", mutant.name, caught.join(", "));
        let _ = writeln!(list, "| {} | {} |", mutant.name, caught.join(", "));
        if caught.is_empty() {
            survivors.push(mutant.name);
        }
    }
    campaigns::bless("mutants-x86.md", &list);
    assert!(survivors.is_empty(), "nobody noticed {survivors:?}");
}
