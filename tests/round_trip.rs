//! Call thunk × callback thunk: what goes into a Frame on one side comes out of a Frame on the other, through the
//! native convention between them. The call side is placed by Cranelift, the callback side by our plan.
#![cfg(all(target_arch = "x86_64", unix))]

mod support;

use std::ffi::c_void;

use cthunk::abi::{self, CONVENTIONS, Convention, Signature, Type};
use cthunk::code;
use support::{Checker, Random, call_named, cases, frame, report, signature};

/// One call through a callback, with the unused bytes of the Frame all zeros and all ones.
fn round_trip(signature: &Signature, convention: &'static Convention) -> Result<(), String> {
    let plan = abi::plan(signature, convention).map_err(|e| e.to_string())?;
    abi::check(signature, &plan)?;
    let checker = Checker::new(signature, &plan);
    [0x00, 0xFF].into_iter().try_for_each(|rest| {
        let mut called = Ok(());
        // SAFETY: the callback is a function of this signature and convention.
        let call = |callback| called = unsafe { call_named(signature, convention, callback, rest) };
        checker.during(convention, call)?;
        called
    })
}

fn check(signature: &Signature, convention: &'static Convention, seed: u64) {
    if let Err(error) = round_trip(signature, convention) {
        let replay = format!("seed {seed} (CTHUNK_SEED)");
        panic!("{}", report(signature, convention, &error, &replay));
    }
}

fn fixed(arguments: Vec<Type>, result: Type) -> Signature {
    Signature { arguments: arguments.into(), result, fixed: None }
}

#[test]
fn fixed_cases() {
    let ints = Type::int(8, true);
    let mixed: Vec<Type> =
        (0..20).map(|i| support::SCALARS[i % support::SCALARS.len()].0).collect();
    let signatures = [
        fixed(vec![], Type::VOID),
        fixed(vec![Type::F64; 10], Type::F64),
        fixed(vec![Type::F32; 20], Type::F32),
        fixed(vec![ints; 20], ints),
        fixed(mixed.clone(), Type::BOOL),
        fixed(mixed.into_iter().rev().collect(), Type::POINTER),
        fixed([[Type::F64; 9], [Type::int(1, true); 9]].concat(), Type::int(2, true)),
    ];
    for convention in CONVENTIONS {
        for signature in &signatures {
            check(signature, convention, 0);
        }
    }
}

fn random(convention: &'static Convention) {
    let (cases, seed) = cases(20_000);
    let mut random = Random::new(seed);
    for _ in 0..cases {
        check(&signature(&mut random, 20), convention, seed);
    }
    println!("{}: {cases} signatures, seed {seed}", convention.name);
}

#[test]
fn random_sysv64() {
    random(&abi::SYSV64);
}

#[test]
fn random_win64() {
    random(&abi::WIN64);
}

#[test]
fn variable_arguments_are_placed_by_the_plan() {
    // 8 integers and 10 doubles for `...`: what a callback of the same types without `...` finds on System V,
    // where a variadic call differs in AL only.
    let mut arguments = vec![Type::int(8, true); 8];
    arguments.extend([Type::F64; 10]);
    let variadic = Signature {
        arguments: arguments.clone().into(),
        result: Type::int(4, true),
        fixed: Some(1),
    };
    let plain = fixed(arguments, Type::int(4, true));
    let plan = abi::plan(&variadic, &abi::SYSV64).unwrap();
    assert_eq!(plan.vector_count, Some(8));
    assert_eq!(plan.arguments, abi::plan(&plain, &abi::SYSV64).unwrap().arguments);
}

/// Unwind information: without it, this ends the process.
#[test]
fn a_panic_passes_through_a_thunk() {
    unsafe extern "C-unwind" fn target(x: i32) -> i32 {
        std::panic::panic_any(x);
    }
    let signature = fixed(vec![Type::int(4, true)], Type::int(4, true));
    let plan = abi::plan(&signature, &abi::SYSV64).unwrap();
    let thunk = code::frame_call(&signature, &abi::SYSV64).unwrap();
    let mut frame = frame(&signature, &plan, 0);
    let call = std::panic::AssertUnwindSafe(|| {
        // SAFETY: the target has the signature.
        unsafe { code::invoke(thunk, target as *const c_void, frame.as_mut_ptr().cast()) }
    });
    let caught = std::panic::catch_unwind(call);
    assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&0x1312_1110));
}
