//! Calls of C functions without a thunk: the plan is carried out. Usual arguments are read directly from Lua's stack, the others by [`super::runtime`].
//!
//! A function begins this way, because a thunk takes longer to compile than most functions are ever called. After [`compile_after`] calls the function
//! gets a thunk, in the closure that the script already has. The thunk leaves every call that it cannot make to this file. For a variadic function,
//! [`super::variadic`] counts the calls.

use std::cell::Cell;
use std::env;
use std::ffi::c_int;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};

use super::function::{self, Function, Way};
use super::plan_api;
use super::reentry;
use super::runtime;
use super::thunk_api::{Argument, Conversions, Outcome};
use crate::abi::{self, CallPlan, Convention, Kind as AbiKind, Signature, Type};
use crate::code::{Mode, NativeCall, Registers};
use crate::ctype::{FloatKind, QualType, TypeId};
use crate::lower;
use crate::lua::callback::{deferred, transition};
use crate::lua::state::{Cx, LuaError, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::vm::api::{self, Results, lua_State};
use crate::lua::vm::memory::{self, Call, Slot};

/// How the functions of a type are called, with variable arguments of certain types.
pub(in crate::lua) struct Recipe {
    pub signature: Signature,
    pub convention: &'static Convention,
    pub conversions: Conversions,
    pub plan: CallPlan,
    pub native: NativeCall,
    /// Whether [`run`] reads the arguments in place, into a Frame of its own.
    pub in_place: bool,
}

/// What a recipe is for: the function type, what tells its variable arguments apart in 63 bits, whether 64-bit integers are cdata
/// (signed, unsigned), and the types of variable arguments where the bits are not enough.
pub(in crate::lua) type RecipeKey = (TypeId, u64, [bool; 2], Box<[QualType]>);
/// The key of variable arguments that no number tells apart.
pub(super) const BY_TYPES: u64 = u64::MAX >> 1;

/// Bytes of the largest Frame, and of the most stack arguments, that are passed without a thunk.
const ROOM: usize = 512;
/// Bytes of a Frame that is enough for most functions, and sooner cleared.
const LITTLE: usize = 128;

#[repr(C, align(64))]
struct Frame<const BYTES: usize>([u8; BYTES]);

impl Recipe {
    /// `None`: the calls need a thunk.
    pub(in crate::lua) fn new(
        cx: &Cx<'_>,
        ty: TypeId,
        variable: &[QualType],
    ) -> Result<Option<Recipe>, LuaError> {
        let (signature, convention, conversions) = function::shape(cx, ty, variable)?;
        let plan = abi::plan(&signature, convention)?;
        let fits = plan.frame.size as usize <= ROOM
            && plan.frame.align as usize <= mem::align_of::<Frame<ROOM>>()
            && plan.stack_bytes as usize <= ROOM;
        let safe = cx.state.ways.calls
            || cx.state.ways.stack && conversions.reach_no_memory(&signature.arguments);
        let in_place = safe && fits;
        let native = NativeCall::of(&plan);
        Ok(native.map(|native| Recipe {
            signature,
            convention,
            conversions,
            plan,
            native,
            in_place,
        }))
    }
}

impl State {
    /// The recipe of a function type, made at the first call. `key`, of 63 bits, tells different variable types apart, or is
    /// [`BY_TYPES`].
    pub(super) fn recipe<'s>(
        cx: &Cx<'s>,
        ty: TypeId,
        key: u64,
        variable: &[QualType],
    ) -> Result<Option<&'s Recipe>, LuaError> {
        let types = if key == BY_TYPES { variable.into() } else { Box::default() };
        let options = &cx.state.options;
        let boxed = [options.boxed_int64.get(), options.boxed_uint64.get()];
        let key = (ty, key, boxed, types);
        let known = cx.state.recipes.borrow().get(&key).map(|recipe| &raw const **recipe);
        let recipe = match known {
            Some(recipe) => recipe,
            None => {
                let Some(recipe) = Recipe::new(cx, ty, variable)? else { return Ok(None) };
                let mut recipes = cx.state.recipes.borrow_mut();
                &raw const **recipes.entry(key).or_insert(Box::new(recipe))
            }
        };
        // SAFETY: recipes are in boxes, which are neither moved out nor dropped before the state.
        Ok(Some(unsafe { &*recipe }))
    }
}

