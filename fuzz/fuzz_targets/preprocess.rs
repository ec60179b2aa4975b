#![no_main]

#[path = "../logic/preprocess.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::preprocess_any(data));
