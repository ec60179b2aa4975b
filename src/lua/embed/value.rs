//! C values of a table, used from Rust.

use std::cell::Cell;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use bytemuck::Pod;
use mlua::{AnyUserData, FromLua, IntoLua, ObjectLike};

use super::{Ffi, closed};
use crate::lua::object::ctypes;
use crate::lua::object::make;
use crate::lua::state::{Cx, LuaError};
use crate::lua::value::cdata;
use crate::lua::value::to_c;

/// A C value that Lua holds.
///
/// ```
/// # use cthunk::{Ffi, Policy};
/// # let lua = mlua::Lua::new();
/// let ffi = Ffi::builder().policy(Policy::data_only()).global("ffi").install(&lua)?;
/// ffi.declare_types("struct point { int x, y; double weight[2]; };")?;
/// let point = ffi.new_value("struct point", (3, 4))?;
/// assert_eq!(point.get::<i64>("y")?, 4);
/// point.set("x", 30)?;
/// lua.globals().set("p", point.as_userdata())?;
/// assert_eq!(lua.load("return p.x + p.y").eval::<i64>()?, 34);
///
/// let weights = ffi.new_value("double [2]", (0.5, 1.5))?;
/// let sum: f64 = weights.view::<f64, _>(|cells| cells.iter().map(|cell| cell.get()).sum())?;
/// assert_eq!(sum, 2.0);
/// # Ok::<(), mlua::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CValue {
    ffi: Ffi,
    value: AnyUserData,
}

impl Ffi {
    /// A Lua value as a C value.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// let script = lua.load("return ffi.new('int [4]', {1, 2, 3, 4})");
    /// let array = ffi.value(script.eval()?)?;
    /// assert_eq!(array.get::<i64>(2)?, 3);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another Lua value, or a C value of another table.
    pub fn value(&self, value: AnyUserData) -> mlua::Result<CValue> {
        let is_ours: bool = self.call(&value, |cx| {
            cx.push_bool(cdata::at(cx, 1).is_some());
            Ok(1)
        })?;
        match is_ours {
            true => Ok(CValue { ffi: self.clone(), value }),
            false => Err(mlua::Error::runtime("not a C value of this ffi table")),
        }
    }

    /// A new C value of a type, with initialisers, as `ffi.new` makes it. The policy does not restrict the host.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.declare_types("struct point { int x, y; };")?;
    /// let point = ffi.new_value("struct point", (3, 4))?;
    /// assert_eq!(point.ctype()?, "struct point");
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// A type that does not parse; initialisers that do not convert; out of memory.
    pub fn new_value(
        &self,
        ctype: &str,
        initialisers: impl mlua::IntoLuaMulti,
    ) -> mlua::Result<CValue> {
        let value = self.call(initialisers, |cx| {
            let ty = ctypes::host_type(cx, ctype.as_bytes())?;
            ctypes::push(cx, ty);
            cx.insert(1);
            make::new(cx)?;
            Ok(1)
        })?;
        Ok(CValue { ffi: self.clone(), value })
    }
}

impl CValue {
    /// A field, by name, or an element, by number, as scripts see it and with the same checks: a number, a boolean, or the
    /// userdata of a C value.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.declare_types("struct point { int x, y; };")?;
    /// let point = ffi.new_value("struct point", (3, 4))?;
    /// assert_eq!(point.get::<i64>("y")?, 4);
    /// assert!(point.get::<i64>("z").is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no such field or element; it does not convert; a check fails; the Lua state is closed.
    pub fn get<T: FromLua>(&self, key: impl IntoLua) -> mlua::Result<T> {
        let _open = self.ffi.open_lua()?;
        self.value.get(key)
    }

    /// Assigns to a field or an element.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.declare_types("struct point { int x, y; };")?;
    /// let point = ffi.new_value("struct point", (3, 4))?;
    /// point.set("y", 40)?;
    /// assert_eq!(point.get::<i64>("y")?, 40);
    /// assert!(point.set("y", "forty").is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CValue::get`].
    pub fn set(&self, key: impl IntoLua, value: impl IntoLua) -> mlua::Result<()> {
        let _open = self.ffi.open_lua()?;
        self.value.set(key, value)
    }

