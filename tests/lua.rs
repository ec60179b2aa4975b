//! Runs every behaviour file of `tests/lua/`: plain Lua with assertions, organised by the sections of LuaJIT's FFI
//! documentation, with the globals of `tests/lua/support/suite.lua`. The files also run under `luajit`; what differs there is
//! under `if differs "name"`, and docs/luajit-differences.md explains it.
//!
//! `CTHUNK_LUA_TEST=name` runs the files whose name contains `name`. `CTHUNK_CASES` and `CTHUNK_SEED` set the number and
//! the seed of the random operations of `tests/lua/random/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use mlua::Lua;

mod behaviour;

use behaviour::{files, library, needs, suite};

/// The assertions of one file, as `tests/lua/support/suite.lua` reports them.
#[derive(Default)]
struct Report {
    /// Every place in the file together with the case that it names.
    assertions: BTreeSet<String>,
    executed: u64,
    /// The departures from LuaJIT that the file tests, by their names in docs/luajit-differences.md.
    differences: BTreeSet<String>,
}

impl Report {
    fn parse(text: &str) -> Report {
        let mut report = Report::default();
        for line in text.lines() {
            match line.split_once('\t') {
                Some(("executed", count)) => report.executed = count.parse().expect("a number"),
                Some(("differences", names)) => {
                    report.differences = names.split_whitespace().map(str::to_owned).collect();
                }
                _ => drop(report.assertions.insert(line.to_owned())),
            }
        }
        report
    }
}

/// Runs one file in a fresh Lua state with `ffi` preloaded, then closes the state.
fn run(path: &Path) -> mlua::Result<Report> {
    // SAFETY: the behaviour files use `ffi`, `io` and `debug` as their subject.
    let lua = unsafe { Lua::unsafe_new() };
    install(&lua)?;
    lua.globals().set("TESTLIB", library())?;
    lua.load(fs::read_to_string(suite())?).set_name("@suite.lua").exec()?;
    let name = format!("@{}", path.file_name().unwrap_or_default().to_string_lossy());
    lua.load(fs::read_to_string(path)?).set_name(name).exec()?;
    Ok(Report::parse(&lua.globals().get::<mlua::Function>("suite_report")?.call::<String>(())?))
}

/// A file under `luajit`, with LuaJIT's own `ffi`.
fn luajit(path: &Path) -> Command {
    let mut command = Command::new("luajit");
    command.arg(suite()).arg(path).env("CTHUNK_TESTLIB", library());
    command
}

fn run_luajit(path: &Path) -> Report {
    let output = luajit(path).output().expect("luajit runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", path.display());
    Report::parse(&String::from_utf8_lossy(&output.stdout))
}

/// Makes `require "ffi"` give this library.
fn install(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: the scripts have `ffi` as their subject.
    let ffi = unsafe { cthunk::lua::open(lua)? };
    behaviour::provide(lua, ffi)
}

