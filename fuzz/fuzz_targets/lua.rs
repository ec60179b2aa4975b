#![no_main]

#[path = "../logic/lua.rs"]
mod logic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logic::lua(data));
