//! The API for hosts: uses of a table from Rust for which the crate's documentation has no example.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cthunk::{Ffi, Permissions, Policy};
use mlua::Lua;

#[path = "../examples/embed/main.rs"]
mod plugin_host;

fn installed(policy: Policy) -> (Lua, Ffi) {
    let lua = Lua::new();
    let ffi = Ffi::builder().policy(policy).global("ffi").install(&lua).expect("installs");
    (lua, ffi)
}

#[test]
fn a_function_must_have_the_declared_types() {
    extern "C" fn half(x: f64) -> f64 {
        x / 2.0
    }
    let (lua, ffi) = installed(Policy::declared_only());
    let half = half as extern "C" fn(f64) -> f64;
    for (declaration, reason) in [
        ("float half(double x)", "the result is declared as another type"),
        ("double half(float x)", "parameter 1 is declared as another type"),
        ("double half(void)", "the declaration has 0 parameters"),
        ("double half(double x, ...)", "the declaration is variadic"),
        ("typedef double half", "does not declare a function"),
        ("double half(", "expected"),
    ] {
        let message = ffi.function(declaration, half).unwrap_err().to_string();
        assert!(message.contains(reason), "{declaration}: {message}");
    }
    ffi.function("double half(double x)", half).expect("fits");
    assert_eq!(lua.load("return ffi.C.half(3)").eval::<f64>().unwrap(), 1.5);
}

/// A function of Rust has a C function of its own, without an entry; so has a closure that captures nothing.
#[test]
fn functions_of_rust_are_functions_of_c() {
    fn half(x: f64) -> f64 {
        x / 2.0
    }
    fn fails(_: c_int) -> c_int {
        panic!("as the test wants")
    }
    let (lua, ffi) = installed(Policy::declared_only());
    let (one, two) = (1.5, 2.5_f32);
    ffi.function("double half(double x)", half).expect("fits");
    ffi.function("double twice(double x)", |x: f64| x * 2.0).expect("fits");
    ffi.function("double root(double x)", f64::sqrt).expect("fits");
    ffi.function("int fails(int)", fails).expect("fits");
    ffi.function("double more(double x)", move |x: f64| x + one).expect("fits");
    ffi.function("float less(float x)", move |x: f32| x - two).expect("fits");
    let sum = "local C = ffi.C return C.half(3) + C.twice(4) + C.root(81) + C.fails(1) + C.more(1) + C.less(3)";
    assert_eq!(lua.load(sum).eval::<f64>().unwrap(), 1.5 + 8.0 + 9.0 + 0.0 + 2.5 + 0.5);
    let wrong = ffi.function("float half(double x)", half).unwrap_err().to_string();
    assert!(wrong.contains("the result is declared as another type"), "{wrong}");
}

#[test]
fn closures_take_eight_arguments_of_every_kind() {
    let (lua, ffi) = installed(Policy::declared_only());
    let all = |a: i8, b: u16, c: i32, d: u64, e: f32, f: f64, g: bool, h: i64| {
        f64::from(a)
            + f64::from(b)
            + f64::from(c)
            + d as f64
            + f64::from(e)
            + f
            + f64::from(u8::from(g))
            + h as f64
    };
    let declaration = "double all(int8_t, uint16_t, int, uint64_t, float, double, _Bool, int64_t);";
    ffi.closure(declaration, all).expect("fits");
    let sum: f64 =
        lua.load("return ffi.C.all(-1, 65535, -3, 4, 0.5, 0.25, true, -8)").eval().unwrap();
    assert_eq!(sum, -1.0 + 65535.0 - 3.0 + 4.0 + 0.5 + 0.25 + 1.0 - 8.0);
}

#[test]
fn a_panic_of_a_closure_goes_no_further() {
    let (lua, ffi) = installed(Policy::declared_only());
    ffi.closure("int fails(int);", |_: c_int| -> c_int { panic!("as the test wants") })
        .expect("fits");
    assert_eq!(lua.load("return ffi.C.fails(5)").eval::<i64>().unwrap(), 0);
}

