//! Calls, threads, errors.

use std::any::Any;
use std::ffi::c_int;

use mlua::ffi as sys;

use super::{Results, lua_State};

pub(crate) use errors::catch;
pub(crate) use tail::{call_then, protected_call_then, tail_call};
pub(crate) use thread::main_thread;

/// Raises "bad argument" about the running function's argument `n`, with the message on top of the stack.
///
/// # Safety
/// - *C function*.
/// - *Raise*.
/// - A string is on top of the stack.
pub(crate) unsafe fn argument_error(lua: *mut lua_State, n: c_int) -> ! {
    // SAFETY: *C function*, a string on top, and *Raise*, kept by the caller; neither function returns.
    unsafe {
        #[cfg(not(feature = "luau"))]
        {
            sys::luaL_argerror(lua, n, sys::lua_tolstring(lua, -1, std::ptr::null_mut()));
            unreachable!("luaL_argerror returned")
        }
        // Luau's own says "invalid argument", and nothing else of the library does.
        #[cfg(feature = "luau")]
        {
            sys::luaL_where(lua, 1);
            let (place, message) = (sys::lua_tostring(lua, -1), sys::lua_tostring(lua, -2));
            sys::lua_pushfstring(lua, c"%sbad argument #%d (%s)".as_ptr(), place, n, message);
            sys::lua_error(lua)
        }
    }
}

/// Pushes "file:line: " of the Lua code that called the running C function, or "". A metamethod of the library that ended in
/// a call of this function is not its caller: `owner`, if not null, is the first upvalue of the library's functions.
///
/// # Safety
/// - *C function*.
/// - *Raise*.
pub(crate) unsafe fn push_place(lua: *mut lua_State, owner: *const std::ffi::c_void) {
    // SAFETY: *Room* and *Raise*, kept by the caller.
    unsafe {
        let level = if called_by(lua, owner) { 2 } else { 1 };
        sys::luaL_where(lua, level);
    }
}

/// The same place, without `: `; empty where it is not known.
///
/// # Safety
/// - *C function*.
pub(crate) unsafe fn place(lua: *mut lua_State, owner: *const std::ffi::c_void) -> String {
    // SAFETY: *Room*, kept by the caller; an activation record is plain data, which Lua fills in, a text that ends included.
    unsafe {
        let level = if called_by(lua, owner) { 2 } else { 1 };
        let mut record: sys::lua_Debug = std::mem::zeroed();
        #[cfg(not(feature = "luau"))]
        let known = sys::lua_getstack(lua, level, &raw mut record) != 0
            && sys::lua_getinfo(lua, c"Sl".as_ptr(), &raw mut record) != 0;
        #[cfg(feature = "luau")]
        let known = sys::lua_getinfo(lua, level, c"sl".as_ptr(), &raw mut record) != 0;
        if !known || record.currentline <= 0 {
            return String::new();
        }
        #[cfg(not(feature = "luau"))]
        let source = record.short_src.as_ptr();
        #[cfg(feature = "luau")]
        let source = record.short_src;
        let source = std::ffi::CStr::from_ptr(source).to_string_lossy();
        format!("{source}:{}", record.currentline)
    }
}

/// Whether the caller of the running C function is a function with that userdata as its first upvalue.
///
/// # Safety
/// - *C function*.
unsafe fn called_by(lua: *mut lua_State, owner: *const std::ffi::c_void) -> bool {
    // SAFETY: *Room*, kept by the caller; an activation record is plain data, which Lua fills in.
    unsafe {
        let mut record: sys::lua_Debug = std::mem::zeroed();
        #[cfg(not(feature = "luau"))]
        let known = sys::lua_getstack(lua, 1, &raw mut record) != 0
            && sys::lua_getinfo(lua, c"f".as_ptr(), &raw mut record) != 0;
        #[cfg(feature = "luau")]
        let known = sys::lua_getinfo(lua, 1, c"f".as_ptr(), &raw mut record) != 0;
        if !known {
            return false;
        }
        let top = sys::lua_gettop(lua);
        let is_c = !owner.is_null() && sys::lua_iscfunction(lua, top) != 0;
        let found = is_c && !sys::lua_getupvalue(lua, top, 1).is_null();
        let called = found && sys::lua_touserdata(lua, -1).cast_const() == owner;
        sys::lua_settop(lua, top - 1);
        called
    }
}

