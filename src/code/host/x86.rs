//! 32-bit x86. Cranelift has no back end for it: calls and callbacks are the shims of [`super::gate`].

use super::Processor;

pub(crate) struct Host;

impl Processor for Host {
    /// The processor keeps the two caches alike.
    fn flush_instructions(_: *const u8, _: usize) {}
}
