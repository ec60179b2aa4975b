//! Lua states that threads hand to one another (mlua's `send`), and `ffi.async` in an executor (mlua's `async`).
//! `cargo test --features send,async --test send`
#![cfg(all(target_arch = "x86_64", target_os = "linux", feature = "send", feature = "async"))]

use std::ffi::{c_int, c_long};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cthunk::{Ffi, Policy};
use mlua::{Function, Lua};
use tokio::runtime::{Builder, Runtime};

type Callback = extern "C" fn(c_long, c_long) -> c_long;

/// Calls a callback on the thread that calls it.
extern "C" fn apply(f: Callback, x: c_long) -> c_long {
    f(x, x)
}

static GATE: Mutex<Option<Receiver<c_long>>> = Mutex::new(None);

/// Blocks until somebody sends a number through the gate.
extern "C" fn pass_gate(plus: c_int) -> c_long {
    let gate = GATE.lock().unwrap_or_else(PoisonError::into_inner).take().expect("a gate");
    gate.recv().expect("a sender") + c_long::from(plus)
}

/// A new gate for [`pass_gate`].
fn gate() -> Sender<c_long> {
    let (sender, receiver) = channel();
    *GATE.lock().unwrap_or_else(PoisonError::into_inner) = Some(receiver);
    sender
}

/// A state whose `ffi.C` has the functions above.
fn state() -> (Lua, Ffi) {
    // SAFETY: the scripts are below.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: the same.
    let ffi =
        unsafe { Ffi::builder().policy(Policy::open()).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.unwrap();
    ffi.declare_types("typedef long (*callback)(long, long);").unwrap();
    // SAFETY: the declarations are those of the functions, which live as long as the process.
    unsafe {
        ffi.function_at("long apply(callback, long);", apply as *const _).unwrap();
        ffi.function_at("long pass_gate(int);", pass_gate as *const _).unwrap();
    }
    let here = lua.create_function(|_, ()| Ok(format!("{:?}", thread::current().id()))).unwrap();
    lua.globals().set("thread", here).unwrap();
    (lua, ffi)
}

/// A Lua function that is a script.
fn function(lua: &Lua, script: &str) -> Function {
    lua.load(script).into_function().unwrap()
}

/// A host can send its handles to other threads, as it can send the state.
#[test]
fn handles_can_be_sent() {
    fn is_sent<T: Send + Sync>() {}
    is_sent::<Ffi>();
    is_sent::<cthunk::lua::embed::CValue>();
}

/// A callback runs where the state runs, also on a thread that did not make it.
#[test]
fn a_state_changes_threads() {
    let (lua, ffi) = state();
    let turn = "kept = kept or ffi.cast('callback', function(a, b)
          assert(thread() == at)
          calls = calls + 1
          return a + b
        end)
        at = thread()
        for i = 1, 2000 do assert(ffi.C.apply(kept, i) == 2 * i) end
        local policy, queued, answered = kept:foreign()
        assert(queued == 0 and answered == 0)";
    lua.globals().set("calls", 0).unwrap();
    lua.load(turn).exec().unwrap();
    let value = ffi.new_value("long[2]", (3, 4)).unwrap();
    let (lua, value) = thread::spawn(move || {
        lua.load(turn).exec().unwrap();
        assert_eq!(value.get::<i64>(1).unwrap(), 4);
        assert_eq!(value.view::<c_long, _>(|cells| cells[0].get()).unwrap(), 3);
        assert_eq!(ffi.poll(Duration::ZERO).unwrap(), 0);
        (lua, value)
    })
    .join()
    .unwrap();
    lua.load(turn).exec().unwrap();
    lua.load("assert(calls == 6000)").exec().unwrap();
    drop(lua);
    assert!(value.get::<i64>(1).is_err());
}

