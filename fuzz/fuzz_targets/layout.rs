#![no_main]

#[path = "../logic/layout.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::layout(data));
