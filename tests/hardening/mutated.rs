//! Behaviour files with random changes (`mutate.lua`), in a checked state: whatever they do, the process goes on.
//!
//! `CTHUNK_CASES` and `CTHUNK_SEED` set the number and the seed of the programs.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use cthunk::{Ffi, Policy};
use mlua::Lua;

use super::{ALONE, behaviour};

/// Files that give the C library formats and sizes, of which the library knows nothing.
const UNCHECKED: [&str; 4] = ["varargs", "callbacks_libc", "calling_libc", "tutorial"];
/// In place of what the suite asserts with: what is not so goes on.
const LENIENT: &str = "function check(...) return ... end
    function fails(_, f, ...) pcall(f, ...) end
    function same(value) return digits(value) end";

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A state as `tests/escape.rs` has it for the files as they are.
fn checked_state() -> Lua {
    // SAFETY: what the programs do with `io`, `os` and `debug` is done in a child process.
    let lua = unsafe { Lua::unsafe_new() };
    let policy = Policy::open().checked(true);
    // SAFETY: the same; C functions that trust their arguments are left out.
    let ffi = unsafe { Ffi::builder().policy(policy).install_unconfined(&lua) }.unwrap();
    behaviour::provide(&lua, ffi.table().clone()).unwrap();
    lua.globals().set("TESTLIB", behaviour::library()).unwrap();
    lua.globals().set("CHECKED", true).unwrap();
    lua.load(std::fs::read_to_string(behaviour::suite()).unwrap()).exec().unwrap();
    lua.load(LENIENT).exec().unwrap();
    lua
}

/// Runs a program in a child process, with its errors in a file; returns the status of the child.
fn status_of(program: &Path, errors: &Path) -> i32 {
    let lua = checked_state();
    let text = std::fs::read(program).unwrap();
    let errors = File::create(errors).unwrap();
    // SAFETY: the child runs Lua and this crate only, both of which this thread alone uses.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0);
        if child == 0 {
            libc::alarm(10);
            let room = libc::rlimit { rlim_cur: 8 << 30, rlim_max: 8 << 30 };
            libc::setrlimit(libc::RLIMIT_AS, &room);
            libc::dup2(errors.as_raw_fd(), 1);
            libc::dup2(errors.as_raw_fd(), 2);
            let fine = lua.load(text).exec().is_ok();
            drop(lua);
            libc::_exit(i32::from(!fine));
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        status
    }
}

#[test]
fn files_with_random_changes_do_not_end_the_process() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (cases, seed) = (number("CTHUNK_CASES", 40), number("CTHUNK_SEED", 1));
    println!("CTHUNK_SEED={seed} CTHUNK_CASES={cases}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutated");
    std::fs::create_dir_all(&folder).unwrap();
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hardening/mutate.lua");
    let files = behaviour::files("tests/lua");
    let files = files.iter().map(|path| path.display().to_string());
    let files = files.filter(|path| !UNCHECKED.iter().any(|name| path.contains(name)));
    let arguments = [seed.to_string(), cases.to_string(), folder.display().to_string()].into_iter();
    // SAFETY: the generator uses `io` and nothing of C.
    let lua = unsafe { Lua::unsafe_new() };
    let arguments: Vec<String> = arguments.chain(files).collect();
    lua.globals().set("arg", arguments).unwrap();
    lua.load(std::fs::read_to_string(generator).unwrap()).exec().unwrap();
    let mut fallen = Vec::new();
    for n in 1..=cases {
        let program = folder.join(format!("{n}.lua"));
        let errors = folder.join(format!("{n}.txt"));
        let status = status_of(&program, &errors);
        let text = String::from_utf8_lossy(&std::fs::read(&errors).unwrap()).into_owned();
        let endless = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGALRM;
        let ours = ["internal error", "panicked at"].iter().any(|words| text.contains(words));
        if ours || !endless && !libc::WIFEXITED(status) {
            fallen.push(format!("{}: status {status:#x}, {}", program.display(), text.trim_end()));
        }
    }
    assert!(fallen.is_empty(), "seed {seed}:\n{}", fallen.join("\n"));
}
