//! Memory between two pages without access, so that a read or write past either end faults.

use std::io;
use std::ptr::{NonNull, null_mut};

/// Bytes between two guard pages.
pub struct Guarded {
    start: NonNull<u8>,
    size: usize,
}

/// The largest page of any host.
const PAGE: usize = 65536;

impl Guarded {
    /// At least `size` bytes, all zeros.
    ///
    /// # Errors
    /// The system's.
    pub fn new(size: usize) -> io::Result<Guarded> {
        let size = size.max(1).next_multiple_of(PAGE);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, of which only the inner part is made accessible; both calls are checked.
        unsafe {
            let outer = libc::mmap(null_mut(), size + 2 * PAGE, libc::PROT_NONE, flags, -1, 0);
            if outer == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let start = outer.cast::<u8>().add(PAGE);
            if libc::mprotect(start.cast(), size, libc::PROT_READ | libc::PROT_WRITE) != 0 {
                let error = io::Error::last_os_error();
                libc::munmap(outer, size + 2 * PAGE);
                return Err(error);
            }
            Ok(Guarded { start: NonNull::new_unchecked(start), size })
        }
    }

    /// The first `size` bytes, which begin where the memory begins.
    pub fn head(&mut self, size: usize) -> &mut [u8] {
        &mut self.whole()[..size]
    }

    /// The last `size` bytes, which end where the memory ends.
    pub fn tail(&mut self, size: usize) -> &mut [u8] {
        let start = self.size - size;
        &mut self.whole()[start..]
    }

    /// The number of bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    fn whole(&mut self) -> &mut [u8] {
        // SAFETY: `size` accessible bytes, which `self` owns alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, its guards included; nobody has a slice of it any more.
        unsafe {
            libc::munmap(self.start.as_ptr().sub(PAGE).cast(), self.size + 2 * PAGE);
        }
    }
}
