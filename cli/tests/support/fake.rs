//! Compilers that are scripts before the real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Where they are.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/fake");

/// The compiler `name`: what `script` does about the C file `$source`, then the command `real`.
pub fn compiler(name: &str, script: &str, real: &str) {
    fs::create_dir_all(FOLDER).unwrap();
    let path = format!("{FOLDER}/{name}");
    let source = "for word in \"$@\"; do case $word in *.c) source=$word;; esac; done";
    fs::write(&path, format!("#!/bin/sh\n{source}\n{script}\nexec {real} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs `fuzz-abi` with eight functions against the compiler `name`; returns its output, and whether it succeeds.
pub fn run(convention: &str, name: &str) -> (String, bool) {
    let path = format!("{FOLDER}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .args(["fuzz-abi", "--convention", convention, "--cases", "8", "--cc", name])
        .args(["--findings", &format!("{FOLDER}/findings"), "--most-findings", "1"])
        .env("PATH", path)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (text, output.status.success())
}

/// A compiler that dies of `death` at the sixth of eight functions misses this one, and the campaign says so and succeeds.
pub fn misses_one_function(convention: &str, name: &str, death: &str, real: &str) {
    let script = format!("if grep -q 'callee_f5(' \"$source\"; then {death}; fi");
    compiler(name, &script, real);
    let (text, success) = run(convention, name);
    assert!(success, "{text}");
    let header = format!("{FOLDER}/findings/{convention}-1-0-5-{name}-crash/batch.h");
    let line = format!("  {name} crashed: 1 function, header kept at {header}\n");
    assert!(text.contains(&line), "{text}");
    let row = text.lines().find(|line| line.contains(" call ")).unwrap();
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row, [name, "call", "7", "0", "0", "1"], "{text}");
    let end = "0 failures; 1 not run against every compiler (12.50 %), 1 against none\n";
    assert!(text.ends_with(end), "{text}");
    let header = fs::read_to_string(header).unwrap();
    assert!(header.contains("f0(") && !header.contains("f1("), "{header}");
}
