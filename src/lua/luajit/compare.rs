//! The functions that rewritten operators call: `==`, `~=` and `%` with LuaJIT's results; the order of cdata.

use std::ffi::c_int;

use mlua::ffi as sys;

use super::concat::push_metafield;
use super::numbers;
use super::values::is_cdata_at;
use crate::lua::object::arith;
use crate::lua::state::{Cx, LuaError, Outcome, guard_in};
use crate::lua::value::cdata;
use crate::lua::value::operator::Operator;
use crate::lua::vm::api::{self, LuaType, Number, Results, lua_CFunction, lua_State};

/// `a == b`
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
pub(super) unsafe extern "C-unwind" fn equal(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*.
    unsafe { compare::<true>(lua) }
}

/// `a ~= b`
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
pub(super) unsafe extern "C-unwind" fn not_equal(lua: *mut lua_State) -> Results {
    // SAFETY: *C function*.
    unsafe { compare::<false>(lua) }
}

/// Compares the first two arguments; what is missing is nil, what is more does not count.
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
/// - *Raise*.
unsafe fn compare<const ANSWER: bool>(lua: *mut lua_State) -> Results {
    // SAFETY: *Upvalue 1*, kept by the caller. No value with a destructor is alive where Lua functions are called.
    unsafe {
        sys::lua_settop(lua, 2);
        let same = sys::lua_rawequal(lua, 1, 2) != 0;
        let (a, b) = (sys::lua_type(lua, 1), sys::lua_type(lua, 2));
        // A cdata has its own idea of itself: a NaN is not equal to itself, and a metatype may have an `__eq`.
        let same = same && a != sys::LUA_TUSERDATA;
        let object = |ty| ty == sys::LUA_TUSERDATA || ty == sys::LUA_TFUNCTION;
        let asks = a == sys::LUA_TUSERDATA
            || b == sys::LUA_TUSERDATA
            || (a == b && (a == sys::LUA_TTABLE || object(a)));
        if same || !asks {
            sys::lua_pushboolean(lua, c_int::from(same == ANSWER));
            return Results::ONE;
        }
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        let mut call = None;
        guard_in(lua, head.cast(), |cx| {
            call = equal_objects(cx)?;
            Ok(1)
        });
        match call {
            Some(arguments) => api::call_then(lua, arguments, |lua| answer::<ANSWER>(lua)),
            None => answer::<ANSWER>(lua),
        }
    }
}

/// Turns the truth on top of the stack into the answer.
///
/// # Safety
/// - *Live*, with a value on top of the stack.
unsafe fn answer<const ANSWER: bool>(lua: *mut lua_State) -> Results {
    // SAFETY: a value is on top of the stack.
    unsafe {
        let equal = sys::lua_toboolean(lua, -1) != 0;
        sys::lua_pushboolean(lua, c_int::from(equal == ANSWER));
    }
    Results::ONE
}

/// Pushes whether two objects are equal, or a metamethod with so many arguments.
fn equal_objects(cx: &Cx<'_>) -> Result<Option<c_int>, LuaError> {
    let same = cx.identity(1) == cx.identity(2);
    if same && cdata::at(cx, 1).is_none() {
        cx.push_bool(true);
        return Ok(None);
    }
    if is_cdata_at(cx, 1) || is_cdata_at(cx, 2) {
        return Ok(arith::operate(cx, Operator::Eq)?.arguments());
    }
    // As in Lua 5.1: both must have the same metamethod.
    if push_common_metafield(cx, b"__eq") {
        return Ok(Some(2));
    }
    cx.push_bool(false);
    Ok(None)
}

/// `less(a, b)`, where one is a cdata; the `__lt` of functions.
pub(super) fn less(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    order(cx, Operator::Lt)
}

/// `at_most(a, b)`, where one is a cdata; the `__le` of functions.
pub(super) fn at_most(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    order(cx, Operator::Le)
}

fn order(cx: &Cx<'_>, operator: Operator) -> Result<Outcome, LuaError> {
    if is_cdata_at(cx, 1) || is_cdata_at(cx, 2) {
        return arith::operate(cx, operator);
    }
    Err(not_ordered(cx))
}

/// `a < b`, `a <= b`, `a > b` and `a >= b`, for versions whose operators do not ask metamethods of operands of two types.
pub(super) const ORDER: [lua_CFunction; 4] = [
    ordered::<false, false>,
    ordered::<true, false>,
    ordered::<false, true>,
    ordered::<true, true>,
];

/// `a < b`; with `OR_EQUAL` `a <= b`; with `SWAPPED` of the operands in the other order.
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
unsafe extern "C-unwind" fn ordered<const OR_EQUAL: bool, const SWAPPED: bool>(
    lua: *mut lua_State,
) -> Results {
    // SAFETY: *Upvalue 1*; nothing with a destructor is alive.
    unsafe {
        sys::lua_settop(lua, 2);
        if SWAPPED {
            sys::lua_insert(lua, 1);
        }
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        let mut step = Order::Known;
        guard_in(lua, head.cast(), |cx| {
            step = push_order(cx, OR_EQUAL)?;
            Ok(1)
        });
        match step {
            Order::Known => Results::ONE,
            Order::Call => api::call_then(lua, 2, |lua| answer::<true>(lua)),
            Order::CallOfReverse => api::call_then(lua, 2, |lua| answer::<false>(lua)),
        }
    }
}

