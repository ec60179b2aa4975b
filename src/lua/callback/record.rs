//! Callbacks: native function pointers with a Lua function behind them.
//!
//! C calls the stub; the compiled body of its shape makes a Frame; [`dispatch`] runs the Lua function, protected, on the thread that made the C call.
//! An error is kept in the state, C gets zeros, and the C call raises the error when C returns. [`super::other_thread`] handles calls from
//! threads that do not run the state.
//!
//! Nothing here lets an error or a panic cross a C frame.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::Callbacks;
use super::dispatch::{dispatch, make_ready};
use super::fast::Quick;
use super::other_thread::{Queue, Terms};
use super::owner::Link;
use super::terms;
use crate::abi::{Convention, Signature};
use crate::code::{self, Mode};
use crate::ctype::{CallConv, QualType, Type as CType, TypeId};
use crate::lua::state::head::Head;
use crate::lua::state::pinned;
use crate::lua::state::rooms::Part;
use crate::lua::state::{Anchor, Cx, LuaError, State};
use crate::lua::types::kind::Kind;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType};
use crate::lua::vm::memory;

/// The data behind a callback's slot. It belongs to the slot until another callback takes the slot.
pub(in crate::lua) struct Callback {
    /// The state, null once it is closed.
    state: Arc<Link>,
    /// Where its Lua function is, on the state's shelf or in the table of `Anchor::Callbacks`.
    place: i32,
    /// Whether that is the shelf.
    shelved: bool,
    freed: AtomicBool,
    /// Whether it stands for its Lua function wherever that is passed.
    implicit: Cell<bool>,
    /// The Lua function as a value of Lua's stack, in a state whose `ways.stack` is set. After `free` it is nothing, or the cdata by which
    /// the callback was freed.
    pub(in crate::lua) value: Cell<memory::Kept>,
    /// The head of its state. It may be read only while [`Self::quick`] is not null.
    pub(in crate::lua) head: *const Head,
    /// How it is called on the fast path; null where it is not, where it is freed, and once the state is closed.
    pub(super) quick: Cell<*const Quick>,
    /// Its calls that have not returned.
    pub(in crate::lua) running: Cell<u32>,
    /// Its calls that wait for a safe point; see [`super::deferred`].
    pub(in crate::lua) waiting: AtomicU32,
    /// Whether it was reported that a call came while Lua ran.
    pub(in crate::lua) told: AtomicBool,
    /// Its function pointer.
    address: Cell<*const c_void>,
    /// Its state asks for contracts: CODE-3.
    confined: bool,
    /// Its slot, where it was freed while it ran, and another callback must not take that yet.
    retired: Cell<Option<code::Callback>>,
    kind: Arc<CallbackKind>,
    /// The policy for calls from other threads.
    terms: Terms,
}

/// The facts that the callbacks of a function type share.
pub(in crate::lua) struct CallbackKind {
    /// The function type as C prints it.
    pub(in crate::lua) ty: String,
    /// The function type.
    pub(in crate::lua) function: TypeId,
    convention: &'static Convention,
    /// The code that makes the Frame.
    pub(in crate::lua) body: code::Body,
    pub(in crate::lua) parameters: Box<[QualType]>,
    /// Bytes of each argument in a Frame.
    pub(super) argument_sizes: Box<[u32]>,
    pub(in crate::lua) result: QualType,
    /// Bytes of the result.
    pub(super) result_size: usize,
    /// How its callbacks are called on the fast path; `None` where they are not.
    quick: Option<Quick>,
    /// Freed callbacks that keep their slots, longest-free first.
    spares: RefCell<VecDeque<code::Callback>>,
}

/// So many callbacks of a kind are freed before the first of them is used again, so that a freed one stays recognisable.
const SPARES: usize = 32;

/// The number of the shelf of Lua functions.
const SHELF: i64 = 2;
/// The first place that is in a table: Lua's collector looks through the shelf in one go.
const MOST_SHELVED: usize = 4096;

// SAFETY: what changes of it only the thread of the state touches, and its pointers are identities of tables that only the thread of the state uses. Another thread
// may drop it: when a callback of another state takes the slot.
unsafe impl Send for CallbackKind {}
// SAFETY: as for `Send`: only the thread of the state touches what changes.
unsafe impl Sync for CallbackKind {}

