//! Lua's own library functions with LuaJIT's arguments.
//!
//! Every number of LuaJIT is a double, and LuaJIT's library functions cut the fraction off if they want an integer; Lua 5.3 and later raise an error, and
//! print `3.0` as "3.0". LuaJIT's library takes no cdata, ctype or C function for a table or a function; here these are userdata with
//! metamethods, and functions. An adapted function corrects and checks its arguments, and continues as the original function.
//!
//! A C function without upvalues continues in the frame of the adapted function, so that its error messages name the function and the place of the call. A
//! closure is called as a function of its own, because only then its upvalues are its own.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::concat::text_in_place;
use super::nil_error;
use super::numbers::{self, to_int32};
use super::values::is_cdata_at;
use crate::lua::state::{Cx, LuaError, Outcome, entry, guard_in};
use crate::lua::vm::api::{
    LuaType, NATIVE_INT64, Number, Results, lua_CFunction, lua_State, restore_nil_error,
};

/// Upvalues of an adapted function, after the state.
mod upvalue {
    /// The original.
    pub(super) const ORIGINAL: std::ffi::c_int = 1;
    /// One letter an argument; see [`super::Wanted`].
    pub(super) const ARGUMENTS: std::ffi::c_int = 2;
}

/// The treatment of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// `.`: it stays.
    Any,
    /// `s`: a text; a number becomes LuaJIT's text.
    Text,
    /// `i`: an integer of 32 bits.
    Integer,
    /// `l`: a longer integer; a fraction is cut off.
    Long,
    /// `d`: a double; an integer becomes one.
    Double,
    /// `k`: the key of a table; an integer that is a float becomes one that is not.
    Key,
    /// `t`: a table.
    Table,
    /// `m`: a table or nil.
    Metatable,
    /// `f`: a function that is not one of C.
    Function,
    /// `F`: the same, or nothing.
    FunctionOrNil,
    /// `c`: a coroutine.
    Coroutine,
    /// `r`: what `string.gsub` replaces by: a text, a function, a table.
    Replacement,
    /// `b`: where a search in the first argument begins, an integer: behind its end is at its end.
    Begin,
    /// `n`: a number becomes LuaJIT's text, anything else stays.
    NumberAsText,
    /// `e`: so does the message of an error, unless the level after it is 0. Nil stays nil where Lua makes it a text.
    Message,
}

impl Wanted {
    fn of(letter: u8) -> Wanted {
        match letter {
            b's' => Wanted::Text,
            b'i' => Wanted::Integer,
            b'l' => Wanted::Long,
            b'd' => Wanted::Double,
            b'k' => Wanted::Key,
            b't' => Wanted::Table,
            b'm' => Wanted::Metatable,
            b'f' => Wanted::Function,
            b'F' => Wanted::FunctionOrNil,
            b'c' => Wanted::Coroutine,
            b'r' => Wanted::Replacement,
            b'b' => Wanted::Begin,
            b'n' => Wanted::NumberAsText,
            b'e' => Wanted::Message,
            _ => Wanted::Any,
        }
    }

    /// LuaJIT's words for a value of another type.
    fn expected(self, got: &str) -> String {
        let wanted = match self {
            Wanted::Any | Wanted::Key | Wanted::NumberAsText | Wanted::Message => "value",
            Wanted::Text => "string",
            Wanted::Integer | Wanted::Long | Wanted::Double | Wanted::Begin => "number",
            Wanted::Table => "table",
            Wanted::Function | Wanted::FunctionOrNil => "function",
            Wanted::Metatable => return "nil or table expected".to_owned(),
            Wanted::Coroutine => return "coroutine expected".to_owned(),
            Wanted::Replacement => return "string/function/table expected".to_owned(),
        };
        format!("{wanted} expected, got {got}")
    }
}

/// `adapt(function, arguments)`: the function with its arguments corrected; a letter says how, the last one for all that follow.
/// A `!` ends them: what follows is dropped. A `=` at the end: the result is true in the place of a file. A `?` at the end: the last
/// result may be an error that is nil. A function that is not one of C stays as it is.
pub(super) fn adapt(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(2);
    push_adapted(cx, in_frame, entry(called))
}

/// Makes the closure of `in_frame` or `called` over the original at index 1 and what is above it.
pub(super) fn push_adapted(
    cx: &Cx<'_>,
    in_frame: lua_CFunction,
    called: lua_CFunction,
) -> Result<Outcome, LuaError> {
    // SAFETY: index 1 is acceptable.
    if unsafe { sys::lua_tocfunction(cx.lua, 1) }.is_none() {
        cx.push_value(1);
        return Ok(Outcome::results(1));
    }
    let function = if cx.has_state_of_its_own(1) { called } else { in_frame };
    cx.push_function(function, cx.top());
    Ok(Outcome::results(1))
}

