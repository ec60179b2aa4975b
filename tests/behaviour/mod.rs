//! Lua files that are tests, and what they need.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use cthunk::mlua;

#[path = "../support/needs.rs"]
pub mod needs;

pub use needs::repository;

/// The file with the globals of the behaviour files.
pub fn suite() -> PathBuf {
    repository::path("tests/lua/support/suite.lua")
}

/// The Lua files of a folder of the repository; with `CTHUNK_LUA_TEST=name` those whose name contains `name`.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = repository::path(folder);
    let wanted = std::env::var("CTHUNK_LUA_TEST").unwrap_or_default();
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .collect();
    assert!(!files.is_empty(), "no Lua file in {}", folder.display());
    files.retain(|path| path.to_string_lossy().contains(&wanted));
    files.sort();
    files
}

/// The path of tests/c/calls.c as a shared library: the one that `CTHUNK_TESTLIB` names, or one built here.
pub fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        if let Ok(built) = std::env::var("CTHUNK_TESTLIB") {
            return built;
        }
        build("calls")
    })
}

/// Builds tests/c/NAME.c as a shared library and returns its path.
pub fn build(name: &str) -> String {
    let source = repository::path(&format!("tests/c/{name}.c"));
    let library = format!("lib{name}-{}.so", env!("CARGO_CRATE_NAME"));
    let library = format!("{}/{library}", env!("CARGO_TARGET_TMPDIR"));
    let triple = target_lexicon::HOST.to_string();
    let compiler = cc::Build::new().target(&triple).host(&triple).opt_level(1).get_compiler();
    let arguments = ["-shared", "-fPIC", "-o", &library];
    let status = compiler.to_command().args(arguments).arg(source).status();
    assert!(status.expect("a C compiler: install gcc or clang").success());
    library
}

/// Makes `require "ffi"` give a table: in LuaJIT instead of its own library, in Luau with a `require` for that.
pub fn provide(lua: &mlua::Lua, ffi: mlua::Table) -> mlua::Result<()> {
    match lua.globals().get::<Option<mlua::Table>>("package")? {
        Some(package) => package.get::<mlua::Table>("loaded")?.set("ffi", ffi),
        None => {
            let require = lua.create_function(move |_, _: String| Ok(ffi.clone()))?;
            lua.globals().set("require", require)
        }
    }
}
