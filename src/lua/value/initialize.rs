//! Initialisers: tables and lists of values for arrays, structs and unions (LuaJIT's "Initializers" section).

use std::ffi::c_int;
use std::ptr;

use super::cdata;
use super::to_c::{self, Mode};
use crate::ctype::ArrayLen;
use crate::ctype::{Bits, QualType, RecordId, RecordKind, TypeId};
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::vm::api::LuaType;
use crate::policy::Permissions;

/// A member as an initialiser sees it.
#[derive(Clone, Copy)]
struct Field {
    named: bool,
    ty: QualType,
    offset: usize,
    bits: Option<Bits>,
}

/// Initialises a new, zero-filled value with the stack values `first` to the top.
///
/// # Safety
/// - *Writable*: `dst`, for `size` bytes, which are the value of type `ty`.
pub(in crate::lua) unsafe fn from_values(
    cx: &Cx<'_>,
    first: c_int,
    ty: QualType,
    dst: *mut u8,
    size: usize,
) -> Result<(), LuaError> {
    let count = cx.top() - first + 1;
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        match (cx.state.kind(ty), count) {
            (_, ..=0) => Ok(()),
            (_, 1) if !is_member_value(cx, first, ty) => {
                to_c::assign(cx, first, ty, dst, size, Mode::Implicit)
            }
            (Kind::Record(record), _) => {
                let mut next = first;
                record_from_values(cx, &mut next, record, dst, size)?;
                if next <= cx.top() { Err(too_many(cx, ty)) } else { Ok(()) }
            }
            (kind, _) => match elements(kind) {
                Some(element) => array_from_values(cx, first, ty, element, dst, size),
                None => Err(too_many(cx, ty)),
            },
        }
    }
}

/// The element type of what is initialised element by element: arrays, vectors, and complex numbers as two floats.
fn elements(kind: Kind) -> Option<QualType> {
    match kind {
        Kind::Array(element, _) | Kind::Vector(element, _) => Some(element),
        Kind::Complex(part) => Some(TypeId::float(part).into()),
        _ => None,
    }
}

/// Whether a single initialiser is the first member's or element's, not the whole aggregate's.
fn is_member_value(cx: &Cx<'_>, index: c_int, ty: QualType) -> bool {
    let kind = cx.state.kind(ty);
    if !kind.is_aggregate() {
        return false;
    }
    match cx.type_of(index) {
        LuaType::Table => false,
        LuaType::String => matches!(kind, Kind::Record(_)),
        _ => cdata::at(cx, index)
            .is_none_or(|cd| cx.state.resolve(cd.ty).id() != cx.state.resolve(ty).id()),
    }
}

fn too_many(cx: &Cx<'_>, ty: QualType) -> LuaError {
    LuaError::new(format!("too many initializers for '{}'", cx.state.repr(ty)))
}

/// # Safety
/// - *Writable*: `dst`, for `size` bytes.
unsafe fn array_from_values(
    cx: &Cx<'_>,
    first: c_int,
    ty: QualType,
    element: QualType,
    dst: *mut u8,
    size: usize,
) -> Result<(), LuaError> {
    let step = cx.state.known_size(element)?;
    let mut offset = 0;
    for index in first..=cx.top() {
        // SAFETY: the element ends within `size`.
        unsafe {
            if is_full(offset, step, size) {
                return Err(too_many(cx, ty));
            }
            to_c::assign(cx, index, element, dst.add(offset), step, Mode::Implicit)?;
        }
        offset += step;
    }
    // SAFETY: `offset` bytes are written, of `size`.
    unsafe { fill_rest(dst, step, offset, size) };
    Ok(())
}

/// Whether an array of `size` bytes has no room for another element. One of no bytes is full from the start, as in LuaJIT, so that
/// every initialiser that is looked at is one of a part that has bytes.
fn is_full(offset: usize, step: usize, size: usize) -> bool {
    offset >= size || size - offset < step
}

/// After a single element: copies of it; after more: zeros.
///
/// # Safety
/// - *Writable*: `dst`, for `size` bytes.
unsafe fn fill_rest(dst: *mut u8, step: usize, written: usize, size: usize) {
    // SAFETY: every copy ends within `size`.
    unsafe {
        if written == step && step > 0 {
            // Each copy doubles what is filled.
            let (mut filled, whole) = (written, size - size % step);
            while filled < whole {
                let bytes = filled.min(whole - filled);
                ptr::copy_nonoverlapping(dst, dst.add(filled), bytes);
                filled += bytes;
            }
        } else if written < size {
            dst.add(written).write_bytes(0, size - written);
        }
    }
}

