//! The `cthunk` command.
//!
//! It begins at C's `main`, as `lua` does, and leaves signals as they are: a closed pipe ends it. What Rust's runtime does before a
//! `main` of its own, above all to look for the end of the stack in `/proc/self/maps`, is a tenth of what `cthunk run` takes with
//! an empty script.
#![no_main]

mod cli;

/// What the C library calls.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> ! {
    std::process::exit(cli::main())
}