/// Collects all garbage.
///
/// # Safety
/// - *Live*.
/// - *Raise*: finalisers run, and Lua before 5.4 raises their errors.
pub(crate) unsafe fn collect(lua: *mut lua_State) {
    // SAFETY: *Live* and *Raise*, kept by the caller.
    unsafe { sys::lua_gc(lua, sys::LUA_GCCOLLECT, 0) };
}

/// A function that a C function leaves by, which may yield.
#[cfg(feature = "_continuations")]
mod tail {
    use super::*;

    /// Calls the function below `arguments` values and returns all its results to Lua; the function may yield where the
    /// version allows it.
    ///
    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    pub(crate) unsafe fn tail_call(lua: *mut lua_State, arguments: c_int) -> Results {
        /// # Safety
        /// - Lua alone calls it, to go on with a C function that has yielded: *Room*.
        unsafe extern "C-unwind" fn resume(
            lua: *mut lua_State,
            _status: c_int,
            base: sys::lua_KContext,
        ) -> c_int {
            // SAFETY: Lua resumes with a live state.
            unsafe { sys::lua_gettop(lua) - base as c_int }
        }
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here; `base` is the stack height below the function.
        unsafe {
            let base = sys::lua_gettop(lua) - arguments - 1;
            let context = base as sys::lua_KContext;
            sys::lua_callk(lua, arguments, sys::LUA_MULTRET, context, Some(resume));
            Results::new(sys::lua_gettop(lua) - base)
        }
    }

    /// Calls the function below `arguments` values for one result and goes on with `then`, whose results are those of the running
    /// function. The function may yield where the version allows it.
    ///
    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    /// - `then` captures nothing.
    pub(crate) unsafe fn call_then<F>(lua: *mut lua_State, arguments: c_int, then: F) -> Results
    where
        F: Fn(*mut lua_State) -> Results + Copy,
    {
        /// # Safety
        /// - Lua alone calls it, to go on with a C function that has yielded: *Room*.
        unsafe extern "C-unwind" fn resume<F>(
            lua: *mut lua_State,
            _status: c_int,
            _context: sys::lua_KContext,
        ) -> c_int
        where
            F: Fn(*mut lua_State) -> Results + Copy,
        {
            // SAFETY: a type without size has one value, and `call_then` was given it.
            unsafe { std::ptr::NonNull::<F>::dangling().read()(lua) }.count()
        }
        const { assert!(size_of::<F>() == 0, "a continuation captures nothing") };
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here.
        unsafe { sys::lua_callk(lua, arguments, 1, 0, Some(resume::<F>)) };
        then(lua)
    }

    /// Calls the function below `arguments` values in protected mode, for all its results, with the message handler at the stack index
    /// `handler` (0: none), and goes on with `then`, whose results are those of the running function. `then` is told whether the function
    /// returned; if not, the error is on top of the stack. The function may yield where the version allows it.
    ///
    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack, the handler below them.
    /// - `then` captures nothing.
    pub(crate) unsafe fn protected_call_then<F>(
        lua: *mut lua_State,
        arguments: c_int,
        handler: c_int,
        then: F,
    ) -> Results
    where
        F: Fn(*mut lua_State, bool) -> Results + Copy,
    {
        /// # Safety
        /// - Lua alone calls it, to go on with a C function that has yielded: *Room*.
        unsafe extern "C-unwind" fn resume<F>(
            lua: *mut lua_State,
            status: c_int,
            _context: sys::lua_KContext,
        ) -> c_int
        where
            F: Fn(*mut lua_State, bool) -> Results + Copy,
        {
            // SAFETY: a type without size has one value, and `protected_call_then` was given it.
            let then = unsafe { std::ptr::NonNull::<F>::dangling().read() };
            then(lua, status == sys::LUA_YIELD).count()
        }
        const { assert!(size_of::<F>() == 0, "a continuation captures nothing") };
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here.
        let status = unsafe {
            sys::lua_pcallk(lua, arguments, sys::LUA_MULTRET, handler, 0, Some(resume::<F>))
        };
        then(lua, status == sys::LUA_OK)
    }
}

