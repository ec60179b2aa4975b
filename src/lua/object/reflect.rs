//! `ffi.fields` and `ffi.info`: C types as Lua tables.
//!
//! Types in these tables are ctypes, sizes and offsets are in bytes, bit positions count from the least significant bit at
//! the offset, as in the results of `ffi.offsetof`.

use super::constant;
use super::ctypes;
use crate::ctype::{
    ArrayLen, Bits, Constant, Decl, Declarations, EnumId, IntKind, QualType, Quals, RecordId,
    RecordKind, Table, Type, TypeId,
};
use crate::lua::call;
use crate::lua::state::{Cx, LuaError, Outcome};
use crate::lua::types::kind::Kind;
use crate::lua::types::scope;

/// A member of a struct or union.
struct Field {
    name: Option<String>,
    ty: QualType,
    offset: u64,
    bits: Option<Bits>,
}

/// Whether the members of anonymous structs and unions stand in the place of these.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anonymous {
    Flattened,
    Kept,
}

/// `ffi.fields(ct)`: the members of a struct or union, or of the one that a pointer points to, in order: a list of tables
/// with `name`, `type`, `offset`, `size`, and `bit` and `width` for a bit-field. The members of anonymous structs and unions
/// are in the list, as they are members in C.
pub(in crate::lua) fn fields(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = cx.state.referent(ctypes::argument(cx, 1)?);
    let target = match cx.state.kind(ty) {
        Kind::Pointer(to) => cx.state.resolve(to),
        _ => ty,
    };
    let fields = match cx.state.kind(target) {
        Kind::Record(record) => {
            members(cx.state.types.borrow().table(), record, Anonymous::Flattened)
        }
        _ => {
            let got = cx.state.repr(ty);
            return Err(LuaError::Argument(1, format!("struct or union expected, got '{got}'")));
        }
    };
    let Some(fields) = fields else {
        let message = format!("'{}' is incomplete", cx.state.repr(target));
        return Err(LuaError::Argument(1, message));
    };
    push_fields(cx, &fields);
    Ok(Outcome::results(1))
}

/// `None`: the record is incomplete.
fn members(table: &Table, record: RecordId, anonymous: Anonymous) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    for member in &table.record(record).body.as_ref()?.members {
        let inner = match (member.name, table.shape(member.ty)) {
            (None, Type::Record(inner)) if anonymous == Anonymous::Flattened => Some(*inner),
            _ => None,
        };
        let Some(inner) = inner else {
            fields.push(Field {
                name: member.name.map(|name| table.name(name).to_owned()),
                ty: member.ty,
                offset: member.offset,
                bits: member.bits,
            });
            continue;
        };
        fields.extend(members(table, inner, anonymous)?.into_iter().map(|field| Field {
            ty: field.ty.qualified(member.ty.quals()),
            offset: field.offset + member.offset,
            ..field
        }));
    }
    Some(fields)
}

fn push_fields(cx: &Cx<'_>, fields: &[Field]) {
    cx.ensure_stack(8);
    cx.new_table(fields.len() as i32, 0);
    for (i, field) in (1..).zip(fields) {
        cx.new_table(0, 6);
        if let Some(name) = &field.name {
            set_text(cx, b"name", name);
        }
        set_type(cx, b"type", field.ty);
        set_size(cx, b"offset", field.offset as usize);
        if let Some(bits) = field.bits {
            set_size(cx, b"bit", bits.shift.into());
            set_size(cx, b"width", bits.width.into());
        }
        if let Some(size) = cx.state.size(field.ty) {
            set_size(cx, b"size", size);
        }
        cx.raw_set_integer(-2, i);
    }
}

