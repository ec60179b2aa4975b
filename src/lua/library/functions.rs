//! The functions of the `ffi` table that make, convert and describe C values.

use std::ffi::{CStr, c_int};
use std::mem;
use std::ptr;

use super::clib;
use super::explain;
use crate::ctype::{ArrayLen, IntKind, QualType, RecordId, TypeId};
use crate::lua::call::guest;
use crate::lua::call::task;
use crate::lua::callback::other_thread;
use crate::lua::callback::traceback;
use crate::lua::fast::bytes::{self, Role};
use crate::lua::fast::cast;
use crate::lua::fast::new;
use crate::lua::fast::new_callback;
use crate::lua::object::ctypes;
use crate::lua::object::metatype;
use crate::lua::object::reflect;
use crate::lua::sandbox::budget;
use crate::lua::state::options;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::types::scope;
use crate::lua::value::arith;
use crate::lua::value::cdata;
use crate::lua::value::constant;
use crate::lua::value::extent::{self, Access};
use crate::lua::value::initialize;
use crate::lua::value::scalar::Scalar;
use crate::lua::value::to_c::{self, Mode, Qualifiers};
use crate::lua::value::wide;
use crate::lua::vm::api::{LuaType, lua_CFunction};
use crate::lua::vm::system;

/// Name and implementation of each.
pub(in crate::lua) const FUNCTIONS: [(&[u8], lua_CFunction); 29] = [
    (b"abi", entry(abi)),
    (b"addressof", entry(address_of)),
    (b"alignof", entry(align_of)),
    (b"async", entry(task::async_function)),
    (b"cast", entry(cast)),
    (b"cdef", entry(ctypes::cdef)),
    (b"copy", entry(copy)),
    (b"errno", entry(errno)),
    (b"eval", entry(constant::eval)),
    (b"explain", entry(explain::explain)),
    (b"traceback", entry(traceback::traceback)),
    (b"fields", entry(reflect::fields)),
    (b"fill", entry(fill)),
    (b"gc", entry(metatype::gc)),
    (b"info", entry(reflect::info)),
    (b"istype", entry(is_type)),
    (b"load", entry(clib::load)),
    (b"metatype", entry(metatype::metatype)),
    (b"new", entry(new)),
    (b"offsetof", entry(offset_of)),
    (b"option", entry(options::option)),
    (b"scope", entry(scope::open)),
    (b"poll", entry(other_thread::poll_function)),
    (b"sizeof", entry(size_of)),
    (b"string", entry(string)),
    (b"tonumber", entry(to_number)),
    (b"toretval", entry(to_result)),
    (b"type", entry(type_name)),
    (b"typeof", entry(ctypes::type_of)),
];

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
            Kind::Record(record) => match variable_member(cx, record) {
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

/// The element type of a struct's last member, where that is `[?]`.
pub(in crate::lua) fn variable_member(cx: &Cx<'_>, record: RecordId) -> Option<QualType> {
    let last = {
        let types = cx.state.types.borrow();
        let body = types.table().record(record).body.as_ref()?;
        (body.flexible == Some(ArrayLen::Variable)).then(|| body.members.last().map(|m| m.ty))??
    };
    match cx.state.kind(last) {
        Kind::Array(element, _) => Some(element),
        Kind::Record(inner) => variable_member(cx, inner),
        _ => None,
    }
}

const UNKNOWN_SIZE: &str = "size of C type is unknown or too large";

/// The size of a value with as many elements as argument `n` says.
fn variable_size(cx: &Cx<'_>, n: c_int, fixed: usize, step: usize) -> Result<usize, LuaError> {
    let count = usize::try_from(integer(cx, n)?).ok();
    let size =
        count.and_then(|count| count.checked_mul(step)).and_then(|size| size.checked_add(fixed));
    size.filter(|size| isize::try_from(*size).is_ok())
        .ok_or_else(|| LuaError::Argument(n, UNKNOWN_SIZE.into()))
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
        Extent::Variable { fixed, step } => (variable_size(cx, 2, fixed, step)?, 3),
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
    new::learn(cx, ty);
    metatype::finalize_by_metatype(cx, first - 1, ty);
    Ok(Outcome::results(1))
}

/// `ffi.new` of a pointer from the value at `index`.
fn new_pointer(cx: &Cx<'_>, index: c_int, ty: QualType) -> Result<Outcome, LuaError> {
    // SAFETY: the index is acceptable.
    let is_c = unsafe { crate::lua::call::function_at(cx, index) }.is_some();
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
    expect_value(cx, 2)?;
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
        if cx.type_of(2) == LuaType::Function {
            new_callback::learn(cx, ty);
        }
        cast::learn(cx, ty);
        return Ok(outcome);
    }
    let size = cx.state.known_size(ty)?;
    let bytes = cdata::push_value(cx, ty, size, false)?;
    // SAFETY: the new cdata has the size of the type, and is on the stack.
    unsafe { to_c::assign(cx, 2, ty, bytes, size, Mode::Cast)? };
    Ok(Outcome::results(1))
}

