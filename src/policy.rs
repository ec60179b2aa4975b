//! What a script may do with an `ffi` table: data that the host sets and [`crate::lua`] obeys.
//!
//! | preset | for |
//! |---|---|
//! | [`Policy::open`] | scripts that the host trusts like its own code: everything that LuaJIT's library can do |
//! | [`Policy::data_only`] | scripts that work with C data, with bounds; they call no C function |
//! | [`Policy::declared_only`] | the same, and the functions that the host declares |
//!
//! `docs/security.md` has tables of what a script can do under each preset; `tests/policy.rs` runs their rows.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fmt;

/// An operation that a policy permits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Permission {
    /// Calling C functions and pointers to functions.
    Call,
    /// `ffi.load`, of the libraries that [`Policy::libraries`] has.
    Load,
    /// `ffi.cdef`, and structs, unions and enums with a body in type texts.
    DeclareTypes,
    /// Functions and variables in `ffi.cdef`.
    DeclareFunctions,
    /// Calling variadic functions with arguments for `...`.
    Varargs,
    /// Making a pointer to a function out of another pointer, or one of another function type.
    FunctionPointerCasts,
    /// Making a pointer out of a number.
    IntegerToPointer,
    /// `pointer + n`, `pointer - n`.
    PointerArithmetic,
    /// Using unions that contain pointers.
    PointerUnions,
    /// Passing a light userdata, a file, or the memory of another userdata as a pointer.
    UserdataToPointer,
    /// Making C function pointers of Lua functions.
    Callbacks,
    /// `ffi.gc` of pointers to memory that the library did not allocate.
    ForeignFinalizers,
    /// `ffi.explain`.
    Explain,
    /// `ffi.target`.
    Targets,
    /// Passing pointers to parameters that have no contract (`access`, `[static n]`, `null_terminated_string_arg`) and are not
    /// `trusted`.
    UncontractedPointers,
    /// `ffi.async`: C functions that run beside the script, which can change the memory that they read.
    Async,
}

/// The names of a permission, in code and in error messages.
struct Description {
    permission: Permission,
    name: &'static str,
    what: &'static str,
    /// With it, a script can reach any memory of the process.
    unconfined: bool,
}

const fn describe(
    permission: Permission,
    name: &'static str,
    what: &'static str,
    unconfined: bool,
) -> Description {
    Description { permission, name, what, unconfined }
}

/// In the order of [`Permission`].
const DESCRIPTIONS: [Description; 16] = [
    describe(Permission::Call, "call", "calls of C functions", false),
    describe(Permission::Load, "load", "loading libraries", true),
    describe(Permission::DeclareTypes, "declare_types", "declaring types", false),
    describe(
        Permission::DeclareFunctions,
        "declare_functions",
        "declaring functions and variables",
        true,
    ),
    describe(Permission::Varargs, "varargs", "arguments for '...'", true),
    describe(
        Permission::FunctionPointerCasts,
        "function_pointer_casts",
        "casts to pointers to functions",
        true,
    ),
    describe(Permission::IntegerToPointer, "integer_to_pointer", "integer-to-pointer casts", true),
    describe(Permission::PointerArithmetic, "pointer_arithmetic", "pointer arithmetic", false),
    describe(Permission::PointerUnions, "pointer_unions", "unions that contain pointers", true),
    describe(Permission::UserdataToPointer, "userdata_to_pointer", "userdata as pointers", true),
    describe(Permission::Callbacks, "callbacks", "Lua functions as C functions", false),
    describe(
        Permission::ForeignFinalizers,
        "foreign_finalizers",
        "finalisers of memory that the library did not allocate",
        false,
    ),
    describe(Permission::Explain, "explain", "ffi.explain", false),
    describe(Permission::Targets, "targets", "ffi.target", true),
    describe(
        Permission::UncontractedPointers,
        "uncontracted_pointers",
        "pointer arguments without a contract",
        true,
    ),
    describe(Permission::Async, "async", "calls that leave the Lua thread", true),
];

