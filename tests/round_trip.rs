//! Call thunk × callback thunk: what goes into a Frame on one side comes out of a Frame on the other, through the
//! native convention between them. The call side is placed by Cranelift, the callback side by our plan.
#![cfg(all(target_arch = "x86_64", unix, feature = "fuzz-abi"))]

use std::ffi::c_void;

use cthunk::abi::{self, CallPlan};
use cthunk::code;
use cthunk::fuzz::host::{Oracle, RoundTrip};
use cthunk::fuzz::program::{Direction, Outcome};
use cthunk::fuzz::{Batch, Generator, Platform, campaign, shape};

fn check(batch: &Batch, replay: &str) {
    for prototype in &batch.prototypes {
        match RoundTrip.step(batch, prototype, Direction::Call) {
            Outcome::Passed => {}
            other => panic!(
                "{other:?}\n{replay}\n{}\n{}\n{}",
                batch.header,
                batch.describe(prototype),
                abi::explain(&prototype.plan, &batch.types(prototype))
            ),
        }
    }
}

fn platform(convention: &str) -> &'static Platform {
    Platform::of(convention).unwrap()
}

#[test]
fn fixed_cases() {
    for convention in ["sysv64", "win64"] {
        let header = include_str!("c/traps.h");
        check(&Batch::parse(header, platform(convention)).unwrap(), convention);
    }
}

/// `CTHUNK_CASES` random functions from the seed `CTHUNK_SEED`.
fn random(convention: &str) {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let cases = read("CTHUNK_CASES").unwrap_or(4000) as usize;
    let seed = read("CTHUNK_SEED").unwrap_or(1);
    for number in 0..cases.div_ceil(campaign::BATCH) {
        let mut generator = Generator::new(platform(convention), seed + number as u64);
        let count = campaign::BATCH.min(cases - number * campaign::BATCH);
        let functions: Vec<_> = (0..count).map(|_| generator.case()).collect();
        let batch = Batch::parse(&shape::header(&functions), platform(convention)).unwrap();
        check(&batch, &format!("CTHUNK_SEED={} CTHUNK_CASES={count}", seed + number as u64));
    }
    println!("{convention}: {cases} functions, seed {seed}");
}

#[test]
fn random_functions_sysv64() {
    random("sysv64");
}

#[test]
fn random_functions_win64() {
    random("win64");
}

/// The plan of the first function of a header.
fn plan(header: &str) -> CallPlan {
    let batch = Batch::parse(header, platform("sysv64")).unwrap();
    batch.prototypes[0].plan.clone()
}

#[test]
fn variable_arguments_are_placed_by_the_plan() {
    // 8 integers and 10 doubles for `...`: what a callback of the same types without `...` finds on System V,
    // where a variadic call differs in AL only.
    let list = [["long long"; 8].join(", "), ["double"; 10].join(", ")].join(", ");
    let variadic = plan(&format!("int f(int, ...); void f_variable({list});"));
    let plain = plan(&format!("int f(int, {list});"));
    assert_eq!(variadic.vector_count, Some(8));
    assert_eq!(variadic.arguments, plain.arguments);
}

/// Unwind information: without it, this ends the process.
#[test]
fn a_panic_passes_through_a_thunk() {
    /// # Safety
    /// - None: it only panics.
    unsafe extern "C-unwind" fn target(x: i32) -> i32 {
        std::panic::panic_any(x);
    }
    let batch = Batch::parse("int f(int);", platform("sysv64")).unwrap();
    let prototype = &batch.prototypes[0];
    let thunk = code::frame_call(&prototype.signature, &abi::SYSV64).unwrap();
    let mut frame = [0_u64; 2];
    frame[prototype.plan.frame.arguments[0] as usize / 8] = 0x1312_1110;
    let call = std::panic::AssertUnwindSafe(|| {
        // SAFETY: the target has the signature.
        unsafe { code::invoke(thunk, target as *const c_void, frame.as_mut_ptr().cast()) }
    });
    let caught = std::panic::catch_unwind(call);
    assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&0x1312_1110));
}
