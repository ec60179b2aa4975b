//! Thunks in the process: functions and Lua states share them by shape, and no memory is ever writable and executable.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::sync::atomic::{AtomicBool, Ordering};

use cthunk::code;
use mlua::Lua;

fn lua() -> Lua {
    // SAFETY: the scripts are below.
    unsafe {
        let lua = Lua::unsafe_new();
        cthunk::lua::preload(&lua).unwrap();
        lua
    }
}

/// Mappings of this process that are writable and executable.
fn writable_and_executable() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let both = |line: &&str| {
        let permissions = line.split(' ').nth(1).unwrap_or("");
        permissions.contains('w') && permissions.contains('x')
    };
    maps.lines().filter(both).map(str::to_owned).collect()
}

/// One test, because it counts what the whole process has.
#[test]
fn thunks_are_shared_and_never_writable() {
    cthunk::lua::compile_after(0);
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(writable_and_executable(), [""; 0]);
                looks += 1;
            }
            looks
        });
        // Whatever happens here, the watcher must end.
        let outcome = std::panic::catch_unwind(compile_and_share);
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
        watcher.join().unwrap()
    });
    assert!(looks > 10, "the watcher looked only {looks} times");
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.lines().any(|line| line.contains(" r-xs ") && line.contains("cthunk")));
}

fn compile_and_share() {
    let first = lua();
    first
        .load(
            r#"
            ffi = require "ffi"
            ffi.cdef "int abs(int); int toupper(int); int tolower(int); double fabs(double);"
            assert(ffi.C.abs(-5) == 5)
            "#,
        )
        .exec()
        .unwrap();
    let one = code::stats();
    assert!(one.thunks >= 1 && one.code_bytes > 0);
    first.load("assert(ffi.C.toupper(97) == 65 and ffi.C.tolower(65) == 97)").exec().unwrap();
    assert_eq!(code::stats(), one, "two functions of one shape share a thunk");

    let second = lua();
    second
        .load(
            r#"
            local ffi = require "ffi"
            ffi.cdef "int isdigit(int);"
            assert(ffi.C.isdigit(0x35) ~= 0)
            "#,
        )
        .exec()
        .unwrap();
    assert_eq!(code::stats(), one, "two Lua states share a thunk");

    first.load("assert(ffi.C.fabs(-1.5) == 1.5)").exec().unwrap();
    assert_eq!(code::stats().thunks, one.thunks + 1, "another shape is another thunk");

    // Many shapes, variadic stubs and callbacks, while the watcher looks.
    first
        .load(
            r#"
            local types = { "int", "double", "float", "char", "short", "void *", "int64_t" }
            local callbacks = {}
            for a = 1, 7 do
              for b = 1, 7 do
                local ct = ffi.typeof(types[a] .. " (*)(" .. types[b] .. ")")
                callbacks[#callbacks + 1] = ffi.cast(ct, function() return nil end)
              end
            end
            ffi.cdef "int snprintf(char *, size_t, const char *, ...);"
            local buf = ffi.new("char[64]")
            assert(ffi.C.snprintf(buf, 64, "%d %g", 1, 1.5) == 5)
            for _, cb in ipairs(callbacks) do cb:free() end
            "#,
        )
        .exec()
        .unwrap();
    assert_eq!(code::stats().callbacks, 0);
}
