//! Dates as text, by C's `strftime`.

use std::ffi::c_char;

use super::row::broken_down;

unsafe extern "C" {
    fn strftime(
        text: *mut c_char,
        room: usize,
        format: *const c_char,
        tm: *const libc::tm,
    ) -> usize;
}

/// A time in seconds since 1970 as `strftime` writes it; the format ends at its first zero byte. `None`: the calendar has no such time.
pub(crate) fn format_time(format: &[u8], time: i64, utc: bool) -> Option<Vec<u8>> {
    let tm = broken_down(time as libc::time_t, utc)?;
    let format = format.split(|c| *c == 0).next().unwrap_or_default();
    // A text of no bytes and one that has no room are told apart by the byte in front.
    let format = [b"x", format, b"\0"].concat();
    let mut text = vec![0_u8; 256.max(4 * format.len())];
    loop {
        // SAFETY: the text has room for so many bytes, and the format ends with a zero byte.
        let length =
            unsafe { strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr().cast(), &tm) };
        if length > 0 {
            text.truncate(length);
            text.remove(0);
            return Some(text);
        }
        text.resize(2 * text.len(), 0);
    }
}
