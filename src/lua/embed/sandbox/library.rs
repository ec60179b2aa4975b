//! LIB-1: the parts of Lua's library that a sandbox has: an allow-list, and functions in place of those that no hook stops.

use std::ffi::c_int;

use mlua::{Function, Lua, Result, Table, Value};

use super::strings;
use crate::code;
use crate::lua::embed::Ffi;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::vm::api::{self, LuaType, lua_CFunction};

/// The global functions that stay.
const GLOBALS: &[&str] = &[
    "_G",
    "_VERSION",
    "assert",
    "collectgarbage",
    "error",
    "getfenv",
    "getmetatable",
    "ipairs",
    "load",
    "loadstring",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "setfenv",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "typeof",
    "unpack",
    "xpcall",
];

/// The libraries that stay, and what stays of them; nothing: everything.
const LIBRARIES: &[(&str, &[&str])] = &[
    (
        "coroutine",
        &["close", "create", "isyieldable", "resume", "running", "status", "wrap", "yield"],
    ),
    (
        "string",
        &[
            "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack",
            "packsize", "rep", "reverse", "split", "sub", "unpack", "upper",
        ],
    ),
    (
        "table",
        &[
            "clear", "clone", "concat", "create", "find", "freeze", "insert", "isfrozen", "maxn",
            "move", "pack", "remove", "sort", "unpack",
        ],
    ),
    ("os", &["clock", "date", "difftime", "time"]),
    ("math", &[]),
    ("utf8", &[]),
    ("bit", &[]),
    ("bit32", &[]),
    ("buffer", &[]),
    ("vector", &[]),
    ("integer", &[]),
];

/// The functions of Rust that `prelude.lua` uses.
const NATIVE: &[(&[u8], lua_CFunction)] = &[
    (b"check_depth", entry(check_depth)),
    (b"find", entry(strings::find)),
    (b"handler", entry(handler)),
    (b"is_ended", entry(is_ended)),
    (b"match", entry(strings::matched)),
    (b"next_match", entry(strings::next_match)),
    (b"refuses_text", entry(refuses_text)),
    (b"tick", entry(tick)),
];

/// A chunk has at most so many of the `::` that a label has two of: Lua looks through all labels of a function for each.
const COLONS: usize = 20_000;

/// Leaves of Lua's library what a sandbox has. `modules`: what `require` gives, by name; `sources`: texts of modules.
///
/// # Errors
/// Out of memory.
pub(super) fn install(lua: &Lua, ffi: &Ffi, modules: &Table, sources: &Table) -> Result<()> {
    let globals = lua.globals();
    // LuaJIT runs no hooks in compiled code.
    if let Some(jit) = globals.get::<Option<Table>>("jit")? {
        jit.get::<Function>("off")?.call::<()>(())?;
    }
    let libraries: Vec<&str> = LIBRARIES.iter().map(|(name, _)| *name).collect();
    keep(&globals, &[GLOBALS, &libraries].concat())?;
    for (name, kept) in LIBRARIES.iter().filter(|(_, kept)| !kept.is_empty()) {
        if let Some(library) = globals.get::<Option<Table>>(*name)? {
            keep(&library, kept)?;
        }
    }
    let debug = lua.create_table()?;
    debug.set("traceback", ffi.table().get::<Function>("traceback")?)?;
    globals.set("debug", debug)?;
    let native: Table = ffi.call((), |cx| {
        cx.new_table(0, NATIVE.len() as c_int + 2);
        for (name, function) in NATIVE {
            cx.push_function(*function, 0);
            cx.raw_set_name(-2, name);
        }
        Ok(1)
    })?;
    native.set("finalizes_tables", api::FINALIZES_TABLES)?;
    native.set("patterns_of_51", api::PATTERNS_OF_51)?;
    native.set("nothing_follows", api::NOTHING_FOLLOWS)?;
    native.set("counts_no_depth", api::COUNTS_NO_DEPTH)?;
    native.set("closes_coroutines", api::CLOSES_COROUTINES)?;
    let prelude = lua.load(include_str!("prelude.lua")).set_name("=sandbox");
    prelude.call((native, modules, sources))
}

/// Takes everything else out of a table.
fn keep(table: &Table, names: &[&str]) -> Result<()> {
    let keys: Vec<Value> =
        table.pairs::<Value, Value>().map(|pair| Ok(pair?.0)).collect::<Result<_>>()?;
    let kept = |key: &Value| match key {
        Value::String(name) => name.to_str().is_ok_and(|name| names.contains(&&*name)),
        _ => false,
    };
    keys.into_iter().filter(|key| !kept(key)).try_for_each(|key| table.raw_set(key, Value::Nil))
}

/// A message handler that calls the one that is given, unless the budget is spent.
fn handler(cx: &Cx<'_>) -> std::result::Result<Outcome, LuaError> {
    cx.set_top(1);
    // SAFETY: *Context*; the handler is on top.
    unsafe { api::push_handler(cx.lua) };
    Ok(Outcome::results(1))
}

/// Whether a hook has ended a coroutine.
fn is_ended(cx: &Cx<'_>) -> std::result::Result<Outcome, LuaError> {
    cx.push_bool(cx.thread(1).is_some_and(|thread| {
        // SAFETY: the stack keeps the thread.
        unsafe { api::is_ended(thread) }
    }));
    Ok(Outcome::results(1))
}

/// # Errors
/// The thread's stack is nearly used up.
fn check_depth(_: &Cx<'_>) -> std::result::Result<Outcome, LuaError> {
    match code::is_stack_short() {
        true => Err(LuaError::new("C stack overflow")),
        false => Ok(Outcome::results(0)),
    }
}

/// Charges the budget.
fn tick(cx: &Cx<'_>) -> std::result::Result<Outcome, LuaError> {
    cx.charge(1)?;
    Ok(Outcome::results(0))
}

/// Why a chunk is not compiled; nothing where it is.
fn refuses_text(cx: &Cx<'_>) -> std::result::Result<Outcome, LuaError> {
    if cx.type_of(1) != LuaType::String {
        return Err(LuaError::Argument(1, "string expected".into()));
    }
    let reason = cx.bytes(1).and_then(reason_against);
    let length = cx.bytes(1).map_or(0, <[u8]>::len);
    cx.state.watch.charge_bytes(length)?;
    match reason {
        Some(reason) => cx.push_bytes(reason.as_bytes()),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

/// Why a chunk is not compiled.
pub(super) fn reason_against(chunk: &[u8]) -> Option<&'static str> {
    // Bytecode begins with escape; Luau's with its version, which no text begins with.
    if chunk.first().is_some_and(|first| *first == 0x1b || *first < b'\t') {
        return Some("not permitted: chunks that are not source text");
    }
    let colons = chunk.windows(2).filter(|pair| pair == b"::").count();
    (colons > COLONS).then_some("not permitted: more than 10000 labels in a chunk")
}
