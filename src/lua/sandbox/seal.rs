//! Closes the parts of Lua's own library that would undo a policy.
//!
//! | closed | because it gives |
//! |---|---|
//! | `debug`, except `traceback`, `getinfo`, `gethook`, `sethook` | access to upvalues, user values and metatables of this library |
//! | `io`, except the standard streams | `/proc/self/mem`, which is all memory of the process, and programs |
//! | `os`, except functions of time | programs, the end of the process, files, the environment |
//! | binary chunks in `load`, `loadstring`, `require`; `loadfile`, `dofile` | bytecode that no compiler made |
//! | `package.loadlib`, `package.cpath`, C searchers | any machine code |
//! | LuaJIT's `ffi`, `string.buffer`, `jit.util`, `jit.profile`, `jit.attach` | unchecked pointers, the internals of the compiler |
//!
//! `newproxy` stays: it makes userdata that are no C values.

use std::fs;
use std::io::{self, Read};

use mlua::chunk::ChunkMode;
use mlua::{Error, Function, Lua, MultiValue, Result, Table, Value};

use crate::lua::vm::api;

/// The functions that stay, of libraries whose others are closed.
const HARMLESS: [(&str, &[&str]); 3] = [
    ("debug", &["traceback", "getinfo", "gethook", "sethook"]),
    ("io", &["read", "stderr", "stdin", "stdout", "type", "write"]),
    ("os", &["clock", "date", "difftime", "time"]),
];
/// No module is longer.
const MODULE_BYTES: u64 = 16 << 20;
/// Modules of LuaJIT's, beside its `ffi`.
const MODULES: [&str; 3] = ["string.buffer", "jit.util", "jit.profile"];

/// Closes the parts of Lua's standard library by which a script could get around the policy of an `ffi` table. States of
/// `mlua::Lua::new` have no `debug` and no C modules, but load binary chunks.
///
/// Call it before any script runs: what a script has got hold of stays as it is. `require` searches the `package.path` of this moment. [`Sandbox`](crate::Sandbox)
/// makes a state without all of these, and bounds the time of scripts.
///
/// # Errors
/// Out of memory.
pub fn seal(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    for (library, harmless) in HARMLESS {
        let Some(functions) = globals.get::<Option<Table>>(library)? else { continue };
        let names: Vec<String> = functions
            .pairs::<String, Value>()
            .map(|pair| pair.map(|(name, _)| name))
            .collect::<Result<_>>()?;
        for name in names.into_iter().filter(|name| !harmless.contains(&name.as_str())) {
            functions.raw_set(&*name, refusal(lua, format!("{library}.{name}"))?)?;
        }
    }
    if let Some(jit) = globals.get::<Option<Table>>("jit")? {
        jit.set("attach", refusal(lua, "jit.attach".to_owned())?)?;
    }
    forget_luajits(lua)?;
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
                searchers.raw_set(2, source_files(lua, package.get("path")?)?)?;
            }
        }
    }
    Ok(())
}

/// Takes LuaJIT's modules out of where scripts find them, but leaves what the host calls `ffi`.
fn forget_luajits(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    let is_luajits = |ffi: &Value| match ffi {
        Value::Table(ffi) => ffi
            .contains_key("typeinfo")
            .and_then(|theirs| Ok(theirs && !ffi.contains_key("scope")?)),
        Value::Function(loader) => api::opens_luajits_ffi(lua, loader),
        _ => Ok(false),
    };
    let package = globals.get::<Option<Table>>("package")?;
    let mut tables = vec![globals];
    for name in ["loaded", "preload"] {
        if let Some(package) = &package
            && let Some(modules) = package.get::<Option<Table>>(name)?
        {
            MODULES.iter().try_for_each(|module| modules.raw_set(*module, Value::Nil))?;
            tables.push(modules);
        }
    }
    for table in tables {
        if is_luajits(&table.raw_get("ffi")?)? {
            table.raw_set("ffi", Value::Nil)?;
        }
    }
    Ok(())
}

/// A searcher for `require` that finds Lua files by the `package.path` of this moment, and loads source text only.
fn source_files(lua: &Lua, path: String) -> Result<Function> {
    lua.create_function(move |lua, name: String| {
        let mut tried = String::new();
        for template in path.split(';') {
            let file = template.replace('?', &name.replace('.', "/"));
            let text = match read(&file) {
                Ok(text) => text,
                Err(error) => {
                    tried += &format!("\n\tno file '{file}' ({error})");
                    continue;
                }
            };
            let chunk = lua.load(text).set_name(format!("@{file}")).set_mode(ChunkMode::Text);
            return Ok((Value::Function(chunk.into_function()?), Some(file)));
        }
        Ok((Value::String(lua.create_string(tried)?), None))
    })
}

/// The bytes of a regular file: devices and pipes may have no end.
fn read(file: &str) -> io::Result<Vec<u8>> {
    let regular = |metadata: fs::Metadata| match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("not a regular file")),
    };
    // Opening a pipe would wait for somebody who writes to it.
    regular(fs::metadata(file)?)?;
    let file = fs::File::open(file)?;
    regular(file.metadata()?)?;
    let mut text = Vec::new();
    match file.take(MODULE_BYTES + 1).read_to_end(&mut text)? as u64 > MODULE_BYTES {
        true => Err(io::Error::other("longer than 16 MiB")),
        false => Ok(text),
    }
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