/// Yields cannot pass a protected call of a C function. (Lua 5.2 could; nobody asks.)
#[cfg(not(any(feature = "lua53", feature = "lua54", feature = "lua55")))]
mod protected {
    use super::*;

    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack, the handler below them.
    /// - `then` captures nothing.
    pub(crate) unsafe fn protected_call_then<F>(
        lua: *mut lua_State,
        arguments: c_int,
        handler: c_int,
        then: F,
    ) -> Results
    where
        F: Fn(*mut lua_State, bool) -> Results + Copy,
    {
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here.
        let status = unsafe { sys::lua_pcall(lua, arguments, sys::LUA_MULTRET, handler) };
        then(lua, status == sys::LUA_OK)
    }
}

#[cfg(feature = "_contexts")]
mod tail {
    pub(crate) use super::protected::protected_call_then;
    use super::*;

    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    pub(crate) unsafe fn tail_call(lua: *mut lua_State, arguments: c_int) -> Results {
        /// # Safety
        /// - Lua alone calls it, to go on with a C function that has yielded: *Room*.
        unsafe extern "C-unwind" fn resume(lua: *mut lua_State) -> c_int {
            let mut base = 0;
            // SAFETY: Lua resumes with a live state and the context that was given.
            unsafe {
                sys::lua_getctx(lua, &mut base);
                sys::lua_gettop(lua) - base
            }
        }
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here; `base` is the stack height below the function.
        unsafe {
            let base = sys::lua_gettop(lua) - arguments - 1;
            sys::lua_callk(lua, arguments, sys::LUA_MULTRET, base, Some(resume));
            Results::new(sys::lua_gettop(lua) - base)
        }
    }

    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    /// - `then` captures nothing.
    pub(crate) unsafe fn call_then<F>(lua: *mut lua_State, arguments: c_int, then: F) -> Results
    where
        F: Fn(*mut lua_State) -> Results + Copy,
    {
        /// # Safety
        /// - Lua alone calls it, to go on with a C function that has yielded: *Room*.
        unsafe extern "C-unwind" fn resume<F>(lua: *mut lua_State) -> c_int
        where
            F: Fn(*mut lua_State) -> Results + Copy,
        {
            // SAFETY: a type without size has one value, and `call_then` was given it.
            unsafe { std::ptr::NonNull::<F>::dangling().read()(lua) }.count()
        }
        const { assert!(size_of::<F>() == 0, "a continuation captures nothing") };
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here.
        unsafe { sys::lua_callk(lua, arguments, 1, 0, Some(resume::<F>)) };
        then(lua)
    }
}

/// Yields cannot pass a C function.
#[cfg(feature = "_no_continuations")]
mod tail {
    pub(crate) use super::protected::protected_call_then;
    use super::*;

    /// Raises an error where the thread's stack is nearly used up: LuaJIT does not count C functions that call each other.
    ///
    /// # Safety
    /// - *Live*.
    /// - *Raise*.
    unsafe fn check_depth(lua: *mut lua_State) {
        if cfg!(feature = "luajit") && crate::code::is_stack_short() {
            // SAFETY: *Live* and *Raise*, kept by the caller.
            unsafe { sys::luaL_error(lua, c"C stack overflow".as_ptr()) };
        }
    }

    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    pub(crate) unsafe fn tail_call(lua: *mut lua_State, arguments: c_int) -> Results {
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here; `base` is the stack height below the function.
        unsafe {
            check_depth(lua);
            let base = sys::lua_gettop(lua) - arguments - 1;
            sys::lua_call(lua, arguments, sys::LUA_MULTRET);
            Results::new(sys::lua_gettop(lua) - base)
        }
    }

    /// # Safety
    /// - *C function*; the call is the last thing that the running one does.
    /// - *Raise*.
    /// - The function and its arguments are on top of the stack.
    /// - `then` captures nothing.
    pub(crate) unsafe fn call_then<F>(lua: *mut lua_State, arguments: c_int, then: F) -> Results
    where
        F: Fn(*mut lua_State) -> Results + Copy,
    {
        // SAFETY: *C function* and *Raise*, kept by the caller, which ends here.
        unsafe {
            check_depth(lua);
            sys::lua_call(lua, arguments, 1);
        }
        then(lua)
    }
}

#[cfg(feature = "_main_thread")]
mod thread {
    use super::*;

