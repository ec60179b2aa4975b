//! C functions as Lua closures: their records, and the making of their thunks.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::slice;
use std::sync::atomic::AtomicUsize;

use mlua::ffi as sys;

use super::guest;
use super::plan_api;
use super::plan_fast::{self, Calls, Recipe};
use super::thunk_api::{Argument, Conversions, LuaOperands, Outcome};
use super::thunk_fast::InPlace;
use super::variadic;
use crate::abi::{self, Convention, Signature};
use crate::code;
use crate::ctype::{QualType, Quals, Type as CType, TypeId};
use crate::lower;
use crate::lua::state::head::Head;
use crate::lua::state::recall::Accepted;
use crate::lua::state::{Anchor, Cx, LuaError, State, guard_in};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{CData, Header};
use crate::lua::value::to_c::{self, Qualifiers};
use crate::lua::vm::api::{self, LuaType, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::Slot;
use crate::policy::Permissions;

/// What a closure's thunk finds in its first upvalue: a userdata block. Behind it are what is [`Accepted`] for each parameter,
/// and for the first few variable arguments, and the function's name.
#[repr(C)]
pub(in crate::lua) struct Function {
    /// What the thunk calls; null once the library is closed.
    pub target: Cell<*const c_void>,
    /// Leads to 0 where the closure's thunk may call the target at once; see [`super::reentry`].
    pub bar: Cell<*const AtomicUsize>,
    /// The state's head.
    pub head: *const Head,
    /// Makes the calls that the closure's thunk cannot make in place, or raises. Of closures whose C function stays what it is,
    /// what makes all their calls; see [`super::plan_api`].
    pub slow: Cell<lua_CFunction>,
    /// Whether its thunk says which thread calls C; see [`super::reentry`].
    pub announces: Cell<bool>,
    /// How to call it without a thunk; of a variadic function the last call's, null at first. Null too where a thunk is needed.
    pub recipe: Cell<*const Recipe>,
    /// How often it was called without one.
    pub calls: Calls,
    /// Of a result that is a cdata: the metatable, null before the first one; see [`crate::lua::value::cdata`].
    pub result_metatable: Cell<*const c_void>,
    /// The bits of its type.
    pub result_type: Cell<u32>,
    /// Bytes of a result that is copied.
    pub result_size: Cell<u32>,
    /// The C function itself; `target` may be a stub before it.
    pub address: Cell<*const c_void>,
    /// The function type.
    pub ty: TypeId,
    name_len: u32,
    /// Parameters that the prototype names.
    pub fixed: u32,
    /// How many [`Accepted`] there are.
    pub places: u32,
    /// Whether `target` is a stub that announces vector registers (System V, variadic).
    announces_vectors: Cell<bool>,
    /// The variable arguments of the last call of a variadic function, and their thunk, where none can be made in place.
    pub last: Cell<(u64, Option<lua_CFunction>)>,
}

/// Variable arguments that cdata are accepted for.
const VARIABLE_PLACES: u32 = 8;

impl Function {
    /// Where a thunk finds those of the parameter at `index`, from the record on.
    pub(in crate::lua) const fn accepted_offset(index: usize) -> usize {
        mem::size_of::<Function>() + index * mem::size_of::<Accepted>()
    }

    /// What is accepted for the argument at `index`.
    pub(in crate::lua) fn accepted(&self, index: usize) -> Option<&Accepted> {
        let all = (&raw const *self).wrapping_add(1).cast::<Accepted>();
        // SAFETY: `push_record` puts so many behind the record.
        (index < self.places as usize).then(|| unsafe { &*all.add(index) })
    }

    fn set_target(&self, target: *const c_void) {
        self.target.set(target);
        self.set_bar();
    }

    /// Accepts no cdata for variable arguments any more.
    pub(super) fn forget_variable(&self) {
        let variable = self.fixed as usize..self.places as usize;
        variable.filter_map(|index| self.accepted(index)).for_each(Accepted::clear);
    }

    /// The address in the header of the cdata in `slot`, if it is accepted for the parameter at `index`. The state is in place.
    pub(super) fn accepted_address(&self, index: usize, slot: Slot) -> Option<*mut u8> {
        let userdata = slot.userdata()?;
        let metatable = userdata.metatable();
        let accepted = self.accepted(index)?.0.each_ref().map(Cell::get);
        // SAFETY: the metatable says that the userdata is a cdata.
        accepted.contains(&metatable).then(|| unsafe { (*userdata.block::<Header>()).address })
    }

    /// Lets thunks pass cdata like the one at stack index `index`, which converted to `bits`, without asking again, if all of
    /// that type convert by their header alone.
    pub(super) fn accept(&self, cx: &Cx<'_>, index: c_int, cd: &CData, bits: u64) {
        let by_header = match cx.state.value_kind(cd.ty) {
            Kind::Pointer(_) | Kind::Array(..) | Kind::Record(_) => bits == cd.address as u64,
            Kind::Int(kind) => kind.size() == 8,
            _ => false,
        };
        if by_header {
            self.accept_as_it_is(cx, index);
        }
    }

    /// The same, for a cdata whose bytes are the argument.
    pub(super) fn accept_as_it_is(&self, cx: &Cx<'_>, index: c_int) {
        if let Some(accepted) = self.accepted(index as usize - 1)
            && cx.get_metatable(index)
        {
            accepted.add(cx.identity(-1));
            cx.pop(1);
        }
    }

    pub(in crate::lua) fn name(&self) -> &str {
        let bytes =
            (&raw const *self).wrapping_byte_add(Function::accepted_offset(self.places as usize));
        let bytes = bytes.cast::<u8>();
        // SAFETY: every record is one that `push_record` made, with `name_len` bytes of a `str` behind it.
        unsafe {
            std::str::from_utf8_unchecked(slice::from_raw_parts(bytes, self.name_len as usize))
        }
    }

    /// The type of the parameter at `index`, from 0.
    pub(in crate::lua) fn parameter(&self, cx: &Cx<'_>, index: usize) -> Option<QualType> {
        let types = cx.state.types.borrow();
        match types.table().get(self.ty) {
            CType::Function(function) => function.params.get(index).copied(),
            _ => None,
        }
    }

    /// Whether `...` follows the parameters.
    pub(super) fn is_variadic(&self, cx: &Cx<'_>) -> bool {
        matches!(cx.state.types.borrow().table().get(self.ty), CType::Function(f) if f.variadic)
    }

    pub(in crate::lua) fn result(&self, cx: &Cx<'_>) -> QualType {
        let types = cx.state.types.borrow();
        match types.table().get(self.ty) {
            CType::Function(function) => function.result,
            _ => self.ty.into(),
        }
    }
}

/// Pushes a closure that calls `target`, a function of type `ty`. `keep`: stack index of a value that the closure keeps
/// alive (the library's namespace), or 0.
///
/// # Safety
/// - `target` is null, or a C function of that type for as long as `keep` lives.
pub(in crate::lua) unsafe fn push_function(
    cx: &Cx<'_>,
    ty: TypeId,
    name: &str,
    target: *const c_void,
    keep: c_int,
) -> Result<(), LuaError> {
    cx.state.permit(Permissions::CALL)?;
    let keep = if keep == 0 { 0 } else { cx.absolute(keep) };
    let entry = entry(cx, ty, name)?;
    // SAFETY: `target` is a function of the type, as the caller promises.
    unsafe { push_record(cx, ty, name, &entry) };
    // SAFETY: the block that was just made.
    let record = unsafe { &*cx.userdata(-1).cast::<Function>() };
    aim(record, target)?;
    cx.state.learn_function(ty, target);
    match keep {
        0 => cx.push_nil(),
        index => cx.push_value(index),
    }
    cx.push_closure(entry.function, 2);
    Ok(())
}

/// Sets the function that a record's closure calls.
fn aim(record: &Function, target: *const c_void) -> Result<(), LuaError> {
    record.address.set(target);
    let target = match record.announces_vectors.get() {
        true if !target.is_null() => code::announce_vectors(target)?,
        _ => target,
    };
    record.set_target(target);
    Ok(())
}

/// Pushes a record with no target.
///
/// # Safety
/// - *Context* (see `vm`), with 3 free stack slots.
unsafe fn push_record(cx: &Cx<'_>, ty: TypeId, name: &str, entry: &Entry) {
    let (fixed, variable) = match cx.state.types.borrow().table().get(ty) {
        CType::Function(function) => {
            let variable = if function.variadic { VARIABLE_PLACES } else { 0 };
            (function.params.len() as u32, variable)
        }
        _ => (0, 0),
    };
    let places = fixed + variable;
    let name = &name[..name.len().min(u32::MAX as usize)];
    // SAFETY: the block is as long as the record and the name; userdata blocks are 8-aligned, as the record is.
    unsafe {
        let names_at = Function::accepted_offset(places as usize);
        let record = api::new_userdata(cx.lua, names_at + name.len(), 0).cast::<Function>();
        record.write(Function {
            target: Cell::new(ptr::null()),
            bar: Cell::new(ptr::null()),
            announces: Cell::new(entry.announces),
            head: cx.state.head(),
            slow: Cell::new(entry.slow),
            recipe: Cell::new(entry.recipe),
            calls: Calls::default(),
            result_metatable: Cell::new(ptr::null()),
            result_type: Cell::new(0),
            result_size: Cell::new(0),
            address: Cell::new(ptr::null()),
            ty,
            name_len: name.len() as u32,
            fixed,
            places,
            announces_vectors: Cell::new(entry.announces_vectors),
            last: Cell::new((0, None)),
        });
        for index in 0..places as usize {
            record
                .byte_add(Function::accepted_offset(index))
                .cast::<Accepted>()
                .write(Accepted::default());
        }
        let bytes = record.byte_add(names_at).cast();
        ptr::copy_nonoverlapping(name.as_ptr(), bytes, name.len());
    }
    cx.push_anchor(Anchor::Functions);
    cx.set_metatable(-2);
}

/// What calls a function type.
struct Entry {
    /// The C function of the closures.
    function: lua_CFunction,
    /// [`Function::slow`]
    slow: lua_CFunction,
    /// [`Function::recipe`]
    recipe: *const Recipe,
    /// [`Function::announces`]
    announces: bool,
    announces_vectors: bool,
}

impl Entry {
    const NONE: Entry = Entry {
        function: slow,
        slow,
        recipe: ptr::null(),
        announces: false,
        announces_vectors: false,
    };
}

fn entry(cx: &Cx<'_>, ty: TypeId, name: &str) -> Result<Entry, LuaError> {
    cx.state.machine.check_runs()?;
    let is_variadic = match cx.state.types.borrow().table().get(ty) {
        CType::Function(function) => function.variadic,
        _ => false,
    };
    if is_variadic {
        cx.state.permit(Permissions::VARARGS)?;
    }
    let in_place = cx.state.ways.calls;
    let by_plan = !cx.state.ways.thunks;
    // A thunk in place leaves what it cannot do to `plan_fast`, which has no room for large Frames.
    if let Some(recipe) = State::recipe(cx, ty, 0, &[])?
        && (recipe.in_place || by_plan || !in_place || recipe.plan.is_large())
    {
        let by_plan = by_plan || recipe.plan.is_large();
        let (function, slow): (lua_CFunction, lua_CFunction) = match (recipe.in_place, by_plan) {
            _ if is_variadic => {
                let function = variadic::call;
                return Ok(Entry { function, slow: function, ..Entry::NONE });
            }
            (true, _) => (plan_fast::call, plan_fast::call),
            (false, true) => (plan_api::call, plan_api::call),
            (false, false) => (plan_api::by_record, plan_api::counted),
        };
        return Ok(Entry { function, slow, recipe, ..Entry::NONE });
    }
    let (signature, convention, conversions) = shape(cx, ty, &[])?;
    if convention.is_i686() {
        // What cannot be passed is refused here, not at the first call.
        abi::plan(&signature, convention)?;
        return Ok(Entry { function: guest::call, ..Entry::NONE });
    }
    if !is_variadic {
        let label = label(cx.state, ty, name);
        let way = Way::of(cx.state.head(), in_place);
        let function = thunk(cx.state, &signature, convention, &conversions, way, label)?;
        return Ok(Entry { function, announces: way == Way::Announced, ..Entry::NONE });
    }
    // The plan of the named parameters is the earliest point at which an unsupported type can be refused.
    let plan = abi::plan(&signature, convention)?;
    let announces_vectors = plan.vector_count.is_some();
    Ok(Entry { function: variadic::call, announces_vectors, ..Entry::NONE })
}

/// Makes the thunks of a variadic function announce its vector registers.
pub(super) fn announce(record: &Function) -> Result<(), LuaError> {
    record.announces_vectors.set(true);
    if record.target.get().is_null() {
        return Ok(());
    }
    aim(record, record.address.get())
}

/// While code is observed, the declaration of a function, whose thunk is then its own.
pub(in crate::lua) fn label(state: &State, ty: TypeId, name: &str) -> Option<Box<str>> {
    let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    code::observe::is_observed().then(|| match is_name {
        true => state.types.borrow().table().declare(ty.into(), name).into(),
        false => name.into(),
    })
}

/// How a thunk gets at Lua's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::lua) enum Way {
    /// By Lua's C API.
    Api,
    /// In place.
    InPlace,
    /// In place, and it says which thread calls C, and looks for an error that a callback left.
    Announced,
}

