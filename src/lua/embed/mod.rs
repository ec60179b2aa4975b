//! The library in a host program: an `ffi` table under a policy, and its use from Rust.

mod expose;
pub(super) mod host;
mod inspect;
mod lend;
mod sandbox;
mod threads;
mod value;

use std::ffi::c_int;
use std::sync::Arc;

pub use inspect::{CallbackInUse, Counters, Refused, ThunkInUse};
pub use sandbox::{Sandbox, SandboxBuilder};
pub use value::CValue;

use crate::lua::call;
use crate::lua::library::clib::{self, Code, search};
use crate::lua::object::ctypes;
use crate::lua::state::head::Head;
use crate::lua::state::machine::Machine;
use crate::lua::state::{Cx, LuaError, State, guard_in};
use crate::lua::vm::api;
use crate::policy::{Permissions, Policy};

/// An `ffi` table that a host installed in a Lua state, with a policy of its own.
///
/// One Lua state can have several, and they share nothing: a C value of one is no C value for another.
///
/// ```
/// use cthunk::{Ffi, Policy};
///
/// let lua = mlua::Lua::new();
/// let ffi = Ffi::builder().policy(Policy::data_only()).global("ffi").install(&lua)?;
/// let n: i64 = lua.load("ffi.cdef 'struct point { int x, y; };' return ffi.sizeof 'struct point'").eval()?;
/// assert_eq!(n, 8);
/// let refused = lua.load("ffi.load 'z'").exec().unwrap_err().to_string();
/// assert!(refused.contains("not permitted: loading libraries (permission `load`)"));
/// # Ok::<(), mlua::Error>(())
/// ```
#[derive(Clone)]
pub struct Ffi {
    lua: mlua::WeakLua,
    head: Link,
    table: mlua::Table,
    policy: Arc<Policy>,
}

/// Leads to the head of the state; valid as long as the Lua state lives.
#[derive(Clone, Copy)]
struct Link(*const Head);

// SAFETY: it is followed within calls of the Lua state alone, and only one thread at a time is in one: mlua has a lock for that
// where threads can have handles of the state, which is where its `send` is on.
unsafe impl Send for Link {}
// SAFETY: as for `Send`: one thread at a time is in a call of the Lua state.
unsafe impl Sync for Link {}

/// The configuration of a new [`Ffi`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    policy: Policy,
    global: Option<String>,
    preload: Vec<String>,
}

impl Builder {
    /// Sets the policy. The default is [`Policy::declared_only`].
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// use cthunk::{Ffi, Policy};
    ///
    /// let ffi = Ffi::builder().policy(Policy::data_only()).global("ffi").install(&lua)?;
    /// assert_eq!(lua.load("return ffi.new('int [3]', 5)[0]").eval::<i64>()?, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Builder {
        self.policy = policy;
        self
    }

    /// Also stores the table in a global variable.
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// let ffi = cthunk::Ffi::builder().global("C").install(&lua)?;
    /// assert_eq!(lua.load("return C.sizeof 'double'").eval::<i64>()?, 8);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn global(mut self, name: impl Into<String>) -> Builder {
        self.global = Some(name.into());
        self
    }

    /// Also makes `require(name)` return the table; in Luau, `require("@name")`. Call it again for another name.
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// let ffi = cthunk::Ffi::builder().preload("ffi").preload("cffi").install(&lua)?;
    /// assert!(lua.load("return require 'ffi' == require 'cffi'").eval::<bool>()?);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn preload(mut self, name: impl Into<String>) -> Builder {
        self.preload.push(name.into());
        self
    }

    /// Names the machine code of all functions that are compiled from now on, in the whole process, for profilers and debuggers:
    /// [`crate::code::observe`].
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// // `perf record` shows "int one(void)" instead of an address.
    /// let ffi = cthunk::Ffi::builder().observe().global("ffi").install(&lua)?;
    /// ffi.function("int one(void);", || 1)?;
    /// assert_eq!(lua.load("return ffi.C.one()").eval::<i64>()?, 1);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn observe(self) -> Builder {
        crate::code::observe::observe(true);
        self
    }

    /// Installs a table whose policy [confines](Policy::confines) scripts.
    ///
    /// The host decides what else scripts get. `docs/security.md` lists the parts of Lua's own library that undo the policy (`debug`,
    /// binary chunks, C modules). `mlua::Lua::new`, with text chunks, has none of them.
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// use cthunk::{Ffi, Policy};
    ///
    /// assert!(Ffi::builder().install(&lua).is_ok());
    /// let refused = Ffi::builder().policy(Policy::open()).install(&lua).unwrap_err();
    /// assert!(refused.to_string().contains("lets a script reach any memory"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// A policy that does not confine; out of memory.
    pub fn install(self, lua: &mlua::Lua) -> mlua::Result<Ffi> {
        self.policy.confines().map_err(mlua::Error::external)?;
        self.build(lua)
    }

    /// Installs a table with any policy.
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// use cthunk::{Ffi, Permissions, Policy};
    ///
    /// let policy = Policy::open().deny(Permissions::LOAD);
    /// let ffi = Ffi::builder().policy(policy).global("ffi");
    /// // SAFETY: the scripts are the lines below.
    /// let ffi = unsafe { ffi.install_unconfined(&lua)? };
    /// lua.load("ffi.cdef 'int abs(int);' assert(ffi.C.abs(-5) == 5)").exec()?;
    /// assert!(lua.load("ffi.load 'm'").exec().is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Safety
    /// Scripts that can use the table do nothing with it that would be undefined behaviour in C.
    ///
    /// # Errors
    /// Out of memory.
    pub unsafe fn install_unconfined(self, lua: &mlua::Lua) -> mlua::Result<Ffi> {
        self.build(lua)
    }

    fn build(self, lua: &mlua::Lua) -> mlua::Result<Ffi> {
        let policy = Arc::new(self.policy);
        let mut head = std::ptr::null();
        let (made, own) = (&mut head, &*policy);
        // SAFETY: a protected call, with stack slots to spare; the table is left on the stack.
        let table: mlua::Table = unsafe {
            lua.exec_raw((), move |state| {
                *made = State::make(
                    state,
                    None,
                    Machine::host(),
                    own,
                    &crate::lua::library::rooms::ROOMS,
                );
                crate::lua::library::push_library_in(state, *made);
            })?
        };
        let ffi = Ffi { lua: lua.weak(), head: Link(head), table, policy };
        if let Some(name) = self.global {
            lua.globals().set(name, &ffi.table)?;
        }
        for name in &self.preload {
            let table = ffi.table.clone();
            let loader = lua.create_function(move |_, _: mlua::MultiValue| Ok(table.clone()))?;
            api::preload(lua, name, &loader)?;
        }
        Ok(ffi)
    }
}