impl Callback {
    pub(in crate::lua) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(in crate::lua) fn queue(&self) -> &Queue {
        &self.state.queue
    }

    pub(in crate::lua) fn kind(&self) -> &CallbackKind {
        &self.kind
    }

    /// Its function type and its function pointer.
    pub(in crate::lua) fn function(&self) -> (TypeId, *const c_void) {
        (self.kind.function, self.address.get())
    }

    pub(in crate::lua) fn link(&self) -> &Link {
        &self.state
    }

    /// Whether it is freed.
    pub(super) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Relaxed)
    }

    /// Pushes its Lua function.
    pub(in crate::lua) fn push(&self, cx: &Cx<'_>) {
        if self.shelved {
            // SAFETY: *Layout*, in which alone callbacks are shelved, and the shelf keeps the value; *Context*.
            return unsafe { memory::push(cx.lua).restore(self.value.get()) };
        }
        cx.push_anchor(Anchor::Callbacks);
        cx.raw_get_integer(-1, self.place.into());
        cx.remove(-2);
    }

    /// Keeps the Lua function at `index`, or nothing.
    fn keep(&self, cx: &Cx<'_>, index: Option<c_int>) {
        match index {
            Some(index) => cx.push_value(index),
            None => cx.push_bool(false),
        }
        if cx.state.ways.stack {
            let value = pinned::keep(cx);
            cx.pop(1);
            return self.hold(cx, value);
        }
        cx.push_anchor(Anchor::Callbacks);
        cx.insert(-2);
        cx.raw_set_integer(-2, self.place.into());
        cx.pop(1);
    }

    /// Keeps a value that lives: its Lua function, or the cdata that it was freed with. The state's `ways.stack` is set.
    #[inline(always)]
    pub(in crate::lua) fn hold(&self, cx: &Cx<'_>, value: memory::Kept) {
        self.value.set(value);
        if self.shelved {
            // SAFETY: `new` made room for it.
            return unsafe {
                Callbacks::of(cx.state).shelf.slot(self.place as usize).restore(value)
            };
        }
        cx.push_anchor(Anchor::Callbacks);
        // SAFETY: *Layout*, as the caller's state has `ways.stack`; *Context*.
        unsafe { memory::push(cx.lua).restore(value) };
        cx.raw_set_integer(-2, self.place.into());
        cx.pop(1);
    }

    /// As it is when it is new, but for its Lua function.
    fn renew(&self, state: &State) {
        count(state, 1);
        self.freed.store(false, Ordering::Relaxed);
        self.quick.set(self.kind.quick.as_ref().map_or(ptr::null(), ptr::from_ref));
        self.terms.renew(state.options.foreign_answered.get());
        self.told.store(false, Ordering::Relaxed);
    }

    /// From now on its calls fail.
    fn end(&self, state: &State) {
        count(state, -1);
        self.freed.store(true, Ordering::Relaxed);
        self.implicit.set(false);
        self.quick.set(ptr::null());
    }

    /// Whether no call of it is running or waits.
    fn is_idle(&self) -> bool {
        self.running.get() == 0 && self.waiting.load(Ordering::Relaxed) == 0
    }

    /// After its last call that has not returned: gives the slot back, if it was freed meanwhile.
    #[cold]
    pub(in crate::lua) fn rest(&self) {
        if self.is_idle()
            && let Some(slot) = self.retired.take()
        {
            // SAFETY: a call on the state's thread has just returned.
            match unsafe { self.state.state() } {
                Some(state) => put_away(state, self, slot),
                None if self.confined => slot.rest(),
                None => slot.release(),
            }
        }
    }

    /// Its type as C prints it.
    pub(in crate::lua) fn name(&self) -> &str {
        &self.kind.ty
    }

    /// The bytes of the result in a Frame.
    ///
    /// # Safety
    /// - *Frame* (see `callback`).
    pub(super) unsafe fn result_bytes<'f>(&self, frame: *mut u8) -> &'f mut [u8] {
        let (offset, size) = (self.kind.body.frame.result as usize, self.kind.result_size);
        // SAFETY: the Frame has a slot for the result.
        unsafe { std::slice::from_raw_parts_mut(frame.add(offset), size) }
    }

    /// The bytes of the Lua value at `index` as a result.
    pub(in crate::lua) fn answer(&self, cx: &Cx<'_>, index: c_int) -> Result<Box<[u8]>, LuaError> {
        let ty = self.kind.result;
        let scalar =
            self.kind.result_size <= mem::size_of::<u128>() && !cx.state.kind(ty).is_aggregate();
        if !scalar || matches!(cx.state.kind(ty), Kind::Void) {
            let ty = cx.state.repr(ty);
            return Err(LuaError::Argument(
                index,
                format!("no default value for a result of type '{ty}'"),
            ));
        }
        let mut bytes = [0_u128; 1];
        let at = bytes.as_mut_ptr().cast::<u8>();
        // SAFETY: the result has as many bytes at most.
        unsafe {
            to_c::to_c(cx, index, ty, at)?;
            // What it leads to may be gone when C gets it.
            if let Kind::Pointer(_) = cx.state.kind(ty)
                && cx.state.asks_for_contracts()
                && bytes[0] != 0
            {
                return Err(cx.state.not_given(ty));
            }
            Ok(std::slice::from_raw_parts(at, self.kind.result_size).into())
        }
    }
}

