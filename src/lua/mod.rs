//! The `ffi` table of a Lua state.
//!
//! ```text
//! api        Lua versions, stack operations          ctypes      ctype objects, type arguments
//! state      Cx, State, errors, the guard            functions   ffi.new, ffi.cast, ffi.sizeof …
//! kind       types as the run time asks about them   clib        ffi.C, ffi.load
//! cdata      C values that Lua holds                 convert     Lua → C, C ↔ C (scalar: numbers in memory)
//! index      value[key]                              push        C → Lua
//! arith      operators                               initialize  tables and lists for aggregates
//! print      tostring                                metatype    metatables, ffi.metatype, ffi.gc
//! call       C functions as closures                 operands    their thunks on the Lua stack
//! variadic   ... and what its thunk depends on       in_place    the same without the C API
//! probe      whether api::layout holds               helpers     what thunks call
//! stack      Lua's memory, for code in place         access      index in place
//! place      objects in C memory, the same           memory      ffi.string, ffi.copy, ffi.fill in place
//! make       ffi.new in place                        recast      ffi.cast to callbacks in place
//! interpret  calls without a thunk                   target      ffi.target
//! general    the same through the C API              head        what code in place reads of a state
//! guest      32-bit code in a 64-bit process         reentry     calls of C that may come back
//! callback   C functions that call Lua               enter       their calls
//! quick      the same in place                       stock       cdata for their arguments
//! foreign    their calls from other threads          methods     callback:free() …
//! deferred   their calls while Lua runs: signals   traceback   ffi.traceback
//! upvalues   debug.setupvalue
//! last_words what is said of their errors if the process ends before
//! shelf      values that are kept in place           host        the command and `require`
//! options    ffi.option                              reflect     ffi.fields, ffi.info
//! constant   constants, ffi.eval                     luajit      LuaJIT mode
//! scope      ffi.scope                               permit      what the policy forbids
//! inventory  what a table uses                       part        how access reads and writes
//! remembered strings that ffi.string read            stride      arith of pointers in place
//! overload   operators of metatypes in place         link        how callbacks find their state
//! view       casts of pointers in place              recall      what these remember of cdata
//! budget     memory that scripts ask for            embed       the host's side: Ffi
//! bounds     which elements there are               compatible which pointers convert to which
//! wide       wchar_t strings                       extended   long double in full precision
//! ```
//!
//! In a checked state (`region` knows memory, `extent` what a cdata reaches, `contract` what a call needs) nothing of that is in
//! place.
//!
//! Everything here runs inside Lua C functions, each behind `state::guard`: see `state` for the rules.

mod access;
pub(crate) mod api;
mod arith;
mod bounds;
mod budget;
mod call;
mod callback;
mod cdata;
mod clib;
mod compatible;
mod constant;
mod contract;
mod convert;
mod ctypes;
mod deferred;
pub mod embed;
mod enter;
mod explain;
mod extended;
mod extent;
mod foreign;
mod functions;
mod general;
mod guest;
mod head;
mod helpers;
mod host;
mod in_place;
mod index;
mod initialize;
mod interpret;
mod inventory;
mod kind;
mod last_words;
mod link;
mod luajit;
mod make;
mod memory;
mod metatype;
mod methods;
mod operands;
mod options;
mod overload;
mod part;
mod permit;
mod place;
mod print;
mod probe;
mod push;
mod quick;
mod recall;
mod recast;
mod reentry;
mod reflect;
mod region;
mod remembered;
mod scalar;
mod scope;
mod seal;
mod shelf;
mod stack;
mod state;
mod stock;
mod stride;
mod target;
mod task;
mod traceback;
mod upvalues;
mod variadic;
mod view;
mod wide;

pub use embed::{Builder, Ffi};
pub use foreign::Waker;
pub use host::{preload, run_file};
pub use interpret::compile_after;
pub use luajit::open_raw as open_luajit_raw;
pub use seal::seal;

use std::ffi::c_int;
use std::ptr;

use crate::ctype::TypeId;
pub use api::Results;
use api::lua_State;
use clib::Code;
use clib::system::{ARCH, Library, OS};
use head::Head;
use state::{Anchor, Cx, State, guard};

/// The `ffi` table of a Lua state, made at the first call.
///
/// # Errors
/// Out of memory.
///
/// # Safety
/// Scripts that can use the table do nothing with it that would be undefined behaviour in C. [`Ffi`] has tables for scripts
/// that might.
pub unsafe fn open(lua: &mlua::Lua) -> mlua::Result<mlua::Table> {
    // SAFETY: `open_raw` leaves the table on top of the stack.
    unsafe {
        lua.exec_raw((), |lua| {
            open_raw(lua);
        })
    }
}

/// Puts a Lua state into LuaJIT mode (`docs/luajit-mode.md`) and returns its `ffi` table.
///
/// # Errors
/// Out of memory; in Luau, which cannot load source text.
///
/// # Safety
/// As for [`open`].
pub unsafe fn open_luajit(lua: &mlua::Lua) -> mlua::Result<mlua::Table> {
    // SAFETY: `open_luajit_raw` leaves the table on top of the stack.
    unsafe {
        lua.exec_raw((), |lua| {
            open_luajit_raw(lua);
        })
    }
}

/// Pushes the `ffi` table of a Lua state, made at the first call, and returns that: the body of `luaopen_ffi`.
///
/// # Safety
/// `lua` is a live state of the Lua version that the crate is compiled for, in a C function or protected call.
pub unsafe fn open_raw(lua: *mut lua_State) -> Results {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(all(unix, feature = "module"))]
        clib::system::stay();
        let made = State::ensure(lua);
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
/// As for [`open_raw`]; the head is that of the state.
unsafe fn push_library_in(lua: *mut lua_State, head: *const Head) {
    // SAFETY: the caller's promise.
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
    upvalues::guard_debug(cx);
}

/// Pushes a new `ffi` table, of the scope at an index (0: of the outermost one).
fn push_library(cx: &Cx<'_>, scope: c_int) {
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
        // `make::NEW` knows the type texts of the outermost scope only.
        let new = scope == 0 && cx.state.makes_in_place();
        let new = new.then_some((&b"new"[..], make::NEW));
        let cast = (scope == 0).then_some((&b"cast"[..], recast::CAST));
        for (name, function) in memory::FUNCTIONS.into_iter().chain(new).chain(cast) {
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
