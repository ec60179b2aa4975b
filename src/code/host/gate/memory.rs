//! Memory below 4 GiB.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::io;
use std::ptr::NonNull;
use std::sync::Mutex;

use crate::code::locks::{Global, Rank};

/// The last address of the guest, which nothing is mapped up to.
pub const END: usize = u32::MAX as usize;

pub(super) use crate::code::os::row::low::map_low as map;

pub(super) const PRIVATE: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
pub(super) const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Maps zeroed memory for data.
pub(in crate::code) fn map_data(size: usize) -> io::Result<NonNull<u8>> {
    map(size, READ_WRITE, PRIVATE, -1)
}

/// # Safety
/// - The memory was mapped here, with this size.
/// - Nobody uses it any more.
pub(super) unsafe fn unmap(address: NonNull<u8>, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(address.as_ptr().cast(), size) };
}

/// Makes memory of [`map_data`] executable and no longer writable, or only readable.
///
/// # Safety
/// - The pages are part of one mapping.
/// - Nobody writes them any more.
pub(super) unsafe fn protect(address: NonNull<u8>, size: usize, execute: bool) -> io::Result<()> {
    let protection = libc::PROT_READ | if execute { libc::PROT_EXEC } else { 0 };
    // SAFETY: the caller's promise.
    match unsafe { libc::mprotect(address.as_ptr().cast(), size, protection) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The largest block that comes from a chunk; larger ones are mappings of their own.
const LARGE: usize = 64 << 10;
/// Bytes of a chunk.
const CHUNK: usize = 1 << 20;
/// The smallest block.
const SMALL: usize = 16;

/// Data memory of the guest: blocks of powers of two, from chunks that are never given back.
struct Heap {
    /// Free blocks by size.
    free: BTreeMap<usize, Vec<usize>>,
    /// The rest of the last chunk.
    left: (usize, usize),
    /// Bytes that callers have.
    used: usize,
}

static HEAP: Global<Mutex<Heap>> =
    Global::new(Rank::GuestHeap, Heap { free: BTreeMap::new(), left: (0, 0), used: 0 });

fn block_size(size: usize) -> usize {
    match size {
        ..=LARGE => size.next_power_of_two().max(SMALL),
        _ => size.next_multiple_of(4096),
    }
}

/// Zeroed memory of the guest's: aligned to 16 bytes or to its size rounded up to a power of two, up to a page.
///
/// # Errors
/// No memory below 4 GiB is left.
pub fn allocate(size: usize) -> io::Result<NonNull<u8>> {
    if size >= END {
        return Err(io::Error::other(format!("{size} bytes are more than 32 bits can address")));
    }
    let size = block_size(size);
    let mut heap = HEAP.lock();
    let address = match heap.free.get_mut(&size).and_then(Vec::pop) {
        Some(address) => NonNull::new(address as *mut u8),
        None if size > LARGE => Some(map_data(size)?),
        None => heap.carve(size)?,
    };
    let address = address.ok_or(io::ErrorKind::OutOfMemory)?;
    heap.used += size;
    // SAFETY: a block of this size, nobody else's.
    unsafe { address.write_bytes(0, size) };
    Ok(address)
}

impl Heap {
    fn carve(&mut self, size: usize) -> io::Result<Option<NonNull<u8>>> {
        let (at, end) = self.left;
        let start = at.next_multiple_of(size);
        if at == 0 || start + size > end {
            let chunk = map_data(CHUNK)?.as_ptr() as usize;
            self.left = (chunk, chunk + CHUNK);
            return self.carve(size);
        }
        self.left.0 = start + size;
        Ok(NonNull::new(start as *mut u8))
    }
}

/// Gives a block of [`allocate`] back.
///
/// # Safety
/// - The block was allocated with this size.
/// - Nobody uses it any more.
pub unsafe fn free(address: NonNull<u8>, size: usize) {
    let size = block_size(size);
    let mut heap = HEAP.lock();
    heap.used -= size;
    match size > LARGE {
        // SAFETY: a mapping of its own.
        true => unsafe { unmap(address, size) },
        false => heap.free.entry(size).or_default().push(address.as_ptr() as usize),
    }
}

/// Bytes of blocks in use.
pub fn used() -> usize {
    HEAP.lock().used
}
