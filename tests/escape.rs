//! The escape suite: scripts in `tests/escape/` that try to get out of the memory and the functions that they were given. Each
//! attempt ends in a Lua error, under the policy that forbids it, for the reason that the attempt names.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CString, c_int, c_void};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use cthunk::{Ffi, Policy};
use mlua::{LightUserData, Lua};

mod behaviour;

/// Functions for the files: `attempt(what, function, part of the message)`, and `attempt_where`, whose first argument is a feature that
/// some Luas lack. An error must be a string that is no internal error of the library.
const HARNESS: &str = r#"
    local current, seen = "", {}
    attempts, failures = 0, {}
    function section(name) current = name end
    function attempt(what, f, part)
        local name = current .. ": " .. what
        if seen[name] then error("twice: " .. name, 2) end
        seen[name] = true
        attempts = attempts + 1
        local ok, message = pcall(f)
        if ok then
            failures[#failures + 1] = name .. ": nothing stops it"
        elseif type(message) ~= "string" and type(message) ~= "userdata" then
            failures[#failures + 1] = name .. ": the error is a " .. type(message)
        else
            message = tostring(message)
            if message:find "internal error" or not message:find(part) then
                failures[#failures + 1] = name .. ": " .. message
            end
        end
    end
    function attempt_where(there, ...)
        if there then attempt(...) end
    end
    -- What is not stopped, and must do no harm: `f` returns true.
    function survives(what, f)
        local name = current .. ": " .. what
        if seen[name] then error("twice: " .. name, 2) end
        seen[name] = true
        attempts = attempts + 1
        local ok, result = pcall(f)
        -- Under stress what is used may be gone, which the library has to notice.
        local gone = STRESS and not ok and tostring(result):find "attempt to"
        if not gone and (not ok or result ~= true) then
            failures[#failures + 1] = name .. ": " .. tostring(result)
        end
    end
    local function tune(pause, multiplier)
        local set = collectgarbage
        -- Luau has no such numbers.
        if pcall(set, "setpause", pause) then pcall(set, "setstepmul", multiplier)
        elseif pcall(set, "param", "pause", pause) then set("param", "stepmul", multiplier) end
    end
    -- From here on with a full collection at nearly every allocation.
    function stress() STRESS = true tune(1, 1000) end
    -- Runs `f` so.
    function under_stress(f)
        tune(1, 1000)
        local ok, message = pcall(f)
        if not STRESS then tune(200, 200) end
        if not ok then error(message, 0) end
    end
"#;

/// The allocator of the system, which overwrites what is freed, so that who uses it is found out.
struct Poison;

// SAFETY: the memory is the system's; it is written to while it is still the caller's.
unsafe impl GlobalAlloc for Poison {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the rules of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            memory.write_bytes(0xa5, layout.size());
            System.dealloc(memory, layout);
        }
    }
}

#[global_allocator]
static ALLOCATOR: Poison = Poison;

/// Puts a file of bytecode where `require "written"` finds it.
const BYTECODE: &str = r#"
    if package and io and string.dump then
        local name = ... .. "/written.bytecode"
        local file = assert(io.open(name, "wb"))
        file:write(string.dump(function() return "bytecode ran" end))
        file:close()
        package.path = name
    end
"#;

/// The shared library of `tests/c/escape.c`, in the global scope of the process: what `ffi.C` finds.
fn library() -> *mut c_void {
    static LIBRARY: OnceLock<usize> = OnceLock::new();
    *LIBRARY.get_or_init(|| {
        let path = behaviour::build("escape");
        let path = CString::new(path).unwrap();
        // SAFETY: the library has no initialisers.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        assert!(!library.is_null());
        library as usize
    }) as *mut c_void
}

/// How many calls came through that should not have.
fn breaches() -> c_int {
    // SAFETY: the library has this variable.
    unsafe { *libc::dlsym(library(), c"breaches".as_ptr()).cast::<c_int>() }
}

/// A state with the harness, and a table under a policy.
fn state(policy: Policy) -> (Lua, Ffi) {
    library();
    // SAFETY: the scripts try to break the rules, and the test is that they cannot; `seal` closes what is not ours.
    let lua = unsafe { Lua::unsafe_new() };
    lua.load(BYTECODE).call::<()>(env!("CARGO_TARGET_TMPDIR")).unwrap();
    cthunk::lua::seal(&lua).unwrap();
    // SAFETY: as above.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.unwrap();
    let globals = lua.globals();
    globals.set("light", LightUserData(library())).unwrap();
    globals.set("userdata", lua.create_any_userdata(5_u64).unwrap()).unwrap();
    lua.load(HARNESS).exec().unwrap();
    (lua, ffi)
}

/// A file of attempts.
fn attempts(lua: &Lua, name: &str) -> mlua::Function {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/escape/{name}.lua"));
    let script = std::fs::read_to_string(&path).unwrap();
    lua.load(script).set_name(format!("@{name}.lua")).into_function().unwrap()
}

/// Adds to the failures; returns the number of attempts.
fn outcome(lua: &Lua, failures: &mut Vec<String>) -> usize {
    failures.extend(lua.globals().get::<Vec<String>>("failures").unwrap());
    lua.globals().get("attempts").unwrap()
}

/// Runs a file of attempts under a policy; returns their number.
fn run(
    failures: &mut Vec<String>,
    name: &str,
    policy: Policy,
    prepare: impl FnOnce(&Lua, &Ffi),
) -> usize {
    let (lua, ffi) = state(policy);
    prepare(&lua, &ffi);
    attempts(&lua, name).call::<()>(()).unwrap();
    outcome(&lua, failures)
}

/// Declares what `tests/c/escape.c` has.
fn declare(ffi: &Ffi) {
    // SAFETY: the header is the library's.
    unsafe { ffi.declare(include_str!("c/escape.h")) }.unwrap();
}

#[test]
fn nothing_gets_out() {
    // LuaJIT lets C functions call each other as deep as Lua's stack goes, whatever C's stack has room for.
    let _turn = TURN.lock();
    let builder = std::thread::Builder::new().stack_size(256 << 20);
    builder.spawn(|| make_every_attempt(false)).unwrap().join().unwrap();
}

/// The same with a full collection at nearly every allocation.
#[test]
fn nothing_gets_out_under_stress() {
    let _turn = TURN.lock();
    let builder = std::thread::Builder::new().stack_size(256 << 20);
    builder.spawn(|| make_every_attempt(true)).unwrap().join().unwrap();
}

/// Wherever memory runs out, the operation fails, and uses nothing that an emergency collection has freed.
#[test]
#[cfg_attr(
    feature = "luajit",
    ignore = "LuaJIT raises out of memory outside of protected calls, and its state does not close after that (lj_state.c: close_state)"
)]
fn memory_runs_out_anywhere() {
    let _turn = TURN.lock();
    let (lua, ffi) = state(Policy::declared_only());
    declare(&ffi);
    if lua.set_memory_limit(0).is_err() {
        return;
    }
    let round = attempts(&lua, "shortage").call::<mlua::Function>(()).unwrap();
    let message = || lua.globals().get::<Option<String>>("last_message").unwrap();
    assert_eq!(round.call::<usize>(()).unwrap(), 0, "{:?}", message());
    lua.gc_collect().unwrap();
    let (mut failed, mut rounds) = (0, 0);
    for more in (0..40_000).step_by(97) {
        lua.set_memory_limit(lua.used_memory() + more).unwrap();
        let outcome = round.call::<usize>(());
        lua.set_memory_limit(0).unwrap();
        rounds += 1;
        failed += match outcome {
            Ok(failed) => failed,
            Err(error) if error.to_string().contains("memory") => 1,
            Err(error) => panic!("{more} bytes: {error}"),
        };
        lua.gc_collect().unwrap();
    }
    println!("{failed} operations without memory in {rounds} rounds");
    assert!(failed > rounds / 2 && breaches() == 0, "{failed} of {rounds}");
    assert_eq!(round.call::<usize>(()).unwrap(), 0);
}