    /// Its type, as C.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// let value = ffi.new_value("const unsigned char [2][3]", ())?;
    /// assert_eq!(value.ctype()?, "const unsigned char [2][3]");
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The Lua state is closed.
    pub fn ctype(&self) -> mlua::Result<String> {
        self.ffi.call(&self.value, |cx| {
            let ty = cdata::at(cx, 1).map(|cd| cx.state.repr(cd.ty)).unwrap_or_default();
            cx.push_bytes(ty.as_bytes());
            Ok(1)
        })
    }

    /// Runs `f` on the memory of an array, struct or number that owns its bytes, as a slice of `T`: a number, or a struct for which each
    /// pattern of bits is valid (`bytemuck::Pod`). Lua may change the memory meanwhile, if `f` calls it.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// use bytemuck::{Pod, Zeroable};
    ///
    /// #[repr(C)]
    /// #[derive(Clone, Copy, Zeroable, Pod)]
    /// struct Point {
    ///     x: i32,
    ///     y: i32,
    /// }
    ///
    /// ffi.declare_types("struct point { int x, y; };")?;
    /// let point = ffi.new_value("struct point", (3, 4))?;
    /// let sum = point.view::<Point, _>(|points| points[0].get().x + points[0].get().y)?;
    /// assert_eq!(sum, 7);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// The value is a pointer or reference; its bytes are no whole number of `T`, or not aligned for `T`.
    pub fn view<T: Pod, R>(&self, f: impl FnOnce(&[Cell<T>]) -> R) -> mlua::Result<R> {
        let mut outcome = None;
        let result = &mut outcome;
        // `f` runs inside of the call, so that no other thread gets the Lua state meanwhile (mlua's `send`).
        let () = self.ffi.call(&self.value, move |cx| {
            let (address, count) = own_bytes(cx, 1, size_of::<T>(), align_of::<T>())?;
            // SAFETY: the value owns the bytes, which `self` keeps alive and nothing moves; any bytes are a `T`; scripts write
            // to them on this thread only, as to cells.
            let cells = unsafe { std::slice::from_raw_parts(address.cast::<Cell<T>>(), count) };
            *result = Some(catch_unwind(AssertUnwindSafe(|| f(cells))));
            Ok(0)
        })?;
        match outcome.ok_or_else(closed)? {
            Ok(value) => Ok(value),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The Lua value, to pass it to scripts.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// ffi.declare_types("struct point { int x, y; };")?;
    /// let point = ffi.new_value("struct point", (3, 4))?;
    /// let script = lua.load("local p = ... return p.x * p.y").into_function()?;
    /// assert_eq!(script.call::<i64>(point.as_userdata())?, 12);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    pub fn as_userdata(&self) -> &AnyUserData {
        &self.value
    }
}

/// Where the bytes of the value at `index` are, and how many elements of a size they hold.
fn own_bytes(
    cx: &Cx<'_>,
    index: c_int,
    size: usize,
    align: usize,
) -> Result<(*mut u8, usize), LuaError> {
    let cd = cdata::at(cx, index).ok_or_else(|| LuaError::new("not a C value"))?;
    let ty = to_c::describe(cx, index);
    if cd.is_pointer() || cd.is_reference() {
        return Err(LuaError::new(format!("'{ty}' does not own its memory")));
    }
    let bytes = match cd.variable_size() {
        Some(bytes) => bytes,
        None => cx.state.known_size(cd.ty)?,
    };
    if !bytes.is_multiple_of(size) || !(cd.address as usize).is_multiple_of(align) {
        return Err(LuaError::new(format!("'{ty}' is no array of elements of {size} bytes")));
    }
    Ok((cd.address, bytes / size))
}
