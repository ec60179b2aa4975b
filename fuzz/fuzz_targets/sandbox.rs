#![no_main]

#[path = "../logic/sandbox.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::sandbox(data));
