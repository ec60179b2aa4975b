//! Contracts: the promises of a function's declaration about its pointers, checked before each call of a checked state.
//!
//! | declaration | the call needs |
//! |---|---|
//! | `nonnull(i)` | a pointer that is not NULL |
//! | `access(mode, i, n)` | as many elements as argument *n* says, writable unless the mode is `read_only` |
//! | `access(mode, i)` | one element |
//! | `T buf[static n]` | *n* elements |
//! | `null_terminated_string_arg(i)` | a NUL before the end of the memory, as wide as the elements are |
//! | `T *restrict p` | memory that does not overlap that of another argument, if one of the two is written to and the sizes are known |
//! | `trusted(i)` | the host vouches: any pointer that is not dead or NULL; to an incomplete type, one that C gave out |
//! | `nullable(i)` | what the others say, or NULL |
//! | `trusted(0)` | nothing: the memory that the result leads to is known from then on |
//!
//! A pointer without any of these must not be dead. Without [`Permissions::UNCONTRACTED_POINTERS`] it is refused. A pointer to memory with pointers is refused,
//! too, unless it is trusted: a contract says nothing about those. A pointer to a function is a function of its type; it is NULL only where it is
//! `nullable`. The pointers in a struct that is passed by value are looked at one by one: `trusted` lets them pass as it lets an argument pass.
//!
//! Contracts belong to the address (CALL-1): a call is held to every declaration of the host for its address, whatever type the pointer has
//! now.

mod result;
mod terms;

use std::ffi::{c_int, c_void};

use super::function::{self, Function};
use super::recipe::Recipe;
use crate::abi;
use crate::ctype::{self, QualType, TypeId};
use crate::lua::sandbox::given::Held;
use crate::lua::state::{Cx, LuaError};
use crate::lua::types::kind::Kind;
use crate::lua::value::cdata;
use crate::lua::value::extent::{self, Access, Reach};
use crate::lua::vm::api::LuaType;
use crate::policy::{Permissions, Refusal};
pub(in crate::lua::call) use result::learn_result;
use terms::Terms;

/// Holds a call of `target` to what the host declares for that address; where it declares nothing, to the record's own type. The
/// arguments are on the Lua stack from 1 on, and what C will get of them is in the Frame. Their memory is *Anchored* until the running
/// function returns.
///
/// # Errors
/// The promise that the call breaks.
///
/// # Safety
/// - *Frame* (see `call`).
pub(in crate::lua) unsafe fn check(
    cx: &Cx<'_>,
    record: &Function,
    target: *const c_void,
    recipe: &Recipe,
    frame: *const u8,
) -> Result<(), LuaError> {
    cx.state.given().let_go();
    if cx.state.asks_for_contracts()
        && let Kind::Pointer(_) = cx.state.kind(record.result(cx))
    {
        cx.state.permit_handle()?;
    }
    let mut released = Vec::new();
    let mut n = 0;
    loop {
        let declared = cx.state.declared_function(record.ty, target, n);
        if declared.is_none() && n > 0 {
            released.into_iter().for_each(|address| cx.state.release_handle(address));
            return Ok(());
        }
        let ty = declared.unwrap_or(record.ty);
        let call = Call { cx, record, ty, recipe, frame };
        // SAFETY: *Frame*, kept by the caller.
        let used = unsafe {
            let used = call.check()?;
            released = call.released(released)?;
            used
        };
        // Arguments of one call may be a text and memory to write to; calls inside of it write to none of its texts.
        let texts = used.iter().filter(|used| used.text > 0);
        texts.for_each(|used| cx.state.given().hold(Held::Text, used.start, used.text));
        // SAFETY: *Frame*, kept by the caller.
        unsafe { call.hold_pointers() };
        n += 1;
    }
}

/// Memory that the function uses through an argument.
struct Used {
    index: usize,
    start: usize,
    bytes: usize,
    /// The bytes that are a text.
    text: usize,
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

/// A call that is about to be made.
struct Call<'c> {
    cx: &'c Cx<'c>,
    record: &'c Function,
    /// The function type to whose contracts it is held.
    ty: TypeId,
    recipe: &'c Recipe,
    frame: *const u8,
}

