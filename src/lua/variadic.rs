//! Calls of variadic functions: the thunk depends on what comes for `...`.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::api::{self, LuaType, lua_CFunction, lua_State};
use super::call::{self, Function};
use super::cdata;
use super::convert;
use super::kind::Kind;
use super::state::{Cx, LuaError, guard};
use crate::ctype::{FloatKind, IntKind, QualType, TypeId};

/// What a variable argument is to the call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Int,
    Unsigned,
    Int64,
    Unsigned64,
    Double,
    Pointer,
    /// A cdata of this type, as it is.
    Value(QualType),
}

impl Variable {
    /// The promoted type of a value for `...` (C11 6.5.2.2p6; LuaJIT's "Conversions for vararg C function arguments", but
    /// for Lua integers, which stay integers).
    pub(super) fn of(cx: &Cx<'_>, index: c_int) -> Result<Variable, LuaError> {
        let variable = match cx.type_of(index) {
            LuaType::Number => match cx.number(index) {
                Some(api::Number::Integer(_)) => Some(Variable::Int64),
                _ => Some(Variable::Double),
            },
            LuaType::Boolean => Some(Variable::Int),
            LuaType::Nil | LuaType::String | LuaType::LightUserdata => Some(Variable::Pointer),
            LuaType::Function => call::record_at(cx, index).map(|_| Variable::Pointer),
            LuaType::Userdata if cx.c_file(index).is_some() => Some(Variable::Pointer),
            LuaType::Userdata => cdata::at(cx, index).map(|cd| Variable::of_cdata(cx, cd.ty)),
            _ => None,
        };
        variable.ok_or_else(|| {
            let what = convert::describe(cx, index);
            LuaError::new(format!("cannot convert '{what}' to a variable argument ('...')"))
        })
    }

    fn of_cdata(cx: &Cx<'_>, ty: QualType) -> Variable {
        match cx.state.value_kind(ty) {
            Kind::Bool => Variable::Int,
            Kind::Int(kind) => match (kind.size(), kind.is_signed(cx.state.char_signed)) {
                (4, false) => Variable::Unsigned,
                (8, true) => Variable::Int64,
                (8, false) => Variable::Unsigned64,
                (16, _) => Variable::Value(ty),
                _ => Variable::Int,
            },
            Kind::Float(FloatKind::F32 | FloatKind::F64) => Variable::Double,
            Kind::Pointer(_) | Kind::Reference(_) | Kind::Array(..) | Kind::Function => {
                Variable::Pointer
            }
            _ => Variable::Value(ty),
        }
    }

    /// As a C type.
    pub(super) fn ty(self, cx: &Cx<'_>) -> QualType {
        let id = match self {
            Variable::Value(ty) => return ty,
            Variable::Int => TypeId::INT,
            Variable::Unsigned => TypeId::int(IntKind::U32),
            Variable::Int64 => TypeId::int(IntKind::I64),
            Variable::Unsigned64 => TypeId::int(IntKind::U64),
            Variable::Double => TypeId::DOUBLE,
            Variable::Pointer => cx.state.known.const_void_ptr,
        };
        id.into()
    }

    /// Four bits of the key of a thunk; none where there are too many types.
    fn key(self) -> Option<u64> {
        Some(match self {
            Variable::Int => 1,
            Variable::Unsigned => 2,
            Variable::Int64 => 3,
            Variable::Unsigned64 => 4,
            Variable::Double => 5,
            Variable::Pointer => 6,
            Variable::Value(_) => return None,
        })
    }
}

/// The Lua C function of every variadic C function: finds the thunk for the types of the arguments and goes on as it.
pub(super) unsafe extern "C-unwind" fn call(lua: *mut lua_State) -> c_int {
    let mut thunk = None;
    // SAFETY: Lua calls this with a live state; upvalue 1 is the record that `push_function` made.
    let results = unsafe {
        guard(lua, |cx| {
            let record = &*cx.userdata(sys::lua_upvalueindex(1)).cast::<Function>();
            thunk = Some(find_thunk(cx, record)?);
            Ok(0)
        })
    };
    match thunk {
        // SAFETY: the thunk runs as this closure, on the same stack; nothing with a destructor is alive.
        Some(thunk) => unsafe { thunk(lua) },
        None => results,
    }
}

fn find_thunk(cx: &Cx<'_>, record: &Function) -> Result<lua_CFunction, LuaError> {
    let (fixed, given) = (record.fixed as c_int, cx.top());
    if given < fixed {
        return Err(call::missing(cx, record, given + 1));
    }
    let mut variable = Vec::with_capacity((given - fixed) as usize);
    let mut key = Some(1);
    for index in fixed + 1..=given {
        let next = Variable::of(cx, index).map_err(|e| call::at_argument(record, index, e))?;
        variable.push(next.ty(cx));
        key = key
            .zip(next.key())
            .filter(|(key, _)| key >> 60 == 0)
            .map(|(key, next)| key << 4 | next);
    }
    if let (Some(key), (last, Some(thunk))) = (key, record.last.get())
        && last == key
    {
        return Ok(thunk);
    }
    let (signature, convention, conversions) = call::shape(cx, record.ty, &variable)?;
    let thunk = call::thunk(&signature, convention, &conversions, false)?;
    if let Some(key) = key {
        record.last.set((key, Some(thunk)));
    }
    Ok(thunk)
}
