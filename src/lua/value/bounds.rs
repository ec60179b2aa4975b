//! The valid indices of arrays and vectors. A loop like `for i in ipairs(array)` ends with an error, not with a crash.
//!
//! | indexed | valid elements |
//! |---|---|
//! | a value | those that it was made with |
//! | a reference that keeps a value alive | those of its type, and those behind them in that value, as in `char data[1]` |
//! | another reference | in a checked state those of its type; otherwise all, because nothing is known of its memory |
//! | a pointer | all |

use super::cdata::{self, CData, Flags, Header};
use super::extent;
use crate::ctype::{ArrayLen, QualType};
use crate::lua::state::head::Head;
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::vm::memory::Userdata;

/// # Errors
/// The cdata at 1, of a type whose elements have `size` bytes, has no element `i`.
pub(in crate::lua) fn permit(
    cx: &Cx<'_>,
    cd: &CData,
    ty: QualType,
    size: usize,
    i: isize,
) -> Result<(), LuaError> {
    let refuse = |count: &str| {
        let ty = cx.state.repr(ty);
        Err(LuaError::new(format!("index {i} is out of range of '{ty}'{count}")))
    };
    let has = |count: u64| u64::try_from(i).is_ok_and(|i| i < count);
    let count = match cx.state.kind(ty) {
        Kind::Vector(_, count) => Some(count.into()),
        Kind::Array(_, ArrayLen::Fixed(count)) => Some(count),
        Kind::Array(..) => None,
        _ => return Ok(()),
    };
    match (count, cd.variable_size()) {
        (Some(count), _) if has(count) => Ok(()),
        (None, Some(bytes)) => match bytes.checked_div(size) {
            Some(count) if !has(count as u64) => refuse(&format!(" with {count} elements")),
            _ => Ok(()),
        },
        (Some(_), _) if !cd.is_reference() => refuse(""),
        // Arrays of no elements are the flexible members of older C.
        (Some(1..), _) if cx.state.checked() => refuse(""),
        _ if cx.state.checked() || !cd.is_owned() => Ok(()),
        _ => extent::permit_owned(cx, cd, i, size),
    }
}

/// How fast code sees that there is an element.
pub(in crate::lua) trait Bounds {
    /// Whether there is certainly an element `i`, `offset` bytes behind the first.
    ///
    /// # Safety
    /// - The header is that of a live cdata.
    /// - `count` is the answer of [`count`] for its type.
    unsafe fn hold(header: *const Header, count: u64, i: i64, offset: isize) -> bool;
}

/// Of pointers, which have no bounds, and of types without elements.
pub(in crate::lua) struct Unbounded;
/// Of arrays with a number of elements.
pub(in crate::lua) struct Counted;
/// Of arrays whose type says no number, or none.
pub(in crate::lua) struct Sized;

impl Bounds for Unbounded {
    #[inline(always)]
    unsafe fn hold(_: *const Header, _: u64, _: i64, _: isize) -> bool {
        true
    }
}

impl Bounds for Counted {
    #[inline(always)]
    unsafe fn hold(_: *const Header, count: u64, i: i64, _: isize) -> bool {
        (i as u64) < count
    }
}

impl Bounds for Sized {
    #[inline(always)]
    unsafe fn hold(header: *const Header, _: u64, _: i64, offset: isize) -> bool {
        // SAFETY: `header` is that of a live cdata, as the caller promises; the flag says that a `u64` follows the header.
        unsafe {
            (*header).flags & Flags::VARIABLE != 0
                && (offset as u64) < header.add(1).cast::<u64>().read()
        }
    }
}

/// The number of elements that a type says: `None` where there are no bounds, 0 where the type says nothing.
pub(in crate::lua) fn count(cx: &Cx<'_>, ty: QualType) -> Option<u64> {
    match cx.state.kind(ty) {
        Kind::Array(_, ArrayLen::Fixed(count)) => Some(count),
        Kind::Array(..) => Some(0),
        _ => None,
    }
}

/// Whether a reference reaches `size` bytes at an address beyond its type's bounds: it keeps nothing alive, or a value that they
/// lie in. False also where that is not seen here.
///
/// # Safety
/// - The userdata is a live cdata of a state whose `ways.values` is set.
/// - `head` is the head of that state.
pub(in crate::lua) unsafe fn reaches(
    head: &Head,
    cdata: Userdata,
    address: *const u8,
    size: usize,
) -> bool {
    // SAFETY: the userdata is a live cdata of the state, as the caller promises; the flag says that there is a user value.
    unsafe {
        let flags = (*cdata.block::<Header>()).flags;
        if flags & Flags::REFERENCE == 0 {
            return false;
        }
        if flags & Flags::OWNED == 0 {
            return true;
        }
        let (Some(state), Some(owner)) = (head.state(), cdata.user_value()) else { return false };
        let Some(owner) = cdata::at_slot(state, owner) else { return false };
        if owner.is_pointer() || owner.is_reference() {
            return false;
        }
        let bytes = owner.variable_size().or_else(|| state.size(owner.ty)).unwrap_or(0);
        let start = (address as usize).wrapping_sub(owner.address as usize);
        start <= bytes && size <= bytes - start
    }
}