/// A thread that ran the state a moment ago, and calls a callback while another runs Lua, is a foreign one.
#[test]
fn a_callback_runs_only_within_a_call_of_its_own_state() {
    let (lua, _ffi) = state();
    let address: i64 = lua
        .load(
            "f = ffi.cast('callback', function(a, b) assert(thread() == polling) return a + b end)
             f:foreign('queue', 600)
             assert(select('#', ffi.C.apply(ffi.cast('callback', function() return 0 end), 1)) == 1)
             return ffi.tonumber(ffi.cast('intptr_t', f))",
        )
        .eval()
        .unwrap();
    // SAFETY: the address is that of a callback of this type, which `f` keeps.
    let callback: Callback = unsafe { std::mem::transmute(address) };
    let (running, runs) = channel();
    let elsewhere = lua.clone();
    let other = thread::spawn(move || {
        let go =
            elsewhere.create_function(move |_, ()| running.send(()).map_err(mlua::Error::external));
        elsewhere.globals().set("go", go.unwrap()).unwrap();
        elsewhere
            .load("polling = thread() go() while ffi.poll(1) == 0 do end local _, n = f:foreign() return n")
            .eval::<i64>()
            .unwrap()
    });
    runs.recv().unwrap();
    assert_eq!(callback(20, 22), 42);
    other.join().unwrap();
    assert_eq!(lua.load("return select(2, f:foreign())").eval::<i64>().unwrap(), 1);
}

/// While C blocks on a thread of the library's, the executor's only thread runs what unblocks it.
fn others_run_meanwhile(runtime: &Runtime) {
    let (lua, _ffi) = state();
    let sender = gate();
    let call = function(&lua, "return ffi.async(ffi.C.pass_gate)(2)");
    let sum = runtime.block_on(async {
        let call = tokio::spawn(call.call_async::<c_long>(()));
        tokio::spawn(async move { sender.send(40) }).await.unwrap().unwrap();
        call.await.unwrap().unwrap()
    });
    assert_eq!(sum, 42);
}

/// Many calls at once, whose callbacks come back to whichever thread of the executor runs the state.
fn callbacks_come_back(runtime: &Runtime) {
    let (lua, _ffi) = state();
    let call = function(
        &lua,
        "local n = ...
         local f <const> = ffi.cast('callback', function(a, b) return a * b end)
         f:foreign('queue', 600)
         local result = ffi.async(ffi.C.apply)(f, n)
         local _, queued, answered = f:foreign()
         assert(queued == 1 and answered == 0)
         f:free()
         return result",
    );
    let sums: Vec<c_long> = runtime.block_on(async {
        let calls: Vec<_> =
            (1..=50).map(|n: c_long| tokio::spawn(call.call_async::<c_long>(n))).collect();
        let mut sums = Vec::new();
        for call in calls {
            sums.push(call.await.unwrap().unwrap());
        }
        sums
    });
    assert_eq!(sums, (1..=50).map(|n| n * n).collect::<Vec<_>>());
}

/// The error of a Lua function after the call, and that of a call that is refused, are those of the future.
fn errors_are_the_futures(runtime: &Runtime) {
    let (lua, _ffi) = state();
    gate().send(1).unwrap();
    let after = function(&lua, "ffi.async(ffi.C.pass_gate)(2) error 'after the call'");
    let refused = function(&lua, "ffi.async(ffi.C.pass_gate)('two')");
    let message = |f: Function| runtime.block_on(f.call_async::<()>(())).unwrap_err().to_string();
    assert!(message(after).contains("after the call"));
    let message = message(refused);
    assert!(message.contains("bad argument #1 to 'pass_gate'"), "{message}");
}

/// Executors with one thread and with several, from which tasks are stolen.
#[test]
fn asynchronous_calls_in_an_executor() {
    let one = Builder::new_current_thread().build().unwrap();
    let three = Builder::new_multi_thread().worker_threads(3).build().unwrap();
    for runtime in [one, three] {
        others_run_meanwhile(&runtime);
        callbacks_come_back(&runtime);
        errors_are_the_futures(&runtime);
    }
}
