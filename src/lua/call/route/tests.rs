//! The routes of closures, and what changes them, seen in the C functions that the closures have.

use mlua::Lua;

use super::*;
use crate::Ffi;
use crate::policy::{Permissions as May, Policy};

const DECLARED: &str = "
    int abs(int); size_t strlen(const char *); int snprintf(char *, size_t, const char *, ...);
    struct large { char bytes[100000]; }; void large(struct large) __asm__(\"abs\");";

/// A state with the functions of [`DECLARED`].
fn state(policy: Policy) -> (Lua, Ffi) {
    let lua = Lua::new();
    // SAFETY: the scripts below call what they declare.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("installs");
    lua.globals().set("declared", DECLARED).expect("sets");
    run(&lua, "ffi.cdef(declared) buffer = ffi.new 'char[16]' C = ffi.C");
    (lua, ffi)
}

/// The address of a C function.
fn at(function: lua_CFunction) -> usize {
    function as usize
}

fn run(lua: &Lua, script: &str) {
    lua.load(script).exec().expect("runs");
}

/// The C function of the closure that an expression gives, and whether a thunk announces its calls.
fn seen(lua: &Lua, function: &str) -> (usize, bool) {
    let function: mlua::Function = lua.load(format!("return {function}")).eval().expect("is one");
    let mut seen = (0, false);
    // SAFETY: the closure is one of a record, which its first upvalue is.
    unsafe {
        lua.exec_raw::<()>(function, |lua| {
            let code = sys::lua_tocfunction(lua, 1).expect("a C function");
            sys::lua_getupvalue(lua, 1, 1);
            let record = &*sys::lua_touserdata(lua, -1).cast::<Function>();
            seen = (code as usize, record.routing.announced.get());
            sys::lua_settop(lua, 0);
        })
    }
    .expect("runs");
    seen
}

const CALL_ABS: &str = "for n = 1, 4001 do assert(C.abs(-n) == n) end";
const CALL_PRINT: &str =
    "for n = 1, 4010 do assert(C.snprintf(buffer, 16, '%g %s', 1.5, 'x') == 5) end";
const CALL_BACK: &str = "callback = ffi.cast('int (*)(int)', function(n) return n end)";

#[test]
fn a_plan_a_direct_thunk_an_announced_one() {
    let (lua, _ffi) = state(Policy::open());
    let abs = || seen(&lua, "C.abs");
    assert_eq!(abs(), (at(plan_fast::call), false));
    run(&lua, CALL_ABS);
    let direct = abs();
    assert!(direct.0 != at(plan_fast::call) && !direct.1);
    run(&lua, CALL_BACK);
    assert_eq!(abs(), direct, "the first callback changes no closure");
    run(&lua, "assert(C.abs(-1) == 1)");
    let announced = abs();
    assert!(announced.0 != direct.0 && announced.1, "the next call does");
    run(&lua, "assert(C.abs(-1) == 1 and C.abs(ffi.new('int', -2)) == 2)");
    assert_eq!(abs(), announced);
}

#[test]
fn a_state_with_callbacks_makes_announced_thunks() {
    let (lua, _ffi) = state(Policy::open());
    run(&lua, CALL_BACK);
    assert_eq!(seen(&lua, "C.abs"), (at(plan_fast::call), false));
    run(&lua, CALL_ABS);
    assert!(seen(&lua, "C.abs").1);
}

#[test]
fn a_variadic_function_has_a_thunk_for_its_usual_types() {
    let (lua, _ffi) = state(Policy::open());
    let print = || seen(&lua, "C.snprintf");
    let variadic = at(variadic::call);
    assert_eq!(print(), (variadic, false));
    run(&lua, CALL_PRINT);
    let direct = print();
    assert!(direct.0 != variadic && !direct.1);
    run(&lua, "assert(C.snprintf(buffer, 16, '%d', ffi.new('int', 5)) == 1)");
    assert_eq!(print(), direct, "other types go elsewhere");
    run(&lua, CALL_PRINT);
    run(&lua, CALL_BACK);
    run(&lua, "C.snprintf(buffer, 16, '%g %s', 1.5, 'x')");
    let after = print();
    assert!(after.0 != direct.0, "the first callback takes the thunk away");
    run(&lua, CALL_PRINT);
    assert!(print().0 != variadic && print().1);
}

#[test]
fn pointers_that_ask_the_policy_go_through_the_api() {
    let (lua, _ffi) = state(Policy::open().deny(May::USERDATA_TO_POINTER));
    let length = || seen(&lua, "C.strlen").0;
    assert_eq!(length(), at(plan_api::by_record));
    assert_eq!(seen(&lua, "C.abs").0, at(plan_fast::call), "numbers ask nothing");
    run(&lua, "for _ = 1, 4001 do assert(C.strlen 'text' == 4) end");
    assert_ne!(length(), at(plan_api::by_record));
    run(&lua, "assert(C.strlen 'text' == 4 and C.strlen(buffer) == 0)");
}

#[test]
fn what_has_no_thunk_reads_its_plan() {
    let (lua, _ffi) = state(Policy::open());
    assert_eq!(seen(&lua, "C.large").0, at(plan_api::call), "a large Frame");
    let (lua, _ffi) = state(Policy::open().checked(true));
    assert_eq!(seen(&lua, "C.strlen").0, at(plan_api::call), "checked memory");
    run(&lua, "for _ = 1, 4001 do assert(C.strlen 'text' == 4) end");
    assert_eq!(seen(&lua, "C.strlen").0, at(plan_api::call));
}

/// As on a processor where large plans need thunks.
#[test]
fn a_thunk_asks_for_the_stack_that_it_takes() {
    let (lua, _ffi) = state(Policy::open());
    run(
        &lua,
        "ffi.cdef [[struct huge { char bytes[500000000]; };
           int huge(struct huge) __asm__(\"abs\");]]
         value = ffi.new 'struct large'
         none = ffi.cast('struct huge *', value)",
    );
    for name in ["large", "huge"] {
        let function: mlua::Function = lua.load(format!("return C.{name}")).eval().expect("is one");
        // SAFETY: the closure gets the upvalues of one of a record, whose thunk `compile_slow` makes.
        let slow: mlua::Function = unsafe {
            lua.exec_raw(function, |lua| {
                sys::lua_getupvalue(lua, 1, 1);
                sys::lua_getupvalue(lua, 1, 2);
                sys::lua_pushcclosure(lua, api::for_lua(compile_slow), 2);
                sys::lua_replace(lua, 1);
                sys::lua_settop(lua, 1);
            })
        }
        .expect("runs");
        lua.globals().set(name, slow).expect("sets");
    }
    run(
        &lua,
        "for _ = 1, 3 do large(value) end
         local ok, message = pcall(function() huge(none[0]) end)
         assert(not ok and tostring(message):find('500000000 bytes of stack', 1, true), message)
         ok, message = coroutine.wrap(function() return pcall(function() huge(none[0]) end) end)()
         assert(not ok and tostring(message):find('500000000 bytes of stack', 1, true), message)",
    );
}

#[test]
fn a_closed_record_refuses_calls_on_every_route() {
    let (lua, _ffi) = state(Policy::open());
    run(&lua, "strlen = C.strlen for _ = 1, 4001 do strlen 'text' end abs = C.abs");
    for function in ["abs", "strlen"] {
        let function: mlua::Function = lua.globals().get(function).expect("is one");
        // SAFETY: as in `seen`.
        unsafe {
            lua.exec_raw::<()>(function.clone(), |lua| {
                sys::lua_getupvalue(lua, 1, 1);
                let record = &*sys::lua_touserdata(lua, -1).cast::<Function>();
                record.routing.close(&*record.head);
                sys::lua_settop(lua, 0);
            })
        }
        .expect("runs");
        let error = function.call::<i64>("text").expect_err("is closed").to_string();
        assert!(error.contains("after its library was closed"), "{error}");
    }
}