/// How an order is found out.
enum Order {
    /// It is on top of the stack.
    Known,
    /// A metamethod with two arguments is there, which tells it.
    Call,
    /// One that tells the opposite.
    CallOfReverse,
}

fn push_order(cx: &Cx<'_>, or_equal: bool) -> Result<Order, LuaError> {
    if is_cdata_at(cx, 1) || is_cdata_at(cx, 2) {
        let outcome = arith::operate(cx, if or_equal { Operator::Le } else { Operator::Lt })?;
        return Ok(if outcome.arguments().is_some() { Order::Call } else { Order::Known });
    }
    let known = match ((cx.number(1), cx.number(2)), (cx.bytes(1), cx.bytes(2))) {
        ((Some(a), Some(b)), _) => {
            let (a, b) = (a.as_double(), b.as_double());
            Some(if or_equal { a <= b } else { a < b })
        }
        (_, (Some(a), Some(b))) => Some(if or_equal { a <= b } else { a < b }),
        _ => None,
    };
    if let Some(known) = known {
        cx.push_bool(known);
        return Ok(Order::Known);
    }
    if or_equal && push_common_metafield(cx, b"__le") {
        return Ok(Order::Call);
    }
    if push_common_metafield(cx, b"__lt") {
        if !or_equal {
            return Ok(Order::Call);
        }
        // `a <= b` is `not (b < a)`: the function, b, a.
        cx.push_value(2);
        cx.remove(2);
        return Ok(Order::CallOfReverse);
    }
    Err(not_ordered(cx))
}

/// Puts the metamethod that both operands have, if it is one and the same, below them.
fn push_common_metafield(cx: &Cx<'_>, name: &[u8]) -> bool {
    if cx.type_of(1) == cx.type_of(2) && push_metafield(cx, 1, name) {
        if push_metafield(cx, 2, name) && cx.raw_equal(-1, -2) != 0 {
            cx.pop(1);
            cx.insert(1);
            return true;
        }
        cx.set_top(2);
    }
    false
}

fn not_ordered(cx: &Cx<'_>) -> LuaError {
    let (a, b) = (cx.type_name(1), cx.type_name(2));
    LuaError::new(match a == b {
        true => format!("attempt to compare two {a} values"),
        false => format!("attempt to compare {a} with {b}"),
    })
}

/// `a % b`
///
/// # Safety
/// - *Upvalue 1* (see `luajit`).
pub(super) unsafe extern "C-unwind" fn modulo(lua: *mut lua_State) -> Results {
    // SAFETY: *Upvalue 1*; nothing with a destructor is alive.
    unsafe {
        sys::lua_settop(lua, 2);
        let number = |i| sys::lua_type(lua, i) == sys::LUA_TNUMBER;
        if number(1) && number(2) {
            push_modulo(lua);
            return Results::ONE;
        }
        let head = sys::lua_touserdata(lua, sys::lua_upvalueindex(1));
        let mut outcome = None;
        guard_in(lua, head.cast(), |cx| {
            outcome = modulo_of_objects(cx)?.arguments();
            Ok(1)
        });
        match outcome {
            Some(arguments) => api::call_then(lua, arguments, |_| Results::ONE),
            None => Results::ONE,
        }
    }
}

/// Pushes the remainder of the two numbers at 1 and 2.
///
/// # Safety
/// - *Room*.
/// - Numbers are at 1 and 2.
unsafe fn push_modulo(lua: *mut lua_State) {
    // SAFETY: numbers are at 1 and 2, as the caller promises.
    let result = unsafe {
        match (api::to_number(lua, 1), api::to_number(lua, 2)) {
            (Number::Integer(a), Number::Integer(b)) => {
                numbers::integer_modulo(a, b).ok_or(f64::NAN)
            }
            (a, b) => Err(numbers::modulo(a.as_double(), b.as_double())),
        }
    };
    // SAFETY: there are free stack slots.
    unsafe {
        match result {
            Ok(n) => sys::lua_pushinteger(lua, n as _),
            Err(n) => sys::lua_pushnumber(lua, n),
        }
    }
}

/// The remainder where an operand is no number.
fn modulo_of_objects(cx: &Cx<'_>) -> Result<Outcome, LuaError> {
    if is_cdata_at(cx, 1) || is_cdata_at(cx, 2) {
        return arith::operate(cx, Operator::Mod);
    }
    let numeric = |i| numbers::is_numeric(cx, i);
    // A string that spells a number asks nobody, not even the metatable of strings.
    if numeric(1) && numeric(2) {
        let (a, b) = (numbers::argument(cx, 1)?, numbers::argument(cx, 2)?);
        cx.push_number(numbers::modulo(a, b));
        return Ok(Outcome::results(1));
    }
    for index in [1, 2] {
        if own_metafield(cx, index, b"__mod") {
            cx.insert(1);
            return Ok(Outcome::tail_call(2));
        }
    }
    let wrong = cx.type_name(if numeric(1) { 2 } else { 1 });
    Err(LuaError::new(format!("attempt to perform arithmetic on a {wrong} value")))
}

/// [`push_metafield`], but not what Lua 5.4 and later give all strings for their arithmetic.
fn own_metafield(cx: &Cx<'_>, index: c_int, name: &[u8]) -> bool {
    if !push_metafield(cx, index, name) {
        return false;
    }
    // SAFETY: a value is on top of the stack.
    let lua_own = cx.type_of(index) == LuaType::String
        && unsafe { sys::lua_tocfunction(cx.lua, -1) }.is_some();
    if lua_own {
        cx.pop(1);
    }
    !lua_own
}