impl Call<'_> {
    /// Checks all arguments. Returns the memory that they give.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn check(&self) -> Result<Vec<Used>, LuaError> {
        let mut used: Vec<Used> = Vec::new();
        for index in 0..self.recipe.signature.arguments.len() {
            self.cx.ensure_stack(8);
            let at = |error| function::at_argument(self.record, index as c_int + 1, error);
            // SAFETY: *Frame*, kept by the caller.
            let Some(memory) = unsafe { self.argument(index) }.map_err(at)? else { continue };
            if let Some(other) = used.iter().find(|other| other.clashes_with(&memory)) {
                return Err(at(LuaError::new(format!(
                    "memory that overlaps that of argument #{}, and one of them is written to",
                    other.index + 1
                ))));
            }
            used.push(memory);
        }
        Ok(used)
    }

    /// The handles that the call releases, those of another declaration among them.
    ///
    /// # Errors
    /// CALL-7: one of them cannot be released, or not so often.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn released(&self, others: Vec<usize>) -> Result<Vec<usize>, LuaError> {
        let cx = self.cx;
        let mut found = Vec::new();
        for index in 0..self.recipe.signature.arguments.len() {
            let Some(ty) = self.record.parameter(cx, index) else { break };
            if !Terms::of(cx, self.ty, index as u32, ty).releases {
                continue;
            }
            // SAFETY: pointers are scalars.
            let address = unsafe { self.bits(index) as usize };
            if address == 0 || !cx.state.asks_for_contracts() {
                continue;
            }
            if cx.state.given().is_passed(address, extent::room_behind(cx, address)) {
                let ty = cx.state.repr(ty);
                let error = LuaError::new(format!("a '{ty}' that a call in progress uses"));
                return Err(function::at_argument(self.record, index as c_int + 1, error));
            }
            found.push(address);
            let times = found.iter().filter(|other| **other == address).count();
            cx.state
                .permit_release(ty, address, times)
                .map_err(|error| function::at_argument(self.record, index as c_int + 1, error))?;
        }
        Ok(if found.is_empty() { others } else { found })
    }

    /// Nothing that the arguments lead to is released while the call is in progress.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn hold_pointers(&self) {
        for index in 0..self.recipe.signature.arguments.len() {
            let kind = self.record.parameter(self.cx, index).map(|ty| self.cx.state.kind(ty));
            if let Some(Kind::Pointer(_) | Kind::Reference(_)) = kind {
                // SAFETY: pointers are scalars.
                let address = unsafe { self.bits(index) as usize };
                self.cx.state.given().hold(Held::Pointer, address, 0);
            }
        }
    }

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
        let asked = cx.state.asks_for_contracts();
        let Some(ty) = self.record.parameter(cx, index) else {
            // SAFETY: variable arguments that are pointers are scalars.
            return unsafe { self.variable(index) }.map(|()| None);
        };
        let terms = || Terms::of(cx, self.ty, index as u32, ty);
        let to = match cx.state.kind(ty) {
            Kind::Pointer(to) | Kind::Reference(to) if cx.state.kind(to) == Kind::Function => {
                // SAFETY: pointers are scalars.
                let address = unsafe { self.bits(index) as usize };
                return self.function(ty, &terms(), address).map(|()| None);
            }
            Kind::Pointer(to) | Kind::Reference(to) => to,
            Kind::Record(_) if asked => {
                // SAFETY: *Frame*, kept by the caller.
                return unsafe { self.by_value(index, ty, &terms()) }.map(|()| None);
            }
            _ => return Ok(None),
        };
        let terms = terms();
        if asked && terms.releases {
            // SAFETY: pointers are scalars.
            let address = unsafe { self.bits(index) as usize };
            return match address {
                0 if terms.takes_null(None) => Ok(None),
                0 => Err(null(cx, ty)),
                _ => self.given(n, ty, to, address).map(|()| None),
            };
        }
        if asked && !terms.trusted && (terms.pointers || !terms.are_sized()) {
            let what = if terms.pointers { "leads to pointers" } else { "has no contract" };
            return Err(untrusted(cx, ty, what));
        }
        // SAFETY: pointers are scalars; so is the argument that has a number of elements, as its type is checked.
        let (address, bytes) = unsafe { (self.bits(index) as usize, self.bytes(&terms, to)?) };
        if address == 0 {
            return match terms.takes_null(bytes) {
                true => Ok(None),
                false => Err(null(cx, ty)),
            };
        }
        let reach = extent::of_argument(cx, n, address);
        if terms.trusted && matches!(reach, Reach::Known(_)) {
            cx.state.given().all_exposed.set(true);
        }
        let access = match terms.access {
            Some((ctype::Access::WriteOnly | ctype::Access::ReadWrite, _)) => Access::Write,
            None if !to.is_const() => Access::Write,
            _ => Access::Read,
        };
        let text = match terms.terminated {
            true => {
                let unit = cx.state.size(to).unwrap_or(1);
                let room = reach.room(cx, ty, address, access)?;
                // SAFETY: the address is that of the argument, whose memory is anchored.
                let text = unsafe { text_bytes(address, room, unit)? };
                reach.permit(cx, ty, address, text, access)?;
                Some(text)
            }
            false => None,
        };
        let opaque = asked && cx.state.size(to).is_none() && cx.state.kind(to) != Kind::Void;
        match (bytes, reach) {
            (Some(bytes), _) => reach.permit(cx, ty, address, bytes, access),
            (None, Reach::Known(_)) if opaque => self.given(n, ty, to, address),
            (None, Reach::Foreign) => self.given(n, ty, to, address),
            (None, _) if asked => reach.room(cx, ty, address, access).map(drop),
            (None, _) => reach.room(cx, ty, address, Access::Read).map(drop),
        }?;
        Ok(bytes.max(text).map(|bytes| Used {
            index,
            start: address,
            bytes,
            text: text.unwrap_or(0),
            written: access == Access::Write,
            restricted: terms.restricted,
        }))
    }

    /// Checks a pointer to a function: CALL-4.
    fn function(&self, ty: QualType, terms: &Terms, address: usize) -> Result<(), LuaError> {
        let refused = terms.nonnull || self.cx.state.asks_for_contracts() && !terms.nullable;
        match self.cx.state.kind(ty) {
            _ if address == 0 && refused => Err(null(self.cx, ty)),
            Kind::Pointer(to) | Kind::Reference(to) => {
                self.cx.state.pass_function(self.cx.state.resolve(to).id(), address)
            }
            _ => Ok(()),
        }
    }

    /// Checks the pointers in a struct or union that is passed by value.
    ///
    /// # Safety
    /// - *Frame* (see `call`).
    unsafe fn by_value(&self, index: usize, ty: QualType, terms: &Terms) -> Result<(), LuaError> {
        let cx = self.cx;
        if !terms.pointers {
            return Ok(());
        }
        if !terms.trusted {
            return Err(untrusted(cx, ty, "holds pointers"));
        }
        let Some(pointers) = cx.state.types.borrow().table().pointers_in(ty) else {
            return Err(untrusted(cx, ty, "holds pointers in a union, or too many"));
        };
        let at = self.recipe.plan.frame.arguments[index] as usize;
        for (offset, ty) in pointers {
            // SAFETY: the struct is in the Frame as a whole.
            let value = unsafe { cx.state.load_pointer(self.frame.add(at + offset as usize)) };
            self.member(ty, terms, value as usize)?;
        }
        Ok(())
    }

    /// Checks a pointer of type `ty` in a struct that is passed by value.
    fn member(&self, ty: QualType, terms: &Terms, address: usize) -> Result<(), LuaError> {
        let cx = self.cx;
        cx.ensure_stack(8);
        let (Kind::Pointer(to) | Kind::Reference(to)) = cx.state.kind(ty) else { return Ok(()) };
        if cx.state.kind(to) == Kind::Function {
            let function = cx.state.resolve(to).id();
            cx.state.permit_function(function, address as *const c_void)?;
            return self.function(ty, terms, address);
        }
        match extent::of_address(cx, address) {
            _ if address == 0 && terms.nullable => Ok(()),
            _ if address == 0 => Err(null(cx, ty)),
            Reach::Foreign if cx.state.is_handle(to, address) => {
                cx.state.given().hold(Held::Pointer, address, 0);
                Ok(())
            }
            Reach::Foreign => Err(cx.state.not_given(ty)),
            Reach::Known(_) if cx.state.size(to).is_none() && cx.state.kind(to) != Kind::Void => {
                Err(cx.state.not_given(ty))
            }
            reach => {
                cx.state.given().all_exposed.set(true);
                let size = cx.state.size(to).unwrap_or(0);
                reach.permit(cx, ty, address, size, Access::Read)
            }
        }
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
        if !cx.state.asks_for_contracts() || ours && cx.state.is_handle(to, address) {
            return Ok(());
        }
        Err(cx.state.not_given(ty))
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

/// The bytes of a text of elements of `unit` bytes, and its NUL.
///
/// # Safety
/// - `room` bytes are readable at the address.
unsafe fn text_bytes(address: usize, room: usize, unit: usize) -> Result<usize, LuaError> {
    // SAFETY: the address has `room` bytes, as the caller promises.
    let text = unsafe { std::slice::from_raw_parts(address as *const u8, room) };
    let mut elements = text.chunks_exact(unit.max(1));
    let end = elements.position(|element| element.iter().all(|byte| *byte == 0));
    end.map(|end| (end + 1) * unit)
        .ok_or_else(|| LuaError::new(format!("no NUL within {room} bytes")))
}

fn null(cx: &Cx<'_>, ty: QualType) -> LuaError {
    LuaError::new(format!("NULL for '{}'", cx.state.repr(ty)))
}

fn untrusted(cx: &Cx<'_>, ty: QualType, what: &str) -> LuaError {
    let refusal = Refusal::Permission(Permissions::UNCONTRACTED_POINTERS);
    LuaError::new(format!("{refusal}: '{}' {what}", cx.state.repr(ty)))
}