/// Makes a C function pointer of function type `ty` that calls the Lua function at `index`.
///
/// # Errors
/// A type that no callback can have (variadic, aggregates by value, an unsupported convention).
///
/// # Safety
/// - A Lua function is at `index`.
/// - `ty` is a function type.
pub(in crate::lua) unsafe fn create(
    cx: &Cx<'_>,
    ty: TypeId,
    index: c_int,
) -> Result<*const c_void, LuaError> {
    cx.state.machine.check_runs()?;
    cx.state.permit_callback()?;
    // From here on its type is the host's: the script's own has no word about pointers.
    let declared = terms::permit_type(cx, ty)?;
    let ty = declared[0];
    make_room(cx);
    let kind = kind(cx, ty)?;
    let slot = match kind.take_spare(SPARES) {
        Some(slot) => slot,
        None => match new(cx, Arc::clone(&kind)) {
            Ok(slot) => slot,
            // All slots of the process are in use.
            Err(error) => kind.take_spare(1).ok_or(error)?,
        },
    };
    // SAFETY: *Slot*.
    let callback = unsafe { &*data(slot) };
    callback.keep(cx, Some(index));
    callback.renew(cx.state);
    for ty in declared {
        cx.state.learn_function(ty, slot.address());
        cx.state.hold_callback_to(ty, slot.address() as usize);
    }
    Ok(slot.address())
}

/// Whether an address is that of a callback of a Lua function, of this state or another, in use or freed.
pub(in crate::lua) fn is_callback(address: *const c_void) -> bool {
    let ours = dispatch as *const () as usize;
    code::Callback::dispatcher(address).is_some_and(|theirs| theirs as usize == ours)
}

/// Whether an address is that of a callback of the state, in use or freed.
pub(in crate::lua) fn is_own(state: &State, address: *const c_void) -> bool {
    Callbacks::of(state).slots.borrow().contains_key(&(address as usize))
}

/// Sees to it that the next new callback has a place on the shelf, if it is one of the first.
fn make_room(cx: &Cx<'_>) {
    let free = Callbacks::of(cx.state).free_places.borrow().last().copied();
    let place = free.unwrap_or(Callbacks::of(cx.state).last_place.get() + 1) as usize;
    if cx.state.ways.stack && place < MOST_SHELVED {
        // If there is no memory for that, it is in the table.
        Callbacks::of(cx.state).shelf.make_room(cx, SHELF, (place + 1).next_multiple_of(64));
    }
}

/// The thread that the callbacks of a state belong to.
fn owner() -> usize {
    // With threads that take turns, only the state knows which one runs it.
    if api::SEND { 0 } else { code::this_thread() }
}

impl CallbackKind {
    /// The callback that [`Self::take_spare`] will take next, if there are enough.
    pub(in crate::lua) fn next_spare(&self) -> Option<&Callback> {
        let spares = self.spares.borrow();
        let slot = spares.front().filter(|_| spares.len() >= SPARES)?;
        // SAFETY: *Slot*.
        Some(unsafe { &*data(*slot) })
    }

    /// A freed callback for another Lua function, if there are so many.
    pub(super) fn take_spare(&self, least: usize) -> Option<code::Callback> {
        let mut spares = self.spares.borrow_mut();
        let slot = (spares.len() >= least).then(|| spares.pop_front())??;
        if slot.wake(owner()) {
            return Some(slot);
        }
        spares.push_back(slot);
        None
    }
}

