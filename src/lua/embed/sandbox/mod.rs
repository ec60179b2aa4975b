//! A Lua state for scripts that nobody trusts, with everything that such a state needs.

mod library;
mod pattern;
mod strings;

use std::sync::Arc;
use std::time::Duration;

use mlua::{FromLuaMulti, Function, IntoLua, IntoLuaMulti, Lua, LuaOptions, StdLib, Table};

use super::Ffi;
use crate::error::Error;
use crate::lua::object::metatype;
use crate::lua::vm::api;
use crate::lua::vm::budget::{Budget, Spent};
use crate::policy::Policy;

/// A Lua state for scripts that nobody trusts: a part of Lua's library, an `ffi` table, and bounds of memory, time and steps.
///
/// ```
/// use std::time::Duration;
///
/// use cthunk::{Error, Sandbox};
///
/// let sandbox = Sandbox::builder().time(Duration::from_millis(50)).build()?;
/// sandbox.ffi().function("double hypot(double x, double y);", f64::hypot)?;
/// let length: f64 = sandbox.run("plugin", "local ffi = require 'ffi' return ffi.C.hypot(3, 4)")?;
/// assert_eq!(length, 5.0);
/// let error = sandbox.run::<()>("plugin", "while true do pcall(error) end").unwrap_err();
/// assert!(matches!(error.downcast_ref(), Some(Error::Deadline)));
/// # Ok::<(), mlua::Error>(())
/// ```
#[derive(Debug)]
pub struct Sandbox {
    // Before the state, which may close with it.
    ffi: Ffi,
    modules: Table,
    budget: Arc<Budget>,
    memory: usize,
    lua: Lua,
}

/// The configuration of a new [`Sandbox`].
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    policy: Policy,
    memory: usize,
    time: Option<Duration>,
    steps: Option<u64>,
    modules: Vec<(String, String)>,
}

impl Default for SandboxBuilder {
    fn default() -> SandboxBuilder {
        SandboxBuilder {
            policy: Policy::declared_only(),
            memory: 64 << 20,
            time: Some(Duration::from_secs(1)),
            steps: None,
            modules: Vec::new(),
        }
    }
}

impl SandboxBuilder {
    /// The policy of the `ffi` table. The default is [`Policy::declared_only`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> SandboxBuilder {
        self.policy = policy;
        self
    }

    /// How many bytes Lua may use. The default is 64 MiB.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> SandboxBuilder {
        self.memory = bytes;
        self
    }

    /// How long each call of the host may take. The default is 1 second.
    #[must_use]
    pub fn time(mut self, time: Duration) -> SandboxBuilder {
        self.time = Some(time);
        self
    }

    /// How many steps each call of the host may take.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> SandboxBuilder {
        self.steps = Some(steps);
        self
    }

    /// Lets `require(name)` run a text, once.
    #[must_use]
    pub fn module(mut self, name: impl Into<String>, source: impl Into<String>) -> SandboxBuilder {
        self.modules.push((name.into(), source.into()));
        self
    }

    /// Makes the Lua state.
    ///
    /// # Errors
    /// A policy that does not [confine](Policy::confines); out of memory.
    pub fn build(self) -> mlua::Result<Sandbox> {
        let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
        let budget = Arc::new(Budget::new(self.time, self.steps));
        let own = &budget;
        // SAFETY: a protected call, with stack slots to spare, of a state that has no coroutines.
        unsafe { lua.exec_raw::<()>((), move |lua| api::watch(lua, own))? };
        let running = budget.begin();
        let ffi = Ffi::builder().policy(self.policy).install(&lua)?;
        let (modules, sources) = (lua.create_table()?, lua.create_table()?);
        modules.set("ffi", ffi.table())?;
        for (name, source) in self.modules {
            sources.set(name, source)?;
        }
        library::install(&lua, &ffi, &modules, &sources)?;
        lua.globals().set("ffi", ffi.table())?;
        lua.set_memory_limit(self.memory)?;
        drop(running);
        Ok(Sandbox { ffi, modules, budget, memory: self.memory, lua })
    }
}

impl Sandbox {
    /// A Lua state with the defaults of [`Sandbox::builder`].
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> mlua::Result<Sandbox> {
        Sandbox::builder().build()
    }

    /// A configuration.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// The `ffi` table, by which the host declares types and functions.
    pub fn ffi(&self) -> &Ffi {
        &self.ffi
    }

    /// The Lua state. Call its functions by [`Sandbox::call`] or inside of [`Sandbox::enter`], which give each call a budget.
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Lets `require(name)` give a value.
    ///
    /// # Errors
    /// Out of memory.
    pub fn set_module(&self, name: &str, value: impl IntoLua) -> mlua::Result<()> {
        self.modules.set(name, value)
    }

    /// Compiles and runs a text, under a budget of its own.
    ///
    /// # Errors
    /// Those of [`Sandbox::call`]; a text that does not compile, or is not text.
    pub fn run<T: FromLuaMulti>(&self, name: &str, source: impl AsRef<[u8]>) -> mlua::Result<T> {
        self.enter(|| self.load(name, source)?.call(()))
    }

    /// Compiles a text.
    ///
    /// # Errors
    /// A text that does not compile, or is not text.
    pub fn load(&self, name: &str, source: impl AsRef<[u8]>) -> mlua::Result<Function> {
        let source = source.as_ref();
        if let Some(reason) = library::reason_against(source) {
            return Err(mlua::Error::runtime(reason));
        }
        let chunk = self.lua.load(source).set_name(format!("@{name}"));
        chunk.set_mode(mlua::chunk::ChunkMode::Text).into_function()
    }

    /// Calls a function, under a budget of its own.
    ///
    /// # Errors
    /// [`Error::Deadline`] or [`Error::Steps`] where the budget is spent, whatever the script does about it; the script's own errors.
    pub fn call<T: FromLuaMulti>(
        &self,
        function: &Function,
        arguments: impl IntoLuaMulti,
    ) -> mlua::Result<T> {
        self.enter(|| function.call(arguments))
    }

    /// Runs `f` under a budget: all Lua code that it calls shares the time and the steps.
    ///
    /// # Errors
    /// As [`Sandbox::call`].
    pub fn enter<T>(&self, f: impl FnOnce() -> mlua::Result<T>) -> mlua::Result<T> {
        let running = self.budget.begin();
        let result = f();
        if result.is_err() && self.lua.used_memory() > self.memory / 2 {
            // Not every Lua collects garbage before it runs out of memory. What the collection raises is no error of the call.
            _ = self.lua.gc_collect();
        }
        let spent = self.budget.spent();
        drop(running);
        match spent {
            None => result,
            Some(Spent::Time) => Err(mlua::Error::external(Error::Deadline)),
            Some(Spent::Steps) => Err(mlua::Error::external(Error::Steps)),
        }
    }

    /// Collects garbage, and runs the finalisers of C values that wait, under a budget of its own.
    ///
    /// # Errors
    /// As [`Sandbox::call`].
    pub fn collect(&self) -> mlua::Result<()> {
        self.enter(|| {
            self.lua.gc_collect()?;
            self.ffi.enter(|cx| {
                metatype::run_late(cx);
                Ok(())
            })
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // An error, above all that the budget is spent, does not keep the state open.
        let _ = self.collect();
    }
}
