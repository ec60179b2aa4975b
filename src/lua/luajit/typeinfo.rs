//! `ffi.typeinfo`: types in LuaJIT's own representation (lj_ctype.h), for libraries that walk them, such as ffi-reflect.
//!
//! A type, a member, a parameter and an enumerator each have an entry: a number, an `info` word of 32 bits, a size, the number of the next sibling
//! (`sib`) and a name. `tonumber(ctype)` is the number of a type. Entries get their numbers when they are first asked for; the first ones have
//! LuaJIT's numbers.

use super::numbers;
use crate::ctype::{
    ArrayLen, CallConv, EnumId, FloatKind, IntKind, QualType, Quals, RecordId, RecordKind, TypeId,
};
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::entries::Node;
use crate::lua::types::kind::Kind;

/// The kinds of entries, in the upper four bits of `info`.
mod tag {
    pub(super) const STRUCT: u32 = 1 << 28;
    pub(super) const POINTER: u32 = 2 << 28;
    pub(super) const ARRAY: u32 = 3 << 28;
    pub(super) const VOID: u32 = 4 << 28;
    pub(super) const ENUM: u32 = 5 << 28;
    pub(super) const FUNCTION: u32 = 6 << 28;
    pub(super) const TYPEDEF: u32 = 7 << 28;
    pub(super) const ATTRIBUTE: u32 = 8 << 28;
    pub(super) const FIELD: u32 = 9 << 28;
    pub(super) const BIT_FIELD: u32 = 10 << 28;
    pub(super) const CONSTANT: u32 = 11 << 28;
}

/// Flags of `info`; what a bit means depends on the kind.
mod flag {
    pub(super) const BOOL: u32 = 0x0800_0000;
    pub(super) const VECTOR: u32 = 0x0800_0000;
    pub(super) const FLOAT: u32 = 0x0400_0000;
    pub(super) const COMPLEX: u32 = 0x0400_0000;
    pub(super) const CONST: u32 = 0x0200_0000;
    pub(super) const VOLATILE: u32 = 0x0100_0000;
    pub(super) const UNSIGNED: u32 = 0x0080_0000;
    pub(super) const UNION: u32 = 0x0080_0000;
    pub(super) const REFERENCE: u32 = 0x0080_0000;
    pub(super) const VARIADIC: u32 = 0x0080_0000;
    pub(super) const LONG: u32 = 0x0040_0000;
    pub(super) const VARIABLE: u32 = 0x0010_0000;
}

/// Attributes, in bits 16 to 23 of an entry for one.
const QUALIFIERS: u32 = 1 << 16;
const SUBTYPE: u32 = 3 << 16;
/// Where a bit-field has the size of its unit, every other member has this.
const NO_BITS: u32 = 127 << 16;
/// An entry refers to another one in 16 bits.
const MOST: usize = 1 << 16;

/// An entry.
struct Entry {
    info: u32,
    /// A size, an offset or a value.
    size: Option<u32>,
    sib: Option<u32>,
    name: Option<String>,
}

/// LuaJIT's first typedefs, from entry 23.
const TYPEDEFS: [(&str, u32); 17] = [
    ("va_list", 17),
    ("__builtin_va_list", 17),
    ("__gnuc_va_list", 17),
    ("ptrdiff_t", 11),
    ("size_t", 12),
    ("wchar_t", 9),
    ("int8_t", 5),
    ("int16_t", 7),
    ("int32_t", 9),
    ("int64_t", 11),
    ("uint8_t", 6),
    ("uint16_t", 8),
    ("uint32_t", 10),
    ("uint64_t", 12),
    ("intptr_t", 11),
    ("uintptr_t", 12),
    ("ssize_t", 11),
];

/// `ffi.typeinfo(number)`: the entry as a table with `info`, `size`, `sib` and `name`; nothing where there is none.
pub(super) fn typeinfo(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let number = match crate::lua::object::ctypes::at(cx, 1) {
        Some(ty) => id(cx, ty)?,
        None => numbers::to_int32(numbers::argument(cx, 1)?) as u32,
    };
    fill(cx)?;
    let node = cx.state.type_entries().borrow().nodes.get(number as usize).copied();
    let Some(node) = node.filter(|node| *node != Node::None) else {
        return Ok(Outcome::results(0));
    };
    let entry = describe(cx, node)?;
    cx.new_table(0, 4);
    cx.push_number(f64::from(entry.info as i32));
    cx.raw_set_name(-2, b"info");
    for (key, value) in [(&b"size"[..], entry.size), (b"sib", entry.sib)] {
        if let Some(value) = value {
            numbers::push(cx, f64::from(value as i32));
            cx.raw_set_name(-2, key);
        }
    }
    if let Some(name) = entry.name {
        cx.push_bytes(name.as_bytes());
        drop(name);
        cx.raw_set_name(-2, b"name");
    }
    Ok(Outcome::results(1))
}

