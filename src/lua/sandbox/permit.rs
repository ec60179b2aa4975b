//! Enforces the policy of an `ffi` table: each operation that a policy can forbid asks here.
//!
//! Fast paths ([`crate::lua::call::thunk_fast`], [`crate::lua::call::plan_fast`], [`crate::lua::fast::new`]) do not ask. They are used only if the policy
//! permits all that they can do, which [`Ways`](crate::lua::state::ways::Ways) says, and for functions that reach no memory
//! ([`crate::lua::call::thunk_api::Conversions::reach_no_memory`]).

use std::ffi::c_void;

use crate::code::Thunk;
use crate::ctype::{QualType, TypeId};
use crate::error::Error;
use crate::lua::state::{LuaError, State};
use crate::lua::types::kind::Kind;
use crate::policy::{Names, Permissions, Refusal};

impl From<Refusal> for LuaError {
    fn from(refusal: Refusal) -> LuaError {
        LuaError::new(refusal.to_string())
    }
}

impl State {
    /// # Errors
    /// The policy does not have the permission.
    pub(in crate::lua) fn permit(&self, permission: Permissions) -> Result<(), LuaError> {
        Ok(self.policy.permissions().require(permission)?)
    }

    /// Whether the policy has the permission.
    pub(in crate::lua) fn permits(&self, permission: Permissions) -> bool {
        self.policy.permissions().contains(permission)
    }

    /// # Errors
    /// `ffi.load` may not open a library.
    pub(in crate::lua) fn permit_library(&self, name: &str) -> Result<(), LuaError> {
        self.permit(Permissions::LOAD)?;
        match self.policy.libraries.has(name) {
            true => Ok(()),
            false => Err(Refusal::Library(name.to_owned()).into()),
        }
    }

    /// # Errors
    /// A symbol may not be looked up.
    pub(in crate::lua) fn permit_symbol(&self, name: &[u8]) -> Result<(), LuaError> {
        let Names::Only(_) = self.policy.symbols else { return Ok(()) };
        let name = String::from_utf8_lossy(name);
        match self.policy.symbols.has(&name) {
            true => Ok(()),
            false => Err(Refusal::Symbol(name.into_owned()).into()),
        }
    }

    /// Says that C code has given this address as a function of type `ty`.
    pub(in crate::lua) fn learn_function(&self, ty: TypeId, address: *const c_void) {
        if !address.is_null() && !self.permits(Permissions::FUNCTION_POINTER_CASTS) {
            let mut functions = self.functions.borrow_mut();
            let types = functions.entry(address as usize).or_default();
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
    }

    /// Keeps what C code has given with a value of type `ty` at `value`: [`State::learn_function`] if it is a pointer to a
    /// function; in a checked state any other pointer, as a handle.
    ///
    /// # Safety
    /// - `value` is readable for the size of its type.
    pub(in crate::lua) unsafe fn learn_result(&self, ty: QualType, value: *const u8) {
        let Kind::Pointer(to) = self.kind(ty) else { return };
        // SAFETY: `value` is readable for its type, as the caller promises.
        let address = unsafe { self.load_pointer(value) };
        let to = self.resolve(to).id();
        if self.kind(to) == Kind::Function {
            self.learn_function(to, address.cast_const().cast());
        } else if self.checked() && !address.is_null() {
            self.handles.borrow_mut().insert((address as usize, to));
        }
    }

    /// Whether C code has given this address as a pointer to a `to`.
    pub(in crate::lua) fn is_handle(&self, to: QualType, address: usize) -> bool {
        self.handles.borrow().contains(&(address, self.resolve(to).id()))
    }

    /// # Errors
    /// Nothing but a cast says that there is a function of type `ty` at an address.
    pub(in crate::lua) fn permit_function(
        &self,
        ty: TypeId,
        address: *const c_void,
    ) -> Result<(), LuaError> {
        if address.is_null() || self.permits(Permissions::FUNCTION_POINTER_CASTS) {
            return Ok(());
        }
        let functions = self.functions.borrow();
        let types = self.types.borrow();
        let same = |known: &TypeId| types.table().same((*known).into(), ty.into());
        match functions.get(&(address as usize)).is_some_and(|known| known.iter().any(same)) {
            true => Ok(()),
            false => Err(Refusal::Permission(Permissions::FUNCTION_POINTER_CASTS).into()),
        }
    }

    /// # Errors
    /// A text of so many bytes is too much to parse.
    pub(in crate::lua) fn permit_text(&self, bytes: usize) -> Result<(), LuaError> {
        let total = self.inventory.text_bytes.get().saturating_add(bytes);
        let most = self.policy.limits.declaration_bytes;
        within("declaration_bytes", "bytes of declarations", most, total)?;
        self.inventory.text_bytes.set(total);
        Ok(())
    }

    /// # Errors
    /// There are as many callbacks as there may be.
    pub(in crate::lua) fn permit_callback(&self) -> Result<(), LuaError> {
        self.permit(Permissions::CALLBACKS)?;
        let total = self.live_callbacks.get() + 1;
        within("callbacks", "callbacks", self.policy.limits.callbacks, total)
    }

    /// The thunk that `compile` finds or makes. `known`: the one that is there already, if any.
    ///
    /// # Errors
    /// Those of `compile`; it is a new one, and there are as many as there may be.
    pub(in crate::lua) fn count_thunk(
        &self,
        known: impl FnOnce() -> Option<Thunk>,
        compile: impl FnOnce() -> Result<Thunk, Error>,
    ) -> Result<Thunk, LuaError> {
        let most = self.policy.limits.thunks;
        let used = self.inventory.thunks.borrow().len();
        if most.is_some_and(|most| used >= most)
            && !known().is_some_and(|thunk| self.inventory.has(thunk))
        {
            within("thunks", "thunks", most, used + 1)?;
        }
        let thunk = compile()?;
        self.inventory.add_thunk(thunk);
        Ok(thunk)
    }
}

/// # Errors
/// There is more than a limit allows.
pub(in crate::lua) fn within(
    name: &'static str,
    what: &'static str,
    most: Option<usize>,
    total: usize,
) -> Result<(), LuaError> {
    match most {
        Some(most) if total > most => Err(Refusal::Limit { name, what, most }.into()),
        _ => Ok(()),
    }
}
