//! C functions as compiled Lua functions: an FFI for Lua with the API of LuaJIT's, for hosts that embed Lua by [mlua].
//!
//! ```
//! use cthunk::{Ffi, Policy};
//!
//! fn add(a: i32, b: i32) -> i32 {
//!     a + b
//! }
//!
//! let lua = mlua::Lua::new();
//! let ffi = Ffi::builder().policy(Policy::declared_only()).global("ffi").install(&lua)?;
//! ffi.declare_types("typedef struct { double x, y; } point;")?;
//! ffi.function("int add(int a, int b);", add)?;
//! let y: f64 = lua.load("return ffi.new('point', 1, ffi.C.add(1, 2)).y").eval()?;
//! assert_eq!(y, 3.0);
//! # Ok::<(), mlua::Error>(())
//! ```
//!
//! # What a host needs
//!
//! | type | for |
//! |---|---|
//! | [`Sandbox`] | a Lua state for scripts that nobody trusts, with an `ffi` table and bounds of time, steps and memory |
//! | [`Ffi`] | an `ffi` table in a Lua state, and what the host does with it: declare, load, expose functions, lend memory |
//! | [`Builder`] | installs one: under a policy, as a global variable, for `require` |
//! | [`Policy`] | permissions, allowed names and limits of a table |
//! | [`Permissions`], [`Limits`] | the parts of a policy |
//! | [`CValue`] | a C value that Lua holds |
//! | [`Counters`] | counts of a table's libraries, symbols, thunks, callbacks and bytes |
//! | [`Error`] | an error of a declaration, a plan, or a call without Lua |
//!
//! [`lua::preload`] and [`lua::open`] are for scripts that the host trusts like its own code; [`lua::seal`] is for other scripts. Without Lua,
//! [`native::Function`] calls C functions from Rust.
//!
//! # Trust
//!
//! A script with an open `ffi` table ([`Ffi::open`], [`lua::open`]) can read and write all memory of the process, as with LuaJIT's library.
//! Therefore these functions are `unsafe`. [`Sandbox`] is for scripts that the host does not trust; [`Ffi::builder`] installs a table under a [`Policy`] in a
//! Lua state that the host makes:
//! `docs/embedding.md`, `docs/security.md`.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `lua54` | yes | Lua 5.4 |
//! | `lua51`, `lua52`, `lua53`, `lua55`, `luajit`, `luau` | | another Lua, instead: exactly one, with `default-features = false`. Each is mlua's of the same name |
//! | `vendored` | yes | mlua builds Lua from source |
//! | `module` | | for a module that an interpreter loads: Lua's symbols are the interpreter's |
//! | `send` | | mlua's: [`Ffi`] and [`CValue`] can go to other threads |
//! | `async` | | mlua's: `ffi.async` lets other futures run |
//! | `emit` | | module `emit`: thunks as object files |
//! | `riscv64` | | machine code for riscv64, to emit |
//! | `fuzz-abi` | | module `fuzz`: random functions against C compilers |
//!
//! Without a Lua, and so without mlua, the crate is a parser of C declarations, the calling conventions, and [`native::Function`].
//!
//! # mlua
//!
//! The crate works with the Lua states of one version of mlua. It is a public dependency, re-exported as [`mlua`](mod@mlua). A host that depends on
//! mlua itself needs the same version (0.12), or uses `cthunk::mlua`. The crate also accesses Lua's memory directly, by the layouts of the Lua versions
//! that mlua vendors. It proves the layout when a state is opened, and uses Lua's C API if the proof fails. `bytemuck` 1 is a public dependency,
//! too: structs that implement its `Pod` can be lent to scripts.
//!
//! # Versions
//!
//! The least Rust version is 1.95; a later one is a minor change of this crate. Semantic versioning holds for the types above, the items of
//! [`lua`], [`policy`] and [`native`], and for the behaviour that scripts see. The other modules are the compiler's rooms: public for tools and tests,
//! and free to change with each release. A new version of mlua is a breaking change.
//!
//! # What this version supports
//!
//! Hosts: x86-64 Linux, which also runs 32-bit x86 code, through [`code::gate`]; 32-bit x86 Linux, without generated thunks. Lua 5.1 to 5.5,
//! LuaJIT and Luau, through mlua: one feature each. By value: integers, `_Bool`, enums, pointers, `float`, `double`, `long double`, half and
//! quad floats, complex numbers, `__int128`, structs and unions, vectors of at most 32 bytes, and `...` in calls, by the conventions of
//! `docs/abi.md`. Thunks for AArch64 and riscv64 can be emitted as object files. Everything else is an [`Error`] that names the reason.
//!
//! # The compiler's rooms
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
//! | module | knows |
//! |---|---|
//! | [`target`] | triples and data models |
//! | [`preprocess`] | C's preprocessor |
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
//! [mlua]: https://docs.rs/mlua
// The documentation on docs.rs marks the items of a feature.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without Lua these links lead nowhere.
#![cfg_attr(not(feature = "lua"), allow(rustdoc::broken_intra_doc_links))]

pub mod abi;
pub mod code;
pub mod ctype;
#[cfg(feature = "emit")]
pub mod emit;
mod error;
pub mod explain;
#[cfg(feature = "fuzz-abi")]
pub mod fuzz;
pub mod lower;
#[cfg(feature = "lua")]
pub mod lua;
pub mod native;
pub mod policy;
pub mod preprocess;
mod suggest;
pub mod target;

/// The mlua that [`Ffi`] works with.
#[cfg(feature = "lua")]
pub use mlua;

pub use code::Mode;
pub use error::Error;
#[cfg(feature = "lua")]
pub use lua::embed::{Builder, CValue, Counters, Ffi, Refused, Sandbox, SandboxBuilder};
pub use policy::{Limits, Permissions, Policy};
pub use target::Target;
