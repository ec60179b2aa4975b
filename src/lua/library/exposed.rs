//! Functions of the host that scripts call as `ffi.C.name`.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashMap;

use super::Libraries;
use crate::abi::{Convention, FrameLayout, Signature};
use crate::code::{self, Body, Slot};
use crate::lua::callback::dispatch::report;
use crate::lua::state::rooms::Part;
use crate::lua::state::{LuaError, State};

/// The functions that a host exposes to the scripts of a table.
#[derive(Default)]
pub(in crate::lua) struct Exposed {
    /// Name → address.
    addresses: RefCell<FxHashMap<Box<[u8]>, usize>>,
    /// The C entries of Rust closures.
    closures: RefCell<Vec<code::Callback>>,
}

impl Exposed {
    /// The function of a name.
    pub(in crate::lua) fn find(&self, name: &CStr) -> Option<*const c_void> {
        let found = self.addresses.borrow().get(name.to_bytes()).copied();
        found.map(|address| address as *const c_void)
    }
}

impl Drop for Exposed {
    fn drop(&mut self) {
        for entry in self.closures.get_mut().drain(..) {
            // SAFETY: the data of our own entries, which they keep until another callback takes the slot.
            unsafe { &*entry.data().cast::<Closure>() }.open.store(false, Ordering::Release);
            entry.release();
        }
    }
}

/// Runs a closure on a Frame.
pub(in crate::lua) type Run = Box<dyn Fn(*mut u8, &FrameLayout) + Send + Sync>;

/// The data behind the C entry of a Rust closure.
struct Closure {
    declaration: String,
    layout: FrameLayout,
    result_size: usize,
    run: Run,
    /// The Lua state is open.
    open: AtomicBool,
}

/// The dispatcher of every Rust closure.
///
/// # Safety
/// - The stub of a closure alone calls it, with its own slot, which keeps its [`Closure`] alive, and the Frame that its body made.
unsafe extern "C" fn dispatch(slot: *const Slot, frame: *mut u8) {
    // SAFETY: the body passes its slot, whose data is a `Closure` that the slot keeps alive, and its Frame.
    let closure = unsafe {
        let closure = &*(*slot).data.cast::<Closure>();
        frame.add(closure.layout.result as usize).write_bytes(0, closure.result_size);
        closure
    };
    if !closure.open.load(Ordering::Acquire) {
        return report(format_args!(
            "'{}' was called after its Lua state was closed",
            closure.declaration
        ));
    }
    let run = AssertUnwindSafe(|| (closure.run)(frame, &closure.layout));
    if catch_unwind(run).is_err() {
        report(format_args!("'{}' panicked; C gets zeros", closure.declaration));
    }
}

/// # Safety
/// - `data` came from `Box::into_raw` and is dropped once.
unsafe fn drop_data(data: *const c_void) {
    // SAFETY: `data` is a box that is dropped once, as the caller promises.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<Closure>()) });
}

/// Gives a function of the host a name.
pub(in crate::lua) fn name(state: &State, name: Box<[u8]>, address: *const c_void) {
    let exposed = &Libraries::of(state).exposed;
    exposed.addresses.borrow_mut().insert(name, address as usize);
}

/// Keeps the C entry of a closure; returns its address.
pub(in crate::lua) fn keep(state: &State, entry: code::Callback) -> *const c_void {
    let exposed = &Libraries::of(state).exposed;
    exposed.closures.borrow_mut().push(entry);
    entry.address()
}

/// The C entry of a Rust closure. `declaration` is for messages; `run` takes Frames of the signature.
///
/// # Errors
/// No memory for code.
pub(in crate::lua) fn entry(
    declaration: &str,
    signature: &Signature,
    convention: &'static Convention,
    run: Run,
) -> Result<code::Callback, LuaError> {
    let body = Body::of(signature, convention)?;
    let layout = body.frame.clone();
    let closure = Box::new(Closure {
        declaration: declaration.to_owned(),
        layout,
        result_size: signature.result.size as usize,
        run,
        open: AtomicBool::new(true),
    });
    let data = Box::into_raw(closure).cast_const().cast();
    code::Callback::new(convention, &body, dispatch, data, drop_data, 0).map_err(|error| {
        // SAFETY: `into_raw` just above; nobody else has it.
        unsafe { drop_data(data) };
        error.into()
    })
}
