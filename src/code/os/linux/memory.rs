//! Executable memory: a memory file mapped twice, once to write and once to run.

use std::io;
use std::ptr::NonNull;

use super::super::posix::mapped;
use super::super::{Near, Views};
use super::low::map_low;

const WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
const EXECUTE: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;

/// Maps executable memory of two views.
pub(in crate::code) fn map_code(size: usize, near: Near) -> io::Result<Views> {
    if let Near::Observed(text) = near {
        return map_for_perf(size, text);
    }
    // SAFETY: a literal name; the descriptor is checked and closed below.
    let file = unsafe { libc::memfd_create(c"cthunk".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(io::Error::last_os_error());
    }
    let mapped = map_file(file, size, near);
    // SAFETY: opened above, used nowhere else; the mappings keep the memory.
    unsafe { libc::close(file) };
    mapped
}

/// `perf` looks in its map for names of memory that belongs to no file or to `/dev/zero`; shared memory without a file counts as
/// `/dev/zero`. The second view is a copy of the first one's mapping (mremap(2), "old_size is zero").
fn map_for_perf(size: usize, text: usize) -> io::Result<Views> {
    let run = below(text, |hint, flags| {
        map_shared(-1, size, EXECUTE, hint, flags | libc::MAP_ANONYMOUS)
    })?;
    // SAFETY: the mapping is our own; the copy is made where there is room, and never both executable and writable.
    unsafe {
        let write = mapped(libc::mremap(run.as_ptr().cast(), 0, size, libc::MREMAP_MAYMOVE))?;
        if libc::mprotect(write.as_ptr().cast(), size, WRITE) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Views { write, run })
    }
}

fn map_file(file: libc::c_int, size: usize, near: Near) -> io::Result<Views> {
    // SAFETY: our own descriptor.
    if unsafe { libc::ftruncate(file, size as libc::off_t) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let run = match near {
        Near::Address(text) | Near::Observed(text) => {
            below(text, |hint, flags| map_shared(file, size, EXECUTE, hint, flags))?
        }
        Near::Low => map_low(size, EXECUTE, libc::MAP_SHARED, file)?,
    };
    match map_shared(file, size, WRITE, 0, 0) {
        Ok(write) => Ok(Views { write, run }),
        Err(error) => {
            // SAFETY: mapped above, used nowhere.
            unsafe { libc::munmap(run.as_ptr().cast(), size) };
            Err(error)
        }
    }
}

fn map_shared(
    file: libc::c_int,
    size: usize,
    protection: libc::c_int,
    hint: usize,
    flags: libc::c_int,
) -> io::Result<NonNull<u8>> {
    let (hint, flags) = (hint as *mut libc::c_void, libc::MAP_SHARED | flags);
    // SAFETY: a new mapping, which replaces none: there is a fixed address only with MAP_FIXED_NOREPLACE.
    mapped(unsafe { libc::mmap(hint, size, protection, flags, file, 0) })
}

/// Maps within 1 GiB below an address, if there is room.
fn below(
    text: usize,
    map: impl Fn(usize, libc::c_int) -> io::Result<NonNull<u8>>,
) -> io::Result<NonNull<u8>> {
    const STEP: usize = 64 << 20;
    let text = text & !(STEP - 1);
    let hints = (1..16).map(|step| text.wrapping_sub(step * STEP));
    for hint in hints {
        if let Ok(address) = map(hint, libc::MAP_FIXED_NOREPLACE) {
            return Ok(address);
        }
    }
    map(0, 0)
}
