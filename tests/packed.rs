//! Thunks in memory: how large they are, and that nothing lies between them.

use cthunk::{Ffi, lua};
use mlua::Lua;

/// Bytes of a thunk, on average; `docs/performance.md` says what they are.
const MOST: usize = 350;
/// The alignment that the code generator gives functions.
const ALIGN: usize = 32;

/// Functions whose arguments are all named, of a file of `tests/conventions`.
fn declarations(convention: &str) -> Vec<String> {
    let file = format!("{}/tests/conventions/{convention}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).expect("a file of the project");
    let is_function = |line: &&str| {
        !line.starts_with([' ', '#', '/']) && line.contains("f(") && !line.contains("...")
    };
    text.lines().filter(is_function).map(str::to_owned).collect()
}

/// Each function gets its thunk at its first call, which has no arguments: a call of `getpid`, or an error.
#[test]
fn thunks_are_small_and_packed() {
    lua::compile_after(0);
    let lua = Lua::new();
    // SAFETY: `getpid` may be called with any arguments, of which it takes none, and as a function of any result.
    let ffi = unsafe { Ffi::open(&lua) }.expect("a table");
    lua.globals().set("ffi", ffi.table()).expect("memory");
    let declared = declarations("sysv64");
    assert!(declared.len() >= 60, "only {} declarations", declared.len());
    lua.globals().set("declared", declared).expect("memory");
    lua.load(
        r#"
        for i, text in ipairs(declared) do
          local name = "f" .. i
          text = text:gsub("%f[%w_]f%(", name .. "(", 1)
          if pcall(ffi.cdef, text .. ' __asm__("getpid");') then
            pcall(function() return ffi.C[name]() end)
          end
        end"#,
    )
    .exec()
    .expect("a script of this file");

    let thunks = ffi.thunks().expect("an open state");
    assert!(thunks.len() >= 50, "only {} thunks", thunks.len());
    let bytes: usize = thunks.iter().map(|thunk| thunk.size).sum();
    let average = bytes / thunks.len();
    println!("{} thunks, {bytes} bytes, {average} on average", thunks.len());
    assert!(average <= MOST, "{average} bytes a thunk");
    for pair in thunks.windows(2) {
        let [before, after] = pair else { continue };
        let gap = after.address - (before.address + before.size);
        assert!(gap < ALIGN, "{gap} bytes between {before:?} and {after:?}");
    }
}
