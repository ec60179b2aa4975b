//! AArch64. Thunks only: there is no entry, so that nothing calls back, and no exit, so that nothing is interpreted.

use super::{Processor, clear_cache};

pub(crate) struct Host;

impl Processor for Host {
    const ELF_MACHINE: Option<u16> = Some(183);

    fn flush_instructions(start: *const u8, size: usize) {
        clear_cache::clear(start, size);
    }
}
