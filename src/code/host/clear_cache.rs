//! The instruction cache of processors that do not notice writes to code.

/// Makes the processor forget what it knows of the code in a range.
pub(super) fn clear(start: *const u8, size: usize) {
    unsafe extern "C" {
        /// libgcc and compiler-rt.
        fn __clear_cache(start: *const u8, end: *const u8);
    }
    // SAFETY: the range is executable memory that was just written.
    unsafe { __clear_cache(start, start.wrapping_add(size)) }
}