/// The number of a type.
pub(super) fn id(cx: &Cx<'_>, ty: QualType) -> Result<u32, LuaError> {
    fill(cx)?;
    let ty = cx.state.resolve(ty);
    let quals = ty.quals();
    let kept = Quals(quals.0 & (Quals::CONST.0 | Quals::VOLATILE.0));
    // LuaJIT has one type for `char` and that of its signed neighbour that is like it.
    let ty = match cx.state.kind(ty) {
        Kind::Int(IntKind::I8) if cx.state.char_signed => TypeId::CHAR,
        Kind::Int(IntKind::U8) if !cx.state.char_signed => TypeId::CHAR,
        _ => ty.id(),
    };
    number(cx, Node::Type(QualType::new(ty, kept)))
}

fn number(cx: &Cx<'_>, node: Node) -> Result<u32, LuaError> {
    let mut entries = cx.state.type_entries().borrow_mut();
    if let Some(&number) = entries.numbers.get(&node) {
        return Ok(number);
    }
    let number = entries.nodes.len();
    if number >= MOST {
        return Err(LuaError::new("too many types: ffi.typeinfo numbers 65536"));
    }
    entries.nodes.push(node);
    entries.numbers.insert(node, number as u32);
    Ok(number as u32)
}

/// Numbers the types that LuaJIT has from the start.
fn fill(cx: &Cx<'_>) -> Result<(), LuaError> {
    if !cx.state.type_entries().borrow().nodes.is_empty() {
        return Ok(());
    }
    let first = {
        let mut types = cx.state.types.borrow_mut();
        let table = types.table_mut();
        let plain = |id: TypeId| QualType::new(id, Quals::NONE);
        let constant = |id: TypeId| QualType::new(id, Quals::CONST);
        let int = TypeId::int;
        let complex = [FloatKind::F32, FloatKind::F64]
            .map(|part| table.intern(crate::ctype::Type::Complex(part)));
        let byte = if cx.state.char_signed { IntKind::U8 } else { IntKind::I8 };
        [
            plain(TypeId::VOID),
            constant(TypeId::VOID),
            plain(TypeId::BOOL),
            constant(TypeId::CHAR),
            plain(TypeId::CHAR),
            plain(int(byte)),
            plain(int(IntKind::I16)),
            plain(int(IntKind::U16)),
            plain(int(IntKind::I32)),
            plain(int(IntKind::U32)),
            plain(int(IntKind::I64)),
            plain(int(IntKind::U64)),
            plain(TypeId::float(FloatKind::F32)),
            plain(TypeId::float(FloatKind::F64)),
            plain(complex[0]),
            plain(complex[1]),
            plain(table.pointer_to(plain(TypeId::VOID))),
            plain(table.pointer_to(constant(TypeId::VOID))),
            plain(table.pointer_to(constant(TypeId::CHAR))),
            plain(table.pointer_to(plain(int(byte)))),
            plain(table.array_of(constant(TypeId::CHAR), ArrayLen::Incomplete)),
        ]
    };
    let typedefs = TYPEDEFS.map(|(name, id)| Node::Typedef(name, id));
    let nodes = [Node::None].into_iter().chain(first.map(Node::Type));
    for node in nodes.chain([Node::CtypeId]).chain(typedefs) {
        number(cx, node)?;
    }
    Ok(())
}

fn describe(cx: &Cx<'_>, node: Node) -> Result<Entry, LuaError> {
    match node {
        Node::Type(ty) => of_type(cx, ty),
        Node::Member(record, place) => of_member(cx, record, place),
        Node::Parameter(function, place) => of_parameter(cx, function, place),
        Node::Constant(e, place) => of_constant(cx, e, place),
        Node::Typedef(name, id) => Ok(Entry {
            info: tag::TYPEDEF | id,
            size: Some(0),
            sib: None,
            name: Some(name.to_owned()),
        }),
        Node::CtypeId => Ok(plain(tag::ENUM | 2 << 16 | 9, Some(4))),
        Node::None => Ok(plain(0, None)),
    }
}

fn plain(info: u32, size: Option<u32>) -> Entry {
    Entry { info, size, sib: None, name: None }
}

fn qualifiers(quals: Quals) -> u32 {
    let constant = if quals.has(Quals::CONST) { flag::CONST } else { 0 };
    constant | if quals.has(Quals::VOLATILE) { flag::VOLATILE } else { 0 }
}

