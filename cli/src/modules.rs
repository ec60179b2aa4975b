//! The folders in which the command's `require` looks for modules: Lua's own, and those of Debian's packages.

use cthunk::mlua::{self, Lua, LuaString, Table};

/// Debian's folder of C modules, on this processor.
fn multiarch() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-linux-gnu"),
        ("linux", "aarch64") => Some("aarch64-linux-gnu"),
        ("linux", "riscv64") => Some("riscv64-linux-gnu"),
        _ => None,
    }
}

/// Lets `package.path` and `package.cpath` go on with Debian's folders after those in `/usr/local`, as the interpreters of Debian's
/// packages do. A path that `LUA_PATH` or `LUA_CPATH` set without Lua's own folders stays as it is.
pub(super) fn find_debians(lua: &Lua) -> mlua::Result<()> {
    let Some(multiarch) = multiarch() else { return Ok(()) };
    let globals = lua.globals();
    let version: String = globals.get("_VERSION")?;
    let Some(version) = version.strip_prefix("Lua ") else { return Ok(()) };
    let package: Table = globals.get("package")?;
    let share = format!("/usr/share/lua/{version}");
    let local = format!("/usr/local/lib/lua/{version}");
    for (name, after, added) in [
        (
            "path",
            format!("{local}/?/init.lua"),
            [format!("{share}/?.lua"), format!("{share}/?/init.lua")],
        ),
        (
            "cpath",
            format!("{local}/?.so"),
            [
                format!("/usr/lib/{multiarch}/lua/{version}/?.so"),
                format!("/usr/lib/lua/{version}/?.so"),
            ],
        ),
    ] {
        // Names of folders are bytes, in whatever encoding.
        let path: LuaString = package.get(name)?;
        let path = path.as_bytes();
        let mut places: Vec<&[u8]> = path.split(|&byte| byte == b';').collect();
        if places.contains(&added[0].as_bytes()) {
            continue;
        }
        if let Some(at) = places.iter().position(|place| *place == after.as_bytes()) {
            places.splice(at + 1..at + 1, added.iter().map(String::as_bytes));
            package.set(name, lua.create_string(places.join(&b';'))?)?;
        }
    }
    Ok(())
}
