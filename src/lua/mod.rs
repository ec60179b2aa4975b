//! The `ffi` table of a Lua state, in rooms. A room imports from those above it only; `tests/rooms.rs` fails on everything else.
//!
//! | room | |
//! |---|---|
//! | `vm` | Lua itself: its versions, its C API, its memory |
//! | `state` | what one Lua state knows about C, and the gate that every C function goes through |
//! | `types` | C types as the run time asks about them |
//! | `sandbox` | what a policy forbids and limits |
//! | `value` | C values: cdata, conversions, keys, operators |
//! | `object` | what scripts hold of types: ctypes, metatables |
//! | `call` | calls from Lua to C |
//! | `callback` | calls from C to Lua |
//! | `library` | the functions of the `ffi` table |
//! | `fast` | fast paths: operations of the rooms above without Lua's C API |
//! | [`embed`] | the host's side: [`Ffi`], the command, `require` |
//! | `luajit` | LuaJIT mode |
//!
//! Everything here runs inside Lua C functions, each behind `state::guard`: see `state` for the rules. A checked state, and one
//! whose interpreter `vm::probe` does not recognise, has no fast paths.

mod call;
mod callback;
pub mod embed;
mod fast;
mod library;
mod luajit;
mod object;
mod sandbox;
mod state;
mod types;
mod value;
mod vm;

pub use call::plan_fast::compile_after;
pub use callback::other_thread::Waker;
pub use embed::host::{preload, run_file};
pub use embed::{Builder, Ffi};
pub use luajit::open_raw as open_luajit_raw;
pub use sandbox::seal;
pub use vm::api::Results;

use state::{Anchor, State, guard};
use vm::api::lua_State;

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
        vm::system::stay();
        let made = State::ensure(lua);
        guard(lua, |cx| {
            if made {
                library::make_library(cx);
            }
            cx.push_anchor(Anchor::Library);
            Ok(1)
        })
    }
}
