//! What scripts can and cannot do under a policy: every row of the tables in docs/security.md.

use cthunk::policy::{Limits, Permission, Unconfined};
use cthunk::{Ffi, Policy};
use mlua::Lua;

/// The message of the error that a script ends with.
fn refused(lua: &Lua, script: &str) -> String {
    match lua.load(script).exec() {
        Ok(()) => panic!("nothing stops {script}"),
        Err(error) => error.to_string(),
    }
}

fn installed(policy: Policy) -> (Lua, Ffi) {
    let lua = Lua::new();
    // SAFETY: the scripts below are this file's.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    (lua, ffi.expect("installs"))
}

#[test]
fn a_policy_that_confines_nothing_is_not_installed_safely() {
    let lua = Lua::new();
    let install = |policy| Ffi::builder().policy(policy).install(&lua).map(drop);
    assert!(install(Policy::data_only()).is_ok());
    let message = install(Policy::open()).unwrap_err().to_string();
    assert!(message.contains(&Unconfined::Unchecked.to_string()), "{message}");
    let message = install(Policy::data_only().allow(Permission::Load)).unwrap_err().to_string();
    assert!(message.contains("permission `load`"), "{message}");
}

#[test]
fn one_state_can_have_several_policies() {
    let lua = Lua::new();
    let install = |name: &str, policy| Ffi::builder().policy(policy).global(name).install(&lua);
    install("data", Policy::data_only()).expect("installs");
    install("declared", Policy::declared_only()).expect("installs");
    lua.load("data.cdef 'typedef int number;' assert(data.sizeof 'number' == 4)")
        .exec()
        .expect("declares");
    let message = refused(&lua, "declared.cdef 'typedef int number;'");
    assert!(message.contains("permission `declare_types`"), "{message}");
    let message = refused(&lua, "declared.sizeof 'number'");
    assert!(message.contains("number"), "{message}");
    // A value of one table is no value of the other.
    let message = refused(&lua, "declared.cast('void *', data.new('int[4]'))");
    assert!(message.contains("permission `userdata_to_pointer`"), "{message}");
}

#[test]
fn limits_hold() {
    let limits = Limits {
        cdata_bytes: Some(1 << 16),
        callbacks: Some(3),
        thunks: Some(1),
        declaration_bytes: Some(2000),
    };
    let (lua, _ffi) = installed(Policy::open().limits(limits));
    let message = refused(&lua, "keep = {} for i = 1, 1000 do keep[i] = ffi.new('char[1000]') end");
    assert!(message.contains("limit `cdata_bytes`"), "{message}");
    lua.load("keep = nil for i = 1, 1000 do local _ = ffi.new('char[1000]') end")
        .exec()
        .expect("garbage is free");
    let message =
        refused(&lua, "for i = 1, 4 do ffi.cast('int (*)(int)', function(n) return n end) end");
    assert!(message.contains("limit `callbacks`"), "{message}");
    let message = refused(&lua, "for i = 1, 1000 do ffi.typeof('int[' .. i .. ']') end");
    assert!(message.contains("limit `declaration_bytes`"), "{message}");
}
