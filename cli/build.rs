//! Makes the command export Lua's C API, for modules written in C that `require` loads.

use std::env;
use std::fs;
use std::path::Path;

/// Names of the functions of lua.h, lualib.h and lauxlib.h, as patterns of a linker.
const API: &str = "{ lua_*; luaL_*; luaopen_*; };\n";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let set = |name: &str| env::var(name).unwrap_or_default();
    match set("CARGO_CFG_TARGET_OS").as_str() {
        "linux" | "android" | "freebsd" | "netbsd" | "openbsd" => {
            let list = Path::new(&set("OUT_DIR")).join("lua.list");
            fs::write(&list, API).expect("the folder of the build can be written");
            println!("cargo:rustc-link-arg-bins=-Wl,--dynamic-list={}", list.display());
        }
        "macos" => println!("cargo:rustc-link-arg-bins=-Wl,-export_dynamic"),
        _ => {}
    }
}