const _: () = {
    let mut i = 0;
    while i < DESCRIPTIONS.len() {
        assert!(DESCRIPTIONS[i].permission as usize == i);
        i += 1;
    }
};

impl Permission {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Permission> {
        DESCRIPTIONS.iter().map(|description| description.permission)
    }

    fn description(self) -> &'static Description {
        &DESCRIPTIONS[self as usize]
    }

    /// As error messages name it: `integer_to_pointer`.
    pub fn name(self) -> &'static str {
        self.description().name
    }

    /// The permitted operation, in words: "integer-to-pointer casts".
    pub fn what(self) -> &'static str {
        self.description().what
    }

    /// Whether a script that has it can reach any memory of the process.
    pub fn is_unconfined(self) -> bool {
        self.description().unconfined
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// None.
    pub const NONE: Permissions = Permissions(0);
    /// All.
    pub const ALL: Permissions = Permissions((1 << DESCRIPTIONS.len()) - 1);

    /// Whether a permission is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u8 != 0
    }

    /// The set and a permission.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Permissions {
        Permissions(self.0 | 1 << permission as u8)
    }

    /// The set without a permission.
    #[must_use]
    pub const fn without(self, permission: Permission) -> Permissions {
        Permissions(self.0 & !(1 << permission as u8))
    }

    /// The permissions in the set.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.has(*permission))
    }

    /// # Errors
    /// The refusal that names a permission which is not in the set.
    pub fn require(self, permission: Permission) -> Result<(), Refusal> {
        self.has(permission).then_some(()).ok_or(Refusal::Permission(permission))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Upper bounds for an `ffi` table; `None`: no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all live C values.
    pub cdata_bytes: Option<usize>,
    /// Live callbacks.
    pub callbacks: Option<usize>,
    /// Thunks of its functions. Beyond the limit a function is called without a thunk, slower, if it can be.
    pub thunks: Option<usize>,
    /// Bytes of all texts that scripts give to the parser: declarations and type texts.
    pub declaration_bytes: Option<usize>,
}

/// Which names a permission is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Every name.
    All,
    /// These, and no others.
    Only(BTreeSet<String>),
}

impl Names {
    /// Whether a name is one of them.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Names::All => true,
            Names::Only(names) => names.contains(name),
        }
    }
}

/// Why an operation was refused. Its text is that of the Lua error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A permission is missing.
    #[error("not permitted: {} (permission `{}`)", .0.what(), .0.name())]
    Permission(Permission),
    /// A library that is not one of [`Policy::libraries`].
    #[error("not permitted: library '{0}' (permission `load`: not one of the libraries allowed)")]
    Library(String),
    /// A symbol that is not one of [`Policy::symbols`].
    #[error("not permitted: symbol '{0}' (it is not one of the `symbols` allowed)")]
    Symbol(String),
    /// A limit is reached.
    #[error("not permitted: more than {most} {what} (limit `{name}`)")]
    Limit {
        /// The field of [`Limits`].
        name: &'static str,
        /// The counted objects, in words.
        what: &'static str,
        /// Its value.
        most: usize,
    },
}

/// The permissions, allowed names and limits of an `ffi` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    permissions: Permissions,
    /// The libraries that `ffi.load` may open, as a script names them: `"z"`, `"/usr/lib/libz.so"`.
    pub libraries: Names,
    /// Which declared functions and variables can be looked up, by the name in the library.
    pub symbols: Names,
    /// Upper bounds.
    pub limits: Limits,
    /// Whether accesses through cdata are checked: bounds, lifetime, alignment.
    pub checked: bool,
}

/// The permissions of [`Policy::data_only`].
const DATA: Permissions =
    Permissions::NONE.with(Permission::DeclareTypes).with(Permission::PointerArithmetic);

