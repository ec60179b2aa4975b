//! LuaJIT's interpreter for x86-64 computes with all 64 bits of what a C function returns. Here every C function that Lua calls is
//! called with poison in the registers that could be left there, and must return zeros above its `int`: the functions of this
//! library, and mlua's entries of a host's functions. It says most about optimised code, so `.ci/versions` runs it with
//! `--release`; what a stock `luajit` calls of the module, it checks with `tests/c/results.c`.
#![cfg(all(feature = "luajit", target_arch = "x86_64", unix))]

use std::ffi::c_int;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use mlua::ffi::{lua_CFunction, lua_State};
use mlua::{
    Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value, Variadic,
};

std::arch::global_asm!(
    ".text",
    ".globl call_poisoned",
    "call_poisoned:",
    ".cfi_startproc",
    "push rbx",
    ".cfi_adjust_cfa_offset 8",
    ".cfi_rel_offset rbx, 0",
    "mov r11, rsi",
    "mov rax, -1",
    "mov rbx, -1",
    "mov rcx, -1",
    "mov rdx, -1",
    "mov rsi, -1",
    "mov r8, -1",
    "mov r9, -1",
    "mov r10, -1",
    "call r11",
    "pop rbx",
    ".cfi_adjust_cfa_offset -8",
    "ret",
    ".cfi_endproc",
);

unsafe extern "C-unwind" {
    fn call_poisoned(lua: *mut lua_State, function: lua_CFunction) -> u64;
    fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// `LUAJIT_MODE_WRAPCFUNC | LUAJIT_MODE_ON` (luajit.h)
const WRAP_C_FUNCTIONS: c_int = 0x110;

static CALLS: AtomicU64 = AtomicU64::new(0);
/// The functions that returned more than an `int`, with their results.
static WRONG: Mutex<Vec<(usize, u64)>> = Mutex::new(Vec::new());

unsafe extern "C-unwind" fn checked(lua: *mut lua_State, function: lua_CFunction) -> u64 {
    // SAFETY: LuaJIT gives a C function and its state.
    let results = unsafe { call_poisoned(lua, function) };
    CALLS.fetch_add(1, Ordering::Relaxed);
    if results >> 32 != 0 {
        WRONG.lock().unwrap().push((function as usize, results));
    }
    results & u64::from(u32::MAX)
}

fn wrapped() -> Lua {
    // SAFETY: the scripts are below, and the files of tests/lua.
    let lua = unsafe { Lua::unsafe_new() };
    // SAFETY: LuaJIT takes the address of the function that calls C functions.
    let on = unsafe {
        lua.exec_raw::<bool>((), |lua| {
            mlua::ffi::lua_pushlightuserdata(lua, checked as *mut std::ffi::c_void);
            let on = luaJIT_setmode(lua, -1, WRAP_C_FUNCTIONS);
            mlua::ffi::lua_pushboolean(lua, on);
        })
    };
    assert!(on.unwrap(), "LuaJIT wraps no C functions");
    lua
}

fn expect_ints(least: u64) {
    assert!(CALLS.swap(0, Ordering::Relaxed) >= least, "few C functions were called");
    let wrong = std::mem::take(&mut *WRONG.lock().unwrap());
    let symbol = |address: usize| {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: an address of code.
        let info = unsafe {
            libc::dladdr(address as *const _, info.as_mut_ptr());
            info.assume_init()
        };
        format!("{:#x}", address - info.dli_fbase as usize)
    };
    let wrong: Vec<String> = wrong
        .into_iter()
        .map(|(function, results)| format!("{} returned {results:#x}", symbol(function)))
        .collect();
    assert!(wrong.is_empty(), "more than an int:\n{}", wrong.join("\n"));
}

struct Counter(i64);

impl UserData for Counter {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("value", |_, this| Ok(this.0));
        fields.add_field_method_set("value", |_, this, value: i64| {
            this.0 = value;
            Ok(())
        });
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |_, this, ()| Ok(this.0));
        methods.add_method_mut("add", |_, this, n: i64| {
            this.0 += n;
            Ok((this.0, n))
        });
        methods.add_method("fail", |_, _, ()| -> mlua::Result<()> {
            Err(mlua::Error::runtime("fails"))
        });
        methods.add_meta_method(MetaMethod::Add, |_, this, n: i64| Ok(Counter(this.0 + n)));
        methods
            .add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("counter {}", this.0)));
        methods.add_meta_method(MetaMethod::Call, |_, this, all: Variadic<i64>| {
            Ok(this.0 + all.iter().sum::<i64>())
        });
    }
}

