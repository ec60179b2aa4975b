//! Attackers, forks, closing states: no page is writable and executable, no page has both code and data, a child process can call and
//! add code; and random programs.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use mlua::Lua;

mod behaviour;
#[cfg(not(feature = "luau"))]
#[path = "hardening/mutated.rs"]
mod mutated;

fn state() -> Lua {
    // SAFETY: the scripts are below.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: the same.
    unsafe { cthunk::lua::preload(&lua) }.unwrap();
    lua.load("ffi = require(_VERSION:find 'Luau' and '@cthunk' or 'cthunk')").exec().unwrap();
    lua
}

/// Runs a script in a child process of `fork`; returns its exit status.
fn in_child(lua: &Lua, script: &str) -> c_int {
    // SAFETY: the child runs Lua and this crate only, both of which this thread alone uses, and leaves without cleaning up.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0);
        if child == 0 {
            // A child that waits for ever is ended by the signal.
            libc::alarm(20);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                lua.load(script).exec().map_err(|error| eprintln!("{error}")).is_ok()
            }));
            libc::_exit(if outcome.is_ok_and(|fine| fine) { 0 } else { 1 });
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        status
    }
}

/// Tells the threads of a test to end, also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A child of `fork` has the locks that other threads held.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn code_is_never_writable_and_survives_a_fork() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    cthunk::lua::compile_after(0);
    let lua = state();
    lua.load(
        "ffi.cdef 'int abs(int); int toupper(int); double fabs(double); void qsort(void *, size_t, size_t, int (*)(const int *, const int *));'
         assert(ffi.C.abs(-5) == 5)
         callback = ffi.cast('int (*)(int)', function(x) return x + offset end)
         offset = 1
         assert(callback(1) == 2)",
    )
    .exec()
    .unwrap();

    // A child calls what there is, makes thunks and callbacks, and takes nothing of that from its parent.
    let script = "offset = 10
        assert(ffi.C.abs(-7) == 7 and callback(1) == 11)
        assert(ffi.C.fabs(-2.5) == 2.5)
        local list = ffi.new('int[3]', { 3, 1, 2 })
        ffi.C.qsort(list, 3, 4, function(a, b) return a[0] - b[0] end)
        assert(list[0] == 1 and list[2] == 3)
        callback:free()";
    assert_eq!(in_child(&lua, script), 0);
    assert_eq!(in_child(&lua, script), 0);
    // A child has what it needs whatever other threads did when it was made.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = End(&done);
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let other = state();
                    other.load("ffi.cast('int (*)(int)', print):free()").exec().unwrap();
                }
            });
        }
        for _ in 0..20 {
            let script = "callback:free()
                for i = 1, 300 do ffi.cast('int (*)(int)', function(x) return x + i end) end";
            assert_eq!(in_child(&lua, script), 0);
        }
    });
    lua.load(
        "assert(callback(1) == 2 and ffi.C.fabs(-1.5) == 1.5)
         local other = ffi.cast('int (*)(int, int)', function(a, b) return a * b end)
         assert(other(6, 7) == 42 and callback(2) == 3)",
    )
    .exec()
    .unwrap();

    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut ours = 0;
    for line in maps.lines() {
        let permissions = line.split(' ').nth(1).unwrap_or("");
        assert!(!(permissions.contains('w') && permissions.contains('x')), "{line}");
        // Code is in pages of its own, which are not the ones that are written through.
        if line.contains("memfd:cthunk") {
            ours += 1;
            assert!(["r-xs", "rw-s"].contains(&permissions), "{line}");
        }
    }
    assert!(ours >= 2, "code and the view that it is written through:\n{maps}");
}

/// Whatever other threads did when a child was made, it has what they did: code of shapes that are new, callbacks, guest memory,
/// asynchronous calls, whose threads are the parent's.
#[test]
fn a_child_waits_for_no_thread_of_its_parent() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    cthunk::lua::compile_after(0);
    // A script that makes a function type of its own for each number.
    let work = |number: usize| {
        let types = ["int", "double", "long", "float"];
        let arguments: Vec<_> = (0..6).map(|digit| types[number >> (2 * digit) & 3]).collect();
        let arguments = arguments.join(", ");
        format!(
            "ffi.cdef 'int abs(int);'
             local f = ffi.cast('int (*)(int, {arguments})', ffi.C.abs)
             assert(f(-3, 1, 2, 3, 4, 5, 6) == 3)
             ffi.cast('int (*)(int, {arguments})', print):free()
             assert(ffi.async(ffi.C.abs)(-{number}) == {number})
             local found, guest = pcall(ffi.target, 'i686-unknown-linux-gnu')
             if found then pcall(function() return guest.new('int[100]') end) end"
        )
    };
    let lua = state();
    lua.load(work(0)).exec().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = End(&done);
        for thread in 1..4 {
            let (done, work) = (&done, &work);
            scope.spawn(move || {
                let mut number = thread << 8;
                while !done.load(Ordering::Relaxed) {
                    let other = state();
                    for _ in 0..10 {
                        other.load(work(number & 0xFFF)).exec().unwrap();
                        number += 1;
                    }
                }
            });
        }
        for number in 0..30 {
            let script = work(0xF00 + number);
            assert_eq!(in_child(&lua, &script), 0, "child {number}");
        }
    });
}

/// Finalisers, callbacks and libraries in use when a state closes.
#[test]
fn a_state_closes_with_everything_in_use() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..3 {
        let lua = state();
        lua.load(
            "ffi.cdef 'int abs(int);'
             library = ffi.load 'libm.so.6'
             for i = 1, 100 do
               _G['kept' .. i] = ffi.gc(ffi.new('int[4]'), function(o)
                 o[0] = ffi.C.abs(-i)
                 ffi.cast('int (*)(int)', function(x) return x end)(o[0])
               end)
               _G['callback' .. i] = ffi.cast('int (*)(int)', function(x) return x + i end)
             end
             suspended = coroutine.wrap(function() callback1(1) coroutine.yield() end)
             suspended()",
        )
        .exec()
        .unwrap();
        drop(lua);
    }
}
