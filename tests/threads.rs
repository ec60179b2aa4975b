//! Callbacks that C calls on threads of its own, and C functions that run on threads of ours.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::ffi::{c_double, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cthunk::{Ffi, Policy};
use mlua::Lua;

mod behaviour;

const DECLARED: &str = "
    typedef int (*callback)(int, int);
    void start(callback, int, int); int done(void); double finish(void); double call_and_wait(callback, int);
    void keep(callback); int call_kept(int);
    struct pair { double a; int b; }; struct pair swap(struct pair); int slow_add(int, int); int length_later(const char *);
";

/// The library has one set of threads.
static THREADS: Mutex<()> = Mutex::new(());

/// A state with the functions of tests/c/threads.c as `C`, and the right to use them.
fn state() -> (Lua, Ffi, MutexGuard<'static, ()>) {
    let turn = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the scripts are below.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: the same.
    let ffi =
        unsafe { Ffi::builder().policy(Policy::open()).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.unwrap();
    lua.globals().set("path", library()).unwrap();
    lua.globals().set("declared", DECLARED).unwrap();
    lua.load("ffi.cdef(declared) C = ffi.load(path)").exec().unwrap();
    (lua, ffi, turn)
}

fn library() -> &'static str {
    static LIBRARY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    LIBRARY.get_or_init(|| behaviour::build("threads"))
}

fn setting(name: &str, default: i64) -> i64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Every call of eight threads arrives once, on this thread, and its result goes back to the thread that made it.
#[test]
fn queued_calls_are_neither_lost_nor_doubled() {
    let (lua, _ffi, _turn) = state();
    let calls = setting("CTHUNK_CALLS", 20_000);
    lua.globals().set("calls", calls).unwrap();
    lua.load(
        "local threads, seen, count = 8, {}, 0
         for thread = 0, threads - 1 do seen[thread] = -1 end
         local f = ffi.cast('callback', function(thread, call)
           assert(call == seen[thread] + 1)
           seen[thread] = call
           count = count + 1
           return thread * calls + call
         end)
         f:foreign('queue', 600)
         C.start(f, threads, calls)
         while C.done() < threads do ffi.poll(0.01) end
         local n = threads * calls
         assert(C.finish() == n * (n - 1) / 2)
         assert(count == n)
         local policy, queued, answered = f:foreign()
         assert(policy == 'queue' and queued == n and answered == 0)
         f:free()",
    )
    .exec()
    .unwrap();
}

/// With the default policy no call reaches Lua, and each gets the value.
#[test]
fn answered_calls_get_the_default_value() {
    let (lua, _ffi, _turn) = state();
    lua.globals().set("calls", setting("CTHUNK_CALLS", 20_000)).unwrap();
    lua.load(
        "local f = ffi.cast('callback', function(thread, call) error('on the wrong thread') end)
         f:foreign('default', 7)
         C.start(f, 8, calls)
         assert(C.finish() == 7 * 8 * calls)
         local policy, queued, answered = f:foreign()
         assert(policy == 'default' and queued == 0 and answered == 8 * calls)
         -- The state's own thread still runs it.
         f:set(function(a, b) return a + b end)
         C.keep(f)
         assert(C.call_kept(4) == 8)
         f:free()
         ffi.option('foreign', 'default')
         local g = ffi.cast('callback', print)
         assert(g:foreign() == 'default')
         assert(C.call_and_wait(g, 1) == 0)
         assert(not pcall(g.foreign, g, 'default', 'text'))
         assert(not pcall(g.foreign, g, 'other'))
         assert(not pcall(g.foreign, g, 'queue', -1))",
    )
    .exec()
    .unwrap();
}

/// A thread that the state's own thread waits for gives up, with a report, instead of waiting for good.
#[test]
fn threads_that_wait_for_each_other_do_not_do_so_for_good() {
    let (lua, _ffi, _turn) = state();
    lua.load(
        "local f = ffi.cast('callback', function() error 'never called' end)
         f:foreign('queue', 0.05)
         assert(C.call_and_wait(f, 1) == 0)
         local policy, queued, answered = f:foreign()
         assert(policy == 'queue' and queued == 0 and answered == 1)
         assert(ffi.poll() == 0)",
    )
    .exec()
    .unwrap();
}

/// An error of a queued call is reported, the thread gets zero, and `ffi.poll` goes on.
#[test]
fn errors_of_queued_calls_stay_with_them() {
    let (lua, _ffi, _turn) = state();
    lua.load(
        "local count = 0
         local f = ffi.cast('callback', function(_, call)
           count = count + 1
           if call == 1 then error 'one of three' end
           return 5
         end)
         f:foreign('queue', 600)
         C.start(f, 1, 3)
         while C.done() < 1 do ffi.poll(0.01) end
         assert(C.finish() == 10 and count == 3)",
    )
    .exec()
    .unwrap();
}

