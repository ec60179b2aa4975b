//! New C values: `ffi.new`, `ffi.cast`, and their sizes.

use std::ffi::c_int;
use std::mem;
use std::ptr;

use crate::ctype::{ArrayLen, QualType};
use crate::lua::call::guest;

use crate::lua::object::ctypes;
use crate::lua::object::metatype;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self, Access};
use crate::lua::value::initialize;
use crate::lua::value::to_c::{self, Mode};
use crate::lua::value::wide;
use crate::lua::vm::api::LuaType;

use crate::lua::object::argument;

/// The size of a type's values.
enum Extent {
    /// Bytes; `None`: incomplete, or no object type.
    Fixed(Option<usize>),
    /// `[?]`: bytes before the elements, bytes an element.
    Variable { fixed: usize, step: usize },
}

impl Extent {
    fn of(cx: &Cx<'_>, ty: QualType) -> Result<Extent, LuaError> {
        Ok(match cx.state.kind(ty) {
            Kind::Array(element, ArrayLen::Variable) => {
                Extent::Variable { fixed: 0, step: cx.state.known_size(element)? }
            }
            Kind::Record(record) => match initialize::variable_member(cx, record) {
                Some(element) => Extent::Variable {
                    fixed: cx.state.known_size(ty)?,
                    step: cx.state.known_size(element)?,
                },
                None => Extent::Fixed(cx.state.size(ty)),
            },
            _ => Extent::Fixed(cx.state.size(ty)),
        })
    }
}

const UNKNOWN_SIZE: &str = "size of C type is unknown or too large";

/// The size of a value with as many elements as argument `n` says; none where no value is so large.
fn variable_size(
    cx: &Cx<'_>,
    n: c_int,
    fixed: usize,
    step: usize,
) -> Result<Option<usize>, LuaError> {
    let count = usize::try_from(argument::integer(cx, n)?).ok();
    let size =
        count.and_then(|count| count.checked_mul(step)).and_then(|size| size.checked_add(fixed));
    Ok(size.filter(|size| isize::try_from(*size).is_ok()))
}

/// `ffi.new(ct [, nelem] [, init...])`
pub(in crate::lua) fn new(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let named = cx.state.resolve(ctypes::argument(cx, 1)?);
    if cx.top() > 1
        && let Kind::Reference(to) = cx.state.kind(named)
    {
        return new_reference(cx, named, cx.state.resolve(to));
    }
    let ty = cx.state.referent(named);
    let (size, first) = match Extent::of(cx, ty)? {
        Extent::Variable { fixed, step } => {
            let size = variable_size(cx, 2, fixed, step)?;
            (size.ok_or_else(|| LuaError::Argument(2, UNKNOWN_SIZE.into()))?, 3)
        }
        Extent::Fixed(Some(size)) => (size, 2),
        Extent::Fixed(None) => {
            let ty = cx.state.repr(ty);
            return Err(LuaError::Argument(1, format!("{UNKNOWN_SIZE}: '{ty}'")));
        }
    };
    if let Kind::Pointer(_) = cx.state.kind(ty)
        && cx.top() == first
    {
        return new_pointer(cx, first, ty);
    }
    let bytes = cdata::push_value(cx, ty, size, first == 3)?;
    // The cdata takes the place of the last argument before the initialisers.
    cx.replace(first - 1);
    // SAFETY: the new cdata has `size` bytes, and is on the stack.
    unsafe { initialize::from_values(cx, first, ty, bytes, size)? };
    cx.set_top(first - 1);
    cx.found(Learnt::New(ty));
    metatype::finalize_by_metatype(cx, first - 1, ty);
    Ok(Outcome::results(1))
}

/// `ffi.new` of a pointer from the value at `index`.
fn new_pointer(cx: &Cx<'_>, index: c_int, ty: QualType) -> Result<Outcome, LuaError> {
    let is_c = crate::lua::call::function_at(cx, index).is_some();
    // A Lua function gets a callback of its own.
    let mode = match cx.type_of(index) {
        LuaType::Function if !is_c => Mode::Cast,
        _ => Mode::Implicit,
    };
    pointer_from(cx, index, ty, mode)
}

/// `ffi.new` of a reference of type `ty` to a `to`, from the arguments: it refers to what its one initialiser is or points to.
fn new_reference(cx: &Cx<'_>, ty: QualType, to: QualType) -> Result<Outcome, LuaError> {
    if cx.top() > 2 {
        return Err(LuaError::new(format!("too many initializers for '{}'", cx.state.repr(ty))));
    }
    match cx.state.kind(to) {
        Kind::Function => new_pointer(cx, 2, cx.state.pointer_to(to).into()),
        _ => reference_from(cx, 2, ty, to, Mode::Implicit),
    }
}