/// Calls of a function until it is compiled.
static HOT: AtomicU32 = AtomicU32::new(UNSET);
const UNSET: u32 = u32::MAX;
/// About where the time that calls took without a thunk reaches that of compiling one (`benches/threshold.lua`).
const DEFAULT: u32 = 4000;

/// Sets after how many calls a C function gets a thunk of its own, for the whole process; 0: at the first. Where it is not
/// set, the environment variable `CTHUNK_HOT` says it, or it is a number that suits most programs.
pub fn compile_after(calls: u32) {
    HOT.store(calls.min(UNSET - 1), Ordering::Relaxed);
}

/// Calls of a function until it is compiled.
pub(super) fn hot() -> u32 {
    if Mode::current() == Mode::Interpreted || api::SEND {
        return COMPILED;
    }
    match HOT.load(Ordering::Relaxed) {
        UNSET => {
            let asked = env::var("CTHUNK_HOT").ok().and_then(|calls| calls.parse().ok());
            compile_after(asked.unwrap_or(DEFAULT));
            HOT.load(Ordering::Relaxed)
        }
        calls => calls,
    }
}

/// How often a function was called; [`COMPILED`] from the time on that it has its thunk, or cannot have one.
pub(in crate::lua) type Calls = Cell<u32>;
pub(in crate::lua) const COMPILED: u32 = u32::MAX;

/// Counts a call of a function that has no thunk. True, once: it is time for one.
pub(super) fn is_hot(calls: &Calls) -> bool {
    let before = calls.get();
    if before == COMPILED {
        return false;
    }
    let hot = before >= hot();
    calls.set(if hot { COMPILED } else { before + 1 });
    hot
}

/// The C function of closures that have no thunk yet, and [`Function::slow`] of those that do.
///
/// # Safety
/// - *Closure* (see `call`), of a record that has a recipe.
/// - *Layout*.
pub(in crate::lua) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    // SAFETY: Lua calls this, or a thunk does, as a closure whose upvalue 1 is a record with a recipe; the state is in place.
    unsafe {
        let record = &*Call::of(lua).upvalue::<Function>(1, 0);
        deferred::settle(lua, &*record.head);
        if let Some(error) = refused(lua, record) {
            return error;
        }
        let recipe = &*record.recipe.get();
        if is_hot(&record.calls)
            && let Some(thunk) = compile(record, recipe)
        {
            reentry::install(lua, record, thunk);
            return thunk(lua);
        }
        if Call::of(lua).count() != recipe.conversions.arguments.len() {
            return runtime::raise_count(lua, record);
        }
        run(lua, record, recipe)
    }
}

/// Raises where the state or the function is closed; `None`: neither is.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Raise*.
pub(in crate::lua) unsafe fn refused(lua: *mut lua_State, record: &Function) -> Option<Results> {
    // SAFETY: a record's head lies in the userdata of its state.
    unsafe {
        if (*record.head).is_closed() {
            return Some(guard_in(lua, record.head, |_| Ok(0)));
        }
        record.target.get().is_null().then(|| runtime::raise_null(lua, record))
    }
}

/// The thunk of a recipe, in place if the state is; `None`, with a line in the log, where it cannot be made.
pub(in crate::lua) fn compile(
    record: &Function,
    recipe: &Recipe,
) -> Option<crate::lua::vm::api::lua_CFunction> {
    // SAFETY: the record's state is open while its function is called.
    let state = unsafe { (*record.head).state()? };
    let Recipe { signature, convention, conversions, .. } = recipe;
    let label = function::label(state, record.ty, record.name());
    let way = Way::of(state.head(), recipe.in_place || state.ways.calls);
    match function::thunk(state, signature, convention, conversions, way, label) {
        Ok(thunk) => Some(thunk),
        Err(error) => {
            log::warn!("'{}' stays without a thunk: {error}", record.name());
            None
        }
    }
}

/// Makes the call.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Layout* (see `vm`).
/// - *Raise*.
pub(in crate::lua) unsafe fn run(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
) -> Results {
    let little = recipe.plan.frame.size as usize <= LITTLE;
    // SAFETY: *Recipe* and *Layout*, kept by the caller.
    unsafe {
        if !recipe.in_place {
            return plan_api::run(lua, record, recipe);
        }
        match (little, recipe.native.stack_bytes()) {
            (true, 0) => run_within::<LITTLE, 0>(lua, record, recipe),
            _ => run_within::<ROOM, { ROOM / 8 }>(lua, record, recipe),
        }
    }
}

