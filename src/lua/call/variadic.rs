//! Calls of variadic functions, whose thunks depend on the types of the arguments for `...`.
//!
//! The record has the recipe, or the thunk, for the types of the last call. When a function was called often enough with arguments of the same
//! types, its closure gets a thunk for these types. It checks them, and leaves all other calls to this file.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi as sys;

use super::function::{self, Function};
use super::plan_fast;
use super::recipe::{BY_TYPES, Recipe};
use super::route::{self, Route, Thunk, Way};
use crate::ctype::{FloatKind, IntKind, QualType, TypeId};
use crate::lua::callback::deferred;
use crate::lua::state::{Cx, LuaError, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{Call, Slot};

/// The kind of a variable argument in a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lua) enum Variable {
    Int,
    Unsigned,
    Int64,
    Unsigned64,
    Double,
    Pointer,
    /// A cdata of this type, as it is.
    Value(QualType),
}

impl Variable {
    /// The promoted type of a value for `...` (C11 6.5.2.2p6; LuaJIT's "Conversions for vararg C function arguments", but
    /// for Lua integers, which stay integers unless the state chose LuaJIT's way).
    pub(in crate::lua) fn of(cx: &Cx<'_>, index: c_int) -> Result<Variable, LuaError> {
        let variable = match cx.type_of(index) {
            LuaType::Number => match cx.number(index) {
                Some(api::Number::Integer(n)) if !cx.state.options.variable_as_luajit.get() => {
                    Some(Variable::of_integer(cx.state, n))
                }
                _ => Some(Variable::Double),
            },
            LuaType::Boolean => Some(Variable::Int),
            LuaType::Nil | LuaType::String | LuaType::LightUserdata => Some(Variable::Pointer),
            LuaType::Function => function::record_at(cx, index).map(|_| Variable::Pointer),
            LuaType::Userdata if cx.c_file(index).is_some() => Some(Variable::Pointer),
            LuaType::Userdata => cdata::at(cx, index).map(|cd| Variable::of_cdata(cx.state, cd.ty)),
            _ => None,
        };
        variable.ok_or_else(|| {
            let what = to_c::describe(cx, index);
            LuaError::new(format!("cannot convert '{what}' to a variable argument ('...')"))
        })
    }

    /// Where registers have 64 bits, an `int` is read from an `int64_t`; elsewhere a number that fits one is an `int`.
    fn of_integer(state: &State, n: i64) -> Variable {
        match state.machine.is_narrow() {
            true if i32::try_from(n).is_ok() => Variable::Int,
            true if u32::try_from(n).is_ok() => Variable::Unsigned,
            _ => Variable::Int64,
        }
    }

    fn of_cdata(state: &State, ty: QualType) -> Variable {
        match state.value_kind(ty) {
            Kind::Bool => Variable::Int,
            Kind::Int(kind) => match (kind.size(), kind.is_signed(state.char_signed)) {
                (4, false) => Variable::Unsigned,
                (8, true) => Variable::Int64,
                (8, false) => Variable::Unsigned64,
                (16, _) => Variable::Value(ty),
                _ => Variable::Int,
            },
            Kind::Float(FloatKind::F32 | FloatKind::F64) => Variable::Double,
            Kind::Pointer(_) | Kind::Reference(_) | Kind::Array(..) | Kind::Function => {
                Variable::Pointer
            }
            Kind::Record(_) if state.options.variable_as_luajit.get() => Variable::Pointer,
            _ => Variable::Value(ty),
        }
    }

    /// The kind of a variable argument, if Lua's stack as memory shows it.
    fn at_slot(state: &State, slot: Slot) -> Option<Variable> {
        let doubles = state.options.variable_as_luajit.get();
        if slot.integer().is_some() && !doubles {
            Some(Variable::Int64)
        } else if slot.integer().or_else(|| slot.float().map(|_| 0)).is_some() {
            Some(Variable::Double)
        } else if slot.text().is_some() || slot.is_nil() {
            Some(Variable::Pointer)
        } else if slot.boolean().is_some() {
            Some(Variable::Int)
        } else {
            cdata::at_slot(state, slot).map(|cd| Variable::of_cdata(state, cd.ty))
        }
    }

    /// As a C type.
    pub(in crate::lua) fn ty(self, cx: &Cx<'_>) -> QualType {
        let id = match self {
            Variable::Value(ty) => return ty,
            Variable::Int => TypeId::INT,
            Variable::Unsigned => TypeId::int(IntKind::U32),
            Variable::Int64 => TypeId::int(IntKind::I64),
            Variable::Unsigned64 => TypeId::int(IntKind::U64),
            Variable::Double => TypeId::DOUBLE,
            Variable::Pointer => cx.state.known.const_void_ptr,
        };
        id.into()
    }

    /// Four bits of the key of a thunk; none where there are too many types.
    fn key(self) -> Option<u64> {
        Some(match self {
            Variable::Int => 1,
            Variable::Unsigned => 2,
            Variable::Int64 => 3,
            Variable::Unsigned64 => 4,
            Variable::Double => 5,
            Variable::Pointer => 6,
            Variable::Value(_) => return None,
        })
    }
}