fn of_type(cx: &Cx<'_>, ty: QualType) -> Result<Entry, LuaError> {
    let quals = qualifiers(ty.quals());
    let size = cx.state.size(ty).and_then(|size| u32::try_from(size).ok());
    let align = (cx.state.align(ty).trailing_zeros() & 15) << 16;
    let common = quals | align;
    Ok(match cx.state.kind(ty) {
        Kind::Void => plain(tag::VOID | quals, None),
        Kind::Bool => plain(flag::BOOL | flag::UNSIGNED | common, size),
        Kind::Int(int) => {
            let unsigned = if int.is_signed(cx.state.char_signed) { 0 } else { flag::UNSIGNED };
            let long = matches!(int, IntKind::I64 | IntKind::U64)
                && cx.state.size(TypeId::VOID_POINTER) == Some(8);
            plain(unsigned | if long { flag::LONG } else { 0 } | common, size)
        }
        Kind::Float(_) => plain(flag::FLOAT | common, size),
        Kind::Complex(part) => {
            let part = id(cx, TypeId::float(part).into())?;
            plain(tag::ARRAY | flag::COMPLEX | common | part, size)
        }
        Kind::Vector(element, _) => {
            plain(tag::ARRAY | flag::VECTOR | common | id(cx, element)?, size)
        }
        Kind::Pointer(to) => plain(tag::POINTER | common | id(cx, to)?, size),
        Kind::Reference(to) => {
            let pointer = cx.state.align(TypeId::VOID_POINTER).trailing_zeros() << 16;
            let info = tag::POINTER | flag::REFERENCE | flag::CONST | pointer | id(cx, to)?;
            plain(info, cx.state.size(TypeId::VOID_POINTER).map(|size| size as u32))
        }
        Kind::Array(element, len) => {
            let variable = if len == ArrayLen::Variable { flag::VARIABLE } else { 0 };
            let quals = qualifiers_of_value(cx, element);
            let size = size.filter(|_| matches!(len, ArrayLen::Fixed(_)));
            plain(tag::ARRAY | variable | common | quals | id(cx, element)?, size)
        }
        Kind::Record(_) | Kind::Enum(_) if quals != 0 => {
            plain(tag::ATTRIBUTE | QUALIFIERS | id(cx, ty.id().into())?, Some(quals))
        }
        Kind::Record(record) => of_record(cx, record, align, size)?,
        Kind::Enum(e) => of_enum(cx, e, align, size)?,
        Kind::Function => of_function(cx, ty.id())?,
    })
}

fn of_record(
    cx: &Cx<'_>,
    record: RecordId,
    align: u32,
    size: Option<u32>,
) -> Result<Entry, LuaError> {
    let (kind, flexible, members, name) = {
        let types = cx.state.types.borrow();
        let declared = types.table().record(record);
        let body = declared.body.as_ref();
        (
            declared.kind,
            body.and_then(|body| body.flexible),
            body.map(|body| body.members.len()),
            declared.tag.map(|tag| types.table().name(tag).to_owned()),
        )
    };
    let union = if kind == RecordKind::Union { flag::UNION } else { 0 };
    let variable = if flexible == Some(ArrayLen::Variable) { flag::VARIABLE } else { 0 };
    let Some(members) = members else {
        return Ok(Entry { info: tag::STRUCT | union, size: None, sib: None, name });
    };
    let sib = if members > 0 { Some(number(cx, Node::Member(record, 0))?) } else { None };
    let info = tag::STRUCT | union | variable | align | qualifiers_inside(cx, record);
    Ok(Entry { info, size, sib, name })
}

/// The qualifiers of all members together, which LuaJIT gives to the record.
fn qualifiers_inside(cx: &Cx<'_>, record: RecordId) -> u32 {
    let members: Vec<QualType> = {
        let types = cx.state.types.borrow();
        let body = types.table().record(record).body.as_ref();
        body.map(|body| body.members.iter().map(|member| member.ty).collect()).unwrap_or_default()
    };
    members.into_iter().fold(0, |found, ty| found | qualifiers_of_value(cx, ty))
}

/// The qualifiers of a type and of what its values consist of.
fn qualifiers_of_value(cx: &Cx<'_>, ty: QualType) -> u32 {
    let ty = cx.state.resolve(ty);
    qualifiers(ty.quals())
        | match cx.state.kind(ty) {
            Kind::Array(element, _) => qualifiers_of_value(cx, element),
            Kind::Record(record) => qualifiers_inside(cx, record),
            _ => 0,
        }
}

