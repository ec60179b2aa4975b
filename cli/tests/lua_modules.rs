//! Lua modules written in C, in the `cthunk` command: it exports Lua's API, and `require` looks where Debian's packages put modules.
#![cfg(all(target_os = "linux", feature = "lua54"))]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

#[path = "../../tests/support/needs.rs"]
mod needs;

const COMMAND: &str = env!("CARGO_BIN_EXE_cthunk");

/// Runs a script by the command, and returns its output.
fn run(script: &str, options: &[&str]) -> String {
    let mut command = Command::new(COMMAND);
    command.arg("run").args(options).arg("-").env_remove("LUA_CPATH").env_remove("LUA_PATH");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn lpeg_as_debian_installs_it() {
    if !needs::has(needs::runs("lua5.4", &["-e", "require 'lpeg'"], "lua-lpeg")) {
        return;
    }
    let script = r#"
        local lpeg = require "lpeg"
        local number = lpeg.C(lpeg.R("09") ^ 1) / tonumber
        local sum = lpeg.Cf(number * ("+" * number) ^ 0, function(a, b) return a + b end)
        print(lpeg.match(sum, "1+20+300"))
        print(pcall(lpeg.match, {}, "x"))
    "#;
    for options in [&[][..], &["--luajit"]] {
        let printed = run(script, options);
        let mut lines = printed.lines();
        assert_eq!(lines.next(), Some("321"), "{options:?}");
        assert!(
            lines.next().is_some_and(|line| line.starts_with("false")),
            "{options:?}: {printed}"
        );
    }
}

#[test]
fn modules_are_found_where_debians_interpreter_finds_them() {
    if !needs::has(needs::runs("lua5.4", &["-v"], "lua5.4")) {
        return;
    }
    let script = "print(package.path, package.cpath)";
    let theirs = Command::new("lua5.4")
        .args(["-e", script])
        .env_remove("LUA_CPATH")
        .env_remove("LUA_PATH")
        .output()
        .expect("it runs");
    assert_eq!(run(script, &[]), String::from_utf8_lossy(&theirs.stdout));
}

#[test]
fn every_function_of_the_c_api_is_exported() {
    let headers = "/usr/include/lua5.4";
    let header = needs::runs("test", &["-e", "/usr/include/lua5.4/lua.h"], "liblua5.4-dev");
    if !needs::has(header.and(needs::runs("nm", &["--version"], "binutils"))) {
        return;
    }
    let symbols = Command::new("nm").args(["-D", "--defined-only", COMMAND]).output().expect("nm");
    let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
    let exported: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    let (mut declared, mut missing) = (0, Vec::new());
    for header in ["lua.h", "lauxlib.h", "lualib.h"] {
        let text = fs::read_to_string(format!("{headers}/{header}")).expect("a header");
        // `LUA_API int (lua_gettop) (lua_State *L);`
        for name in text.split('(').filter_map(|part| part.split(')').next()) {
            let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
            let of_lua =
                ["lua_", "luaL_", "luaopen_"].iter().any(|prefix| name.starts_with(prefix));
            if is_name && of_lua && text.contains(&format!("({name}) (")) {
                declared += 1;
                if !exported.contains(&name) {
                    missing.push(name.to_owned());
                }
            }
        }
    }
    assert!(declared > 120, "only {declared} functions in {headers}");
    assert!(missing.is_empty(), "not exported: {missing:?}");
}
