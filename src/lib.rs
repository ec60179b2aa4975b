//! C functions as compiled Lua functions: an FFI for Lua with the API of LuaJIT's.
//!
//! ```text
//! C text ─ctype→ types ─abi→ plan ─lower→ Cranelift IR or i686 bytes ─code→ thunk ─lua→ closure     a call: Lua → Frame → C
//!                                  └→ explain, emit                                                 a callback: C → Frame → Lua
//! ```
//!
//! A *plan* gives the place of each byte of a call, by a calling convention, which is a table. A *thunk* is machine code that carries a
//! plan out. A *Frame* is plain memory with a slot for the result and one for each argument; every thunk translates between a native convention
//! and a Frame, or Lua's stack. `ARCHITECTURE.md` in the repository draws the way of a call and of a callback.
//!
//! | module | what it knows |
//! |---|---|
//! | [`target`] | triples and data models |
//! | [`ctype`] | C declarations: parsing, types, layouts, printing |
//! | [`abi`] | calling conventions as tables; from a signature to a [`abi::CallPlan`] |
//! | [`lower`] | from a plan to Cranelift IR: call thunks and callback bodies |
//! | [`code`] | executable memory, compilation, native stubs, the thunk cache |
//! | [`native`] | C functions called from Rust, without Lua |
//! | `lua` | the `ffi` table, cdata, conversions, calls both ways |
//! | `emit` | thunks as object files (feature `emit`) |
//! | `fuzz` | random functions against C compilers (feature `fuzz-abi`) |
//! | [`policy`] | what a script may do |
//! | [`explain`] | plan, CLIF and machine code of a declaration, as text |
//!
//! # What this version supports
//!
//! Hosts: x86-64 Linux, which also runs 32-bit x86 code, through [`code::gate`]; 32-bit x86 Linux, without generated thunks. Lua 5.1 to 5.5,
//! LuaJIT and Luau, through mlua: one feature each. By value: integers, `_Bool`, enums, pointers, `float`, `double`, `long double`, half and
//! quad floats, complex numbers, `__int128`, structs and unions, vectors of at most 32 bytes, and `...` in calls, by the conventions of
//! `docs/abi.md`. Thunks for AArch64 and riscv64 can be emitted as object files. Everything else is an [`Error`] that names the reason.
//!
//! # Trust
//!
//! A script with an open `ffi` table ([`Ffi::open`], [`lua::open`]) can read and write all memory of the process, as with LuaJIT's library.
//! Therefore these functions are `unsafe`. [`Ffi::builder`] installs a table under a [`Policy`], for scripts that the host does not trust:
//! `docs/embedding.md`, `docs/security.md`.

pub mod abi;
pub mod code;
pub mod ctype;
#[cfg(feature = "emit")]
pub mod emit;
mod error;
pub mod explain;
#[cfg(all(feature = "fuzz-abi", unix))]
pub mod fuzz;
pub mod lower;
#[cfg(feature = "lua")]
pub mod lua;
pub mod native;
pub mod policy;
mod suggest;
pub mod target;

/// The mlua that [`Ffi`] works with.
#[cfg(feature = "lua")]
pub use mlua;

pub use code::Mode;
pub use error::Error;
#[cfg(feature = "lua")]
pub use lua::{Builder, Ffi};
pub use policy::Policy;
pub use target::Target;
