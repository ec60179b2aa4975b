//! `cdata[key]` and `cdata.name`: finds the place that the key leads to, reads and writes there.

use std::ffi::c_int;

use super::constant;
use super::metatype;
use crate::ctype::{Bits, Constant, Name, QualType, Quals, RecordId, TypeId};
use crate::lua::sandbox::region;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::value::bounds;
use crate::lua::value::cdata::{self, CData};
use crate::lua::value::extent::{self, Access, Reach};
use crate::lua::value::replace::replace;
use crate::lua::value::scalar::float_to_i64;
use crate::lua::value::to_c;
use crate::lua::value::to_lua;
use crate::lua::vm::api::{LuaType, Number};
use crate::policy::Permissions;

/// A C object that a key leads to.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its type, with the qualifiers of what it is part of.
    ty: QualType,
    address: *mut u8,
    bits: Option<Bits>,
    /// Of a flexible array in a checked state: the bytes that its `counted_by` leaves it.
    counted: Option<usize>,
}

enum Found {
    Place(Place),
    /// A constant that a struct or union declares.
    Constant(QualType, Constant),
    /// The type has nothing by itself under this key; its metatype may.
    Nothing(QualType),
}

/// `__index` of cdata: the cdata at 1, the key at 2.
pub(in crate::lua) fn index(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    match find(cx, &cd, 2)? {
        Found::Place(place) => {
            permit(cx, &cd, place, Access::Read)?;
            cx.found(Learnt::Place { ty: place.ty, address: place.address, bits: place.bits });
            read(cx, 1, &cd, place)?;
            Ok(Outcome::results(1))
        }
        Found::Constant(ty, value) => {
            constant::push(cx, ty, value)?;
            Ok(Outcome::results(1))
        }
        Found::Nothing(ty) => {
            let outcome = metatype::index(cx, ty)?;
            if outcome.arguments().is_none() {
                cx.found(Learnt::Name(ty));
            }
            Ok(outcome)
        }
    }
}

/// `__newindex` of cdata: the cdata at 1, the key at 2, the value at 3.
pub(in crate::lua) fn new_index(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let cd = cdata::this(cx)?;
    match find(cx, &cd, 2)? {
        Found::Place(place) => {
            let reach = permit(cx, &cd, place, Access::writing(cx, place.ty))?;
            cx.found(Learnt::Place { ty: place.ty, address: place.address, bits: place.bits });
            write(cx, 3, &cd, place, reach)?;
            Ok(Outcome::results(0))
        }
        Found::Constant(..) => Err(constant_location()),
        Found::Nothing(ty) if ty.is_const() && matches!(cx.state.kind(ty), Kind::Record(_)) => {
            Err(constant_location())
        }
        Found::Nothing(ty) => metatype::new_index(cx, ty),
    }
}

fn find(cx: &Cx<'_>, cd: &CData, key: c_int) -> Result<Found, LuaError> {
    let ty = cx.state.resolve(cd.ty);
    let kind = cx.state.kind(ty);
    let i = match cx.type_of(key) {
        LuaType::String => {
            return member(cx, cd, ty, kind, cx.bytes(key).unwrap_or_default());
        }
        LuaType::Number | LuaType::Userdata => integer_key(cx, key),
        _ => None,
    };
    let (Some(element), Some(i)) = (element(cx, ty, kind), i) else {
        let target = match kind {
            Kind::Pointer(to) if matches!(cx.state.kind(to), Kind::Record(_)) => {
                cx.state.resolve(to)
            }
            _ => ty,
        };
        return Ok(Found::Nothing(target));
    };
    // A complex number has two elements and repeats them.
    let i = if let Kind::Complex(_) = kind { i & 1 } else { i };
    let size = cx.state.known_size(element)?;
    bounds::permit(cx, cd, ty, size, i)?;
    let distance = extent::distance(cx, i, size)?;
    let address = not_null(cx, cd)?.wrapping_offset(distance);
    Ok(Found::Place(Place { ty: element, address, bits: None, counted: None }))
}

/// # Errors
/// In a checked state: the cdata at 1 does not reach a place, or the key at 2 is where that shows.
fn permit(cx: &Cx<'_>, cd: &CData, place: Place, access: Access) -> Result<Reach, LuaError> {
    let size = match place.bits {
        Some(bits) => usize::from(bits.shift + bits.width).div_ceil(8),
        None => cx.state.size(place.ty).unwrap_or(0),
    };
    extent::permit(cx, 1, cd, place.address, size, access).map_err(|error| match cx.number(2) {
        Some(Number::Integer(i)) => LuaError::new(format!("index {i}: {error}")),
        _ => error,
    })
}