/// One test, as the counts are the process's.
#[test]
fn what_c_functions_return_is_an_int() {
    this_library();
    host(&wrapped());
    expect_ints(500);
}

fn this_library() {
    let lua = wrapped();
    // SAFETY: the scripts are below.
    unsafe { cthunk::lua::preload(&lua) }.unwrap();
    cthunk::lua::compile_after(3);
    lua.load(
        "local ffi = require 'ffi'
        if not ffi.addressof then ffi = require 'cthunk' end
        ffi.cdef [[int abs(int); int snprintf(char *, size_t, const char *, ...); struct point { int x; double y; };
            void qsort(void *, size_t, size_t, int (*)(const int *, const int *));]]
        for i = 1, 20 do
            local a = ffi.new('int[10]')
            a[0] = 3
            assert(a[0] == 3 and ffi.C.abs(-i) == i)
            local p = ffi.new('struct point', i, 0.5)
            p.x = p.x + 1
            local b = ffi.new('char[32]')
            ffi.C.snprintf(b, 32, '%g %s', i + 0.5, 'x')
            assert(ffi.string(b) == (i + 0.5) .. ' x')
            ffi.C.qsort(a, 10, 4, function(x, y) return x[0] - y[0] end)
            assert(not pcall(ffi.C.abs, {}) and not pcall(ffi.C.abs) and not pcall(ffi.new, 'nothing'))
            assert(not pcall(ffi.C.qsort, a, 10, 4, function() error 'x' end))
        end",
    )
    .exec()
    .unwrap();
    expect_ints(100);
}

/// mlua 0.12 returns a `c_int` from its entries.
fn host(lua: &Lua) {
    let globals = lua.globals();
    let function = |results: i64| {
        lua.create_function(move |_, arguments: MultiValue| {
            let extra = (0..results).map(Value::Integer);
            Ok(arguments.into_iter().chain(extra).collect::<Variadic<Value>>())
        })
        .unwrap()
    };
    for n in [0, 1, 2, 5] {
        globals.set(format!("f{n}"), function(n)).unwrap();
    }
    globals.set("nothing", lua.create_function(|_, ()| Ok(())).unwrap()).unwrap();
    globals.set("one", lua.create_function(|_, n: i64| Ok(n + 1)).unwrap()).unwrap();
    globals.set("text", lua.create_function(|_, s: String| Ok(s + "!")).unwrap()).unwrap();
    globals.set("maybe", lua.create_function(|_, n: Option<i64>| Ok(n)).unwrap()).unwrap();
    let fail = lua.create_function(|_, ()| -> mlua::Result<()> { Err(mlua::Error::runtime("x")) });
    globals.set("fail", fail.unwrap()).unwrap();
    globals
        .set("call", lua.create_function(|_, f: mlua::Function| f.call::<MultiValue>(())).unwrap())
        .unwrap();
    globals.set("counter", lua.create_userdata(Counter(5)).unwrap()).unwrap();
    lua.load(
        "for i = 1, 10 do
            for _, f in ipairs { f0, f1, f2, f5 } do f() f(1) f(1, 2, 3) pcall(f, i) end
            nothing() one(i) text 'a' maybe() maybe(i) pcall(fail) pcall(one, 'x') pcall(text, {})
            call(function() return 1, 2 end) call(nothing) pcall(call, error)
            local c = counter
            c.value = i
            assert(c.value == i and c:get() == i and c:add(2) == i + 2 and c(1, 2) == i + 5)
            tostring(c) tostring(c + 1)
            pcall(c.fail, c) pcall(c.get, 5) pcall(function() return c.none end) pcall(function() c.none = 1 end)
            select(2, xpcall(fail, tostring))
            coroutine.wrap(function() one(1) coroutine.yield(f2()) nothing() end)()
        end
        counter = nil
        collectgarbage()",
    )
    .exec()
    .unwrap();
    let table = lua.create_table().unwrap();
    for i in 0..100 {
        table.set(i, "x").unwrap();
        assert_eq!(table.get::<String>(i).unwrap(), "x");
        assert!(table.get::<i64>(i).is_err());
    }
    for pair in table.pairs::<i64, String>() {
        pair.unwrap();
    }
    lua.load("error {}").exec().unwrap_err();
    lua.load("syntax error").exec().unwrap_err();
    let thread =
        lua.create_thread(lua.load("coroutine.yield(1) error 'x'").into_function().unwrap());
    let thread = thread.unwrap();
    thread.resume::<i64>(()).unwrap();
    thread.resume::<()>(()).unwrap_err();
}
