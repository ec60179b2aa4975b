//! Machine code: executable memory, compilation, native stubs, and the process-wide cache of thunks.
//!
//! A thunk depends only on its [`Shape`], so all Lua states of the process share it. Thunks are compiled once, at first use, and live as
//! long as the process.
//!
//! In [`Mode::Interpreted`] nothing here makes executable memory: [`FrameCall`] and [`Body`] read the plan instead.

mod arena;
#[cfg(feature = "lua")]
pub(crate) mod ending;
pub(crate) mod host;
mod interpreted;
pub(crate) mod locks;
mod mode;
mod module;
mod native_call;
mod near_data;
pub mod observe;
pub(crate) mod os;
mod pool;
mod registers;
mod room;
mod slot;
mod stubs;

use std::ffi::c_void;
use std::sync::{Mutex, RwLock};

use cranelift_codegen::ir;
use rustc_hash::{FxBuildHasher, FxHashMap};

pub use arena::called_from;
pub use host::gate;
pub use host::text::VECTOR_COUNT_STUB;
pub use host::{has_wide_registers, runs};
pub(crate) use interpreted::with_room;
pub use interpreted::{Body, FrameCall};
pub use mode::{Mode, verifies};
pub use native_call::NativeCall;
pub use os::Peek;
#[cfg(feature = "lua")]
pub(crate) use os::this_thread;
pub use pool::POOLED_CALLBACKS;
pub use registers::Registers;
pub use room::{LITTLE_STACK, check_stack, is_stack_short};
pub use slot::{DISPATCH_OFFSET, Slot};
pub use stubs::{Callback, announce_vectors};

use crate::abi::{self, CallPlan, Convention, Signature};
use crate::error::Error;
use crate::lower;
use locks::{Global, Rank};
use module::Compiler;

/// Everything that a thunk depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Which of a plan's thunks.
    pub kind: Kind,
    /// The name of the convention.
    pub convention: &'static str,
    /// The types that the convention sees.
    pub signature: Signature,
}

/// Which of a plan's thunks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `fn(target, frame)`
    FrameCall,
    /// `fn(registers, slot)`
    Callback,
    /// A `lua_CFunction`.
    Lua {
        /// How each argument and the result convert.
        conversions: Box<[u8]>,
        /// While code is [observed](observe), the function that the thunk is for.
        label: Option<Box<str>>,
    },
}

/// A finished piece of machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thunk {
    address: usize,
    size: u32,
}

impl Thunk {
    /// Its entry point.
    pub fn address(self) -> *const c_void {
        self.address as *const c_void
    }

    /// Bytes of code.
    pub fn size(self) -> u32 {
        self.size
    }
}

/// Counts of the process's code and callbacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Compiled thunks.
    pub thunks: usize,
    /// Bytes of their code.
    pub code_bytes: usize,
    /// Callbacks in use.
    pub callbacks: usize,
}

static CACHE: Global<RwLock<FxHashMap<Shape, Thunk>>> =
    Global::for_readers(Rank::Thunks, FxHashMap::with_hasher(FxBuildHasher));
static COMPILER: Global<Mutex<Option<Compiler>>> = Global::new(Rank::Compiler, None);

/// The thunk of a shape, if it is compiled.
pub fn find(kind: &Kind, signature: &Signature, convention: &Convention) -> Option<Thunk> {
    let shape =
        Shape { kind: kind.clone(), convention: convention.name, signature: signature.clone() };
    CACHE.read().get(&shape).copied()
}

/// The thunk of a shape, compiled by `build` if it is new.
///
/// # Errors
/// [`Error::Convention`] for one of another processor; [`Error::Unsupported`] from the plan; [`Error::Codegen`] and
/// [`Error::Memory`].
pub fn thunk(
    kind: Kind,
    signature: &Signature,
    convention: &'static Convention,
    build: impl FnOnce(lower::Context<'_>) -> ir::Function,
) -> Result<Thunk, Error> {
    let shape = Shape { kind, convention: convention.name, signature: signature.clone() };
    let cached = |shape: &Shape| CACHE.read().get(shape).copied();
    if let Some(thunk) = cached(&shape) {
        return Ok(thunk);
    }
    let shim = convention.is_i686();
    if !runs(convention) && !shim {
        return Err(host::not_here(convention));
    }
    let plan = abi::plan(signature, convention)?;
    debug_assert_eq!(abi::check(signature, &plan), Ok(()));
    host::check_registers(&plan)?;
    if shim {
        let thunk = i686_shim(&shape.kind, &plan)?;
        CACHE.write().insert(shape, thunk);
        return Ok(thunk);
    }
    let mut compiler = COMPILER.lock();
    if let Some(thunk) = cached(&shape) {
        return Ok(thunk);
    }
    let compiler = match &mut *compiler {
        Some(compiler) => compiler,
        none => none.insert(Compiler::new()?),
    };
    let thunk = compile(compiler, &shape, &plan, build)?;
    let mut cache = CACHE.write();
    cache.insert(shape, thunk);
    Ok(thunk)
}

/// A shim of a 32-bit plan, in memory of the guest.
fn i686_shim(kind: &Kind, plan: &CallPlan) -> Result<Thunk, Error> {
    let code = match kind {
        Kind::FrameCall => lower::x86::call_shim(plan)?,
        Kind::Callback => lower::x86::callback_shim(plan, Slot::BODY)?,
        _ => return Err(host::not_here(plan.convention)),
    };
    let address = gate::place(&code)?;
    Ok(Thunk { address: address as usize, size: code.len() as u32 })
}

fn compile(
    compiler: &mut Compiler,
    shape: &Shape,
    plan: &CallPlan,
    build: impl FnOnce(lower::Context<'_>) -> ir::Function,
) -> Result<Thunk, Error> {
    log::debug!("{:?} thunk, {}", shape.kind, abi::explain(plan, &[]));
    let function = build(compiler.context(plan));
    log::trace!("{}", function.display());
    compiler.compile(function, shape)
}

/// The thunk `fn(target, frame)` of a signature.
///
/// # Errors
/// As [`thunk`].
pub fn frame_call(signature: &Signature, convention: &'static Convention) -> Result<Thunk, Error> {
    thunk(Kind::FrameCall, signature, convention, lower::frame_call)
}

/// The body of the callbacks of a signature.
///
/// # Errors
/// As [`thunk`].
pub fn callback_body(
    signature: &Signature,
    convention: &'static Convention,
) -> Result<Thunk, Error> {
    thunk(Kind::Callback, signature, convention, |cx| lower::callback(cx, DISPATCH_OFFSET))
}

/// Calls `target` through a thunk of [`frame_call`].
///
/// # Safety
/// - `target` is a function of the thunk's signature and convention (for a variadic System V function:
///   [`announce_vectors`] of it).
/// - `frame` points to a frame of the plan's layout, its arguments filled in.
pub unsafe fn invoke(thunk: Thunk, target: *const c_void, frame: *mut u8) {
    // SAFETY: `frame_call` compiled this address as a function of exactly this type.
    let call: unsafe extern "C-unwind" fn(*const c_void, *mut u8) =
        unsafe { std::mem::transmute(thunk.address()) };
    // SAFETY: the caller keeps the contract above.
    unsafe { call(target, frame) }
}

/// The current counts of the process.
pub fn stats() -> Stats {
    let callbacks = stubs::in_use();
    let cache = CACHE.read();
    Stats {
        thunks: cache.len(),
        code_bytes: cache.values().map(|thunk| thunk.size as usize).sum(),
        callbacks,
    }
}