/// Goes on as the original of the running function, on its stack.
///
/// # Safety
/// - *Adapted* (see `luajit`).
/// - *Raise*.
pub(super) unsafe fn original(lua: *mut lua_State) -> Results {
    // SAFETY: the upvalue is a C function without upvalues or environment of its own: it knows its arguments only, and they are on
    // this stack.
    unsafe {
        match sys::lua_tocfunction(lua, Cx::upvalue(upvalue::ORIGINAL)) {
            Some(function) => Results::new(function(lua)),
            None => Results::NONE,
        }
    }
}

/// The call of the original with the arguments on the stack.
pub(super) fn call_original(cx: &Cx<'_>) -> Outcome {
    cx.push_value(Cx::upvalue(upvalue::ORIGINAL));
    cx.insert(1);
    Outcome::tail_call(cx.top() - 1)
}

/// # Safety
/// - *Adapted* (see `luajit`).
unsafe extern "C-unwind" fn in_frame(lua: *mut lua_State) -> Results {
    // SAFETY: *Adapted*; see `original`.
    unsafe {
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        let mut arguments = Arguments::default();
        guard_in(lua, head.cast(), |cx| {
            arguments = correct(cx)?;
            Ok(0)
        });
        let results = original(lua);
        if arguments.error_last {
            restore_nil_error(lua);
        }
        if arguments.true_for_file && sys::lua_type(lua, -1) == sys::LUA_TUSERDATA {
            sys::lua_pushboolean(lua, 1);
            return Results::ONE;
        }
        results
    }
}

fn called(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    correct(cx)?;
    Ok(call_original(cx))
}

/// The treatment of all arguments of a function, from its letters.
#[derive(Default)]
pub(super) struct Arguments {
    /// `=`
    true_for_file: bool,
    /// `?`
    error_last: bool,
}

fn correct(cx: &Cx<'_>) -> Result<Arguments, LuaError> {
    correct_by(cx, cx.bytes(Cx::upvalue(upvalue::ARGUMENTS)).unwrap_or_default())
}

/// Corrects the arguments by these letters; see [`adapt`].
pub(super) fn correct_by(cx: &Cx<'_>, letters: &[u8]) -> Result<Arguments, LuaError> {
    let (letters, mark) = match letters.split_last() {
        Some((mark @ (b'=' | b'?'), letters)) => (letters, Some(mark)),
        _ => (letters, None),
    };
    let marked = |sign| mark == Some(&sign);
    let arguments = Arguments { true_for_file: marked(b'='), error_last: marked(b'?') };
    let letters = match letters.strip_suffix(b"!") {
        Some(letters) => {
            cx.set_top(cx.top().min(letters.len() as c_int));
            letters
        }
        None => letters,
    };
    if let Some(&last) = letters.last() {
        for i in 1..=cx.top().max(letters.len() as c_int) {
            let letter = letters.get(i as usize - 1).copied().unwrap_or(last);
            argument(cx, i, Wanted::of(letter))?;
        }
    }
    Ok(arguments)
}

