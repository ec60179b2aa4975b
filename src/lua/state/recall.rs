//! The facts about cdata that fast paths remember, by metatable: a few places, chosen by a hash; each has the fact that was learnt last.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

/// Places of a [`Recall`].
const PLACES: usize = 16;

/// Facts by metatables of cdata. These metatables live as long as their state, so an address stands for the same metatable for ever.
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

    /// The fact about cdata with this metatable, that [`Recall::set`] stored with the same `salt`. A caller that uses several salts checks
    /// which fact it got.
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

/// A cast that is its operand's address.
#[derive(Clone, Copy, Default)]
pub(in crate::lua) struct View {
    /// The bits of the pointer type.
    pub(in crate::lua) ty: u32,
    /// The metatable of such pointers.
    pub(in crate::lua) pointers: *const c_void,
}

/// The facts about pointers and arrays with a metatable.
#[derive(Clone, Copy, Default)]
pub(in crate::lua) struct Stride {
    /// Bytes of an element; 0 where that has no size.
    pub(in crate::lua) size: isize,
    /// The bits of the type of pointers to an element.
    pub(in crate::lua) ty: u32,
    /// The metatable of such pointers; null where none are made here.
    pub(in crate::lua) pointers: *const c_void,
}

/// The metatables of the last two kinds of cdata that converted to a parameter by their header alone: the address that the
/// header has is the pointer that is passed, or leads to the value.
#[derive(Default)]
#[repr(C)]
pub(in crate::lua) struct Accepted(pub [Cell<*const c_void>; 2]);

impl Accepted {
    pub(in crate::lua) fn add(&self, metatable: *const c_void) {
        let [first, second] = &self.0;
        if first.get() != metatable {
            second.set(first.get());
            first.set(metatable);
        }
    }

    /// Accepts nothing any more.
    pub(in crate::lua) fn clear(&self) {
        self.0.iter().for_each(|metatable| metatable.set(ptr::null()));
    }
}

/// The purpose of a pointer argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Role {
    /// Memory that is written to: `void *`.
    Target,
    /// Memory that is read: `const void *`.
    Source,
    /// A string of no known length: `const char *`.
    Text,
}

/// The metatables of cdata that convert to the pointers of each role.
#[derive(Default)]
pub(in crate::lua) struct Roles {
    roles: [Accepted; 3],
    /// Arrays that are text: their size ends it.
    pub(in crate::lua) arrays: Accepted,
}

impl Roles {
    pub(in crate::lua) fn get(&self, role: Role) -> &Accepted {
        &self.roles[role as usize]
    }

    /// Accepts nothing any more.
    pub(in crate::lua) fn forget(&self) {
        self.roles.iter().chain([&self.arrays]).for_each(Accepted::clear);
    }
}
