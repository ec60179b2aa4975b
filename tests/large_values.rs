//! Values of a megabyte by value, and thousands of arguments: they cost what copying them costs, and what a thread's stack has no room
//! for is an error.
#![cfg(all(target_arch = "x86_64", target_os = "linux", feature = "cli"))]

use std::process::Command;
use std::sync::OnceLock;

use cthunk::{Ffi, Policy};
use mlua::Lua;

mod behaviour;

fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| behaviour::build("large"))
}

/// Runs tests/large/values.lua.
fn values(options: &[&str], mode: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/large/values.lua");
    let output = Command::new(env!("CARGO_BIN_EXE_cthunk"))
        .arg("run")
        .args(options)
        .args([script, library()])
        .env("CTHUNK_MODE", mode)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout == b"ok\n", "{mode} {options:?}: {text}");
}

#[test]
fn through_c_and_back() {
    values(&[], "compiled");
}

#[test]
fn without_machine_code() {
    values(&[], "interpreted");
}

#[test]
fn in_luajit_mode() {
    values(&["--luajit"], "compiled");
}

/// A thread with a small stack passes what it has room for, and refuses the rest.
#[test]
fn on_a_small_stack() {
    let script = "
        ffi.cdef 'typedef struct { char c[20000]; } fits; typedef struct { char c[200000]; } large; int getpid(void);'
        ffi.cdef 'typedef struct { char c[1000000]; } result;'
        local function call(ty) return ffi.cast('int (*)(' .. ty .. ')', ffi.C.getpid)(ffi.new(ty)) end
        assert(call 'fits' == ffi.C.getpid())
        local ok, message = pcall(call, 'large')
        assert(not ok and message:find('200000 bytes of stack', 1, true), message)
        ok, message = coroutine.wrap(function() return pcall(call, 'large') end)()
        assert(not ok and message:find('200000 bytes of stack', 1, true), message)
        -- A callback of Lua's own is a C function, too.
        local f = ffi.cast('int (*)(large)', function() return 1 end)
        assert(not pcall(f, ffi.new 'large'))
        -- A result comes back through a pointer, to memory that is Lua's.
        assert(ffi.cast('result (*)(void)', function() return ffi.new 'result' end)().c[5] == 0)
    ";
    let thread = std::thread::Builder::new().stack_size(160 << 10).spawn(move || {
        // SAFETY: the script is the one above.
        let lua = unsafe { Lua::unsafe_new() };
        let ffi = Ffi::builder().policy(Policy::open()).global("ffi");
        // SAFETY: the same.
        let _ffi = unsafe { ffi.install_unconfined(&lua) }.unwrap();
        lua.load(script).exec().unwrap();
    });
    thread.unwrap().join().unwrap();
}