impl Way {
    /// Of a thunk that is made now.
    pub(in crate::lua) fn of(head: &Head, in_place: bool) -> Way {
        match (in_place, head.boundary.has_callbacks()) {
            (false, _) => Way::Api,
            (true, false) => Way::InPlace,
            (true, true) => Way::Announced,
        }
    }
}

/// The thunk of a shape. `label`: see [`label`].
pub(in crate::lua) fn thunk(
    state: &State,
    signature: &Signature,
    convention: &'static Convention,
    conversions: &Conversions,
    way: Way,
    label: Option<Box<str>>,
) -> Result<lua_CFunction, LuaError> {
    let kind = code::Kind::Lua { conversions: conversions.key(way), label };
    let thunk = state.count_thunk(
        || code::find(&kind, signature, convention),
        || {
            code::thunk(kind.clone(), signature, convention, |cx| {
                let operands = LuaOperands::new(cx, signature, conversions);
                match (way, &api::LAYOUT) {
                    (Way::Api, _) | (_, None) => lower::call(cx, &mut { operands }),
                    (_, Some(layout)) => {
                        let announces = way == Way::Announced;
                        lower::call(cx, &mut InPlace::new(operands, layout, announces))
                    }
                }
            })
        },
    )?;
    // SAFETY: `LuaOperands` gives every thunk of this kind the type of a Lua C function.
    Ok(unsafe { api::compiled(thunk.address()) })
}

