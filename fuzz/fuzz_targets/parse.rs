#![no_main]

#[path = "../logic/parse.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::parse(data));
