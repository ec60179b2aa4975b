//! How a function is called just now: the route that the calls of its closure take, and what changes it.
//!
//! ```text
//!  a closure is made: `route`
//!   │
//!   ├──▶ PlanFast ───── hot ─────┬──▶ Thunk(Direct) ── first callback ──┬──▶ Thunk(Announced)
//!   ├──▶ Thunk                   └──▶ Thunk(Announced)                  └──▶ Slow
//!   │
//!   ├──▶ CountedApi ─── hot ────────▶ Thunk(Api)
//!   ├──▶ PlanApi
//!   ├──▶ Guest
//!   ├──▶ Slow
//!   │
//!   └──▶ Variadic ── hot, same types ──┬──▶ Thunk(Direct)
//!            ▲                         │      │
//!            │                         └──────┼──▶ Thunk(Announced)
//!            └──────── first callback ────────┘
//! ```
//!
//! The first route depends on the type and on the state's [`Ways`](crate::lua::state::ways::Ways): `PlanFast` where arguments are read directly, a `Thunk`
//! at once where no plan can be carried out without one (`Slow` if its calls take much of the stack), `CountedApi` where a plan is carried out through Lua's C API, `PlanApi` where the process or
//! the policy has no thunks, or the Frame is large.
//!
//! | transition | its cause |
//! |---|---|
//! | `PlanFast`, `CountedApi` → `Thunk` | the function was called as often as [`compile_after`] says: [`promote`]. The thunk is an announced one if the state has had a callback. If it cannot be made, the route stays |
//! | `Variadic` → `Thunk` | as many calls in a row had arguments of the same types; see [`super::variadic`] |
//! | `Thunk(Direct)` → `Thunk(Announced)` | the state has had its first callback, and the thunk leaves the next call to [`elsewhere`]: [`announce_calls`] |
//! | `Thunk(Direct)` → `Slow` | the same, and that thunk cannot be made |
//! | `Thunk(Direct)` → `Variadic` | the same, of a variadic function: its next call with the same types makes the announced thunk |
//! | any → refused, and back | [`Routing::close`]: the library is closed. [`Routing::aim`]: a pointer to a function is called |
//!
//! The route decides three things, which [`Routing`] and [`install`] alone write: the C function of the closure, [`Routing::slow`], to which a thunk
//! leaves the calls that it cannot make, and the *bar*, a word that is 0 while a direct thunk may make calls.
//!
//! | route | C function of the closure | slow | bar |
//! |---|---|---|---|
//! | `PlanFast` | [`plan_fast::call`] | the same | |
//! | `PlanApi` | [`plan_api::call`] | the same | |
//! | `CountedApi` | [`plan_api::by_record`] | [`plan_api::counted`] | |
//! | `Thunk(Api)` | the thunk | the thunk | |
//! | `Thunk(Direct)` | the thunk | as it was, at first [`compile_slow`] | 0 until the state has a callback |
//! | `Thunk(Announced)` | the thunk | the same | 0 while no C call is in progress, and no call of a callback waits |
//! | `Slow` | slow | as it was | |
//! | `Variadic` | [`variadic::call`] | the same | |
//! | `Guest` | [`guest::call`] | | |
//!
//! Without a target each bar is 1. (An announced thunk does not know which call it is in. Lua code within another call, with no callback between
//! them, makes this one by the slow function.)

use std::cell::Cell;
use std::env;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use mlua::ffi as sys;

use super::function::{self, Function};
use super::guest;
use super::plan_api;
use super::plan_fast;
use super::recipe::Recipe;
use super::variadic;
use crate::abi;
use crate::code::{self, Mode};
use crate::ctype::{Type as CType, TypeId};
use crate::lua::state::boundary::Boundary;
use crate::lua::state::head::Head;
use crate::lua::state::{Cx, LuaError, State, guard_in};
use crate::lua::vm::api::{self, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::Call;
use crate::policy::Permissions;

/// How a thunk gets at Lua's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Way {
    /// By Lua's C API.
    Api,
    /// As memory.
    Direct,
    /// As memory, and it says which thread calls C, and looks for an error that a callback has caught.
    Announced,
}

