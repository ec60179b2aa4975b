//! The facts about cdata that fast paths remember, by metatable: a few places, chosen by a hash; each has the fact that was learnt last.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

/// Places of a [`Recall`].
const PLACES: usize = 16;

/// What is known. Metatables of cdata live as long as their state, so that an address is one of them for good.
pub(in crate::lua) struct Recall<T>([Cell<Known<T>>; PLACES]);

#[derive(Clone, Copy)]
struct Known<T> {
    /// [`NONE`] where nothing is known.
    metatable: *const c_void,
    value: T,
}

/// The metatable of no cdata, nor of what has no metatable.
const NONE: *const c_void = ptr::without_provenance(usize::MAX);

impl<T: Copy + Default> Default for Recall<T> {
    fn default() -> Recall<T> {
        let known = Known { metatable: NONE, value: T::default() };
        Recall(std::array::from_fn(|_| Cell::new(known)))
    }
}

impl<T: Copy + Default> Recall<T> {
    #[inline(always)]
    fn place(&self, metatable: *const c_void, salt: u32) -> &Cell<Known<T>> {
        let address = metatable as usize;
        &self.0[((address >> 5) ^ (address >> 10) ^ salt as usize) % PLACES]
    }

    /// What is known of cdata with this metatable. `salt` is as it was for [`Recall::set`]; values that may have others are the
    /// caller's to tell apart.
    #[inline(always)]
    pub(in crate::lua) fn get(&self, metatable: *const c_void, salt: u32) -> Option<T> {
        let known = self.place(metatable, salt).get();
        if known.metatable == metatable { Some(known.value) } else { None }
    }

    /// Remembers it.
    pub(in crate::lua) fn set(&self, metatable: *const c_void, salt: u32, value: T) {
        self.place(metatable, salt).set(Known { metatable, value });
    }

    /// Knows nothing any more.
    pub(in crate::lua) fn forget(&self) {
        self.0.iter().for_each(|place| place.set(Known { metatable: NONE, value: T::default() }));
    }
}