/// The type of `value[i]`, with the qualifiers that it gets from the value. Elements of complex numbers and vectors are
/// constant.
fn element(cx: &Cx<'_>, ty: QualType, kind: Kind) -> Option<QualType> {
    match kind {
        Kind::Pointer(to) => Some(to),
        Kind::Array(element, _) => Some(cx.state.member_quals(element, ty.quals())),
        Kind::Vector(element, _) => Some(element.qualified(Quals::CONST)),
        Kind::Complex(part) => Some(QualType::new(TypeId::float(part), Quals::CONST)),
        _ => None,
    }
}

/// Why the key at 2 leads nowhere in a pointer to functions.
pub(in crate::lua) fn no_function(cx: &Cx<'_>, ty: QualType) -> LuaError {
    let element = element(cx, ty, cx.state.kind(ty)).filter(|_| integer_key(cx, 2).is_some());
    let no_size = element.and_then(|element| cx.state.known_size(element).err());
    no_size.unwrap_or_else(|| metatype::no_such_key(cx, ty))
}

/// The index that a number or an integer cdata is.
fn integer_key(cx: &Cx<'_>, key: c_int) -> Option<isize> {
    match cx.number(key) {
        Some(Number::Integer(i)) => Some(i as isize),
        Some(Number::Float(n)) => Some(float_to_i64(n) as isize),
        None => {
            let cd = cdata::at(cx, key)?;
            let Kind::Int(_) = cx.state.value_kind(cd.ty) else { return None };
            to_c::number_of(cx, key, &cd).map(|i| i.to_i64() as isize)
        }
    }
}

/// The address that an access starts from.
fn not_null(cx: &Cx<'_>, cd: &CData) -> Result<*mut u8, LuaError> {
    if cd.address.is_null() {
        let ty = cx.state.repr(cd.ty);
        return Err(LuaError::new(format!("attempt to dereference a NULL pointer of type '{ty}'")));
    }
    Ok(cd.address)
}

fn member(
    cx: &Cx<'_>,
    cd: &CData,
    ty: QualType,
    kind: Kind,
    name: &[u8],
) -> Result<Found, LuaError> {
    let (record_ty, record) = match kind {
        Kind::Record(record) => (ty, record),
        Kind::Pointer(to) => match cx.state.kind(to) {
            Kind::Record(record) => (cx.state.resolve(to), record),
            _ => return Ok(Found::Nothing(ty)),
        },
        Kind::Complex(part) => {
            let step = match name {
                b"re" => 0,
                b"im" => to_c::complex_step(cx.state, part),
                _ => return Ok(Found::Nothing(ty)),
            };
            let ty = QualType::new(TypeId::float(part), Quals::CONST);
            return Ok(Found::Place(Place {
                ty,
                address: cd.address.wrapping_add(step),
                bits: None,
                counted: None,
            }));
        }
        _ => return Ok(Found::Nothing(ty)),
    };
    permit_member(cx, record, name)?;
    let found = {
        let types = cx.state.types.borrow();
        let table = types.table();
        table.find_name(name).and_then(|name| table.find_member(record, name))
    };
    let Some(found) = found else {
        return Ok(match constant(cx, record, name) {
            Some((ty, value)) => Found::Constant(ty, value),
            None => Found::Nothing(record_ty),
        });
    };
    let base = not_null(cx, cd)?;
    let counted = match found.counted_by.filter(|_| cx.state.checked()) {
        Some(counter) => counted(cx, cd, record, counter, found.ty)?,
        None => None,
    };
    Ok(Found::Place(Place {
        ty: cx.state.member_quals(found.ty, record_ty.quals()),
        address: base.wrapping_add(found.offset as usize),
        bits: found.bits,
        counted,
    }))
}

/// The bytes of a flexible array of a record in the cdata at 1, whose member `counter` says how many elements it has.
fn counted(
    cx: &Cx<'_>,
    cd: &CData,
    record: RecordId,
    counter: Name,
    array: QualType,
) -> Result<Option<usize>, LuaError> {
    let Kind::Array(element, _) = cx.state.kind(array) else { return Ok(None) };
    let counter = cx.state.types.borrow().table().find_member(record, counter);
    let Some(counter) = counter.filter(|counter| counter.bits.is_none()) else { return Ok(None) };
    let kind @ Kind::Int(int) = cx.state.value_kind(counter.ty) else { return Ok(None) };
    let address = cd.address.wrapping_add(counter.offset as usize);
    extent::permit(cx, 1, cd, address, int.size() as usize, Access::Read)?;
    // SAFETY: the bytes of the integer are known to be there.
    let count = unsafe { to_c::load(cx.state, kind, address) }.map_or(0, |count| count.to_i64());
    let size = cx.state.known_size(element)?;
    Ok(Some(usize::try_from(count).unwrap_or(0).saturating_mul(size)))
}

