//! Functions of the host that scripts call as `ffi.C.name`.

use std::ffi::c_void;

use super::Ffi;
use crate::abi::{Convention, FrameLayout, Signature};
use crate::ctype::{ScopeId, Type};
use crate::lua::library::exposed;
use crate::lua::object::ctypes;
use crate::lua::state::{Cx, LuaError};
use crate::native::rust::{CFunction, Shapes};
use crate::policy::Permissions;

impl Ffi {
    /// Declares a function of the host, which scripts call as `ffi.C.name`. The declaration must have the types of the Rust function, which
    /// are scalars. A Rust function or closure is compiled as a C function, and C gets zeros where it panics; a pointer to an
    /// `extern "C"` function is called directly:
    ///
    /// ```
    /// use std::ffi::c_int;
    ///
    /// use cthunk::{Ffi, Policy};
    ///
    /// fn add(a: c_int, b: c_int) -> c_int {
    ///     a + b
    /// }
    ///
    /// extern "C" fn subtract(a: c_int, b: c_int) -> c_int {
    ///     a - b
    /// }
    ///
    /// let lua = mlua::Lua::new();
    /// let ffi = Ffi::builder().policy(Policy::declared_only()).global("ffi").install(&lua)?;
    /// ffi.function("int add(int a, int b);", add)?;
    /// ffi.function("double hypot(double a, double b);", f64::hypot)?;
    /// ffi.function("int subtract(int a, int b);", subtract as extern "C" fn(_, _) -> _)?;
    /// assert_eq!(lua.load("return ffi.C.add(1, 2)").eval::<i64>()?, 3);
    /// assert_eq!(lua.load("return ffi.C.hypot(3, 4)").eval::<f64>()?, 5.0);
    /// assert_eq!(lua.load("return ffi.C.subtract(1, 2)").eval::<i64>()?, -1);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// A function that C cannot call is no argument:
    ///
    /// ```compile_fail,E0277
    /// # let lua = mlua::Lua::new();
    /// # let ffi = cthunk::Ffi::builder().install(&lua)?;
    /// fn length(text: String) -> usize {
    ///     text.len()
    /// }
    /// ffi.function("size_t length(const char *text);", length)?;
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// A declaration that does not parse, that declares no function, or that has other types; no memory for code.
    pub fn function<A, F: CFunction<A>>(&self, declaration: &str, function: F) -> mlua::Result<()> {
        self.enter(|cx| {
            let declared = Declared::parse(cx, declaration)?;
            declared.check(&F::shapes())?;
            match function.into_address() {
                Ok(address) => declared.expose(cx, address),
                Err(closure) => declared.expose_closure(cx, closure),
            }
        })
    }

    /// [`Ffi::function`] for a function whose types Rust does not check: `unsafe extern "C"` ones, with structs, variadic.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// use std::ffi::c_void;
    ///
    /// #[repr(C)]
    /// struct Point {
    ///     x: f64,
    ///     y: f64,
    /// }
    /// extern "C" fn length(point: Point) -> f64 {
    ///     point.x.hypot(point.y)
    /// }
    ///
    /// ffi.declare_types("typedef struct { double x, y; } point;")?;
    /// // SAFETY: the types are the same.
    /// unsafe { ffi.function_at("double length(point p);", length as *const c_void)? };
    /// assert_eq!(lua.load("return ffi.C.length({3, 4})").eval::<f64>()?, 5.0);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Safety
    /// The address is that of a function that the declaration describes, and it stays one for as long as the Lua state lives. As
    /// for [`Ffi::declare`], scripts can call it with any arguments that keep the declared contracts.
    ///
    /// # Errors
    /// As [`Ffi::function`].
    pub unsafe fn function_at(
        &self,
        declaration: &str,
        address: *const c_void,
    ) -> mlua::Result<()> {
        self.enter(|cx| Declared::parse(cx, declaration)?.expose(cx, address))
    }

    /// Declares a Rust closure, which scripts call as `ffi.C.name`. It is a C function, which scripts can also pass to C. If it panics, C
    /// gets zeros, and the panic is reported on standard error.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// let rate = 1.5;
    /// ffi.closure("double scaled(double x);", move |x: f64| x * rate)?;
    /// assert_eq!(lua.load("return ffi.C.scaled(4)").eval::<f64>()?, 6.0);
    /// let wrong = ffi.closure("float wrong(double x);", |x: f64| x).unwrap_err();
    /// assert!(wrong.to_string().contains("the result is declared as another type"));
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Ffi::function`].
    pub fn closure<A, F: CFunction<A>>(&self, declaration: &str, closure: F) -> mlua::Result<()> {
        self.enter(|cx| {
            let declared = Declared::parse(cx, declaration)?;
            declared.check(&F::shapes())?;
            declared.expose_closure(cx, closure)
        })
    }
}

/// A declaration of one function.
struct Declared<'t> {
    text: &'t str,
    name: String,
    signature: Signature,
    convention: &'static Convention,
}

impl<'t> Declared<'t> {
    fn parse(cx: &Cx<'_>, text: &'t str) -> Result<Declared<'t>, LuaError> {
        let mut types = cx.state.types.borrow_mut();
        let outermost = types.enter(ScopeId::ROOT).ok_or_else(|| LuaError::new("no scope"))?;
        let (name, ty) = outermost.parse_one(text.as_bytes())?;
        let table = outermost.table();
        let (Some(name), Type::Function(_)) = (name, table.get(ty.id())) else {
            return Err(LuaError::new(format!("'{text}' does not declare a function")));
        };
        let (signature, convention) = Signature::of(table, &cx.state.machine.target, ty.id(), &[])?;
        Ok(Declared { text, name: table.name(name).to_owned(), signature, convention })
    }

    fn check(&self, shapes: &Shapes) -> Result<(), LuaError> {
        shapes.check(&self.signature).map_err(|wrong| {
            LuaError::new(format!("'{}' does not fit the Rust function: {wrong}", self.text))
        })
    }

    /// Exposes an entry for a closure of the shapes that were checked.
    fn expose_closure<A, F: CFunction<A>>(self, cx: &Cx<'_>, closure: F) -> Result<(), LuaError> {
        let run = Box::new(move |frame: *mut u8, layout: &FrameLayout| {
            // SAFETY: the Frame is one of the declared signature, whose shapes were checked.
            unsafe { closure.run(frame, layout) }
        });
        let entry = exposed::entry(self.text, &self.signature, self.convention, run)?;
        let address = exposed::keep(cx.state, entry);
        self.expose(cx, address)
    }

    fn expose(self, cx: &Cx<'_>, address: *const c_void) -> Result<(), LuaError> {
        let text = format!("{};", self.text.trim_end().trim_end_matches(';'));
        ctypes::declare(cx, text.as_bytes(), Permissions::all())?;
        let name = self.name.into_bytes().into_boxed_slice();
        exposed::name(cx.state, name, address);
        Ok(())
    }
}
