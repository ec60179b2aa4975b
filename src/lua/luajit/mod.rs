//! LuaJIT mode: the environment that programs written for LuaJIT expect, in another Lua.
//!
//! ```text
//! lex       tokens of Lua, LuaJIT's literals          compare     rewritten operators: ==, ~=, %
//! rewrite/  source text → source text                 concat      rewritten ..; numbers as text
//! edits     replacements in a text                    chunk       loading rewritten text
//! adapt     Lua's library functions, for doubles      tables      pairs, ipairs, unpack, table.insert …
//! format    string.format; text, tie: its output      values      type, tostring, tonumber …
//! numbers   doubles                                   random      math.random
//! info      debug.getinfo                             typeinfo    ffi.typeinfo
//! date      os.date                                   bit         the library `bit`
//! raise     error                                     prelude.lua globals and libraries, the loaders
//! nil_error errors that are nil, on Lua 5.5
//! ```
//!
//! `docs/luajit-mode.md` lists what is the same and what differs.
//!
//! # Invariants
//!
//! - **Upvalue 1**: *C function* (see `vm`), and *Upvalue 1* of `state`.
//! - **Adapted**: *Upvalue 1*, of a function that `adapt::push_adapted` or `raise::adapt_error` made to run its original in its own frame. The
//!   original is an upvalue too: a C function that depends on its arguments only.

mod adapt;
mod bit;
mod chunk;
mod compare;
mod concat;
mod date;
mod edits;
mod format;
mod info;
mod lex;
mod nil_error;
mod numbers;
mod raise;
mod random;
mod rewrite;
mod tables;
mod text;
mod tie;
mod typeinfo;
mod values;

use std::ffi::c_int;

use crate::lua::library;
use crate::lua::state::{Cx, LuaError, entry, guard};
use crate::lua::vm::api::{Results, lua_CFunction, lua_State};

/// The arguments of the prelude, besides the `ffi` table.
const NATIVE: [(&[u8], lua_CFunction); 36] = [
    (b"adapt", entry(adapt::adapt)),
    (b"adapt_error", entry(raise::adapt_error)),
    (b"adapt_format", entry(format::adapt_format)),
    (b"at_most", entry(compare::at_most)),
    (b"atan2", entry(|cx| numbers::of_two(cx, f64::atan2))),
    (b"ceil", entry(numbers::ceil)),
    (b"concat", entry(tables::concat)),
    (b"cosh", entry(|cx| numbers::of_one(cx, f64::cosh))),
    (b"date_with", entry(date::date_with)),
    (b"diff_time", entry(numbers::diff_time)),
    (b"floor", entry(numbers::floor)),
    (b"frexp", entry(numbers::frexp)),
    (b"get_metatable", entry(values::get_metatable)),
    (b"insert", entry(tables::insert)),
    (b"is_cdata", entry(values::is_cdata)),
    (b"ldexp", entry(numbers::ldexp)),
    (b"less", entry(compare::less)),
    (b"log", entry(numbers::log)),
    (b"log10", entry(|cx| numbers::of_one(cx, f64::log10))),
    (b"max", entry(numbers::max)),
    (b"min", entry(numbers::min)),
    (b"modf", entry(numbers::modf)),
    (b"new_proxy", entry(values::new_proxy)),
    (b"next_item", tables::next_item),
    (b"pair_with", entry(values::pair_with)),
    (b"pow", entry(|cx| numbers::of_two(cx, f64::powf))),
    (b"print_with", entry(values::print_with)),
    (b"remove", entry(tables::remove)),
    (b"sinh", entry(|cx| numbers::of_one(cx, f64::sinh))),
    (b"tanh", entry(|cx| numbers::of_one(cx, f64::tanh))),
    (b"text", entry(values::text)),
    (b"to_number", entry(values::to_number)),
    (b"to_string", entry(values::to_string)),
    (b"type_of", entry(values::type_of)),
    (b"typeinfo", entry(typeinfo::typeinfo)),
    (b"unpack", entry(tables::unpack)),
];

const PRELUDE: &str = include_str!("prelude.lua");

/// Puts a Lua state into LuaJIT mode (`docs/luajit-mode.md`) and returns its `ffi` table.
///
/// # Errors
/// Out of memory; in Luau, which cannot load source text.
///
/// # Safety
/// As for [`open`](crate::lua::open).
pub unsafe fn open(lua: &mlua::Lua) -> mlua::Result<mlua::Table> {
    // SAFETY: `open_raw` leaves the table on top of the stack.
    unsafe {
        lua.exec_raw((), |lua| {
            open_raw(lua);
        })
    }
}

/// Puts a Lua state into LuaJIT mode, unless it is, pushes the `ffi` table and returns 1: the body of
/// `luaopen_ffi_luajit`.
///
/// # Safety
/// As for [`crate::lua::open_raw`].
pub unsafe fn open_raw(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*, kept by the caller; nothing with a destructor is alive where the prelude runs.
    unsafe {
        library::open_raw(lua);
        guard(lua, |cx| {
            if !cx.load(PRELUDE.as_bytes(), b"=ffi.luajit", b"t") {
                return Err(LuaError::Value);
            }
            cx.insert(-2);
            push_native(cx);
            Ok(0)
        });
        mlua::ffi::lua_call(lua, 2, 1);
    }
    Results::ONE
}

/// Pushes the prelude's second argument.
fn push_native(cx: &Cx<'_>) {
    push_functions(cx, &NATIVE);
    push_functions(cx, &bit::FUNCTIONS);
    cx.raw_set_name(-2, b"bit");
    info::push_chunks(cx);
    push_sharing(cx, &[(b"load", entry(chunk::load)), (b"adapt_info", entry(info::adapt_info))]);
    random::push_generator(cx);
    push_sharing(
        cx,
        &[(b"random", entry(random::random)), (b"randomseed", entry(random::random_seed))],
    );
    cx.raw_get_name(-1, b"next_item");
    push_sharing(cx, &[(b"ipairs", entry(tables::ipairs))]);
    if crate::lua::vm::api::NIL_ERROR_IS_TEXT {
        add_functions(cx, &nil_error::FUNCTIONS);
        nil_error::push(cx);
        cx.raw_set_name(-2, b"nil_error");
    }
    cx.push_bool(crate::lua::vm::api::NATIVE_INT64);
    cx.raw_set_name(-2, b"integers");
    cx.push_bytes(env!("CARGO_PKG_VERSION").as_bytes());
    cx.raw_set_name(-2, b"version");
}

fn push_functions(cx: &Cx<'_>, functions: &[(&[u8], lua_CFunction)]) {
    cx.new_table(0, functions.len() as c_int + 12);
    add_functions(cx, functions);
}

/// Puts functions into the table on top of the stack.
fn add_functions(cx: &Cx<'_>, functions: &[(&[u8], lua_CFunction)]) {
    for (name, function) in functions {
        cx.push_function(*function, 0);
        cx.raw_set_name(-2, name);
    }
}

/// Pops a value and puts functions that have it for their upvalue into the table below it.
fn push_sharing(cx: &Cx<'_>, functions: &[(&[u8], lua_CFunction)]) {
    for (name, function) in functions {
        cx.push_value(-1);
        cx.push_function(*function, 1);
        cx.raw_set_name(-3, name);
    }
    cx.pop(1);
}
