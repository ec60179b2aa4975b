//! Memory below 4 GiB, for 32-bit code in a 64-bit process.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::NonNull;

/// The last address that 32 bits have, which nothing is mapped up to.
const END: usize = u32::MAX as usize;
/// `MAP_32BIT` of x86 (arch/x86/include/uapi/asm/mman.h): the second GiB only.
const SECOND_GIB: c_int = 0x40;

/// Maps `size` bytes below 4 GiB; of no file where `file` is -1.
pub(in crate::code) fn map_low(
    size: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
) -> io::Result<NonNull<u8>> {
    const STEP: usize = 64 << 20;
    let attempt = |hint: usize, flag: c_int| {
        // SAFETY: a new mapping, which replaces none: there is a fixed address only with MAP_FIXED_NOREPLACE.
        let address =
            unsafe { libc::mmap(hint as *mut c_void, size, protection, flags | flag, file, 0) };
        let below = (address as usize).checked_add(size).is_some_and(|end| end <= END);
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        if !below {
            // An old kernel takes MAP_FIXED_NOREPLACE as a hint only.
            // SAFETY: just mapped, used nowhere.
            unsafe { libc::munmap(address, size) };
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))
    };
    let hints = (STEP..END).step_by(STEP).rev();
    let others = hints.map(|hint| attempt(hint, libc::MAP_FIXED_NOREPLACE));
    let mut all = std::iter::once(attempt(0, SECOND_GIB)).chain(others);
    all.find_map(Result::ok).ok_or_else(|| io::Error::other("no memory below 4 GiB is left"))
}
