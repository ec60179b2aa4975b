//! Loads source text that was written for LuaJIT.

use std::ffi::{CStr, c_int};

use mlua::ffi as sys;

use super::bit;
use super::compare;
use super::concat;
use super::raise;
use super::rewrite::{Chunk, Dialect, HELPERS, Literal, rewrite};
use crate::ctype::{FloatKind, IntKind, Type};
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::value::cdata;
use crate::lua::vm::api::{ENVIRONMENT_NAME, ESCAPES, HIDDEN_ARG, MIXED_ORDER, NATIVE_INT64};

/// `load(text, name, mode [, environment])`: the function that the text is, or nil and a message. Upvalue 1 is the set of chunks that are functions of a rewritten text.
pub(super) fn load(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let (text, name, mode) = (cx.bytes(1), cx.bytes(2), cx.bytes(3));
    let (Some(text), Some(name), Some(mode)) = (text, name, mode) else {
        return Err(LuaError::new("a text, a name and a mode expected"));
    };
    let environment = cx.top() > 3;
    let (header, text) = without_header(text);
    if header && text.first() == Some(&COMPILED) {
        cx.push_bytes(b"cannot load a compiled chunk after a header");
        return Ok(failure(cx));
    }
    let kind = if text.first() == Some(&COMPILED) { b'b' } else { b't' };
    if !mode.contains(&kind) {
        cx.push_bytes(b"attempt to load chunk with wrong mode");
        return Ok(failure(cx));
    }
    let dialect = Dialect {
        integers: NATIVE_INT64,
        mixed_order: MIXED_ORDER,
        hidden_arg: HIDDEN_ARG,
        environment: ENVIRONMENT_NAME,
        escapes: ESCAPES,
    };
    let loaded = match rewrite(text, dialect) {
        _ if kind == b'b' => cx.load(text, name, mode),
        Chunk::Unchanged => cx.load(text, name, mode),
        Chunk::Rewritten { text, literals } => {
            let loaded = cx.load(&text, name, mode);
            drop(text);
            if !loaded {
                return Ok(failure(cx));
            }
            if environment {
                cx.push_value(4);
                cx.set_environment(-2);
            }
            instantiate(cx, &literals)?;
            cx.push_value(-1);
            cx.push_bool(true);
            cx.raw_set(Cx::upvalue(1));
            return Ok(Outcome::results(1));
        }
        Chunk::Unknown { text, replaced } => {
            let loaded = cx.load(&text, name, mode);
            if loaded && replaced {
                cx.pop(1);
                let name = String::from_utf8_lossy(name);
                let message = format!("{name}: the LuaJIT loader cannot parse this chunk");
                cx.push_bytes(message.as_bytes());
            }
            loaded && !replaced
        }
        Chunk::TooDeep => {
            cx.push_bytes(b"chunk has too many syntax levels");
            false
        }
    };
    if !loaded {
        return Ok(failure(cx));
    }
    if environment {
        cx.push_value(4);
        cx.set_environment(-2);
    } else if kind == b'b' {
        // Lua 5.2 gives a function with several upvalues none.
        cx.push_globals();
        cx.set_environment(-2);
    }
    if kind == b'b' {
        restore_helpers(cx);
    }
    Ok(Outcome::results(1))
}

/// The place of the table of literals among the helpers.
const LITERALS: usize = HELPERS.len() - 1;

/// The first byte of a compiled chunk.
const COMPILED: u8 = 0x1b;

/// A text without a UTF-8 byte-order mark and without a first line that begins with `#`, whose line end stays; and whether it had
/// either.
fn without_header(text: &[u8]) -> (bool, &[u8]) {
    let (mark, text) = match text.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => (true, text),
        None => (false, text),
    };
    if text.first() != Some(&b'#') {
        return (mark, text);
    }
    let end = text.iter().position(|c| matches!(c, b'\n' | b'\r')).unwrap_or(text.len());
    (true, &text[end..])
}

