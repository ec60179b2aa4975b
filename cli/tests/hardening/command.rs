//! The command with streams, files and an environment that nobody expects.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

fn cthunk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("the device is there")
}

/// The exit status and what is on standard error.
fn ends(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let printing: [&[&str]; 3] = [
        &["explain", "int f(int);"],
        &["fuzz-abi", "--cc", "gcc", "--cases", "1"],
        &["fuzz-abi", "--cc", "gcc", "--cases", "1", "--json"],
    ];
    for arguments in printing {
        let output = cthunk(arguments).stdout(full()).output().expect("the command starts");
        let (code, error) = ends(&output);
        assert_eq!(code, Some(1), "{arguments:?}: {error}");
        assert!(error.contains("standard output: No space left"), "{arguments:?}: {error}");
    }
    for arguments in [&["explain", "int f(int);"], &["explain", "x"], &["run", "/nonexistent"]] {
        let mut command = cthunk(arguments);
        let status = command.stdout(full()).stderr(full()).status().expect("the command starts");
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn files_without_an_end_are_errors() {
    for (arguments, expected) in [
        (&["emit", "/dev/zero", "--output", "/dev/null"][..], "/dev/zero: longer than 256 MiB"),
        (
            &["fuzz-abi", "--cc", "gcc", "--convention", "sysv64", "--replay", "/dev/zero"],
            "longer than 256 MiB",
        ),
        (&["run", "/dev/zero"], "cannot open /dev/zero: longer than 1 GiB"),
    ] {
        if arguments[0] == "emit" && !cfg!(feature = "emit") {
            continue;
        }
        let (code, error) = ends(&cthunk(arguments).output().expect("the command starts"));
        assert_eq!(code, Some(1), "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn search_paths_are_bytes() {
    for name in ["LUA_PATH", "LUA_CPATH"] {
        let mut command = cthunk(&["run", "-"]);
        let output = command.env(name, OsStr::from_bytes(b"/\xff/?;;")).output();
        let (code, error) = ends(&output.expect("the command starts"));
        assert_eq!((code, &*error), (Some(0), ""), "{name}");
    }
}
