//! Contracts: the promises of a function's declaration about its pointers, checked before each call of a checked state.
//!
//! | declaration | the call needs |
//! |---|---|
//! | `nonnull(i)` | a pointer that is not NULL |
//! | `access(mode, i, n)` | as many elements as argument *n* says, writable unless the mode is `read_only` |
//! | `access(mode, i)` | one element |
//! | `T buf[static n]` | *n* elements |
//! | `null_terminated_string_arg(i)` | a NUL before the end of the memory |
//! | `T *restrict p` | memory that does not overlap that of another argument, if one of the two is written to and the sizes are known |
//! | `trusted(i)` | the host vouches: any pointer that is not dead; to an incomplete type, one that C gave out |
//! | `trusted(0)` | nothing: the memory that the result leads to is known from then on |
//!
//! A pointer without any of these must not be dead. Without [`Permissions::UNCONTRACTED_POINTERS`] it is refused. A pointer to memory with pointers is refused,
//! too, unless it is trusted: a contract says nothing about those.

use std::ffi::{CStr, c_int};

use super::function::{self, Function};
use super::recipe::Recipe;
use crate::abi;
use crate::ctype::{self, Contract, IntKind, QualType, Type};
use crate::lua::sandbox::region;
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self, Access, Reach};
use crate::lua::vm::api::LuaType;
use crate::policy::{Permissions, Refusal};

/// The contracts of one parameter.
#[derive(Clone, Copy, Default)]
struct Terms {
    nonnull: bool,
    access: Option<(ctype::Access, Option<u32>)>,
    at_least: Option<u64>,
    terminated: bool,
    trusted: bool,
    restricted: bool,
    /// It leads to pointers, or holds some.
    pointers: bool,
}

impl Terms {
    /// Those of the parameter at `index`, of type `ty`.
    fn of(cx: &Cx<'_>, record: &Function, index: u32, ty: QualType) -> Terms {
        let types = cx.state.types.borrow();
        let table = types.table();
        let mut terms = Terms::default();
        let target = match *table.shape(ty) {
            Type::Pointer(to) => to,
            _ => ty,
        };
        terms.pointers = table.holds_pointers(target);
        let Type::Function(function) = table.get(record.ty) else { return terms };
        for contract in &function.contracts {
            match *contract {
                Contract::NonNull { param } if param == index => terms.nonnull = true,
                Contract::Access { mode, param, size } if param == index => {
                    terms.access = Some((mode, size));
                }
                Contract::AtLeast { param, count } if param == index => {
                    terms.at_least = Some(count);
                }
                Contract::Terminated { param } if param == index => terms.terminated = true,
                Contract::Trusted { param } if param == index => terms.trusted = true,
                Contract::Restrict { param } if param == index => terms.restricted = true,
                _ => {}
            }
        }
        terms
    }

    /// Whether they say how much memory the function uses.
    fn are_sized(&self) -> bool {
        self.access.is_some() || self.at_least.is_some() || self.terminated
    }
}

/// Holds a call to its function's declaration: the arguments are on the Lua stack from 1 on, and what C will get of them is in
/// the Frame.
///
/// # Errors
/// What is not as it was promised.
///
/// # Safety
/// - *Frame* (see `call`).
pub(in crate::lua) unsafe fn check(
    cx: &Cx<'_>,
    record: &Function,
    recipe: &Recipe,
    frame: *const u8,
) -> Result<(), LuaError> {
    let call = Call { cx, record, recipe, frame };
    let mut used: Vec<Used> = Vec::new();
    for index in 0..recipe.signature.arguments.len() {
        let at = |error| function::at_argument(record, index as c_int + 1, error);
        // SAFETY: *Frame*, kept by the caller.
        let Some(memory) = unsafe { call.argument(index) }.map_err(at)? else { continue };
        if let Some(other) = used.iter().find(|other| other.clashes_with(&memory)) {
            return Err(at(LuaError::new(format!(
                "memory that overlaps that of argument #{}, and one of them is written to",
                other.index + 1
            ))));
        }
        used.push(memory);
    }
    Ok(())
}

/// Memory that the function uses through an argument.
struct Used {
    index: usize,
    start: usize,
    bytes: usize,
    written: bool,
    restricted: bool,
}

impl Used {
    fn clashes_with(&self, other: &Used) -> bool {
        (self.restricted || other.restricted)
            && (self.written || other.written)
            && self.start < other.start + other.bytes
            && other.start < self.start + self.bytes
    }
}

