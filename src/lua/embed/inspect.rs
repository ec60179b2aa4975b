//! The libraries, symbols, thunks, callbacks and bytes that a table uses.

use std::rc::Rc;

use super::Ffi;
use crate::lua::callback;
use crate::lua::library::clib;
use crate::lua::sandbox::inventory::LookedUp;
pub use crate::lua::state::refusals::Refused;

/// Counts of a table's libraries, symbols, thunks, callbacks and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Libraries that are open, `ffi.C` included.
    pub libraries: usize,
    /// Symbols that were looked up.
    pub symbols: usize,
    /// Thunks of its functions.
    pub thunks: usize,
    /// Bytes of their code, which they may share with other tables.
    pub thunk_bytes: usize,
    /// Callbacks of scripts.
    pub callbacks: usize,
    /// Bytes of all texts that were parsed for scripts.
    pub declaration_bytes: usize,
    /// Operations that the policy refused.
    pub refusals: u64,
    /// Bytes of its C values, including those that wait to be collected; 0 if the policy does not limit them.
    pub cdata_bytes: usize,
}

/// A thunk that a table uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThunkInUse {
    /// Where it is.
    pub address: usize,
    /// Bytes.
    pub size: usize,
}

/// A callback that a script made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallbackInUse {
    /// The C function pointer.
    pub address: usize,
}

impl Ffi {
    /// Counts of the table. [`crate::code::stats`] has those of the process.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.closure("int one(void);", || 1)?;
    /// lua.load("ffi.C.one()").exec()?;
    /// assert_eq!(ffi.counters()?.symbols, 1);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn counters(&self) -> mlua::Result<Counters> {
        self.enter(|cx| {
            let inventory = cx.state.inventory();
            let thunks = inventory.thunks.borrow();
            Ok(Counters {
                libraries: clib::count(cx.state),
                symbols: inventory.symbols.borrow().len(),
                thunks: thunks.len(),
                thunk_bytes: thunks.values().map(|size| *size as usize).sum(),
                callbacks: inventory.callbacks.get(),
                declaration_bytes: inventory.text_bytes.get(),
                cdata_bytes: inventory.owned_bytes.get(),
                refusals: cx.state.refusals.count(),
            })
        })
    }

    /// The last 100 operations that the policy refused, the oldest first, even if the script caught the error.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// lua.load("pcall(ffi.load, 'z')").set_name("@plugin").exec()?;
    /// let refused = &ffi.refusals()?[0];
    /// assert_eq!(refused.reason, "not permitted: loading libraries (permission `load`)");
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn refusals(&self) -> mlua::Result<Vec<Refused>> {
        self.enter(|cx| Ok(cx.state.refusals.last()))
    }

    /// Calls `observer` at each operation that the policy refuses, before the script gets the error. It must not use the Lua state.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.on_refusal(|refused| eprintln!("{}: {}", refused.place, refused.reason))?;
    /// assert!(lua.load("ffi.load 'z'").exec().is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn on_refusal(&self, observer: impl Fn(&Refused) + Send + 'static) -> mlua::Result<()> {
        self.enter(|cx| {
            cx.state.refusals.observe(Rc::new(observer));
            Ok(())
        })
    }

    /// The libraries that are open, by name.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # // SAFETY: the scripts are below.
    /// # let ffi = unsafe { Ffi::open(&lua)? };
    /// # lua.globals().set("ffi", ffi.table())?;
    /// # if cfg!(target_os = "linux") {
    /// lua.load("libm = ffi.load 'libm.so.6'").exec()?;
    /// assert!(ffi.libraries()?.contains(&"libm.so.6".to_owned()));
    /// # }
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn libraries(&self) -> mlua::Result<Vec<String>> {
        self.enter(|cx| Ok(clib::names(cx.state)))
    }

    /// The symbols that were looked up, by name, with their addresses.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.function("int one(void);", || 1)?;
    /// lua.load("ffi.C.one()").exec()?;
    /// let symbols = ffi.symbols()?;
    /// assert_eq!((symbols.len(), symbols[0].0.as_str()), (1, "one"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn symbols(&self) -> mlua::Result<Vec<(String, usize)>> {
        self.enter(|cx| {
            let symbols = cx.state.inventory().symbols.borrow();
            let symbol =
                |symbol: &LookedUp| (symbol.name.to_string_lossy().into_owned(), symbol.address);
            let mut symbols: Vec<_> = symbols.iter().map(symbol).collect();
            symbols.sort_unstable();
            Ok(symbols)
        })
    }

    /// The thunks that functions have, by address.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.function("int one(void);", || 1)?;
    /// lua.load("ffi.C.one()").exec()?;
    /// // A function gets one when it has been called some thousand times.
    /// assert!(ffi.thunks()?.len() <= 1);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn thunks(&self) -> mlua::Result<Vec<ThunkInUse>> {
        self.enter(|cx| {
            let thunks = cx.state.inventory().thunks.borrow();
            let thunk =
                |(&address, &size): (&usize, &u32)| ThunkInUse { address, size: size as usize };
            let mut thunks: Vec<_> = thunks.iter().map(thunk).collect();
            thunks.sort_unstable();
            Ok(thunks)
        })
    }

    /// The callbacks in use, by address.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # // SAFETY: the scripts are below.
    /// # let ffi = unsafe { Ffi::open(&lua)? };
    /// # lua.globals().set("ffi", ffi.table())?;
    /// lua.load("callback = ffi.cast('int (*)(int)', function(x) return x + 1 end)").exec()?;
    /// assert_eq!(ffi.callbacks()?.len(), 1);
    /// lua.load("callback:free()").exec()?;
    /// assert!(ffi.callbacks()?.is_empty());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn callbacks(&self) -> mlua::Result<Vec<CallbackInUse>> {
        self.enter(|cx| {
            let in_use = callback::in_use(cx.state).into_iter();
            let mut callbacks: Vec<_> = in_use.map(|address| CallbackInUse { address }).collect();
            callbacks.sort_unstable();
            Ok(callbacks)
        })
    }
}
