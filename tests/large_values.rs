//! A value for which the thread's stack has no room is an error. The values themselves: tests/large/values.lua, which the command runs.
#![cfg(all(target_arch = "x86_64", target_os = "linux", feature = "lua"))]

use cthunk::{Ffi, Policy};
use mlua::Lua;

/// A thread with a small stack passes what it has room for, and refuses the rest.
#[test]
fn on_a_small_stack() {
    let script = "
        ffi.cdef 'typedef struct { char c[20000]; } fits; typedef struct { char c[200000]; } large; int getpid(void);'
        ffi.cdef 'typedef struct { char c[1000000]; } result;'
        local function call(ty) return ffi.cast('int (*)(' .. ty .. ')', ffi.C.getpid)(ffi.new(ty)) end
        assert(call 'fits' == ffi.C.getpid())
        local ok, message = pcall(call, 'large')
        assert(not ok and message:find('200000 bytes of stack', 1, true), message)
        ok, message = coroutine.wrap(function() return pcall(call, 'large') end)()
        assert(not ok and message:find('200000 bytes of stack', 1, true), message)
        -- A callback of Lua's own is a C function, too.
        local f = ffi.cast('int (*)(large)', function() return 1 end)
        assert(not pcall(f, ffi.new 'large'))
        -- A result comes back through a pointer, to memory that is Lua's.
        assert(ffi.cast('result (*)(void)', function() return ffi.new 'result' end)().c[5] == 0)
    ";
    let thread = std::thread::Builder::new().stack_size(160 << 10).spawn(move || {
        // SAFETY: the script is the one above.
        let lua = unsafe { Lua::unsafe_new() };
        let ffi = Ffi::builder().policy(Policy::open()).global("ffi");
        // SAFETY: the same.
        let _ffi = unsafe { ffi.install_unconfined(&lua) }.unwrap();
        lua.load(script).exec().unwrap();
    });
    thread.unwrap().join().unwrap();
}
