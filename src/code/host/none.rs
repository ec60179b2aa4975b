//! A processor that nothing is known of: it compiles, and has no code.

use super::Processor;

pub(crate) struct Host;

impl Processor for Host {
    const NAME: &'static str = std::env::consts::ARCH;

    /// Cranelift makes no code for it.
    fn flush_instructions(_: *const u8, _: usize) {}
}
