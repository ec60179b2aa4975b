//! Both directions of a call without generated code: [`crate::lower`]'s reader carries a plan out, between the [`Registers`] of a native entry or exit
//! and a Frame.

use std::ffi::c_void;
use std::ptr;
use std::sync::RwLock;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::host::{self, Host, Keep, Processor, runs};
use super::locks::{Global, Rank};
use super::native_call::x87_results;
use super::{Kind, Mode, NativeCall, Registers, Shape, Slot, Thunk};
use crate::abi::{self, CallPlan, Convention, FrameLayout, Signature};
use crate::error::Error;
use crate::lower;

/// A piece of memory that is aligned as the most aligned C value is.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Bytes of a Frame, or of stack arguments, that need no allocation.
const LITTLE: usize = 512;

/// Runs `f` on so many zeroed bytes, aligned to 64.
pub(crate) fn with_room<T>(bytes: usize, f: impl FnOnce(&mut [u8]) -> T) -> T {
    const LINES: usize = LITTLE / size_of::<Line>();
    let mut little = [Line([0; 64]); LINES];
    let mut large = Vec::new();
    let lines: &mut [Line] = match bytes.div_ceil(size_of::<Line>()) {
        lines if lines <= LINES => &mut little,
        lines => {
            large.resize(lines, Line([0; 64]));
            &mut large
        }
    };
    // SAFETY: lines are plain bytes, one beside the other.
    let all = unsafe {
        std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u8>(), size_of_val(lines))
    };
    f(&mut all[..bytes])
}

static PLANS: Global<RwLock<FxHashMap<Shape, &'static CallPlan>>> =
    Global::for_readers(Rank::Plans, FxHashMap::with_hasher(FxBuildHasher));

/// The plan of a shape; like a thunk, it is made once and lives as long as the process.
fn plan(
    signature: &Signature,
    convention: &'static Convention,
) -> Result<&'static CallPlan, Error> {
    let shape =
        Shape { kind: Kind::Callback, convention: convention.name, signature: signature.clone() };
    let plans = PLANS.read();
    if let Some(plan) = plans.get(&shape) {
        return Ok(plan);
    }
    drop(plans);
    if !runs(convention) {
        return Err(host::not_here(convention));
    }
    let plan = abi::plan(signature, convention)?;
    host::check_registers(&plan)?;
    let plan = Box::leak(Box::new(plan));
    debug_assert_eq!(abi::check(signature, plan), Ok(()));
    let mut plans = PLANS.write();
    Ok(plans.entry(shape).or_insert(plan))
}

/// How the functions of a type are called from a Frame, in the mode of the process.
#[derive(Clone, Copy)]
pub struct FrameCall(How);

#[derive(Clone, Copy)]
enum How {
    /// Through a thunk, and for a variadic System V function through [`super::announce_vectors`].
    Thunk {
        thunk: Thunk,
        announced: bool,
        /// [`CallPlan::stack_taken`]
        stack: usize,
    },
    Plan {
        plan: &'static CallPlan,
        native: NativeCall,
    },
}

impl FrameCall {
    /// For functions of a signature.
    ///
    /// # Errors
    /// As [`super::thunk`].
    pub fn of(signature: &Signature, convention: &'static Convention) -> Result<FrameCall, Error> {
        let made = abi::plan(signature, convention)?;
        let native = NativeCall::of(&made);
        let compiled = Mode::current() == Mode::Compiled;
        Ok(FrameCall(match native {
            Some(native) if !compiled || made.is_large() => {
                How::Plan { plan: plan(signature, convention)?, native }
            }
            _ if compiled => How::Thunk {
                thunk: super::frame_call(signature, convention)?,
                announced: made.vector_count.is_some(),
                stack: made.stack_taken(),
            },
            _ => return Err(host::not_interpreted(convention)),
        }))
    }

    /// Calls `target`.
    ///
    /// # Errors
    /// [`Error::Memory`] and [`Error::Stack`].
    ///
    /// # Safety
    /// - `target` is a function of the signature and convention.
    /// - `frame` points to a frame of the plan's layout, its arguments filled in.
    pub unsafe fn invoke(&self, target: *const c_void, frame: *mut u8) -> Result<(), Error> {
        match self.0 {
            How::Thunk { thunk, announced, stack } => {
                super::check_stack(stack)?;
                let target = if announced { super::announce_vectors(target)? } else { target };
                // SAFETY: the caller's promise.
                unsafe { super::invoke(thunk, target, frame) };
            }
            How::Plan { plan, native } => with_room(native.checked_stack_bytes()?, |stack| {
                let mut block = Registers::default();
                // SAFETY: the caller's promise: a Frame of the plan. The slice is not used during the call.
                unsafe {
                    let bytes = std::slice::from_raw_parts(frame, plan.frame.size as usize);
                    lower::load(plan, bytes, frame as u64, block.bytes(), stack);
                    native.invoke(target, &mut block, stack);
                    let bytes = std::slice::from_raw_parts_mut(frame, plan.frame.size as usize);
                    lower::store_result(plan, block.bytes(), bytes);
                }
            }),
        }
        Ok(())
    }
}

