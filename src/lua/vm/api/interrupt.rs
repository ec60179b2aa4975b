//! Charges of a [`Budget`] while Lua code runs, and its end, which no Lua code catches (TIME-1, TIME-2).
//!
//! | | the budget is charged |
//! |---|---|
//! | Lua 5.1 to 5.5, LuaJIT's interpreter | by a hook: every so many instructions, and at calls where values may be large |
//! | Luau | at each call and each turn of a loop |
//!
//! Once a budget is spent, each instruction raises the error again. So code that catches the error ([`push_handler`]: as a message handler)
//! goes no further. New coroutines inherit the hook.
//!
//! A hook does not run inside a hook. Lua 5.4 leaves a coroutine that a hook has ended in that condition, so its variables must not be closed any
//! more ([`is_ended`]).

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use mlua::ffi as sys;

use super::{COLLECTS_WHEN_FULL, Results, lua_State, new_collected, set_collector};
use crate::lua::vm::budget::{Budget, Spent};

pub(crate) use version::is_ended;

/// The registry key of the budget's userdata is the address of this.
static BUDGET: u8 = 0;

/// Gives a Lua state a budget, before it makes coroutines or the `ffi` table.
///
/// # Safety
/// - *Room* for 4.
/// - *Raise* (out of memory).
pub(crate) unsafe fn watch(lua: *mut lua_State, budget: &Arc<Budget>) {
    /// # Safety
    /// - Lua alone calls it, with the block of a budget's userdata.
    unsafe extern "C" fn let_go(_: *mut lua_State, block: *mut c_void) {
        // SAFETY: the block holds null, or what `into_raw` gave, which goes once.
        unsafe {
            let budget = block.cast::<*const Budget>().replace(ptr::null());
            if !budget.is_null() {
                drop(Arc::from_raw(budget));
            }
        }
    }
    // SAFETY: *Room* for 4 and *Raise*, kept by the caller. The block holds null until nothing can raise any more.
    unsafe {
        let block = new_collected(lua, size_of::<*const Budget>(), let_go);
        let block = block.cast::<*const Budget>();
        block.write(ptr::null());
        sys::lua_createtable(lua, 0, 1);
        set_collector(lua, let_go);
        sys::lua_setmetatable(lua, -2);
        sys::lua_rawsetp(lua, sys::LUA_REGISTRYINDEX, (&raw const BUDGET).cast());
        block.write(Arc::into_raw(Arc::clone(budget)));
        version::watch(lua);
    }
}

/// The budget of a Lua state, null where it has none.
///
/// # Safety
/// - *Room*.
unsafe fn find(lua: *mut lua_State) -> *const Budget {
    // SAFETY: *Room*, kept by the caller; the registry keeps the userdata alive after the pop.
    unsafe {
        sys::lua_rawgetp(lua, sys::LUA_REGISTRYINDEX, (&raw const BUDGET).cast());
        let block = sys::lua_touserdata(lua, -1).cast::<*const Budget>();
        sys::lua_pop(lua, 1);
        if block.is_null() { ptr::null() } else { *block }
    }
}

/// The budget of a Lua state, if it has one.
///
/// # Safety
/// - *Room*.
pub(crate) unsafe fn budget(lua: *mut lua_State) -> Option<Arc<Budget>> {
    // SAFETY: *Room*, kept by the caller; the userdata has one reference.
    unsafe {
        let budget = find(lua);
        (!budget.is_null()).then(|| {
            Arc::increment_strong_count(budget);
            Arc::from_raw(budget)
        })
    }
}

/// Raises the error that ends a script.
///
/// # Safety
/// - *Room* for 3.
/// - *Raise*.
unsafe fn end(lua: *mut lua_State, spent: Spent) {
    // SAFETY: *Room* and *Raise*, kept by the caller.
    unsafe { sys::luaL_error(lua, spent.text().as_ptr()) };
}

/// Bytes that Lua uses. Collects garbage if they are nearly all that there may be.
///
/// # Safety
/// - *Live*.
/// - *Raise*: finalisers run.
unsafe fn bytes(lua: *mut lua_State, budget: &Budget) -> usize {
    // SAFETY: *Live* and *Raise*, kept by the caller.
    unsafe {
        let used = || (sys::lua_gc(lua, sys::LUA_GCCOUNT, 0) as usize) << 10;
        let bytes = used();
        if COLLECTS_WHEN_FULL || !budget.is_full(bytes) {
            return bytes;
        }
        sys::lua_gc(lua, sys::LUA_GCCOLLECT, 0);
        let left = used();
        budget.collected(left);
        left
    }
}

