//! Memory between two pages without access, so that a read or write past either end faults.

use std::io;
use std::ptr::NonNull;

use crate::code::os;

/// Bytes between two guard pages.
pub struct Guarded {
    start: NonNull<u8>,
    size: usize,
}

impl Guarded {
    /// At least `size` bytes, all zeros.
    ///
    /// # Errors
    /// The system's.
    pub fn new(size: usize) -> io::Result<Guarded> {
        let (start, size) = os::map_guarded(size)?;
        Ok(Guarded { start, size })
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
        // SAFETY: the memory of `new`; nobody has a slice of it any more.
        unsafe { os::unmap_guarded(self.start, self.size) };
    }
}
