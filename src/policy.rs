//! Permissions and limits of a script that uses an `ffi` table: data that the host sets and [`crate::lua`] obeys.
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

use bitflags::bitflags;

bitflags! {
    /// The operations that a policy permits: a set.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let policy = Policy::declared_only().allow(Permissions::DECLARE_TYPES | Permissions::EXPLAIN);
    /// assert!(policy.permissions().contains(Permissions::CALL));
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Permissions: u32 {
        /// Calling C functions and pointers to functions.
        const CALL = 1 << 0;
        /// `ffi.load`, of the libraries that [`Policy::libraries`] has.
        const LOAD = 1 << 1;
        /// `ffi.cdef`, and structs, unions and enums with a body in type texts.
        const DECLARE_TYPES = 1 << 2;
        /// Functions and variables in `ffi.cdef`.
        const DECLARE_FUNCTIONS = 1 << 3;
        /// Calling variadic functions with arguments for `...`.
        const VARARGS = 1 << 4;
        /// Making a pointer to a function out of another pointer, or one of another function type.
        const FUNCTION_POINTER_CASTS = 1 << 5;
        /// Making a pointer out of a number.
        const INTEGER_TO_POINTER = 1 << 6;
        /// `pointer + n`, `pointer - n`.
        const POINTER_ARITHMETIC = 1 << 7;
        /// Using unions that contain pointers.
        const POINTER_UNIONS = 1 << 8;
        /// Passing a light userdata, a file, or the memory of another userdata as a pointer.
        const USERDATA_TO_POINTER = 1 << 9;
        /// Making C function pointers of Lua functions.
        const CALLBACKS = 1 << 10;
        /// `ffi.gc` of pointers to memory that the library did not allocate.
        const FOREIGN_FINALIZERS = 1 << 11;
        /// `ffi.explain`.
        const EXPLAIN = 1 << 12;
        /// `ffi.target`.
        const TARGETS = 1 << 13;
        /// Passing pointers to parameters that have no contract (`access`, `[static n]`, `null_terminated_string_arg`) and are not
        /// `trusted`.
        const UNCONTRACTED_POINTERS = 1 << 14;
        /// `ffi.async`: C functions that run beside the script, which can change the memory that they read.
        const ASYNC = 1 << 15;
    }
}

/// The words for a permission in error messages.
struct Description {
    permission: Permissions,
    name: &'static str,
    what: &'static str,
    /// With it, a script can reach any memory of the process.
    unconfined: bool,
}

const fn describe(
    permission: Permissions,
    name: &'static str,
    what: &'static str,
    unconfined: bool,
) -> Description {
    Description { permission, name, what, unconfined }
}

/// Every permission.
const DESCRIPTIONS: [Description; 16] = [
    describe(Permissions::CALL, "call", "calls of C functions", false),
    describe(Permissions::LOAD, "load", "loading libraries", true),
    describe(Permissions::DECLARE_TYPES, "declare_types", "declaring types", false),
    describe(
        Permissions::DECLARE_FUNCTIONS,
        "declare_functions",
        "declaring functions and variables",
        true,
    ),
    describe(Permissions::VARARGS, "varargs", "arguments for '...'", true),
    describe(
        Permissions::FUNCTION_POINTER_CASTS,
        "function_pointer_casts",
        "casts to pointers to functions",
        true,
    ),
    describe(
        Permissions::INTEGER_TO_POINTER,
        "integer_to_pointer",
        "integer-to-pointer casts",
        true,
    ),
    describe(Permissions::POINTER_ARITHMETIC, "pointer_arithmetic", "pointer arithmetic", false),
    describe(Permissions::POINTER_UNIONS, "pointer_unions", "unions that contain pointers", true),
    describe(Permissions::USERDATA_TO_POINTER, "userdata_to_pointer", "userdata as pointers", true),
    describe(Permissions::CALLBACKS, "callbacks", "Lua functions as C functions", false),
    describe(
        Permissions::FOREIGN_FINALIZERS,
        "foreign_finalizers",
        "finalisers of memory that the library did not allocate",
        false,
    ),
    describe(Permissions::EXPLAIN, "explain", "ffi.explain", false),
    describe(Permissions::TARGETS, "targets", "ffi.target", true),
    describe(
        Permissions::UNCONTRACTED_POINTERS,
        "uncontracted_pointers",
        "pointer arguments without a contract",
        true,
    ),
    describe(Permissions::ASYNC, "async", "calls that leave the Lua thread", true),
];

