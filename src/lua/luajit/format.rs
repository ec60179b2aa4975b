//! `string.format` with LuaJIT's conversions.

use std::ffi::{CString, c_int};

use mlua::ffi as sys;

use super::adapt::{call_original, number_expected, original, push_adapted, truncate};
use super::concat::text_in_place;
use super::text::{self, Style};
use super::tie;
use super::values::is_cdata_at;
use crate::ctype::IntKind;
use crate::lua::object::print;
use crate::lua::state::{Cx, LuaError, Outcome, entry, guard_in};
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{HEXADECIMAL_FLOATS, LuaType, NATIVE_INT64, Number, Results, lua_State};

/// `adapt_format(string.format)`
pub(super) fn adapt_format(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(1);
    push_adapted(cx, in_frame, entry(called))
}

/// # Safety
/// - *Adapted* (see `luajit`).
unsafe extern "C-unwind" fn in_frame(lua: *mut lua_State) -> Results {
    // SAFETY: *Adapted*; see `original`.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        guard_in(lua, head.cast(), |cx| correct(cx).map(|()| 0));
        original(lua)
    }
}

fn called(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    correct(cx)?;
    Ok(call_original(cx))
}

/// Makes the arguments and the format such that the running Lua's `string.format` prints as LuaJIT's.
fn correct(cx: &Cx<'_>) -> Result<(), LuaError> {
    text_in_place(cx, 1);
    let (mut at, mut argument) = (0, 1);
    // The format is read anew for every conversion: metamethods run between them, and it may have changed.
    while let Some(conversion) = next_conversion(cx, at) {
        at = conversion.end;
        if conversion.letter == b'%' {
            continue;
        }
        argument += 1;
        if argument > cx.top() {
            break;
        }
        let conversion = simplify(cx, argument, conversion)?;
        at = conversion.end;
        if let Some(text) = text_of(cx, argument, &conversion)? {
            at = print_text(cx, argument, &conversion, text);
        }
    }
    Ok(())
}

/// A conversion of the format.
struct Conversion {
    /// The place of its `%`.
    start: usize,
    /// The place after its letter.
    end: usize,
    letter: u8,
    /// The decimals that it asks for.
    precision: usize,
}

/// The first conversion of the format at index 1 that begins at `from` or later.
fn next_conversion(cx: &Cx<'_>, from: usize) -> Option<Conversion> {
    let text = cx.bytes(1)?;
    let start = from + text[from..].iter().position(|c| *c == b'%')? + 1;
    let flags = text[start..].iter().take_while(|c| b"-+ #0123456789.".contains(c)).count();
    let point = text[start..start + flags].iter().position(|c| *c == b'.');
    let digits =
        point.and_then(|point| std::str::from_utf8(&text[start + point + 1..start + flags]).ok());
    let precision = digits.map_or(6, |digits| digits.parse().unwrap_or(0)).min(99);
    let letter = *text.get(start + flags)?;
    Some(Conversion { start: start - 1, end: start + flags + 1, letter, precision })
}

/// The flags that the running Lua takes for a conversion, by its letter.
fn flags_of(letter: u8) -> &'static [u8] {
    match letter {
        b'd' | b'i' => b"-+0 ",
        b'x' | b'X' | b'o' => b"-#0",
        b'u' => b"-0",
        b'c' | b's' => b"-",
        b'q' | b'p' => b"",
        _ => b"-+#0 ",
    }
}

/// Takes out of a conversion in the format what means nothing to LuaJIT, and what the running Lua refuses: flags, the width of an
/// address or a quoted text, the precision of a character, the sign of a NaN.
fn simplify(cx: &Cx<'_>, index: c_int, conversion: Conversion) -> Result<Conversion, LuaError> {
    let spec = conversion.spec(cx).unwrap_or_default();
    if spec.is_empty() {
        return Ok(conversion);
    }
    let nan = matches!(cx.number(index), Some(Number::Float(n)) if n.is_nan());
    let flags = spec.iter().take_while(|c| b"-+ #0".contains(c)).count();
    let (flags, rest) = spec.split_at(flags);
    if rest.split(|c| *c == b'.').any(|digits| digits.len() > 2) {
        let option = String::from_utf8_lossy(spec);
        let letter = char::from(conversion.letter);
        return Err(LuaError::new(format!("invalid option '%{option}{letter}' to 'format'")));
    }
    let rest = match conversion.letter {
        b'q' | b'p' => &[],
        b'c' => rest.split(|c| *c == b'.').next().unwrap_or_default(),
        _ => rest,
    };
    let kept = |flag: &&u8| flags.contains(flag) && !(nan && **flag == b'+');
    let mut simple = vec![b'%'];
    simple.extend(flags_of(conversion.letter).iter().filter(kept));
    simple.extend(rest);
    simple.push(conversion.letter);
    let end = conversion.start + simple.len();
    replace_conversion(cx, &conversion, &simple);
    Ok(Conversion { end, ..conversion })
}

