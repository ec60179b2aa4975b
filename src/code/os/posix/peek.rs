//! Reads memory that may not be there, without a fault.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Copies memory through a pipe: the kernel refuses memory that is not mapped.
pub struct Peek {
    pipe: [OwnedFd; 2],
}

impl Peek {
    /// Opens the pipe.
    ///
    /// # Errors
    /// No free file descriptor.
    pub fn new() -> io::Result<Peek> {
        let mut pipe = [0; 2];
        // SAFETY: `pipe` has room for two descriptors, which nobody else owns.
        unsafe {
            if libc::pipe(pipe.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Peek { pipe: pipe.map(|end| OwnedFd::from_raw_fd(end)) })
        }
    }

    /// The little-endian number in `bytes`, 8 at most, bytes at `address`; `None` where nothing is readable.
    pub fn read(&self, address: usize, bytes: usize) -> Option<u64> {
        let [read, write] = self.pipe.each_ref().map(AsRawFd::as_raw_fd);
        let mut buffer = [0_u8; 8];
        let bytes = bytes.min(buffer.len());
        // SAFETY: the kernel checks the source; the buffer has room for what was written, which an empty pipe holds.
        unsafe {
            let copied = libc::write(write, address as *const libc::c_void, bytes);
            if usize::try_from(copied) != Ok(bytes) {
                return None;
            }
            if libc::read(read, buffer.as_mut_ptr().cast(), bytes) != copied {
                return None;
            }
        }
        Some(u64::from_le_bytes(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::Peek;

    #[test]
    fn unmapped_memory_is_none() {
        let peek = Peek::new().expect("a pipe");
        let value = 0x1122_3344_5566_7788_u64;
        let address = std::ptr::from_ref(&value) as usize;
        assert_eq!(peek.read(address, 8), Some(value));
        assert_eq!(peek.read(address, 2), Some(0x7788));
        assert_eq!(peek.read(16, 8), None);
        assert_eq!(peek.read(usize::MAX - 64, 8), None);
        assert_eq!(peek.read(address, 1), Some(0x88));
    }
}
