//! What of Lua's own library would undo a policy, closed.
//!
//! | closed | what it would do |
//! |---|---|
//! | `debug`, but for `traceback`, `getinfo`, `gethook`, `sethook` | change upvalues, user values and metatables of this library |
//! | binary chunks in `load`, `loadstring`, `loadfile`, `dofile` | bytecode that no compiler made |
//! | `package.loadlib`, `package.cpath`, C searchers | any machine code |
//! | `newproxy` stays | it makes userdata that are no C values |

use mlua::{Error, Function, Lua, MultiValue, Result, Table, Value};

/// What is left of `debug`.
const HARMLESS: [&str; 4] = ["traceback", "getinfo", "gethook", "sethook"];

/// Closes the parts of Lua's standard library by which a script could get around the policy of an `ffi` table. States of
/// `mlua::Lua::new` have no `debug` and no C modules, but load binary chunks.
///
/// Call it before any script runs: what a script has got hold of stays as it is.
///
/// # Errors
/// Out of memory.
pub fn seal(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    if let Some(debug) = globals.get::<Option<Table>>("debug")? {
        let names: Vec<String> = debug
            .pairs::<String, Value>()
            .map(|pair| pair.map(|(name, _)| name))
            .collect::<Result<_>>()?;
        for name in names.into_iter().filter(|name| !HARMLESS.contains(&name.as_str())) {
            debug.set(&*name, refusal(lua, format!("debug.{name}"))?)?;
        }
    }
    for name in ["load", "loadstring"] {
        if let Some(load) = globals.get::<Option<Function>>(name)? {
            globals.set(name, text_only(lua, load)?)?;
        }
    }
    for name in ["loadfile", "dofile"] {
        if globals.contains_key(name)? {
            globals.set(name, refusal(lua, name.to_owned())?)?;
        }
    }
    if let Some(package) = globals.get::<Option<Table>>("package")? {
        package.set("loadlib", refusal(lua, "package.loadlib".to_owned())?)?;
        package.set("cpath", "")?;
        for searchers in ["searchers", "loaders"] {
            // The first looks in `package.preload`, the second for Lua files; the rest loads machine code.
            if let Some(searchers) = package.get::<Option<Table>>(searchers)? {
                (3..=searchers.raw_len()).rev().try_for_each(|i| searchers.raw_remove(i as i64))?;
            }
        }
    }
    Ok(())
}

/// A function that says that it is closed.
fn refusal(lua: &Lua, name: String) -> Result<Function> {
    lua.create_function(move |_, _: MultiValue| -> Result<()> {
        Err(Error::runtime(format!("not permitted: {name} (closed beside a confined ffi)")))
    })
}

/// `load`, for strings of source text only: a function could return another piece each time it is asked.
fn text_only(lua: &Lua, load: Function) -> Result<Function> {
    lua.create_function(move |_, arguments: MultiValue| match arguments.front() {
        Some(Value::String(chunk)) if !chunk.as_bytes().starts_with(b"\x1b") => {
            load.call::<MultiValue>(arguments)
        }
        _ => Err(Error::runtime("not permitted: chunks that are not source text")),
    })
}
