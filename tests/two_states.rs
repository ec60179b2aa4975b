//! Two Lua states on one thread, which exchange pointers and callbacks through memory of C.
#![cfg(all(unix, any(target_arch = "x86", target_arch = "x86_64")))]

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::ptr;

use cthunk::{Ffi, Policy};
use mlua::Lua;

type Number = extern "C" fn(c_int) -> c_int;

thread_local! {
    /// What C keeps: a pointer to data and one to a function.
    static DATA: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    static CODE: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    /// The other state of the running test.
    static OTHER: RefCell<Option<Lua>> = const { RefCell::new(None) };
}

extern "C" fn put_data(data: *mut c_void) {
    DATA.set(data);
}

extern "C" fn data() -> *mut c_void {
    DATA.get()
}

extern "C" fn put_code(code: *mut c_void) {
    CODE.set(code);
}

extern "C" fn code() -> *mut c_void {
    CODE.get()
}

/// Calls the function that C keeps.
extern "C" fn run(n: c_int) -> c_int {
    // SAFETY: the scripts put functions of this type there.
    let code: Number = unsafe { std::mem::transmute(CODE.get()) };
    code(n)
}

/// Runs the function `entered` of the other state.
extern "C" fn enter_other(n: c_int) -> c_int {
    let other = OTHER.with_borrow(|other| other.clone()).expect("there is one");
    other.load("return entered(...)").call(n).unwrap_or(-1)
}

fn state() -> Lua {
    let lua = Lua::new();
    // SAFETY: the scripts below use the pointers as what they are.
    let ffi =
        unsafe { Ffi::builder().policy(Policy::open()).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("installs");
    let number = "int run(int n);";
    ffi.function("void put_data(void *data);", put_data as extern "C" fn(_)).expect("fits");
    ffi.function("void *data(void);", data as extern "C" fn() -> _).expect("fits");
    ffi.function("void put_code(void *code);", put_code as extern "C" fn(_)).expect("fits");
    ffi.function("void *code(void);", code as extern "C" fn() -> _).expect("fits");
    ffi.function(number, run as Number).expect("fits");
    ffi.function("int enter_other(int n);", enter_other as Number).expect("fits");
    exec(&lua, "C = ffi.C number = ffi.typeof 'int (*)(int)'");
    lua
}

fn exec(lua: &Lua, script: &str) {
    lua.load(script).exec().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn memory_of_one_is_memory_of_the_other() {
    let (a, b) = (state(), state());
    exec(&a, "numbers = ffi.new('int[4]', 1, 2, 3, 4) C.put_data(numbers)");
    exec(
        &b,
        "local numbers = ffi.cast('int *', C.data())
         for i = 0, 3 do numbers[i] = numbers[i] * 10 end
         assert(ffi.string(numbers, 16):byte() == 10)
         mine = ffi.gc(ffi.cast('int *', ffi.C.data()), function() freed = true end)",
    );
    exec(&a, "assert(numbers[0] == 10 and numbers[3] == 40) numbers[2] = 7");
    exec(&b, "assert(mine[2] == 7) mine = nil collectgarbage() collectgarbage() assert(freed)");
    exec(&a, "collectgarbage() assert(numbers[2] == 7)");
}

#[test]
fn an_idle_state_is_called_by_the_other() {
    let (a, b) = (state(), state());
    let make = "calls = 0
        function f(n) calls = calls + 1 if n == 13 then error 'unlucky' end return n + 1 end
        callback = number(f) C.put_code(callback)";
    exec(&a, make);
    let use_it = "
        local f = number(C.code())
        for n = 1, 5000 do
          if n ~= 13 then assert(C.run(n) == n + 1 and f(n) == n + 1) end
        end
        -- The error is the other state's, which prints it.
        local ok, n = pcall(C.run, 13)
        assert(ok and n == 0)
        ok, n = pcall(f, 13)
        assert(ok and n == 0 and C.run(20) == 21)
        coroutine.wrap(function() assert(C.run(30) == 31) end)()
        -- Nobody but its owner frees a callback.
        ok, n = pcall(function() f:free() end)
        assert(not ok and tostring(n):find('not a callback of this Lua state', 1, true), n)
        assert(C.run(40) == 41)";
    exec(&b, use_it);
    exec(&a, "assert(calls == 10003, calls) collectgarbage()");
    // One that was made in a coroutine, which is gone.
    exec(&a, "coroutine.wrap(function() callback = number(f) C.put_code(callback) end)()");
    exec(&a, "collectgarbage() calls = 0");
    exec(&b, use_it);
}

/// Each state's callback calls the other's: one sees odd numbers, the other even ones.
#[test]
fn calls_go_to_and_fro() {
    let (a, b) = (state(), state());
    let script = "depth = 0
        mine = number(function(n)
          depth = math.max(depth, n)
          if n == fails then error('on the way', 0) end
          return n >= 40 and n or theirs(n + 1)
        end)
        C.put_code(mine)";
    exec(&a, script);
    exec(&b, "theirs = number(C.code())");
    exec(&b, script);
    exec(&a, "theirs = number(C.code()) assert(theirs(1) == 40 and depth == 40)");
    exec(&b, "assert(depth == 39, depth) fails = 21");
    // The error goes through B's calls to the first of its callbacks, which is in no call of B, and prints it.
    exec(&a, "for _ = 1, 3 do assert(theirs(1) == 0) end");
    exec(&b, "fails = nil");
    exec(&a, "assert(theirs(1) == 40)");
    OTHER.set(Some(b.clone()));
    exec(&b, "function entered(n) return theirs(n) end");
    exec(&a, "assert(C.enter_other(1) == 40) fails = 11");
    // Here A is in a call when its first callback fails.
    let fails = "local ok, message = pcall(C.enter_other, 1)
         assert(not ok and message == 'on the way', message)";
    exec(&a, &format!("for _ = 1, 3 do {fails} end"));
    exec(&a, &format!("coroutine.wrap(function() {fails} end)() fails = nil"));
    exec(&a, "assert(C.enter_other(1) == 40)");
    OTHER.set(None);
}

#[test]
fn a_state_that_is_gone_is_not_called() {
    let b = state();
    {
        let a = state();
        exec(&a, "callback = number(function(n) return n + 1 end) C.put_code(callback)");
        exec(&b, "f = number(C.code()) assert(C.run(1) == 2 and f(1) == 2)");
    }
    exec(
        &b,
        "local ok, message = pcall(f, 1)
         assert(not ok and tostring(message):find('after it was freed', 1, true), message)
         assert(C.run(1) == 0 and not pcall(function() f:free() end))",
    );
    // The next state's callbacks are not those of the one before.
    let a = state();
    exec(&a, "callback = number(function(n) return n + 5 end) C.put_code(callback)");
    exec(&b, "assert(C.run(1) == 6)");
}

#[test]
fn a_state_closes_while_the_other_calls_it() {
    let b = state();
    OTHER.set(Some(state()));
    OTHER.with_borrow(|a| {
        exec(a.as_ref().expect("set"), "function entered(n) return n end");
    });
    exec(&b, "callback = number(function(n) return C.enter_other(n) end)");
    exec(&b, "assert(callback(4) == 4 and C.enter_other(5) == 5)");
    OTHER.set(None);
    exec(&b, "collectgarbage() assert(number(function(n) return n end)(3) == 3)");
}
