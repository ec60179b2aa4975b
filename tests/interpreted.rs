//! `Mode::Interpreted`: nothing becomes executable, and what a plan says is done without machine code. The behaviour suite in
//! this mode is in `tests/lua.rs`.
#![cfg(all(target_arch = "x86_64", target_os = "linux", feature = "fuzz-abi"))]

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cthunk::code::POOLED_CALLBACKS;
use cthunk::fuzz::host::{Oracle, RoundTrip};
use cthunk::fuzz::program::{Direction, Outcome};
use cthunk::fuzz::{Batch, Generator, Platform, campaign, shape};
use cthunk::{Mode, abi};

/// Each test may use every callback that the process has.
static POOL: Mutex<()> = Mutex::new(());

fn check(batch: &Batch, replay: &str) {
    for prototype in &batch.prototypes {
        match RoundTrip.step(batch, prototype, Direction::Call) {
            Outcome::Passed => {}
            other => panic!("{other:?}\n{replay}\n{}", batch.describe(prototype)),
        }
    }
}

/// Interpreted calls of interpreted callbacks: both sides are placed by the plan, through the processor's own registers and
/// stack. `cthunk fuzz-abi` with `CTHUNK_MODE=interpreted` puts C compilers on the other side.
#[test]
fn random_functions() {
    let _pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    Mode::Interpreted.set();
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let cases = read("CTHUNK_CASES").unwrap_or(4000) as usize;
    let seed = read("CTHUNK_SEED").unwrap_or(1);
    for convention in ["sysv64", "win64"] {
        let platform = Platform::of(convention).unwrap();
        check(&Batch::parse(include_str!("c/traps.h"), platform).unwrap(), convention);
        for number in 0..cases.div_ceil(campaign::BATCH) {
            let mut generator = Generator::new(platform, seed + number as u64);
            let count = campaign::BATCH.min(cases - number * campaign::BATCH);
            let functions: Vec<_> = (0..count).map(|_| generator.case()).collect();
            let batch = Batch::parse(&shape::header(&functions), platform).unwrap();
            check(&batch, &format!("CTHUNK_SEED={} CTHUNK_CASES={count}", seed + number as u64));
        }
        println!("{convention}: {cases} functions, seed {seed}");
    }
    assert!(abi::conventions().count() > 2, "the others run elsewhere");
    nothing_of_ours_is_executable();
}

/// Every executable page is a file of the system, or the kernel's own.
fn nothing_of_ours_is_executable() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let executable = |line: &&str| line.split(' ').nth(1).is_some_and(|it| it.contains('x'));
    let mut files = 0;
    for line in maps.lines().filter(executable) {
        let name = line.split_whitespace().nth(5).unwrap_or("");
        let file = name.starts_with('/') && Path::new(name).exists();
        assert!(file || ["[vdso]", "[vsyscall]"].contains(&name), "{line}");
        files += usize::from(file);
    }
    assert!(files >= 2, "the program and its C library at least:\n{maps}");
}

#[test]
fn lua_calls_and_callbacks_map_no_executable_page() {
    let _pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    Mode::Interpreted.set();
    // SAFETY: the script is below.
    let lua = unsafe {
        let lua = mlua::Lua::unsafe_new();
        cthunk::lua::preload(&lua).unwrap();
        lua
    };
    lua.globals().set("pool", POOLED_CALLBACKS).unwrap();
    lua.load(
        r#"
        local ffi = require(_VERSION:find "Luau" and "@ffi" or "ffi")
        ffi.cdef [[
          int abs(int);
          int snprintf(char *, size_t, const char *, ...);
          void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
        ]]
        for i = 1, 5000 do assert(ffi.C.abs(-i) == i) end
        local buffer = ffi.new "char[64]"
        local n = ffi.C.snprintf(buffer, 64, "%d %g %s", ffi.new("int", 42), 1.5, "text")
        assert(ffi.string(buffer, n) == "42 1.5 text")
        local list = ffi.new("int[5]", { 3, 1, 5, 2, 4 })
        ffi.C.qsort(list, 5, 4, function(a, b) return a[0] - b[0] end)
        for i = 0, 4 do assert(list[i] == i + 1) end

        -- Every callback of the pool works, one more is an error that says so, and a freed one serves again.
        local kept, called = {}, 0
        for i = 2, pool do
          kept[i] = ffi.cast("int (*)(int)", function(x) called = called + 1; return x + i end)
        end
        for i = 2, pool do assert(kept[i](1) == i + 1) end
        assert(called == pool - 1)
        local ok, message = pcall(ffi.cast, "int (*)(int)", print)
        assert(not ok and message:find("all " .. pool .. " callbacks", 1, true), message)
        kept[2]:free()
        assert(ffi.cast("int (*)(int)", function(x) return -x end)(7) == -7)
        "#,
    )
    .exec()
    .unwrap();
    nothing_of_ours_is_executable();
}