/// A host polls in a C call in which a callback has failed: the call raises that error, not the one of the queued call.
#[test]
fn an_error_waits_while_queued_calls_are_made() {
    let (lua, ffi, _turn) = state();
    lua.load(
        "failing = ffi.cast('callback', function() error('of the call', 0) end)
         queued = ffi.cast('callback', function() error 'of the queued call' end)
         queued:foreign('queue', 600)
         C.keep(failing)
         C.start(queued, 1, 2)",
    )
    .exec()
    .unwrap();
    let fail: mlua::Function = lua.load("return C.call_kept").eval().unwrap();
    let address: String = lua.load("return tostring(failing):match '0x(%x+)'").eval().unwrap();
    let address = usize::from_str_radix(&address, 16).unwrap();
    // SAFETY: it is the address of such a function, which lives until the end.
    let failing: extern "C" fn(c_int, c_int) -> c_int = unsafe { std::mem::transmute(address) };
    let table = ffi.clone();
    let run = lua.create_function(move |_, ()| {
        table.in_c_call(|| {
            assert_eq!(failing(1, 2), 0);
            let mut made = 0;
            while made < 2 {
                made += table.poll(Duration::from_millis(10)).unwrap();
            }
            // An error waits: C gets zeros.
            assert_eq!(failing(1, 2), 0);
        })
    });
    let error = run.unwrap().call::<()>(()).unwrap_err().to_string();
    assert!(error.contains("of the call"), "{error}");
    let next = fail.call::<c_int>(3).unwrap_err().to_string();
    assert!(next.contains("of the call"), "{next}");
    lua.load("assert(C.finish() == 0)").exec().unwrap();
}

/// The host is told of waiting calls, and makes them.
#[test]
fn a_host_is_woken() {
    let (lua, ffi, _turn) = state();
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    let waker: cthunk::lua::Waker = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    ffi.set_waker(Some(waker)).unwrap();
    lua.load("f = ffi.cast('callback', function(_, n) return n end) f:foreign('queue', 600) C.start(f, 4, 25)")
        .exec()
        .unwrap();
    let mut made = 0;
    while made < 100 {
        made += ffi.poll(Duration::from_millis(10)).unwrap();
    }
    assert_eq!(made, 100);
    let sum: f64 = lua.load("return C.finish()").eval().unwrap();
    // Only now: a call can be answered before its thread comes to wake the host.
    assert_eq!(woken.load(Ordering::Relaxed), 100);
    assert_eq!(sum, f64::from(4 * (0..25).sum::<i32>()));
    assert_eq!(ffi.poll(Duration::ZERO).unwrap(), 0);
}

/// Threads whose state closes while their calls wait, and C that calls after that: zeros and a report.
#[test]
fn a_state_closes_while_calls_wait() {
    let (lua, _ffi, _turn) = state();
    lua.load(
        "f = ffi.cast('callback', function() error 'never called' end)
         f:foreign('queue', 600)
         C.start(f, 4, 3)
         C.keep(f)",
    )
    .exec()
    .unwrap();
    // The threads' code stays loaded when the state closes its library.
    let path = std::ffi::CString::new(library()).unwrap();
    // SAFETY: the library has no initialisers; the functions are those of tests/c/threads.c.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        let function = |name: &std::ffi::CStr| libc::dlsym(library, name.as_ptr());
        let finish: extern "C" fn() -> c_double = std::mem::transmute(function(c"finish"));
        let call_kept: extern "C" fn(c_int) -> c_int = std::mem::transmute(function(c"call_kept"));
        std::thread::sleep(Duration::from_millis(20));
        drop(_ffi);
        drop(lua);
        assert_eq!(finish(), 0.0);
        assert_eq!(call_kept(3), 0);
    }
}

/// C functions that run beside Lua, in coroutines that a plain scheduler resumes, and where there is no coroutine.
#[test]
fn asynchronous_calls() {
    let (lua, _ffi, _turn) = state();
    lua.load(
        r#"
        local slow_add, swap, length = ffi.async(C.slow_add), ffi.async(C.swap), ffi.async(C.length_later)
        assert(slow_add(2, 3) == 5)
        local results, turns, running = {}, 0, {}
        for i = 1, 20 do
          running[i] = coroutine.create(function()
            local sum = slow_add(i, 100)
            local pair = swap(ffi.new('struct pair', { i, i + 1 }))
            -- The string lives in the call alone.
            local n = length(('x'):rep(i))
            results[i] = { sum, pair.a, pair.b, n }
          end)
        end
        while next(running) do
          for i, co in pairs(running) do
            assert(coroutine.resume(co))
            collectgarbage('step')
            if coroutine.status(co) == 'dead' then running[i] = nil end
            turns = turns + 1
          end
          ffi.poll(0.001)
        end
        assert(turns > 20)
        for i = 1, 20 do
          local r = results[i]
          assert(r[1] == i + 100 and r[2] == i + 1 and r[3] == i and r[4] == i)
        end
        -- A callback that the call makes comes back to this thread.
        local f = ffi.cast('callback', function(a, b) return a + b end)
        C.keep(f)
        assert(ffi.async(C.call_kept)(21) == 42)
        f:free()
        assert(not pcall(slow_add, 1))
        assert(not pcall(slow_add, {}, 1))
        assert(not pcall(ffi.async, print))
        "#,
    )
    .exec()
    .unwrap();
}

/// A coroutine that nobody resumes again, and a state that closes before its calls are done.
#[test]
fn asynchronous_calls_are_left_alone() {
    let (lua, _ffi, _turn) = state();
    lua.load(
        "for i = 1, 10 do
           coroutine.wrap(function() ffi.async(C.length_later)(('y'):rep(1000)) end)()
         end
         collectgarbage() collectgarbage()",
    )
    .exec()
    .unwrap();
    drop(_ffi);
    drop(lua);
}
