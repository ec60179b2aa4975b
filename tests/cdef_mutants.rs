//! Texts of `ffi.cdef` with tokens left out, doubled, swapped and taken from other texts: each is declared, or refused with an error, in little time
//! and memory. The texts are those of scripts and documentation. `CTHUNK_CASES` texts, from the seed `CTHUNK_SEED` on.

#[path = "support/repository.rs"]
mod repository;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mlua::{Function, Lua};

/// What a text may take.
const TIME: Duration = Duration::from_secs(2);
const MEMORY: isize = 500 << 20;
/// Texts that a state gets, one after the other.
const GROUP: u64 = 20;

/// The system's allocator, counting the memory of each thread, and the most that it was.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        MOST.with(|most| most.set(most.get().max(held.get())));
    });
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
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Numbers that depend on the seed alone.
struct Random(u64);

impl Random {
    fn of(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9abc_def1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

/// The arguments of `cdef` that are one string, in a text that has Lua in it.
fn cdefs(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("cdef").filter_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches([' ', '(']);
        let (open, close) = match rest.as_bytes().first()? {
            b'"' => (1, "\""),
            b'\'' => (1, "'"),
            b'[' if rest.starts_with("[[") => (2, "]]"),
            _ => return None,
        };
        let inner = &rest[open..];
        Some(&inner[..inner.find(close)?])
    })
}

/// The tokens of C text, each with the space before it.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let space = rest.len() - rest.trim_start().len();
        let body = &rest[space..];
        let end = match body.chars().next() {
            Some(c) if word(c) => body.find(|c| !word(c)).unwrap_or(body.len()),
            Some(c) => c.len_utf8(),
            None => 0,
        };
        let (token, after) = rest.split_at(space + end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// The texts of the repository, as tokens.
fn corpus() -> Vec<Vec<String>> {
    fn read(folder: &Path, found: &mut Vec<Vec<String>>) {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.collect();
        paths.sort();
        for path in paths {
            let name = path.extension().unwrap_or_default();
            if path.is_dir() {
                read(&path, found);
            } else if name == "lua" || name == "md" {
                let text = fs::read_to_string(&path).unwrap();
                let owned = |text| tokens(text).into_iter().map(String::from).collect();
                found.extend(cdefs(&text).map(owned));
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["tests", "docs", "examples"] {
        read(&repository::path(folder), &mut found);
    }
    found.retain(|tokens| !tokens.is_empty());
    found
}

/// A text with one to six changes.
fn mutant(random: &mut Random, corpus: &[Vec<String>]) -> String {
    let mut text = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let (at, other) = (random.below(text.len()), random.below(text.len()));
        match random.below(5) {
            _ if text.is_empty() => break,
            0 => drop(text.remove(at)),
            1 => text.insert(other, text[at].clone()),
            2 => text.swap(at, other),
            3 => {
                let from = &corpus[random.below(corpus.len())];
                text.insert(at, from[random.below(from.len())].clone());
            }
            // Much of the same.
            _ => {
                let piece = text[at..(at + 1 + random.below(4)).min(text.len())].to_vec();
                let times = random.below(60);
                text.splice(at..at, piece.iter().cycle().take(piece.len() * times).cloned());
            }
        }
    }
    text.concat()
}

/// Declares a group of mutants in one state.
fn group(seed: u64, texts: u64, corpus: &[Vec<String>], first: &str) {
    // SAFETY: the script declares C, and calls none of it; LuaJIT mode needs `debug`.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: the same.
    unsafe { cthunk::lua::preload(&lua) }.unwrap();
    let declare: Function = lua.load(format!("{first} return ffi.cdef")).eval().unwrap();
    let mut random = Random::of(seed);
    for _ in 0..texts {
        let text = mutant(&mut random, corpus);
        MOST.set(HELD.get());
        let (held, start) = (HELD.get(), Instant::now());
        let declared = declare.call::<()>(&*text);
        let (time, memory) = (start.elapsed(), MOST.get() - held);
        let replay = format!("CTHUNK_SEED={seed} CTHUNK_CASES={texts}\n{text}\n");
        if let Err(error) = declared {
            let error = error.to_string();
            assert!(!error.contains("internal error"), "{replay}{error}");
        }
        assert!(time < TIME, "{replay}takes {time:?}");
        assert!(memory < MEMORY, "{replay}takes {memory} bytes");
    }
}

fn declare_mutants(first: &str) {
    let read = |name: &str, default: u64| {
        env::var(name).map_or(default, |text| text.parse().expect("it is a number"))
    };
    let (seed, cases) = (read("CTHUNK_SEED", 1), read("CTHUNK_CASES", 3000));
    let corpus = corpus();
    assert!(corpus.len() > 200, "{} texts", corpus.len());
    println!("CTHUNK_SEED={seed} CTHUNK_CASES={cases}, {} texts", corpus.len());
    for number in 0..cases.div_ceil(GROUP) {
        let texts = GROUP.min(cases - number * GROUP);
        group(seed + number, texts, &corpus, first);
    }
}

#[cfg(not(feature = "luau"))]
const MODULE: &str = "local ffi = require 'cthunk'";
#[cfg(feature = "luau")]
const MODULE: &str = "local ffi = require '@cthunk'";

#[test]
fn plain() {
    declare_mutants(MODULE);
}

/// LuaJIT's own library has its name in LuaJIT.
#[cfg(not(any(feature = "luau", feature = "luajit")))]
#[test]
fn for_luajit() {
    declare_mutants("require 'ffi.luajit' local ffi = require 'ffi'");
}
