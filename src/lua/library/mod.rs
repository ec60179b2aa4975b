//! The `ffi` table.
//!
//! | module | |
//! |---|---|
//! | [`functions`] | `ffi.sizeof`, `ffi.offsetof`, `ffi.istype` and others |
//! | [`clib`] | `ffi.C`, `ffi.load` |
//! | [`target`] | `ffi.target` |
//! | [`explain`] | `ffi.explain` |
//! | [`exposed`] | functions of the host |
//! | [`option`] | `ffi.option` |
//! | [`rooms`] | the parts of a state, and how it closes |
//! | [`setupvalue`] | `debug.setupvalue` beside this library |

pub(in crate::lua) mod clib;
mod explain;
pub(in crate::lua) mod exposed;
pub(in crate::lua) mod functions;
mod option;
pub(in crate::lua) mod rooms;
mod setupvalue;
pub(in crate::lua) mod target;

use std::cell::RefCell;
use std::ffi::c_int;
use std::ptr;
use std::rc::Rc;

#[cfg(feature = "module")]
use crate::code::os;
use crate::code::os::Library;
use crate::ctype::TypeId;
use crate::lua::fast;
use crate::lua::object::print;
use crate::lua::object::{ctypes, metatype};
use crate::lua::sandbox::region;
use crate::lua::state::head::Head;
use crate::lua::state::machine::Runs;
use crate::lua::state::rooms::{Part, Room};
use crate::lua::state::{self, Anchor, Cx, LuaError, Outcome, State, entry, guard};
use crate::lua::types::scope;
use crate::lua::value::cdata;
use crate::lua::vm::api::{Results, lua_State};
use clib::Code;
use clib::guest;

/// The libraries of a state.
#[derive(Default)]
pub(in crate::lua) struct Libraries {
    /// Those that are open.
    open: clib::Open,
    /// The functions that the host gives scripts to call.
    exposed: exposed::Exposed,
    /// The guest's that `ffi.C` searches, in the order in which they were loaded.
    guest_globals: RefCell<Vec<Rc<guest::Library>>>,
}

// SAFETY: the only part of its room.
unsafe impl Part for Libraries {
    const ROOM: Room = Room::Library;
}

/// The `ffi` table of a Lua state, made at the first call.
///
/// # Errors
/// Out of memory.
///
/// # Safety
/// Scripts that can use the table do nothing with it that would be undefined behaviour in C. [`Ffi`](crate::Ffi) has tables for scripts
/// that might.
pub unsafe fn open(lua: &mlua::Lua) -> mlua::Result<mlua::Table> {
    // SAFETY: `open_raw` leaves the table on top of the stack.
    unsafe {
        lua.exec_raw((), |lua| {
            open_raw(lua);
        })
    }
}

/// Pushes the `ffi` table of a Lua state, made at the first call, and returns that: the body of `luaopen_ffi`.
///
/// # Safety
/// `lua` is a live state of the Lua version that the crate is compiled for, in a C function or protected call.
pub unsafe fn open_raw(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*, kept by the caller.
    unsafe {
        #[cfg(feature = "module")]
        os::stay();
        let made = State::ensure(lua, &rooms::ROOMS);
        guard(lua, |cx| {
            if made {
                make_library(cx);
            }
            cx.push_anchor(Anchor::Library);
            Ok(1)
        })
    }
}

/// Pushes the new `ffi` table of a state that was just made.
///
/// # Safety
/// - *C function* (see `vm`), or a protected call.
/// - *Head* (see `state`): it is not null.
pub(in crate::lua) unsafe fn push_library_in(lua: *mut lua_State, head: *const Head) {
    // SAFETY: *C function* and *Head*, kept by the caller.
    unsafe {
        state::guard_in(lua, head, |cx| {
            make_library(cx);
            cx.push_anchor(Anchor::Library);
            Ok(1)
        });
    }
}

fn make_library(cx: &Cx<'_>) {
    cx.make_anchors();
    metatype::make_metamethods(cx);
    ctypes::make_metatable(cx);
    fast::install(cx);
    let host = cx.state.machine.runs == Runs::Host;
    match host {
        true => print::install_function_metatable(cx),
        false => print::add_function_printer(cx),
    }
    scope::make_metatable(cx);
    if cx.state.checked() {
        region::make_tables(cx);
    }
    push_library(cx, 0);
    cx.set_anchor(Anchor::Library);
    setupvalue::guard_debug(cx);
}

/// Pushes a new `ffi` table, of the scope at an index (0: of the outermost one).
pub(in crate::lua) fn push_library(cx: &Cx<'_>, scope: c_int) {
    let host = cx.state.machine.runs == Runs::Host;
    let own = if host { &[][..] } else { &guest::FUNCTIONS };
    cx.new_table(0, functions::FUNCTIONS.len() as c_int + 8);
    let scopes = [(&b"scope"[..], entry(self::scope))];
    for &(name, function) in
        functions::FUNCTIONS.iter().chain(&target::FUNCTIONS).chain(&scopes).chain(own)
    {
        if scope != 0 {
            cx.push_value(scope);
        }
        cx.push_function(function, c_int::from(scope != 0));
        cx.raw_set_name(-2, name);
    }
    fast::install_functions(cx, scope == 0);
    let (os, arch) = cx.state.machine.target.luajit_names();
    for (name, value) in [(&b"os"[..], os), (b"arch", arch)] {
        cx.push_bytes(value.as_bytes());
        cx.raw_set_name(-2, name);
    }
    match scope {
        0 => cx.push_nil(),
        scope => cx.push_value(scope),
    }
    clib::push(cx, if host { Code::Host(Library::default()) } else { Code::GuestGlobals });
    cx.raw_set_name(-2, b"C");
    cdata::push_pointer(cx, TypeId::VOID_POINTER.into(), ptr::null_mut(), 0);
    for name in [&b"nullptr"[..], b"NULL"] {
        cx.push_value(-1);
        cx.raw_set_name(-3, name);
    }
    cx.pop(1);
}

/// `ffi.scope()`: a new table like the one that the function is from. It sees the declarations of that one; what is declared
/// with it is seen by it alone and by scopes inside it. A namespace keeps what it has given out under a name, whatever the
/// scope declares later.
fn scope(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    cx.set_top(0);
    scope::push_new(cx);
    push_library(cx, 1);
    Ok(Outcome::results(1))
}
