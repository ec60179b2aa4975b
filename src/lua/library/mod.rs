//! The `ffi` table.
//!
//! | module | |
//! |---|---|
//! | [`functions`] | `ffi.new`, `ffi.cast`, `ffi.sizeof` … |
//! | [`clib`] | `ffi.C`, `ffi.load` |
//! | [`target`] | `ffi.target` |
//! | [`explain`] | `ffi.explain` |
//! | [`setupvalue`] | `debug.setupvalue` beside this library |

pub(in crate::lua) mod clib;
mod explain;
pub(in crate::lua) mod functions;
mod setupvalue;
pub(in crate::lua) mod target;

use std::ffi::c_int;
use std::ptr;

use crate::ctype::TypeId;
use crate::lua::call::guest;
use crate::lua::fast::{bytes, new, new_callback};
use crate::lua::object::{ctypes, metatype};
use crate::lua::sandbox::region;
use crate::lua::state::head::Head;
use crate::lua::state::{self, Anchor, Cx};
use crate::lua::types::scope;
use crate::lua::value::{cdata, print};
use crate::lua::vm::api::lua_State;
use crate::lua::vm::system::{ARCH, Library, OS};
use clib::Code;

/// Pushes the new `ffi` table of a state that was just made.
///
/// # Safety
/// As for [`open_raw`](crate::lua::open_raw); the head is that of the state.
pub(in crate::lua) unsafe fn push_library_in(lua: *mut lua_State, head: *const Head) {
    // SAFETY: the caller's promise.
    unsafe {
        state::guard_in(lua, head, |cx| {
            make_library(cx);
            cx.push_anchor(Anchor::Library);
            Ok(1)
        });
    }
}

pub(in crate::lua) fn make_library(cx: &Cx<'_>) {
    cx.make_anchors();
    metatype::make_metamethods(cx);
    ctypes::make_metatable(cx);
    let host = cx.state.machine.runs == target::Runs::Host;
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
    let host = cx.state.machine.runs == target::Runs::Host;
    let own = if host { &[][..] } else { &guest::library::FUNCTIONS };
    cx.new_table(0, functions::FUNCTIONS.len() as c_int + 8);
    for &(name, function) in functions::FUNCTIONS.iter().chain(&target::FUNCTIONS).chain(own) {
        if scope != 0 {
            cx.push_value(scope);
        }
        cx.push_function(function, c_int::from(scope != 0));
        cx.raw_set_name(-2, name);
    }
    if cx.state.in_place && !cx.state.checked() {
        // `new::NEW` knows the type texts of the outermost scope only.
        let new = scope == 0 && cx.state.makes_in_place();
        let new = new.then_some((&b"new"[..], new::NEW));
        let cast = (scope == 0).then_some((&b"cast"[..], new_callback::CAST));
        for (name, function) in bytes::FUNCTIONS.into_iter().chain(new).chain(cast) {
            cx.push_function(function, 0);
            cx.raw_set_name(-2, name);
        }
    }
    let (os, arch) = if host { (OS, ARCH) } else { cx.state.machine.target.luajit_names() };
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
