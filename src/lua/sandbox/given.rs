//! The things that a confined script got from the host and from C, and that it gave to C: functions by their addresses, handles, the function
//! types of callbacks.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;

use rustc_hash::{FxHashMap, FxHashSet};

use super::handles::Handles;
use crate::ctype::{Contract, QualType, Type, TypeId};
use crate::lua::sandbox::{Sandbox, region};
use crate::lua::state::rooms::Part;
use crate::lua::state::{Cx, LuaError, State};
use crate::lua::types::kind::Kind;
use crate::policy::{Permissions, Refusal};

/// Functions and pointers that the host and its C functions have given scripts, and that scripts have given C.
#[derive(Default)]
pub(in crate::lua) struct Given {
    /// The functions that may be called, by address, with the types that the host declares for them; where others may not.
    pub(in crate::lua) functions: RefCell<FxHashMap<usize, Vec<TypeId>>>,
    /// The pointers that C functions returned, by address and what they point to, where accesses are checked.
    pub(super) handles: Handles,
    /// The function types that occur in the host's declarations.
    pub(in crate::lua) types: RefCell<FxHashSet<TypeId>>,
    /// The function types as which C got callbacks, by address.
    pub(in crate::lua) passed: RefCell<FxHashMap<usize, Vec<TypeId>>>,
    /// CODE-3: the callbacks that C got.
    exposed: RefCell<FxHashSet<usize>>,
    /// C got memory in which it may find others.
    pub(in crate::lua) all_exposed: Cell<bool>,
    /// How much is in the table of [`Anchor::Returned`](crate::lua::state::Anchor).
    pub(in crate::lua) returned: Cell<usize>,
    /// The function that the call in progress of a checked state has called.
    pub(in crate::lua) target: Cell<*const c_void>,
    /// The calls in progress, inside one another.
    pub(in crate::lua) calls: Cell<u32>,
    /// What calls in progress use of what they were given.
    uses: RefCell<Vec<Use>>,
}

/// What a call in progress uses of what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Held {
    /// It reads a text: nobody writes there (CALL-6).
    Text,
    /// It has the pointer: nobody releases what that leads to (CALL-7).
    Pointer,
}

/// Memory that a call in progress uses.
#[derive(Clone, Copy)]
struct Use {
    /// How many calls were in progress with that one.
    call: u32,
    held: Held,
    start: usize,
    bytes: usize,
}

impl Given {
    /// Lets the next call use `bytes` bytes from an address on.
    pub(in crate::lua) fn hold(&self, held: Held, start: usize, bytes: usize) {
        let call = self.calls.get() + 1;
        self.uses.borrow_mut().push(Use { call, held, start, bytes });
    }

    /// Lets the call in progress use what a callback returned to it.
    pub(in crate::lua) fn hold_result(&self, start: usize) {
        let call = self.calls.get();
        self.uses.borrow_mut().push(Use { call, held: Held::Pointer, start, bytes: 0 });
    }

    /// Forgets the uses of calls that have returned, or were never made.
    pub(in crate::lua) fn let_go(&self) {
        let calls = self.calls.get();
        self.uses.borrow_mut().retain(|used| used.call <= calls);
    }

    /// Whether some of `bytes` bytes from an address on are part of a text that a call reads.
    pub(in crate::lua) fn is_read_as_text(&self, start: usize, bytes: usize) -> bool {
        let end = start.saturating_add(bytes);
        let overlaps = |used: &Use| used.start < end && start < used.start + used.bytes;
        self.uses.borrow().iter().any(|used| used.held == Held::Text && overlaps(used))
    }

    /// Whether a call in progress has a pointer to an address, or into the `bytes` bytes from there on.
    pub(in crate::lua) fn is_passed(&self, start: usize, bytes: usize) -> bool {
        let calls = self.calls.get();
        let leads_there = |used: &Use| used.start.wrapping_sub(start) <= bytes;
        self.uses.borrow().iter().any(|used| used.call <= calls && leads_there(used))
    }
}

