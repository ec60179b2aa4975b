//! Calls from Lua to C: functions as closures, and what their thunks ask of the run time.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::slice;

use mlua::ffi as sys;

use super::api::{self, LuaType, lua_CFunction, lua_State};
use super::cdata;
use super::clib::system;
use super::convert::{self, Mode};
use super::kind::Kind;
use super::operands::{Argument, Conversions, LuaOperands, Outcome};
use super::state::{Anchor, Cx, Head, LuaError, guard};
use crate::abi::{Convention, Signature};
use crate::code;
use crate::ctype::{QualType, Type as CType, TypeId};
use crate::lower;
use crate::target::Target;

/// What a closure's thunk finds in its first upvalue: a userdata block, the function's name behind it.
#[repr(C)]
pub(super) struct Function {
    /// What the thunk calls; null once the library is closed.
    pub target: Cell<*const c_void>,
    /// The state's head.
    pub head: *const Head,
    /// The C function itself; `target` may be a stub before it.
    address: Cell<*const c_void>,
    /// The function type.
    ty: TypeId,
    name_len: u32,
    /// Parameters that the prototype names.
    fixed: u32,
    /// The variable arguments of the last call of a variadic function, and their thunk.
    last: Cell<(u64, Option<lua_CFunction>)>,
}

impl Function {
    /// # Safety
    /// The record is a live userdata block that [`push_record`] made.
    unsafe fn name(&self) -> &str {
        let bytes = (&raw const *self).wrapping_add(1).cast::<u8>();
        // SAFETY: `push_record` wrote `name_len` bytes of a `str` behind the record.
        unsafe {
            std::str::from_utf8_unchecked(slice::from_raw_parts(bytes, self.name_len as usize))
        }
    }

    /// The type of the parameter at `index`, from 0.
    fn parameter(&self, cx: &Cx<'_>, index: usize) -> Option<QualType> {
        let types = cx.state.types.borrow();
        match types.table().get(self.ty) {
            CType::Function(function) => function.params.get(index).copied(),
            _ => None,
        }
    }