/// The permissions of [`Policy::declared_only`].
const DECLARED: Permissions = Permissions::NONE
    .with(Permission::Call)
    .with(Permission::Callbacks)
    .with(Permission::PointerArithmetic);

impl Policy {
    fn of(permissions: Permissions, checked: bool) -> Policy {
        Policy {
            permissions,
            libraries: Names::All,
            symbols: Names::All,
            limits: Limits::default(),
            checked,
        }
    }

    /// Everything, unchecked.
    pub fn open() -> Policy {
        Policy::of(Permissions::ALL, false)
    }

    /// Declaring types, and using values of them; no calls, no callbacks, no libraries. Checked.
    pub fn data_only() -> Policy {
        Policy::of(DATA, true)
    }

    /// The host's types and functions, and callbacks for them; nothing else. Checked.
    pub fn declared_only() -> Policy {
        Policy::of(DECLARED, true)
    }

    /// The permissions.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Adds a permission.
    #[must_use]
    pub fn allow(mut self, permission: Permission) -> Policy {
        self.permissions = self.permissions.with(permission);
        self
    }

    /// Takes a permission away.
    #[must_use]
    pub fn deny(mut self, permission: Permission) -> Policy {
        self.permissions = self.permissions.without(permission);
        self
    }

    /// `ffi.load` opens these libraries only.
    #[must_use]
    pub fn only_libraries(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Policy {
        self.libraries = Names::Only(names.into_iter().map(Into::into).collect());
        self
    }

    /// These symbols can be looked up, and no others.
    #[must_use]
    pub fn only_symbols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Policy {
        self.symbols = Names::Only(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Policy {
        self.limits = limits;
        self
    }

    /// Sets whether accesses are checked.
    #[must_use]
    pub fn checked(mut self, checked: bool) -> Policy {
        self.checked = checked;
        self
    }

    /// Checks that a script reaches only memory that it was given.
    ///
    /// # Errors
    /// The reason why it can reach more.
    pub fn confines(&self) -> Result<(), Unconfined> {
        if !self.checked {
            return Err(Unconfined::Unchecked);
        }
        let found = self.permissions.iter().find(|permission| permission.is_unconfined());
        found.map_or(Ok(()), |permission| Err(Unconfined::Permission(permission)))
    }
}

impl Default for Policy {
    /// [`Policy::declared_only`]
    fn default() -> Policy {
        Policy::declared_only()
    }
}

/// Why a policy lets a script reach any memory of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unconfined {
    /// Accesses are not checked.
    #[error("this policy lets a script reach any memory, as it is not `checked`")]
    Unchecked,
    /// A permission suffices.
    #[error("this policy lets a script reach any memory, by permission `{}`", .0.name())]
    Permission(Permission),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_permission() {
        let refusal = Permissions::NONE.require(Permission::IntegerToPointer).unwrap_err();
        let text = "not permitted: integer-to-pointer casts (permission `integer_to_pointer`)";
        assert_eq!(refusal.to_string(), text);
    }

    #[test]
    fn sets_are_what_was_put_in() {
        assert_eq!(Permissions::ALL.iter().count(), DESCRIPTIONS.len());
        assert_eq!(Permissions::NONE.iter().count(), 0);
        for permission in Permission::all() {
            assert!(Permissions::NONE.with(permission).has(permission));
            assert!(!Permissions::ALL.without(permission).has(permission));
        }
    }

    #[test]
    fn presets_confine_but_for_open() {
        assert_eq!(Policy::open().confines(), Err(Unconfined::Unchecked));
        assert_eq!(Policy::data_only().confines(), Ok(()));
        assert_eq!(Policy::declared_only().confines(), Ok(()));
        let with_load = Policy::data_only().allow(Permission::Load);
        assert_eq!(with_load.confines(), Err(Unconfined::Permission(Permission::Load)));
        assert_eq!(
            Policy::data_only().checked(false).confines(),
            Err(Unconfined::Unchecked),
            "the bounds are what confines"
        );
    }
}