impl State {
    /// The functions and pointers that scripts got and gave.
    pub(in crate::lua) fn given(&self) -> &Given {
        &Sandbox::of(self).given
    }

    /// Says that C code has given this address as a function of type `ty`.
    pub(in crate::lua) fn learn_function(&self, ty: TypeId, address: *const c_void) {
        if !address.is_null() && !self.permits(Permissions::FUNCTION_POINTER_CASTS) {
            let mut functions = self.given().functions.borrow_mut();
            let types = functions.entry(address as usize).or_default();
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
    }

    /// Says that there is no function at this address any more.
    pub(in crate::lua) fn forget_function(&self, address: *const c_void) {
        self.given().functions.borrow_mut().remove(&(address as usize));
    }

    /// CALL-3: keeps what C code has given with a value of type `ty` at `value`: [`State::learn_function`] if it is a pointer to a
    /// function; where contracts are asked for any other pointer, as a handle, unless it leads to memory that the library knows.
    ///
    /// # Safety
    /// - `value` is readable for the size of its type.
    /// - It comes from C code of the host, and no script had a say in it.
    pub(in crate::lua) unsafe fn learn_result(cx: &Cx<'_>, ty: QualType, value: *const u8) {
        let state = cx.state;
        let Kind::Pointer(to) = state.kind(ty) else { return };
        // SAFETY: `value` is readable for its type, as the caller promises.
        let address = unsafe { state.load_pointer(value) };
        let to = state.resolve(to).id();
        if state.kind(to) == Kind::Function {
            state.learn_function(to, address.cast_const().cast());
        } else if state.asks_for_contracts() && !address.is_null() {
            // Otherwise the memory is the script's own, or the library knows how long it lives.
            if !region::is_known(cx, address as usize) {
                state.learn_handle(to, address as usize);
            }
        }
    }

    /// CODE-1: the `n`th function type of those that the host declares for an address, among the types that are the same as `ty`.
    pub(in crate::lua) fn declared_function(
        &self,
        ty: TypeId,
        address: *const c_void,
        n: usize,
    ) -> Option<TypeId> {
        let functions = self.given().functions.borrow();
        let types = self.types.borrow();
        let known = functions.get(&(address as usize))?.iter().copied();
        known.filter(|known| types.table().same((*known).into(), ty.into())).nth(n)
    }

    /// CODE-2: the function type `ty`, if the host's declarations have it; otherwise those that they have and that are the same but for
    /// their contracts.
    pub(in crate::lua) fn host_types_like(&self, ty: TypeId) -> Vec<TypeId> {
        let known = self.given().types.borrow();
        if known.contains(&ty) {
            return vec![ty];
        }
        let types = self.types.borrow();
        let same = |known: &TypeId| types.table().same((*known).into(), ty.into());
        known.iter().copied().filter(same).collect()
    }

    /// CALL-5: C gets the function pointer as one to a `ty`. From here on a callback of the script is held to the contracts of that type,
    /// too, and has its slot for good.
    ///
    /// # Errors
    /// It is a callback that returns a pointer, and C does not take NULL, which it gets where a callback fails.
    pub(in crate::lua) fn pass_function(&self, ty: TypeId, address: usize) -> Result<(), LuaError> {
        if !self.asks_for_contracts() {
            return Ok(());
        }
        if !(self.links.has_callback)(self, address as *const c_void) {
            return self.permit_as_callback(ty, address);
        }
        self.permit_fallible(ty)?;
        self.hold_callback_to(ty, address);
        self.given().exposed.borrow_mut().insert(address);
        Ok(())
    }

    /// # Errors
    /// CALL-8: C would call the function at an address as a `ty`, which does not promise all that the function's declarations ask for.
    fn permit_as_callback(&self, ty: TypeId, address: usize) -> Result<(), LuaError> {
        let functions = self.given().functions.borrow();
        let types = self.types.borrow();
        let table = types.table();
        let Some(promised) = table.function(ty).map(|function| &function.contracts) else {
            return Ok(());
        };
        let is_promised = |known: TypeId| {
            let Some(function) = table.function(known) else { return true };
            let asked =
                |param| function.contracts.iter().filter(move |c| c.parameter() == Some(param));
            (0..).zip(&function.params).filter(|(_, ty)| table.holds_pointers(**ty)).all(
                |(param, _)| {
                    asked(param).next().is_some() && asked(param).all(|c| promised.contains(c))
                },
            )
        };
        let same = |known: &TypeId| table.same((*known).into(), ty.into());
        let known = functions.get(&address).into_iter().flatten().copied().filter(same);
        match known.into_iter().all(is_promised) {
            true => Ok(()),
            false => Err(LuaError::new(format!(
                "a function with other contracts than C keeps when it calls a '{}'",
                table.repr(ty.into())
            ))),
        }
    }

    /// Holds the callback at an address to the contracts of a function type.
    pub(in crate::lua) fn hold_callback_to(&self, ty: TypeId, address: usize) {
        let mut passed = self.given().passed.borrow_mut();
        let types = passed.entry(address).or_default();
        if !types.contains(&ty) {
            types.push(ty);
        }
    }

    /// CODE-3: whether C may have the function pointer of a callback when the state is gone.
    pub(in crate::lua) fn may_be_kept(&self, address: usize) -> bool {
        let given = self.given();
        self.asks_for_contracts()
            && (given.all_exposed.get() || given.exposed.borrow().contains(&address))
    }

    /// # Errors
    /// Functions of the type return a pointer, and may not return NULL, as callbacks that fail do; or a struct that holds pointers.
    pub(in crate::lua) fn permit_fallible(&self, ty: TypeId) -> Result<(), LuaError> {
        let types = self.types.borrow();
        let table = types.table();
        let Some(function) = table.function(ty) else { return Ok(()) };
        if !table.holds_pointers(function.result) {
            return Ok(());
        }
        match table.shape(function.result) {
            Type::Pointer(_) if function.contracts.contains(&Contract::NullableResult) => Ok(()),
            Type::Pointer(_) => Err(LuaError::new(format!(
                "not permitted: a callback of type '{}' without `nullable(0)`: C gets NULL where it fails",
                table.repr(ty.into())
            ))),
            _ => Err(LuaError::new(format!(
                "not permitted: a callback that returns a '{}', which holds pointers",
                table.repr(function.result)
            ))),
        }
    }

    /// # Errors
    /// MEM-3: the pointer of type `ty` is none that memory of the host may hold. It may hold what C functions gave out as a
    /// pointer to the same type, and functions of the type.
    pub(in crate::lua) fn permit_stored(
        &self,
        ty: QualType,
        value: *const u8,
    ) -> Result<(), LuaError> {
        let Kind::Pointer(to) = self.kind(ty) else { return Ok(()) };
        if value.is_null() {
            let ty = self.repr(ty);
            return Err(LuaError::new(format!("NULL for a '{ty}' in memory of the host")));
        }
        match self.kind(to) {
            Kind::Function => {
                let function = self.resolve(to).id();
                self.permit_function(function, value.cast())?;
                self.pass_function(function, value as usize)
            }
            _ if self.is_handle(to, value as usize) => {
                self.store_handle(value as usize);
                Ok(())
            }
            _ => Err(self.not_given(ty)),
        }
    }

    /// # Errors
    /// Nothing but a cast says that there is a function of type `ty` at an address.
    pub(in crate::lua) fn permit_function(
        &self,
        ty: TypeId,
        address: *const c_void,
    ) -> Result<(), LuaError> {
        self.permit_target(address)?;
        if address.is_null() || self.permits(Permissions::FUNCTION_POINTER_CASTS) {
            return Ok(());
        }
        let functions = self.given().functions.borrow();
        let types = self.types.borrow();
        let same = |known: &TypeId| types.table().same((*known).into(), ty.into());
        match functions.get(&(address as usize)).is_some_and(|known| known.iter().any(same)) {
            true => Ok(()),
            false => Err(Refusal::Permission(Permissions::FUNCTION_POINTER_CASTS).into()),
        }
    }
}
