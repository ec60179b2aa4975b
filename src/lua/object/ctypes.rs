//! ctype objects, and type arguments: a text, a ctype, or a cdata that stands for its type.

use std::ffi::c_int;
use std::iter;
use std::mem;

use super::constant;
use super::index;
use super::make;
use super::metatype;
use crate::ctype::{Goal, Param, QualType, ScopeId, Type};
use crate::lua::call;
use crate::lua::sandbox::declare;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::types::scope;
use crate::lua::value::cdata::{self, CData};
use crate::lua::value::ctype::Named;
pub(in crate::lua) use crate::lua::value::ctype::at;
use crate::lua::value::to_c;
use crate::lua::vm::api::{self, LuaType, Number, lua_CFunction};
use crate::policy::Permissions;

/// Where the ctypes' table keeps their metatable; the bits of a type are never negative.
const METATABLE: i64 = -1;

const METAMETHODS: [(&[u8], lua_CFunction); 3] =
    [(b"__call", entry(construct)), (b"__index", entry(member)), (b"__tostring", entry(to_string))];

/// Makes the metatable of ctype objects.
pub(in crate::lua) fn make_metatable(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Ctypes);
    cx.new_table(0, 8);
    for (name, function) in METAMETHODS {
        cx.push_function(function, 0);
        cx.raw_set_name(-2, name);
    }
    for (name, value) in [(&b"__metatable"[..], &b"ffi"[..]), (b"__name", b"ctype")] {
        cx.push_bytes(value);
        cx.raw_set_name(-2, name);
    }
    cx.state.ctype_metatable.set(cx.identity(-1));
    cx.raw_set_integer(-2, METATABLE);
    cx.pop(1);
}

/// Pushes the metatable of ctype objects.
pub(in crate::lua) fn push_metatable(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Ctypes);
    cx.raw_get_integer(-1, METATABLE);
    cx.remove(-2);
}

/// Pushes the ctype object of a type; one object a type.
pub(in crate::lua) fn push(cx: &Cx<'_>, ty: QualType) {
    let key = i64::from(ty.to_bits());
    cx.push_anchor(Anchor::Ctypes);
    cx.raw_get_integer(-1, key);
    if cx.type_of(-1) == LuaType::Nil {
        cx.pop(1);
        // SAFETY: *Context*; the block has room for what it holds.
        unsafe {
            let block = api::new_userdata(cx.lua, mem::size_of::<Named>(), 0).cast::<Named>();
            block.write(Named::new(cx.state, ty));
        }
        cx.raw_get_integer(-2, METATABLE);
        cx.set_metatable(-2);
        cx.push_value(-1);
        cx.raw_set_integer(-3, key);
    }
    cx.remove(-2);
}

/// The type that argument `n` names: a type text, a ctype object, a cdata or a C function (their type).
pub(in crate::lua) fn argument(cx: &Cx<'_>, n: c_int) -> Result<QualType, LuaError> {
    match cx.type_of(n) {
        LuaType::String => parsed(cx, n),
        LuaType::Function => match call::function_at(cx, n) {
            Some((ty, _)) => Ok(ty.into()),
            None => Err(not_a_type(cx, n)),
        },
        _ => {
            at(cx, n).or_else(|| cdata::at(cx, n).map(|cd| cd.ty)).ok_or_else(|| not_a_type(cx, n))
        }
    }
}

fn not_a_type(cx: &Cx<'_>, n: c_int) -> LuaError {
    LuaError::Argument(n, format!("C type expected, got {}", to_c::describe(cx, n)))
}

/// The type that the text at `n` names. A text is parsed once, except one that declares a struct, union or enum, as each
/// such declaration is a type of its own.
fn parsed(cx: &Cx<'_>, n: c_int) -> Result<QualType, LuaError> {
    scope::push_texts(cx);
    cx.push_value(n);
    cx.raw_get(-2);
    let known = cx.number(-1).map(|number| match number {
        Number::Integer(bits) => bits as u32,
        Number::Float(bits) => bits as u32,
    });
    if let Some(bits) = known {
        cx.pop(2);
        let ty = QualType::from_bits(bits);
        if n == 1 && scope::is_outermost(cx) {
            cx.found(Learnt::Text(ty));
        }
        return Ok(ty);
    }
    cx.pop(1);
    let text = cx.bytes(n).unwrap_or_default();
    let ty = parse(cx, text, &[])?;
    if !declares(text) {
        cx.push_value(n);
        cx.push_integer(i64::from(ty.to_bits()));
        cx.raw_set(-3);
    }
    cx.pop(1);
    Ok(ty)
}

/// Whether a type text can have a body in it: `{`, or its digraph.
fn declares(text: &[u8]) -> bool {
    text.contains(&b'{') || text.windows(2).any(|pair| pair == b"<%")
}

/// Parses a type text in the running library function's scope.
fn parse(cx: &Cx<'_>, text: &[u8], params: &[Param<'_>]) -> Result<QualType, LuaError> {
    cx.state.permit_text(text.len())?;
    if declares(text) {
        note_declarations(cx);
    }
    declare::in_scope(cx, Goal::TYPE, text, params)
}

/// Something is declared, and may hide what was declared before.
fn note_declarations(cx: &Cx<'_>) {
    cx.state.declared.set(cx.state.declared.get().wrapping_add(1));
}

