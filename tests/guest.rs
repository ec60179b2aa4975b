//! `ffi.target`: the Lua side of code for other platforms, and 32-bit x86 code called from 64-bit Lua.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use mlua::Lua;

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

/// Compiles freestanding C for the guest, as an object file or a shared library.
fn compile(source: &str, extension: &str, options: &[&str]) -> Option<PathBuf> {
    let compiler = "i686-linux-gnu-gcc";
    let name = script(source).file_stem()?.to_owned();
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension(extension);
    let status = Command::new(compiler)
        .args(["-O1", "-ffreestanding", "-fno-stack-protector", "-nostdlib"])
        .args(options)
        .arg("-o")
        .args([&to, &script(source)])
        .status();
    match status {
        Ok(status) => {
            assert!(status.success(), "{source}");
            Some(to)
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{compiler}: {error}");
            eprintln!("SKIPPED: {compiler} is not installed, so {source} was not run");
            None
        }
    }
}

/// Whether 32-bit code runs here; in CI it must.
fn gate_is_open() -> bool {
    static OPEN: OnceLock<bool> = OnceLock::new();
    *OPEN.get_or_init(|| match cthunk::code::gate::available() {
        Ok(()) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
            false
        }
    })
}

#[test]
fn platforms_that_do_not_run_here() {
    run(&lua(), "tests/guest/elsewhere.lua");
}

#[test]
fn calls_of_an_object_file() {
    let object = compile("tests/guest/library.c", "o", &["-c", "-fno-pic"]);
    let Some(object) = object.filter(|_| gate_is_open()) else { return };
    let lua = lua();
    lua.globals().set("OBJECT", object.to_str().unwrap()).unwrap();
    run(&lua, "tests/guest/calls.lua");
    drop(lua);
}

#[test]
fn calls_of_a_shared_library() {
    let library = compile("tests/guest/library.c", "so", &["-shared", "-fPIC"]);
    let Some(library) = library.filter(|_| gate_is_open()) else { return };
    let lua = lua();
    lua.globals().set("OBJECT", library.to_str().unwrap()).unwrap();
    run(&lua, "tests/guest/calls.lua");
}

/// The behaviour files that ask for nothing of the host (its C library, its sizes, its strings in C memory), with the 32-bit
/// `ffi` in its place.
#[test]
fn behaviour_files() {
    const FILES: [&str; 9] = [
        "api_metatype",
        "gc",
        "semantics_arithmetic",
        "semantics_bitfields",
        "semantics_c_to_c",
        "semantics_c_to_lua",
        "semantics_comparisons",
        "semantics_indexing",
        "semantics_parameterized_types",
    ];
    if !gate_is_open() {
        return;
    }
    let mut failures = Vec::new();
    for file in FILES {
        let lua = lua();
        let swap = "package.loaded.ffi = require 'ffi'.target 'i686-unknown-linux-gnu'";
        lua.load(swap).exec().unwrap();
        run(&lua, "tests/lua/support/suite.lua");
        let path = format!("tests/lua/{file}.lua");
        let text = std::fs::read_to_string(script(&path)).unwrap();
        if let Err(error) = lua.load(text).set_name(format!("@{file}.lua")).exec() {
            failures.push(error.to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// examples/i686: the 32-bit and the 64-bit build of one codec give the same results.
#[test]
fn the_codec_example() {
    let object = compile("examples/i686/codec.c", "o", &["-c", "-fno-pic"]);
    let Some(object) = object.filter(|_| gate_is_open()) else { return };
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