/// Pushes a message handler that calls the handler on top of the stack, which it pops, unless the budget is spent.
///
/// # Safety
/// - *Room*.
/// - *Raise* (out of memory).
/// - The handler is on top.
pub(crate) unsafe fn push_handler(lua: *mut lua_State) {
    /// # Safety
    /// - *C function*: Lua calls it with the error.
    unsafe extern "C-unwind" fn handle(lua: *mut lua_State) -> Results {
        // SAFETY: *C function*; a handler may raise.
        unsafe {
            sys::lua_settop(lua, 1);
            let budget = find(lua);
            if budget.is_null() || (*budget).spent().is_none() {
                sys::lua_pushvalue(lua, sys::lua_upvalueindex(1));
                sys::lua_insert(lua, 1);
                sys::lua_call(lua, 1, 1);
            }
        }
        Results::ONE
    }
    // SAFETY: *Room* and *Raise*, and a value on top, kept by the caller.
    unsafe { sys::lua_pushcclosure(lua, super::for_lua(handle), 1) };
}

/// Hooks.
#[cfg(not(feature = "luau"))]
mod version {
    use std::ffi::c_int;

    use super::super::COUNTS_NO_DEPTH;
    use super::*;

    /// Each instruction, in a thread whose budget is spent.
    const EACH: c_int = 1;

    /// # Safety
    /// - *Live*.
    pub(super) unsafe fn watch(lua: *mut lua_State) {
        // SAFETY: *Live*, kept by the caller.
        unsafe { set(lua, MOST_AT_FIRST, COUNTS_NO_DEPTH) };
    }

    /// Instructions until the first charge.
    const MOST_AT_FIRST: c_int = 100;

    /// # Safety
    /// - *Live*.
    unsafe fn set(lua: *mut lua_State, count: c_int, calls: bool) {
        let calls = if calls { sys::LUA_MASKCALL } else { 0 };
        // SAFETY: *Live*, kept by the caller.
        unsafe { sys::lua_sethook(lua, Some(hook), sys::LUA_MASKCOUNT | calls, count) };
    }

    /// # Safety
    /// - Lua alone calls it: *Room* for `LUA_MINSTACK`, and *Raise*.
    unsafe extern "C-unwind" fn hook(lua: *mut lua_State, record: *mut sys::lua_Debug) {
        // SAFETY: *Room* and *Raise*; the budget lives as long as the Lua state.
        unsafe {
            let budget = find(lua);
            if budget.is_null() {
                return;
            }
            let count = sys::lua_gethookcount(lua);
            let steps = if (*record).event == sys::LUA_HOOKCOUNT { count } else { 1 };
            if let Err(spent) = (*budget).charge(steps as u64) {
                set(lua, EACH, true);
                return end(lua, spent);
            }
            let (next, large) = (*budget).interval(bytes(lua, &*budget));
            let calls = large || COUNTS_NO_DEPTH;
            let calls_now = sys::lua_gethookmask(lua) & sys::LUA_MASKCALL != 0;
            if (next as c_int, calls) != (count, calls_now) {
                set(lua, next as c_int, calls);
            }
            // Functions of the host that call Lua nest, too.
            if COUNTS_NO_DEPTH && crate::code::is_stack_short() {
                sys::luaL_error(lua, c"C stack overflow".as_ptr());
            }
        }
    }

    /// Whether a thread that is not running was ended by a hook: nothing of it may run again.
    ///
    /// # Safety
    /// - *Live*.
    pub(crate) unsafe fn is_ended(thread: *mut lua_State) -> bool {
        // SAFETY: *Live*, kept by the caller.
        unsafe {
            let failed = !matches!(sys::lua_status(thread), sys::LUA_OK | sys::LUA_YIELD);
            failed && sys::lua_gethookcount(thread) == EACH
        }
    }
}

/// The interrupt callback.
#[cfg(feature = "luau")]
mod version {
    use std::cell::Cell;
    use std::ffi::c_int;

    use super::*;

    /// Calls and turns from one look at the clock to the next, at most.
    const TURNS: u32 = 64;

    thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });

    /// # Safety
    /// - *Live*.
    pub(super) unsafe fn watch(lua: *mut lua_State) {
        // SAFETY: *Live*, kept by the caller.
        unsafe { (*sys::lua_callbacks(lua)).interrupt = Some(interrupt) };
    }

    /// # Safety
    /// - Luau alone calls it, and it may raise unless `collecting` says otherwise.
    unsafe extern "C-unwind" fn interrupt(lua: *mut lua_State, collecting: c_int) {
        if collecting >= 0 {
            return;
        }
        // SAFETY: the stack is made to have room; the budget lives as long as the Lua state.
        unsafe {
            if sys::lua_checkstack(lua, 4) == 0 {
                return;
            }
            let budget = find(lua);
            if budget.is_null() {
                return;
            }
            let count = COUNT.get().wrapping_add(1);
            COUNT.set(count);
            let (turns, large) = (*budget).interval(bytes(lua, &*budget));
            let turns = if large { 1 } else { turns.min(TURNS) };
            let charged = match count % turns {
                0 => (*budget).charge(1),
                _ => (*budget).take(1),
            };
            if let Err(spent) = charged {
                end(lua, spent);
            }
        }
    }

    /// # Safety
    /// None is needed: interrupts run in every thread.
    pub(crate) unsafe fn is_ended(_: *mut lua_State) -> bool {
        false
    }
}