/// Nil and the message on top of the stack.
fn failure(cx: &Cx<'_>) -> Outcome {
    cx.push_nil();
    cx.insert(-2);
    Outcome::results(2)
}

/// Turns the rewritten chunk on top of the stack into the function that the text is.
fn instantiate(cx: &Cx<'_>, literals: &[Literal]) -> Result<(), LuaError> {
    push_helpers(cx);
    cx.new_table(literals.len() as i32, 0);
    for (i, literal) in (1..).zip(literals) {
        match *literal {
            Literal::Int64(value) => bit::push_integer(cx, IntKind::I64, value as u64)?,
            Literal::UInt64(value) => bit::push_integer(cx, IntKind::U64, value)?,
            Literal::Imaginary(value) => push_imaginary(cx, value)?,
        }
        cx.raw_set_integer(-2, i);
    }
    // Defines a function and returns it: nothing in it can fail.
    cx.call(HELPERS.len() as i32, 1);
    Ok(())
}

/// Pushes the [`HELPERS`] but the last one, which is the chunk's own.
fn push_helpers(cx: &Cx<'_>) {
    cx.push_function(compare::equal, 0);
    cx.push_function(compare::not_equal, 0);
    for function in compare::ORDER {
        match MIXED_ORDER {
            true => cx.push_nil(),
            false => cx.push_function(function, 0),
        }
    }
    cx.push_function(concat::concat, 0);
    cx.push_function(compare::modulo, 0);
    cx.push_function(entry(raise::in_tail), 0);
}

/// Gives the compiled function on top of the stack the helpers that its text calls: of the upvalues of a dumped function Lua knows the
/// names, and makes the first one the environment, whatever it is.
fn restore_helpers(cx: &Cx<'_>) {
    let function = cx.top();
    cx.ensure_stack(HELPERS.len() as c_int + 4);
    // SAFETY: a function is at the index. Lua keeps the name of an upvalue as long as the function.
    let upvalue = |i| unsafe {
        let name = sys::lua_getupvalue(cx.lua, function, i);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes())
    };
    if upvalue(1).is_none() {
        return;
    }
    let environment = cx.top();
    push_helpers(cx);
    let mut i = 0;
    while let Some(name) = {
        i += 1;
        upvalue(i)
    } {
        cx.pop(1);
        match HELPERS.iter().position(|helper| helper.as_bytes() == name) {
            Some(LITERALS) => push_lost_literals(cx),
            Some(helper) => cx.push_value(environment + 1 + helper as c_int),
            None if name == b"_ENV" => cx.push_value(environment),
            // A function without names keeps what it has.
            None if i == 1 && name.first().is_some_and(|c| *c != b'(') => cx.push_nil(),
            None => continue,
        }
        // SAFETY: a function is at the index, which has the upvalue; a value is on top of the stack.
        unsafe { sys::lua_setupvalue(cx.lua, function, i) };
    }
    cx.set_top(function);
}

/// Pushes a table of literals where each is an error: a compiled chunk has no cdata.
fn push_lost_literals(cx: &Cx<'_>) {
    cx.new_table(0, 0);
    cx.new_table(0, 1);
    cx.push_function(entry(lost_literal), 0);
    cx.raw_set_name(-2, b"__index");
    cx.set_metatable(-2);
}

fn lost_literal(_: &Cx<'_>) -> Result<Outcome, LuaError> {
    Err(LuaError::new("a compiled chunk cannot hold a 64-bit or imaginary literal"))
}

fn push_imaginary(cx: &Cx<'_>, value: f64) -> Result<(), LuaError> {
    let complex = Type::Complex(FloatKind::F64);
    let ty = cx.state.types.borrow_mut().table_mut().intern(complex);
    let bytes = cdata::push_value(cx, ty.into(), 16, false)?;
    // SAFETY: the new cdata has room for two doubles.
    unsafe { bytes.cast::<f64>().add(1).write_unaligned(value) };
    Ok(())
}