impl Permissions {
    fn descriptions(self) -> impl Iterator<Item = &'static Description> {
        DESCRIPTIONS.iter().filter(move |description| self.contains(description.permission))
    }

    /// The names of the permissions in error messages: `integer_to_pointer`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.descriptions().map(|description| description.name)
    }

    /// The permissions of this set that alone let a script reach any memory of the process.
    #[must_use]
    pub fn unconfined(self) -> Permissions {
        let unconfined = self.descriptions().filter(|description| description.unconfined);
        unconfined.map(|description| description.permission).collect()
    }

    /// # Errors
    /// The refusal that names the permissions which are not in the set.
    pub fn require(self, permissions: Permissions) -> Result<(), Refusal> {
        match permissions.difference(self) {
            missing if missing.is_empty() => Ok(()),
            missing => Err(Refusal::Permission(missing)),
        }
    }

    /// The permitted actions in words: "integer-to-pointer casts".
    fn what(self) -> String {
        let what: Vec<_> = self.descriptions().map(|description| description.what).collect();
        what.join(", ")
    }

    /// Their names, for an error message.
    fn listed(self) -> String {
        let names: Vec<_> = self.names().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }
}

/// Upper bounds for an `ffi` table; `None`: no bound. The policies that check memory have the default limits, [`Policy::open`] has none.
///
/// ```
/// use cthunk::{Limits, Policy};
///
/// assert_eq!(Policy::declared_only().limits, Limits::default());
/// assert_eq!(Policy::open().limits, Limits::NONE);
/// assert_eq!(Limits::default().callbacks, Some(1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all live C values. Default: 256 MiB.
    pub cdata_bytes: Option<usize>,
    /// Live callbacks. Default: 1,000.
    pub callbacks: Option<usize>,
    /// Thunks of its functions. Beyond the limit a function is called without a thunk, slower, if it can be. Default: 1,000.
    pub thunks: Option<usize>,
    /// Bytes of all texts that scripts give to the parser: declarations and type texts. Default: 1 MiB.
    pub declaration_bytes: Option<usize>,
    /// Types that a table knows, those of the host included: a struct, a pointer to it, an array of it are three. Default: 50,000.
    pub types: Option<usize>,
    /// Different pointers that C has given, which the table remembers. Default: 100,000.
    pub handles: Option<usize>,
}

impl Limits {
    /// No bounds.
    pub const NONE: Limits = Limits {
        cdata_bytes: None,
        callbacks: None,
        thunks: None,
        declaration_bytes: None,
        types: None,
        handles: None,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            cdata_bytes: Some(256 << 20),
            callbacks: Some(1000),
            thunks: Some(1000),
            declaration_bytes: Some(1 << 20),
            types: Some(50_000),
            handles: Some(100_000),
        }
    }
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
    #[error("not permitted: {} (permission {})", .0.what(), .0.listed())]
    Permission(Permissions),
    /// A library that is not one of [`Policy::libraries`].
    #[error("not permitted: library '{0}' (permission `load`: not one of the libraries allowed)")]
    Library(String),
    /// A symbol that is not one of [`Policy::symbols`].
    #[error("not permitted: symbol '{0}' (it is not one of the `symbols` allowed)")]
    Symbol(String),
    /// A function that the host has taken back.
    #[error("not permitted: the host has taken '{0}' back")]
    Revoked(String),
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
const DATA: Permissions = Permissions::DECLARE_TYPES.union(Permissions::POINTER_ARITHMETIC);

/// The permissions of [`Policy::declared_only`].
const DECLARED: Permissions =
    Permissions::CALL.union(Permissions::CALLBACKS).union(Permissions::POINTER_ARITHMETIC);

impl Policy {
    fn of(permissions: Permissions, checked: bool) -> Policy {
        Policy {
            permissions,
            libraries: Names::All,
            symbols: Names::All,
            limits: if checked { Limits::default() } else { Limits::NONE },
            checked,
        }
    }

    /// Everything, unchecked.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// assert_eq!(Policy::open().permissions(), Permissions::all());
    /// assert!(!Policy::open().checked);
    /// ```
    pub fn open() -> Policy {
        Policy::of(Permissions::all(), false)
    }

    /// Declaring types, and using values of them; no calls, no callbacks, no libraries. Checked.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let permissions = Policy::data_only().permissions();
    /// assert_eq!(permissions, Permissions::DECLARE_TYPES | Permissions::POINTER_ARITHMETIC);
    /// ```
    pub fn data_only() -> Policy {
        Policy::of(DATA, true)
    }

    /// The host's types and functions, and callbacks for them; nothing else. Checked.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// assert!(Policy::declared_only().permissions().contains(Permissions::CALL));
    /// assert!(!Policy::declared_only().permissions().contains(Permissions::DECLARE_TYPES));
    /// ```
    pub fn declared_only() -> Policy {
        Policy::of(DECLARED, true)
    }