/// The values of `$` in a text, from argument `first` on.
pub(in crate::lua) fn params<'a>(
    cx: &'a Cx<'_>,
    text: &[u8],
    first: c_int,
) -> Result<Vec<Param<'a>>, LuaError> {
    let given = (cx.top() - first + 1).max(0) as usize;
    if given == 0 {
        return Ok(Vec::new());
    }
    if given > text.iter().filter(|c| **c == b'$').count() {
        return Err(LuaError::new("wrong number of type parameters"));
    }
    (first..=cx.top())
        .map(|n| {
            if let Some(name) = cx.bytes(n) {
                return Ok(Param::Name(name));
            }
            if let Some(number) = cx.number(n) {
                return Ok(Param::Int(match number {
                    Number::Integer(value) => value,
                    Number::Float(value) => crate::lua::value::scalar::float_to_i64(value),
                }));
            }
            let ty = at(cx, n).or_else(|| cdata::at(cx, n).map(|cd| cd.ty));
            let expected = "type parameter expected (a ctype, a number or a name)";
            ty.map(Param::Type).ok_or_else(|| LuaError::Argument(n, expected.into()))
        })
        .collect()
}

/// `ffi.cdef(text, ...)`
pub(in crate::lua) fn cdef(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let Some(text) = cx.bytes(1) else {
        let got = to_c::describe(cx, 1);
        return Err(LuaError::Argument(1, format!("string expected, got {got}")));
    };
    cx.state.permit(Permissions::DECLARE_TYPES)?;
    cx.state.permit_text(text.len())?;
    let params = params(cx, text, 2)?;
    note_declarations(cx);
    declare::in_scope(cx, Goal::DECLARATIONS, text, &params)?;
    Ok(Outcome::results(0))
}

/// Declares what the host does, in the outermost scope.
pub(in crate::lua) fn declare(
    cx: &Cx<'_>,
    text: &[u8],
    permissions: Permissions,
) -> Result<(), LuaError> {
    note_declarations(cx);
    let mut types = cx.state.types.borrow_mut();
    let closed = || LuaError::new("this scope of the ffi library is closed");
    let outermost = types.enter(ScopeId::ROOT).ok_or_else(closed)?;
    let parsed = declare::under(permissions, outermost, Goal::DECLARATIONS, text, &[])?;
    cx.state.given().types.borrow_mut().extend(parsed.functions());
    parsed.keep();
    Ok(())
}

/// The type that a text of the host names, in the outermost scope.
pub(in crate::lua) fn host_type(cx: &Cx<'_>, text: &[u8]) -> Result<QualType, LuaError> {
    note_declarations(cx);
    let mut types = cx.state.types.borrow_mut();
    let closed = || LuaError::new("this scope of the ffi library is closed");
    let outermost = types.enter(ScopeId::ROOT).ok_or_else(closed)?;
    let ty = outermost.parse_type(text, &[])?;
    let table = outermost.table();
    cx.state.given().types.borrow_mut().extend(table.functions_in(vec![ty], iter::empty()));
    Ok(table.resolve(ty))
}

/// `ffi.typeof(ct, ...)`
pub(in crate::lua) fn type_of(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = match (cx.bytes(1), cdata::at(cx, 1)) {
        (Some(text), _) if cx.top() > 1 => {
            let params = params(cx, text, 2)?;
            parse(cx, text, &params)?
        }
        _ if cx.top() > 1 => {
            return Err(LuaError::Argument(1, "wrong number of type parameters".into()));
        }
        (None, Some(cd)) if cd.is_reference() => {
            cx.state.types.borrow_mut().table_mut().intern(Type::Reference(cd.ty)).into()
        }
        _ => argument(cx, 1)?,
    };
    push(cx, ty);
    Ok(Outcome::results(1))
}

/// The type of a cdata as LuaJIT prints it: with `&` for a reference.
pub(in crate::lua) fn repr(cx: &Cx<'_>, cd: &CData) -> String {
    if cd.is_reference() {
        let reference = cx.state.types.borrow_mut().table_mut().intern(Type::Reference(cd.ty));
        cx.state.repr(reference)
    } else {
        cx.state.repr(cd.ty)
    }
}

/// `ct(...)`: the metatype's `__new`, or `ffi.new`.
pub(in crate::lua) fn construct(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if metatype::push_metamethod(cx, 1, b"__new") {
        cx.insert(1);
        return Ok(Outcome::tail_call(cx.top() - 1));
    }
    make::new(cx)
}

/// `ct.name`: a constant declared in the struct or union, or what the metatype has.
fn member(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let ty = self_type(cx)?;
    let target = match cx.state.kind(ty) {
        Kind::Pointer(to) => to,
        _ => ty,
    };
    if let (Kind::Record(record), Some(name)) = (cx.state.kind(target), cx.bytes(2))
        && let Some((ty, value)) = index::constant(cx, record, name)
    {
        constant::push(cx, ty, value)?;
        return Ok(Outcome::results(1));
    }
    metatype::index(cx, target)
}

fn to_string(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    let text = format!("ctype<{}>", cx.state.repr(self_type(cx)?));
    cx.push_bytes(text.as_bytes());
    Ok(Outcome::results(1))
}

fn self_type(cx: &Cx<'_>) -> Result<QualType, LuaError> {
    at(cx, 1).ok_or_else(|| {
        LuaError::Argument(1, format!("ctype expected, got {}", to_c::describe(cx, 1)))
    })
}
