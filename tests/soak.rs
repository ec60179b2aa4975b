//! Memory stays flat under load: rounds of calls, cdata and callbacks, the process's resident memory and Lua's own after each.
//!
//! `CTHUNK_CASES=100000` is the full size: 10 million calls, 1 million cdata, 100,000 callbacks created and freed.

use std::fs;

use mlua::{Function, Lua};

mod behaviour;

/// Rounds in all. The first half fills caches and the allocator's pools; it is not measured.
const ROUNDS: usize = 20;
/// The bytes by which memory may grow in the measured half: less than 0.2 bytes a call at the full size.
const SLACK: u64 = 1 << 20;

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 =
        statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number of pages");
    pages * 4096
}

#[test]
fn memory_stays_flat() {
    let cases = std::env::var("CTHUNK_CASES").map_or(2000, |n| n.parse().expect("a number"));
    let callbacks = cases.max(ROUNDS) / ROUNDS;
    let (calls, cdata) = (100 * callbacks, 10 * callbacks);
    // SAFETY: the file uses `ffi` as its subject.
    let lua = unsafe {
        let lua = Lua::unsafe_new();
        cthunk::lua::preload(&lua).expect("preloads");
        lua
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lua/soak/rounds.lua");
    let chunk = lua.load(fs::read_to_string(path).expect("the file")).set_name("@rounds.lua");
    let round: Function = chunk.call(behaviour::library()).expect("loads");
    let run = || {
        let _: u64 = round.call((calls, cdata, callbacks)).expect("runs");
        (resident(), lua.used_memory() as u64)
    };
    let half = || (0..ROUNDS / 2).fold((0, 0), |_, _| run());
    let (warm, end) = (half(), half());
    println!(
        "{} calls, {} cdata, {} callbacks: resident {} KiB then {} KiB, Lua {} KiB then {} KiB",
        calls * ROUNDS,
        cdata * ROUNDS,
        callbacks * ROUNDS,
        warm.0 >> 10,
        end.0 >> 10,
        warm.1 >> 10,
        end.1 >> 10,
    );
    assert!(end.0 < warm.0 + SLACK, "resident memory grows");
    assert!(end.1 < warm.1 + SLACK / 4, "Lua's memory grows");
}
