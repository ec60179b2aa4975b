//! Call thunk × callback thunk: what goes into a Frame on one side comes out of a Frame on the other, through the
//! native convention between them. The call side is placed by Cranelift, the callback side by our plan.
#![cfg(all(target_arch = "x86_64", unix))]

mod support;

use std::ffi::c_void;

use cthunk::abi::{self, CONVENTIONS, Convention};
use cthunk::code;
use support::{Checker, Prototype, Random, SCALARS, Types, call_named, cases, frame, report};

/// One call through a callback, with the unused bytes of the Frame all zeros and all ones.
fn round_trip(prototype: &Prototype, convention: &'static Convention) -> Result<(), String> {
    let plan = abi::plan(&prototype.signature(), convention).map_err(|e| e.to_string())?;
    let checker = Checker::new(prototype, &plan);
    [0x00, 0xFF].into_iter().try_for_each(|rest| {
        let mut called = Ok(());
        // SAFETY: the callback is a function of this type and convention.
        let call = |callback| called = unsafe { call_named(prototype, convention, callback, rest) };
        checker.during(convention, call)?;
        called
    })
}

fn check(types: &Types, prototype: &Prototype, convention: &'static Convention, seed: u64) {
    if let Err(error) = round_trip(prototype, convention) {
        let replay = format!("seed {seed} (CTHUNK_SEED)\n{}", types.text);
        panic!("{}", report(prototype, convention, &error, &replay));
    }
}

#[test]
fn fixed_cases() {
    let mut types = Types::new();
    let mixed: Vec<&str> = SCALARS.iter().cycle().take(20).copied().collect();
    let backwards: Vec<&str> = mixed.iter().rev().copied().collect();
    let both = [["double"; 9], ["signed char"; 9]].concat();
    let prototypes = [
        types.prototype(&[], "void", None),
        types.prototype(&["double"; 10], "double", None),
        types.prototype(&["float"; 20], "float", None),
        types.prototype(&["long long"; 20], "long long", None),
        types.prototype(&mixed, "_Bool", None),
        types.prototype(&backwards, "void *", None),
        types.prototype(&both, "short", None),
    ];
    for convention in CONVENTIONS.iter().filter(|convention| code::runs(convention)) {
        for prototype in &prototypes {
            check(&types, prototype, convention, 0);
        }
    }
}

/// Random signatures; `aggregates`: structs and unions that they take from, made anew every hundred signatures.
fn random(convention: &'static Convention, default: usize, aggregates: usize) {
    let (cases, seed) = cases(default);
    let mut random = Random::new(seed);
    let mut types = Types::new();
    for case in 0..cases {
        if aggregates > 0 && case % 100 == 0 {
            types = if convention == &abi::SYSV64 { Types::exotic() } else { Types::new() };
            types.make(&mut random, aggregates);
        }
        let prototype = types.signature(&mut random, if aggregates == 0 { 20 } else { 10 });
        check(&types, &prototype, convention, seed);
    }
    println!("{}: {cases} signatures, seed {seed}", convention.name);
}

#[test]
fn random_scalars_sysv64() {
    random(&abi::SYSV64, 20_000, 0);
}

#[test]
fn random_scalars_win64() {
    random(&abi::WIN64, 20_000, 0);
}

#[test]
fn random_aggregates_sysv64() {
    random(&abi::SYSV64, 2_000, 20);
}

#[test]
fn random_aggregates_win64() {
    random(&abi::WIN64, 2_000, 20);
}

#[test]
fn variable_arguments_are_placed_by_the_plan() {
    // 8 integers and 10 doubles for `...`: what a callback of the same types without `...` finds on System V,
    // where a variadic call differs in AL only.
    let mut types = Types::new();
    let arguments = [&["long long"; 8][..], &["double"; 10]].concat();
    let plan = |prototype: Prototype| abi::plan(&prototype.signature(), &abi::SYSV64).unwrap();
    let variadic = plan(types.prototype(&arguments, "int", Some(1)));
    let plain = plan(types.prototype(&arguments, "int", None));
    assert_eq!(variadic.vector_count, Some(8));
    assert_eq!(variadic.arguments, plain.arguments);
}

/// Unwind information: without it, this ends the process.
#[test]
fn a_panic_passes_through_a_thunk() {
    unsafe extern "C-unwind" fn target(x: i32) -> i32 {
        std::panic::panic_any(x);
    }
    let prototype = Types::new().prototype(&["int"], "int", None);
    let plan = abi::plan(&prototype.signature(), &abi::SYSV64).unwrap();
    let thunk = code::frame_call(&prototype.signature(), &abi::SYSV64).unwrap();
    let mut frame = frame(&prototype, &plan, 0);
    let call = std::panic::AssertUnwindSafe(|| {
        // SAFETY: the target has the signature.
        unsafe { code::invoke(thunk, target as *const c_void, frame.as_mut_ptr().cast()) }
    });
    let caught = std::panic::catch_unwind(call);
    assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&0x1312_1110));
}
