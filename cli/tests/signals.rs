//! Callbacks that come while Lua runs, as handlers of signals, and processes that end while an error of a callback waits.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

#[path = "../../tests/support/repository.rs"]
mod repository;

/// `tests/c/ends.c`, compiled.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libends.so");
        let source = repository::path("tests/c/ends.c");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        assert!(status.expect("a C compiler").success());
        library.display().to_string()
    })
}

/// Runs a file of `tests/signals` in a process of its own. `hot`: after how many calls a function is compiled.
fn run(file: &str, arguments: &[&str], hot: &str) -> Output {
    let path = repository::path(&format!("tests/signals/{file}.lua"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
    command.arg("run").arg(path).args(arguments);
    command.env("CTHUNK_TESTLIB", library()).env("CTHUNK_HOT", hot);
    command.output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Luau's `require` and `os` are others.
const HAS_OS: bool = !cfg!(feature = "luau");

/// A row of the table of messages in docs/callbacks.md names this file for it.
const CALLED_WHILE_LUA_RAN: &str = "was called while Lua ran, by a signal handler or another module: \
such calls are made by ffi.poll() or before the next call of C, and C gets the default value";

#[test]
fn handlers_of_signals_run_at_safe_points_only() {
    if !HAS_OS {
        return;
    }
    for hot in ["0", "4000"] {
        for (file, told) in [("timer", 1), ("raise", 1), ("modules", 1)] {
            let output = run(file, &[], hot);
            let errors = text(&output.stderr);
            assert_eq!(text(&output.stdout), "ok\n", "{file}, {hot}: {errors}");
            assert!(output.status.success(), "{file}: {errors}");
            let reports = errors.matches(CALLED_WHILE_LUA_RAN).count();
            assert!(reports >= told, "{file}: {errors}");
        }
    }
}

#[test]
fn an_error_that_waits_is_told_when_the_process_ends() {
    if !HAS_OS {
        return;
    }
    let ends: [(&str, Option<i32>, Option<i32>); 4] = [
        ("abort", None, Some(libc::SIGABRT)),
        ("exit", Some(3), None),
        ("fault", None, Some(libc::SIGSEGV)),
        ("raise", None, Some(libc::SIGABRT)),
    ];
    for (how, code, signal) in ends {
        for hot in ["0", "4000"] {
            let output = run("ends", &[how], hot);
            let errors = text(&output.stderr);
            assert_eq!(
                (output.status.code(), output.status.signal()),
                (code, signal),
                "{how}: {errors}"
            );
            let told = "the process ends before C returned to raise an error in the callback 'int (int)' (";
            assert_eq!(errors.matches(told).count(), 1, "{how}: {errors}");
            assert!(errors.contains("ends.lua:9): "), "{how}: {errors}");
            assert!(errors.contains("the deepest place"), "{how}: {errors}");
            assert!(!errors.contains("in upvalue 'deepest'"), "{how}: {errors}");
        }
        let errors = text(&run("ends", &[how, "traceback"], "0").stderr);
        assert!(errors.contains("in upvalue 'deepest'"), "{how}: {errors}");
    }
    // Nobody is told of `_exit`.
    let output = run("ends", &["_exit"], "0");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(4), String::new()));
}

#[test]
fn a_traceback_of_a_callback_is_kept_where_it_is_asked_for() {
    if !HAS_OS {
        return;
    }
    for arguments in [&["returns"][..], &["returns", "traceback"]] {
        let output = run("ends", arguments, "0");
        assert_eq!(text(&output.stdout), "ok\n", "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_callback_that_an_exit_handler_calls_finds_its_state_closed() {
    if !HAS_OS {
        return;
    }
    let output = run("late", &[], "0");
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(
        errors.contains("'void (int, void *)' was called after its Lua state was closed"),
        "{errors}"
    );
}

#[test]
fn handlers_do_not_run_while_the_state_closes() {
    if !HAS_OS {
        return;
    }
    for arguments in [&[][..], &["exit"]] {
        for _ in 0..8 {
            let output = run("close", arguments, "0");
            assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
        }
    }
}