/// `ffi.sizeof(ct [, nelem])`
fn size_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.referent(ctypes::argument(cx, 1)?);
    let size = match cdata::at(cx, 1).and_then(|cd| cd.variable_size()) {
        Some(size) => Some(size),
        None => match Extent::of(cx, ty)? {
            Extent::Variable { fixed, step } => Some(variable_size(cx, 2, fixed, step)?),
            Extent::Fixed(size) => size,
        },
    };
    match size {
        Some(size) => cx.push_integer(size as i64),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

/// `ffi.alignof(ct)`
fn align_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = ctypes::argument(cx, 1)?;
    let ty = match cx.state.kind(ty) {
        Kind::Reference(to) => to,
        _ => ty,
    };
    cx.push_integer(cx.state.align(ty) as i64);
    Ok(Outcome::results(1))
}

/// `ffi.offsetof(ct, field)`: the offset; of a bit-field also the position and size in bits.
fn offset_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.referent(ctypes::argument(cx, 1)?);
    let Some(name) = cx.bytes(2) else {
        let got = to_c::describe(cx, 2);
        return Err(LuaError::Argument(2, format!("string expected, got {got}")));
    };
    let Kind::Record(record) = cx.state.kind(ty) else { return Ok(Outcome::results(0)) };
    let found = {
        let types = cx.state.types.borrow();
        let table = types.table();
        table.find_name(name).and_then(|name| table.find_member(record, name))
    };
    let Some(found) = found else { return Ok(Outcome::results(0)) };
    cx.push_integer(found.offset as i64);
    let Some(bits) = found.bits else { return Ok(Outcome::results(1)) };
    cx.push_integer(i64::from(bits.shift));
    cx.push_integer(i64::from(bits.width));
    Ok(Outcome::results(3))
}

/// `ffi.istype(ct, value)`
fn is_type(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let wanted = cx.state.referent(ctypes::argument(cx, 1)?);
    expect_value(cx, 2)?;
    // SAFETY: index 2 is acceptable.
    let function =
        unsafe { crate::lua::call::function_at(cx, 2) }.map(|(ty, _)| QualType::from(ty));
    let ty = cdata::at(cx, 2).map(|cd| cd.ty).or_else(|| ctypes::at(cx, 2)).or(function);
    cx.push_bool(ty.is_some_and(|ty| same_type(cx, wanted, cx.state.referent(ty))));
    Ok(Outcome::results(1))
}

/// Whether a value of type `ty` is of the wanted type, or a pointer to a wanted struct; qualifiers do not matter.
fn same_type(cx: &Cx<'_>, wanted: QualType, ty: QualType) -> bool {
    if wanted.id() == ty.id() {
        return true;
    }
    match (cx.state.kind(wanted), cx.state.kind(ty)) {
        (Kind::Pointer(a), Kind::Pointer(b)) => {
            to_c::compatible(cx.state, a, b, Qualifiers::Ignored)
        }
        (Kind::Array(a, _), Kind::Array(b, _)) => {
            cx.state.size(wanted) == cx.state.size(ty)
                && to_c::compatible(cx.state, a, b, Qualifiers::Ignored)
        }
        (Kind::Record(_), Kind::Pointer(to)) => cx.state.resolve(to).id() == wanted.id(),
        (Kind::Int(a), Kind::Int(b)) => {
            let signed = cx.state.char_signed();
            a.size() == b.size() && a.is_signed(signed) == b.is_signed(signed)
        }
        (a, b) => a == b && !a.is_aggregate(),
    }
}

fn expect_value(cx: &Cx<'_>, n: c_int) -> Result<(), LuaError> {
    match cx.type_of(n) {
        LuaType::None => Err(LuaError::Argument(n, "value expected".into())),
        _ => Ok(()),
    }
}

/// Argument `n` as an integer.
fn integer(cx: &Cx<'_>, n: c_int) -> Result<i64, LuaError> {
    expect_value(cx, n)?;
    let mut value = 0_i64;
    let ty = TypeId::int(IntKind::I64).into();
    // SAFETY: the variable is an `int64_t`.
    unsafe { to_c::to_c(cx, n, ty, (&raw mut value).cast()) }.map_err(|e| e.at_argument(n))?;
    Ok(value)
}

