//! `os.date` with all conversions of C's `strftime`: Lua 5.2 and later accept only those of C99.

use std::time::SystemTime;

use super::adapt::{call_original, number_expected, string_expected};
use super::concat::text_in_place;
use crate::code::os;
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
        cx.push_integer(time);
        cx.replace(2);
        return Ok(call_original(cx));
    }
    match os::format_time(format, time, utc) {
        Some(text) => cx.push_bytes(&text),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

/// Seconds since 1970: argument 2, or now.
fn time(cx: &Cx<'_>) -> Result<i64, LuaError> {
    if cx.is_absent(2) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        return Ok(now.map_or(0, |since| since.as_secs() as i64));
    }
    cx.push_to_number(2);
    let number = cx.number(-1);
    cx.pop(1);
    match number {
        Some(Number::Integer(n)) => Ok(n),
        Some(Number::Float(n)) => Ok(float_to_i64(n)),
        None => Err(number_expected(cx, 2)),
    }
}
