//! Data beside code: chunks of address space, filled up and never given back.

use std::ptr::NonNull;
use std::sync::Mutex;

use super::locks::{Global, Rank};
use super::os;
use crate::error::Error;

/// Address space of a chunk, in bytes; memory is used only as it is written.
const CHUNK: usize = 16 << 20;

struct Chunk {
    start: NonNull<u8>,
    used: usize,
}

// SAFETY: a chunk's memory belongs to nobody but those who took it, under a lock.
unsafe impl Send for Chunk {}

impl Chunk {
    /// Reserves `size` bytes within reach of `code`.
    fn take(&mut self, code: usize, size: usize) -> Option<NonNull<u8>> {
        let near = (self.start.as_ptr() as usize).abs_diff(code) < (1 << 30);
        if !near || self.used + size > CHUNK {
            return None;
        }
        // SAFETY: inside the chunk.
        let start = unsafe { self.start.add(self.used) };
        self.used = (self.used + size).next_multiple_of(16);
        Some(start)
    }
}

static CHUNKS: Global<Mutex<Vec<Chunk>>> = Global::new(Rank::NearData, Vec::new());

/// Zeroed, private, writable memory within reach of `code`; it lives as long as the process.
pub(super) fn take(code: usize, size: usize) -> Result<NonNull<u8>, Error> {
    let mut chunks = CHUNKS.lock();
    if let Some(data) = chunks.iter_mut().rev().find_map(|chunk| chunk.take(code, size)) {
        return Ok(data);
    }
    let mut chunk = Chunk { start: os::map_data(code, CHUNK)?, used: 0 };
    let data = chunk.take(code, size);
    chunks.push(chunk);
    data.ok_or_else(|| Error::codegen("a page of stubs larger than a chunk"))
}