/// Converts the table at `index` to an array, vector, complex number, struct or union.
///
/// # Safety
/// - *Writable*: `dst`, with `room` (see `value`).
pub(super) unsafe fn from_table(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    cx.ensure_stack(8);
    // SAFETY: *Writable*, kept by the caller.
    unsafe {
        match cx.state.kind(ty) {
            Kind::Record(record) => {
                let size = cx.state.known_size(ty)?;
                if size == 0 && variable_member(cx, record).is_none() {
                    return Ok(());
                }
                dst.write_bytes(0, size);
                record_from_table(cx, index, &mut Position::Item(0), record, dst, room)
            }
            kind => match elements(kind) {
                Some(element) => array_from_table(cx, index, ty, element, dst, room),
                None => Err(to_c::cannot_convert(cx, index, ty)),
            },
        }
    }
}

/// # Safety
/// - *Writable*: `dst`, with `room` (see `value`).
unsafe fn array_from_table(
    cx: &Cx<'_>,
    index: c_int,
    ty: QualType,
    element: QualType,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    let step = cx.state.known_size(element)?;
    let known = cx.state.size(ty);
    let size = known.unwrap_or(room);
    let mut offset = 0;
    for i in 0.. {
        cx.raw_get_integer(index, i);
        if cx.type_of(-1) == LuaType::Nil {
            cx.pop(1);
            if i == 0 {
                continue;
            }
            break;
        }
        if is_full(offset, step, size) {
            return Err(too_many(cx, ty));
        }
        charge_element(cx, i)?;
        // SAFETY: the element ends within `size`.
        unsafe { to_c::assign(cx, cx.top(), element, dst.add(offset), step, Mode::Implicit)? };
        cx.pop(1);
        offset += step;
    }
    // SAFETY: an array of known size has it; a new object of variable length has `room` bytes.
    unsafe {
        if known.is_some() || room != usize::MAX {
            fill_rest(dst, step, offset, size);
        }
    }
    Ok(())
}

/// Elements between two charges of the budget.
const ELEMENTS: i64 = 64;

/// Charges the elements before the `i`th, from time to time.
///
/// # Errors
/// The budget is spent.
fn charge_element(cx: &Cx<'_>, i: i64) -> Result<(), LuaError> {
    if i % ELEMENTS == ELEMENTS - 1 { cx.charge(ELEMENTS as usize) } else { Ok(()) }
}

/// The fields of a record, one by one, so that no borrow is held while Lua runs.
fn field(cx: &Cx<'_>, record: RecordId, i: usize) -> Option<Field> {
    let types = cx.state.types.borrow();
    let member = types.table().record(record).body.as_ref()?.members.get(i)?;
    Some(Field {
        named: member.name.is_some(),
        ty: member.ty,
        offset: usize::try_from(member.offset).ok()?,
        bits: member.bits,
    })
}

/// Whether it is a union, of which one member is given a value.
#[derive(Clone, Copy)]
struct Union {
    is: bool,
    /// It contains pointers.
    pointers: bool,
}

impl Union {
    fn of(cx: &Cx<'_>, record: RecordId) -> Union {
        let types = cx.state.types.borrow();
        let is = types.table().record(record).kind == RecordKind::Union;
        Union { is, pointers: is && types.table().is_pointer_union(record) }
    }

    /// # Errors
    /// Its members may not be given values.
    fn permit(self, cx: &Cx<'_>) -> Result<(), LuaError> {
        if self.pointers { cx.state.permit(Permissions::POINTER_UNIONS) } else { Ok(()) }
    }
}

/// # Safety
/// - *Writable*: `dst` is the record's memory, `room` bytes of it.
unsafe fn assign_field(
    cx: &Cx<'_>,
    index: c_int,
    field: Field,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    // SAFETY: the field lies in the record.
    unsafe {
        let place = dst.add(field.offset);
        match field.bits {
            Some(bits) => to_c::assign_bit_field(cx, index, field.ty, bits, place),
            None => {
                let room =
                    if room == usize::MAX { room } else { room.saturating_sub(field.offset) };
                to_c::assign(cx, index, field.ty, place, room, Mode::Implicit)
            }
        }
    }
}

/// # Safety
/// - *Writable*: `dst` is the record's memory, `room` bytes of it.
unsafe fn record_from_values(
    cx: &Cx<'_>,
    next: &mut c_int,
    record: RecordId,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    let union = Union::of(cx, record);
    for i in 0.. {
        let Some(field) = field(cx, record, i) else { break };
        if *next > cx.top() {
            break;
        }
        // SAFETY: *Writable*, kept by the caller; an anonymous member is a record in the record.
        unsafe {
            if field.named {
                union.permit(cx)?;
                *next += 1;
                assign_field(cx, *next - 1, field, dst, room)
                    .map_err(|error| in_member(cx, record, i, error))?;
            } else if let Kind::Record(inner) = cx.state.kind(field.ty) {
                let room = room.saturating_sub(field.offset);
                record_from_values(cx, next, inner, dst.add(field.offset), room)?;
            }
        }
        if union.is {
            break;
        }
    }
    Ok(())
}

