//! Bounds of stacks.

use std::cell::Cell;
use std::mem::MaybeUninit;

/// The lowest and the highest address of the stack that the thread was made with.
pub(in crate::code) fn own_stack() -> Option<(usize, usize)> {
    thread_local! {
        /// The bounds that were found, and the limit of the process at that time: the stack of the first thread grows up to the limit.
        static KNOWN: Cell<Option<(libc::rlim_t, usize, usize)>> = const { Cell::new(None) };
    }
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is writable.
    unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) };
    if let Some((known, lowest, highest)) = KNOWN.get()
        && known == limit.rlim_cur
    {
        return Some((lowest, highest));
    }
    let mut attributes = MaybeUninit::uninit();
    let (mut lowest, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the attributes are initialised where the first call returns 0, and destroyed once; the rest is writable.
    let found = unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        found
    };
    let (lowest, highest) = (lowest as usize + guard, lowest as usize + size);
    KNOWN.set(Some((limit.rlim_cur, lowest, highest)));
    (found == 0).then_some((lowest, highest))
}

/// The mapping that an address lies in, as the kernel lists it.
pub(in crate::code) fn mapping(address: usize) -> Option<(usize, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (lowest, highest) = line.split(' ').next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let (lowest, highest) = (number(lowest)?, number(highest)?);
        (lowest..highest).contains(&address).then_some((lowest, highest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::check_stack;

    #[test]
    fn a_thread_knows_what_it_has() {
        let size = 256 << 10;
        let thread = std::thread::Builder::new().stack_size(size).spawn(move || {
            let here = 0_u8;
            let (lowest, highest) = own_stack().unwrap();
            let left = (&raw const here) as usize - lowest;
            assert!(left > size / 2 && left <= size + (64 << 10), "{left} of {size} bytes");
            assert!(left < highest - lowest);
            assert!(check_stack(size / 2).is_ok());
            let error = check_stack(2 * size).unwrap_err().to_string();
            assert!(error.contains("524288 bytes of stack"), "{error}");
        });
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn a_mapping_is_found() {
        let here = 0_u8;
        let here = (&raw const here) as usize;
        let (lowest, highest) = mapping(here).unwrap();
        assert!((lowest..highest).contains(&here));
    }
}