/// One test at a time uses the library, which has variables.
static TURN: Mutex<()> = Mutex::new(());

fn make_every_attempt(stress: bool) {
    let mut failures = Vec::new();
    let mut run = |name, policy, prepare: &dyn Fn(&Lua, &Ffi)| {
        run(&mut failures, name, policy, |lua, ffi| {
            prepare(lua, ffi);
            if stress {
                lua.load("stress()").exec().unwrap();
            }
        })
    };
    let checked = run("checked", Policy::open().checked(true), &|_, _| {});
    let libraries = run("libraries", Policy::open().checked(true), &|lua, _| {
        // A file of its own, which no other test has open.
        let path = format!("{}/escape-libraries.so", env!("CARGO_TARGET_TMPDIR"));
        std::fs::copy(behaviour::library(), &path).unwrap();
        lua.globals().set("LIBRARY", path).unwrap();
    });
    let checked = checked + libraries;
    let data = run("data", Policy::data_only(), &|_, _| {});
    let files = ["declared", "contracts", "anchors", "memory", "null", "handles"];
    let declared: usize =
        files.iter().map(|name| run(name, Policy::declared_only(), &|_, ffi| declare(ffi))).sum();
    assert!(failures.is_empty(), "{} attempts:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(breaches(), 0, "calls came through that should not have");
    let all = checked + data + declared;
    println!("{all} attempts: {checked} checked, {data} data_only, {declared} declared_only");
    assert!(all >= 600, "only {all} attempts");
}

/// C gets the pointer of a callback; the state closes, and another one makes callbacks of the same type. Nobody gets the slot: CODE-3.
#[test]
fn no_slot_is_inherited() {
    let _turn = TURN.lock();
    const MAKE: &str = "local n = ... keep = keep or {}
        for i = 1, n do keep[#keep + 1] = ffi.cast('int (*)(int)', function(x) return x + 1000 end) end";
    let ways = [
        "C.keep(f)",
        "C.keep(f) f:free()",
        "C.hook = f C.keep(f) C.hook = C.twice",
        "C.config.hook = f C.keep(f) C.config.hook = C.twice",
        "C.take_bundle { 1, ffi.new('int[1]'), C.handle_open(), f } C.keep(f)",
        "C.apply(f, 1) C.keep(f)",
    ];
    for way in ways {
        let kept = {
            let (lua, ffi) = state(Policy::declared_only());
            declare(&ffi);
            lua.load(MAKE).call::<()>(1).unwrap();
            let script = format!(
                "local C, f = ffi.C, keep[1] {way} return ffi.tonumber(ffi.cast('uintptr_t', f))"
            );
            lua.load(script).eval::<u64>().unwrap() as usize
        };
        let (lua, ffi) = state(Policy::declared_only());
        declare(&ffi);
        lua.load(MAKE).call::<()>(600).unwrap();
        let taken = "local kept = ... for i = 1, #keep do if ffi.tonumber(ffi.cast('uintptr_t', keep[i])) == kept then return i end end";
        assert_eq!(lua.load(taken).call::<Option<usize>>(kept).unwrap(), None, "{way}");
        // C gets zeros from the old one, with a line on standard error.
        assert_eq!(lua.load("return ffi.C.call_kept(1)").eval::<i64>().unwrap(), 0, "{way}");
    }
}

/// The slots of callbacks that C never got are used again.
#[test]
fn states_without_end_need_no_slots_without_end() {
    let _turn = TURN.lock();
    let mut addresses = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let (lua, ffi) = state(Policy::declared_only());
        declare(&ffi);
        let script = "local all = {} for i = 1, 40 do
            all[i] = ffi.tonumber(ffi.cast('uintptr_t', ffi.cast('int (*)(int)', function(x) return x end))) end return all";
        addresses.extend(lua.load(script).eval::<Vec<u64>>().unwrap());
    }
    assert!(addresses.len() < 2000, "{} slots", addresses.len());
}

/// Loans: the function that the file returns is called when the one that it may write to is over.
#[test]
fn no_loan_is_kept() {
    let _turn = TURN.lock();
    let (lua, ffi) = state(Policy::declared_only());
    declare(&ffi);
    let globals = lua.globals();
    let file = attempts(&lua, "loans");
    let (mut memory, read_only) = ([0_u8; 16], [6_u8, 7, 8, 9]);
    let lent = ffi.lend_const(&read_only, |loan| {
        globals.set("read_only", loan)?;
        let when_over: mlua::Function = ffi.lend(&mut memory, |loan| {
            globals.set("loan", loan)?;
            file.call(())
        })?;
        when_over.call::<()>(())
    });
    lent.unwrap();
    let mut failures = Vec::new();
    let count = outcome(&lua, &mut failures);
    assert!(failures.is_empty(), "{count} attempts:\n{}", failures.join("\n"));
    assert_eq!((count, read_only, breaches()), (16, [6, 7, 8, 9], 0));
    assert_eq!(memory[..15], [1; 15]);
}

/// The behaviour files that look through pointers to memory that C has: strings that C returns, a Lua string's address in a
/// struct.
const FOREIGN: [&str; 9] = [
    "semantics_callbacks.lua",
    "semantics_callbacks_libc.lua",
    "semantics_calling.lua",
    "semantics_calling_libc.lua",
    "semantics_initializers.lua",
    "semantics_lua_to_c.lua",
    "semantics_number_conversions.lua",
    "semantics_table_initializers.lua",
    "tutorial.lua",
];

/// The other behaviour files do in a checked state what they do in any.
#[test]
fn honest_scripts_pass() {
    for path in behaviour::files("tests/lua") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // SAFETY: as in `run`.
        let lua = unsafe { Lua::unsafe_new() };
        let policy = Policy::open().checked(true);
        // SAFETY: the behaviour files keep to C's rules.
        let ffi = unsafe { Ffi::builder().policy(policy).install_unconfined(&lua) }.unwrap();
        behaviour::provide(&lua, ffi.table().clone()).unwrap();
        lua.globals().set("TESTLIB", behaviour::library()).unwrap();
        lua.globals().set("CHECKED", true).unwrap();
        lua.load(std::fs::read_to_string(behaviour::suite()).unwrap()).exec().unwrap();
        let script = std::fs::read_to_string(&path).unwrap();
        let outcome = lua.load(script).set_name(format!("@{name}")).exec();
        match outcome.map_err(|error| error.to_string()) {
            Ok(()) => assert!(!FOREIGN.contains(&&*name), "{name} passes"),
            Err(error) => {
                assert!(FOREIGN.contains(&&*name) && error.contains("foreign"), "{name}: {error}");
            }
        }
    }
}