/// Where in its table the initialiser of a record is.
#[derive(Clone, Copy, PartialEq)]
enum Position {
    /// The items are the members in order; this one is next (0 is left out of 1-based tables).
    Item(i64),
    /// The members are looked up by name.
    Names,
}

/// # Safety
/// - *Writable*: `dst` is the record's memory, `room` bytes of it.
unsafe fn record_from_table(
    cx: &Cx<'_>,
    index: c_int,
    position: &mut Position,
    record: RecordId,
    dst: *mut u8,
    room: usize,
) -> Result<(), LuaError> {
    cx.ensure_stack(8);
    let union = Union::of(cx, record);
    for i in 0.. {
        let Some(field) = field(cx, record, i) else { break };
        if !field.named {
            if let Kind::Record(inner) = cx.state.kind(field.ty) {
                let room = room.saturating_sub(field.offset);
                // SAFETY: an anonymous member is a record in the record.
                unsafe {
                    record_from_table(cx, index, position, inner, dst.add(field.offset), room)?;
                }
            }
            continue;
        }
        match push_initializer(cx, index, position, record, i) {
            Found::Value => {}
            Found::Nothing => continue,
            Found::End => break,
        }
        union.permit(cx)?;
        charge_element(cx, i as i64)?;
        // SAFETY: *Writable*, kept by the caller.
        unsafe {
            assign_field(cx, cx.top(), field, dst, room)
                .map_err(|error| in_member(cx, record, i, error))?;
        }
        cx.pop(1);
        if union.is {
            break;
        }
    }
    Ok(())
}

enum Found {
    /// It is on top of the stack.
    Value,
    /// The table has none for this member.
    Nothing,
    /// The table has no more.
    End,
}

/// Pushes the initialiser of the `i`th member, which has a name.
fn push_initializer(
    cx: &Cx<'_>,
    index: c_int,
    position: &mut Position,
    record: RecordId,
    i: usize,
) -> Found {
    if let Position::Item(item) = *position {
        // The first member decides: item 0, item 1, or no items at all.
        let candidates = if item == 0 { 0..2 } else { item..item + 1 };
        for item in candidates {
            cx.raw_get_integer(index, item);
            if cx.type_of(-1) != LuaType::Nil {
                *position = Position::Item(item + 1);
                return Found::Value;
            }
            cx.pop(1);
        }
        if item != 0 {
            return Found::End;
        }
        *position = Position::Names;
    }
    push_member_name(cx, record, i);
    cx.raw_get(index);
    if cx.type_of(-1) == LuaType::Nil {
        cx.pop(1);
        return Found::Nothing;
    }
    Found::Value
}

/// An error of a value for the `i`th member.
fn in_member(cx: &Cx<'_>, record: RecordId, i: usize, error: LuaError) -> LuaError {
    let types = cx.state.types.borrow();
    let table = types.table();
    let members = table.record(record).body.as_ref().map(|body| &body.members);
    match members.and_then(|members| members.get(i)?.name) {
        Some(name) => error.about(|| match table.record(record).tag {
            Some(tag) => {
                let keyword = match table.record(record).kind {
                    RecordKind::Struct => "struct",
                    RecordKind::Union => "union",
                };
                format!("member '{}' of '{keyword} {}'", table.name(name), table.name(tag))
            }
            None => format!("member '{}'", table.name(name)),
        }),
        None => error,
    }
}

/// Pushes the name of the `i`th member.
fn push_member_name(cx: &Cx<'_>, record: RecordId, i: usize) {
    let name: Option<String> = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let members = table.record(record).body.as_ref().map(|body| &body.members);
        members.and_then(|members| members.get(i)?.name).map(|name| table.name(name).to_owned())
    };
    match name {
        Some(name) => cx.push_bytes(name.as_bytes()),
        None => cx.push_nil(),
    }
}

/// Whether a struct has a flexible array at its end, or an array has no length.
pub(super) fn is_flexible(cx: &Cx<'_>, ty: QualType) -> bool {
    match cx.state.kind(ty) {
        Kind::Array(_, length) => !matches!(length, ArrayLen::Fixed(_)),
        Kind::Record(record) => {
            let last = {
                let types = cx.state.types.borrow();
                let body = types.table().record(record).body.as_ref();
                body.and_then(|body| body.members.last().map(|member| member.ty))
            };
            last.is_some_and(|last| is_flexible(cx, last))
        }
        _ => false,
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
