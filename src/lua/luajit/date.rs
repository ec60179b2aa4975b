//! `os.date` with all conversions of C's `strftime`: Lua 5.2 and later accept only those of C99.

use std::mem;

use super::adapt::{call_original, number_expected, string_expected};
use super::concat::text_in_place;
use crate::lua::state::entry;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::value::scalar::float_to_i64;
use crate::lua::vm::api::{LuaType, Number};

/// `date_with(os.date)`: the function `os.date` that makes tables with that one.
pub(super) fn date_with(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    cx.push_function(entry(date), 1);
    Ok(Outcome::results(1))
}

/// `os.date([format [, time]])`
fn date(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(2);
    let time = time(cx)?;
    if cx.type_of(1) == LuaType::Nil {
        cx.push_bytes(b"%c");
        cx.replace(1);
    }
    text_in_place(cx, 1);
    let format = cx.bytes(1).ok_or_else(|| string_expected(cx, 1))?;
    let (utc, format) = match format.strip_prefix(b"!") {
        Some(format) => (true, format),
        None => (false, format),
    };
    if format.starts_with(b"*t") {
        #[allow(clippy::unnecessary_cast, reason = "a time_t of 32-bit systems has 32 bits")]
        cx.push_integer(time as i64);
        cx.replace(2);
        return Ok(call_original(cx));
    }
    match broken_down(time, utc) {
        Some(tm) => {
            let text = formatted(&tm, format);
            cx.push_bytes(&text);
        }
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

/// Seconds since 1970: argument 2, or now.
fn time(cx: &Cx<'_>) -> Result<libc::time_t, LuaError> {
    if cx.is_absent(2) {
        // SAFETY: C returns the time and writes none.
        return Ok(unsafe { libc::time(std::ptr::null_mut()) });
    }
    cx.push_to_number(2);
    let number = cx.number(-1);
    cx.pop(1);
    match number {
        Some(Number::Integer(n)) => Ok(n as libc::time_t),
        Some(Number::Float(n)) => Ok(float_to_i64(n) as libc::time_t),
        None => Err(number_expected(cx, 2)),
    }
}

fn broken_down(time: libc::time_t, utc: bool) -> Option<libc::tm> {
    // SAFETY: a structure of numbers and a pointer, which may be null; C fills it.
    unsafe {
        let mut tm: libc::tm = mem::zeroed();
        let found = match utc {
            true => libc::gmtime_r(&time, &mut tm),
            false => libc::localtime_r(&time, &mut tm),
        };
        (!found.is_null()).then_some(tm)
    }
}

/// What `strftime` makes of a format, which ends at a zero byte.
fn formatted(tm: &libc::tm, format: &[u8]) -> Vec<u8> {
    let format = format.split(|c| *c == 0).next().unwrap_or_default();
    // A text of no bytes and one that has no room are told apart by the byte in front.
    let format = [b"x", format, b"\0"].concat();
    let mut text = vec![0_u8; 256.max(4 * format.len())];
    loop {
        // SAFETY: the text has room for so many bytes, and the format ends with a zero byte.
        let length = unsafe {
            libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr().cast(), tm)
        };
        if length > 0 {
            text.truncate(length);
            text.remove(0);
            return text;
        }
        text.resize(2 * text.len(), 0);
    }
}