    /// The permissions.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let names: Vec<_> = Policy::data_only().permissions().names().collect();
    /// assert_eq!(names, ["declare_types", "pointer_arithmetic"]);
    /// ```
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Adds permissions.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let policy = Policy::data_only().allow(Permissions::CALL | Permissions::CALLBACKS);
    /// assert!(policy.permissions().contains(Permissions::CALLBACKS));
    /// ```
    #[must_use]
    pub fn allow(mut self, permissions: Permissions) -> Policy {
        self.permissions |= permissions;
        self
    }

    /// Takes permissions away.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let policy = Policy::declared_only().deny(Permissions::CALLBACKS);
    /// assert!(!policy.permissions().contains(Permissions::CALLBACKS));
    /// ```
    #[must_use]
    pub fn deny(mut self, permissions: Permissions) -> Policy {
        self.permissions -= permissions;
        self
    }

    /// `ffi.load` opens these libraries only.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// let policy = Policy::declared_only().allow(Permissions::LOAD).only_libraries(["z", "png16"]);
    /// assert!(policy.libraries.has("z") && !policy.libraries.has("c"));
    /// ```
    #[must_use]
    pub fn only_libraries(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Policy {
        self.libraries = Names::Only(names.into_iter().map(Into::into).collect());
        self
    }

    /// These symbols can be looked up, and no others.
    ///
    /// ```
    /// use cthunk::Policy;
    ///
    /// let policy = Policy::declared_only().only_symbols(["crc32"]);
    /// assert!(policy.symbols.has("crc32") && !policy.symbols.has("system"));
    /// ```
    #[must_use]
    pub fn only_symbols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Policy {
        self.symbols = Names::Only(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the limits.
    ///
    /// ```
    /// use cthunk::{Limits, Policy};
    ///
    /// let limits = Limits { cdata_bytes: Some(16 << 20), ..Limits::default() };
    /// assert_eq!(Policy::data_only().limits(limits).limits.cdata_bytes, Some(16 << 20));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Policy {
        self.limits = limits;
        self
    }

    /// Sets whether accesses are checked.
    ///
    /// ```
    /// use cthunk::Policy;
    ///
    /// assert!(Policy::data_only().confines().is_ok());
    /// assert!(Policy::data_only().checked(false).confines().is_err());
    /// ```
    #[must_use]
    pub fn checked(mut self, checked: bool) -> Policy {
        self.checked = checked;
        self
    }

    /// Checks that a script reaches only memory that it was given.
    ///
    /// ```
    /// use cthunk::{Permissions, Policy};
    ///
    /// assert!(Policy::declared_only().confines().is_ok());
    /// let reason = Policy::declared_only().allow(Permissions::VARARGS).confines().unwrap_err();
    /// assert_eq!(reason.to_string(), "this policy lets a script reach any memory, by permission `varargs`");
    /// ```
    ///
    /// # Errors
    /// The reason why it can reach more.
    pub fn confines(&self) -> Result<(), Unconfined> {
        if !self.checked {
            return Err(Unconfined::Unchecked);
        }
        match self.permissions.unconfined() {
            none if none.is_empty() => Ok(()),
            some => Err(Unconfined::Permission(some)),
        }
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
    /// Each of these permissions suffices.
    #[error("this policy lets a script reach any memory, by permission {}", .0.listed())]
    Permission(Permissions),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_permission() {
        let refusal = Permissions::empty().require(Permissions::INTEGER_TO_POINTER).unwrap_err();
        let text = "not permitted: integer-to-pointer casts (permission `integer_to_pointer`)";
        assert_eq!(refusal.to_string(), text);
    }

    #[test]
    fn every_permission_is_described_by_its_name() {
        for (name, permission) in Permissions::all().iter_names() {
            let names: Vec<_> = permission.names().collect();
            assert_eq!(names, [name.to_lowercase()]);
        }
        assert_eq!(Permissions::all().names().count(), DESCRIPTIONS.len());
    }

    #[test]
    fn presets_confine_but_for_open() {
        assert_eq!(Policy::open().confines(), Err(Unconfined::Unchecked));
        assert_eq!(Policy::data_only().confines(), Ok(()));
        assert_eq!(Policy::declared_only().confines(), Ok(()));
        let with_load = Policy::data_only().allow(Permissions::LOAD);
        assert_eq!(with_load.confines(), Err(Unconfined::Permission(Permissions::LOAD)));
        assert_eq!(
            Policy::data_only().checked(false).confines(),
            Err(Unconfined::Unchecked),
            "the bounds are what confines"
        );
    }
}
