//! The `ffi` table of a Lua state, in rooms. A room imports from those above it only; `tests/rooms.rs` fails on everything else.
//!
//! | room | |
//! |---|---|
//! | `vm` | Lua itself: its versions, its C API, its memory |
//! | `state` | one Lua state's knowledge of C, and the guard that every C function runs behind |
//! | `types` | facts about C types that the run time asks for |
//! | `sandbox` | prohibitions and limits of a policy |
//! | `value` | C values: cdata and conversions |
//! | `callback` | calls from C to Lua |
//! | `call` | calls from Lua to C |
//! | `object` | values and types as Lua objects: metatables, keys, operators |
//! | `fast` | fast paths: operations of the rooms above without Lua's C API |
//! | `library` | the functions of the `ffi` table |
//! | `luajit` | LuaJIT mode |
//! | [`embed`] | the host's side: [`Ffi`], the command, `require` |
//!
//! Everything here runs inside Lua C functions, each behind `state::guard`; `state` has the rules. A checked state has no fast paths, nor has a state
//! whose interpreter `vm::probe` does not recognise. `ARCHITECTURE.md` draws the way of a call and of a callback.

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

pub use call::route::compile_after;
pub use callback::other_thread::Waker;
pub use embed::host::{preload, run_file};
pub use embed::{Builder, Ffi};
pub use library::{open, open_raw};
pub use luajit::{open as open_luajit, open_raw as open_luajit_raw};
pub use sandbox::seal;
pub use vm::api::Results;
