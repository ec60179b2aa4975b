//! Scripts that loop, allocate, recurse, and try to end the process, in a [`Sandbox`]: the host lives, gets the right error in time, and goes on.

use std::time::{Duration, Instant};

use cthunk::{Error, Policy, Sandbox, SandboxBuilder, mlua};

/// The deadline of each script, and the time by which the host has its error.
const DEADLINE: Duration = Duration::from_millis(60);
const BOUND: Duration = Duration::from_millis(1500);

fn builder() -> SandboxBuilder {
    Sandbox::builder().policy(Policy::data_only()).time(DEADLINE)
}

/// What a script's end was.
fn end_of(sandbox: &Sandbox, script: &str) -> (String, Duration) {
    let began = Instant::now();
    let end = match sandbox.run::<mlua::Value>("plugin", script) {
        Ok(value) => format!("returned {value:?}"),
        Err(error) => match error.downcast_ref() {
            Some(Error::Deadline) => "deadline".to_owned(),
            Some(Error::Steps) => "steps".to_owned(),
            _ => error.to_string(),
        },
    };
    (end, began.elapsed())
}

/// The sandbox can be used after all of it.
fn is_alive(sandbox: &Sandbox) {
    assert_eq!(sandbox.run::<i64>("plugin", "return 6 * 7").expect("runs"), 42);
}

