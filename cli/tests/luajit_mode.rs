//! LuaJIT mode against LuaJIT: every program of `tests/luajit/` prints the same under `luajit` and `cthunk run --luajit`, and
//! the behaviour files of `tests/lua/` hold in LuaJIT mode as they hold under `luajit`.
//!
//! `CTHUNK_LUA_TEST=name` runs the files whose name contains `name`.
#![cfg(not(any(feature = "luajit", feature = "luau")))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cthunk::mlua::{self, Lua};

#[path = "../../tests/behaviour/mod.rs"]
mod behaviour;

use behaviour::{files, library, needs, suite};

/// Behaviour files that LuaJIT mode does not pass as they are, and why.
const DIFFERENT: [(&str, &str); 3] = [
    (
        "semantics_calling_libc.lua",
        "a missing argument is called missing, not a wrong number of arguments",
    ),
    ("semantics_parameterized_types.lua", "a '$' without a value has an error of its own"),
    ("api_tostring.lua", "'signed char' is a type of its own and prints so"),
];

/// The same for Lua 5.1 and 5.2.
const DIFFERENT_IN_5_1: [(&str, &str); 1] =
    [("gc.lua", "a finaliser that is set while it runs is not called again")];

/// Programs that Lua 5.1 cannot run, and why.
const NOT_IN_5_1: [(&str, &str); 5] = [
    ("spelling.lua", "there is no goto"),
    ("syntax.lua", "there is no goto"),
    ("upvalues.lua", "there is no debug.upvalueid"),
    ("yields.lua", "a C function cannot yield"),
    ("zeros.lua", "-0.0 and 0.0 are one constant of a function"),
];

fn output(command: &mut Command, program: &Path) -> Output {
    let folder = program.parent().expect("a folder");
    command.current_dir(folder).arg(program.file_name().expect("a name")).args(["one", "two"]);
    command.output().expect("it runs")
}

#[test]
fn programs_print_what_they_print_under_luajit() {
    if !needs::has(needs::luajit()) {
        return;
    }
    let mut failures = Vec::new();
    for path in files("tests/luajit") {
        let name = path.file_name().unwrap_or_default();
        if cfg!(feature = "lua51") && NOT_IN_5_1.iter().any(|(program, _)| name == *program) {
            continue;
        }
        let expected = output(&mut Command::new("luajit"), &path);
        let ours =
            output(Command::new(env!("CARGO_BIN_EXE_cthunk")).args(["run", "--luajit"]), &path);
        let error = String::from_utf8_lossy(&expected.stderr);
        assert!(expected.status.success(), "luajit {}: {error}", path.display());
        let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
        let (expected, found) = (text(&expected), text(&ours));
        let lines = expected.lines().zip(found.lines()).enumerate();
        let line = lines.filter(|(_, (a, b))| a != b).map(|(i, _)| i).next();
        if expected != found || !ours.status.success() {
            let i = line.unwrap_or(expected.lines().count().min(found.lines().count()));
            let at = |text: &str| text.lines().nth(i).unwrap_or("the end").to_owned();
            let error = String::from_utf8_lossy(&ours.stderr);
            failures.push(format!(
                "{}: line {} of the output\n  luajit: {}\n  cthunk: {}\n{error}",
                path.display(),
                i + 1,
                at(&expected),
                at(&found),
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn behaviour_files_hold_in_luajit_mode() {
    let mut failures = Vec::new();
    for path in files("tests/lua") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let old = if cfg!(any(feature = "lua51", feature = "lua52")) {
            &DIFFERENT_IN_5_1[..]
        } else {
            &[]
        };
        let different = DIFFERENT.iter().chain(old).any(|(file, _)| *file == name);
        // SAFETY: the behaviour files use `ffi`, `io` and `debug` as their subject.
        let (lua, ffi) = unsafe {
            let lua = Lua::unsafe_new();
            let ffi = cthunk::lua::open_luajit(&lua).expect("LuaJIT mode");
            (lua, ffi)
        };
        // They ask for NULL pointers, which the mode gives as nil unless told otherwise.
        ffi.get::<mlua::Function>("option")
            .expect("a function")
            .call::<()>(("null", "cdata"))
            .expect("an option");
        let package: mlua::Table = lua.globals().get("package").expect("a table");
        package.get::<mlua::Table>("loaded").expect("a table").set("ffi", ffi).expect("set");
        lua.globals().set("TESTLIB", library()).expect("set");
        lua.globals().set("AS_LUAJIT", true).expect("set");
        let load: mlua::Function = lua.globals().get("load").expect("a function");
        let load = |path: &Path, name: &str| {
            let source = fs::read_to_string(path).expect("the file");
            load.call::<mlua::Function>((source, format!("@{name}"))).expect("loads")
        };
        load(&suite(), "suite.lua").call::<()>(()).expect("runs");
        let chunk = load(&path, &name);
        match (chunk.call::<()>(()), different) {
            (Ok(()), true) => failures.push(format!("{name} passes: take it off the list")),
            (Err(error), false) => failures.push(format!("{name}: {error}")),
            _ => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The Lua stack has room for 20 values at first, less what the command keeps there.
#[test]
fn a_script_may_have_any_number_of_arguments() {
    let script = concat!(env!("CARGO_TARGET_TMPDIR"), "/arguments.lua");
    std::fs::write(script, "print(select('#', ...), (select(-1, ...)), arg[#arg])")
        .expect("a file");
    for count in (1..40).chain([250, 3000]) {
        for mode in [&["run", script][..], &["run", "--luajit", script]] {
            let numbers = (1..=count).map(|i| i.to_string());
            let output =
                Command::new(env!("CARGO_BIN_EXE_cthunk")).args(mode).args(numbers).output();
            let output = output.expect("it runs");
            let found = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(found, format!("{count}\t{count}\t{count}\n"), "{mode:?}: {output:?}");
        }
    }
}
