#![no_main]

#[path = "../logic/functions.rs"]
mod functions;
#[path = "../logic/call.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::call(data));