/// Puts another text in the place of a conversion in the format.
fn replace_conversion(cx: &Cx<'_>, conversion: &Conversion, by: &[u8]) {
    let Some(text) = cx.bytes(1) else { return };
    if text[conversion.start..conversion.end] == *by {
        return;
    }
    let text = [&text[..conversion.start], by, &text[conversion.end..]].concat();
    cx.push_bytes(&text);
    drop(text);
    cx.replace(1);
}

/// Makes the format print a text for a conversion, and returns the place after it. The text becomes a part of the format, since `%s` of
/// Lua 5.1 and 5.2 ends at a zero byte; a `%.0s` before it takes the argument.
fn print_text(cx: &Cx<'_>, argument: c_int, conversion: &Conversion, text: Vec<u8>) -> usize {
    let mut own = b"%.0s".to_vec();
    for c in text {
        own.extend_from_slice(if c == b'%' { b"%%" } else { std::slice::from_ref(&c) });
    }
    let end = conversion.start + own.len();
    replace_conversion(cx, conversion, &own);
    drop(own);
    cx.push_bytes(b"");
    cx.replace(argument);
    end
}

/// The text of a conversion for its argument. `None`: the running Lua makes it, from the argument as it is then.
fn text_of(
    cx: &Cx<'_>,
    index: c_int,
    conversion: &Conversion,
) -> Result<Option<Vec<u8>>, LuaError> {
    if let Some(text) = half_way(cx, index, conversion) {
        return Ok(Some(text.into_bytes()));
    }
    convert(cx, index, conversion)?;
    Ok(match conversion.letter {
        b's' => with_zeros(cx, index, conversion),
        b'u' => Some(integer_text(cx, index, conversion)?),
        b'd' | b'i' | b'x' | b'X' | b'o' if !NATIVE_INT64 => {
            Some(integer_text(cx, index, conversion)?)
        }
        b'a' | b'A' if !HEXADECIMAL_FLOATS => hexadecimal(cx, index, conversion),
        b'q' => cx.bytes(index).map(text::quoted),
        b'p' => cx.bytes(index).map(<[u8]>::to_vec),
        _ => None,
    })
}

/// The text of a float that lies half-way between two decimals, where no other double helps C to print it as LuaJIT does.
fn half_way(cx: &Cx<'_>, index: c_int, conversion: &Conversion) -> Option<String> {
    let Some(Number::Float(n)) = cx.number(index) else { return None };
    let rounded = rounded(n, conversion)?;
    if rounded == n || n.is_nan() || conversion.significant(n) < 16 {
        return None;
    }
    let flags = conversion.spec(cx)?.split(|c| *c == b'.').next()?;
    Some(tie::text(n, Style { flags, letter: conversion.letter, precision: conversion.precision }))
}

fn convert(cx: &Cx<'_>, index: c_int, conversion: &Conversion) -> Result<(), LuaError> {
    match conversion.letter {
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => integer_in_place(cx, index),
        b'c' if is_cdata_at(cx, index) => Err(number_expected(cx, index)),
        b'c' => {
            truncate(cx, index);
            Ok(())
        }
        b's' | b'q' => {
            string_in_place(cx, index);
            Ok(())
        }
        b'p' => {
            let text = print::address(cx.identity(index) as usize);
            cx.push_bytes(text.as_bytes());
            cx.replace(index);
            Ok(())
        }
        b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G' if is_cdata_at(cx, index) => {
            Err(number_expected(cx, index))
        }
        _ => {
            round_in_place(cx, index, conversion);
            Ok(())
        }
    }
}

/// The integer that a conversion wants: of a float what is left of the point, of a cdata its 64 bits where the running Lua has such
/// integers.
fn integer_in_place(cx: &Cx<'_>, index: c_int) -> Result<(), LuaError> {
    if !is_cdata_at(cx, index) {
        truncate(cx, index);
        return Ok(());
    }
    let scalar = cdata::at(cx, index).and_then(|_| to_c::scalar_at(cx, index));
    let scalar = scalar.ok_or_else(|| number_expected(cx, index))?;
    if NATIVE_INT64 {
        cx.push_integer(scalar.to_bits(IntKind::I64) as i64);
        cx.replace(index);
    }
    Ok(())
}

/// The text of the 64 bits of a number or cdata.
fn integer_text(cx: &Cx<'_>, index: c_int, conversion: &Conversion) -> Result<Vec<u8>, LuaError> {
    let kind = if matches!(conversion.letter, b'd' | b'i') { IntKind::I64 } else { IntKind::U64 };
    let scalar = to_c::scalar_at(cx, index).ok_or_else(|| number_expected(cx, index))?;
    let bits = scalar.to_bits(kind) as u64;
    let spec = conversion.spec(cx).unwrap_or_default();
    Ok(text::integer(bits, spec, conversion.letter).into_bytes())
}

