//! A program of the fuzzer that crashes, and one that says nothing.
#![cfg(all(feature = "fuzz-abi", unix))]

use cthunk::fuzz::Trouble;
use cthunk::fuzz::program::{Direction, Outcome, Program};

#[test]
fn a_crash_is_an_outcome_and_the_rest_is_run() {
    let script = "
        [ $1 -gt 0 ] || echo step 0 gcc call
        [ $1 -gt 1 ] || { echo step 0 gcc callback; kill -SEGV $$; }
        [ $1 -gt 2 ] || { echo step 1 gcc call; echo wrong argument 2; }
        echo step 1 gcc callback; echo skip it; echo done";
    let command = ["sh", "-c", script, "sh"].map(String::from).to_vec();
    let mut seen = Vec::new();
    Program { command }
        .run(|step, outcome| seen.push((step.case, step.direction, outcome)))
        .unwrap();
    let crash = "the process ended: signal: 11 (SIGSEGV)";
    let crash = match &seen[1].2 {
        Outcome::Wrong(words) if words.starts_with(crash) => seen[1].2.clone(),
        other => panic!("{other:?}"),
    };
    let expected = [
        (0, Direction::Call, Outcome::Passed),
        (0, Direction::Callback, crash),
        (1, Direction::Call, Outcome::Wrong("argument 2".into())),
        (1, Direction::Callback, Outcome::Skipped("it".into())),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_program_that_says_nothing_is_trouble() {
    let silent = Program { command: vec!["true".into()] };
    assert!(matches!(silent.run(|_, _| {}), Err(Trouble::Program { .. })));
}
