#![no_main]

#[path = "../logic/functions.rs"]
mod functions;
#[path = "../logic/plan.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::plan(data));