impl Ffi {
    /// A table to install.
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// let ffi = cthunk::Ffi::builder().global("ffi").install(&lua)?;
    /// # let _ = ffi;
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Installs a table without restrictions, for scripts that the host trusts. It is only a value: [`Ffi::table`].
    ///
    /// ```
    /// # let lua = mlua::Lua::new();
    /// // SAFETY: the script is the line below.
    /// let ffi = unsafe { cthunk::Ffi::open(&lua)? };
    /// let script = lua.load("local ffi = ... ffi.cdef 'int abs(int);' return ffi.C.abs(-5)").into_function()?;
    /// assert_eq!(script.call::<i64>(ffi.table())?, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Safety
    /// As for [`Builder::install_unconfined`].
    ///
    /// # Errors
    /// Out of memory.
    pub unsafe fn open(lua: &mlua::Lua) -> mlua::Result<Ffi> {
        // SAFETY: the caller trusts the scripts, as `install_unconfined` asks.
        unsafe { Ffi::builder().policy(Policy::open()).install_unconfined(lua) }
    }

    /// The `ffi` table.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// let environment = lua.create_table()?;
    /// environment.set("ffi", ffi.table())?;
    /// let script = lua.load("return ffi.sizeof 'short'").set_environment(environment);
    /// assert_eq!(script.eval::<i64>()?, 2);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn table(&self) -> &mlua::Table {
        &self.table
    }

    /// The policy of the table.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// use cthunk::Permissions;
    ///
    /// assert!(!ffi.policy().permissions().contains(Permissions::LOAD));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Declares types, as `ffi.cdef` does, but no functions and variables.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.declare_types("typedef struct { double x, y; } point;")?;
    /// assert_eq!(lua.load("return ffi.new('point', 1, 2).y").eval::<f64>()?, 2.0);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// The errors keep their places:
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().install(&lua)?;
    /// use cthunk::Error;
    ///
    /// let error = ffi.declare_types("struct point { int x;\n unt y; };").unwrap_err();
    /// let Some(Error::Declaration(errors)) = error.downcast_ref() else { panic!("{error}") };
    /// let first = errors.iter().next().expect("at least one");
    /// assert_eq!((first.line, first.column), (2, 2));
    /// assert_eq!(first.hint.as_deref(), Some("did you mean 'int'?"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// All errors of the text, as an [`Error::Declaration`](crate::Error::Declaration). After an error nothing of the text is declared.
    pub fn declare_types(&self, text: &str) -> mlua::Result<()> {
        self.cdef(text, Permissions::all() - Permissions::DECLARE_FUNCTIONS)
    }

    /// Declares types, functions and variables, even if scripts may not. Scripts that may [call](Permissions::CALL) find the functions as
    /// `ffi.C.name`.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// // SAFETY: that is what the C library has.
    /// unsafe { ffi.declare("int abs(int n);")? };
    /// assert_eq!(lua.load("return ffi.C.abs(-5)").eval::<i64>()?, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Safety
    /// The declarations describe the functions and variables that have these names. Scripts can call the functions with any arguments
    /// that convert to the parameters' types and keep the contracts of the declarations.
    ///
    /// # Errors
    /// All errors of the text. After an error nothing of the text is declared.
    pub unsafe fn declare(&self, text: &str) -> mlua::Result<()> {
        self.cdef(text, Permissions::all())
    }

    /// Opens a library, even if scripts may not, and returns the value that `ffi.load` would return. The host gives it to scripts.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// # if cfg!(target_os = "linux") {
    /// // SAFETY: the C library is loaded anyway, and has the function.
    /// let library = unsafe {
    ///     ffi.declare("int abs(int n);")?;
    ///     ffi.load("libc.so.6")?
    /// };
    /// lua.globals().set("libc", library)?;
    /// assert_eq!(lua.load("return libc.abs(-5)").eval::<i64>()?, 5);
    /// # }
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Safety
    /// The code that the library runs when it is loaded is sound in this process. As for [`Ffi::declare`], the declarations describe the
    /// library's functions.
    ///
    /// # Errors
    /// The loader's message.
    pub unsafe fn load(&self, name: &str) -> mlua::Result<mlua::AnyUserData> {
        self.call((), |cx| {
            let library = search::open(name, false).map_err(LuaError::new)?;
            cx.push_nil();
            clib::push(cx, Code::Host(library));
            Ok(1)
        })
    }

    /// Takes a function back: from now on it is a Lua error to look the name up, to call what was looked up under it, by any closure or pointer,
    /// and to pass it to C. C code that already has the pointer keeps it.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.closure("int one(void);", || 1)?;
    /// lua.load("kept = ffi.C.one assert(kept() == 1)").exec()?;
    /// ffi.revoke("one")?;
    /// let error = lua.load("kept()").exec().unwrap_err().to_string();
    /// assert!(error.contains("the host has taken 'one' back"));
    /// assert!(lua.load("ffi.C.one()").exec().is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The policy does not check memory, so that calls are not checked, either.
    pub fn revoke(&self, name: &str) -> mlua::Result<()> {
        self.enter(|cx| {
            cx.state.revoke(name)?;
            call::close_revoked(cx);
            Ok(())
        })
    }

    /// [`Ffi::revoke`] for all functions of a library that [`Ffi::load`] gave. Nothing is looked up in it any more. It stays loaded.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// # if cfg!(target_os = "linux") {
    /// // SAFETY: the C library is loaded anyway, and has the function.
    /// let library = unsafe {
    ///     ffi.declare("int abs(int n);")?;
    ///     ffi.load("libc.so.6")?
    /// };
    /// lua.globals().set("libc", &library)?;
    /// lua.load("kept = libc.abs assert(kept(-1) == 1)").exec()?;
    /// ffi.revoke_library(&library)?;
    /// assert!(lua.load("kept(-1)").exec().is_err());
    /// # }
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Ffi::revoke`]; it is no library of this table.
    pub fn revoke_library(&self, library: &mlua::AnyUserData) -> mlua::Result<()> {
        self.call(library, |cx| {
            clib::revoke(cx, 1)?;
            call::close_revoked(cx);
            Ok(0)
        })
    }

    /// The Lua state. (mlua's own handles panic where it is closed.)
    fn open_lua(&self) -> mlua::Result<mlua::Lua> {
        self.lua.try_upgrade().ok_or_else(closed)
    }

    fn cdef(&self, text: &str, permissions: Permissions) -> mlua::Result<()> {
        self.enter(|cx| ctypes::declare(cx, text.as_bytes(), permissions))
    }

    /// Runs `f` inside a protected call of the Lua state.
    fn enter<T>(&self, f: impl FnOnce(&Cx<'_>) -> Result<T, LuaError>) -> mlua::Result<T> {
        let mut value = None;
        let result = &mut value;
        self.call::<()>((), move |cx| {
            *result = Some(f(cx)?);
            Ok(0)
        })?;
        value.ok_or_else(closed)
    }

    /// Runs `f` inside a protected call of the Lua state, on a stack that holds the arguments, and returns the values that it
    /// leaves on top and counts. The host gets an error of a stage as it is, a [`crate::Error`].
    fn call<T: mlua::FromLuaMulti>(
        &self,
        arguments: impl mlua::IntoLuaMulti,
        f: impl FnOnce(&Cx<'_>) -> Result<c_int, LuaError>,
    ) -> mlua::Result<T> {
        let lua = self.open_lua()?;
        let Link(head) = self.head;
        let mut failure = None;
        let failed = &mut failure;
        // SAFETY: the Lua state lives, and so does the head; what the closure holds is dropped before an error is raised.
        let result = unsafe {
            lua.exec_raw(arguments, move |state| {
                guard_in(state, head, |cx| {
                    let results = match f(cx) {
                        Err(LuaError::Stage(error)) => {
                            *failed = Some(error);
                            0
                        }
                        other => other?,
                    };
                    while cx.top() > results {
                        cx.remove(1);
                    }
                    Ok(results)
                });
            })
        };
        match failure {
            Some(error) => Err(mlua::Error::external(*error)),
            None => result,
        }
    }
}

fn closed() -> mlua::Error {
    mlua::Error::runtime("the Lua state of this ffi library is closed")
}

impl std::fmt::Debug for Ffi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ffi").field("policy", &self.policy).finish_non_exhaustive()
    }
}