/// C's text of a number for `%a`.
fn hexadecimal(cx: &Cx<'_>, index: c_int, conversion: &Conversion) -> Option<Vec<u8>> {
    let number = cx.number(index)?.as_double();
    let conversion = CString::new(cx.bytes(1)?.get(conversion.start..conversion.end)?).ok()?;
    let mut text = vec![0_u8; 512];
    // SAFETY: the conversion takes one double; C writes no more than there is room for.
    let len = unsafe {
        libc::snprintf(text.as_mut_ptr().cast(), text.len(), conversion.as_ptr(), number)
    };
    text.truncate(usize::try_from(len).ok()?.min(text.len() - 1));
    Some(text)
}

/// The text that `%s`, `%5s` and the like make of a string with zero bytes, which the running Lua refuses or cuts off.
fn with_zeros(cx: &Cx<'_>, index: c_int, conversion: &Conversion) -> Option<Vec<u8>> {
    let flags = conversion.spec(cx)?;
    let value = cx.bytes(index).filter(|value| value.contains(&0))?;
    let flags = std::str::from_utf8(flags).ok()?;
    let (flags, precision) = flags.split_once('.').unwrap_or((flags, "99999"));
    let kept = &value[..value.len().min(precision.parse().unwrap_or(0))];
    let left = flags.contains('-');
    let width = flags.trim_start_matches(['-', '+', ' ', '#', '0']).parse().unwrap_or(0);
    let padding = vec![b' '; usize::saturating_sub(width, kept.len())];
    Some(if left { [kept, &padding].concat() } else { [&padding, kept].concat() })
}

/// The text of any value. What a `__tostring` gives is printed without asking again.
fn string_in_place(cx: &Cx<'_>, index: c_int) {
    if cx.type_of(index) == LuaType::String {
        return;
    }
    // SAFETY: *Context*.
    unsafe {
        if cx.type_of(index) != LuaType::Number
            && sys::luaL_callmeta(cx.lua, index, c"__tostring".as_ptr()) != 0
        {
            cx.replace(index);
        }
    }
    match cx.type_of(index) {
        LuaType::String => {}
        LuaType::Number => {
            text_in_place(cx, index);
            // SAFETY: turns an integer on the stack into its digits.
            unsafe { sys::lua_tolstring(cx.lua, index, std::ptr::null_mut()) };
        }
        LuaType::None => {}
        LuaType::Nil | LuaType::Boolean => {
            let text = match cx.type_of(index) {
                LuaType::Nil => "nil",
                _ if cx.truth(index) => "true",
                _ => "false",
            };
            cx.push_bytes(text.as_bytes());
            cx.replace(index);
        }
        _ => {
            let text = format!("{}: {:p}", cx.type_name(index), cx.identity(index));
            cx.push_bytes(text.as_bytes());
            cx.replace(index);
        }
    }
}

/// A float that C rounds and signs as LuaJIT does: half-way cases away from zero, and a NaN has no sign.
fn round_in_place(cx: &Cx<'_>, index: c_int, conversion: &Conversion) {
    if let Some(Number::Float(n)) = cx.number(index)
        && let Some(rounded) = rounded(n, conversion)
    {
        cx.push_number(rounded);
        cx.replace(index);
    }
}

/// The float to print for `n`; none for conversions that do not round.
fn rounded(n: f64, conversion: &Conversion) -> Option<f64> {
    let letter = conversion.letter.to_ascii_lowercase();
    let decimals = match letter {
        b'g' => conversion.precision.max(1) - 1,
        _ => conversion.precision,
    } + tie::BEYOND;
    match letter {
        b'a' | b'e' | b'f' | b'g' if n.is_nan() => Some(f64::NAN),
        b'f' => Some(print::break_tie(n, &format!("{n:.decimals$}"))),
        b'e' | b'g' => Some(print::break_tie(n, &format!("{n:.decimals$e}"))),
        _ => None,
    }
}

impl Conversion {
    /// The text between its `%` and its letter.
    fn spec<'a>(&self, cx: &'a Cx<'_>) -> Option<&'a [u8]> {
        cx.bytes(1)?.get(self.start + 1..self.end - 1)
    }

    /// How many digits of a number it prints, from the first that is not 0.
    fn significant(&self, n: f64) -> i32 {
        match self.letter.to_ascii_lowercase() {
            b'f' => n.abs().log10().floor() as i32 + 1 + self.precision as i32,
            b'e' => self.precision as i32 + 1,
            _ => self.precision as i32,
        }
    }
}
