//! Scripts that loop, allocate, recurse, and try to end the process, in a [`Sandbox`]: the host lives, gets the right error in time, and goes on.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use cthunk::{Error, Policy, Sandbox, SandboxBuilder, mlua};

/// The deadline of each script, and the time by which the host has its error, on a machine that does other work as well.
const DEADLINE: Duration = Duration::from_millis(60);
const BOUND: Duration = Duration::from_secs(10);
/// The same for scripts that fill C's stack: LuaJIT's errors are exceptions, which pass each frame.
const UNWOUND: Duration = if cfg!(feature = "luajit") { Duration::from_secs(20) } else { BOUND };

fn builder() -> SandboxBuilder {
    Sandbox::builder().policy(Policy::data_only()).time(DEADLINE)
}

/// The end of a script: its value, or its error.
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

/// A chunk with a variable that loops when it is closed, where Lua has such variables; else one that loops.
const CLOSED: &str = "local closed = load [[
    local x <close> = setmetatable({}, {__close = function() while true do end end})
    while true do end
]] or load 'while true do end' ";

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
    ("ffi.fill", "local ffi = require 'ffi' local a = ffi.new('char[?]', 2^24) while true do pcall(ffi.fill, a, 2^24) end"),
    ("ffi.copy", "local ffi = require 'ffi' local a = ffi.new('char[?]', 2^24) while true do pcall(ffi.copy, a + 1, a, 2^24 - 1) end"),
    ("ffi.string", "local ffi = require 'ffi' local a = ffi.new('char[?]', 2^24) while true do pcall(ffi.string, a, 2^24) end"),
    ("ffi.new", "local ffi = require 'ffi' while true do pcall(ffi.new, 'char[?]', 2^24, 1) end"),
    ("an initialiser", "local ffi = require 'ffi' local t = {} for i = 1, 5e5 do t[i] = i end
      while true do pcall(ffi.new, 'int[?]', #t, t) end"),
    ("texts of C", "local ffi = require 'ffi' local t = {} for i = 1, 1e4 do t[i] = 'int m' .. i .. ';' end
      t = 'struct {' .. table.concat(t) .. '} x' while true do pcall(ffi.cdef, t) end"),
    ("ffi.poll", "require 'ffi'.poll(900000)"),
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
                list[2] = list[2]:match("unfinished") or "error"
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
        return table.concat(lines, "\n")
    "##;
    let seed = std::process::id() as i64 % 100_000 + 1;
    println!("seed {seed}");
    let run = |lua: &mlua::Lua| -> Vec<String> {
        let lines = lua.load(SCRIPT).set_name("=script").call::<mlua::LuaString>((seed, 3000));
        lines.expect("runs").to_string_lossy().lines().map(str::to_owned).collect()
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

/// Scripts that go deeper and deeper. Each ends with an error of Lua, or the deadline.
const DEPTHS: &[(&str, &str)] = &[
    ("Lua", "local function f() return 1 + f() end f()"),
    ("tail calls", "local function f() return f() end f()"),
    ("pcall", "local function f() pcall(f) return 1 end f() while true do end"),
    ("__index", "local t = {} for i = 1, 1e5 do t = setmetatable({}, {__index = t}) end return t.x"),
    ("__index functions", "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x"),
    ("gsub", "local function f() return (('a'):gsub('a', f)) end f()"),
    ("sort", "local function f() table.sort({3, 2, 1}, f) end f()"),
    ("coroutines", "local function f() coroutine.wrap(f)() end f()"),
    ("resume", "local function f() return coroutine.resume(coroutine.create(f)) end f() while true do end"),
    ("tostring", "local t = setmetatable({}, {}) getmetatable(t).__tostring = function(t) return tostring(t) end return tostring(t)"),
    ("concat", "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b end return t .. t"),
    ("xpcall", "local function f() error(1) end local function h() return xpcall(f, h) end xpcall(f, h) while true do end"),
    ("load", "local function f() load(f) end f()"),
    ("require", "local function f() return require 'self' end f()"),
    ("nested tables", "local t = {} for i = 1, 1e5 do t = {t} end return #t"),
    ("nested parentheses", "return load(('('):rep(1e5) .. '1' .. (')'):rep(1e5))()"),
    ("nested blocks", "return load(('do '):rep(1e5) .. ('end '):rep(1e5))()"),
    ("nested functions", "return load(('return function() '):rep(1e4) .. ('end '):rep(1e4))()()"),
    ("concatenated", "return load('return ' .. ('a .. '):rep(1e5) .. 'a')()"),
    ("initialisers", "local ffi = require 'ffi' local t = {} for i = 1, 1e5 do t = {t} end ffi.new('int[2][2]', t)"),
    ("itself as initialiser", "local ffi = require 'ffi' local t = {} t[1] = t t.a = t ffi.new('struct { struct { int x; } a; }', t)"),
    ("a metatype", "local ffi = require 'ffi'
      local T T = ffi.metatype('struct { int x; }', {__index = function(t, k) return t[k] end}) return T().y"),
    ("a metatype's operator", "local ffi = require 'ffi'
      local T T = ffi.metatype('struct { int x; }', {__add = function(a, b) return a + b end}) return T() + T()"),
    ("a metatype's __new", "local ffi = require 'ffi'
      local T T = ffi.metatype('struct { int x; }', {__new = function() return T() end}) return T()"),
    ("a finaliser", "local ffi = require 'ffi'
      local function f() ffi.gc(ffi.new 'int[1]', f) collectgarbage() ffi.new 'int' end f() while true do f() end"),
    ("nested pointers", "local ffi = require 'ffi' return ffi.typeof('int ' .. ('*'):rep(10000))"),
    ("nested arrays", "local ffi = require 'ffi' return ffi.typeof('int ' .. ('[1]'):rep(10000))"),
    ("nested declarators", "local ffi = require 'ffi' return ffi.typeof('int ' .. ('('):rep(10000) .. (')'):rep(10000))"),
    ("nested structs", "local ffi = require 'ffi' ffi.cdef(('struct {'):rep(10000) .. 'int x; ' .. ('} a; '):rep(10000))"),
    ("nested expressions", "local ffi = require 'ffi' ffi.eval(('('):rep(10000) .. '1' .. (')'):rep(10000))"),
    ("negations", "local ffi = require 'ffi' ffi.eval(('- '):rep(100000) .. '1')"),
    ("conditionals", "local ffi = require 'ffi' ffi.eval(('1 ? 2 : '):rep(10000) .. '1')"),
    ("casts", "local ffi = require 'ffi' ffi.eval(('(int)'):rep(10000) .. '1')"),
    ("typedefs", "local ffi = require 'ffi'
      ffi.cdef 'typedef int t0;' for i = 1, 5000 do ffi.cdef(('typedef t%d *t%d;'):format(i - 1, i)) end
      return tostring(ffi.typeof 't5000')"),
];

#[test]
fn recursion_ends() {
    for stack in [2 << 20, 8 << 20] {
        let run = move || {
            for (what, script) in DEPTHS {
                let sandbox = builder().build().expect("builds");
                let (end, time) = end_of(&sandbox, script);
                let end: String =
                    end.lines().next().unwrap_or_default().chars().take(100).collect();
                println!("{what}: {time:?}: {end}");
                assert!(time < UNWOUND, "{what}: {time:?}");
                is_alive(&sandbox);
            }
        };
        let thread = std::thread::Builder::new().stack_size(stack).spawn(run).expect("a thread");
        thread.join().expect("no panic");
    }
}

/// Scripts that ask for too much, and a part of the error that each gets.
const GREED: &[(&str, &str, &str)] = &[
    ("strings", "local s = 'x' while true do s = s .. s end", "not enough memory"),
    ("rep", "return ('x'):rep(2^30)", "not enough memory"),
    ("tables", "local t = {} while true do t = {t, t} t[#t + 1] = {} end", "not enough memory"),
    ("an array", "local t = {} for i = 1, 1e9 do t[i] = i end", "not enough memory"),
    (
        "coroutines",
        "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end",
        "not enough memory",
    ),
    (
        "gsub",
        "local s = ('x'):rep(2^16) while true do s = s:gsub('x+', '%0%0%0%0') end",
        "not enough memory",
    ),
    (
        "concat",
        "local t = {} for i = 1, 100 do t[i] = ('x'):rep(2^20) end return table.concat(t)",
        "not enough memory",
    ),
    ("a C value", "return require 'ffi'.new('char[?]', 2^40)", "not enough memory"),
    (
        "C values",
        "local t, ffi = {}, require 'ffi' for i = 1, 1e9 do t[i] = ffi.new('char[?]', 2^20) end",
        "memory",
    ),
    (
        "small C values",
        "local t, ffi = {}, require 'ffi' for i = 1, 1e9 do t[i] = ffi.new('int') end",
        "memory",
    ),
    (
        "texts of types",
        "local ffi = require 'ffi' for i = 1, 1e9 do ffi.typeof('int[' .. i .. ']') end",
        "limit `types`",
    ),
    (
        "texts",
        "local ffi = require 'ffi' for i = 1, 1e9 do pcall(ffi.typeof, 'int' .. (' '):rep(1000)) ffi.typeof('int ' .. (' '):rep(i)) end",
        "limit `declaration_bytes`",
    ),
    (
        "types",
        "local ffi = require 'ffi' local c = ffi.typeof 'int' for i = 1, 1e9 do ffi.typeof('$[$]', c, i) end",
        "limit `types`",
    ),
    (
        "pointers to pointers",
        "local ffi = require 'ffi' local p = ffi.new 'int[1]' while true do p = ffi.addressof(p) end",
        "memory",
    ),
    (
        "scopes",
        "local ffi = require 'ffi' local t = {} while true do ffi = ffi.scope() t[#t + 1] = ffi end",
        "memory",
    ),
    (
        "metatypes",
        "local ffi = require 'ffi' for i = 1, 1e9 do ffi.metatype('struct { int x; }', {}) end",
        "limit",
    ),
    (
        "finalisers",
        "local ffi = require 'ffi' local t = {} for i = 1, 1e6 do t[i] = ffi.gc(ffi.new 'int[1]', function() end) end",
        "memory",
    ),
    ("a large text", "load(('a = 1 '):rep(1e7))", "not enough memory"),
    (
        "labels",
        "local t = {} for i = 1, 3e4 do t[i] = '::a' .. i .. '::' end assert(load(table.concat(t)))",
        "labels",
    ),
];

#[test]
fn greed_ends() {
    for (what, script, part) in GREED {
        let sandbox =
            builder().time(Duration::from_secs(20)).memory(24 << 20).build().expect("builds");
        let (end, time) = end_of(&sandbox, script);
        println!("{what}: {time:?}: {}", end.lines().next().unwrap_or_default());
        assert!(end.contains(part), "{what}: {end}");
        is_alive(&sandbox);
        let began = Instant::now();
        drop(sandbox);
        let closed = began.elapsed();
        assert!(closed < Duration::from_secs(10), "{what}: the close takes {closed:?}");
    }
}

/// The host sees what a script tried, even if the script catches the errors.
#[test]
fn refusals_are_seen() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sandbox = builder().build().expect("builds");
    let list = seen.clone();
    sandbox
        .ffi()
        .on_refusal(move |refused| list.lock().unwrap().push(refused.clone()))
        .expect("open");
    let script = "local ffi = require 'ffi'
        pcall(ffi.load, 'z')
        pcall(function()
            ffi.cast('char *', 4096)
        end)
        pcall(ffi.cdef, 'int system(const char *);')
        pcall(ffi.sizeof, 'no such type')";
    sandbox.run::<()>("plugin", script).expect("runs");
    let refusals = sandbox.ffi().refusals().expect("open");
    assert_eq!(*seen.lock().unwrap(), refusals);
    let named: Vec<_> = refusals.iter().map(|it| (it.place.as_str(), it.reason.as_str())).collect();
    assert_eq!(named.len(), 3, "{named:?}");
    assert!(named[0].1.contains("permission `load`"), "{named:?}");
    assert_eq!(named[1].0, "plugin:4");
    assert!(named[1].1.contains("permission `integer_to_pointer`"), "{named:?}");
    assert!(named[2].1.contains("permission `declare_functions`"), "{named:?}");
    let flood = "local ffi = require 'ffi' for i = 1, 1000 do pcall(ffi.load, 'z') end";
    sandbox.run::<()>("plugin", flood).expect("runs");
    assert_eq!(sandbox.ffi().refusals().expect("open").len(), 100);
    assert_eq!(sandbox.ffi().counters().expect("open").refusals, 1003);
}

/// A panic of the host's observer goes no further.
#[test]
fn an_observer_that_panics_harms_nobody() {
    let sandbox = builder().time(Duration::from_secs(10)).build().expect("builds");
    sandbox.ffi().on_refusal(|_| panic!("as the test wants")).expect("open");
    let (end, _) = end_of(&sandbox, "require 'ffi'.load 'z'");
    assert!(end.contains("permission `load`"), "{end}");
}

/// What was taken back is not called by any way on which a script got hold of it.
#[test]
fn what_is_taken_back_is_gone() {
    extern "C" fn apply(f: extern "C" fn() -> i32) -> i32 {
        f()
    }
    let sandbox = Sandbox::new().expect("builds");
    let ffi = sandbox.ffi();
    ffi.function("int one(void);", || 1).expect("fits");
    ffi.function("int two(void);", || 2).expect("fits");
    // SAFETY: the declaration is the function's.
    unsafe { ffi.function_at("int apply(int (*f)(void));", apply as *const std::ffi::c_void) }
        .expect("fits");
    let script = "C = ffi.C one = C.one pointer = ffi.cast('int (*)(void)', C.one)
        for i = 1, 10000 do assert(one() == 1) end
        assert(pointer() == 1 and C.apply(pointer) == 1 and C.two() == 2)";
    sandbox.run::<()>("plugin", script).expect("runs");
    ffi.revoke("one").expect("is checked");
    let ways = [
        "one()",
        "pointer()",
        "C.one()",
        "ffi.C.one()",
        "ffi.scope().C.one()",
        "C.apply(pointer)",
        "C.apply(one)",
        "coroutine.wrap(function() one() end)()",
        "ffi.cast('int (*)(void)', C.one)()",
        "ffi.cast('int (*)(void)', pointer)()",
        "ffi.new('int (*)(void)', pointer)()",
        "table.sort({1, 2}, one)",
        "ffi.addressof(pointer)[0]()",
    ];
    for way in ways {
        let (end, _) = end_of(&sandbox, way);
        assert!(end.contains("the host has taken 'one' back"), "{way}: {end}");
    }
    assert_eq!(sandbox.run::<i32>("plugin", "return C.two()").expect("stays"), 2);
    let open = mlua::Lua::new();
    // SAFETY: no script runs.
    let open = unsafe { cthunk::Ffi::open(&open) }.expect("opens");
    assert!(open.revoke("one").is_err());
}

/// C functions and callbacks that call each other go as deep as there is stack for.
#[test]
fn recursion_through_c_ends() {
    extern "C" fn apply(f: extern "C" fn(i32) -> i32, n: i32) -> i32 {
        f(n)
    }
    const SCRIPTS: &[(&str, &str)] = &[
        (
            "one callback",
            "local f f = ffi.cast('int (*)(int)', function(n) return C.apply(f, n + 1) end) return C.apply(f, 0)",
        ),
        ("new callbacks", "local function f(n) return C.apply(f, n + 1) end return C.apply(f, 0)"),
        (
            "the pointer itself",
            "local f f = ffi.cast('int (*)(int)', function(n) return f(n + 1) end) return f(0)",
        ),
        (
            "under pcall",
            "local f f = ffi.cast('int (*)(int)', function(n) pcall(C.apply, f, n + 1) return 1 end) while true do C.apply(f, 0) end",
        ),
        (
            "a loop in a callback",
            "C.apply(ffi.cast('int (*)(int)', function() while true do end end), 0) return 'not reached'",
        ),
        (
            "coroutines in callbacks",
            "local f f = ffi.cast('int (*)(int)', function(n)
            return coroutine.wrap(function() return C.apply(f, n + 1) end)()
        end) return C.apply(f, 0)",
        ),
        (
            "sorts in callbacks",
            "local f f = ffi.cast('int (*)(int)', function(n)
            table.sort({2, 1}, function() return C.apply(f, n + 1) > 0 end) return 1
        end) while true do C.apply(f, 0) end",
        ),
    ];
    for stack in [2 << 20, 8 << 20] {
        let run = move || {
            for (what, script) in SCRIPTS {
                let sandbox = Sandbox::builder().time(DEADLINE).build().expect("builds");
                let declaration = "int apply(int (*f)(int), int n);";
                // SAFETY: the declaration is the function's.
                unsafe { sandbox.ffi().function_at(declaration, apply as *const std::ffi::c_void) }
                    .expect("fits");
                let (end, time) = end_of(&sandbox, &format!("local C = ffi.C {script}"));
                println!("{what}: {time:?}: {}", end.lines().next().unwrap_or_default());
                assert!(
                    end.contains("stack overflow") || end.contains("limit") || end == "deadline",
                    "{what}: {end}"
                );
                assert!(time < BOUND, "{what}: {time:?}");
                is_alive(&sandbox);
            }
        };
        let thread = std::thread::Builder::new().stack_size(stack).spawn(run).expect("a thread");
        thread.join().expect("no panic");
    }
}

/// What scripts made goes with their sandbox.
#[test]
fn nothing_is_left() {
    let script = "kept = {}
        for i = 1, 200 do kept[i] = ffi.cast('int (*)(int)', function(n) return n + i end) end
        for i = 1, 200 do assert(kept[i](1) == 1 + i) end
        for i = 1, 100 do kept[#kept + 1] = ffi.gc(ffi.new 'int[1]', function() while true do end end) end
        pcall(ffi.load, 'z')
        while true do end";
    let once = || {
        let sandbox = Sandbox::builder().time(DEADLINE).build().expect("builds");
        sandbox.ffi().declare_types("typedef int (*unary)(int);").expect("declares");
        let (end, _) = end_of(&sandbox, script);
        assert_eq!(end, "deadline");
        assert_eq!(sandbox.ffi().counters().expect("open").callbacks, 200);
        let table = sandbox.ffi().clone();
        drop(sandbox);
        assert!(table.counters().is_err(), "the Lua state is closed");
    };
    // What the process keeps, as thunks that states share, is there from the second time on.
    once();
    once();
    let (before, owned) = (cthunk::code::stats(), OWNED.get());
    for _ in 0..20 {
        once();
    }
    let after = cthunk::code::stats();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let grown = OWNED.get() - owned;
    assert!(grown < 4000, "{grown} bytes more");
}

/// The system's allocator, which counts the bytes that each thread has and has not freed.
struct Counting;

thread_local! {
    static OWNED: Cell<isize> = const { Cell::new(0) };
}

impl Counting {
    fn count(bytes: isize) {
        OWNED.with(|owned| owned.set(owned.get() + bytes));
    }
}

// SAFETY: the memory is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count(layout.size() as isize);
        // SAFETY: the caller keeps the rules of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Counting::count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A budget is one call's: what was spent does not count for the next, and calls inside one another share it.
#[test]
fn each_call_has_its_budget() {
    let sandbox = builder().time(Duration::from_secs(10)).steps(100_000).build().expect("builds");
    let work = "local n = ... for i = 1, n do end return n";
    let work = sandbox.load("work", work).expect("compiles");
    for _ in 0..50 {
        assert_eq!(sandbox.call::<i64>(&work, 20_000).expect("has steps"), 20_000);
    }
    let all =
        sandbox.enter(|| (0..50).try_for_each(|_| sandbox.call::<i64>(&work, 20_000).map(drop)));
    assert!(matches!(all.unwrap_err().downcast_ref(), Some(Error::Steps)));
    // A function of the host that calls the script again.
    let again = sandbox.lua().create_function(|_, f: mlua::Function| f.call::<()>(()));
    sandbox.lua().globals().set("again", again.expect("made")).expect("set");
    let (end, _) = end_of(
        &sandbox,
        "local function f() pcall(again, f) end while true do pcall(again, f) end",
    );
    assert_eq!(end, "steps");
    is_alive(&sandbox);
}

/// Scripts that try to end the process, or to get at what they were not given. Each ends in an error.
const ATTACKS: &[&str] = &[
    "os.exit(1)",
    "os.execute 'true'",
    "io.open '/proc/self/mem'",
    "return require 'os'.exit",
    "return package.loaded",
    "return debug.sethook()",
    "return debug.getregistry()",
    "return getmetatable('').__index.dump(print)",
    "return assert(load('\\27Lua\\0'))()",
    "return assert(load(function() return '\\27LJ' end))()",
    "return jit.on()",
    "return newproxy(true)",
    "collectgarbage 'stop'",
    "dofile '/proc/self/exe'",
    "loadfile '/proc/self/exe'",
    "return ffi.cast('char *', 1)[0]",
    "return ffi.new('int[1]')[2^40]",
    "ffi.new('int[1]')[-1] = 1",
    "return ffi.string(ffi.cast('char *', ffi.new('char[3]', 'abc')))",
    "ffi.copy(ffi.new 'int[1]', ('x'):rep(100), 100)",
    "ffi.fill(ffi.new 'int[1]', 2^40)",
    "return ffi.C.abort()",
    "ffi.cdef 'void abort(void);' ffi.C.abort()",
    "ffi.load 'c'",
    "return ffi.cast('void (*)(void)', ffi.new 'char[16]')()",
    "ffi.gc(ffi.C, print)()",
    "getmetatable(ffi.new 'int').__index()",
    "getmetatable(ffi.C).__gc()",
    "ffi.metatype('int', {})",
    "return ffi.typeof('struct { struct { struct a b; } c; }')()",
    "string.rep('x', -1, nil)()",
    "local t = setmetatable({}, {__index = error}) return t[1]",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "error()",
    "error(nil)",
    "error(coroutine.create(error))",
    "return (function(...) return select('#', ...) end)(table.unpack({}, 1, 1e7))",
    "return string.format('%99999d', 1)",
    "return ('x'):rep(2^30, 'y')",
    "table.concat({}, 'x', 1, 2^30)",
    "return utf8.char(2^31)()",
    "xpcall(error, error)()",
];

#[test]
fn attacks_are_errors() {
    for attack in ATTACKS {
        let sandbox = builder().build().expect("builds");
        let (end, time) = end_of(&sandbox, attack);
        assert!(!end.starts_with("returned"), "{attack}: {end}");
        assert!(!end.contains("internal error") && time < BOUND, "{attack}: {end}, {time:?}");
        is_alive(&sandbox);
    }
}

/// Variables are closed while a hook stops what they do, or not at all.
#[test]
fn closing_ends() {
    let ways = [
        "closed()",
        "pcall(closed) while true do end",
        "coroutine.wrap(closed)()",
        "while true do pcall(coroutine.wrap(closed)) end",
        "while true do local co = coroutine.create(closed) coroutine.resume(co) pcall(coroutine.close or error, co) end",
        "co = coroutine.create(closed) coroutine.resume(co)",
        "local f = coroutine.wrap(function() pcall(closed) coroutine.yield() end) f() f()",
        "for _ in next, {1}, nil, setmetatable({}, {__close = closed}) do break end while true do end",
        "local co = coroutine.create(function() coroutine.wrap(closed)() end) coroutine.resume(co) while true do end",
        "table.sort({2, 1}, coroutine.wrap(closed))",
    ];
    for way in ways {
        let sandbox = builder().build().expect("builds");
        let (end, time) = end_of(&sandbox, &format!("{CLOSED} {way}"));
        assert_eq!(end, "deadline", "{way}");
        assert!(time < BOUND, "{way}: {time:?}");
        // The next call has a budget again: what was stopped does not go on without a hook.
        let again = "if co and coroutine.close then return tostring(coroutine.close(co)) end return 'false'";
        let (end, time) = end_of(&sandbox, again);
        assert!(end.contains("false"), "{way}: {end}");
        assert!(time < BOUND, "{way}: {time:?}");
        is_alive(&sandbox);
    }
}
