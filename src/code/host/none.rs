//! An unknown processor: the crate compiles, and has no machine code.

use super::Processor;

pub(crate) struct Host;

impl Processor for Host {
    /// Cranelift makes no code for it.
    fn flush_instructions(_: *const u8, _: usize) {}
}
