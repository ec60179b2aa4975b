//! Native stubs in pages: code that is written once, data that changes.
//!
//! A page of stubs is executable memory with one stub beside the other, and ordinary memory with one datum for each. Making a callback, or a new
//! target of a variadic call, writes data only.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::host::{Host, Processor, STUB, Stub, not_here};
use super::locks::{Global, Rank};
use super::module::{ARENA, LOW_ARENA};
use super::{Body, Slot, gate, near_data, observe, pool};
use crate::abi::Convention;
use crate::error::Error;

/// Stubs of a page.
const COUNT: usize = 256;

/// Writes a page of stubs for data of type `T`, below 4 GiB if they are for a `guest`; returns each stub's address with its datum.
/// `name`: what profilers call them.
fn page<T: 'static>(
    name: &str,
    stub: fn(usize, usize) -> Option<Stub>,
    guest: bool,
) -> Result<Vec<(usize, NonNull<T>)>, Error> {
    let bytes = size_of::<T>() * COUNT;
    let (code, data) = match guest {
        true => (LOW_ARENA.lock().allocate(STUB * COUNT, STUB)?, gate::memory::map_data(bytes)?),
        false => {
            let code = ARENA.lock().allocate(STUB * COUNT, STUB)?;
            (code, near_data::take(code.run as usize, bytes)?)
        }
    };
    let data = data.cast::<T>();
    if observe::is_observed() {
        observe::name_stubs(name, code.run as usize, STUB * COUNT);
    }
    let stubs = (0..COUNT)
        .map(|i| {
            let address = code.run as usize + i * STUB;
            // SAFETY: the data has COUNT elements.
            let datum = unsafe { data.add(i) };
            let bytes = stub(address, datum.as_ptr() as usize)
                .ok_or_else(|| Error::codegen("stub data out of reach"))?;
            // SAFETY: the span has STUB * COUNT bytes, ours alone.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), code.write.add(i * STUB), STUB) };
            Ok((address, datum))
        })
        .collect();
    Host::flush_instructions(code.run, STUB * COUNT);
    stubs
}

/// Callback stubs: those in use, and those that are free, longest-free first so that a freed address stays
/// recognisable as long as possible.
struct Callbacks {
    /// By address.
    all: FxHashMap<usize, NonNull<Slot>>,
    free: VecDeque<(usize, NonNull<Slot>)>,
}

impl Callbacks {
    /// The longest-free slot that may be taken.
    fn take(
        &mut self,
        may: impl Fn(&(usize, NonNull<Slot>)) -> bool,
    ) -> Option<(usize, NonNull<Slot>)> {
        let position = self.free.iter().position(may)?;
        self.free.remove(position)
    }

    /// Whether a slot of these is in use.
    fn is_used(slot: NonNull<Slot>) -> bool {
        // SAFETY: slots live as long as the process, and those that are not free are filled in.
        unsafe { (*slot.as_ptr()).used.load(Ordering::Acquire) }
    }
}

// SAFETY: slots are plain memory that lives as long as the process.
unsafe impl Send for Callbacks {}

impl Callbacks {
    const fn new() -> Callbacks {
        Callbacks { all: FxHashMap::with_hasher(FxBuildHasher), free: VecDeque::new() }
    }
}

static CALLBACKS: Global<Mutex<Callbacks>> = Global::new(Rank::Callbacks, Callbacks::new());
/// Those for 32-bit code.
static GUEST_CALLBACKS: Global<Mutex<Callbacks>> =
    Global::new(Rank::GuestCallbacks, Callbacks::new());
/// Those whose entries are in the program's text.
static POOLED_CALLBACKS: Global<Mutex<Callbacks>> =
    Global::new(Rank::PooledCallbacks, Callbacks::new());

fn pools() -> [&'static Global<Mutex<Callbacks>>; 3] {
    [&CALLBACKS, &GUEST_CALLBACKS, &POOLED_CALLBACKS]
}

/// The stubs of the program's text, with their slots.
fn pooled_stubs() -> Vec<(usize, NonNull<Slot>)> {
    let slots = NonNull::from(&pool::SLOTS).cast::<Slot>();
    let pooled = |first: unsafe extern "C" fn()| {
        let stub = move |i: usize| {
            // SAFETY: there are as many slots.
            (first as usize + i * STUB, unsafe { slots.add(i) })
        };
        (0..pool::POOLED_CALLBACKS).map(stub).collect()
    };
    Host::POOL.map_or_else(Vec::new, pooled)
}

/// The number of callbacks in use.
pub(super) fn in_use() -> usize {
    let used = |callbacks: &Callbacks| {
        callbacks.all.values().filter(|slot| Callbacks::is_used(**slot)).count()
    };
    pools().iter().map(|pool| used(&pool.lock())).sum()
}

/// A callback: a native function pointer with a slot behind it. It lives until [`Callback::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    address: usize,
    slot: NonNull<Slot>,
}