/// # Errors
/// The member is in a union with pointers, which may not be used.
fn permit_member(cx: &Cx<'_>, record: RecordId, name: &[u8]) -> Result<(), LuaError> {
    if cx.state.permits(Permissions::POINTER_UNIONS) {
        return Ok(());
    }
    let inside = {
        let types = cx.state.types.borrow();
        let table = types.table();
        table.find_name(name).is_some_and(|name| table.is_in_pointer_union(record, name))
    };
    if inside { cx.state.permit(Permissions::POINTER_UNIONS) } else { Ok(()) }
}

/// An error of a value for the member of a struct or union that the key at 2 names.
fn in_member(cx: &Cx<'_>, cd: &CData, error: LuaError) -> LuaError {
    match cx.bytes(2).filter(|_| cx.type_of(2) == LuaType::String) {
        Some(name) => error.about(|| {
            let name = String::from_utf8_lossy(name);
            format!("member '{name}' of '{}'", cx.state.repr(cx.state.referent(cd.ty)))
        }),
        None => error,
    }
}

fn constant_location() -> LuaError {
    LuaError::new("attempt to write to constant location")
}

/// The constant that a struct or union declares under a name.
pub(in crate::lua) fn constant(
    cx: &Cx<'_>,
    record: RecordId,
    name: &[u8],
) -> Option<(QualType, Constant)> {
    let types = cx.state.types.borrow();
    let table = types.table();
    table.find_constant(record, table.find_name(name)?)
}

/// Pushes what is at a place in the cdata at `index`.
fn read(cx: &Cx<'_>, index: c_int, cd: &CData, place: Place) -> Result<(), LuaError> {
    // SAFETY: the place lies where the declaration says that the object is; that memory is there is the script's word.
    unsafe {
        match place.bits {
            Some(bits) => to_lua::push_bit_field(cx, place.ty, bits, place.address),
            None if cx.state.kind(place.ty).is_aggregate() => {
                cdata::push_derived(cx, index, cd, |owner| {
                    let owner = match place.counted {
                        None => owner,
                        Some(bytes) => {
                            region::push(cx, place.address as usize, bytes, false, owner);
                            cx.remove(owner);
                            owner
                        }
                    };
                    to_c::push(cx, place.ty, place.address, owner)
                })
            }
            None => to_c::push(cx, place.ty, place.address, 0),
        }
    }
}

/// Assigns the Lua value at `value` to a place. `reach`: its memory, in a checked state.
fn write(
    cx: &Cx<'_>,
    value: c_int,
    cd: &CData,
    place: Place,
    reach: Reach,
) -> Result<(), LuaError> {
    let (ty, address) = match cx.state.kind(place.ty) {
        Kind::Reference(to) => {
            // SAFETY: a reference member holds a pointer.
            let target = unsafe { cx.state.load_pointer(place.address) };
            if target.is_null() {
                return Err(LuaError::new("attempt to dereference a NULL reference"));
            }
            (to, target)
        }
        _ => (place.ty, place.address),
    };
    let target = cx.state.resolve(ty);
    let is_whole = cx.state.kind(target).is_aggregate();
    if target.is_const() || is_whole && cx.state.types.borrow().table().holds_const(target) {
        return Err(constant_location());
    }
    let reach = match cx.state.kind(place.ty) {
        Kind::Reference(_) => {
            let size = cx.state.size(ty).unwrap_or(0);
            extent::permit_address(cx, ty, address, size, Access::writing(cx, ty))?
        }
        _ => reach,
    };
    // MEM-4
    let room = match (cd.variable_size(), cx.state.kind(place.ty)) {
        _ if cx.state.checked() => reach.room(cx, ty, address as usize, Access::Read)?,
        (_, Kind::Reference(_)) | (None, _) => usize::MAX,
        (Some(size), _) => (cd.address as usize).wrapping_add(size).wrapping_sub(address as usize),
    };
    // SAFETY: the place lies where the declaration says that the object is; that memory is there is the script's word.
    let assigned = unsafe {
        match place.bits {
            Some(bits) => to_c::assign_bit_field(cx, value, ty, bits, address),
            None => replace(cx, value, ty, address, room, reach),
        }
    };
    assigned.map_err(|error| in_member(cx, cd, error))
}
