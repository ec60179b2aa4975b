//! What policies cost: the cases of `benches/cases.lua` under each, in nanoseconds an operation, the loop included. `cargo bench --bench
//! policies`.

use std::collections::BTreeMap;

use cthunk::policy::{Limits, Permission};
use cthunk::{Ffi, Policy};
use mlua::Lua;

const SCRIPT: &str = include_str!("cases.lua");

/// The policies, in columns. A permission that is not here is asked for when something is looked up, made or declared, which
/// costs a test of a bit.
fn policies() -> [(&'static str, Policy); 6] {
    let bytes = Limits { cdata_bytes: Some(1 << 30), ..Limits::default() };
    [
        ("open", Policy::open()),
        ("checked", Policy::open().checked(true)),
        ("no userdata_to_pointer", Policy::open().deny(Permission::UserdataToPointer)),
        ("no function_pointer_casts", Policy::open().deny(Permission::FunctionPointerCasts)),
        ("no pointer_unions", Policy::open().deny(Permission::PointerUnions)),
        ("cdata_bytes", Policy::open().limits(bytes)),
    ]
}

/// Nanoseconds by case, the best of some rounds in turn.
fn main() -> mlua::Result<()> {
    let mut rows: BTreeMap<String, [f64; 6]> = BTreeMap::new();
    for _ in 0..3 {
        for (column, (_, policy)) in policies().into_iter().enumerate() {
            for (case, time) in measure(policy)? {
                let best = &mut rows.entry(case).or_insert([f64::INFINITY; 6])[column];
                *best = best.min(time);
            }
        }
    }
    let names = policies().map(|(name, _)| name);
    println!("| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for (case, times) in rows {
        println!("| {case} | {} |", times.map(|time| format!("{time:.1}")).join(" | "));
    }
    Ok(())
}

fn measure(policy: Policy) -> mlua::Result<Vec<(String, f64)>> {
    let lua = Lua::new();
    // SAFETY: the script keeps to C's rules.
    let ffi = unsafe { Ffi::builder().policy(policy).install_unconfined(&lua) }?;
    let globals = lua.globals();
    let table = ffi.table().clone();
    globals.set("require", lua.create_function(move |_, _: String| Ok(table.clone()))?)?;
    globals.set("arg", lua.create_sequence_from(["time"])?)?;
    let lines = lua.create_table()?;
    let sink = lines.clone();
    globals.set("print", lua.create_function(move |_, line: String| sink.push(line))?)?;
    lua.load(SCRIPT).set_name("=cases.lua").exec()?;
    let lines = lines.sequence_values::<String>().collect::<mlua::Result<Vec<_>>>()?;
    let parse = |line: &String| {
        let (case, time) = line.split_once('\t')?;
        Some((case.to_owned(), time.parse().ok()?))
    };
    Ok(lines.iter().filter_map(parse).collect())
}
