//! Runs every behaviour file of `tests/lua/`: plain Lua with assertions, organised by the sections of LuaJIT's FFI
//! documentation. The files also run under `luajit`; what differs there is under `if cthunk`.
//!
//! `CTHUNK_LUA_TEST=name` runs the files whose name contains `name`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use mlua::Lua;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua");
    let wanted = std::env::var("CTHUNK_LUA_TEST").unwrap_or_default();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("tests/lua is there")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .filter(|path| path.to_string_lossy().contains(&wanted))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no behaviour file in {}", folder.display());
    files
}

/// Runs one file in a fresh Lua state with `ffi` preloaded, then closes the state.
fn run(path: &Path) -> mlua::Result<()> {
    // SAFETY: the behaviour files use `ffi`, `io` and `debug` as their subject.
    let lua = unsafe { Lua::unsafe_new() };
    let ffi = cthunk::lua::open(&lua)?;
    let package: mlua::Table = lua.globals().get("package")?;
    package.get::<mlua::Table>("loaded")?.set("ffi", ffi)?;
    lua.globals().set("TESTLIB", library())?;
    let name = format!("@{}", path.file_name().unwrap_or_default().to_string_lossy());
    lua.load(fs::read_to_string(path)?).set_name(name).exec()
}

/// The path of tests/c/calls.c as a shared library.
fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/calls.c");
        let library = concat!(env!("CARGO_TARGET_TMPDIR"), "/libcalls.so").to_owned();
        let triple = target_lexicon::HOST.to_string();
        let compiler = cc::Build::new().target(&triple).host(&triple).opt_level(1).get_compiler();
        let arguments = ["-shared", "-fPIC", "-o", &library, source];
        let status = compiler.to_command().args(arguments).status();
        assert!(status.expect("a C compiler: install gcc or clang").success());
        library
    })
}

#[test]
fn behaviour_files() {
    let mut failures = Vec::new();
    for path in files() {
        if let Err(error) = run(&path) {
            failures.push(format!("{}: {error}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{} files failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn opening_twice_gives_the_same_table() {
    let lua = Lua::new();
    let first = cthunk::lua::open(&lua).expect("opens");
    let second = cthunk::lua::open(&lua).expect("opens again");
    assert_eq!(first, second);
    let other = Lua::new();
    let third = cthunk::lua::open(&other).expect("another state has its own");
    assert_ne!(first.to_pointer(), third.to_pointer());
}