    fn result(&self, cx: &Cx<'_>) -> QualType {
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
/// `target` is a C function of that type, for as long as `keep` lives.
pub(super) unsafe fn push_function(
    cx: &Cx<'_>,
    ty: TypeId,
    name: &str,
    target: *const c_void,
    keep: c_int,
) -> Result<(), LuaError> {
    let keep = if keep == 0 { 0 } else { cx.absolute(keep) };
    let function = entry(cx, ty)?;
    // SAFETY: the caller's promise.
    unsafe { push_record(cx, ty, name) };
    // SAFETY: the block that was just made.
    let record = unsafe { &*cx.userdata(-1).cast::<Function>() };
    aim(cx, record, target)?;
    match keep {
        0 => cx.push_nil(),
        index => cx.push_value(index),
    }
    cx.push_closure(function, 2);
    Ok(())
}

/// Sets the function that a record's closure calls.
fn aim(cx: &Cx<'_>, record: &Function, target: *const c_void) -> Result<(), LuaError> {
    record.address.set(target);
    let target = match needs_vector_count(cx, record.ty) {
        true if !target.is_null() => code::announce_vectors(target).map_err(failed)?,
        _ => target,
    };
    record.target.set(target);
    Ok(())
}

fn needs_vector_count(cx: &Cx<'_>, ty: TypeId) -> bool {
    let types = cx.state.types.borrow();
    match Signature::of(types.table(), &Target::host(), ty, &[]) {
        Ok((signature, convention)) => {
            signature.fixed.is_some() && convention.variadic == crate::abi::Variadic::VectorCount
        }
        Err(_) => false,
    }
}

fn failed(error: impl std::fmt::Display) -> LuaError {
    LuaError::new(error.to_string())
}

/// Pushes a record with no target.
///
/// # Safety
/// There are 3 free stack slots.
unsafe fn push_record(cx: &Cx<'_>, ty: TypeId, name: &str) {
    let fixed = match cx.state.types.borrow().table().get(ty) {
        CType::Function(function) => function.params.len() as u32,
        _ => 0,
    };
    let name = &name[..name.len().min(u32::MAX as usize)];
    // SAFETY: the block is as long as the record and the name; userdata blocks are 8-aligned, as the record is.
    unsafe {
        let size = mem::size_of::<Function>() + name.len();
        let record = api::new_userdata(cx.lua, size, 0).cast::<Function>();
        record.write(Function {
            target: Cell::new(ptr::null()),
            head: cx.state.head(),
            address: Cell::new(ptr::null()),
            ty,
            name_len: name.len() as u32,
            fixed,
            last: Cell::new((0, None)),
        });
        ptr::copy_nonoverlapping(name.as_ptr(), record.add(1).cast(), name.len());
    }
    cx.push_anchor(Anchor::Functions);
    cx.set_metatable(-2);
}

/// The Lua C function for a function type: its thunk, or for a variadic function the one that finds the thunk.
fn entry(cx: &Cx<'_>, ty: TypeId) -> Result<lua_CFunction, LuaError> {
    let (signature, convention, conversions) = shape(cx, ty, &[])?;
    if signature.fixed.is_some() {
        // The plan of the named parameters is the earliest point at which an unsupported type can be refused.
        crate::abi::plan(&signature, convention).map_err(failed)?;
        return Ok(call_variadic);
    }
    thunk(&signature, convention, &conversions)
}

fn thunk(
    signature: &Signature,
    convention: &'static Convention,
    conversions: &Conversions,
) -> Result<lua_CFunction, LuaError> {
    let kind = code::Kind::Lua(conversions.key());
    let thunk = code::thunk(kind, signature, convention, |cx| {
        lower::call(cx, &mut LuaOperands::new(cx, signature, conversions))
    })
    .map_err(failed)?;
    // SAFETY: `LuaOperands` gives every thunk of this kind the type of a Lua C function.
    Ok(unsafe { mem::transmute::<*const c_void, lua_CFunction>(thunk.address()) })
}

/// What a function's thunk depends on, with these types for `...`.
fn shape(
    cx: &Cx<'_>,
    ty: TypeId,
    variable: &[QualType],
) -> Result<(Signature, &'static Convention, Conversions), LuaError> {
    let types = cx.state.types.borrow();
    let table = types.table();
    let (signature, convention) =
        Signature::of(table, &Target::host(), ty, variable).map_err(failed)?;
    let CType::Function(function) = table.get(ty) else {
        return Err(LuaError::new("not a function type"));
    };
    let is_enum = |ty: QualType| matches!(table.get(table.resolve(ty).id()), CType::Enum(_));
    let fixed = function.params.len();
    let arguments = signature.arguments.iter().enumerate();
    let arguments = arguments.map(|(i, ty)| match function.params.get(i) {
        None => Argument::Variable,
        Some(&param) if is_enum(param) => Argument::Other,
        Some(_) => Argument::of(ty),
    });
    let conversions = Conversions {
        arguments: arguments.collect(),
        result: match is_enum(function.result) {
            true => Outcome::Other,
            false => Outcome::of(&signature.result),
        },
    };
    debug_assert!(signature.arguments.len() >= fixed);
    Ok((signature, convention, conversions))
}

/// The record of a closure that [`push_function`] made.
fn record_at<'a>(cx: &'a Cx<'_>, index: c_int) -> Option<&'a Function> {
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
pub(super) unsafe fn function_at(cx: &Cx<'_>, index: c_int) -> Option<(TypeId, *const c_void)> {
    record_at(cx, index).map(|record| (record.ty, record.address.get()))
}

/// Makes the closure at `index` refuse to call: its library is closed.
pub(super) fn detach(cx: &Cx<'_>, index: c_int) {
    if let Some(record) = record_at(cx, index) {
        record.target.set(ptr::null());
    }
}

/// Before a call of a pointer to function: the cdata at index 1, in front of its arguments, becomes a closure that calls
/// `target`.
///
/// # Errors
/// A callback that was freed, a type that cannot be called.
pub(super) unsafe fn prepare_pointer(
    cx: &Cx<'_>,
    ty: TypeId,
    target: *const c_void,
) -> Result<(), LuaError> {
    if code::Callback::is_free(target) {
        return Err(LuaError::new("attempt to call a callback after it was freed"));
    }
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
    aim(cx, record, target)?;
    cx.replace(1);
    cx.pop(1);
    Ok(())
}

/// What a variable argument is to the call: four bits of the key of the last thunk.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Variable {
    Int = 1,
    Unsigned,
    Int64,
    Unsigned64,
    Double,
    Pointer,
}

impl Variable {
    /// The promoted type of a value for `...` (C11 6.5.2.2p6; LuaJIT's "Conversions for vararg C function arguments", but
    /// for Lua integers, which stay integers).
    fn of(cx: &Cx<'_>, index: c_int) -> Result<Variable, LuaError> {
        let refuse = |what: String| {
            Err(LuaError::new(format!("cannot convert '{what}' to a variable argument ('...')")))
        };
        match cx.type_of(index) {
            LuaType::Number => Ok(match cx.number(index) {
                Some(api::Number::Integer(_)) => Variable::Int64,
                _ => Variable::Double,
            }),
            LuaType::Boolean => Ok(Variable::Int),
            LuaType::Nil | LuaType::String | LuaType::LightUserdata => Ok(Variable::Pointer),
            LuaType::Function if record_at(cx, index).is_some() => Ok(Variable::Pointer),
            LuaType::Userdata if cx.c_file(index).is_some() => Ok(Variable::Pointer),
            LuaType::Userdata => match cdata::at(cx, index) {
                Some(cd) => Variable::of_cdata(cx, cd.ty).or_else(|| refuse(cx.state.repr(cd.ty))),
                None => refuse(cx.type_name(index).into()),
            },
            _ => refuse(cx.type_name(index).into()),
        }
    }

    fn of_cdata(cx: &Cx<'_>, ty: QualType) -> Refusable {
        Refusable(match cx.state.value_kind(ty) {
            Kind::Bool => Some(Variable::Int),
            Kind::Int(kind) => match (kind.size(), kind.is_signed(cx.state.char_signed())) {
                (4, false) => Some(Variable::Unsigned),
                (8, true) => Some(Variable::Int64),
                (8, false) => Some(Variable::Unsigned64),
                (16, _) => None,
                _ => Some(Variable::Int),
            },
            Kind::Float(crate::ctype::FloatKind::F32 | crate::ctype::FloatKind::F64) => {
                Some(Variable::Double)
            }
            Kind::Pointer(_) | Kind::Reference(_) | Kind::Array(..) | Kind::Function => {
                Some(Variable::Pointer)
            }
            _ => None,
        })
    }

    fn ty(self, cx: &Cx<'_>) -> QualType {
        let known = &cx.state.known;
        match self {
            Variable::Int => known.int,
            Variable::Unsigned => known.uint,
            Variable::Int64 => known.int64,
            Variable::Unsigned64 => known.uint64,
            Variable::Double => known.double,
            Variable::Pointer => known.const_void_ptr,
        }
        .into()
    }
}

/// A variable argument's type, if it can be one.
struct Refusable(Option<Variable>);

impl Refusable {
    fn or_else(
        self,
        refuse: impl FnOnce() -> Result<Variable, LuaError>,
    ) -> Result<Variable, LuaError> {
        self.0.map_or_else(refuse, Ok)
    }
}

/// The Lua C function of every variadic C function: finds the thunk for the types of the arguments and goes on as it.
unsafe extern "C-unwind" fn call_variadic(lua: *mut lua_State) -> c_int {
    let mut thunk = None;
    // SAFETY: Lua calls this with a live state; upvalue 1 is the record that `push_function` made.
    let results = unsafe {
        guard(lua, |cx| {
            let record = &*cx.userdata(sys::lua_upvalueindex(1)).cast::<Function>();
            thunk = Some(variadic_thunk(cx, record)?);
            Ok(0)
        })
    };
    match thunk {
        // SAFETY: the thunk runs as this closure, on the same stack; nothing with a destructor is alive.
        Some(thunk) => unsafe { thunk(lua) },
        None => results,
    }
}

fn variadic_thunk(cx: &Cx<'_>, record: &Function) -> Result<lua_CFunction, LuaError> {
    let (fixed, given) = (record.fixed as c_int, cx.top());
    if given < fixed {
        return Err(missing(cx, record, given + 1));
    }
    let mut key = 1u64;
    for index in fixed + 1..=given {
        let variable = Variable::of(cx, index).map_err(|e| at_argument(record, index, e))?;
        key = if key >> 60 == 0 { key << 4 | variable as u64 } else { u64::MAX };
    }
    let (last, thunk) = record.last.get();
    if let Some(thunk) = thunk
        && last == key
        && key != u64::MAX
    {
        return Ok(thunk);
    }
    let variable = (fixed + 1..=given)
        .map(|index| Variable::of(cx, index).map(|variable| variable.ty(cx)))
        .collect::<Result<Vec<_>, _>>()?;
    let (signature, convention, conversions) = shape(cx, record.ty, &variable)?;
    let thunk = self::thunk(&signature, convention, &conversions)?;
    record.last.set((key, Some(thunk)));
    Ok(thunk)
}

fn at_argument(record: &Function, index: c_int, error: LuaError) -> LuaError {
    match error {
        // SAFETY: the record is the running closure's.
        LuaError::Message(message) => {
            LuaError::new(format!("bad argument #{index} to '{}' ({message})", unsafe {
                record.name()
            }))
        }
        other => other,
    }
}

fn missing(cx: &Cx<'_>, record: &Function, index: c_int) -> LuaError {
    let expected = match record.parameter(cx, index as usize - 1) {
        Some(ty) => cx.state.repr(ty),
        None => "an argument".into(),
    };
    let error = LuaError::new(format!("'{expected}' expected, got no value"));
    at_argument(record, index, error)
}

/// Runs a helper of a thunk that may raise.
///
/// # Safety
/// `lua` is the state that Lua called the thunk with, `record` its record.
unsafe fn help<T>(
    lua: *mut lua_State,
    record: *const Function,
    f: impl FnOnce(&Cx<'_>, &Function) -> Result<T, LuaError>,
) -> T
where
    T: Default,
{
    let mut value = T::default();
    // SAFETY: the caller's promise. Where `f` fails, `guard` does not return.
    unsafe {
        guard(lua, |cx| {
            value = f(cx, &*record)?;
            Ok(0)
        });
    }
    value
}

/// Thunk helper: the argument at `index` as a C value of its parameter's type.
fn convert_argument(cx: &Cx<'_>, record: &Function, index: c_int) -> Result<u64, LuaError> {
    let ty = record
        .parameter(cx, index as usize - 1)
        .ok_or_else(|| LuaError::new("no such parameter"))?;
    let mut bits = 0u64;
    // SAFETY: the plan has scalars of at most 8 bytes only.
    unsafe { convert::to_c(cx, index, ty, (&raw mut bits).cast()) }
        .map_err(|error| at_argument(record, index, error))?;
    Ok(bits)
}

/// Thunk helper: an integer argument; only the low bytes that its type has count.
pub(super) unsafe extern "C-unwind" fn integer(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY (here and in the helpers below): compiled code passes its own state and record.
    unsafe {
        match api::integer(lua, index) {
            Some(value) => value as u64,
            None => other(lua, record, index),
        }
    }
}

/// Thunk helper: a `float` or `double` argument.
pub(super) unsafe extern "C-unwind" fn number(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> f64 {
    // SAFETY: as in `integer`.
    unsafe {
        match sys::lua_type(lua, index) {
            sys::LUA_TNUMBER => sys::lua_tonumber(lua, index),
            _ => help(lua, record, |cx, record| {
                let bits = convert_argument(cx, record, index)?;
                let ty = record.parameter(cx, index as usize - 1);
                Ok(match ty.and_then(|ty| cx.state.size(ty)) {
                    Some(4) => f64::from(f32::from_bits(bits as u32)),
                    _ => f64::from_bits(bits),
                })
            }),
        }
    }
}

/// Thunk helper: any other scalar argument.
pub(super) unsafe extern "C-unwind" fn other(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY: as in `integer`.
    unsafe { help(lua, record, |cx, record| convert_argument(cx, record, index)) }
}

/// Thunk helper: an argument for `...`.
pub(super) unsafe extern "C-unwind" fn variable(
    lua: *mut lua_State,
    record: *const Function,
    index: c_int,
) -> u64 {
    // SAFETY: as in `integer`; every variable argument's type has 8 bytes at most.
    unsafe {
        help(lua, record, |cx, record| {
            let ty = Variable::of(cx, index)?.ty(cx);
            let mut bits = 0u64;
            match (cx.type_of(index), record_at(cx, index)) {
                (LuaType::Boolean, _) => bits = u64::from(cx.truth(index)),
                (_, Some(function)) => bits = function.address.get() as u64,
                _ => convert::assign(cx, index, ty, (&raw mut bits).cast(), 8, Mode::Cast)
                    .map_err(|error| at_argument(record, index, error))?,
            }
            Ok(bits)
        })
    }
}

/// Thunk helper: pushes a result that is no plain Lua value. `errno` stays as C left it.
pub(super) unsafe extern "C-unwind" fn push_result(
    lua: *mut lua_State,
    record: *const Function,
    value: *const u8,
) {
    let errno = system::errno();
    // SAFETY: as in `integer`; `value` is the result, in the thunk's own frame.
    unsafe {
        help(lua, record, |cx, record| {
            let result = record.result(cx);
            convert::push(cx, result, value, 0)
        });
    }
    system::set_errno(errno);
}

/// Thunk helper: raises for a wrong number of arguments.
pub(super) unsafe extern "C-unwind" fn raise_count(
    lua: *mut lua_State,
    record: *const Function,
) -> c_int {
    // SAFETY: as in `integer`.
    unsafe {
        guard(lua, |cx| {
            let record = &*record;
            let (expected, given) = (record.fixed as c_int, cx.top());
            if given < expected {
                return Err(missing(cx, record, given + 1));
            }
            let ty = cx.state.repr(record.ty);
            let name = record.name();
            Err(LuaError::new(format!(
                "wrong number of arguments to '{name}' ({expected} expected, got {given}): {ty}"
            )))
        })
    }
}

/// Thunk helper: raises for a function without an address.
pub(super) unsafe extern "C-unwind" fn raise_null(
    lua: *mut lua_State,
    record: *const Function,
) -> c_int {
    // SAFETY: as in `integer`.
    unsafe {
        guard(lua, |_| {
            let name = (*record).name();
            Err(LuaError::new(format!("attempt to call '{name}' after its library was closed")))
        })
    }
}

/// Thunk helper: raises the error that a callback caught during the call.
pub(super) unsafe extern "C-unwind" fn raise_pending(lua: *mut lua_State) -> c_int {
    // SAFETY: as in `integer`.
    unsafe {
        guard(lua, |cx| {
            super::callback::push_pending(cx);
            Err(LuaError::Value)
        })
    }
}