impl Way {
    /// Of a thunk that is made now.
    pub(super) fn of(head: &Head, direct: bool) -> Way {
        match (direct, head.boundary.has_callbacks()) {
            (false, _) => Way::Api,
            (true, false) => Way::Direct,
            (true, true) => Way::Announced,
        }
    }
}

/// A thunk of the process, as a closure's C function.
#[derive(Clone, Copy)]
pub(super) struct Thunk {
    pub way: Way,
    pub code: lua_CFunction,
}

/// How the calls of a closure are made.
#[derive(Clone, Copy)]
pub(super) enum Route<'r> {
    /// The plan is read, with Lua's stack as memory.
    PlanFast(&'r Recipe),
    /// The plan is read, through Lua's C API.
    PlanApi(&'r Recipe),
    /// The same, until there is a thunk.
    CountedApi(&'r Recipe),
    /// A thunk makes the calls.
    Thunk(Thunk),
    /// The function to which the thunk left calls now makes all calls.
    Slow,
    /// By the types of the arguments. Whether the target is a stub that announces vector registers from the start on.
    Variadic { announces_vectors: bool },
    /// A shim of 32-bit code makes the calls.
    Guest,
}

/// The part of a [`Function`] that says how it is called.
#[repr(C)]
pub(super) struct Routing {
    /// The address that a thunk calls; null once the library is closed.
    target: Cell<*const c_void>,
    /// Leads to 0 where the closure's thunk may call the target at once.
    bar: Cell<*const AtomicUsize>,
    /// Makes the calls that the closure's thunk cannot make directly, or raises.
    slow: Cell<lua_CFunction>,
    /// Whether the thunk is a [`Way::Announced`] one.
    announced: Cell<bool>,
    /// Whether `target` is a stub that announces vector registers (System V, variadic).
    announces_vectors: Cell<bool>,
    /// How often it was called without a thunk; [`COMPILED`] from the time on that it has one, or cannot have one.
    calls: Cell<u32>,
    /// How to call it without a thunk; of a variadic function the last call's, null at first. Null too where a thunk is needed.
    recipe: Cell<*const Recipe>,
    /// The C function itself; `target` may be a stub before it.
    address: Cell<*const c_void>,
    /// The variable arguments of the last call of a variadic function, and their thunk, where that goes through the API.
    last: Cell<(u64, Option<lua_CFunction>)>,
}

/// Where a thunk finds the target, from the record on.
pub(super) const TARGET: i32 = (offset_of!(Function, routing) + offset_of!(Routing, target)) as i32;
/// Where it finds the bar.
pub(super) const BAR: i32 = (offset_of!(Function, routing) + offset_of!(Routing, bar)) as i32;

/// The `calls` of a function that has its thunk, or cannot have one.
const COMPILED: u32 = u32::MAX;

impl Routing {
    /// Of a record that has no target yet; and the C function of its closure.
    pub(super) fn new(head: &Head, route: Route<'_>) -> (Routing, lua_CFunction) {
        let routing = Routing {
            target: Cell::new(ptr::null()),
            bar: Cell::new(Boundary::never()),
            slow: Cell::new(compile_slow),
            announced: Cell::new(false),
            announces_vectors: Cell::new(false),
            calls: Cell::new(0),
            recipe: Cell::new(ptr::null()),
            address: Cell::new(ptr::null()),
            last: Cell::new((0, None)),
        };
        let code = routing.take(head, route);
        (routing, code)
    }

    /// Takes a route; returns the C function that the closure is to have.
    fn take(&self, head: &Head, route: Route<'_>) -> lua_CFunction {
        let plan = |recipe: &Recipe, slow: lua_CFunction| {
            self.recipe.set(recipe);
            self.slow.set(slow);
            slow
        };
        match route {
            Route::PlanFast(recipe) => plan(recipe, plan_fast::call),
            Route::PlanApi(recipe) => plan(recipe, plan_api::call),
            Route::CountedApi(recipe) => {
                plan(recipe, plan_api::counted);
                plan_api::by_record
            }
            Route::Thunk(Thunk { way: Way::Api, code }) => {
                self.slow.set(code);
                code
            }
            Route::Thunk(Thunk { way, code }) => {
                self.announced.set(way == Way::Announced);
                self.set_bar(head);
                code
            }
            Route::Slow => self.slow.get(),
            Route::Variadic { announces_vectors } => {
                self.announces_vectors.set(self.announces_vectors.get() || announces_vectors);
                self.slow.set(variadic::call);
                variadic::call
            }
            Route::Guest => guest::call,
        }
    }

    fn set_bar(&self, head: &Head) {
        self.bar.set(match self.announced.get() {
            _ if self.target.get().is_null() => Boundary::never(),
            true => head.boundary.between_calls(),
            false => head.boundary.until_callbacks(),
        });
    }

    /// Sets the C function; null: calls are refused from now on.
    pub(super) fn aim(&self, head: &Head, function: *const c_void) -> Result<(), LuaError> {
        self.address.set(function);
        self.target.set(match self.announces_vectors.get() {
            true if !function.is_null() => code::announce_vectors(function)?,
            _ => function,
        });
        self.set_bar(head);
        Ok(())
    }

    /// Refuses calls from now on, and still knows the function.
    pub(super) fn close(&self, head: &Head) {
        self.target.set(ptr::null());
        self.set_bar(head);
    }

    /// Makes the thunks of a variadic function announce its vector registers.
    pub(super) fn announce_vectors(&self, head: &Head) -> Result<(), LuaError> {
        self.announces_vectors.set(true);
        match self.is_closed() {
            true => Ok(()),
            false => self.aim(head, self.address.get()),
        }
    }

    /// Whether there is nothing to call.
    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.target.get().is_null()
    }

    /// The C function, or a stub before it.
    pub(super) fn target(&self) -> *const c_void {
        self.target.get()
    }

    /// The C function itself.
    #[inline(always)]
    pub(super) fn address(&self) -> *const c_void {
        self.address.get()
    }

    /// The function that makes the calls that a thunk cannot make.
    #[inline(always)]
    pub(super) fn slow(&self) -> lua_CFunction {
        self.slow.get()
    }

    /// The recipe, null where there is none. A state keeps its recipes.
    #[inline(always)]
    pub(super) fn recipe(&self) -> *const Recipe {
        self.recipe.get()
    }

    /// Counts a call of a function that has no thunk. True, once: it is time for one.
    #[inline(always)]
    pub(super) fn is_hot(&self) -> bool {
        let before = self.calls.get();
        if before == COMPILED {
            return false;
        }
        let hot = before >= hot();
        self.calls.set(if hot { COMPILED } else { before + 1 });
        hot
    }

    /// Whether it has its thunk, or cannot have one.
    pub(super) fn is_compiled(&self) -> bool {
        self.calls.get() == COMPILED
    }

    /// The types of the last call's variable arguments.
    pub(super) fn last_types(&self) -> u64 {
        self.last.get().0
    }

    /// The thunk through the API for variable arguments of these types, if they are the last call's.
    pub(super) fn thunk_for(&self, types: u64) -> Option<lua_CFunction> {
        let (last, thunk) = self.last.get();
        thunk.filter(|_| last == types)
    }

    /// Has calls with variable arguments of these types made by a recipe, and counts them.
    pub(super) fn serve_by_recipe(&self, types: u64, recipe: &Recipe) {
        self.last.set((types, None));
        self.recipe.set(recipe);
        self.calls.set(0);
    }

    /// Has calls with variable arguments of these types made by a thunk through the API.
    pub(super) fn serve_by_thunk(&self, types: u64, thunk: lua_CFunction) {
        self.recipe.set(ptr::null());
        self.last.set((types, Some(thunk)));
    }

    /// Counts a call with variable arguments of these types, as long as they stay the same. True, once: it is time for a thunk.
    pub(super) fn is_hot_for(&self, types: u64) -> bool {
        if self.last_types() != types {
            self.last.set((types, None));
            self.calls.set(0);
        }
        self.is_hot()
    }
}

/// The first route of a closure that calls functions of type `ty`, and is named `name`.
///
/// # Errors
/// A type that cannot be called, or that the policy does not let scripts call.
pub(super) fn route<'s>(cx: &Cx<'s>, ty: TypeId, name: &str) -> Result<Route<'s>, LuaError> {
    cx.state.machine.check_runs()?;
    let ways = &cx.state.ways;
    let is_variadic = match cx.state.types.borrow().table().get(ty) {
        CType::Function(function) => function.variadic,
        _ => false,
    };
    if is_variadic {
        cx.state.permit(Permissions::VARARGS)?;
    }
    if let Some(recipe) = State::recipe(cx, ty, 0, &[])? {
        // `plan_fast`, to which a direct thunk leaves what it cannot do, has no room for large Frames.
        let by_plan = !ways.thunks || recipe.plan.is_large();
        let route = match (recipe.direct, by_plan) {
            (true, _) => Some(Route::PlanFast(recipe)),
            (false, true) => Some(Route::PlanApi(recipe)),
            (false, false) if !ways.calls => Some(Route::CountedApi(recipe)),
            (false, false) => None,
        };
        match route {
            Some(_) if is_variadic => return Ok(Route::Variadic { announces_vectors: false }),
            Some(route) => return Ok(route),
            None => {}
        }
    }
    let (signature, convention, conversions) = function::shape(cx, ty, &[])?;
    if convention.is_i686() || is_variadic {
        // The plan of the named parameters is the earliest point at which an unsupported type can be refused.
        let plan = abi::plan(&signature, convention)?;
        return Ok(match convention.is_i686() {
            true => Route::Guest,
            false => Route::Variadic { announces_vectors: plan.vector_count.is_some() },
        });
    }
    if abi::plan(&signature, convention)?.stack_taken() > code::LITTLE_STACK {
        return Ok(Route::Slow);
    }
    let label = function::label(cx.state, ty, name);
    let way = Way::of(cx.state.head(), ways.calls);
    let code = function::thunk(cx.state, &signature, convention, &conversions, way, label)?;
    Ok(Route::Thunk(Thunk { way, code }))
}