/// The Lua C function of every variadic C function, but for what their thunks do.
///
/// # Safety
/// - *Closure*, of a variadic function.
pub(in crate::lua) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> Results {
    let mut found = None;
    // SAFETY: Lua calls this with a live state; upvalue 1 is the record that `push_function` made.
    unsafe {
        let record = &*api_record(lua);
        deferred::settle(lua, &*record.head);
        if let Some((state, recipe)) = again(lua, record) {
            if record.routing.is_hot() {
                // A direct thunk looks for accepted cdata of each of its arguments.
                let fits = recipe.conversions.arguments.len() <= record.places as usize;
                let way = Way::of(&*record.head, recipe.direct);
                let thunk = fits.then(|| compile(record, recipe, way)).flatten();
                record.forget_variable();
                let next = thunk.map_or(Route::Variadic { announces_vectors: false }, Route::Thunk);
                route::install(lua, record, next);
            } else if record.routing.is_compiled() {
                accept(lua, state, record);
            }
            return plan_fast::run(lua, record, recipe);
        }
        let results = guard_in(lua, record.head, |cx| {
            found = Some(find(cx, record)?);
            Ok(0)
        });
        match found {
            // The thunk runs as this closure, on the same stack; nothing with a destructor is alive.
            Some(Found::Thunk(thunk)) => thunk(lua),
            Some(Found::Recipe(recipe)) => match plan_fast::refused(lua, record) {
                None => plan_fast::run(lua, record, &*recipe),
                Some(error) => error,
            },
            None => results,
        }
    }
}

/// # Safety
/// - *Closure* (see `call`).
unsafe fn api_record(lua: *mut lua_State) -> *const Function {
    // SAFETY: *Closure*, kept by the caller.
    unsafe { sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast() }
}

/// How a call with arguments of certain types is made.
#[derive(Clone, Copy)]
enum Found {
    Recipe(*const Recipe),
    Thunk(lua_CFunction),
}

/// The state and the recipe of the last call, if this one has arguments of the same types; the record and its state are open
/// then.
///
/// # Safety
/// - *Closure* (see `call`).
unsafe fn again<'r>(lua: *mut lua_State, record: &Function) -> Option<(&'r State, &'r Recipe)> {
    let recipe = record.routing.recipe();
    if recipe.is_null() || record.routing.is_closed() {
        return None;
    }
    // SAFETY: a variadic record with a recipe belongs to a state with fast calls, which keeps its recipes while it is open.
    unsafe {
        let state = (*record.head).state()?;
        let call = Call::of(lua);
        let mut key = Key::default();
        for n in record.fixed as usize + 1..=call.count() {
            key.add(Variable::at_slot(state, call.argument(n)))?;
        }
        let same = call.count() >= record.fixed as usize && key.0 == record.routing.last_types();
        same.then(|| (state, &*recipe))
    }
}

/// The thunk for a recipe's arguments.
fn compile(record: &Function, recipe: &Recipe, way: Way) -> Option<Thunk> {
    // SAFETY: the head lies in the userdata of the record's state.
    let head = unsafe { &*record.head };
    if recipe.convention.vector_count
        && let Err(error) = record.routing.announce_vectors(head)
    {
        log::warn!("'{}' stays without a thunk: {error}", record.name());
        return None;
    }
    route::compile_as(record, recipe, way)
}

/// Lets the thunk, which has left a call with arguments of its types to this file, pass cdata like the ones of this call.
///
/// # Safety
/// - *Closure* (see `call`).
/// - *Layout* (see `vm`).
/// - The thunk is one for arguments of these types.
unsafe fn accept(lua: *mut lua_State, state: &State, record: &Function) {
    // SAFETY: *Closure* and *Layout*, kept by the caller.
    let call = unsafe { Call::of(lua) };
    for n in record.fixed as usize + 1..=call.count() {
        let slot = call.argument(n);
        let Some((userdata, cd)) = slot.userdata().zip(cdata::at_slot(state, slot)) else {
            continue;
        };
        // As `plan_fast` passes it: the address itself, or what is there.
        let by_header = match state.value_kind(cd.ty) {
            Kind::Pointer(_) | Kind::Array(..) => true,
            Kind::Int(kind) => matches!(kind.size(), 4 | 8) && cd.address == cd.bytes(),
            _ => false,
        };
        if by_header && let Some(accepted) = record.accepted(n - 1) {
            accepted.add(userdata.metatable());
        }
    }
}

/// The types of variable arguments, four bits each; it begins with a 1, so that their number counts.
#[derive(Clone, Copy, PartialEq)]
struct Key(u64);

impl Default for Key {
    fn default() -> Key {
        Key(1)
    }
}

impl Key {
    /// `None`: there are too many, or one has a type of its own.
    fn add(&mut self, variable: Option<Variable>) -> Option<()> {
        let next = variable?.key()?;
        if self.0 >> 58 != 0 {
            return None;
        }
        self.0 = self.0 << 4 | next;
        Some(())
    }
}