/// The first [`Function::slow`]: finds the thunk that stays there, and goes on as it.
///
/// # Safety
/// - *Closure* (see `call`): `plan_api::by_record` calls it as its own closure.
unsafe extern "C-unwind" fn slow(lua: *mut lua_State) -> Results {
    let mut found = None;
    // SAFETY: Lua called a thunk with this state, whose closure's upvalue 1 is a record of `push_record`.
    let results = unsafe {
        let record = &*sys::lua_touserdata(lua, sys::lua_upvalueindex(1)).cast::<Function>();
        guard_in(lua, record.head, |cx| {
            let (signature, convention, conversions) = shape(cx, record.ty, &[])?;
            let label = label(cx.state, record.ty, record.name());
            let thunk = thunk(cx.state, &signature, convention, &conversions, Way::Api, label)?;
            record.slow.set(thunk);
            found = Some(thunk);
            Ok(0)
        })
    };
    match found {
        // SAFETY: the thunk runs as this closure, on the same stack; nothing with a destructor is alive.
        Some(thunk) => unsafe { thunk(lua) },
        None => results,
    }
}

/// What a function's thunk depends on, with these types for `...`.
pub(in crate::lua) fn shape(
    cx: &Cx<'_>,
    ty: TypeId,
    variable: &[QualType],
) -> Result<(Signature, &'static Convention, Conversions), LuaError> {
    let types = cx.state.types.borrow();
    let table = types.table();
    let (signature, convention) = Signature::of(table, &cx.state.machine.target, ty, variable)?;
    let CType::Function(function) = table.get(ty) else {
        return Err(LuaError::new("not a function type"));
    };
    let is_enum = |ty: QualType| matches!(table.get(table.resolve(ty).id()), CType::Enum(_));
    let arguments = signature.arguments.iter().enumerate();
    let arguments = arguments.map(|(i, ty)| match function.params.get(i) {
        None if ty.leaves().is_some() => Argument::VariableAggregate,
        None => Argument::Variable,
        Some(&param) if is_enum(param) => Argument::Enum,
        Some(&param) => match (Argument::of(ty), cx.state.kind(param)) {
            (Argument::Pointer, Kind::Pointer(to)) if takes_text(cx, to) => Argument::Text,
            (argument, _) => argument,
        },
    });
    let conversions = Conversions {
        arguments: arguments.collect(),
        result: match is_enum(function.result) {
            true => Outcome::Other,
            false => Outcome::of(&signature.result, &cx.state.options),
        },
    };
    Ok((signature, convention, conversions))
}