/// Makes the memory that a trusted result leads to known, unless it is. Returns whether what keeps it known was pushed.
///
/// # Safety
/// - `value` is the function's result, of type `ty`.
pub(super) unsafe fn trust_result(
    cx: &Cx<'_>,
    record: &Function,
    ty: QualType,
    value: *const u8,
) -> bool {
    let Kind::Pointer(to) = cx.state.kind(ty) else { return false };
    let is_trusted =
        |function: &ctype::Function| function.contracts.contains(&Contract::TrustedResult);
    let types = cx.state.types.borrow();
    if !cx.state.checked() || !types.table().function(record.ty).is_some_and(is_trusted) {
        return false;
    }
    drop(types);
    // SAFETY: `value` is a pointer, as the caller promises; for the text behind it the host answers.
    let (address, bytes) = unsafe {
        let address = cx.state.load_pointer(value);
        let bytes = match (address.is_null(), cx.state.kind(to)) {
            (true, _) => return false,
            (_, Kind::Int(IntKind::Char)) => {
                CStr::from_ptr(address.cast_const().cast()).count_bytes() + 1
            }
            _ => cx.state.size(to).unwrap_or(0),
        };
        (address as usize, bytes)
    };
    if region::resolve(cx, address) {
        let is_older = region::at(cx, -1).is_some();
        cx.pop(1);
        if !is_older {
            return false;
        }
    }
    region::push(cx, address, bytes, to.is_const(), 0);
    region::note(cx, address, bytes);
    true
}

/// A call that is about to be made.
struct Call<'c> {
    cx: &'c Cx<'c>,
    record: &'c Function,
    recipe: &'c Recipe,
    frame: *const u8,
}

