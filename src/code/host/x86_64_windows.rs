//! x86-64 Windows. Thunks only.

use super::Processor;

pub(crate) struct Host;

impl Processor for Host {
    const ELF_MACHINE: Option<u16> = Some(62);

    fn has_wide_registers() -> bool {
        std::is_x86_feature_detected!("avx")
    }

    /// The processor keeps the two caches alike.
    fn flush_instructions(_: *const u8, _: usize) {}
}
