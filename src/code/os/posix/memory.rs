//! Memory for data.

use std::io;
use std::ptr::{NonNull, null_mut};

use super::super::row::NO_RESERVE;

/// The largest page of any host.
const PAGE: usize = 65536;
const PRIVATE: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const READ_WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

/// How far apart code and the data that it names by a displacement may be, at most.
const REACH: usize = 1 << 30;

/// Maps zeroed private memory within reach of `code`; it is used only as it is written.
pub(in crate::code) fn map_data(code: usize, size: usize) -> io::Result<NonNull<u8>> {
    // Beyond a chunk of code on either side; the kernel takes the hint where the place is free.
    let distances = [32 << 20, 64 << 20, 128 << 20, 256 << 20, 512 << 20];
    let below = distances.iter().map(|distance| code.wrapping_sub(*distance));
    let above = distances.iter().map(|distance| code.wrapping_add(*distance));
    for hint in below.chain(above) {
        let hint = (hint & !0xFFFF) as *mut libc::c_void;
        // SAFETY: a new anonymous mapping, which replaces none; one that is too far away is used nowhere.
        unsafe {
            let flags = PRIVATE | NO_RESERVE;
            let address = mapped(libc::mmap(hint, size, READ_WRITE, flags, -1, 0))?;
            if (address.as_ptr() as usize).abs_diff(code) < REACH {
                return Ok(address);
            }
            libc::munmap(address.as_ptr().cast(), size);
        }
    }
    Err(io::Error::other("no memory within reach of the stubs"))
}

/// The result of `mmap`.
pub(in crate::code::os) fn mapped(address: *mut libc::c_void) -> io::Result<NonNull<u8>> {
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))
}

/// Zeroed memory of at least `size` bytes between two pages that nobody may touch, and its real size.
pub(crate) fn map_guarded(size: usize) -> io::Result<(NonNull<u8>, usize)> {
    let size = size.max(1).next_multiple_of(PAGE);
    // SAFETY: a new mapping, of which only the inner part is made accessible; both calls are checked.
    unsafe {
        let outer = libc::mmap(null_mut(), size + 2 * PAGE, libc::PROT_NONE, PRIVATE, -1, 0);
        let start = mapped(outer)?.add(PAGE);
        if libc::mprotect(start.as_ptr().cast(), size, READ_WRITE) != 0 {
            let error = io::Error::last_os_error();
            libc::munmap(outer, size + 2 * PAGE);
            return Err(error);
        }
        Ok((start, size))
    }
}

/// Gives memory of [`map_guarded`] back.
///
/// # Safety
/// - The memory was mapped by [`map_guarded`], with this size.
/// - Nobody uses it any more.
pub(crate) unsafe fn unmap_guarded(start: NonNull<u8>, size: usize) {
    // SAFETY: the whole mapping, its guards included.
    unsafe { libc::munmap(start.as_ptr().sub(PAGE).cast(), size + 2 * PAGE) };
}