impl Call<'_> {
    /// The bits that C will get of an integer or pointer.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    /// - The argument at `index` is a scalar of 8 bytes at most.
    unsafe fn bits(&self, index: usize) -> u64 {
        let size = self.recipe.signature.arguments[index].size.min(8) as usize;
        let at = self.recipe.plan.frame.arguments[index] as usize;
        let mut bits = [0; 8];
        // SAFETY: the plan has a slot of this size there.
        unsafe { self.frame.add(at).copy_to_nonoverlapping(bits.as_mut_ptr(), size) };
        u64::from_le_bytes(bits)
    }

    /// Checks an argument. Returns the memory that it gives, where the declaration says how much that is.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn argument(&self, index: usize) -> Result<Option<Used>, LuaError> {
        let (cx, n) = (self.cx, index as c_int + 1);
        let asked = asks_for_contracts(cx);
        let Some(ty) = self.record.parameter(cx, index) else {
            // SAFETY: variable arguments that are pointers are scalars.
            return unsafe { self.variable(index) }.map(|()| None);
        };
        let to = match cx.state.kind(ty) {
            Kind::Pointer(to) | Kind::Reference(to) if cx.state.kind(to) != Kind::Function => to,
            Kind::Record(_) if asked => {
                let terms = Terms::of(cx, self.record, index as u32, ty);
                return match terms.pointers && !terms.trusted {
                    true => Err(untrusted(cx, ty, "holds pointers")),
                    false => Ok(None),
                };
            }
            _ => return Ok(None),
        };
        let terms = Terms::of(cx, self.record, index as u32, ty);
        if asked && !terms.trusted && (terms.pointers || !terms.are_sized()) {
            let what = if terms.pointers { "leads to pointers" } else { "has no contract" };
            return Err(untrusted(cx, ty, what));
        }
        // SAFETY: pointers are scalars; so is the argument that has a number of elements, as its type is checked.
        let (address, bytes) = unsafe { (self.bits(index) as usize, self.bytes(&terms, to)?) };
        if address == 0 {
            return match terms.nonnull || terms.terminated || bytes.is_some_and(|bytes| bytes > 0) {
                true => Err(LuaError::new(format!("NULL for '{}'", cx.state.repr(ty)))),
                false => Ok(None),
            };
        }
        let reach = extent::of_argument(cx, n, address);
        let access = match terms.access {
            Some((ctype::Access::WriteOnly | ctype::Access::ReadWrite, _)) => Access::Write,
            None if !to.is_const() => Access::Write,
            _ => Access::Read,
        };
        let text = match terms.terminated {
            // SAFETY: the address is that of the argument.
            true => Some(unsafe { text_bytes(address, reach.room(cx, ty, address, access)?)? }),
            false => None,
        };
        let opaque = asked && cx.state.size(to).is_none() && cx.state.kind(to) != Kind::Void;
        match (bytes, reach) {
            (Some(bytes), _) => reach.permit(cx, ty, address, bytes, access),
            (None, Reach::Known(_)) if opaque => self.given(n, ty, to, address),
            (None, Reach::Foreign) => self.given(n, ty, to, address),
            (None, _) => reach.room(cx, ty, address, Access::Read).map(drop),
        }?;
        Ok(bytes.max(text).map(|bytes| Used {
            index,
            start: address,
            bytes,
            written: access == Access::Write,
            restricted: terms.restricted,
        }))
    }

    /// How many bytes the function uses, where the declaration says it.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn bytes(&self, terms: &Terms, to: QualType) -> Result<Option<usize>, LuaError> {
        let element = match self.cx.state.kind(to) {
            Kind::Void => 1,
            _ => self.cx.state.size(to).unwrap_or(0),
        };
        let elements = match terms.access {
            Some((ctype::Access::None, _)) => Some(0),
            Some((_, None)) => Some(1),
            // SAFETY: *Frame*, kept by the caller.
            Some((_, Some(size))) => Some(unsafe { self.count(size as usize)? }),
            None => None,
        };
        let most = elements.max(terms.at_least);
        let Some(most) = most else { return Ok(None) };
        let bytes = usize::try_from(most).ok().and_then(|most| most.checked_mul(element));
        bytes.map(Some).ok_or_else(|| LuaError::new(format!("{most} elements are too many")))
    }

    /// The number that an argument is.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn count(&self, index: usize) -> Result<u64, LuaError> {
        let ty = &self.recipe.signature.arguments[index];
        let abi::Kind::Int { signed } = ty.kind else {
            return Err(LuaError::new(format!("argument #{} is no number of elements", index + 1)));
        };
        // SAFETY: integers are scalars; those of 16 bytes are cut, and their upper half counts as too many below.
        let bits = unsafe { self.bits(index) };
        let unused = 64 - 8 * ty.size.min(8);
        match signed && (bits << unused) as i64 >> unused < 0 || ty.size > 8 {
            true => Err(LuaError::new(format!("argument #{} is negative or too large", index + 1))),
            false => Ok(bits),
        }
    }

    /// A foreign pointer, or one to an incomplete type, passes where it is what C gave out as a pointer to the same type; anywhere,
    /// where the policy does not ask for contracts.
    fn given(&self, n: c_int, ty: QualType, to: QualType, address: usize) -> Result<(), LuaError> {
        let cx = self.cx;
        let ours = cdata::at(cx, n).is_some_and(|cd| match cx.state.kind(cd.ty) {
            Kind::Pointer(from) => cx.state.resolve(from).id() == cx.state.resolve(to).id(),
            _ => false,
        });
        if !asks_for_contracts(cx) || ours && cx.state.is_handle(to, address) {
            return Ok(());
        }
        Err(LuaError::new(format!("a '{}' that C did not give out", cx.state.repr(ty))))
    }

    /// A variable argument must not lead to what is gone.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn variable(&self, index: usize) -> Result<(), LuaError> {
        let (cx, n) = (self.cx, index as c_int + 1);
        if self.recipe.signature.arguments[index].kind != abi::Kind::Pointer
            || cx.type_of(n) != LuaType::Userdata
        {
            return Ok(());
        }
        // SAFETY: pointers are scalars.
        let address = unsafe { self.bits(index) as usize };
        let ty = cx.state.known.const_void_ptr.into();
        match extent::of_argument(cx, n, address) {
            Reach::Foreign => Ok(()),
            reach if address != 0 => reach.room(cx, ty, address, Access::Read).map(drop),
            _ => Ok(()),
        }
    }
}

/// The bytes of a text and its NUL.
///
/// # Safety
/// - `room` bytes are readable at the address.
unsafe fn text_bytes(address: usize, room: usize) -> Result<usize, LuaError> {
    // SAFETY: the address has `room` bytes, as the caller promises.
    let text = unsafe { std::slice::from_raw_parts(address as *const u8, room) };
    let end = text.iter().position(|byte| *byte == 0);
    end.map(|end| end + 1).ok_or_else(|| LuaError::new(format!("no NUL within {room} bytes")))
}

fn asks_for_contracts(cx: &Cx<'_>) -> bool {
    !cx.state.permits(Permissions::UNCONTRACTED_POINTERS)
}

fn untrusted(cx: &Cx<'_>, ty: QualType, what: &str) -> LuaError {
    let refusal = Refusal::Permission(Permissions::UNCONTRACTED_POINTERS);
    LuaError::new(format!("{refusal}: '{}' {what}", cx.state.repr(ty)))
}