/// `ffi.info(ct)`: all about a type. `ct` may also be a C function or the name of a declared one; then the table has its
/// `name`, its `symbol` and the names of its parameters.
pub(in crate::lua) fn info(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let function = DeclaredFunction::argument(cx)?;
    let ty = match &function {
        Some(function) => function.ty,
        None => ctypes::argument(cx, 1)?,
    };
    cx.ensure_stack(10);
    cx.new_table(0, 12);
    let c = match &function {
        Some(function) => cx.state.types.borrow().table().declare(ty, &function.name),
        None => cx.state.types.borrow().table().define(ty),
    };
    set_text(cx, b"c", &c);
    set_type(cx, b"type", ty);
    if let Some(size) = cx.state.size(ty) {
        set_size(cx, b"size", size);
        set_size(cx, b"alignment", cx.state.align(ty));
    }
    for (name, qualifier) in [(&b"const"[..], Quals::CONST), (b"volatile", Quals::VOLATILE)] {
        set_bool(cx, name, cx.state.resolve(ty).quals().has(qualifier));
    }
    set_text(cx, b"kind", kind_name(cx, cx.state.kind(ty)));
    set_details(cx, ty, function.as_ref());
    Ok(Outcome::results(1))
}

/// Sets the fields that only one kind of type has.
fn set_details(cx: &Cx<'_>, ty: QualType, function: Option<&DeclaredFunction>) {
    match cx.state.kind(ty) {
        Kind::Void | Kind::Bool | Kind::Float(_) => {}
        Kind::Int(int) => set_bool(cx, b"signed", int.is_signed(cx.state.char_signed())),
        Kind::Complex(part) => set_type(cx, b"element", TypeId::float(part).into()),
        Kind::Pointer(to) | Kind::Reference(to) => set_type(cx, b"element", to),
        Kind::Array(element, len) => {
            set_type(cx, b"element", element);
            match len {
                ArrayLen::Fixed(count) => set_size(cx, b"count", count as usize),
                ArrayLen::Incomplete => {}
                ArrayLen::Variable => set_bool(cx, b"variable", true),
            }
        }
        Kind::Vector(element, count) => {
            set_type(cx, b"element", element);
            set_size(cx, b"count", count as usize);
        }
        Kind::Function => set_function(cx, ty.id(), function),
        Kind::Record(record) => set_record(cx, record),
        Kind::Enum(e) => set_enum(cx, e),
    }
}

fn kind_name(cx: &Cx<'_>, kind: Kind) -> &'static str {
    match kind {
        Kind::Void => "void",
        Kind::Bool => "bool",
        Kind::Int(_) => "int",
        Kind::Float(_) => "float",
        Kind::Complex(_) => "complex",
        Kind::Pointer(_) => "pointer",
        Kind::Reference(_) => "reference",
        Kind::Array(..) => "array",
        Kind::Vector(..) => "vector",
        Kind::Function => "function",
        Kind::Record(record) => match cx.state.types.borrow().table().record(record).kind {
            RecordKind::Struct => "struct",
            RecordKind::Union => "union",
        },
        Kind::Enum(_) => "enum",
    }
}

/// A function that the program declared.
struct DeclaredFunction {
    ty: QualType,
    name: String,
    symbol: String,
    params: Vec<Option<String>>,
}

impl DeclaredFunction {
    /// The one that argument 1 is, or is the name of.
    fn argument(cx: &Cx<'_>) -> Result<Option<DeclaredFunction>, LuaError> {
        let record = call::record_at(cx, 1);
        let name = match record {
            Some(record) => Some(record.name().as_bytes()),
            None => cx.bytes(1),
        };
        let Some(name) = name else { return Ok(None) };
        let ty = record.map(|record| record.ty);
        scope::enter(cx, scope::of_function(), |types| DeclaredFunction::find(types, name, ty))
    }

    /// The function of this name, if it has the type.
    fn find(types: &Declarations, name: &[u8], wanted: Option<TypeId>) -> Option<DeclaredFunction> {
        let declared = types.lookup(name)?;
        let Decl::Function { ty, symbol, .. } = declared else { return None };
        if wanted.is_some_and(|wanted| wanted != *ty) {
            return None;
        }
        let params = types.parameter_names(declared).iter();
        let name = String::from_utf8_lossy(name).into_owned();
        Some(DeclaredFunction {
            ty: (*ty).into(),
            symbol: symbol.as_deref().unwrap_or(&name).to_owned(),
            name,
            params: params.map(|name| Some(types.table().name((*name)?).to_owned())).collect(),
        })
    }
}

fn set_function(cx: &Cx<'_>, ty: TypeId, declared: Option<&DeclaredFunction>) {
    let (function, convention) = {
        let types = cx.state.types.borrow();
        let Some(function) = types.table().function(ty).cloned() else { return };
        let convention = cx.state.machine.target.convention(function.convention, function.variadic);
        (function, convention.map_or_else(|error| error.to_string(), |c| c.name.to_owned()))
    };
    if let Some(declared) = declared {
        set_text(cx, b"name", &declared.name);
        set_text(cx, b"symbol", &declared.symbol);
    }
    set_text(cx, b"convention", &convention);
    set_type(cx, b"result", function.result);
    set_bool(cx, b"variadic", function.variadic);
    cx.new_table(function.params.len() as i32, 0);
    for (i, &param) in function.params.iter().enumerate() {
        cx.new_table(0, 2);
        set_type(cx, b"type", param);
        if let Some(Some(name)) = declared.and_then(|declared| declared.params.get(i)) {
            set_text(cx, b"name", name);
        }
        cx.raw_set_integer(-2, i as i64 + 1);
    }
    cx.raw_set_name(-2, b"arguments");
}

fn set_record(cx: &Cx<'_>, record: RecordId) {
    let (tag, members, constants) = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let declared = table.record(record);
        let constants = declared.body.iter().flat_map(|body| &body.constants);
        let constants: Vec<_> =
            constants.map(|&(name, ty, value)| (table.name(name).to_owned(), ty, value)).collect();
        let tag = declared.tag.map(|tag| table.name(tag).to_owned());
        (tag, members(table, record, Anonymous::Kept), constants)
    };
    if let Some(tag) = tag {
        set_text(cx, b"tag", &tag);
    }
    set_bool(cx, b"complete", members.is_some());
    if let Some(members) = members {
        push_fields(cx, &members);
        cx.raw_set_name(-2, b"members");
    }
    if constants.is_empty() {
        return;
    }
    cx.new_table(0, constants.len() as i32);
    for (name, ty, value) in constants {
        if super::constant::push(cx, ty, value).is_ok() {
            cx.raw_set_name(-2, name.as_bytes());
        }
    }
    cx.raw_set_name(-2, b"constants");
}