/// [`run`], with room for the Frame and for so many words of stack arguments.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Layout* (see `vm`), and the recipe says `in_place`.
/// - *Raise*.
unsafe fn run_within<const BYTES: usize, const WORDS: usize>(
    lua: *mut lua_State,
    record: &Function,
    recipe: &Recipe,
) -> Results {
    let target = record.address.get();
    let plan = &recipe.plan;
    let mut frame = Frame([0; BYTES]);
    let memory = &raw mut frame.0;
    let arguments = recipe.conversions.arguments.iter().zip(&recipe.signature.arguments);
    // SAFETY: *Frame*: it has room for the plan's. *Recipe* and *Layout*, kept by the caller.
    unsafe {
        for (index, ((&argument, ty), &at)) in arguments.zip(&plan.frame.arguments).enumerate() {
            let to = memory.cast::<u8>().add(at as usize);
            let slot = Call::of(lua).argument(index + 1);
            if !in_place(argument, ty, record, index, slot, to) {
                by_helper(lua, record, argument, ty, index as c_int + 1, to);
            }
        }
        let mut block = Registers::default();
        let mut words = [0_u64; WORDS];
        let (words_used, _) = words.split_at_mut(recipe.native.stack_bytes() / 8);
        let stack = memory::bytes(words_used);
        lower::load(plan, &*memory, memory as u64, block.bytes(), stack);
        let head = &*record.head;
        let native = || recipe.native.invoke(target, &mut block, stack);
        if let Err(caught) = transition::across(lua, head, native) {
            return caught.raise(lua, head);
        }
        lower::store_result(plan, block.bytes(), &mut *memory);
        push(lua, record, recipe, memory.cast::<u8>().add(plan.frame.result as usize))
    }
}

/// Writes a number's low bytes.
///
/// # Safety
/// - `to` is aligned, and writable for `size` bytes: 1, 2, 4 or 8.
unsafe fn store(to: *mut u8, size: u32, value: u64) {
    // SAFETY: `to` is aligned and has `size` bytes, as the caller promises.
    unsafe {
        match size {
            1 => to.write(value as u8),
            2 => to.cast::<u16>().write(value as u16),
            4 => to.cast::<u32>().write(value as u32),
            _ => to.cast::<u64>().write(value),
        }
    }
}

/// Converts an argument that is what is usual for its type; false where it is not.
///
/// # Safety
/// - *Frame* (see `call`): `to` is the slot of the argument.
unsafe fn in_place(
    argument: Argument,
    ty: &Type,
    record: &Function,
    index: usize,
    slot: Slot,
    to: *mut u8,
) -> bool {
    let value = match argument {
        Argument::Integer if slot.integer().is_none() && ty.size == 8 => {
            // SAFETY: what is accepted for such a parameter holds 8 bytes.
            record.accepted_address(index, slot).map(|at| unsafe { at.cast::<u64>().read() })
        }
        Argument::Integer | Argument::Enum => slot.integer().map(|n| n as u64),
        Argument::Number => {
            let n = slot.float().or_else(|| slot.integer().map(|n| n as f64));
            n.map(|n| match ty.size {
                4 => u64::from((n as f32).to_bits()),
                _ => n.to_bits(),
            })
        }
        Argument::Boolean => slot.boolean().map(u64::from),
        Argument::Text if slot.text().is_some() => slot.text().map(|text| text as u64),
        Argument::Pointer | Argument::Text if slot.is_nil() => Some(0),
        Argument::Pointer | Argument::Text => {
            record.accepted_address(index, slot).map(|address| address as u64)
        }
        Argument::Variable => variable(record, ty, slot),
        Argument::Aggregate => {
            let Some(bytes) = record.accepted_address(index, slot) else { return false };
            // SAFETY: what is accepted holds a value of the parameter's type.
            unsafe { to.copy_from(bytes, ty.size as usize) };
            return true;
        }
        Argument::VariableAggregate => None,
    };
    let Some(value) = value else { return false };
    // SAFETY: *Frame*, kept by the caller; scalars have at most 8 bytes.
    unsafe { store(to, ty.size, value) };
    true
}