fn argument(cx: &Cx<'_>, index: c_int, wanted: Wanted) -> Result<(), LuaError> {
    let ty = cx.type_of(index);
    match (ty, wanted) {
        (_, Wanted::Any) | (LuaType::Table, Wanted::Table) => Ok(()),
        (LuaType::Table | LuaType::Nil, Wanted::Metatable) => Ok(()),
        (LuaType::Number, Wanted::NumberAsText) => {
            number_as_text(cx, index);
            Ok(())
        }
        (LuaType::Number, Wanted::Message) => {
            let level = if cx.is_absent(index + 1) { None } else { cx.number(index + 1) };
            if level.is_none_or(|level| level.as_double() >= 1.0) {
                number_as_text(cx, index);
            }
            Ok(())
        }
        (LuaType::None | LuaType::Nil, Wanted::Message) => {
            nil_error::put(cx, index);
            Ok(())
        }
        (_, Wanted::NumberAsText | Wanted::Message) => Ok(()),
        (LuaType::Number, Wanted::Key) => {
            if let Some(Number::Float(n)) = cx.number(index) {
                numbers::push(cx, n);
                cx.replace(index);
            }
            Ok(())
        }
        (_, Wanted::Key) => Ok(()),
        (LuaType::None | LuaType::Nil, Wanted::FunctionOrNil) => Ok(()),
        (LuaType::Function, Wanted::Function | Wanted::FunctionOrNil)
            if !is_cdata_at(cx, index) =>
        {
            Ok(())
        }
        (_, Wanted::Table | Wanted::Metatable | Wanted::Function | Wanted::FunctionOrNil) => {
            Err(unexpected(cx, index, wanted))
        }
        (LuaType::Userdata | LuaType::Function, _) if is_cdata_at(cx, index) => {
            Err(unexpected(cx, index, wanted))
        }
        (LuaType::Number, Wanted::Text) => {
            text_in_place(cx, index);
            Ok(())
        }
        (LuaType::Number, Wanted::Integer) => {
            integer_in_place(cx, index);
            Ok(())
        }
        (LuaType::Number, Wanted::Begin) => {
            integer_in_place(cx, index);
            begin_in_place(cx, index);
            Ok(())
        }
        (_, Wanted::Replacement) => {
            replacement_in_place(cx, index);
            Ok(())
        }
        (LuaType::Number, Wanted::Long) => {
            truncate(cx, index);
            Ok(())
        }
        (LuaType::Number, Wanted::Double) => {
            let Some(Number::Integer(n)) = cx.number(index) else { return Ok(()) };
            cx.push_number(n as f64);
            cx.replace(index);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A number becomes a string: LuaJIT's text of it.
fn number_as_text(cx: &Cx<'_>, index: c_int) {
    text_in_place(cx, index);
    // SAFETY: the index is that of a number or a string.
    unsafe { sys::lua_tolstring(cx.lua, index, std::ptr::null_mut()) };
}

fn integer_in_place(cx: &Cx<'_>, index: c_int) {
    if let Some(Number::Float(n)) = cx.number(index) {
        cx.push_integer(to_int32(n).into());
        cx.replace(index);
    }
}

/// Lua 5.2 and later find nothing behind the end of a text, where Lua 5.1 looks at its end.
fn begin_in_place(cx: &Cx<'_>, index: c_int) {
    let Some(length) = cx.bytes(1).map(<[u8]>::len) else { return };
    if let Some(begin) = cx.number(index)
        && begin.as_double() > length as f64 + 1.0
    {
        cx.push_integer(length as i64 + 1);
        cx.replace(index);
    }
}

/// Adapts the replacement of `string.gsub`. In a text, `%` before another character than a digit or `%` stands for itself in Lua 5.1, and is
/// an error in later versions; numbers that a function or table gives become LuaJIT's text.
fn replacement_in_place(cx: &Cx<'_>, index: c_int) {
    match cx.type_of(index) {
        LuaType::Number => text_in_place(cx, index),
        LuaType::Function | LuaType::Table if NATIVE_INT64 => {
            cx.push_value(index);
            cx.push_function(entry(replaced), 1);
            cx.replace(index);
        }
        LuaType::String => {
            let escaped = cx.bytes(index).and_then(without_stray_escapes);
            if let Some(text) = escaped {
                cx.push_bytes(&text);
                cx.replace(index);
            }
        }
        _ => {}
    }
}

/// The text without each `%` that Lua 5.1 leaves out, if it has one. At the end it stands for a zero byte.
fn without_stray_escapes(text: &[u8]) -> Option<Vec<u8>> {
    let mut found = false;
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&c) = rest.next() {
        if c != b'%' {
            kept.push(c);
            continue;
        }
        let next = rest.next().copied().unwrap_or(0);
        if next.is_ascii_digit() || next == b'%' {
            kept.push(c);
        } else {
            found = true;
        }
        kept.push(next);
    }
    found.then_some(kept)
}

/// The replacement for a match in `string.gsub`, by the function or table that is upvalue 1.
pub(super) fn replaced(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let source = Cx::upvalue(1);
    if cx.type_of(source) == LuaType::Table {
        cx.set_top(1);
        cx.get(source);
    } else {
        cx.push_value(source);
        cx.insert(1);
        cx.call(cx.top() - 1, 1);
    }
    text_in_place(cx, cx.top());
    Ok(Outcome::results(1))
}

fn unexpected(cx: &Cx<'_>, index: c_int, wanted: Wanted) -> LuaError {
    let got = if is_cdata_at(cx, index) { "cdata" } else { cx.type_name(index) };
    LuaError::Argument(index, wanted.expected(got))
}

/// The error of an argument that is not a Lua function or one of Lua's library.
pub(super) fn check_function(cx: &Cx<'_>, index: c_int) -> Result<(), LuaError> {
    argument(cx, index, Wanted::Function)
}

/// The error of an argument that is not a table.
pub(super) fn check_table(cx: &Cx<'_>, index: c_int) -> Result<(), LuaError> {
    argument(cx, index, Wanted::Table)
}

/// The error of an argument that is not a number.
pub(super) fn number_expected(cx: &Cx<'_>, index: c_int) -> LuaError {
    unexpected(cx, index, Wanted::Double)
}

/// The error of an argument that is not a string.
pub(super) fn string_expected(cx: &Cx<'_>, index: c_int) -> LuaError {
    unexpected(cx, index, Wanted::Text)
}

/// Cuts the fraction off a float, or off the float that a string spells.
pub(super) fn truncate(cx: &Cx<'_>, index: c_int) {
    if cx.type_of(index) == LuaType::String {
        cx.push_to_number(index);
        truncate(cx, cx.top());
        match cx.type_of(-1) {
            LuaType::Number => cx.replace(index),
            _ => cx.pop(1),
        }
        return;
    }
    if let Some(Number::Float(n)) = cx.number(index)
        && n.fract() != 0.0
    {
        cx.push_integer(crate::lua::value::scalar::float_to_i64(n));
        cx.replace(index);
    }
}
