//! `cthunk bench`: one row of its table, and what it says where there is no C compiler. What the numbers are is no test's business.

use std::process::Command;

fn bench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cthunk"));
    command.args(["bench", "--rounds", "1"]).env("ONLY", "bool ret");
    command
}

#[test]
fn the_table_has_a_number_for_the_command() {
    let output = bench().output().expect("the command runs");
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    let lines: Vec<_> = text.lines().collect();
    let [head, row] = lines[..] else { panic!("{text}{errors}") };
    assert!(head.contains("cthunk run"), "{head}");
    let number = row.strip_prefix("bool ret").and_then(|row| row.split_whitespace().last());
    let number: f64 = number.and_then(|number| number.parse().ok()).expect("a number");
    assert!(number > 0.0, "{row}");
}

#[test]
fn a_missing_compiler_is_named() {
    let output = bench().env("PATH", "/nonexistent").output().expect("the command runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("a C compiler") && errors.contains("cc cannot be started"), "{errors}");
}
