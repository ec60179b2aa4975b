//! `errno` is C's, whatever the library does beside the call: in this process each allocation, and each freeing of memory, sets it.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::alloc::{GlobalAlloc, Layout, System};

use cthunk::{Ffi, Policy};
use mlua::Lua;

mod behaviour;

/// The system's allocator, which leaves an `errno` of its own.
struct Spoiler;

/// No function of the test leaves this `errno`.
const SPOILT: i32 = 120;

fn spoil() {
    // SAFETY: it is this thread's own variable.
    unsafe { *libc::__errno_location() = SPOILT };
}

// SAFETY: the memory is the system's.
unsafe impl GlobalAlloc for Spoiler {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the rules of the system's allocator.
        let memory = unsafe { System.alloc(layout) };
        spoil();
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) };
        spoil();
    }
}

#[global_allocator]
static ALLOCATOR: Spoiler = Spoiler;

const DECLARED: &str = r#"
    struct pair { long a, b; }; struct three { double a, b, c; };
    void nothing_with(int e); int int_with(int e); double double_with(int e); unsigned long long big_with(int e);
    const char *text_with(int e); struct pair *pointer_with(int e); struct pair pair_with(int e);
    struct three three_with(int e); int (*function_with(int e))(int); int variadic_with(int e, ...);
    int around_int(int (*f)(int), int, int); int around_double(double (*f)(double), int, int);
    int around_text(const char *(*f)(const char *), int, int);
    int around_pair(struct pair (*f)(struct pair), int, int);
    int around_pointers(struct pair *(*f)(struct pair *, struct pair *), int, int);
    int around_many(void (*f)(int, double, int, double, int, double, int, double, int, double), int, int);
    int elsewhere(int (*f)(int), int);
"#;

/// For both scripts. Lua allocates for itself when a call is deeper than all before it, which nobody can foresee: `checked` runs the
/// body a few times before it compares.
const COMMON: &str = r#"
    local C, errno = ffi.C, ffi.errno
    local function checked(what, rounds, body)
        local function same(where, got, want)
            if got ~= want then error(what .. ", " .. where .. ": errno is " .. got .. ", not " .. want, 0) end
        end
        local function any() end
        for i = 1, 3 do body(i, any) end
        collectgarbage("stop")
        for i = 1, rounds do
            body(i % 100 + 1, same)
            if i % 500 == 0 then collectgarbage() body(1, any) end
        end
        collectgarbage("restart")
    end
"#;

/// Every result and every callback, before and after the functions have thunks.
const SCRIPT: &str = r#"
    local rounds = ...
    local names = { "nothing", "int", "double", "big", "text", "pointer", "pair", "three", "function", "variadic" }
    for _, name in ipairs(names) do
        local f = C[name .. "_with"]
        checked(name .. "_with", rounds, function(e, same)
            local r = f(e)
            local left = errno()
            same("the call", left, e)
        end)
    end
    checked("variadic_with, arguments that take memory", rounds, function(e, same)
        local r = C.variadic_with(e, "text", 1.5, ffi.new("struct pair *"))
        local left = errno()
        same("the call", left, e)
    end)

    local pair, seen, result = ffi.new("struct pair", 1, 2), 0
    local int64 = ffi.new("int64_t", 5)
    local results = {
        int = { 1, 1.0, int64 },
        double = { 1, 1.5, int64 },
        text = { "text", "another text", false },
        pair = { pair, { 1, 2 }, { a = 5 } },
        pointers = { pair, false },
        many = { false },
    }
    for name, values in pairs(results) do
        local around = C["around_" .. name]
        for _, value in pairs(values) do
            result = value or nil
            local function f()
                seen = errno()
                errno(33)
                return result
            end
            checked("around_" .. name .. " (" .. tostring(value) .. ")", rounds, function(e, same)
                local left = around(f, e, e + 1)
                local own = errno()
                same("in the callback", seen, e)
                same("after the callback", left, 33)
                same("after the call", own, e + 1)
            end)
        end
    end
"#;

/// Callbacks in callbacks, callbacks by their pointers, and on other threads.
const POINTERS: &str = r#"
    local seen
    local deep = ffi.cast("int (*)(int)", function(n) seen = errno() errno(44) return n end)
    local function nest(n)
        if n == 0 then return C.around_int(deep, 9, 10) end
        local left
        C.around_int(function() left = nest(n - 1) errno(45) return 0 end, 8, 11)
        return left
    end
    for depth = 0, 30 do
        checked("callbacks in callbacks, " .. depth, 5, function(_, same)
            local left = nest(depth)
            local own = errno()
            same("in the callback", seen, 9)
            same("after the callback", left, 44)
            same("after the call", own, depth == 0 and 10 or 11)
        end)
    end
    local cb = ffi.cast("int (*)(int)", function(n) return n end)
    cb:foreign("default", 5)
    checked("a default value on another thread", 5, function(e, same)
        same("after the callback", C.elsewhere(cb, e), e)
    end)
    cb:foreign("queue", 0.001)
    checked("a call on another thread that nobody makes", 5, function(e, same)
        same("after the callback", C.elsewhere(cb, e), e)
    end)
"#;

fn state(policy: Policy) -> (Lua, Ffi) {
    let path = std::ffi::CString::new(behaviour::build("errno")).expect("a path");
    // SAFETY: the library has no initialisers.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    assert!(!library.is_null());
    let lua = Lua::new();
    // SAFETY: the scripts are above.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("a table");
    // SAFETY: that is what tests/c/errno.c has.
    unsafe { ffi.declare(DECLARED) }.expect("declarations");
    (lua, ffi)
}

fn run(lua: &Lua, script: &str, rounds: u32) {
    let chunk = lua.load(format!("{COMMON}{script}"));
    chunk.set_name("=errno").call::<()>(rounds).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn errno_is_c_s() {
    let (lua, _ffi) = state(Policy::open());
    run(&lua, SCRIPT, 5000);
    run(&lua, POINTERS, 1);
}

#[test]
fn errno_is_c_s_where_memory_is_checked() {
    let (lua, _ffi) = state(Policy::open().checked(true));
    run(&lua, SCRIPT, 20);
    run(&lua, POINTERS, 1);
}
