//! Errors in C as the command shows them: the source line, the word, the hint; colours on a terminal only.

use std::fs;
use std::process::Command;

/// The standard error of a command that fails.
fn errors(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let command = command.args(arguments).envs(environment.iter().copied());
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn an_error_shows_its_word() {
    let text = errors(&["explain", "int f(unt x);"], &[]);
    assert_eq!(
        text,
        "error: unknown type name 'unt'
 --> declaration:1:7
  |
1 | int f(unt x);
  |       ^^^
  |
  = help: did you mean 'int'?
"
    );
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let arguments = ["explain", "int f(unt x);"];
    assert!(!errors(&arguments, &[]).contains('\x1b'));
    assert!(errors(&arguments, &[("CLICOLOR_FORCE", "1")]).contains("\x1b[1m\x1b[91merror"));
    assert!(!errors(&arguments, &[("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn each_error_of_a_file_has_its_place() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/failure.c");
    let long = format!("int {};", "x".repeat(300) + " +");
    let text = format!("int a;\n\tint \u{e4} +;\n# 70 \"other.h\"\nfloat a;\n{long}\n");
    fs::write(file, text).expect("a file");
    let text = errors(&["emit", file], &[]);
    for line in [
        &format!(" --> {file}:2:7"),
        "2 |     int \u{e4} +;",
        " --> other.h:70:7",
        "note: line 1: extern int a;",
        "other.h:71:305",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn another_failure_is_a_line() {
    let text = errors(&["explain", "int f(void);", "--target", "vax"], &[]);
    assert!(text.starts_with("cthunk: unsupported target 'vax'"), "{text}");
    assert_eq!(text.lines().count(), 1);
}