impl Callback {
    /// Takes a slot whose function calls `dispatch` with the slot and the Frame of `body`'s plan. `drop` gets `data` when
    /// another callback takes the slot, or never: a freed callback still reaches `dispatch`. `owner` is [`Slot::owner`].
    ///
    /// # Errors
    /// [`Error::Convention`] where the host has no entry for the convention; [`Error::Memory`]; in
    /// [`Mode::Interpreted`](super::Mode) also where every callback of the pool is in use.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "the data is kept, not followed")]
    pub fn new(
        convention: &Convention,
        body: &Body,
        dispatch: unsafe extern "C" fn(*const Slot, *mut u8),
        data: *const c_void,
        drop: unsafe fn(*const c_void),
        owner: usize,
    ) -> Result<Callback, Error> {
        let guest = convention.is_i686();
        let pooled = body.is_pooled();
        let Body { address: body, plan, keep, wide, .. } = *body;
        let entry = || Host::entry(convention, keep).ok_or_else(|| not_here(convention));
        let (entry, body) = match guest {
            true => (body, gate::dispatcher()?),
            false => (entry()?, body),
        };
        let pool = if pooled { &POOLED_CALLBACKS } else { pools()[usize::from(guest)] };
        let mut callbacks = pool.lock();
        if pooled && callbacks.all.is_empty() && callbacks.free.is_empty() {
            callbacks.free = pooled_stubs().into();
        }
        if callbacks.free.is_empty() && !pooled {
            let stub = if guest { gate::callback_stub } else { Host::callback_stub };
            callbacks.free.extend(page("stubs of callbacks", stub, guest)?);
        }
        // SAFETY: slots live as long as the process.
        let unvisited = |(_, slot): &(usize, NonNull<Slot>)| unsafe {
            (*slot.as_ptr()).visitors.load(Ordering::Acquire) == 0
        };
        let Some((address, slot)) = callbacks.take(unvisited) else {
            return Err(Error::codegen(format!(
                "all {} callbacks of a process without executable memory are in use; free some",
                pool::POOLED_CALLBACKS
            )));
        };
        let reused = callbacks.all.insert(address, slot).is_some();
        let to = slot.as_ptr();
        // SAFETY: the slot is free and ours from here on; an earlier callback left its data in it. The count of visitors, zero in
        // a new slot, is only ever added to and subtracted from.
        unsafe {
            if reused {
                ((*to).drop)((*to).data);
            }
            (&raw mut (*to).entry).write(entry);
            (&raw mut (*to).body).write(body);
            (&raw mut (*to).dispatch).write(dispatch);
            (&raw mut (*to).data).write(data);
            (&raw mut (*to).drop).write(drop);
            (&raw mut (*to).plan).write(plan);
            (&raw mut (*to).wide).write(wide.into());
            (*to).owner.store(owner, Ordering::Release);
            (*to).used.store(true, Ordering::Release);
        }
        Ok(Callback { address, slot })
    }

    /// Whether `address` is a callback that was freed.
    pub fn is_free(address: *const c_void) -> bool {
        let is_free = |callbacks: &Callbacks| {
            callbacks.all.get(&(address as usize)).is_some_and(|slot| !Callbacks::is_used(*slot))
        };
        pools().iter().any(|pool| is_free(&pool.lock()))
    }

    /// The dispatcher of a callback, in use or free; `None` for other functions.
    pub fn dispatcher(
        address: *const c_void,
    ) -> Option<unsafe extern "C" fn(*const Slot, *mut u8)> {
        let find = |callbacks: &Callbacks| callbacks.all.get(&(address as usize)).copied();
        let slot = pools().iter().find_map(|pool| find(&pool.lock()))?;
        // SAFETY: slots live as long as the process, and those in `all` are filled in.
        Some(unsafe { (*slot.as_ptr()).dispatch })
    }

    /// The function pointer.
    pub fn address(self) -> *const c_void {
        self.address as *const c_void
    }

    /// The dispatcher's data.
    pub fn data(self) -> *const c_void {
        // SAFETY: slots live as long as the process.
        unsafe { (*self.slot.as_ptr()).data }
    }

    fn slot(&self) -> &Slot {
        // SAFETY: slots live as long as the process; what is not behind an atomic changes only while a slot is nobody's.
        unsafe { self.slot.as_ref() }
    }

    /// The callback is freed, but keeps its slot, which no other takes.
    pub fn rest(self) {
        self.slot().used.store(false, Ordering::Release);
    }

    /// Takes it into use again, with another [`Slot::owner`]; false where a call from elsewhere is in it still.
    pub fn wake(self, owner: usize) -> bool {
        let slot = self.slot();
        if slot.visitors.load(Ordering::Acquire) != 0 {
            return false;
        }
        slot.owner.store(owner, Ordering::Release);
        slot.used.store(true, Ordering::Release);
        true
    }

    /// Gives the slot back, once. Its dispatcher and data stay until it is taken again.
    pub fn release(self) {
        self.rest();
        for pool in pools() {
            let mut callbacks = pool.lock();
            if callbacks.all.contains_key(&self.address) {
                callbacks.free.push_back((self.address, self.slot));
            }
        }
    }
}

/// Vector-count stubs by target.
struct Announcers {
    by_target: FxHashMap<usize, usize>,
    free: Vec<(usize, NonNull<usize>)>,
}

// SAFETY: as for `Callbacks`.
unsafe impl Send for Announcers {}

static ANNOUNCERS: Global<Mutex<Announcers>> = Global::new(
    Rank::Announcers,
    Announcers { by_target: FxHashMap::with_hasher(FxBuildHasher), free: Vec::new() },
);

/// A function that sets AL to 8 and goes on to `target`: what to call for a variadic System V function.
///
/// There is one for each target, and it lives as long as the process.
///
/// # Errors
/// [`Error::Memory`].
pub fn announce_vectors(target: *const c_void) -> Result<*const c_void, Error> {
    let mut announcers = ANNOUNCERS.lock();
    if let Some(&stub) = announcers.by_target.get(&(target as usize)) {
        return Ok(stub as *const c_void);
    }
    if announcers.free.is_empty() {
        announcers.free = page("stubs of variadic calls", Host::vector_count_stub, false)?;
    }
    let Some((stub, datum)) = announcers.free.pop() else {
        return Err(Error::codegen("a page with no stubs"));
    };
    // SAFETY: a free datum of the page, reached by its stub alone, which nobody has yet.
    unsafe { datum.write(target as usize) };
    announcers.by_target.insert(target as usize, stub);
    Ok(stub as *const c_void)
}