    /// A thread of the Lua state that lives as long as it: callbacks outside of any call run there.
    ///
    /// # Safety
    /// - *Room* for 2.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn main_thread(lua: *mut lua_State) -> *mut lua_State {
        // SAFETY: *Room* for 2 and *Raise*, kept by the caller; the registry keeps the thread alive.
        unsafe {
            sys::lua_rawgeti(lua, sys::LUA_REGISTRYINDEX, sys::LUA_RIDX_MAINTHREAD);
            let main = sys::lua_tothread(lua, -1);
            sys::lua_pop(lua, 1);
            main
        }
    }
}

/// The registry does not say which thread is the main one, so callbacks have one of their own.
#[cfg(feature = "_no_main_thread")]
mod thread {
    use super::*;

    /// # Safety
    /// - *Room* for 2.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn main_thread(lua: *mut lua_State) -> *mut lua_State {
        // SAFETY: *Room* for 2 and *Raise*, kept by the caller; the registry keeps the thread alive.
        unsafe {
            let thread = sys::lua_newthread(lua);
            sys::lua_rawsetp(lua, sys::LUA_REGISTRYINDEX, thread.cast());
            thread
        }
    }
}

#[cfg(feature = "luau")]
mod thread {
    use super::*;

    /// # Safety
    /// - *Room* for 2.
    /// - *Raise* (out of memory).
    pub(crate) unsafe fn main_thread(lua: *mut lua_State) -> *mut lua_State {
        // SAFETY: *Room* for 2 and *Raise*, kept by the caller.
        unsafe { sys::lua_mainthread(lua) }
    }
}

/// `lua_error` is a `longjmp`: it passes `catch_unwind` unseen.
#[cfg(feature = "_longjmp")]
mod errors {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Runs `f`, which may raise Lua errors; a panic is returned.
    pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
        catch_unwind(AssertUnwindSafe(f))
    }
}

/// `lua_error` is an exception, which `catch_unwind` would catch (and end the process): a panic is told from it by where
/// it began.
#[cfg(feature = "_exceptions")]
mod errors {
    use super::*;

    /// Runs `f`, which may raise Lua errors. A panic ends the process, with its message, before it reaches the frames of
    /// Lua: there is no way to stop it that would let the errors pass.
    pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
        /// Whether a panic was on its way before `f` began.
        struct Guard(bool);
        impl Drop for Guard {
            fn drop(&mut self) {
                if std::thread::panicking() && !self.0 {
                    eprintln!("cthunk: internal error: a panic cannot pass this Lua's frames");
                    std::process::abort();
                }
            }
        }
        let _guard = Guard(std::thread::panicking());
        Ok(f())
    }
}

/// Whether a function is the one that opens LuaJIT's own `ffi`.
///
/// # Errors
/// Out of memory.
#[cfg(feature = "luajit")]
pub(crate) fn opens_luajits_ffi(lua: &mlua::Lua, loader: &mlua::Function) -> mlua::Result<bool> {
    let mut theirs = false;
    let found = &mut theirs;
    // SAFETY: a protected call with the loader on the stack; the address is LuaJIT's.
    unsafe {
        lua.exec_raw::<()>(loader, move |lua| {
            let opens: sys::lua_CFunction = sys::luaopen_ffi;
            *found = sys::lua_tocfunction(lua, 1).is_some_and(|f| f as usize == opens as usize);
            sys::lua_settop(lua, 0);
        })?;
    }
    Ok(theirs)
}

/// Whether a function is the one that opens LuaJIT's own `ffi`: there is none.
///
/// # Errors
/// None.
#[cfg(not(feature = "luajit"))]
pub(crate) fn opens_luajits_ffi(_: &mlua::Lua, _: &mlua::Function) -> mlua::Result<bool> {
    Ok(false)
}

/// Makes `require` call a loader for a name.
///
/// # Errors
/// Out of memory; a `package` library that is not there.
#[cfg(not(feature = "luau"))]
pub(crate) fn preload(lua: &mlua::Lua, name: &str, loader: &mlua::Function) -> mlua::Result<()> {
    let package = lua.globals().get::<mlua::Table>("package")?;
    package.get::<mlua::Table>("preload")?.set(name, loader)
}

/// Makes `require` give what a loader returns, for `@` and a name.
///
/// # Errors
/// Out of memory.
#[cfg(feature = "luau")]
pub(crate) fn preload(lua: &mlua::Lua, name: &str, loader: &mlua::Function) -> mlua::Result<()> {
    lua.register_module(&format!("@{name}"), loader.call::<mlua::Value>(name)?)
}