/// Scripts that would run for ever.
const LOOPS: &[(&str, &str)] = &[
    ("the main chunk", "while true do end"),
    ("a loop that catches the error", "while true do pcall(function() while true do end end) end"),
    ("a loop of errors", "while true do pcall(error) end"),
    ("recursion under pcall", "local function f() pcall(f) while true do end end f()"),
    ("a coroutine", "coroutine.wrap(function() while true do end end)()"),
    (
        "a coroutine that catches",
        "local function f() while true do pcall(function() while true do end end) end end
         while true do coroutine.resume(coroutine.create(f)) end",
    ),
    (
        "coroutines in coroutines",
        "local function f() coroutine.wrap(f)() end
         while true do pcall(f) end",
    ),
    ("an error handler", "xpcall(function() while true do end end, function() while true do end end)"),
    (
        "an error handler in a coroutine",
        "coroutine.wrap(function()
           xpcall(function() while true do end end, function() while true do end end)
         end)()",
    ),
    ("an error in an error handler", "xpcall(error, function() while true do pcall(error) end end)"),
    ("__index", "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end
      while true do pcall(function() return t[1] end) end"),
    ("a sort", "local t = {} for i = 1, 1000 do t[i] = i end
      while true do pcall(table.sort, t, function() while true do end end) end"),
    ("gsub's callback", "string.gsub('abc', '.', function() while true do end end)"),
    ("a metamethod of concat", "local t = setmetatable({}, {__concat = function() while true do end end}) return t .. t"),
    ("load's reader", "load(function() return ' ' end)"),
    ("a chunk that it loads", "load('while true do end')()"),
    ("a finaliser of a C value", "local ffi = require 'ffi'
      for i = 1, 10 do ffi.gc(ffi.new 'int[1]', function() while true do end end) end
      collectgarbage() collectgarbage() ffi.new 'int' ffi.new 'int' while true do end"),
    ("a finaliser that is run by the library", "local ffi = require 'ffi'
      do ffi.gc(ffi.new 'int[1]', function() while true do end end) end
      collectgarbage() collectgarbage() ffi.new 'int'
      return 'not reached'"),
    ("garbage collection", "local t = {} for i = 1, 1e5 do t[i] = {} end while true do collectgarbage() end"),
    ("table.move", "if not table.move then while true do end end table.move({}, 1, 2^31 - 2, 2)"),
    ("table.insert", "local t = {} for i = 1, 2e6 do t[i] = i end while true do table.insert(t, 1, 0) end"),
    ("table.remove", "local t = {} for i = 1, 2e6 do t[i] = i end while true do table.remove(t, 1) end"),
    ("a large sort", "local t = {} for i = 1, 2e6 do t[i] = i % 1000 end while true do table.sort(t) end"),
    ("copies", "local s = ('x'):rep(2^22) while true do s:upper() end"),
    ("concatenation", "local s = ('x'):rep(2^23) while true do local r = s .. 'x' end"),
    ("next", "local t = {} for i = 1, 1e6 do t[i] = i end for i = 1, 1e6 do t[i] = nil end
      while true do next(t) end"),
    ("a pattern", "string.find(('a'):rep(1e5), '.-.-.-.-.-.-b')"),
    ("a pattern under pcall", "while true do pcall(string.match, ('a'):rep(1e5), ('a-'):rep(20) .. 'b') end"),
    ("gsub", "string.gsub(('a'):rep(1e5), '.-.-.-.-.-.-b', '')"),
    ("gmatch", "for _ in string.gmatch(('a'):rep(1e5), '.-.-.-.-.-.-b') do end"),
    ("a text in a text", "local s = ('a'):rep(2^20) while true do s:find(('a'):rep(2^19) .. 'b', 1, true) end"),
    ("rep of nothing", "while true do (''):rep(2^30) end"),
    ("a callback of C", "local ffi = require 'ffi' while true do pcall(ffi.cast, 'int', {}) end"),
    ("type texts", "local ffi = require 'ffi' while true do pcall(ffi.typeof, 'int[3]') end"),
];

#[test]
fn loops_end() {
    for (what, script) in LOOPS {
        let sandbox = builder().build().expect("builds");
        let (end, time) = end_of(&sandbox, script);
        println!("{what}: {time:?}");
        assert_eq!(end, "deadline", "{what}");
        assert!(time < BOUND, "{what}: {time:?}");
        is_alive(&sandbox);
        let began = Instant::now();
        drop(sandbox);
        assert!(began.elapsed() < BOUND, "{what}: the close takes {:?}", began.elapsed());
    }
}

/// The functions of a sandbox for patterns give what Lua's own give.
#[test]
fn patterns_are_luas() {
    const SCRIPT: &str = r##"
        local seed, calls = ...
        local function random(n)
            seed = (seed * 16807) % 2147483647
            return seed % n + 1
        end
        local items = {"a", "b", ".", "%a", "%d", "[ab]", "[^a]", "[a-c]", "(", ")", "()", "^", "$", "*", "+", "-", "?", "%1", "%b()", "%f[a]", "%", "[", "]", "x", "%z", "%s", "[%w_]"}
        local letters = {"a", "b", "c", "x", "(", ")", "1", " ", "_", "-"}
        local fills = {"x", "%0", "%1", "<%1>", "%%", "", "%2"}
        local function make(from, n)
            local list = {}
            for i = 1, random(n) do list[i] = from[random(#from)] end
            return table.concat(list)
        end
        local lines = {}
        local function note(...)
            local list = {}
            for i = 1, select("#", ...) do list[i] = tostring((select(i, ...))) end
            if list[1] == "false" then
                -- Positions and the names of functions differ.
                list[2] = list[2]:match("malformed pattern") or list[2]:match("unfinished") or "error"
            end
            lines[#lines + 1] = table.concat(list, ",")
        end
        for i = 1, calls do
            local s, p = make(letters, 8), make(items, 5)
            lines[#lines + 1] = s .. " / " .. p
            note(pcall(string.find, s, p, random(12) - 4))
            note(pcall(string.match, s, p))
            note(pcall(string.find, s, p, random(3), true))
            note(pcall(string.gsub, s, p, fills[random(#fills)], random(4) - 1))
            note(pcall(string.gsub, s, p, {a = 1, b = "B", ab = false}))
            note(pcall(string.gsub, s, p, function(a, b) return b and a .. b end))
            note(pcall(function()
                local all = {}
                for a, b in string.gmatch(s, p) do all[#all + 1] = tostring(a) .. tostring(b) end
                return table.concat(all, ";")
            end))
        end
        return lines
    "##;
    let seed = std::process::id() as i64 % 100_000 + 1;
    println!("seed {seed}");
    let run = |lua: &mlua::Lua| -> Vec<String> {
        let lines = lua.load(SCRIPT).set_name("=script").call::<Vec<mlua::LuaString>>((seed, 3000));
        lines.expect("runs").iter().map(|line| line.to_string_lossy().to_string()).collect()
    };
    let sandbox = builder().time(Duration::from_secs(60)).build().expect("builds");
    let theirs = run(&mlua::Lua::new());
    let ours = run(sandbox.lua());
    let mut text = "";
    for (a, b) in theirs.iter().zip(&ours) {
        if a.contains(" / ") {
            text = a;
        }
        // Lua's `gsub` looks at no capture that the text does not name.
        if b != "false,unfinished" {
            assert_eq!(a, b, "{text}, seed {seed}");
        }
    }
    assert_eq!(theirs.len(), ours.len());
}