/// From now on there are callbacks, which C may call at any time.
fn expect(cx: &Cx<'_>) {
    let link = &Callbacks::of(cx.state).link;
    link.set(cx.state);
    link.deferred.expect();
    cx.state.head().boundary.expect_callbacks();
    cx.state.notice(cx.lua);
}

/// Adds to the number of callbacks that are in use.
fn count(state: &State, more: isize) {
    let count = &state.inventory().callbacks;
    count.set(count.get().wrapping_add_signed(more));
}

/// A callback with no Lua function.
fn new(cx: &Cx<'_>, kind: Arc<CallbackKind>) -> Result<code::Callback, LuaError> {
    make_ready(cx);
    expect(cx);
    let free = Callbacks::of(cx.state).free_places.borrow_mut().pop();
    let place = free.unwrap_or_else(|| {
        let next = Callbacks::of(cx.state).last_place.get() + 1;
        Callbacks::of(cx.state).last_place.set(next);
        next
    });
    let callback = Box::new(Callback {
        state: Callbacks::of(cx.state).link.clone(),
        place,
        shelved: Callbacks::of(cx.state).shelf.has_room(place as usize + 1),
        freed: AtomicBool::new(true),
        implicit: Cell::new(false),
        value: Cell::default(),
        head: cx.state.head(),
        quick: Cell::new(ptr::null()),
        running: Cell::new(0),
        waiting: AtomicU32::new(0),
        told: AtomicBool::new(false),
        address: Cell::new(ptr::null()),
        confined: cx.state.asks_for_contracts(),
        retired: Cell::new(None),
        kind,
        terms: Terms::default(),
    });
    let data: *const Callback = Box::into_raw(callback);
    // SAFETY: the box lives until the slot drops it, which it does when another callback takes it.
    let kind = unsafe { &(*data).kind };
    let (convention, body) = (kind.convention, &kind.body);
    let slot = code::Callback::new(convention, body, dispatch, data.cast(), drop_data, owner())
        .inspect_err(|_| {
            Callbacks::of(cx.state).free_places.borrow_mut().push(place);
            // SAFETY: `into_raw` just above; nobody else has it.
            unsafe { drop_data(data.cast()) };
        })?;
    // SAFETY: *Slot*.
    unsafe { (*data).address.set(slot.address()) };
    Callbacks::of(cx.state).slots.borrow_mut().insert(slot.address() as usize, slot);
    Ok(slot)
}

/// [`create`] for a Lua function that is passed where C wants a function pointer. C may keep the pointer, so it stays until the
/// script frees it; until then the same function passed again for the same type is the same pointer.
///
/// # Safety
/// - A Lua function is at `index`.
/// - `ty` is a function type.
pub(in crate::lua) unsafe fn implicit(
    cx: &Cx<'_>,
    ty: TypeId,
    index: c_int,
) -> Result<*const c_void, LuaError> {
    let top = cx.top();
    cx.push_anchor(Anchor::Implicit);
    cx.push_value(index);
    cx.raw_get(-2);
    if cx.type_of(-1) != LuaType::Table {
        cx.pop(1);
        cx.new_table(0, 1);
        cx.push_value(index);
        cx.push_value(-2);
        cx.raw_set(-4);
    }
    cx.raw_get_integer(-1, ty.index() as i64);
    let mut address = cx.userdata(-1).cast_const();
    if !stands_for(cx, address, ty, index) {
        // SAFETY: a Lua function is at `index`, and `ty` is a function type, as the caller promises.
        address = unsafe { create(cx, ty, index)? };
        if let Ok(callback) = own(cx, address) {
            // SAFETY: *Slot*.
            unsafe { (*callback).implicit.set(true) };
        }
        cx.pop(1);
        cx.push_light(address.cast_mut());
        cx.raw_set_integer(-2, ty.index() as i64);
    }
    cx.set_top(top);
    Ok(address)
}