/// A function that C is in runs Lua code by itself, which calls C in turn; an error of a callback after that is still the first
/// call's.
#[test]
fn lua_code_in_a_c_call_calls_c() {
    type Number = extern "C" fn(c_int) -> c_int;
    thread_local!(static INNER: std::cell::OnceCell<Lua> = const { std::cell::OnceCell::new() });
    extern "C" fn enter(callback: *mut u8, n: c_int) -> c_int {
        let next: c_int = INNER.with(|lua| {
            let lua = lua.get().expect("set");
            lua.load("return ffi.C.next(...)").call(n).expect("runs")
        });
        // SAFETY: the script passes a function of this type.
        let callback: Number = unsafe { std::mem::transmute(callback) };
        callback(next)
    }
    let lua = Lua::new();
    INNER.with(|inner| inner.set(lua.clone()).expect("set once"));
    // SAFETY: the scripts below call what they declare.
    let ffi =
        unsafe { Ffi::builder().policy(Policy::open()).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("installs");
    ffi.closure("int next(int);", |n: c_int| n + 1).expect("fits");
    let enter = enter as extern "C" fn(*mut u8, c_int) -> c_int;
    ffi.function("int enter(int (*callback)(int), int n);", enter).expect("fits");
    lua.load(
        "for _ = 1, 5000 do assert(ffi.C.enter(function(n) return n * 2 end, 20) == 42) end
         local function fails(n) error('from the callback ' .. n, 0) end
         local called, message = pcall(ffi.C.enter, fails, 20)
         assert(not called and message == 'from the callback 21', message)
         assert(ffi.C.next(1) == 2)",
    )
    .exec()
    .unwrap();
}

/// A variadic function that takes numbers alone, in a state whose policy keeps pointers from fast calls.
#[test]
fn a_variadic_function_calls_back_after_many_calls() {
    type Number = extern "C" fn(c_int) -> c_int;
    thread_local!(static KEPT: std::cell::Cell<Option<Number>> = const { std::cell::Cell::new(None) });
    extern "C" fn keep(callback: Number) {
        KEPT.set(Some(callback));
    }
    extern "C" fn call_kept(n: c_int) -> c_int {
        KEPT.get().map_or(0, |callback| callback(n))
    }
    let lua = Lua::new();
    let policy = Policy::open().deny(Permissions::USERDATA_TO_POINTER);
    // SAFETY: the scripts below call what they declare.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("installs");
    // SAFETY: the functions have these types, but for `...`, for which nothing is passed.
    unsafe {
        ffi.function_at("void keep(int (*)(int));", keep as *const c_void).expect("fits");
        ffi.function_at("int call_kept(int, ...);", call_kept as *const c_void).expect("fits");
    }
    lua.load(
        "for n = 1, 5000 do assert(ffi.C.call_kept(n) == 0) end
         callback = ffi.cast('int (*)(int)', function(n) return n + 1 end)
         ffi.C.keep(callback)
         for n = 1, 5000 do assert(ffi.C.call_kept(n) == n + 1) end",
    )
    .exec()
    .unwrap();
}

#[test]
fn a_loan_ends_even_where_its_user_panics() {
    let (lua, ffi) = installed(Policy::data_only());
    let mut memory = [1_u32, 2, 3];
    let keep = |loan| lua.globals().set("kept", loan);
    let lent = catch_unwind(AssertUnwindSafe(|| {
        ffi.lend(&mut memory, |loan| -> mlua::Result<()> {
            keep(loan)?;
            panic!("as the test wants")
        })
    }));
    assert!(lent.is_err());
    let message = lua.load("return kept[0]").exec().unwrap_err().to_string();
    assert!(message.contains("dead"), "{message}");
}

#[test]
fn what_is_lent_to_read_is_only_read() {
    let (lua, ffi) = installed(Policy::data_only());
    let memory = [1_u8, 2, 3];
    ffi.lend_const(&memory, |loan| {
        lua.globals().set("loan", loan)?;
        assert_eq!(lua.load("return loan[2]").eval::<i64>()?, 3);
        for script in ["loan[0] = 9", "ffi.cast('char *', loan)[0] = 9", "ffi.fill(loan, 3)"] {
            assert!(lua.load(script).exec().is_err(), "{script}");
        }
        Ok(())
    })
    .expect("lends");
    assert_eq!(memory, [1, 2, 3]);
}

#[test]
fn a_type_must_fit_the_memory_that_is_lent() {
    let (_lua, ffi) = installed(Policy::data_only());
    ffi.declare_types("struct pair { double a, b; };").expect("declares");
    let mut memory = [0_u64; 3];
    // SAFETY: plain bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast::<u8>(), 24) };
    let lend =
        |bytes: &mut [u8]| ffi.lend_as("struct pair", bytes, |pair| ffi.value(pair)?.set("b", 2.5));
    lend(&mut bytes[8..]).expect("fits");
    let message = lend(&mut bytes[..8]).unwrap_err().to_string();
    assert!(message.contains("has 16 bytes, and 8 are lent"), "{message}");
    let message = lend(&mut bytes[4..]).unwrap_err().to_string();
    assert!(message.contains("aligned to 8 bytes"), "{message}");
    assert_eq!(f64::from_bits(memory[2]), 2.5);
}

#[test]
fn what_is_in_use_is_listed() {
    let (lua, ffi) = installed(Policy::declared_only());
    ffi.closure("int one(void);", || 1).expect("fits");
    ffi.declare_types("typedef int callback(void);").expect("declares");
    lua.load("keep = ffi.cast('int (*)(void)', function() return 2 end) ffi.C.one()")
        .exec()
        .unwrap();
    assert_eq!(ffi.libraries().unwrap(), ["default"]);
    assert_eq!(ffi.symbols().unwrap()[0].0, "one");
    assert_eq!(ffi.callbacks().unwrap().len(), 1);
    let counters = ffi.counters().unwrap();
    assert_eq!((counters.symbols, counters.callbacks, counters.libraries), (1, 1, 1));
    assert!(counters.declaration_bytes >= "int (*)(void)".len());
    lua.load("keep:free()").exec().unwrap();
    assert_eq!(ffi.counters().unwrap().callbacks, 0);
}

#[test]
fn a_table_outlives_its_lua_state_as_an_error() {
    let (lua, ffi) = installed(Policy::data_only());
    drop(lua);
    let message = ffi.counters().unwrap_err().to_string();
    assert!(message.contains("closed"), "{message}");
}

#[test]
fn values_are_read_and_written() {
    let (lua, ffi) = installed(Policy::data_only());
    let value: mlua::AnyUserData =
        lua.load("return ffi.new('int[4]', {1, 2, 3, 4})").eval().unwrap();
    let value = ffi.value(value).expect("a C value");
    assert_eq!(value.ctype().unwrap(), "int [4]");
    value.view::<i32, _>(|cells| cells[3].set(40)).expect("ints");
    assert_eq!(value.get::<i64>(3).unwrap(), 40);
    assert!(value.get::<i64>(4).is_err(), "behind the end");
    assert!(value.view::<i64, _>(|_| ()).is_ok(), "16 bytes are two");
    let pointer: mlua::AnyUserData =
        lua.load("return ffi.cast('int *', ffi.new('int[4]'))").eval().unwrap();
    assert!(ffi.value(pointer).unwrap().view::<i32, _>(|_| ()).is_err());
    assert!(ffi.value(lua.create_any_userdata(5).unwrap()).is_err());
}

/// The example proves a refusal for every script of `examples/embed/refused`.
#[test]
#[cfg_attr(feature = "luau", ignore = "Luau has no bytecode for `bytecode.lua` to load")]
fn the_plugin_host_refuses_what_it_must() {
    plugin_host::main().expect("every plugin runs, and every other script is refused");
}