fn find(cx: &Cx<'_>, record: &Function) -> Result<Found, LuaError> {
    let (fixed, given) = (record.fixed as c_int, cx.top());
    if given < fixed {
        return Err(function::missing(cx, record, given + 1));
    }
    let mut variable = Vec::with_capacity((given - fixed) as usize);
    let mut key = Some(Key::default());
    for index in fixed + 1..=given {
        let next = Variable::of(cx, index).map_err(|e| function::at_argument(record, index, e))?;
        variable.push(next.ty(cx));
        key = key.and_then(|mut key| key.add(Some(next)).map(|()| key));
    }
    match key {
        Some(key) => by_key(cx, record, key, &variable),
        None => by_types(cx, record, &variable),
    }
}

/// How a call is made whose variable arguments are many, or of types of their own.
fn by_types(cx: &Cx<'_>, record: &Function, variable: &[QualType]) -> Result<Found, LuaError> {
    if let Some(recipe) = Recipe::new(cx, record.ty, variable)?
        && recipe.plan.is_large()
    {
        return Ok(Found::Recipe(push_recipe(cx, recipe)));
    }
    match !cx.state.ways.thunks {
        true => recipe(cx, record, BY_TYPES, variable),
        false => thunk(cx, record, variable).map(|(thunk, _)| Found::Thunk(thunk)),
    }
}

/// Pushes a recipe for one call, which Lua collects: large ones are kept for no other.
fn push_recipe(cx: &Cx<'_>, recipe: Recipe) -> *const Recipe {
    type Place = Cell<*mut Recipe>;
    /// # Safety
    /// - Lua alone calls it, with the block of a place.
    unsafe extern "C" fn collect(_: *mut lua_State, block: *mut c_void) {
        // SAFETY: the block is a place, whose recipe came from a box; it is taken out once.
        unsafe {
            let recipe = (*block.cast::<Place>()).replace(ptr::null_mut());
            if !recipe.is_null() {
                drop(Box::from_raw(recipe));
            }
        }
    }
    cx.ensure_stack(6);
    // SAFETY: there are free stack slots. The block has room for a place, which is empty as long as Lua may raise.
    unsafe {
        let place = api::new_collected(cx.lua, mem::size_of::<Place>(), collect).cast::<Place>();
        place.write(Cell::new(ptr::null_mut()));
        cx.new_table(0, 2);
        api::set_collector(cx.lua, collect);
        cx.push_bytes(b"ffi");
        cx.raw_set_name(-2, b"__metatable");
        cx.set_metatable(-2);
        (*place).set(Box::into_raw(Box::new(recipe)));
        (*place).get()
    }
}

fn by_key(
    cx: &Cx<'_>,
    record: &Function,
    Key(key): Key,
    variable: &[QualType],
) -> Result<Found, LuaError> {
    if let Some(thunk) = record.routing.thunk_for(key) {
        return Ok(Found::Thunk(thunk));
    }
    if !cx.state.ways.thunks && !cx.state.ways.calls {
        return recipe(cx, record, key, variable);
    }
    if cx.state.ways.calls
        && let Some(recipe) = State::recipe(cx, record.ty, key, variable)?
        && (recipe.direct || !cx.state.ways.thunks)
    {
        record.routing.serve_by_recipe(key, recipe);
        return Ok(Found::Recipe(recipe));
    }
    if !cx.state.ways.calls
        && let Some(recipe) = State::recipe(cx, record.ty, key, variable)?
    {
        let hot = !recipe.plan.is_large() && record.routing.is_hot_for(key);
        let Some(thunk) = hot.then(|| compile(record, recipe, Way::Api)).flatten() else {
            return Ok(Found::Recipe(recipe));
        };
        record.routing.serve_by_thunk(key, thunk.code);
        return Ok(Found::Thunk(thunk.code));
    }
    let (thunk, asks) = thunk(cx, record, variable)?;
    if !asks {
        record.routing.serve_by_thunk(key, thunk);
    }
    Ok(Found::Thunk(thunk))
}

/// The recipe where there is no thunk to be had.
fn recipe(
    cx: &Cx<'_>,
    record: &Function,
    key: u64,
    variable: &[QualType],
) -> Result<Found, LuaError> {
    let recipe = State::recipe(cx, record.ty, key, variable)?;
    let recipe = recipe.ok_or_else(|| LuaError::new("such a call needs machine code"))?;
    Ok(Found::Recipe(recipe))
}

/// The thunk for a call, for which the stack has room; and whether each call must ask for that.
fn thunk(
    cx: &Cx<'_>,
    record: &Function,
    variable: &[QualType],
) -> Result<(lua_CFunction, bool), LuaError> {
    let (signature, convention, conversions) = function::shape(cx, record.ty, variable)?;
    let asks = function::ask_for_stack(&signature, convention)?;
    if convention.vector_count {
        record.routing.announce_vectors(cx.state.head())?;
    }
    let label = function::label(cx.state, record.ty, record.name());
    let code = function::thunk(cx.state, &signature, convention, &conversions, Way::Api, label)?;
    Ok((code, asks))
}
