//! `ffi.target`: the Lua side of code for other platforms, and 32-bit x86 code called from 64-bit Lua.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlua::Lua;

mod behaviour;

use behaviour::needs;

fn lua() -> Lua {
    // SAFETY: the scripts are below `tests/` and `examples/`, and have `ffi` as their subject.
    unsafe {
        let lua = Lua::unsafe_new();
        cthunk::lua::preload(&lua).unwrap();
        lua
    }
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run(lua: &Lua, path: &str) {
    let text = std::fs::read_to_string(script(path)).unwrap();
    lua.load(text).set_name(format!("@{path}")).exec().unwrap();
}

/// The headers that the sources of the guest include.
const HEADERS: &str = "#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
int x;
";

/// Compiles freestanding C for the guest, as an object file or a shared library, if it can be compiled and run here.
fn compile(sources: &[&str], extension: &str, options: &[&str]) -> Option<PathBuf> {
    const COMPILER: &str = "i686-linux-gnu-gcc";
    let common = ["-O1", "-ffreestanding", "-fno-stack-protector", "-nostdlib"];
    let options = [&common[..], options].concat();
    let packages = "gcc-i686-linux-gnu libc6-dev-i386-cross linux-libc-dev-i386-cross";
    let compiler = needs::compiles(&[COMPILER], &options, HEADERS, packages);
    let gate = cthunk::code::gate::available().map_err(|error| error.to_string());
    if !needs::has(compiler.and(gate)) {
        return None;
    }
    let name = script(sources.last()?).file_stem()?.to_owned();
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension(extension);
    let sources = sources.iter().map(|source| script(source));
    let status = Command::new(COMPILER).args(options).arg("-o").arg(&to).args(sources).status();
    assert!(status.unwrap().success(), "{}", to.display());
    Some(to)
}

#[test]
fn platforms_that_do_not_run_here() {
    run(&lua(), "tests/guest/elsewhere.lua");
}

#[test]
fn calls_of_an_object_file() {
    let object = compile(&["tests/guest/library.c"], "o", &["-c", "-fno-pic"]);
    let Some(object) = object else { return };
    let lua = lua();
    lua.globals().set("OBJECT", object.to_str().unwrap()).unwrap();
    run(&lua, "tests/guest/calls.lua");
    drop(lua);
}

#[test]
fn calls_of_a_shared_library() {
    let library = compile(&["tests/guest/library.c"], "so", &["-shared", "-fPIC"]);
    let Some(library) = library else { return };
    let lua = lua();
    lua.globals().set("OBJECT", library.to_str().unwrap()).unwrap();
    run(&lua, "tests/guest/calls.lua");
}

/// Every behaviour file with the 32-bit `ffi` in place of the host's. What they call is 32-bit code, too: tests/c/calls.c, and
/// tests/guest/libc.c for the C library. What needs memory, errno or libraries of this process is under `if not apart`.
#[test]
fn behaviour_files() {
    let sources = ["tests/guest/libc.c", "tests/c/calls.c"];
    let library = compile(&sources, "libc.so", &["-shared", "-fPIC"]);
    let Some(library) = library else { return };
    let (mut failures, mut executed) = (Vec::new(), 0);
    let files = behaviour::files("tests/lua");
    for file in &files {
        let lua = lua();
        let globals = lua.globals();
        globals.set("TESTLIB", library.to_str().unwrap()).unwrap();
        run(&lua, "tests/guest/apart.lua");
        run(&lua, "tests/lua/support/suite.lua");
        let name = format!("@{}", file.file_name().unwrap().to_string_lossy());
        let text = std::fs::read_to_string(file).unwrap();
        if let Err(error) = lua.load(text).set_name(name).exec() {
            failures.push(error.to_string());
        }
        let report: mlua::Function = globals.get("suite_report").unwrap();
        let report: String = report.call(()).unwrap();
        let count = report.lines().find_map(|line| line.strip_prefix("executed\t")).unwrap();
        executed += count.parse::<u64>().unwrap();
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{} files, {executed} assertions executed", files.len());
}

/// examples/i686: the 32-bit and the 64-bit build of one codec give the same results.
#[test]
fn the_codec_example() {
    let object = compile(&["examples/i686/codec.c"], "o", &["-c", "-fno-pic"]);
    let Some(object) = object else { return };
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codec64.so");
    let status = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&library, &script("examples/i686/codec.c")])
        .status();
    assert!(status.expect("a C compiler").success());
    let text = std::fs::read_to_string(script("examples/i686/codec.lua")).unwrap();
    let lua = lua();
    let chunk = lua.load(text).set_name("@codec.lua");
    let paths = (object.to_str().unwrap(), library.to_str().unwrap());
    let results: String = chunk.call(paths).unwrap();
    assert!(results.contains(" calls of progress, the last at "), "{results}");
}

/// Signals that interrupted the calls.
static TICKS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn tick(_: libc::c_int) {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// SIGALRM every `microseconds`, or never.
fn interrupt(microseconds: i64) {
    // SAFETY: the handler only counts.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = tick as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
        let every = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
}

/// Memory of the process in use, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Two threads, each with a Lua state of its own, call 32-bit code; callbacks are nested ten deep, errors come out of them, and a
/// timer interrupts a thousand times a second. Memory stays as it is. In a process of its own, which runs this test;
/// `CTHUNK_CASES=500000` makes a million calls.
#[test]
fn threads_and_signals() {
    const CHILD: &str = "CTHUNK_GUEST_THREADS";
    let object = compile(&["tests/guest/library.c"], "threads.o", &["-c", "-fno-pic"]);
    let Some(object) = object else { return };
    let cases = std::env::var("CTHUNK_CASES").unwrap_or("20000".into());
    if std::env::var_os(CHILD).is_none() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "threads_and_signals", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{error}");
        return print!(
            "{}",
            text.lines().find(|line| line.contains("signals")).unwrap_or_default()
        );
    }
    let calls: u32 = cases.parse::<u32>().expect("a number").max(1000);
    let text = std::fs::read_to_string(script("tests/guest/threads.lua")).unwrap();
    let turns = Barrier::new(3);
    interrupt(1000);
    let grown = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let lua = lua();
                lua.globals().set("OBJECT", object.to_str().unwrap()).unwrap();
                let chunk = lua.load(&text).set_name("@tests/guest/threads.lua");
                let run: mlua::Function = chunk.call(()).unwrap();
                run.call::<()>(1000).unwrap();
                turns.wait();
                turns.wait();
                run.call::<()>(calls).unwrap();
                turns.wait();
                turns.wait();
            });
        }
        turns.wait();
        let before = (resident(), cthunk::code::gate::memory::used(), cthunk::code::stats());
        turns.wait();
        turns.wait();
        let after = (resident(), cthunk::code::gate::memory::used(), cthunk::code::stats());
        turns.wait();
        assert_eq!(
            (before.1, before.2),
            (after.1, after.2),
            "memory of the guest, thunks, callbacks"
        );
        after.0.saturating_sub(before.0)
    });
    interrupt(0);
    let ticks = TICKS.load(Ordering::Relaxed);
    println!(
        "2 threads with {calls} calls each, {ticks} signals, {grown} KiB more memory at the end"
    );
    assert!(ticks > 0, "no signal arrived");
    assert!(grown < 1024, "{grown} KiB more memory");
}
