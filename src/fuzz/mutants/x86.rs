//! Broken conventions of 32-bit x86: each row changes one rule of one row of [`crate::abi::x86`].

use super::Mutant;
use super::change::{fewer, swapped};
use crate::abi::x86::{self, Arguments, Pointer, Pops, Results, Rules};
use crate::abi::{Backend, Convention};

const fn mutant(
    name: &'static str,
    of: &'static Convention,
    change: fn(&mut Convention),
) -> Mutant {
    Mutant { name, of, change }
}

/// Changes a rule that the table of the backend has.
fn rules(convention: &mut Convention, change: fn(&mut Rules)) {
    if let Backend::X86(rules) = convention.backend {
        let mut rules = *rules;
        change(&mut rules);
        // A mutant is made once a process.
        convention.backend = Backend::X86(Box::leak(Box::new(rules)));
    }
}

/// Every mutant of a 32-bit convention.
pub static MUTANTS: &[Mutant] = &[
    mutant("cdecl-hidden-pointer-stays", &x86::CDECL, |c| rules(c, |r| r.pops = Pops::Nothing)),
    mutant("cdecl-arguments-popped", &x86::CDECL, |c| rules(c, |r| r.pops = Pops::Arguments)),
    mutant("cdecl-modes-in-registers", &x86::CDECL, |c| rules(c, |r| r.results = Results::Mode)),
    mutant("cdecl-sizes-in-registers", &x86::CDECL, |c| rules(c, |r| r.results = Results::Size)),
    mutant("cdecl-results-swapped", &x86::CDECL, |c| c.results.int = swapped(c.results.int)),
    mutant("stdcall-nothing-popped", &x86::STDCALL, |c| rules(c, |r| r.pops = Pops::Nothing)),
    mutant("stdcall-pointer-popped", &x86::STDCALL, |c| rules(c, |r| r.pops = Pops::Pointer)),
    mutant("fastcall-one-register", &x86::FASTCALL, |c| c.arguments.int = fewer(c.arguments.int)),
    mutant("fastcall-registers-swapped", &x86::FASTCALL, |c| {
        c.arguments.int = swapped(c.arguments.int);
    }),
    mutant("fastcall-words-not-counted", &x86::FASTCALL, |c| {
        rules(c, |r| r.arguments = Arguments::Stack);
    }),
    mutant("fastcall-structs-only-counted", &x86::FASTCALL, |c| {
        rules(c, |r| r.arguments = Arguments::Aggregates);
    }),
    mutant("fastcall-words-in-registers", &x86::FASTCALL, |c| {
        rules(c, |r| r.arguments = Arguments::Pieces);
    }),
    mutant("fastcall-pointer-on-the-stack", &x86::FASTCALL, |c| {
        rules(c, |r| r.pointer = Pointer::Stack);
    }),
    mutant("fastcall-nothing-popped", &x86::FASTCALL, |c| rules(c, |r| r.pops = Pops::Nothing)),
    mutant("thiscall-two-registers", &x86::THISCALL, |c| {
        c.arguments.int = x86::FASTCALL.arguments.int;
    }),
    mutant("thiscall-no-register", &x86::THISCALL, |c| c.arguments.int = &[]),
    mutant("thiscall-pointer-on-the-stack", &x86::THISCALL, |c| {
        rules(c, |r| r.pointer = Pointer::Stack);
    }),
    mutant("regparm3-two-registers", &x86::REGPARM3, |c| {
        c.arguments.int = fewer(c.arguments.int);
    }),
    mutant("regparm3-registers-swapped", &x86::REGPARM3, |c| {
        c.arguments.int = swapped(c.arguments.int);
    }),
    mutant("regparm3-words-on-the-stack", &x86::REGPARM3, |c| {
        rules(c, |r| r.arguments = Arguments::Words);
    }),
    mutant("regparm3-arguments-popped", &x86::REGPARM3, |c| {
        rules(c, |r| r.pops = Pops::Arguments);
    }),
    mutant("cdecl:mingw-in-memory", &x86::CDECL_MINGW, |c| {
        rules(c, |r| r.results = Results::Memory);
    }),
    mutant("cdecl:mingw-as-msvc", &x86::CDECL_MINGW, |c| rules(c, |r| r.results = Results::Size)),
    mutant("cdecl:mingw-pointer-popped", &x86::CDECL_MINGW, |c| {
        rules(c, |r| r.pops = Pops::Pointer);
    }),
    mutant("cdecl:gnullvm-as-mingw", &x86::CDECL_GNULLVM, |c| {
        rules(c, |r| r.results = Results::Mode);
    }),
    mutant("cdecl:gnullvm-as-msvc", &x86::CDECL_GNULLVM, |c| {
        rules(c, |r| r.results = Results::Size);
    }),
    mutant("fastcall:gnullvm-as-mingw", &x86::FASTCALL_GNULLVM, |c| {
        rules(c, |r| r.arguments = Arguments::Words);
    }),
    mutant("fastcall:gnullvm-as-msvc", &x86::FASTCALL_GNULLVM, |c| {
        rules(c, |r| r.arguments = Arguments::Stack);
    }),
    mutant("fastcall:gnullvm-pointer-first", &x86::FASTCALL_GNULLVM, |c| {
        rules(c, |r| r.pointer = Pointer::First);
    }),
    mutant("thiscall:gnullvm-pointer-on-the-stack", &x86::THISCALL_GNULLVM, |c| {
        rules(c, |r| r.pointer = Pointer::Stack);
    }),
    mutant("thiscall:gnullvm-any-first", &x86::THISCALL_GNULLVM, |c| {
        rules(c, |r| r.arguments = Arguments::Stack);
    }),
    mutant("cdecl:msvc-as-gnullvm", &x86::CDECL_MSVC, |c| {
        rules(c, |r| r.results = Results::Element);
    }),
    mutant("fastcall:msvc-structs-counted", &x86::FASTCALL_MSVC, |c| {
        rules(c, |r| r.arguments = Arguments::Aggregates);
    }),
    mutant("thiscall:msvc-pointer-first", &x86::THISCALL_MSVC, |c| {
        rules(c, |r| r.pointer = Pointer::First);
    }),
];
