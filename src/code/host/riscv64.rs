//! riscv64. Thunks only: there is no entry, so no callbacks, and no exit, so no interpreted mode.

use super::{Processor, clear_cache};

pub(crate) struct Host;

impl Processor for Host {
    const ELF_MACHINE: Option<u16> = Some(243);

    fn flush_instructions(start: *const u8, size: usize) {
        clear_cache::clear(start, size);
    }
}
