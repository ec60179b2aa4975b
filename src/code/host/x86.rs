//! 32-bit x86. Cranelift has no code for it: its conventions are those of [`super::gate`], whose shims call and are called.

use super::Processor;

pub(crate) struct Host;

impl Processor for Host {
    /// The processor keeps the two caches alike.
    fn flush_instructions(_: *const u8, _: usize) {}
}
