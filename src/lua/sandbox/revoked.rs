//! CODE-5: functions and libraries that the host has taken back.
//!
//! A function is known by its address: no closure, pointer or callback argument leads to it any more, however a script got hold of it.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};

use rustc_hash::FxHashSet;

use super::Sandbox;
use crate::lua::state::rooms::Part;
use crate::lua::state::{LuaError, State};
use crate::policy::Refusal;

/// What a state has given, and the host has taken back.
#[derive(Default)]
pub(in crate::lua) struct Revoked {
    /// Names that are not looked up any more, in any library.
    names: RefCell<FxHashSet<Box<[u8]>>>,
    /// Functions that are not called any more.
    functions: RefCell<FxHashSet<usize>>,
}

impl State {
    fn revoked(&self) -> &Revoked {
        &Sandbox::of(self).revoked
    }

    /// Takes back what was looked up under a name, and all that would be.
    ///
    /// # Errors
    /// Calls are not checked.
    pub(in crate::lua) fn revoke(&self, name: &str) -> Result<(), LuaError> {
        self.revoke_where(|known, _| known.to_bytes() == name.as_bytes())?;
        self.revoked().names.borrow_mut().insert(name.as_bytes().into());
        Ok(())
    }

    /// Takes back what was looked up in the library with this identity.
    ///
    /// # Errors
    /// Calls are not checked.
    pub(in crate::lua) fn revoke_library(&self, library: usize) -> Result<(), LuaError> {
        self.revoke_where(|_, from| from == library)
    }

    fn revoke_where(&self, goes: impl Fn(&CStr, usize) -> bool) -> Result<(), LuaError> {
        if !self.checked() {
            return Err(LuaError::new("only a table that checks memory takes functions back"));
        }
        let symbols = self.inventory().symbols.borrow();
        let gone = symbols.iter().filter(|symbol| goes(&symbol.name, symbol.library));
        self.revoked().functions.borrow_mut().extend(gone.map(|symbol| symbol.address));
        Ok(())
    }

    /// # Errors
    /// The name is taken back.
    pub(super) fn permit_name(&self, name: &[u8]) -> Result<(), LuaError> {
        match self.revoked().names.borrow().contains(name) {
            true => Err(Refusal::Revoked(String::from_utf8_lossy(name).into_owned()).into()),
            false => Ok(()),
        }
    }

    /// # Errors
    /// The function at an address is taken back.
    pub(in crate::lua) fn permit_target(&self, target: *const c_void) -> Result<(), LuaError> {
        let address = target as usize;
        if !self.revoked().functions.borrow().contains(&address) {
            return Ok(());
        }
        let symbols = self.inventory().symbols.borrow();
        let name = symbols.iter().find(|symbol| symbol.address == address);
        let name = name.map_or_else(String::new, |it| it.name.to_string_lossy().into_owned());
        Err(Refusal::Revoked(name).into())
    }
}