/// Gives the running closure another route.
///
/// # Safety
/// - *Closure* (see `call`).
/// - A thunk is one for the record.
pub(super) unsafe fn install(lua: *mut lua_State, record: &Function, route: Route<'_>) {
    // SAFETY: *Closure*, kept by the caller: the head lies in the userdata of the record's state.
    unsafe {
        let head = &*record.head;
        let code = record.routing.take(head, route);
        match head.state() {
            // *Layout*: the state has that way.
            Some(state) if state.ways.stack => Call::of(lua).set_code(code),
            _ => _ = api::set_code(lua, code),
        }
    }
}

/// Gives the running closure, which is called often enough, a thunk that makes this call, too; `None`, with a line in the log, where it cannot be
/// made.
///
/// # Safety
/// - *Closure* (see `call`), of a record that has a recipe.
#[cold]
pub(super) unsafe fn promote(lua: *mut lua_State, record: &Function) -> Option<lua_CFunction> {
    // SAFETY: *Closure*, and there is a recipe, as the caller promises.
    unsafe {
        let thunk = compile(record, &*record.routing.recipe())?;
        install(lua, record, Route::Thunk(thunk));
        Some(thunk.code)
    }
}

/// The thunk of a recipe, a direct one if the recipe is; `None`, with a line in the log, where it cannot be made.
pub(super) fn compile(record: &Function, recipe: &Recipe) -> Option<Thunk> {
    // SAFETY: the head lies in the userdata of the record's state.
    let way = Way::of(unsafe { &*record.head }, recipe.direct);
    compile_as(record, recipe, way)
}

