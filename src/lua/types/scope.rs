//! `ffi.scope`: an `ffi` table with its own declarations.
//!
//! A scope is an object that each function and namespace of its table has as an upvalue; those of the first table have none. It holds the number of
//! its names in [`crate::ctype::Declarations`], and keeps the outer scope alive. Types and metatypes belong to all scopes. When nothing of a
//! table is in use any more, its names are forgotten.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem;

use crate::ctype::{Declarations, ScopeId};
use crate::lua::state::{Anchor, Cx, LuaError, Outcome, finalizer};
use crate::lua::vm::api::{self, LuaType};

/// The block of a scope's userdata.
struct Block {
    id: ScopeId,
    /// [`crate::lua::state::State::declared`] when the table of parsed type texts was made.
    declared: Cell<u32>,
}

/// Fields of the table that the userdata keeps alive.
mod field {
    /// The scope around it, or nil.
    pub(super) const PARENT: i64 = 1;
    /// Parsed type texts: text → the bits of the type.
    pub(super) const TEXTS: i64 = 2;
}

/// Where library functions have their scope.
pub(in crate::lua) fn of_function() -> c_int {
    Cx::upvalue(1)
}

/// The scope that the value at `index` is.
fn at<'a>(cx: &'a Cx<'_>, index: c_int) -> Option<&'a Block> {
    // SAFETY: upvalues for scopes hold nothing but userdata that `open` made.
    (cx.type_of(index) == LuaType::Userdata)
        .then(|| unsafe { &*cx.userdata(index).cast::<Block>() })
}

/// Whether the running library function belongs to no scope but the outermost.
pub(in crate::lua) fn is_outermost(cx: &Cx<'_>) -> bool {
    cx.type_of(of_function()) != LuaType::Userdata
}

/// Runs `f` on the declarations as the scope at `index` sees them. `f` calls nothing of Lua.
pub(in crate::lua) fn enter<T>(
    cx: &Cx<'_>,
    index: c_int,
    f: impl FnOnce(&mut Declarations) -> T,
) -> Result<T, LuaError> {
    let scope = at(cx, index).map_or(ScopeId::ROOT, |block| block.id);
    match cx.state.types.borrow_mut().enter(scope) {
        Some(declarations) => Ok(f(declarations)),
        None => Err(LuaError::new("this scope of the ffi library is closed")),
    }
}

/// Pushes the scope of the running library function, or nil.
pub(in crate::lua) fn push(cx: &Cx<'_>) {
    match cx.type_of(of_function()) {
        LuaType::Userdata => cx.push_value(of_function()),
        _ => cx.push_nil(),
    }
}

/// Pushes the table of the type texts that were parsed in the running library function's scope.
pub(in crate::lua) fn push_texts(cx: &Cx<'_>) {
    let Some(block) = at(cx, of_function()) else {
        return cx.push_anchor(Anchor::TypeTexts);
    };
    cx.push_value(of_function());
    // SAFETY: a scope's userdata has a value.
    unsafe { api::get_user_value(cx.lua, -1) };
    cx.remove(-2);
    if block.declared.get() == cx.state.declared.get() {
        cx.raw_get_integer(-1, field::TEXTS);
    } else {
        // A later declaration may have given the text another meaning.
        cx.new_table(0, 0);
        cx.push_value(-1);
        cx.raw_set_integer(-3, field::TEXTS);
        block.declared.set(cx.state.declared.get());
    }
    cx.remove(-2);
}

/// Pushes a new scope inside that of the running library function.
pub(in crate::lua) fn push_new(cx: &Cx<'_>) {
    let parent = at(cx, of_function()).map_or(ScopeId::ROOT, |block| block.id);
    // SAFETY: there are free stack slots; the block has room for a scope, and no finaliser yet.
    unsafe {
        let block = api::new_userdata(cx.lua, mem::size_of::<Block>(), 1).cast::<Block>();
        let declared = Cell::new(cx.state.declared.get());
        let id = cx.state.types.borrow_mut().add_scope(parent);
        block.write(Block { id, declared });
    }
    let scope = cx.top();
    cx.new_table(2, 0);
    push(cx);
    cx.raw_set_integer(-2, field::PARENT);
    cx.new_table(0, 0);
    cx.raw_set_integer(-2, field::TEXTS);
    // SAFETY: the userdata was made with one value.
    unsafe { api::set_user_value(cx.lua, scope) };
    cx.push_anchor(Anchor::Scopes);
    cx.set_metatable(scope);
}

/// Fills the metatable of scopes.
pub(in crate::lua) fn make_metatable(cx: &Cx<'_>) {
    cx.push_anchor(Anchor::Scopes);
    cx.push_function(finalizer(close), 0);
    cx.raw_set_name(-2, b"__gc");
    cx.push_bytes(b"ffi");
    cx.raw_set_name(-2, b"__metatable");
    cx.pop(1);
}

/// `__gc` of a scope.
fn close(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if let Some(block) = at(cx, 1) {
        cx.state.types.borrow_mut().drop_scope(block.id);
    }
    Ok(Outcome::results(0))
}
