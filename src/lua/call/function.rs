//! C functions as Lua closures: their records, and the making of their thunks. [`super::route`] decides how the closures make calls.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::slice;

use mlua::ffi as sys;

use super::route::{self, Route, Routing, Way};
use super::thunk_api::{Argument, Conversions, LuaOperands, Outcome};
use super::thunk_fast::DirectOperands;
use crate::abi::{self, Convention, Signature};
use crate::code;
use crate::ctype::{QualType, Quals, Type as CType, TypeId};
use crate::lower;
use crate::lua::state::head::Head;
use crate::lua::state::recall::Accepted;
use crate::lua::state::{Anchor, Cx, LuaError, State};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata::{CData, Header};
use crate::lua::value::to_c::{self, Qualifiers};
use crate::lua::vm::api::{self, LuaType, lua_CFunction};
use crate::lua::vm::memory::Slot;
use crate::policy::Permissions;

/// The record of a function: the block of the userdata in a closure's first upvalue. Behind it are an [`Accepted`] for each parameter and for
/// the first few variable arguments, and the function's name.
#[repr(C)]
pub(in crate::lua) struct Function {
    /// How it is called just now.
    pub(super) routing: Routing,
    /// The state's head.
    pub head: *const Head,
    /// Of a result that is a cdata: the metatable, null before the first one; see [`crate::lua::value::cdata`].
    pub result_metatable: Cell<*const c_void>,
    /// The bits of its type.
    pub result_type: Cell<u32>,
    /// Bytes of a result that is copied.
    pub result_size: Cell<u32>,
    /// The function type.
    pub ty: TypeId,
    name_len: u32,
    /// Parameters that the prototype names.
    pub fixed: u32,
    /// How many [`Accepted`] there are.
    pub places: u32,
}

/// Variable arguments that cdata are accepted for.
const VARIABLE_PLACES: u32 = 8;

impl Function {
    /// Where a thunk finds those of the parameter at `index`, from the record on.
    pub(in crate::lua) const fn accepted_offset(index: usize) -> usize {
        mem::size_of::<Function>() + index * mem::size_of::<Accepted>()
    }

    /// The types that are accepted for the argument at `index`.
    pub(in crate::lua) fn accepted(&self, index: usize) -> Option<&Accepted> {
        let all = (&raw const *self).wrapping_add(1).cast::<Accepted>();
        // SAFETY: `push_record` puts so many behind the record.
        (index < self.places as usize).then(|| unsafe { &*all.add(index) })
    }

    /// The C function.
    #[inline(always)]
    pub(in crate::lua) fn address(&self) -> *const c_void {
        self.routing.address()
    }

    /// Accepts no cdata for variable arguments any more.
    pub(super) fn forget_variable(&self) {
        let variable = self.fixed as usize..self.places as usize;
        variable.filter_map(|index| self.accepted(index)).for_each(Accepted::clear);
    }

    /// The address in the header of the cdata in `slot`, if it is accepted for the parameter at `index`.
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
    let route = route::route(cx, ty, name)?;
    // SAFETY: `target` is a function of the type, as the caller promises.
    let code = unsafe { push_record(cx, ty, name, route) };
    // SAFETY: the block that was just made.
    let record = unsafe { &*cx.userdata(-1).cast::<Function>() };
    record.routing.aim(cx.state.head(), target)?;
    cx.state.learn_function(ty, target);
    match keep {
        0 => cx.push_nil(),
        index => cx.push_value(index),
    }
    cx.push_closure(code, 2);
    Ok(())
}

/// Pushes a record with no target; returns the C function of its closure.
///
/// # Safety
/// - *Context* (see `vm`), with 5 free stack slots.
unsafe fn push_record(cx: &Cx<'_>, ty: TypeId, name: &str, route: Route<'_>) -> lua_CFunction {
    let (routing, code) = Routing::new(cx.state.head(), route);
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
            routing,
            head: cx.state.head(),
            result_metatable: Cell::new(ptr::null()),
            result_type: Cell::new(0),
            result_size: Cell::new(0),
            ty,
            name_len: name.len() as u32,
            fixed,
            places,
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
    if cx.state.checked() {
        cx.push_anchor(Anchor::Records);
        cx.push_value(-2);
        cx.push_bool(true);
        cx.raw_set(-3);
        cx.pop(1);
    }
    code
}

/// Makes the closures of functions that the host has taken back refuse to call.
pub(in crate::lua) fn close_revoked(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Records);
    cx.push_nil();
    while cx.next(-2) {
        cx.pop(1);
        // SAFETY: the keys are records, which the stack keeps.
        let record = unsafe { &*cx.userdata(-1).cast::<Function>() };
        if cx.state.permit_target(record.address()).is_err() {
            record.routing.close(cx.state.head());
        }
    }
    cx.pop(1);
}

/// While code is observed, the declaration of a function, whose thunk is then its own.
pub(in crate::lua) fn label(state: &State, ty: TypeId, name: &str) -> Option<Box<str>> {
    let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    code::observe::is_observed().then(|| match is_name {
        true => state.types.borrow().table().declare(ty.into(), name).into(),
        false => name.into(),
    })
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
                        lower::call(cx, &mut DirectOperands::new(operands, layout, announces))
                    }
                }
            })
        },
    )?;
    // SAFETY: `LuaOperands` gives every thunk of this kind the type of a Lua C function.
    Ok(unsafe { api::compiled(thunk.address()) })
}

/// Makes sure that the thread's stack has room for what a thunk of the shape takes of it. True: it takes so much that each call must ask.
pub(super) fn ask_for_stack(
    signature: &Signature,
    convention: &'static Convention,
) -> Result<bool, LuaError> {
    let bytes = abi::plan(signature, convention)?.stack_taken();
    code::check_stack(bytes)?;
    Ok(bytes > code::LITTLE_STACK)
}

/// The facts that a function's thunk depends on, with these types for `...`.
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
pub(in crate::lua) fn function_at(cx: &Cx<'_>, index: c_int) -> Option<(TypeId, *const c_void)> {
    record_at(cx, index).map(|record| (record.ty, record.address()))
}

/// Makes the closure at `index` refuse to call: its library is closed.
pub(in crate::lua) fn detach(cx: &Cx<'_>, index: c_int) {
    if let Some(record) = record_at(cx, index) {
        record.routing.close(cx.state.head());
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
    record.routing.aim(cx.state.head(), target)?;
    cx.replace(1);
    cx.pop(1);
    Ok(())
}

/// The same error, about an argument of the function.
pub(in crate::lua) fn at_argument(record: &Function, index: c_int, error: LuaError) -> LuaError {
    match error {
        LuaError::Message(message) => LuaError::new(named(record, index, &message)),
        LuaError::Refused(_, message) => LuaError::Refused(None, named(record, index, &message)),
        other => other,
    }
}

fn named(record: &Function, index: c_int, message: &str) -> String {
    format!("bad argument #{index} to '{}' ({message})", record.name())
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