/// [`compile`], for one way to Lua's stack.
pub(super) fn compile_as(record: &Function, recipe: &Recipe, way: Way) -> Option<Thunk> {
    // SAFETY: the record's state is open while its function is called.
    let state = unsafe { (*record.head).state()? };
    let Recipe { signature, convention, conversions, .. } = recipe;
    let label = function::label(state, record.ty, record.name());
    match function::thunk(state, signature, convention, conversions, way, label) {
        Ok(code) => Some(Thunk { way, code }),
        Err(error) => {
            log::warn!("'{}' stays without a thunk: {error}", record.name());
            None
        }
    }
}

/// Where a direct thunk leaves the calls that it cannot make, before anything has happened.
///
/// # Safety
/// - *Closure*.
/// - *Layout*.
pub(super) unsafe extern "C-unwind" fn elsewhere(lua: *mut lua_State) -> Results {
    // SAFETY: a direct thunk runs as a closure whose upvalue 1 is a record.
    unsafe {
        let record = &*Call::of(lua).upvalue::<Function>(1, 0);
        if !record.routing.announced.get() && (*record.head).boundary.has_callbacks() {
            announce_calls(lua, record);
        }
        (record.routing.slow())(lua)
    }
}

/// Gives the running closure a thunk that announces its calls, instead of the one that it has; if that fails it has none from now
/// on.
///
/// # Safety
/// - *Closure* (see `call`).
/// - *Layout* (see `vm`).
#[cold]
unsafe fn announce_calls(lua: *mut lua_State, record: &Function) {
    let mut route = None;
    // SAFETY: *Closure* and *Layout*, kept by the caller.
    unsafe {
        guard_in(lua, record.head, |cx| {
            if record.is_variadic(cx) {
                // The next call that has the types of the one before gets it.
                record.routing.calls.set(hot());
                record.forget_variable();
                route = Some(Route::Variadic { announces_vectors: false });
                return Ok(0);
            }
            let (signature, convention, conversions) = function::shape(cx, record.ty, &[])?;
            let label = function::label(cx.state, record.ty, record.name());
            let way = Way::Announced;
            let made = function::thunk(cx.state, &signature, convention, &conversions, way, label);
            route = Some(match made {
                Ok(code) => Route::Thunk(Thunk { way, code }),
                Err(error) => {
                    log::warn!("'{}' goes on without a thunk: {error}", record.name());
                    Route::Slow
                }
            });
            Ok(0)
        });
        if let Some(route) = route {
            install(lua, record, route);
        }
    }
}