/// Whether a Lua string converts to a pointer to this type.
pub(super) fn takes_text(cx: &Cx<'_>, to: QualType) -> bool {
    let chars = QualType::new(TypeId::CHAR, Quals::CONST);
    to_c::compatible(cx.state, to, chars, Qualifiers::Kept)
}

/// The record of a closure that [`push_function`] made.
pub(in crate::lua) fn record_at<'a>(cx: &'a Cx<'_>, index: c_int) -> Option<&'a Function> {
    if cx.type_of(index) != LuaType::Function {
        return None;
    }
    // SAFETY: the value is a function; `lua_getupvalue` pushes nothing where it answers null.
    if unsafe { sys::lua_getupvalue(cx.lua, index, 1) }.is_null() {
        return None;
    }
    let block = cx.userdata(-1).cast::<Function>();
    let ours = cx.type_of(-1) == LuaType::Userdata && cx.get_metatable(-1) && {
        cx.push_anchor(Anchor::Functions);
        let ours = cx.identity(-1) == cx.identity(-2);
        cx.pop(2);
        ours
    };
    cx.pop(1);
    // SAFETY: only `push_record` makes userdata with this metatable; the closure keeps it alive.
    ours.then(|| unsafe { &*block })
}

/// If the value at `index` is such a closure: its function type and its C function.
///
/// # Safety
/// - None is needed beyond *Context*, with an acceptable index.
pub(in crate::lua) unsafe fn function_at(
    cx: &Cx<'_>,
    index: c_int,
) -> Option<(TypeId, *const c_void)> {
    record_at(cx, index).map(|record| (record.ty, record.address.get()))
}

