//! Every function of the library that a script can reach, with values that it does not expect: tests/hardening/walk.lua. Finalisers of
//! a closing state: tests/hardening/close.lua. The command with streams and files that it does not expect.
#![cfg(all(target_arch = "x86_64", target_os = "linux", not(feature = "luau")))]

use std::process::Command;

#[path = "hardening/command.rs"]
mod command;
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
    assert!(counts[0] > 60 && counts[1] > 100_000, "few functions were reached: {text}");
}

/// Each finaliser runs once, in whatever order, and none prints an error.
#[test]
fn finalisers_of_a_closing_state_do_their_work_in_any_order() {
    let script = repository::path("tests/hardening/close.lua");
    for order in 1..=16 {
        for hot in ["0", "4000"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
            command.arg("run").arg(&script).arg(order.to_string()).env("CTHUNK_HOT", hot);
            let output = command.output().expect("the command starts");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && output.stderr.is_empty(), "{order}: {output:?}");
            let (expected, mut ran): (Vec<&str>, Vec<&str>) =
                text.lines().partition(|line| line.starts_with("expected "));
            ran.sort_unstable();
            assert_eq!(expected, [format!("expected {}", ran.join(" "))], "order {order}");
        }
    }
}

/// Scripts of tests/hardening that end well, in time: what they do has ended the process, or hung it.
#[test]
fn what_has_crashed_does_not() {
    for name in ["depth", "renewed", "async_close", "devices", "foreign", "inner"] {
        for mode in [&["run"][..], &["run", "--luajit"]] {
            if cfg!(feature = "luajit") && mode.len() > 1 {
                continue;
            }
            let script = repository::path(&format!("tests/hardening/{name}.lua"));
            let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
            let output = command.args(mode).arg(script).output().expect("the command starts");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text == "ok\n", "{name}, {mode:?}: {output:?}");
        }
    }
}