/// Whether the callback at `address` stands for the Lua function at `index` as a function of type `ty`. The slot of one that was
/// freed may be that of another by now, and `callback:set` gives one another function.
fn stands_for(cx: &Cx<'_>, address: *const c_void, ty: TypeId, index: c_int) -> bool {
    let Ok(callback) = own(cx, address) else { return false };
    // SAFETY: *Slot*.
    let callback = unsafe { &*callback };
    let kinds = Callbacks::of(cx.state).kinds.borrow();
    let is_kind = kinds.get(&ty).is_some_and(|kind| Arc::ptr_eq(kind, &callback.kind));
    if !is_kind || !callback.implicit.get() {
        return false;
    }
    callback.push(cx);
    let same = cx.raw_equal(-1, index) != 0;
    cx.pop(1);
    same
}

/// The facts that the callbacks of a function type share, if there was one. They live as long as the state.
pub(in crate::lua) fn known_kind(state: &State, ty: TypeId) -> Option<*const CallbackKind> {
    Callbacks::of(state).kinds.borrow().get(&ty).map(|kind| &raw const **kind)
}

/// The facts that the callbacks of a function type share, found when the first one is made.
fn kind(cx: &Cx<'_>, ty: TypeId) -> Result<Arc<CallbackKind>, LuaError> {
    if let Some(kind) = Callbacks::of(cx.state).kinds.borrow().get(&ty) {
        return Ok(Arc::clone(kind));
    }
    let kind = Arc::new(describe(cx, ty)?);
    Callbacks::of(cx.state).kinds.borrow_mut().insert(ty, Arc::clone(&kind));
    Ok(kind)
}

fn describe(cx: &Cx<'_>, ty: TypeId) -> Result<CallbackKind, LuaError> {
    let mut kind = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let CType::Function(function) = table.get(ty) else {
            return Err(LuaError::new("a callback needs a function type"));
        };
        if function.variadic {
            return Err(LuaError::new(format!(
                "a variadic function cannot be a callback: '{}'",
                table.repr(ty.into())
            )));
        }
        if let CallConv::Preserving(attribute) = function.convention {
            return Err(LuaError::new(format!(
                "a function with attribute '{attribute}' keeps registers that a callback does not: '{}'",
                table.repr(ty.into())
            )));
        }
        let (signature, convention) = Signature::of(table, &cx.state.machine.target, ty, &[])?;
        let ready = code::Body::ready(&signature, convention)?;
        if Mode::current() == Mode::Compiled && ready.is_none() {
            cx.state.count_thunk(
                || code::find(&code::Kind::Callback, &signature, convention),
                || code::callback_body(&signature, convention),
            )?;
        }
        CallbackKind {
            ty: table.repr(ty.into()),
            function: ty,
            convention,
            body: match ready {
                Some(body) => body,
                None => code::Body::of(&signature, convention)?,
            },
            parameters: function.params.clone(),
            argument_sizes: signature.arguments.iter().map(|ty| ty.size).collect(),
            result: function.result,
            result_size: signature.result.size as usize,
            quick: None,
            spares: RefCell::default(),
        }
    };
    kind.quick = Quick::of(cx, &kind);
    Ok(kind)
}

/// # Safety
/// - `data` came from `Box::into_raw` and is dropped once.
unsafe fn drop_data(data: *const c_void) {
    // SAFETY: `data` is a box that is dropped once, as the caller promises.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<Callback>()) });
}

/// The callback in use at `address`, of this state.
fn find(cx: &Cx<'_>, address: *const c_void) -> Result<code::Callback, LuaError> {
    let found = Callbacks::of(cx.state).slots.borrow().get(&(address as usize)).copied();
    // SAFETY: *Slot*.
    let found = found.filter(|&callback| unsafe { !(*data(callback)).is_freed() });
    found.ok_or_else(|| {
        LuaError::new(if code::Callback::is_free(address) {
            "the callback was already freed"
        } else {
            "not a callback of this Lua state"
        })
    })
}

fn data(callback: code::Callback) -> *const Callback {
    callback.data().cast()
}

/// The addresses of the callbacks that are in use.
pub(in crate::lua) fn in_use(state: &State) -> Vec<usize> {
    let callbacks = Callbacks::of(state).slots.borrow();
    // SAFETY: *Slot*.
    let used = |callback: &&code::Callback| unsafe { !(*data(**callback)).is_freed() };
    callbacks.values().filter(used).map(|callback| callback.address() as usize).collect()
}