/// Makes the closure at `index` refuse to call: its library is closed.
pub(in crate::lua) fn detach(cx: &Cx<'_>, index: c_int) {
    if let Some(record) = record_at(cx, index) {
        record.set_target(ptr::null());
    }
}

/// Before a call of a pointer to function: the cdata at index 1, in front of its arguments, becomes a closure that calls
/// `target`.
///
/// # Errors
/// A callback that was freed, a type that cannot be called.
///
/// # Safety
/// - A cdata that is a pointer to a function is at 1, its arguments above it.
/// - `target` is the address that the cdata holds. The script answers for a function of type `ty` there.
pub(in crate::lua) unsafe fn prepare_pointer(
    cx: &Cx<'_>,
    ty: TypeId,
    target: *const c_void,
) -> Result<(), LuaError> {
    if code::Callback::is_free(target) {
        return Err(LuaError::new("attempt to call a callback after it was freed"));
    }
    cx.state.permit_function(ty, target)?;
    cx.push_anchor(Anchor::Pointers);
    cx.raw_get_integer(-1, ty.index() as i64);
    if cx.type_of(-1) == LuaType::Nil {
        cx.pop(1);
        let name = cx.state.repr(ty);
        // SAFETY: a null target is never called.
        unsafe { push_function(cx, ty, &name, ptr::null(), 0)? };
        cx.push_value(-1);
        cx.raw_set_integer(-3, ty.index() as i64);
    }
    let record = record_at(cx, -1).ok_or_else(|| LuaError::new("not a function"))?;
    // The thunk takes its target before it does anything else, so calls of one type may nest.
    aim(record, target)?;
    cx.replace(1);
    cx.pop(1);
    Ok(())
}

/// The same error, about an argument of the function.
pub(in crate::lua) fn at_argument(record: &Function, index: c_int, error: LuaError) -> LuaError {
    match error {
        LuaError::Message(message) => {
            let name = record.name();
            LuaError::new(format!("bad argument #{index} to '{name}' ({message})"))
        }
        other => other,
    }
}

/// The error for so many arguments, more or fewer than the function has parameters.
pub(super) fn miscounted(cx: &Cx<'_>, record: &Function, given: c_int) -> LuaError {
    let expected = record.fixed as c_int;
    if given < expected {
        return missing(cx, record, given + 1);
    }
    let (name, ty) = (record.name(), cx.state.repr(record.ty));
    LuaError::new(format!(
        "wrong number of arguments to '{name}' ({expected} expected, got {given}): {ty}"
    ))
}

/// The error that there is no argument at `index`.
pub(in crate::lua) fn missing(cx: &Cx<'_>, record: &Function, index: c_int) -> LuaError {
    let expected = match record.parameter(cx, index as usize - 1) {
        Some(ty) => cx.state.repr(ty),
        None => "an argument".into(),
    };
    let error = LuaError::new(format!("'{expected}' expected, got no value"));
    at_argument(record, index, error)
}
