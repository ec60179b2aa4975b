//! The library in a host program: as a module that `require` finds; scripts run as the `lua` command runs them.

use std::ffi::{OsString, c_int};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::ptr;

use mlua::ffi as sys;

use crate::lua::library::open_raw;
use crate::lua::luajit::open_raw as open_luajit_raw;
use crate::lua::state::{Cx, State};
use crate::lua::vm::api::{self, Results, lua_State};

/// Makes `require "ffi"` and `require "cthunk"` give the library; in Luau, whose `require` wants it so, `"@ffi"` and
/// `"@cthunk"`. In LuaJIT `require "ffi"` stays LuaJIT's own where the host opened it. `require "ffi.luajit"` starts LuaJIT
/// mode.
///
/// # Errors
/// Out of memory; a `package` library that is not there.
///
/// # Safety
/// As for [`crate::lua::open`].
pub unsafe fn preload(lua: &mlua::Lua) -> mlua::Result<()> {
    // SAFETY: `loader` is a Lua C function.
    let loader = unsafe { lua.create_c_function(api::for_lua(loader))? };
    for name in ["ffi", "cthunk"] {
        api::preload(lua, name, &loader)?;
    }
    if api::LOADERS {
        // SAFETY: `luajit_loader` is a Lua C function.
        api::preload(lua, "ffi.luajit", &unsafe {
            lua.create_c_function(api::for_lua(luajit_loader))?
        })?;
    }
    Ok(())
}

/// # Safety
/// - *C function* (see `vm`).
unsafe extern "C-unwind" fn luajit_loader(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state.
    unsafe { open_luajit_raw(lua) }
}

/// # Safety
/// - *C function* (see `vm`).
unsafe extern "C-unwind" fn loader(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with a live state.
    unsafe { open_raw(lua) }
}

/// Runs a Lua file (`-`: standard input) as the `lua` command does: `arg` and `...` are set, and an error has a traceback.
/// In LuaJIT mode the mode's loader loads it.
///
/// # Errors
/// The error message with its traceback.
pub fn run_file(lua: &mlua::Lua, file: &Path, arguments: &[OsString]) -> Result<(), String> {
    let table = lua.create_table().map_err(|e| e.to_string())?;
    let named = [OsString::from("cthunk"), "run".into(), file.into()];
    for (i, value) in named.iter().chain(arguments).enumerate() {
        let value = lua.create_string(value.as_encoded_bytes()).map_err(|e| e.to_string())?;
        table.set(i as i64 - 2, value).map_err(|e| e.to_string())?;
    }
    lua.globals().set("arg", &table).map_err(|e| e.to_string())?;
    let chunk = load(lua, file)?;
    // SAFETY: the closure leaves one value on the stack, its result.
    let error: Option<mlua::LuaString> = unsafe {
        lua.exec_raw((chunk, table), |lua| {
            match run(lua, arguments.len() as c_int) {
                sys::LUA_OK => sys::lua_pushnil(lua),
                _ => {
                    sys::luaL_tolstring(lua, -1, ptr::null_mut());
                }
            }
            sys::lua_replace(lua, 1);
            sys::lua_settop(lua, 1);
        })
    }
    .map_err(|e| e.to_string())?;
    match error {
        None => Ok(()),
        Some(message) => Err(String::from_utf8_lossy(&message.as_bytes()).into_owned()),
    }
}

/// Compiles a file or standard input; a UTF-8 byte-order mark and a first line that begins with `#` do not count.
fn load(lua: &mlua::Lua, file: &Path) -> Result<mlua::Function, String> {
    let (name, source) = match file.to_str() {
        Some("-") => ("=stdin".into(), read(std::io::stdin())),
        _ => (format!("@{}", file.display()), File::open(file).and_then(read)),
    };
    let mut source = source.map_err(|error| format!("cannot open {}: {error}", file.display()))?;
    if source.starts_with(b"\xef\xbb\xbf") {
        source.drain(..3);
    }
    if source.first() == Some(&b'#') {
        source.splice(..0, *b"--");
    }
    let chunk = match luajit_loaded(lua) {
        true => load_for_luajit(lua, source, &name),
        false => lua.load(source).set_name(name).into_function(),
    };
    chunk.map_err(|error| match error {
        mlua::Error::SyntaxError { message, .. } => message,
        other => other.to_string(),
    })
}

/// No script is longer: `/dev/zero` and its kin have no end.
const MOST_BYTES: u64 = 1 << 30;

/// The bytes of a script.
fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut source = Vec::new();
    match from.take(MOST_BYTES + 1).read_to_end(&mut source)? as u64 > MOST_BYTES {
        true => Err(io::Error::other("longer than 1 GiB")),
        false => Ok(source),
    }
}

/// Whether the state is in LuaJIT mode.
fn luajit_loaded(lua: &mlua::Lua) -> bool {
    let package = lua.globals().get::<mlua::Table>("package");
    let loaded = package.and_then(|package| package.get::<mlua::Table>("loaded"));
    loaded.is_ok_and(|loaded| loaded.contains_key("ffi.luajit").unwrap_or(false))
}

fn load_for_luajit(lua: &mlua::Lua, source: Vec<u8>, name: &str) -> mlua::Result<mlua::Function> {
    let load: mlua::Function = lua.globals().get("load")?;
    let loaded: (Option<mlua::Function>, Option<mlua::LuaString>) =
        load.call((lua.create_string(source)?, name))?;
    loaded.0.ok_or_else(|| mlua::Error::SyntaxError {
        message: loaded.1.map_or_else(String::new, |message| message.to_string_lossy()),
        incomplete_input: false,
    })
}

/// Calls the function at index 1 with the values 1 to `count` of the table at index 2; leaves the error on the stack, if
/// there is one.
///
/// # Safety
/// - *Room* for 1, beside those that it asks for (see `vm`).
/// - A function is at 1, a table at 2, and nothing above them.
unsafe fn run(lua: *mut lua_State, count: c_int) -> c_int {
    // SAFETY: *Live*, kept by the caller; indices are as commented.
    unsafe {
        api::push_c_function(lua, traceback); // index 3
        // The function and its arguments.
        sys::luaL_checkstack(lua, count + 1, c"too many arguments to script".as_ptr());
        sys::lua_pushvalue(lua, 1);
        for i in 1..=count {
            sys::lua_rawgeti(lua, 2, i.into());
        }
        sys::lua_pcall(lua, count, 0, 3)
    }
}

/// The message handler of lua.c.
///
/// # Safety
/// - *C function* (see `vm`), as a message handler: the error is at 1.
unsafe extern "C-unwind" fn traceback(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this with the error value at index 1.
    unsafe {
        api::restore_nil_error(lua);
        let mut message = sys::lua_tostring(lua, 1);
        if message.is_null() {
            if sys::luaL_callmeta(lua, 1, c"__tostring".as_ptr()) != 0
                && sys::lua_type(lua, -1) == sys::LUA_TSTRING
            {
                return Results::ONE;
            }
            let name = sys::luaL_typename(lua, 1);
            message = sys::lua_pushfstring(lua, c"(error object is a %s value)".as_ptr(), name);
        }
        if let Some(state) = State::opened(lua)
            && crate::lua::callback::traceback::push(&Cx::new(lua, state), 1)
        {
            sys::lua_pushfstring(lua, c"%s\n%s".as_ptr(), message, sys::lua_tostring(lua, -1));
        } else {
            sys::luaL_traceback(lua, lua, message, 1);
        }
        Results::ONE
    }
}
