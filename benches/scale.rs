//! The cost of many declarations, functions, Lua states and threads: `cargo bench --bench scale`. `SCALE=10` in the environment makes a tenth
//! of each.
//!
//! Time is the thread's own, so other work on the machine counts little. Bytes are the growth of the process's resident memory. Both stay the
//! same for each item, if nothing gets slower or larger with the number of items.

use std::fmt::Write as _;
use std::{mem, thread};

use cthunk::{code, lua};
use mlua::Lua;

fn main() {
    lua::compile_after(0);
    let scale = std::env::var("SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1);
    let sizes = |sizes: [usize; 3]| sizes.map(|items| (items / scale).max(1));
    println!("{:32}{:>10}{:>14}{:>14}", "", "items", "µs an item", "bytes an item");
    for items in sizes([1_000, 10_000, 100_000]) {
        row("declarations", items, || declare(items));
    }
    for items in sizes([100, 1_000, 10_000]) {
        row("functions, bound and called", items, || bind(items));
    }
    for items in sizes([10, 100, 1_000]) {
        row("Lua states", items, || states(items));
    }
    for threads in [1, 2, 4, 8] {
        let calls = (1_000_000 / scale).max(1);
        in_threads("calls", threads, calls, "local f = ffi.C.abs; for i = 1, n do f(i) end");
    }
    for threads in [1, 2, 4, 8] {
        // Each has a closure of its own, whose thunk is found in the cache.
        let functions = (10_000 / scale).max(1);
        in_threads(
            "thunks found",
            threads,
            functions,
            "for i = 1, n do
               ffi.cdef('int bound' .. i .. '(int) __asm__(\"abs\");')
               ffi.C['bound' .. i](i)
             end",
        );
    }
    thunks((1_000 / scale).max(1));
}

/// Runs some work, keeps what it made, so that later rows find no memory to use again, and prints a line.
fn row<T>(name: &str, items: usize, work: impl FnOnce() -> T) {
    let (start, before) = (seconds(), resident());
    let kept = work();
    let (elapsed, grown) = (seconds() - start, resident().saturating_sub(before));
    mem::forget(kept);
    let each = |total: f64| total / items as f64;
    println!("{name:32}{items:>10}{:>14.2}{:>14.0}", each(elapsed * 1e6), each(grown as f64));
}

fn run(lua: &Lua, script: &str) {
    lua.load(script).exec().expect("a script of this file");
}

fn state() -> Lua {
    let lua = Lua::new();
    // SAFETY: the scripts of this file do nothing that would be undefined behaviour in C.
    let ffi = unsafe { lua::open(&lua) }.expect("memory");
    lua.globals().set("ffi", ffi).expect("memory");
    lua
}

fn declare(items: usize) -> Lua {
    let mut text = String::new();
    for i in 0..items {
        let declared = match i % 4 {
            0 => writeln!(text, "struct s{i} {{ int a; double b; const char *c; }};"),
            1 => writeln!(text, "typedef unsigned int t{i};"),
            2 => writeln!(text, "enum {{ E{i} = {i} }};"),
            _ => writeln!(text, "int f{i}(int x, const char *y, double z);"),
        };
        declared.expect("a string takes any text");
    }
    let lua = state();
    lua.globals().set("text", text).expect("memory");
    run(&lua, "ffi.cdef(text); text = nil; collectgarbage()");
    lua
}

fn bind(items: usize) -> Lua {
    let lua = state();
    lua.globals().set("n", items).expect("memory");
    run(
        &lua,
        "for i = 1, n do
           ffi.cdef('int bound' .. i .. '(int) __asm__(\"abs\");')
           assert(ffi.C['bound' .. i](-i) == i)
         end",
    );
    lua
}

fn states(items: usize) -> Vec<Lua> {
    let one = |i: usize| {
        let lua = state();
        lua.globals().set("i", i).expect("memory");
        run(
            &lua,
            "ffi.cdef 'int abs(int); struct point { double x, y; };'
             assert(ffi.C.abs(-i) == i and ffi.new('struct point', 1, i).y == i)",
        );
        lua
    };
    (0..items).map(one).collect()
}

/// Threads with a state each: nothing that they do again and again waits for another. The time is that of the slowest.
fn in_threads(what: &str, threads: usize, items: usize, script: &'static str) {
    let work = move || {
        let lua = state();
        lua.globals().set("n", items).expect("memory");
        run(&lua, "ffi.cdef 'int abs(int);' ffi.C.abs(1)");
        let start = seconds();
        run(&lua, script);
        seconds() - start
    };
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(work)).collect();
    let times = running.into_iter().map(|thread| thread.join().expect("no panic"));
    let slowest = times.fold(0.0, f64::max);
    let name = format!("{what}, threads: {threads}");
    println!("{name:32}{items:>10}{:>14.4}", slowest * 1e6 / items as f64);
}

/// Thunks of so many shapes.
fn thunks(shapes: usize) {
    let types = ["int", "double", "void *", "int64_t", "float", "unsigned char"];
    let before = code::stats();
    let lua = state();
    let start = seconds();
    for shape in 0..shapes {
        let mut digits = shape;
        let mut parameters = Vec::new();
        let mut arguments = Vec::new();
        while digits > 0 {
            let ty = types[digits % types.len()];
            parameters.push(ty);
            arguments.push(if ty == "void *" { "nil" } else { "1" });
            digits /= types.len();
        }
        let parameters = if parameters.is_empty() { "void".into() } else { parameters.join(", ") };
        let arguments = arguments.join(", ");
        let declared = format!("void shape{shape}({parameters}) __asm__(\"getpid\");");
        run(&lua, &format!("ffi.cdef [[{declared}]]; ffi.C.shape{shape}({arguments})"));
    }
    let elapsed = seconds() - start;
    let after = code::stats();
    let (made, bytes) = (after.thunks - before.thunks, after.code_bytes - before.code_bytes);
    let each = |total: f64| total / made as f64;
    println!(
        "{:32}{made:>10}{:>14.2}{:>14.0}",
        "thunks, of code",
        each(elapsed * 1e6),
        each(bytes as f64)
    );
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: usize| pages * 4096)
}

/// The time that this thread has run.
fn seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the time is there to be written to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
