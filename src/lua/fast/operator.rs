//! Operators of metatypes without Lua's C API: for types whose metatype had the operator when the general code of
//! [`crate::lua::object::arith`] looked for it.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::pointer;
use crate::lua::object::arith;
use crate::lua::object::metatype;
use crate::lua::state::head;
use crate::lua::state::learnt::Learnt;
use crate::lua::state::{Cx, LuaError, Outcome, entry};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::operator::Operator;
use crate::lua::vm::api::{self, Results, lua_CFunction, lua_State};
use crate::lua::vm::memory;

/// The general operator, and what is remembered of its operands.
fn learning(cx: &Cx<'_>, operator: Operator) -> Result<Outcome, LuaError> {
    let outcome = arith::operate(cx, operator)?;
    for fact in cx.learnt() {
        match fact {
            // The metamethod is below its operands.
            Learnt::Operator(index) => learn(cx, index + 1),
            Learnt::Step { index, size, pointers } => pointer::learn(cx, index, size, pointers),
            _ => {}
        }
    }
    Ok(outcome)
}

/// Remembers that the value at a stack index has an operator from its metatype. Pointers have some of their own.
fn learn(cx: &Cx<'_>, index: c_int) {
    let Some(cd) = cdata::at(cx, index) else { return };
    let pointer = matches!(cx.state.kind(cd.ty), Kind::Pointer(_));
    if pointer || !metatype::push_metatype(cx, cd.ty) {
        return;
    }
    let metatype = cx.identity(-1);
    cx.get_metatable(index);
    let metatable = cx.identity(-1);
    cx.pop(2);
    cx.state.head().overloads.set(metatable, 0, metatype);
}

/// Functions of closures whose upvalue 2 is the name of the event.
macro_rules! operators {
    ($($operator:ident),*) => {
        [$((Operator::$operator, {
            /// # Safety
            /// - *Fast function* (see `fast`).
            unsafe extern "C-unwind" fn operate(lua: *mut lua_State) -> Results {
                const GENERAL: lua_CFunction =
                    entry(|cx: &Cx<'_>| learning(cx, Operator::$operator));
                // SAFETY: Lua calls this as a closure that `Cx::push_function` made.
                unsafe { if push_operator(lua) { api::tail_call(lua, 2) } else { GENERAL(lua) } }
            }
            operate as lua_CFunction
        })),*]
    };
}

/// The operators of every version that has a layout.
pub(in crate::lua) const OPERATORS: [(Operator, lua_CFunction); 19] = operators!(
    Add, Sub, Mul, Div, Mod, Pow, Unm, Eq, Lt, Le, Concat, Len, IDiv, And, Or, Xor, Shl, Shr, Not
);

/// The function of an operator.
pub(in crate::lua) const fn function(operator: Operator) -> lua_CFunction {
    let mut i = 0;
    while OPERATORS[i].0 as u8 != operator as u8 {
        i += 1;
    }
    OPERATORS[i].1
}

/// Pushes what the metatype of the first operand that is a userdata has for the closure's event, as it is now, and the operands;
/// false, and nothing, where that is not known.
///
/// # Safety
/// - *Fast function* (see `fast`), of a closure of one of `operators!`.
unsafe fn push_operator(lua: *mut lua_State) -> bool {
    // SAFETY: *Fast function*, kept by the caller; the state keeps the metatype. Nothing here moves the stack.
    unsafe {
        let (call, head) = head::running(lua);
        if !call.has(2) {
            return false;
        }
        let (a, b) = (call.argument(1), call.argument(2));
        let subject = if a.userdata().is_some() { a } else { b };
        let metatype = subject.userdata().and_then(|it| head.overloads.get(it.metatable(), 0));
        let (Some(metatype), Some(event)) = (metatype, call.event()) else { return false };
        memory::push(lua).set_table(metatype);
        memory::push(lua).set_short_string(event);
        sys::lua_rawget(lua, -2);
        if memory::top(lua).is_nil() {
            sys::lua_settop(lua, 2);
            return false;
        }
        memory::push(lua).restore(a.kept());
        memory::push(lua).restore(b.kept());
    }
    true
}
