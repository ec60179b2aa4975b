//! The memory of many declarations, bound functions and Lua states. The tests count bytes, so the numbers are the same on every
//! run. `benches/scale.rs` has the times.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use cthunk::lua;
use mlua::Lua;

/// The system's allocator, counting what each thread holds.
struct Counting;

thread_local!(static HELD: Cell<isize> = const { Cell::new(0) });

fn count(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that the work leaves allocated, Lua's among them, for each of so many items.
fn bytes_an_item<T>(items: usize, work: impl FnOnce(usize) -> T) -> usize {
    let before = HELD.get();
    let kept = work(items);
    let held = HELD.get() - before;
    drop(kept);
    held.max(0) as usize / items
}

/// Many items cost `most` bytes each at most, and no more than few of them, which share a state; they are gone when their owner is.
fn flat<T>(name: &str, sizes: [usize; 3], most: usize, work: impl Fn(usize) -> T) {
    // The first item makes the things that the process has once.
    drop(work(1));
    let before = HELD.get();
    let each = sizes.map(|items| bytes_an_item(items, &work));
    let left = HELD.get() - before;
    println!("{name}: {each:?} bytes an item of {sizes:?}");
    assert!(each[2] <= most, "{name}: {} bytes an item, {most} expected", each[2]);
    for step in each.windows(2) {
        assert!(step[1] <= step[0] + step[0] / 20, "{name}: {each:?} bytes an item of {sizes:?}");
    }
    assert_eq!(left, 0, "{name} leak");
}

fn state() -> Lua {
    let lua = Lua::new();
    // SAFETY: the scripts of this file do nothing that would be undefined behaviour in C.
    let ffi = unsafe { lua::open(&lua) }.expect("memory");
    lua.globals().set("ffi", ffi).expect("memory");
    lua
}

fn run(lua: &Lua, script: &str) {
    lua.load(script).exec().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn declarations_are_flat() {
    flat("declarations", [1_000, 10_000, 40_000], 300, |items| {
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
    });
}

#[test]
fn bound_functions_are_flat() {
    flat("functions", [100, 1_000, 10_000], 550, |items| {
        let lua = state();
        lua.globals().set("n", items).expect("memory");
        run(
            &lua,
            "for i = 1, n do
               ffi.cdef('int bound' .. i .. '(int) __asm__(\"abs\");')
               assert(ffi.C['bound' .. i](-i) == i)
             end
             collectgarbage()",
        );
        lua
    });
}

#[test]
fn states_are_flat() {
    flat("states", [1, 10, 100], 75_000, |items| {
        let one = |i: usize| {
            let lua = state();
            lua.globals().set("i", i).expect("memory");
            run(
                &lua,
                "ffi.cdef 'int abs(int); struct point { double x, y; };'
                 assert(ffi.C.abs(-i) == i and ffi.new('struct point', 1, i).y == i)
                 collectgarbage()",
            );
            lua
        };
        (0..items).map(one).collect::<Vec<_>>()
    });
}
