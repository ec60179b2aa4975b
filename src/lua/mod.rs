//! The `ffi` table of a Lua state, in rooms. A room imports from those above it only; `tests/rooms.rs` fails on everything else.
//!
//! | room | |
//! |---|---|
//! | `vm` | Lua itself: its versions, its C API, its memory |
//! | `state` | what one Lua state knows about C, and the gate that every C function goes through |
//! | `types` | C types as the run time asks about them |
//! | `sandbox` | what a policy forbids and limits |
//! | `value` | C values: cdata and conversions |
//! | `callback` | calls from C to Lua |
//! | `call` | calls from Lua to C |
//! | `object` | values and types as Lua objects: metatables, keys, operators |
//! | `fast` | fast paths: operations of the rooms above without Lua's C API |
//! | `library` | the functions of the `ffi` table |
//! | `luajit` | LuaJIT mode |
//! | [`embed`] | the host's side: [`Ffi`], the command, `require` |
//!
//! Everything here runs inside Lua C functions, each behind `state::guard`: see `state` for the rules. A checked state, and one
//! whose interpreter `vm::probe` does not recognise, has no fast paths.

#![allow(
    clippy::missing_safety_doc,
    reason = "about a hundred private functions of these rooms have no `# Safety` section yet"
)]

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
pub use library::{open, open_raw};
pub use luajit::{open as open_luajit, open_raw as open_luajit_raw};
pub use sandbox::seal;
pub use vm::api::Results;
