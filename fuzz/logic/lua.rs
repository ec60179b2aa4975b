//! Random operations of a Lua script on the whole API, chosen by the bytes: errors are allowed, crashes are not.

use mlua::{Lua, Value, Variadic};

/// The script, which follows no pointer that is not its own.
static OPERATIONS: &str = include_str!("../../tests/lua/random/operations.lua");

/// Operations a run.
const OPERATIONS_A_RUN: i64 = 60;

/// Runs the script in a fresh state with the bytes as its random numbers.
pub fn lua(data: &[u8]) {
    // SAFETY: the script reads and writes its own memory only.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: as above.
    let ffi = unsafe { cthunk::lua::open(&lua) }.expect("the library opens");
    let globals = lua.globals();
    let require = lua.create_function(move |_, _: String| Ok(ffi.clone()));
    globals.set("require", require.expect("memory")).expect("memory");
    let math: mlua::Table = globals.get("math").expect("Lua has math");
    let mut bytes = Vec::from(data).into_iter();
    let random = lua.create_function_mut(move |_, bounds: Variadic<i64>| {
        let mut next = || bytes.next().map_or(0, i64::from);
        let (low, high) = match bounds[..] {
            [] => return Ok(Value::Number(next() as f64 / 256.0)),
            [high] => (1, high),
            [low, high, ..] => (low, high),
        };
        // As many bytes as the range needs.
        let range = high.wrapping_sub(low).wrapping_add(1);
        let wide = (0..8).take_while(|i| i64::from(u8::MAX) < range >> (8 * i)).count();
        let number = (0..=wide).fold(0_i64, |number, _| number << 8 | next());
        let offset = if range > 0 { number.rem_euclid(range) } else { number };
        Ok(Value::Integer(low.wrapping_add(offset)))
    });
    math.set("random", random.expect("memory")).expect("memory");
    math.set("randomseed", lua.create_function(|_, _: i64| Ok(())).expect("memory"))
        .expect("memory");
    // A value that the script prints or a collected one may report an error: that is its matter.
    let _ = lua.load(OPERATIONS).call::<Value>((1, OPERATIONS_A_RUN));
    let _ = lua.gc_collect();
}
