//! Enforces the policy of an `ffi` table: each operation that a policy can forbid asks here.
//!
//! Fast paths ([`crate::lua::call::thunk_fast`], [`crate::lua::call::plan_fast`], [`crate::lua::fast::new`]) do not ask. They are used only if the policy
//! permits all that they can do, which [`Ways`](crate::lua::state::ways::Ways) says, and for functions that reach no memory
//! ([`crate::lua::call::thunk_api::Conversions::reach_no_memory`]).

use crate::code::Thunk;
use crate::error::Error;
use crate::lua::state::{LuaError, State};
use crate::policy::{Names, Permissions, Refusal};

impl From<Refusal> for LuaError {
    fn from(refusal: Refusal) -> LuaError {
        LuaError::Refused(None, refusal.to_string())
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
        self.permit_name(name)?;
        let Names::Only(_) = self.policy.symbols else { return Ok(()) };
        let name = String::from_utf8_lossy(name);
        match self.policy.symbols.has(&name) {
            true => Ok(()),
            false => Err(Refusal::Symbol(name.into_owned()).into()),
        }
    }

    /// Whether each pointer argument needs a contract: what the host declares of pointers holds against scripts.
    pub(in crate::lua) fn asks_for_contracts(&self) -> bool {
        self.checked() && !self.permits(Permissions::UNCONTRACTED_POINTERS)
    }

    /// # Errors
    /// A text of so many bytes is too much to parse.
    pub(in crate::lua) fn permit_text(&self, bytes: usize) -> Result<(), LuaError> {
        let total = self.inventory().text_bytes.get().saturating_add(bytes);
        let most = self.policy.limits.declaration_bytes;
        within("declaration_bytes", "bytes of declarations", most, total)?;
        self.inventory().text_bytes.set(total);
        // A step for each byte.
        self.watch.charge(bytes)?;
        self.permit_type()
    }

    /// # Errors
    /// There are as many types as there may be.
    pub(in crate::lua) fn permit_type(&self) -> Result<(), LuaError> {
        let total = self.types.borrow().table().len();
        within("types", "types", self.policy.limits.types, total)
    }

    /// # Errors
    /// There are as many callbacks as there may be.
    pub(in crate::lua) fn permit_callback(&self) -> Result<(), LuaError> {
        self.permit(Permissions::CALLBACKS)?;
        let total = self.inventory().callbacks.get() + 1;
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
        let used = self.inventory().thunks.borrow().len();
        if most.is_some_and(|most| used >= most)
            && !known().is_some_and(|thunk| self.inventory().has(thunk))
        {
            within("thunks", "thunks", most, used + 1)?;
        }
        let thunk = compile()?;
        self.inventory().add_thunk(thunk);
        Ok(thunk)
    }
}

/// LIMIT-1
///
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
