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
