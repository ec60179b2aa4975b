//! C functions as compiled Lua functions: an FFI for Lua with the API of LuaJIT's.
//!
//! ```text
//!             pure: no unsafe, no host, no Lua                     target code              host only, unsafe
//! C text ─lex→ tokens ─parse→ types + signature ─layout→ sizes ─abi::plan→ CallPlan ─lower→ CLIF ─code→ address ─lua→ closure
//!                                                                 └──────── explain → text
//! C caller → callback stub → body (the same plan, read backwards) → Frame → lua::callback (protected call) → Frame → C caller
//! ```
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
//! Hosts: x86-64 Linux, with 32-bit x86 code behind [`code::gate`]. Lua 5.4, through mlua. By value: integers, `_Bool`, enums, pointers, `float`, `double`, `long double`,
//! half and quad floats, complex numbers, `__int128`, structs and unions, vectors of at most 32 bytes, and `...` in calls; by the
//! conventions of `docs/abi.md`, of which those of AArch64 and riscv64 can be emitted. Everything else is an [`Error`] that says so.
//!
//! # Trust
//!
//! A script that has an open `ffi` ([`Ffi::open`], [`lua::open`]) can read and write all memory of the process, as with LuaJIT's: these
//! are `unsafe`. [`Ffi::builder`] installs one under a [`Policy`], for code that nobody trusts: `docs/embedding.md`, `docs/security.md`.

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

pub use code::Mode;
pub use error::Error;
#[cfg(feature = "lua")]
pub use lua::{Builder, Ffi};
pub use policy::Policy;
pub use target::Target;