/// The function that the entry of a callback calls: `fn(registers, slot)`.
#[derive(Clone, Debug)]
pub struct Body {
    pub(super) address: *const c_void,
    /// The plan that [`interpret`] reads; null of every other body.
    pub(super) plan: *const CallPlan,
    /// Whether the process makes no code for its callbacks.
    pooled: bool,
    /// The registers that the entry keeps.
    pub(super) keep: Keep,
    /// Whether the entry keeps 256-bit registers.
    pub(super) wide: bool,
    /// The Frame that the dispatcher gets.
    pub frame: FrameLayout,
}

// SAFETY: code and a plan, both of which live as long as the process, and nothing of it changes.
unsafe impl Send for Body {}
// SAFETY: the same.
unsafe impl Sync for Body {}

impl Body {
    /// For callbacks of a signature, in the mode of the process.
    ///
    /// # Errors
    /// As [`super::thunk`].
    pub fn of(signature: &Signature, convention: &'static Convention) -> Result<Body, Error> {
        if Mode::current() == Mode::Interpreted {
            return Ok(Body { pooled: true, ..Body::interpreted(signature, convention)? });
        }
        if let Some(body) = Body::ready(signature, convention)? {
            return Ok(body);
        }
        let address = super::callback_body(signature, convention)?.address();
        Ok(Body::new(address, &abi::plan(signature, convention)?))
    }

    /// The body that reads the plan.
    fn interpreted(signature: &Signature, convention: &'static Convention) -> Result<Body, Error> {
        let plan = plan(signature, convention)?;
        // It reads the whole block.
        let address = interpret as *const c_void;
        Ok(Body { plan, keep: Keep::Wide, ..Body::new(address, plan) })
    }

    /// A body that needs no code of its own: the block that the entry saved is itself the Frame for the dispatcher, or the plan is large and
    /// is read at each call.
    ///
    /// # Errors
    /// As [`super::thunk`].
    pub fn ready(
        signature: &Signature,
        convention: &'static Convention,
    ) -> Result<Option<Body>, Error> {
        let plan = abi::plan(signature, convention)?;
        let frame = lower::registers::frame(&plan);
        let body = |frame| Body {
            keep: Keep::passed(&plan, &frame),
            frame,
            ..Body::new(pass as *const c_void, &plan)
        };
        // The entries of 32-bit x86 are its shims, which save nothing.
        if !runs(convention) || convention.is_i686() || Mode::current() != Mode::Compiled {
            return Ok(None);
        }
        match plan.is_large() {
            true => Body::interpreted(signature, convention).map(Some),
            false => Ok(frame.map(body)),
        }
    }

    /// Whether its callbacks are of those that there are [a fixed number](super::POOLED_CALLBACKS) of.
    pub(crate) fn is_pooled(&self) -> bool {
        self.pooled
    }

    fn new(address: *const c_void, plan: &CallPlan) -> Body {
        let (keep, frame) = (Keep::for_body(plan), plan.frame.clone());
        Body { address, plan: ptr::null(), pooled: false, keep, wide: plan.is_wide(), frame }
    }
}

/// The body of [`Body::ready`], for entries that do not call the dispatcher themselves.
///
/// # Safety
/// - A native entry calls this, with the registers that it saved and its slot.
unsafe extern "C" fn pass(registers: *mut Registers, slot: *const Slot) {
    // SAFETY: the caller's promise.
    unsafe { ((*slot).dispatch)(slot, registers.cast()) }
}

/// The body of every interpreted callback.
///
/// # Safety
/// - A native entry calls this, with the registers that it saved and its slot.
/// - The slot has a plan.
unsafe extern "C" fn interpret(registers: *mut Registers, slot: *const Slot) {
    // SAFETY: the caller's promise; plans live as long as the process, and C left the stack arguments where the block says.
    unsafe {
        let plan = &*(*slot).plan;
        let registers = &mut *registers;
        let stack =
            std::slice::from_raw_parts(registers.stack as *const u8, plan.stack_bytes as usize);
        with_room(plan.frame.size as usize, |frame| {
            let read = |address: u64, to: &mut [u8]| {
                ptr::copy_nonoverlapping(address as *const u8, to.as_mut_ptr(), to.len());
            };
            lower::enter(plan, registers.bytes(), stack, frame, read);
            let hidden = lower::hidden_pointer(plan, registers.bytes(), stack);
            ((*slot).dispatch)(slot, frame.as_mut_ptr());
            lower::leave(plan, frame, registers.bytes());
            if let (Some(hidden), abi::Pass::Pointer { size, .. }) = (hidden, &plan.result) {
                let result = &frame[plan.frame.result as usize..][..*size as usize];
                ptr::copy_nonoverlapping(result.as_ptr(), hidden as *mut u8, result.len());
                registers.result_int[0] = hidden;
            }
        });
        if let Some(x87) = Host::X87 {
            for result in registers.result_float[..x87_results(plan)].iter().rev() {
                (x87.push)(result);
            }
        }
    }
}