/// The first [`Routing::slow`] of a direct thunk without a recipe: makes a thunk through the API, which stays there, and goes on as it. Where a
/// call takes much of the stack, this function stays there, and asks for it before each call: a thunk takes it as it begins.
///
/// # Safety
/// - *Closure* (see `call`): a thunk calls it as its own closure.
unsafe extern "C-unwind" fn compile_slow(lua: *mut lua_State) -> Results {
    let mut found = None;
    // SAFETY: Lua called a thunk with this state, whose closure's upvalue 1 is a record of `push_record`.
    let results = unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        guard_in(lua, record.head, |cx| {
            let (signature, convention, conversions) = function::shape(cx, record.ty, &[])?;
            let asks = function::ask_for_stack(&signature, convention)?;
            let label = function::label(cx.state, record.ty, record.name());
            let code =
                function::thunk(cx.state, &signature, convention, &conversions, Way::Api, label)?;
            if !asks {
                record.routing.slow.set(code);
            }
            found = Some(code);
            Ok(0)
        })
    };
    match found {
        // SAFETY: the thunk runs as this closure, on the same stack; nothing with a destructor is alive.
        Some(thunk) => unsafe { thunk(lua) },
        None => results,
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
fn hot() -> u32 {
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

#[cfg(all(
    test,
    any(feature = "lua53", feature = "lua54", feature = "lua55"),
    not(feature = "send"),
    target_arch = "x86_64",
    target_os = "linux"
))]
mod tests;
