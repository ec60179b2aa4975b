//! Handles: pointers that C functions of the host gave out, and the lives of those that have to be released.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::permit::within;
use crate::ctype::{QualType, TypeId};
use crate::lua::state::{LuaError, State};

/// The handles of a state, by address.
#[derive(Default)]
pub(in crate::lua) struct Handles {
    known: RefCell<FxHashMap<usize, Handle>>,
    /// How many pointers are known, of all types.
    count: Cell<usize>,
    /// How often the handles of an address have been released for good.
    released: RefCell<FxHashMap<usize, u64>>,
}

/// A pointer that C gave out.
#[derive(Default)]
struct Handle {
    /// The types that it was given as a pointer to; none once it is released.
    types: Vec<TypeId>,
    /// How often it has to be released.
    owned: usize,
    /// Memory of the host holds it: it is not released by scripts any more.
    stored: bool,
}

impl State {
    /// Says that C gave out an address as a pointer to a `to`.
    pub(in crate::lua) fn learn_handle(&self, to: TypeId, address: usize) {
        let handles = &self.given().handles;
        let mut known = handles.known.borrow_mut();
        let handle = known.entry(address).or_default();
        if !handle.types.contains(&to) {
            handle.types.push(to);
            handles.count.set(handles.count.get() + 1);
        }
    }

    /// CALL-7: says that a handle has to be released once more.
    pub(in crate::lua) fn acquire_handle(&self, address: usize) {
        if let Some(handle) = self.given().handles.known.borrow_mut().get_mut(&address) {
            handle.owned += 1;
        }
    }

    /// Whether C code has given this address as a pointer to a `to`, which is not released.
    pub(in crate::lua) fn is_handle(&self, to: QualType, address: usize) -> bool {
        let known = self.given().handles.known.borrow();
        known.get(&address).is_some_and(|handle| handle.types.contains(&self.resolve(to).id()))
    }

    /// Lets memory of the host hold a handle.
    pub(super) fn store_handle(&self, address: usize) {
        if let Some(handle) = self.given().handles.known.borrow_mut().get_mut(&address) {
            handle.stored = true;
        }
    }

    /// # Errors
    /// CALL-7: the handle of type `ty` cannot be released so many times.
    pub(in crate::lua) fn permit_release(
        &self,
        ty: QualType,
        address: usize,
        times: usize,
    ) -> Result<(), LuaError> {
        let known = self.given().handles.known.borrow();
        let ty = || self.repr(ty);
        match known.get(&address) {
            Some(handle) if handle.stored => {
                Err(LuaError::new(format!("a '{}' that memory of the host holds", ty())))
            }
            Some(handle) if handle.owned >= times => Ok(()),
            Some(_) if times > 1 => Err(LuaError::new(format!("a '{}' given twice", ty()))),
            _ => Err(LuaError::new(format!("a '{}' that C did not give out to be released", ty()))),
        }
    }

    /// CALL-7: releases a handle.
    pub(in crate::lua) fn release_handle(&self, address: usize) {
        let handles = &self.given().handles;
        let mut known = handles.known.borrow_mut();
        let Some(handle) = known.get_mut(&address) else { return };
        handle.owned = handle.owned.saturating_sub(1);
        if handle.owned == 0 {
            handles.count.set(handles.count.get() - handle.types.len());
            known.remove(&address);
            *handles.released.borrow_mut().entry(address).or_default() += 1;
        }
    }

    /// How often what an address leads to has been released.
    pub(in crate::lua) fn releases_of(&self, address: usize) -> u64 {
        self.given().handles.released.borrow().get(&address).copied().unwrap_or(0)
    }

    /// # Errors
    /// CALL-7: there are as many handles as there may be.
    pub(in crate::lua) fn permit_handle(&self) -> Result<(), LuaError> {
        let total = self.given().handles.count.get() + 1;
        within("handles", "pointers that C gave out", self.policy.limits.handles, total)
    }

    /// A pointer of type `ty` is no handle.
    pub(in crate::lua) fn not_given(&self, ty: QualType) -> LuaError {
        let ty = self.repr(ty);
        LuaError::new(format!("a '{ty}' that C did not give out, or that was released"))
    }
}
