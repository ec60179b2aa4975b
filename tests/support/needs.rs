//! Tools that tests need besides Rust and its C compiler. A test asks for a tool, and without it tests what it can:
//!
//! ```ignore
//! if !needs::has(needs::luajit()) {
//!     return;
//! }
//! ```
//!
//! `cargo test` ends with the list of missing tools (cli/tests/zz_not_tested.rs). With `CI` set, a test fails if its tool is missing.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

#[path = "repository.rs"]
pub mod repository;

/// Nothing, or what is missing and how to get it.
pub type Need = Result<(), String>;

/// Whether a need is met. If not, the running test is noted; with `CI` set it fails.
///
/// # Panics
/// In CI, if it is not met.
pub fn has(need: Need) -> bool {
    let Err(problem) = need else { return true };
    assert!(std::env::var_os("CI").is_none(), "CI must have it: {problem}");
    // Test threads have the names of their tests; with one thread there are none.
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main").unwrap_or("a test");
    let line = format!("{}: {test}: {problem}\n", env!("CARGO_CRATE_NAME"));
    eprint!("NOT TESTED: {line}");
    let folder = folder();
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let file = folder.join(env!("CARGO_CRATE_NAME"));
    let file = fs::OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("the target folder is writable");
    false
}

/// All notes, of this and other runs of `cargo test`.
pub fn notes() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-tested")
}

/// Where the test programs of one run of `cargo test` make their notes: it is the parent of all of them.
pub fn folder() -> PathBuf {
    #[cfg(unix)]
    let run = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let run = 0;
    notes().join(run.to_string())
}

/// `program arguments…` succeeds.
pub fn runs(program: &str, arguments: &[&str], package: &str) -> Need {
    let command = [&[program], arguments].concat();
    once(&command.join(" "), || succeeds(&command, package))
}

/// A compiler, with options, makes an output from a text: what it needs of headers and libraries is there, too.
pub fn compiles(compiler: &[&str], options: &[&str], text: &str, package: &str) -> Need {
    let key = format!("{} {}\n{text}", compiler.join(" "), options.join(" "));
    once(&key, || build(compiler, options, text, package).map(drop))
}

/// A compiler makes a program that an emulator runs.
pub fn executes(
    emulator: &str,
    compiler: &[&str],
    options: &[&str],
    text: &str,
    packages: &str,
) -> Need {
    let key = format!("{emulator} {} {}\n{text}", compiler.join(" "), options.join(" "));
    once(&key, || {
        let program = build(compiler, options, text, packages)?;
        succeeds(&[emulator, &program.to_string_lossy()], packages)
    })
}

/// Debian's LuaJIT, with its FFI.
pub fn luajit() -> Need {
    runs("luajit", &["-e", "require 'ffi'"], "luajit")
}

/// `ffi.load` of an interpreter finds a library.
pub fn loads(interpreter: &[&str], library: &str, package: &str) -> Need {
    let script = repository::path("tests/support/load.lua");
    let script = script.to_str().expect("a path that is text");
    let command = [interpreter, &[script, library]].concat();
    runs(command[0], &command[1..], package)
}

/// Asks once in a process.
fn once(key: &str, ask: impl FnOnce() -> Need) -> Need {
    static KNOWN: Mutex<Option<HashMap<String, Need>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(key.to_owned()).or_insert_with(ask).clone()
}

fn succeeds(command: &[&str], package: &str) -> Need {
    let shown = command.join(" ");
    let problem = match Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let errors =
                errors.lines().find(|line| line.contains("error")).or(errors.lines().next());
            format!("`{shown}` fails: {}", errors.unwrap_or(&output.status.to_string()))
        }
        Err(error) => format!("`{}`: {error}", command[0]),
    };
    Err(format!("{problem} (apt-get install {package})"))
}

fn build(
    compiler: &[&str],
    options: &[&str],
    text: &str,
    package: &str,
) -> Result<PathBuf, String> {
    static COUNT: Mutex<u32> = Mutex::new(0);
    let number = {
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        *count
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join(format!("need-{}-{number}.c", std::process::id()));
    let output = source.with_extension("out");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&source, text))
        .expect("the target folder is writable");
    let (source, to) = (source.to_string_lossy(), output.to_string_lossy());
    let command = [compiler, options, &["-o", &to, &source]].concat();
    succeeds(&command, package)?;
    Ok(output)
}