/// Pushes the pointer of type `ty` that the value at `index` converts to. What it points into stays alive.
fn pointer_from(cx: &Cx<'_>, index: c_int, ty: QualType, mode: Mode) -> Result<Outcome, LuaError> {
    let pointer = address_from(cx, index, ty, mode)?;
    cdata::push_pointer(cx, ty, pointer, cx.top());
    Ok(Outcome::results(1))
}

/// The address that the value at `index` has as a pointer or reference of type `ty`; pushes what the address keeps alive.
fn address_from(cx: &Cx<'_>, index: c_int, ty: QualType, mode: Mode) -> Result<*mut u8, LuaError> {
    if cx.state.machine.is_guest()
        && let Some(copy) = guest::push_text(cx, index, ty, mode)?
    {
        return Ok(copy);
    }
    if mode == Mode::Implicit
        && let Some(units) = wide::push_text(cx, index, ty)?
    {
        return Ok(units);
    }
    let mut pointer: *mut u8 = ptr::null_mut();
    // SAFETY: the variable is a pointer.
    unsafe {
        to_c::assign(cx, index, ty, (&raw mut pointer).cast(), mem::size_of::<usize>(), mode)?
    };
    match cdata::at(cx, index) {
        Some(cd)
            if cd.is_pointer()
                || cx.state.kind(cd.ty).is_aggregate()
                || matches!(cx.state.kind(ty), Kind::Reference(_)) =>
        {
            cdata::push_owner(cx, index, &cd);
        }
        None if cx.type_of(index) == LuaType::String => cx.push_value(index),
        _ => cx.push_nil(),
    }
    Ok(pointer)
}

/// Pushes a reference to the `to` whose address the value at `index` has as a pointer or reference of type `ty`.
fn reference_from(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    to: QualType,
    mode: Mode,
) -> Result<Outcome, LuaError> {
    let address = address_from(cx, index, ty, mode)?;
    if address.is_null() {
        let to = cx.state.repr(to);
        return Err(LuaError::Argument(index, format!("NULL reference to '{to}'")));
    }
    if let Kind::Pointer(_) = cx.state.kind(to) {
        // There is no assignment to the reference itself: the pointer that it leads to is as good.
        let size = cx.state.known_size(to)?;
        extent::permit_address(cx, to, address, size, Access::Read)?;
        // SAFETY: the script says that a pointer is there, and the policy allows it.
        unsafe { to_c::push(cx, to, address, 0)? };
        return Ok(Outcome::results(1));
    }
    cdata::push_reference(cx, to, address, cx.top());
    Ok(Outcome::results(1))
}

/// `ffi.cast(ct, value)`
pub(in crate::lua) fn cast(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.resolve(ctypes::argument(cx, 1)?);
    argument::expect_value(cx, 2)?;
    let is_pointer = match cx.state.kind(ty) {
        Kind::Pointer(_) => true,
        Kind::Bool | Kind::Int(_) | Kind::Float(_) | Kind::Enum(_) => false,
        Kind::Reference(to) => {
            let to = cx.state.resolve(to);
            return reference_from(cx, 2, cx.state.pointer_to(to).into(), to, Mode::Cast);
        }
        _ => return Err(LuaError::Argument(1, "invalid C type".into())),
    };
    if cdata::at(cx, 2).is_some_and(|cd| cd.ty == ty) {
        cx.push_value(2);
        return Ok(Outcome::results(1));
    }
    if is_pointer {
        let outcome = pointer_from(cx, 2, ty, Mode::Cast)?;
        cx.found(Learnt::Cast(ty));
        return Ok(outcome);
    }
    let size = cx.state.known_size(ty)?;
    let bytes = cdata::push_value(cx, ty, size, false)?;
    // SAFETY: the new cdata has the size of the type, and is on the stack.
    unsafe { to_c::assign(cx, 2, ty, bytes, size, Mode::Cast)? };
    Ok(Outcome::results(1))
}

/// `ffi.sizeof(ct [, nelem])`
pub(in crate::lua) fn size_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.referent(ctypes::argument(cx, 1)?);
    let size = match cdata::at(cx, 1).and_then(|cd| cd.variable_size()) {
        Some(size) => Some(size),
        None => match Extent::of(cx, ty)? {
            Extent::Variable { fixed, step } => variable_size(cx, 2, fixed, step)?,
            Extent::Fixed(size) => size,
        },
    };
    match size {
        Some(size) => cx.push_integer(size as i64),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}