fn set_enum(cx: &Cx<'_>, e: EnumId) {
    let (tag, base, values) = {
        let types = cx.state.types.borrow();
        let table = types.table();
        let declared = table.enum_(e);
        let values = declared.values.iter().map(|&(name, v)| (table.name(name).to_owned(), v));
        let tag = declared.tag.map(|tag| table.name(tag).to_owned());
        (tag, TypeId::int(table.enum_base(e)), values.collect::<Vec<_>>())
    };
    if let Some(tag) = tag {
        set_text(cx, b"tag", &tag);
    }
    set_type(cx, b"base", base.into());
    set_bool(cx, b"complete", !values.is_empty());
    let unsigned = base == TypeId::int(IntKind::U64);
    cx.new_table(values.len() as i32, 0);
    for (i, (name, value)) in (1..).zip(&values) {
        cx.new_table(0, 2);
        set_text(cx, b"name", name);
        let value = if unsigned { i128::from(*value as u64) } else { i128::from(*value) };
        // An integer is always pushed.
        let _ = constant::push(cx, base.into(), Constant::Int(value));
        cx.raw_set_name(-2, b"value");
        cx.raw_set_integer(-2, i);
    }
    cx.raw_set_name(-2, b"constants");
}

/// `table[name] = text`, the table on top of the stack; so below.
fn set_text(cx: &Cx<'_>, name: &[u8], text: &str) {
    cx.push_bytes(text.as_bytes());
    cx.raw_set_name(-2, name);
}

fn set_size(cx: &Cx<'_>, name: &[u8], value: usize) {
    cx.push_integer(value as i64);
    cx.raw_set_name(-2, name);
}

fn set_bool(cx: &Cx<'_>, name: &[u8], value: bool) {
    cx.push_bool(value);
    cx.raw_set_name(-2, name);
}

fn set_type(cx: &Cx<'_>, name: &[u8], ty: QualType) {
    ctypes::push(cx, ty);
    cx.raw_set_name(-2, name);
}
