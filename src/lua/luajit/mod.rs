//! LuaJIT mode: what programs written for LuaJIT take for granted, in another Lua.
//!
//! ```text
//! lex       tokens of Lua, LuaJIT's literals        compare   what rewritten operators call
//! rewrite   source text → source text               bit       the library `bit`
//! edits     places of a text replaced by others     chunk     loading rewritten text
//! library   Lua's library functions, for doubles
//! prelude.lua   globals and libraries, the loaders
//! ```
//!
//! `docs/luajit-mode.md` says what is the same and what is not.

mod bit;
mod chunk;
mod compare;
mod edits;
mod lex;
mod library;
mod rewrite;

use std::ffi::c_int;

use super::api::{Results, lua_CFunction, lua_State};
use super::state::{Cx, LuaError, entry, guard};

/// What the prelude is given besides the `ffi` table.
const NATIVE: [(&[u8], lua_CFunction); 9] = [
    (b"adapt", entry(library::adapt)),
    (b"adapt_format", entry(library::adapt_format)),
    (b"at_most", entry(compare::at_most)),
    (b"is_cdata", entry(library::is_cdata)),
    (b"less", entry(compare::less)),
    (b"load", entry(chunk::load)),
    (b"new_proxy", entry(library::new_proxy)),
    (b"text", entry(compare::text)),
    (b"to_double", entry(library::to_double)),
];

const PRELUDE: &str = include_str!("prelude.lua");

/// Puts a Lua state into LuaJIT mode, unless it is, pushes the `ffi` table and returns 1: the body of
/// `luaopen_ffi_luajit`.
///
/// # Safety
/// As for [`super::open_raw`].
pub unsafe fn open_raw(lua: *mut lua_State) -> Results {
    // SAFETY: the caller's promise; nothing with a destructor is alive where the prelude runs.
    unsafe {
        super::open_raw(lua);
        guard(lua, |cx| {
            if !cx.load(PRELUDE.as_bytes(), b"=ffi.luajit", b"t") {
                return Err(LuaError::Value);
            }
            cx.insert(-2);
            push_functions(cx, &NATIVE);
            push_functions(cx, &bit::FUNCTIONS);
            cx.raw_set_name(-2, b"bit");
            cx.push_bool(super::api::NATIVE_INT64);
            cx.raw_set_name(-2, b"integers");
            cx.push_bool(super::api::MIXED_ORDER);
            cx.raw_set_name(-2, b"mixed_order");
            cx.push_bytes(env!("CARGO_PKG_VERSION").as_bytes());
            cx.raw_set_name(-2, b"version");
            Ok(0)
        });
        mlua::ffi::lua_call(lua, 2, 1);
    }
    Results::ONE
}

fn push_functions(cx: &Cx<'_>, functions: &[(&[u8], lua_CFunction)]) {
    cx.new_table(0, functions.len() as c_int + 4);
    for (name, function) in functions {
        cx.push_function(*function, 0);
        cx.raw_set_name(-2, name);
    }
}
