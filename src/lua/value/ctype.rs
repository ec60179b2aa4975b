//! ctype objects as values: the type that one stands for.

use std::ffi::c_int;

use mlua::ffi as sys;

use crate::ctype::QualType;
use crate::lua::state::{Cx, State};
use crate::lua::types::kind::TypeInfo;
use crate::lua::vm::api::LuaType;
use crate::lua::vm::memory::{self, Slot};

/// The type that a ctype object stands for, which is its block; or that a text names.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(in crate::lua) struct Named {
    /// The bits of the type.
    ty: u32,
    /// Where a cdata has its flags, which are read before its metatable says that it is one.
    flags: u32,
    info: *const TypeInfo,
}

impl Named {
    pub(in crate::lua) fn new(state: &State, ty: QualType) -> Named {
        Named { ty: ty.to_bits(), flags: 0, info: state.info(ty.id()) }
    }

    /// The type.
    #[inline(always)]
    pub(in crate::lua) fn ty(self) -> QualType {
        QualType::from_bits(self.ty)
    }

    /// The facts about the type.
    ///
    /// # Safety
    /// - *Open* (see `state`).
    #[inline(always)]
    pub(in crate::lua) unsafe fn info<'s>(self) -> &'s TypeInfo {
        // SAFETY: *Boxed* (see `state`).
        unsafe { &*self.info }
    }
}

/// The ctype object in a slot, if it is one.
#[inline(always)]
pub(in crate::lua) fn at_slot(state: &State, slot: Slot) -> Option<Named> {
    let userdata = slot.userdata()?;
    let is_ctype = userdata.metatable() == state.ctype_metatable.get();
    // SAFETY: only ctype objects have this metatable.
    is_ctype.then(|| unsafe { userdata.block::<Named>().read() })
}

/// The type that the ctype object at a stack index stands for.
pub(in crate::lua) fn at(cx: &Cx<'_>, index: c_int) -> Option<QualType> {
    if cx.state.ways.stack && index > sys::LUA_REGISTRYINDEX {
        // SAFETY: *Layout* (`ways.stack`), and a C function is running.
        return at_slot(cx.state, unsafe { memory::slot(cx.lua, index)? }).map(Named::ty);
    }
    if cx.type_of(index) != LuaType::Userdata || !cx.get_metatable(index) {
        return None;
    }
    let metatable = cx.identity(-1);
    cx.pop(1);
    let block = cx.userdata(index).cast::<u32>();
    // SAFETY: only ctype objects have this metatable; they begin with the bits of their type.
    (metatable == cx.state.ctype_metatable.get())
        .then(|| QualType::from_bits(unsafe { block.read() }))
}