/// Argument `n` as a number of bytes.
fn length(cx: &Cx<'_>, n: c_int) -> Result<usize, LuaError> {
    let bytes = integer(cx, n)?;
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(|| LuaError::Argument(n, format!("number of bytes out of range: {bytes}")))
}

/// Argument `n` as a pointer; NULL only where `bytes`, the length of the access, is 0.
fn pointer(cx: &Cx<'_>, n: c_int, role: Role, bytes: usize) -> Result<*mut u8, LuaError> {
    expect_value(cx, n)?;
    // It is read here, so a string need not be where 32-bit code can read it.
    let text = cx.bytes(n).filter(|_| role != Role::Target && cx.state.machine.is_guest());
    if let Some(text) = text {
        return Ok(text.as_ptr().cast_mut());
    }
    let ty = match role {
        Role::Target => TypeId::VOID_POINTER,
        Role::Source => cx.state.known.const_void_ptr,
        Role::Text => cx.state.known.const_char_ptr,
    };
    let mut value: *mut u8 = ptr::null_mut();
    // SAFETY: the variable is a pointer.
    unsafe { to_c::to_c(cx, n, ty.into(), (&raw mut value).cast()) }
        .map_err(|e| e.at_argument(n))?;
    if value.is_null() && bytes > 0 {
        return Err(LuaError::Argument(n, "NULL pointer".into()));
    }
    bytes::learn(cx, n, role, value);
    Ok(value)
}

/// `ffi.string(pointer [, len])`
pub(in crate::lua) fn string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if cx.is_absent(2) {
        if let Some(cd) = cdata::at(cx, 1)
            && let Some(text) = wide::string(cx, &cd)?
        {
            budget::ask("string", text.len(), text.len())?;
            cx.push_bytes(text.as_bytes());
            return Ok(Outcome::results(1));
        }
        let text = pointer(cx, 1, Role::Text, 1)?;
        let limit = cdata::at(cx, 1).and_then(|cd| match cx.state.kind(cd.ty) {
            Kind::Array(..) => cd.variable_size().or_else(|| cx.state.size(cd.ty)),
            _ => None,
        });
        let limit = match cx.state.checked() {
            true => Some(string_limit(cx, text, limit)?),
            false => limit,
        };
        // SAFETY: a string in memory is the script's word; an array of known size ends it in any case.
        let bytes = unsafe {
            match limit {
                Some(size) => std::slice::from_raw_parts(text, libc::strnlen(text.cast(), size)),
                None => CStr::from_ptr(text.cast()).to_bytes(),
            }
        };
        budget::ask("string", bytes.len(), bytes.len())?;
        cx.push_bytes(bytes);
    } else {
        let len = length(cx, 2)?;
        let text = pointer(cx, 1, Role::Source, len)?;
        permit(cx, 1, Role::Source, text, len)?;
        budget::ask("string", len, len)?;
        // SAFETY: `len` bytes of memory are the script's word; an empty string needs none.
        unsafe {
            cx.push_bytes(if len == 0 { &[] } else { std::slice::from_raw_parts(text, len) });
        }
    }
    Ok(Outcome::results(1))
}

/// # Errors
/// In a checked state: argument `n`, converted to `address`, does not reach `len` bytes.
fn permit(
    cx: &Cx<'_>,
    n: c_int,
    role: Role,
    address: *const u8,
    len: usize,
) -> Result<(), LuaError> {
    let access = if role == Role::Target { Access::Write } else { Access::Read };
    let ty = cdata::at(cx, n).map_or(cx.state.known.const_void_ptr.into(), |cd| cd.ty);
    extent::permit_argument(cx, n, ty, address, len, access)
}

/// Where a string ends at the latest, in a checked state: where its memory ends, or the array that it is in.
///
/// # Errors
/// It has no end there, and is in no array.
fn string_limit(cx: &Cx<'_>, text: *const u8, array: Option<usize>) -> Result<usize, LuaError> {
    let ty = cx.state.known.const_char_ptr.into();
    let room = extent::of_argument(cx, 1, text as usize)
        .room(cx, ty, text as usize, Access::Read)
        .map_err(|error| error.at_argument(1))?;
    if let Some(size) = array {
        return Ok(size.min(room));
    }
    // SAFETY: so many bytes are known to be there.
    let memory = unsafe { std::slice::from_raw_parts(text, room) };
    let end = memory.iter().position(|byte| *byte == 0);
    end.ok_or_else(|| LuaError::Argument(1, format!("a string without an end within {room} bytes")))
}

