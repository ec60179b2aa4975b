//! Memory of the host that scripts use for the time of a call.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use bytemuck::Pod;
use mlua::AnyUserData;

use super::Ffi;
use crate::lua::object::ctypes;
use crate::lua::sandbox::region;
use crate::lua::state::{Cx, LuaError};
use crate::lua::value::cdata;
use crate::native::rust::Plain;

/// Memory that is lent.
#[derive(Clone, Copy)]
struct Memory {
    address: *mut u8,
    size: usize,
    read_only: bool,
}

impl Ffi {
    /// Lends a slice to scripts while `f` runs, as an array: `uint8_t [n]` for `&mut [u8]`. When `f` returns, each C value of a
    /// [checked](crate::Policy::checked) table that leads into the slice becomes dead: its use is an error.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// let ffi = Ffi::builder().install(&lua)?;
    /// let mut samples = [1.0, 2.0, 3.0];
    /// let script = lua.load("kept = ...; kept[1] = 20; return kept[0] + kept[1]").into_function()?;
    /// let sum = ffi.lend(&mut samples, |array| script.call::<f64>(array))?;
    /// assert_eq!((sum, samples[1]), (21.0, 20.0));
    /// assert!(lua.load("return kept[0]").exec().is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `f`; out of memory.
    pub fn lend<T: Plain, R>(
        &self,
        memory: &mut [T],
        f: impl FnOnce(AnyUserData) -> mlua::Result<R>,
    ) -> mlua::Result<R> {
        let ctype = format!("{} [{}]", T::C_NAME, memory.len());
        let (address, size) = (memory.as_mut_ptr().cast(), size_of_val(memory));
        self.lend_memory(&ctype, Memory { address, size, read_only: false }, f)
    }

    /// [`Ffi::lend`] to read only: the elements are `const`.
    ///
    /// ```
    /// # use cthunk::Ffi;
    /// # let lua = mlua::Lua::new();
    /// # let ffi = Ffi::builder().global("ffi").install(&lua)?;
    /// let samples = [1.0, 2.0, 3.0];
    /// let sum = lua.load("local sum = 0 for i = 0, 2 do sum = sum + (...)[i] end return sum").into_function()?;
    /// assert_eq!(ffi.lend_const(&samples, |array| sum.call::<f64>(array))?, 6.0);
    /// let write = lua.load("(...)[0] = 5").into_function()?;
    /// assert!(ffi.lend_const(&samples, |array| write.call::<()>(array)).is_err());
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Ffi::lend`].
    pub fn lend_const<T: Plain, R>(
        &self,
        memory: &[T],
        f: impl FnOnce(AnyUserData) -> mlua::Result<R>,
    ) -> mlua::Result<R> {
        let ctype = format!("const {} [{}]", T::C_NAME, memory.len());
        let (address, size) = (memory.as_ptr().cast_mut().cast(), size_of_val(memory));
        self.lend_memory(&ctype, Memory { address, size, read_only: true }, f)
    }

    /// [`Ffi::lend`] for memory that is a C value: `"struct image"`, `"struct point [16]"`. The memory is bytes, or structs any bytes of
    /// which are a value, by `bytemuck`.
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
    /// let mut points = [Point { x: 1, y: 2 }, Point { x: 3, y: 4 }];
    /// let script = lua.load("local points = ... points[1].y = points[0].x + points[1].x").into_function()?;
    /// ffi.lend_as("struct point [2]", &mut points, |points| script.call::<()>(points))?;
    /// assert_eq!(points[1].y, 4);
    /// # Ok::<(), mlua::Error>(())
    /// ```
    ///
    /// # Errors
    /// A type that does not parse, that is larger than the memory, or that needs another alignment; otherwise as [`Ffi::lend`].
    pub fn lend_as<T: Pod, R>(
        &self,
        ctype: &str,
        memory: &mut [T],
        f: impl FnOnce(AnyUserData) -> mlua::Result<R>,
    ) -> mlua::Result<R> {
        let (address, size) = (memory.as_mut_ptr().cast(), size_of_val(memory));
        self.lend_memory(ctype, Memory { address, size, read_only: false }, f)
    }

    fn lend_memory<R>(
        &self,
        ctype: &str,
        memory: Memory,
        f: impl FnOnce(AnyUserData) -> mlua::Result<R>,
    ) -> mlua::Result<R> {
        let (value, region): (AnyUserData, mlua::Value) =
            self.call((), move |cx| push_loan(cx, ctype, memory))?;
        // The loan ends whatever becomes of `f`.
        let result = catch_unwind(AssertUnwindSafe(|| f(value)));
        let ended = self.call::<()>(region, |cx| {
            region::end(cx, 1);
            Ok(0)
        });
        match result {
            Ok(result) => ended.and(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Pushes a reference to lent memory, and the region that is its owner.
fn push_loan(cx: &Cx<'_>, ctype: &str, memory: Memory) -> Result<c_int, LuaError> {
    let ty = ctypes::host_type(cx, ctype.as_bytes())?;
    let (size, align) = (cx.state.known_size(ty)?, cx.state.align(ty));
    if size > memory.size {
        let lent = memory.size;
        return Err(LuaError::new(format!("'{ctype}' has {size} bytes, and {lent} are lent")));
    }
    if !(memory.address as usize).is_multiple_of(align) {
        return Err(LuaError::new(format!("'{ctype}' wants memory aligned to {align} bytes")));
    }
    region::push_host(cx, ty, memory.address as usize, size, memory.read_only, 0);
    region::note(cx, memory.address as usize, size);
    let region = cx.top();
    cdata::push_reference(cx, ty, memory.address, region);
    cx.insert(region);
    Ok(2)
}