fn of_member(cx: &Cx<'_>, record: RecordId, place: usize) -> Result<Entry, LuaError> {
    let found = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let members = table.record(record).body.as_ref().map(|body| &body.members);
        members.and_then(|members| {
            let member = members.get(place)?;
            let name = member.name.map(|name| table.name(name).to_owned());
            let last = place + 1 == members.len();
            Some((member.ty, member.offset, member.bits, name, last))
        })
    };
    let Some((ty, offset, bits, name, last)) = found else { return Ok(plain(0, None)) };
    let info = match (bits, &name) {
        (Some(bits), _) => {
            let unit = cx.state.size(ty).unwrap_or(0) as u32;
            let is_bool = cx.state.kind(ty) == Kind::Bool;
            let signed = match cx.state.kind(ty) {
                Kind::Int(int) => int.is_signed(cx.state.char_signed),
                Kind::Enum(e) => {
                    cx.state.types.borrow().table().enum_base(e).is_signed(cx.state.char_signed)
                }
                _ => false,
            };
            tag::BIT_FIELD
                | if is_bool { flag::BOOL } else { 0 }
                | if signed { 0 } else { flag::UNSIGNED }
                | qualifiers(ty.quals())
                | (unit & 127) << 16
                | u32::from(bits.width & 127) << 8
                | u32::from(bits.shift & 127)
        }
        (None, Some(_)) => tag::FIELD | NO_BITS | id(cx, ty)?,
        (None, None) => tag::ATTRIBUTE | SUBTYPE | id(cx, ty)?,
    };
    let sib = if last { None } else { Some(number(cx, Node::Member(record, place + 1))?) };
    Ok(Entry { info, size: u32::try_from(offset).ok(), sib, name })
}

fn of_enum(cx: &Cx<'_>, e: EnumId, align: u32, size: Option<u32>) -> Result<Entry, LuaError> {
    let (base, values, name) = {
        let types = cx.state.types.borrow();
        let declared = types.table().enum_(e);
        let name = declared.tag.map(|tag| types.table().name(tag).to_owned());
        (types.table().enum_base(e), declared.values.len(), name)
    };
    let sib = if values > 0 { Some(number(cx, Node::Constant(e, 0))?) } else { None };
    let base = id(cx, TypeId::int(base).into())?;
    Ok(Entry { info: tag::ENUM | align | base, size, sib, name })
}

fn of_constant(cx: &Cx<'_>, e: EnumId, place: usize) -> Result<Entry, LuaError> {
    let (found, last) = {
        let types = cx.state.types.borrow();
        let values = &types.table().enum_(e).values;
        let found = values.get(place).map(|&(name, v)| (types.table().name(name).to_owned(), v));
        (found, place + 1 == values.len())
    };
    let Some((name, value)) = found else { return Ok(plain(0, None)) };
    let sib = if last { None } else { Some(number(cx, Node::Constant(e, place + 1))?) };
    let base = if value > i32::MAX.into() { IntKind::U32 } else { IntKind::I32 };
    let info = tag::CONSTANT | flag::CONST | id(cx, TypeId::int(base).into())?;
    // All ones are LuaJIT's mark of no size.
    let size = Some(value as u32).filter(|value| *value != u32::MAX);
    Ok(Entry { info, size, sib, name: Some(name) })
}

fn of_function(cx: &Cx<'_>, function: TypeId) -> Result<Entry, LuaError> {
    let (result, params, variadic, convention) = {
        let types = cx.state.types.borrow();
        match types.table().function(function) {
            Some(f) => (f.result, f.params.len(), f.variadic, f.convention),
            None => return Ok(plain(0, None)),
        }
    };
    let convention = match convention {
        CallConv::Thiscall => 1 << 16,
        CallConv::Fastcall => 2 << 16,
        CallConv::Stdcall => 3 << 16,
        _ => 0,
    };
    let sib = if params > 0 { Some(number(cx, Node::Parameter(function, 0))?) } else { None };
    let variadic = if variadic { flag::VARIADIC } else { 0 };
    let info = tag::FUNCTION | variadic | convention | id(cx, result)?;
    Ok(Entry { info, size: Some(params as u32), sib, name: None })
}

fn of_parameter(cx: &Cx<'_>, function: TypeId, place: usize) -> Result<Entry, LuaError> {
    let found = {
        let types = cx.state.types.borrow();
        let params = types.table().function(function).map(|f| &f.params);
        params.and_then(|params| Some((*params.get(place)?, place + 1 == params.len())))
    };
    let Some((ty, last)) = found else { return Ok(plain(0, None)) };
    let sib = if last { None } else { Some(number(cx, Node::Parameter(function, place + 1))?) };
    Ok(Entry { info: tag::FIELD | id(cx, ty)?, size: Some(place as u32), sib, name: None })
}