/// `ffi.copy(dst, src, len)`, `ffi.copy(dst, string)`
pub(in crate::lua) fn copy(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    expect_value(cx, 1)?;
    expect_value(cx, 2)?;
    let len = match (cx.bytes(2), cx.type_of(3)) {
        (Some(text), LuaType::None) => text.len() + 1,
        _ => length(cx, 3)?,
    };
    let dst = pointer(cx, 1, Role::Target, len)?;
    let src = pointer(cx, 2, Role::Source, len)?.cast_const();
    permit(cx, 1, Role::Target, dst, len)?;
    permit(cx, 2, Role::Source, src, len)?;
    // SAFETY: memory behind the pointers is the script's word; a Lua string ends in a zero byte that counts.
    unsafe { ptr::copy(src, dst, len) };
    Ok(Outcome::results(0))
}

/// `ffi.fill(dst, len [, c])`
pub(in crate::lua) fn fill(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    expect_value(cx, 1)?;
    let len = length(cx, 2)?;
    let value = if cx.is_absent(3) { 0 } else { integer(cx, 3)? as u8 };
    let dst = pointer(cx, 1, Role::Target, len)?;
    permit(cx, 1, Role::Target, dst, len)?;
    // SAFETY: memory behind the pointer is the script's word.
    unsafe { ptr::write_bytes(dst, value, len) };
    Ok(Outcome::results(0))
}

/// `ffi.errno([new])`: the value that the last C call left.
fn errno(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let old = system::errno();
    if !cx.is_absent(1) {
        system::set_errno(integer(cx, 1)? as c_int);
    }
    cx.push_integer(i64::from(old));
    Ok(Outcome::results(1))
}

/// `ffi.abi(name)`
fn abi(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let Some(name) = cx.bytes(1) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    };
    let name = String::from_utf8_lossy(name);
    let pointer = cx.state.types.borrow().table().model().pointer;
    let holds = match &*name {
        "64bit" => pointer == 8,
        "32bit" => pointer == 4,
        other => system::ABI.contains(&other),
    };
    cx.push_bool(holds);
    Ok(Outcome::results(1))
}

/// `ffi.addressof(cdata)`: a pointer to the value.
fn address_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = crate::lua::value::index::self_cdata(cx)?;
    let ty = cx.state.pointer_to(cd.ty);
    let address = cd.bytes();
    if cd.is_pointer() {
        cx.push_value(1);
    } else {
        cdata::push_owner(cx, 1, &cd);
    }
    cdata::push_pointer(cx, ty.into(), address, cx.top());
    Ok(Outcome::results(1))
}

/// `ffi.tonumber(value)`: the Lua number that a numeric cdata is; of other values what `tonumber` says of numbers and nil.
fn to_number(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    expect_value(cx, 1)?;
    if cdata::at(cx, 1).is_none() {
        cx.push_to_number(1);
        return Ok(Outcome::results(1));
    }
    match arith::scalar_at(cx, 1) {
        Some(Scalar::Float(n)) => cx.push_number(n),
        Some(Scalar::Extended(n)) => cx.push_number(n.to_f64()),
        Some(Scalar::Signed(n)) => push_integral(cx, i64::try_from(n).ok(), n as f64),
        Some(Scalar::Unsigned(n)) => push_integral(cx, i64::try_from(n).ok(), n as f64),
        None => cx.push_nil(),
    }
    Ok(Outcome::results(1))
}

fn push_integral(cx: &Cx<'_>, exact: Option<i64>, rounded: f64) {
    match exact {
        Some(n) => cx.push_integer(n),
        None => cx.push_number(rounded),
    }
}

/// `ffi.toretval(cdata)`: the Lua value that C code returning this value would give.
fn to_result(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = crate::lua::value::index::self_cdata(cx)?;
    let null_is_nil = cd.address.is_null() && cx.state.options.null_is_nil.get();
    if (cd.is_pointer() && !null_is_nil) || cx.state.kind(cd.ty).is_aggregate() {
        cx.push_value(1);
    } else {
        extent::permit_bytes(cx, 1, &cd)?;
        // SAFETY: a cdata holds a value of its type.
        unsafe { to_c::push(cx, cd.ty, cd.bytes(), 0)? };
    }
    Ok(Outcome::results(1))
}

/// `ffi.type(value)`: `type`, but `"cdata"` for cdata and ctypes.
fn type_name(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    expect_value(cx, 1)?;
    let is_ours = cdata::at(cx, 1).is_some() || ctypes::at(cx, 1).is_some();
    let name = if is_ours { "cdata" } else { cx.type_name(1) };
    cx.push_bytes(name.as_bytes());
    Ok(Outcome::results(1))
}