/// The bits of an argument for `...`, as [`super::variadic::Variable`] has its type.
fn variable(record: &Function, ty: &Type, slot: Slot) -> Option<u64> {
    if let Some(n) = slot.integer() {
        let is_double = matches!(ty.kind, AbiKind::Float);
        return Some(if is_double { (n as f64).to_bits() } else { n as u64 });
    }
    if let Some(n) = slot.float() {
        return Some(n.to_bits());
    }
    if let Some(text) = slot.text() {
        return Some(text as u64);
    }
    // SAFETY: *Recipe*: the state is open.
    let state = unsafe { (*record.head).state() }?;
    let cd = cdata::at_slot(state, slot)?;
    // SAFETY: a cdata holds a value of its type.
    unsafe {
        match state.value_kind(cd.ty) {
            Kind::Pointer(_) => Some(cd.address as u64),
            Kind::Array(..) => Some(cd.address as u64),
            Kind::Int(kind) if kind.size() == 4 => Some(cd.bytes().cast::<u32>().read().into()),
            Kind::Int(kind) if kind.size() == 8 => Some(cd.bytes().cast::<u64>().read()),
            Kind::Float(FloatKind::F64) => Some(cd.bytes().cast::<u64>().read()),
            _ => None,
        }
    }
}

/// Converts any argument, or raises.
///
/// # Safety
/// - *Record* (see `call`).
/// - *Frame*: `to` is the slot of the argument.
/// - *Raise*.
pub(super) unsafe fn by_helper(
    lua: *mut lua_State,
    record: &Function,
    argument: Argument,
    ty: &Type,
    index: c_int,
    to: *mut u8,
) {
    // SAFETY: *Record* and *Frame*, kept by the caller.
    unsafe {
        let value = match argument {
            Argument::Integer => runtime::integer(lua, record, index),
            Argument::Number => {
                let n = runtime::number(lua, record, index);
                if ty.size == 4 { u64::from((n as f32).to_bits()) } else { n.to_bits() }
            }
            Argument::Boolean | Argument::Enum | Argument::Pointer | Argument::Text => {
                runtime::other(lua, record, index)
            }
            Argument::Variable => runtime::variable(lua, record, index),
            Argument::Aggregate | Argument::VariableAggregate => {
                let bytes = match argument {
                    Argument::Aggregate => runtime::aggregate(lua, record, index),
                    _ => runtime::variable_aggregate(lua, record, index),
                };
                return to.copy_from(bytes as *const u8, ty.size as usize);
            }
        };
        store(to, ty.size, value);
    }
}

/// Pushes the result; returns the number of results.
///
/// # Safety
/// - *Recipe* (see `call`).
/// - *Frame*: `from` is the slot of the result.
unsafe fn push(lua: *mut lua_State, record: &Function, recipe: &Recipe, from: *mut u8) -> Results {
    let ty = &recipe.signature.result;
    // SAFETY: *Recipe* and *Frame*, kept by the caller.
    unsafe {
        match recipe.conversions.result {
            Outcome::None => return Results::NONE,
            Outcome::Boolean => memory::push(lua).set_boolean(from.read() != 0),
            Outcome::Number => memory::push(lua).set_float(match ty.size {
                4 => from.cast::<f32>().read().into(),
                _ => from.cast::<f64>().read(),
            }),
            Outcome::Integer => {
                let signed = ty.kind == AbiKind::Int { signed: true };
                memory::push(lua).set_integer(match (ty.size, signed) {
                    (1, true) => from.cast::<i8>().read().into(),
                    (1, false) => from.read().into(),
                    (2, true) => from.cast::<i16>().read().into(),
                    (2, false) => from.cast::<u16>().read().into(),
                    (4, true) => from.cast::<i32>().read().into(),
                    (4, false) => from.cast::<u32>().read().into(),
                    _ => from.cast::<i64>().read(),
                });
            }
            Outcome::Unsigned => match from.cast::<u64>().read() as i64 {
                n @ 0.. => memory::push(lua).set_integer(n),
                _ => runtime::push_copy_in_place(lua, record, from),
            },
            Outcome::Copy => runtime::push_copy_in_place(lua, record, from),
            Outcome::Other if ty.kind == AbiKind::Pointer => {
                runtime::push_pointer(lua, record, from.cast::<*mut u8>().read());
            }
            Outcome::Other => runtime::push_result(lua, record, from),
        }
    }
    Results::ONE
}
