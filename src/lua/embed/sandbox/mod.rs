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
    ///
    /// ```
    /// use cthunk::{Policy, Sandbox};
    ///
    /// let sandbox = Sandbox::builder().policy(Policy::data_only()).build()?;
    /// assert_eq!(sandbox.run::<i64>("plugin", "return ffi.new('int [3]', 5)[2]")?, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> SandboxBuilder {
        self.policy = policy;
        self
    }

    /// How many bytes Lua may use. The default is 64 MiB.
    ///
    /// ```
    /// use cthunk::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().memory(8 << 20).build()?;
    /// let error = sandbox.run::<()>("plugin", "local s = 'x' while true do s = s .. s end").unwrap_err();
    /// assert!(error.to_string().contains("not enough memory"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> SandboxBuilder {
        self.memory = bytes;
        self
    }

    /// How long each call of the host may take. The default is 1 second.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cthunk::{Error, Sandbox};
    ///
    /// let sandbox = Sandbox::builder().time(Duration::from_millis(20)).build()?;
    /// let error = sandbox.run::<()>("plugin", "while true do end").unwrap_err();
    /// assert!(matches!(error.downcast_ref(), Some(Error::Deadline)));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn time(mut self, time: Duration) -> SandboxBuilder {
        self.time = Some(time);
        self
    }

    /// How many steps each call of the host may take.
    ///
    /// A step is an instruction of Lua, in Luau a call or a turn of a loop. The library takes steps for bytes, elements and characters that it
    /// works on. Without this there is no bound of steps.
    ///
    /// ```
    /// use cthunk::{Error, Sandbox};
    ///
    /// let sandbox = Sandbox::builder().steps(100_000).build()?;
    /// let error = sandbox.run::<()>("plugin", "while true do pcall(error) end").unwrap_err();
    /// assert!(matches!(error.downcast_ref(), Some(Error::Steps)));
    /// assert_eq!(sandbox.run::<i64>("plugin", "return 1")?, 1);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn steps(mut self, steps: u64) -> SandboxBuilder {
        self.steps = Some(steps);
        self
    }

    /// Lets `require(name)` run a text, once.
    ///
    /// ```
    /// use cthunk::Sandbox;
    ///
    /// let sandbox = Sandbox::builder().module("half", "return function(x) return x / 2 end").build()?;
    /// assert_eq!(sandbox.run::<f64>("plugin", "return require('half')(3)")?, 1.5);
    /// assert!(sandbox.run::<()>("plugin", "require 'socket'").is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    #[must_use]
    pub fn module(mut self, name: impl Into<String>, source: impl Into<String>) -> SandboxBuilder {
        self.modules.push((name.into(), source.into()));
        self
    }

    /// Makes the Lua state.
    ///
    /// ```
    /// use cthunk::{Policy, Sandbox};
    ///
    /// assert!(Sandbox::builder().build().is_ok());
    /// assert!(Sandbox::builder().policy(Policy::open()).build().is_err());
    /// ```
    ///
    /// # Errors
    /// A policy that does not [confine](Policy::confines); out of memory.
    pub fn build(self) -> mlua::Result<Sandbox> {
        let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
        let budget = Arc::new(Budget::new(self.time, self.steps, self.memory));
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
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// assert!(sandbox.run::<bool>("plugin", "return io == nil and os.execute == nil")?);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> mlua::Result<Sandbox> {
        Sandbox::builder().build()
    }

    /// A configuration.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::builder().memory(16 << 20).build()?;
    /// # let _ = sandbox;
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// The `ffi` table, by which the host declares types and functions.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// sandbox.ffi().declare_types("typedef struct { double x, y; } point;")?;
    /// sandbox.ffi().function("double sqrt(double x);", f64::sqrt)?;
    /// assert_eq!(sandbox.run::<f64>("plugin", "return ffi.C.sqrt(ffi.new('point', 4, 9).y)")?, 3.0);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn ffi(&self) -> &Ffi {
        &self.ffi
    }

    /// The Lua state. Call its functions by [`Sandbox::call`] or inside of [`Sandbox::enter`], which give each call a budget.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// sandbox.lua().globals().set("side", 4)?;
    /// assert_eq!(sandbox.run::<i64>("plugin", "return side * side")?, 16);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Lets `require(name)` give a value.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// let colours = sandbox.lua().create_table()?;
    /// colours.set("red", 0xff0000)?;
    /// sandbox.set_module("colours", colours)?;
    /// assert_eq!(sandbox.run::<i64>("plugin", "return require('colours').red")?, 0xff0000);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// Out of memory.
    pub fn set_module(&self, name: &str, value: impl IntoLua) -> mlua::Result<()> {
        self.modules.set(name, value)
    }

    /// Compiles and runs a text, under a budget of its own.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// assert_eq!(sandbox.run::<(i64, i64)>("plugin", "return 1, 2")?, (1, 2));
    /// let error = sandbox.run::<()>("plugin", "\nerror 'wrong'").unwrap_err();
    /// assert!(error.to_string().contains("plugin:2: wrong"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Sandbox::call`]; a text that does not compile, or is not text.
    pub fn run<T: FromLuaMulti>(&self, name: &str, source: impl AsRef<[u8]>) -> mlua::Result<T> {
        self.enter(|| self.load(name, source)?.call(()))
    }

    /// Compiles a text.
    ///
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// let twice = sandbox.load("plugin", "local x = ... return 2 * x")?;
    /// assert_eq!(sandbox.call::<i64>(&twice, 21)?, 42);
    /// assert!(sandbox.load("plugin", b"\x1bLua").is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
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
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// sandbox.run::<()>("plugin", "function on_click(x, y) return x + y end")?;
    /// let on_click: mlua::Function = sandbox.lua().globals().get("on_click")?;
    /// assert_eq!(sandbox.call::<i64>(&on_click, (1, 2))?, 3);
    /// # Ok::<(), mlua::Error>(())
    /// ```
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
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// let make = "return coroutine.create(function(a) local b = coroutine.yield(a + 1) return b + 1 end)";
    /// let co: mlua::Thread = sandbox.run("plugin", make)?;
    /// let sum = sandbox.enter(|| Ok(co.resume::<i64>(1)? + co.resume::<i64>(2)?))?;
    /// assert_eq!(sum, 5);
    /// # Ok::<(), mlua::Error>(())
    /// ```
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
    /// ```
    /// let sandbox = cthunk::Sandbox::new()?;
    /// sandbox.run::<()>("plugin", "do ffi.gc(ffi.new 'int[1]', function() gone = true end) end")?;
    /// sandbox.collect()?;
    /// assert!(sandbox.lua().globals().get::<bool>("gone")?);
    /// # Ok::<(), mlua::Error>(())
    /// ```
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
        let _ = self.ffi.enter(|cx| {
            cx.state.watch.close();
            Ok(())
        });
    }
}
