//! Pointers without Lua's C API: `p + n`, `p - n`, differences and comparisons, for types that the general code of
//! [`crate::lua::object::arith`] has handled before.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::operator;
use crate::ctype::QualType;
use crate::lua::state::Cx;
use crate::lua::state::head;
use crate::lua::state::head::Head;
use crate::lua::state::recall::Stride;
use crate::lua::value::cdata::{self, Flags, Header};
use crate::lua::value::direct;
use crate::lua::value::operator::Operator;
use crate::lua::vm::api::{Results, lua_CFunction, lua_State};
use crate::lua::vm::memory::{Call, Slot};

/// The operators that have a body here.
pub(in crate::lua) const OPERATORS: [(Operator, lua_CFunction); 5] = [
    (Operator::Add, add),
    (Operator::Sub, sub),
    (Operator::Eq, equal),
    (Operator::Lt, less),
    (Operator::Le, less_or_equal),
];

/// A pointer or array that something is known about.
#[derive(Clone, Copy)]
struct Pointer {
    metatable: *const c_void,
    stride: Stride,
    /// The address that it is or has.
    address: *mut u8,
}

#[inline(always)]
fn find(head: &Head, slot: Slot) -> Option<Pointer> {
    let userdata = slot.userdata()?;
    let metatable = userdata.metatable();
    let stride = head.strides.get(metatable, 0)?;
    // SAFETY: the metatable says that the userdata is a cdata.
    let address = unsafe { (*userdata.block::<Header>()).address };
    Some(Pointer { metatable, stride, address })
}

/// Remembers the size of the elements of the pointer or array at a stack index; `pointers` is the type of pointers to them if
/// more of these may be made.
pub(super) fn learn(cx: &Cx<'_>, index: c_int, size: Option<usize>, pointers: Option<QualType>) {
    if cdata::at(cx, index).is_none() {
        return;
    }
    cx.get_metatable(index);
    let metatable = cx.identity(-1);
    cx.pop(1);
    let strides = &cx.state.head().strides;
    let known = strides.get(metatable, 0);
    if known.is_some_and(|known| pointers.is_none() || !known.pointers.is_null()) {
        return;
    }
    let size = size.unwrap_or(0) as isize;
    let ty = pointers.map_or(0, QualType::to_bits);
    let pointers = pointers.map_or(ptr::null(), |ty| cdata::metatable(cx, ty));
    strides.set(metatable, 0, Stride { size, ty, pointers });
}

/// Pushes the pointer so many elements after the one at 1; false where that is not done here.
///
/// # Safety
/// - *Fast function* (see `fast`).
/// - *Raise* (out of memory).
#[inline(always)]
unsafe fn push_offset(
    lua: *mut lua_State,
    call: Call,
    Pointer { stride, address, .. }: Pointer,
    n: i64,
) -> bool {
    if stride.pointers.is_null() || stride.size == 0 {
        return false;
    }
    let address = address.wrapping_offset((n as isize).wrapping_mul(stride.size));
    let header = Header { ty: stride.ty, flags: Flags::POINTER, address };
    // SAFETY: *Fast function* and *Raise*, kept by the caller.
    unsafe { direct::push_derived(lua, call, 1, stride.pointers, header) }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn add(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = operator::function(Operator::Add);
    // SAFETY: Lua calls this as a closure of `Cx::push_function`, as `overload` has them. A state that is closed knows no strides.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(2)
            && let Some(n) = call.argument(2).integer()
            && let Some(pointer) = find(head, call.argument(1))
            && push_offset(lua, call, pointer, n)
        {
            return Results::ONE;
        }
        SLOW(lua)
    }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn sub(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = operator::function(Operator::Sub);
    // SAFETY: *Fast function*.
    unsafe {
        let (call, head) = head::running(lua);
        if call.has(2)
            && let Some(pointer) = find(head, call.argument(1))
        {
            if let Some(n) = call.argument(2).integer() {
                if push_offset(lua, call, pointer, n.wrapping_neg()) {
                    return Results::ONE;
                }
            } else if let Pointer { metatable, stride: Stride { size: 1.., .. }, address } = pointer
                && let Some(other) = find(head, call.argument(2))
                && other.metatable == metatable
            {
                let bytes = (address as isize).wrapping_sub(other.address as isize);
                let distance = bytes / pointer.stride.size;
                call.argument(2).set_integer(distance as i64);
                return Results::ONE;
            }
        }
        SLOW(lua)
    }
}

/// Writes the answer to a comparison of two pointers with one metatable over the second; false where that is not done here.
///
/// # Safety
/// - *Fast function* (see `fast`).
#[inline(always)]
unsafe fn compare(lua: *mut lua_State, holds: impl Fn(*mut u8, *mut u8) -> bool) -> bool {
    // SAFETY: *Fast function*, kept by the caller.
    let (call, head) = unsafe { head::running(lua) };
    if call.has(2)
        && let Some(a) = find(head, call.argument(1))
        && let Some(b) = find(head, call.argument(2))
        && a.metatable == b.metatable
    {
        call.argument(2).set_boolean(holds(a.address, b.address));
        return true;
    }
    false
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn equal(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = operator::function(Operator::Eq);
    // SAFETY: *Fast function*.
    unsafe { if compare(lua, |p, q| p == q) { Results::ONE } else { SLOW(lua) } }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn less(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = operator::function(Operator::Lt);
    // SAFETY: *Fast function*.
    unsafe { if compare(lua, |p, q| p < q) { Results::ONE } else { SLOW(lua) } }
}

/// # Safety
/// - *Fast function* (see `fast`).
unsafe extern "C-unwind" fn less_or_equal(lua: *mut lua_State) -> Results {
    const SLOW: lua_CFunction = operator::function(Operator::Le);
    // SAFETY: *Fast function*.
    unsafe { if compare(lua, |p, q| p <= q) { Results::ONE } else { SLOW(lua) } }
}