/// Lets a cdata with this address go, if it is kept with a freed callback: it gets a finaliser, which is not to wait until another
/// callback takes the slot.
pub(in crate::lua) fn let_go(cx: &Cx<'_>, address: *const c_void) {
    let found = Callbacks::of(cx.state).slots.borrow().get(&(address as usize)).copied();
    // SAFETY: *Slot*.
    if let Some(callback) = found.map(|callback| unsafe { &*data(callback) })
        && callback.is_freed()
    {
        callback.keep(cx, None);
    }
}

/// The callback of this state at an address.
///
/// # Errors
/// Not a callback, or freed.
pub(in crate::lua) fn own(
    cx: &Cx<'_>,
    address: *const c_void,
) -> Result<*const Callback, LuaError> {
    find(cx, address).map(data)
}

/// `cb:free()`
///
/// # Errors
/// Not a callback, or already freed.
///
/// # Safety
/// None is needed beyond *Context*: an address that is no callback of the state is an error.
pub(in crate::lua) unsafe fn free(cx: &Cx<'_>, address: *const c_void) -> Result<(), LuaError> {
    let callback = find(cx, address)?;
    // SAFETY: *Slot*.
    let freed = unsafe { &*data(callback) };
    freed.keep(cx, None);
    freed.end(cx.state);
    cx.state.forget_function(address);
    match freed.is_idle() {
        true => put_away(cx.state, freed, callback),
        false => freed.retired.set(Some(callback)),
    }
    Ok(())
}

/// [`free`] of a callback that is in use, not running, and keeps its slot. It is returned: its Lua function is there still.
pub(in crate::lua) fn free_idle(state: &State, address: *const c_void) -> Option<&Callback> {
    let callback = *Callbacks::of(state).slots.borrow().get(&(address as usize))?;
    // SAFETY: *Slot*.
    let freed = unsafe { &*data(callback) };
    if !freed.is_idle() || freed.is_freed() || freed.kind.body.is_pooled() {
        return None;
    }
    freed.end(state);
    put_away(state, freed, callback);
    Some(freed)
}

/// [`create`] from a spare callback, without its Lua function, whose place is [`Callback::place`].
pub(in crate::lua) fn wake<'s>(
    state: &'s State,
    kind: &CallbackKind,
) -> Option<(*const c_void, &'s Callback)> {
    let slot = kind.take_spare(SPARES)?;
    // SAFETY: *Slot*.
    let callback = unsafe { &*data(slot) };
    callback.renew(state);
    Some((slot.address(), callback))
}

/// Keeps what a freed callback has for another one of its kind. CODE-3: in a confined state C may have the pointer still, so that no other
/// kind gets it.
fn put_away(state: &State, freed: &Callback, callback: code::Callback) {
    if freed.kind.body.is_pooled() && !state.asks_for_contracts() {
        return give_up(state, freed, callback);
    }
    callback.rest();
    freed.kind.spares.borrow_mut().push_back(callback);
}

/// Gives up the slot and the place of a freed callback.
#[cold]
fn give_up(state: &State, freed: &Callback, callback: code::Callback) {
    let callbacks = Callbacks::of(state);
    callbacks.free_places.borrow_mut().push(freed.place);
    callbacks.slots.borrow_mut().remove(&(callback.address() as usize));
    callback.release();
}

/// `cb:set(function)`
///
/// # Errors
/// As [`free`].
///
/// # Safety
/// - A Lua function is at `index`.
pub(in crate::lua) unsafe fn set(
    cx: &Cx<'_>,
    address: *const c_void,
    index: c_int,
) -> Result<(), LuaError> {
    let callback = find(cx, address)?;
    // SAFETY: *Slot*.
    unsafe { (*data(callback)).keep(cx, Some(index)) };
    Ok(())
}

/// From now on calls find that the state is gone, those that wait too.
pub(in crate::lua) fn turn_away(state: &State) {
    Callbacks::of(state).link.set(ptr::null());
    Callbacks::of(state).link.queue.close();
}

/// Gives every callback of a closing state back, when C makes no more calls that the state waits for.
pub(in crate::lua) fn close(state: &State) {
    for (_, callback) in Callbacks::of(state).slots.borrow_mut().drain() {
        // SAFETY: *Slot*.
        let data = unsafe { &*data(callback) };
        data.quick.set(ptr::null());
        data.retired.set(None);
        match state.may_be_kept(callback.address() as usize) {
            // CODE-3: the pointer is nobody's from here on.
            true => callback.rest(),
            false => callback.release(),
        }
    }
}
