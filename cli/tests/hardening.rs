//! Every function of the library that a script can reach, with values that it does not expect: tests/hardening/walk.lua.
#![cfg(all(target_arch = "x86_64", target_os = "linux", not(feature = "luau")))]

use std::process::Command;

#[path = "../../tests/support/repository.rs"]
mod repository;

#[test]
fn no_function_crashes_whatever_it_is_given() {
    let script = repository::path("tests/hardening/walk.lua");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .arg(script)
        .output()
        .expect("the command starts");
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {text}{errors}", output.status);
    let counts: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert!(counts[0] > 80 && counts[1] > 100_000, "few functions were reached: {text}");
}