/// Every file passes, and docs/luajit-differences.md lists the departures from LuaJIT that they test: these and no others.
#[test]
fn behaviour_files() {
    let (mut failures, mut differences, mut executed) = (Vec::new(), BTreeSet::new(), 0);
    let files = files("tests/lua");
    for path in &files {
        match run(path) {
            Ok(report) => {
                differences.extend(report.differences);
                executed += report.executed;
            }
            Err(error) => failures.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(failures.is_empty(), "{} files failed:\n{}", failures.len(), failures.join("\n"));
    println!("{} files, {executed} assertions executed", files.len());
    // Some differences are of Lua versions with integers only.
    let integers = cfg!(any(feature = "lua53", feature = "lua54", feature = "lua55"));
    if integers && std::env::var_os("CTHUNK_LUA_TEST").is_none() {
        let table = include_str!("../docs/luajit-differences.md");
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let listed: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
        assert_eq!(
            differences, listed,
            "tested (left) and listed in docs/luajit-differences.md (right)"
        );
    }
}

/// The same without reading or writing Lua's memory directly.
#[test]
fn behaviour_files_through_the_c_api() {
    behaviour_files_with(&[("CTHUNK_SLOW", "1")]);
}

/// The same with a thunk for every function from its first call on.
#[test]
fn behaviour_files_compiled() {
    behaviour_files_with(&[("CTHUNK_HOT", "0")]);
}

/// The same in a process that makes no machine code.
#[test]
fn behaviour_files_interpreted() {
    behaviour_files_with(&[("CTHUNK_MODE", "interpreted")]);
}

/// The same with neither machine code nor direct access to Lua's memory.
#[test]
fn behaviour_files_interpreted_through_the_c_api() {
    behaviour_files_with(&[("CTHUNK_MODE", "interpreted"), ("CTHUNK_SLOW", "1")]);
}

fn behaviour_files_with(environment: &[(&str, &str)]) {
    let tests = std::env::current_exe().expect("this test binary");
    let output = Command::new(tests)
        .args(["--exact", "behaviour_files", "--nocapture"])
        .envs(environment.iter().copied())
        .env("CTHUNK_TESTLIB", library())
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The files have the same outcome under LuaJIT's own `ffi`: at least 1,500 assertions are the same in both.
#[cfg(not(target_pointer_width = "32"))] // Debian's LuaJIT is a 64-bit program.
#[test]
fn behaviour_files_under_luajit() {
    if !needs::has(needs::luajit()) {
        return;
    }
    let mut shared = 0;
    for path in files("tests/lua") {
        let theirs = run_luajit(&path);
        if let Ok(ours) = run(&path) {
            shared += ours.assertions.intersection(&theirs.assertions).count();
        }
    }
    println!("{shared} assertions hold in both");
    let all = std::env::var_os("CTHUNK_LUA_TEST").is_none();
    assert!(shared >= 1500 || !all, "only {shared} assertions hold in both");
}

/// Differences whose assertions ask for a Lua that LuaJIT is not. What it does instead stands in their `else`.
const OF_ANOTHER_LUA: [&str; 2] = ["int64", "vararg-integers"];

/// LuaJIT fails the assertions of every difference: none of them is about what both do.
#[cfg(not(target_pointer_width = "32"))] // Debian's LuaJIT is a 64-bit program.
#[test]
fn every_difference_is_one() {
    if !needs::has(needs::luajit()) {
        return;
    }
    let mut files_of: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in files("tests/lua") {
        for name in run_luajit(&path).differences {
            files_of.entry(name).or_default().push(path.clone());
        }
    }
    for (name, files) in files_of {
        // Some of them end the process.
        let same = files.iter().find(|path| {
            let output = luajit(path).env("CTHUNK_DIFFERENCE", &name).output();
            output.expect("luajit runs").status.success()
        });
        let excused = OF_ANOTHER_LUA.contains(&&*name);
        assert!(
            excused || same.is_none(),
            "LuaJIT passes what {same:?} says is a difference: {name}"
        );
    }
}

/// Seeded random operations on cdata: any of them may fail, none may end the process.
#[test]
fn random_operations() {
    let setting = |name: &str, default: u64| match std::env::var(name) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => default,
    };
    let (seed, cases) = (setting("CTHUNK_SEED", 1), setting("CTHUNK_CASES", 20_000));
    println!("CTHUNK_SEED={seed} CTHUNK_CASES={cases}");
    // SAFETY: the file uses `ffi` as its subject.
    let lua = unsafe { Lua::unsafe_new() };
    install(&lua).expect("opens");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lua/random/operations.lua");
    let chunk = lua.load(fs::read_to_string(path).expect("the file"));
    let successes: u64 = chunk.set_name("@operations.lua").call((seed, cases)).expect("runs");
    assert!(successes > cases / 2, "only {successes} of {cases} operations did something");
}

/// Finalisers that Lua runs while it closes the state use the library, before and after its own end.
#[test]
fn closing_the_state_runs_every_finaliser() {
    // SAFETY: the script uses `ffi` as its subject.
    let lua = unsafe { Lua::unsafe_new() };
    let log = lua.create_table().expect("a table");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let note = lua.create_function(move |_, text: String| {
        sink.lock().expect("one thread").push(text);
        Ok(())
    });
    lua.globals().set("note", note.expect("a function")).expect("a global");
    lua.globals().set("log", log).expect("a global");
    let early = "early = setmetatable({}, { __gc = function()
           note('early ' .. tostring(pcall(new, 'int')) .. ' ' .. tostring(pcall(read, text)))
         end })
         return _VERSION";
    let version: String = lua.load(early).call(()).expect("runs");
    install(&lua).expect("opens");
    lua.load(
        "local ffi = require 'ffi'
         new, read, kept = ffi.new, ffi.string, {}
         bytes = ffi.new('char[8]', 'text')
         text = ffi.cast('const char *', bytes)
         for _ = 1, 5 do assert(read(text) == 'text') end
         for i = 1, 3 do
           kept[i] = ffi.gc(ffi.new('int[2]', i), function(o)
             note('int ' .. o[0] .. ' ' .. tostring(ffi.istype('int[2]', o)) .. ' ' .. #ffi.string(ffi.new('char[3]', 'ab')))
           end)
         end
         ffi.cdef 'struct closing { int n; }; double fabs(double);'
         kept.m = ffi.metatype('struct closing', { __gc = function(o) note('meta ' .. o.n * ffi.C.fabs(-0.5)) end })(5)
         kept.library = ffi.load 'libm.so.6'",
    )
    .exec()
    .expect("runs");
    drop(lua);
    let seen = seen.lock().expect("one thread").clone();
    let all = ["meta 2.5", "int 3 true 2", "int 2 true 2", "int 1 true 2", "early false false"];
    // Luau runs no finaliser when a state closes; in 5.1 and LuaJIT tables have none.
    let expected = match version.as_str() {
        version if version.starts_with("Luau") => 0,
        "Lua 5.1" => 4,
        _ => 5,
    };
    assert_eq!(seen, all[..expected]);
}

#[test]
fn opening_twice_gives_the_same_table() {
    let lua = Lua::new();
    // SAFETY: no script runs.
    let open = |lua| unsafe { cthunk::lua::open(lua) };
    let first = open(&lua).expect("opens");
    let second = open(&lua).expect("opens again");
    assert_eq!(first, second);
    let other = Lua::new();
    let third = open(&other).expect("another state has its own");
    assert_ne!(first.to_pointer(), third.to_pointer());
}

/// The README's tour prints what it says, on a Lua with integers: without them `%d` needs `ffi.new("int", 42)`.
#[cfg(any(feature = "lua53", feature = "lua54", feature = "lua55"))]
#[test]
fn the_tour_of_the_readme() {
    let readme = include_str!("../README.md");
    let tour = readme.split("```lua\n").nth(1).and_then(|rest| rest.split("```").next());
    // SAFETY: the tour is above.
    let lua = unsafe { Lua::unsafe_new() };
    install(&lua).expect("opens");
    let print = "lines = {}
    function print(...)
        local texts = {}
        for i = 1, select('#', ...) do texts[i] = tostring((select(i, ...))) end
        lines[#lines + 1] = table.concat(texts, ' ')
    end";
    lua.load(print).exec().expect("runs");
    lua.load(tour.expect("a tour")).set_name("=tour").exec().expect("runs");
    let lines: Vec<String> = lua.globals().get("lines").expect("lines");
    assert_eq!(
        lines,
        [
            "42 3.142 hello",
            "1.0 1.5 3.0 4.0",
            "false bad argument #1 to 'snprintf' (cannot convert 'table' to 'char *')",
            "false tour:16: oops",
        ]
    );
}
