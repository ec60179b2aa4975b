//! Programs of the machine that a test may need.

use std::process::{Command, Stdio};

/// Whether `program arguments…` succeeds. If not, the test says by name what it cannot check; in CI it fails.
pub fn runs(program: &str, arguments: &[&str], package: &str) -> bool {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    if output.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let problem =
        format!("`{program} {}` does not run: apt-get install {package}", arguments.join(" "));
    assert!(std::env::var_os("CI").is_none(), "{problem}");
    eprintln!("SKIPPED: {problem}");
    false
}
