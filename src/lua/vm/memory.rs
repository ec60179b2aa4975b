//! Lua's stack and userdata as memory, for code that does without the C API.
//!
//! Everything here is for states whose [`Ways::stack`](crate::lua::state::ways::Ways) is set: there the offsets and tags of [`AT`] are proved.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use super::api::layout::{self, Boolean, Layout};
use super::api::{self, lua_CFunction, lua_State};

/// The layout of the version that the crate is compiled for. Where there is none, no state has `ways.stack`.
pub(in crate::lua) const AT: Layout = match api::LAYOUT {
    Some(layout) => layout,
    None => layout::LUA54,
};

/// Pushes a value, and returns its slot, which the caller fills at once.
///
/// # Safety
/// - *Layout* and *Room*.
pub(in crate::lua) unsafe fn push(lua: *mut lua_State) -> Slot {
    // SAFETY: *Layout* and *Room*, kept by the caller.
    unsafe {
        let top: *mut u8 = read(lua.cast(), AT.top);
        write(lua.cast(), AT.top, top.wrapping_offset(AT.value as isize));
        Slot(top)
    }
}

/// Bytes of so many slots.
pub(in crate::lua) const fn bytes_of(slots: c_int) -> isize {
    (slots * AT.value) as isize
}

/// Bytes of the free slots of the running call; more may be had by `lua_checkstack`.
///
/// # Safety
/// - *Layout*.
pub(in crate::lua) unsafe fn room(lua: *mut lua_State) -> isize {
    // SAFETY: *Layout*, kept by the caller.
    unsafe {
        let call: *const u8 = read(lua.cast(), AT.call);
        let (top, limit): (*mut u8, *mut u8) =
            (read(lua.cast(), AT.top), read(call, AT.call_limit));
        limit as isize - top as isize
    }
}

/// The first free slot.
///
/// # Safety
/// - *Layout*.
pub(in crate::lua) unsafe fn free(lua: *mut lua_State) -> Slot {
    // SAFETY: *Layout*, kept by the caller.
    Slot(unsafe { read(lua.cast(), AT.top) })
}

/// Makes a slot the first free one.
///
/// # Safety
/// - *Layout*.
/// - There are values in all slots below, and the stack goes on to this one.
pub(in crate::lua) unsafe fn set_top(lua: *mut lua_State, slot: Slot) {
    // SAFETY: *Layout*, and the slots below hold values, as the caller promises.
    unsafe { write(lua.cast(), AT.top, slot.0) }
}

/// The slot of the value on top of the stack.
///
/// # Safety
/// - *Layout*.
/// - There is a value.
pub(in crate::lua) unsafe fn top(lua: *mut lua_State) -> Slot {
    // SAFETY: *Layout*, and there is a value, as the caller promises.
    Slot(unsafe { read::<*mut u8>(lua.cast(), AT.top) }.wrapping_offset(-(AT.value as isize)))
}

/// Pops a value.
///
/// # Safety
/// - *Layout*.
/// - There is a value.
pub(in crate::lua) unsafe fn pop(lua: *mut lua_State) {
    // SAFETY: *Layout*, and there is a value, as the caller promises.
    unsafe { write(lua.cast(), AT.top, top(lua).0) }
}

/// A value out of the stack, which somebody else keeps alive.
#[derive(Clone, Copy, Default)]
pub(in crate::lua) struct Kept {
    tag: u32,
    value: u64,
}

impl Kept {
    /// Whether another value has the same tag.
    pub(in crate::lua) fn is_like(self, other: Kept) -> bool {
        self.tag == other.tag
    }

    /// The userdata that it is.
    pub(in crate::lua) fn userdata(self) -> Option<Userdata> {
        let is_userdata = self.tag == u32::from(AT.tags.userdata);
        NonNull::new(self.value as *mut u8).filter(|_| is_userdata).map(Userdata)
    }
}

/// Words as bytes.
pub(in crate::lua) fn bytes(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as many bytes, of which every one may have any value.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// The slot at a stack index of the running C function; `None` for upvalues and the registry, and where no value is.
///
/// # Safety
/// - *Layout*.
pub(in crate::lua) unsafe fn slot(lua: *mut lua_State, index: c_int) -> Option<Slot> {
    // SAFETY: *Layout*, kept by the caller.
    let call = unsafe { Call::of(lua) };
    let count = call.count() as c_int;
    let n = if index < 0 { count + 1 + index } else { index };
    (1..=count).contains(&n).then(|| call.argument(n as usize))
}

/// A slot of the stack, or an upvalue.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::lua) struct Slot(*mut u8);

/// A full userdata.
#[derive(Clone, Copy)]
pub(in crate::lua) struct Userdata(NonNull<u8>);

/// The running C function: its slot and the top of the stack, until something may move the stack.
#[derive(Clone, Copy)]
pub(in crate::lua) struct Call {
    function: *mut u8,
    top: *mut u8,
}

/// # Safety
/// - `base + offset` is readable as a `T`.
unsafe fn read<T: Copy>(base: *const u8, offset: i32) -> T {
    // SAFETY: the bytes are readable as a `T`, as the caller promises.
    unsafe { base.offset(offset as isize).cast::<T>().read() }
}

/// # Safety
/// - `base + offset` is writable as a `T`.
unsafe fn write<T>(base: *mut u8, offset: i32, value: T) {
    // SAFETY: the bytes are writable as a `T`, as the caller promises.
    unsafe { base.offset(offset as isize).cast::<T>().write(value) }
}

impl Call {
    /// The C function that runs on `lua`.
    ///
    /// # Safety
    /// - *Layout*, here and in all values that are reached from here.
    pub(in crate::lua) unsafe fn of(lua: *mut lua_State) -> Call {
        let lua = lua.cast::<u8>();
        // SAFETY: *Layout*, kept by the caller.
        unsafe {
            let call: *const u8 = read(lua, AT.call);
            Call { function: read(call, AT.call_function), top: read(lua, AT.top) }
        }
    }

    /// Values above the function.
    pub(in crate::lua) fn count(self) -> usize {
        (self.top as usize - self.function as usize) / AT.value as usize - 1
    }

    /// Whether there are `n` values above the function.
    pub(in crate::lua) fn has(self, n: usize) -> bool {
        self.top == self.function.wrapping_add(AT.value as usize * (n + 1))
    }

    /// The argument at index `n`, from 1, of so many at least.
    pub(in crate::lua) fn argument(self, n: usize) -> Slot {
        Slot(self.function.wrapping_add(AT.value as usize * n))
    }

    /// The short string that is upvalue 2.
    ///
    /// # Safety
    /// - The running function is a closure with such an upvalue.
    pub(in crate::lua) unsafe fn event(self) -> Option<*const c_void> {
        // SAFETY: *Layout*: `of` made the call, and its function is a closure.
        let closure: *mut u8 = unsafe { read(self.function, 0) };
        let at = AT.closure_upvalues + AT.value;
        Slot(closure.wrapping_offset(at as isize)).short_string()
    }

    /// Gives the running closure another C function, for its next calls.
    ///
    /// # Safety
    /// - The function does what the closure's callers expect.
    pub(in crate::lua) unsafe fn set_code(self, code: lua_CFunction) {
        // SAFETY: *Layout*: `of` made the call; `code` serves the closure's callers, as the caller promises.
        unsafe {
            let closure: *mut u8 = read(self.function, 0);
            write(closure, AT.closure_function, code);
        }
    }

    /// The block of the userdata with `user_values` user values that is upvalue `n`, from 1.
    ///
    /// # Safety
    /// - The running function is a closure with such an upvalue.
    pub(in crate::lua) unsafe fn upvalue<T>(self, n: usize, user_values: i32) -> *const T {
        // SAFETY: *Layout*: `of` made the call; the closure has the upvalue, as the caller promises.
        unsafe {
            let closure: *const u8 = read(self.function, 0);
            let userdata: *const u8 =
                read(closure, AT.closure_upvalues + AT.value * (n as i32 - 1));
            userdata.offset((AT.block + AT.user_value * user_values) as isize).cast()
        }
    }
}

impl Slot {
    fn has(self, tag: u8) -> bool {
        // SAFETY: *Layout*: slots are made under it.
        unsafe {
            match AT.tag_bytes {
                1 => read::<u8>(self.0, AT.tag) == tag,
                _ => read::<u32>(self.0, AT.tag) == u32::from(tag),
            }
        }
    }

    fn value<T: Copy>(self) -> T {
        // SAFETY: *Layout*; callers have looked at the tag.
        unsafe { read(self.0, 0) }
    }

    fn set<T>(self, tag: u8, value: T) {
        // SAFETY: *Layout*.
        unsafe {
            write(self.0, 0, value);
            match AT.tag_bytes {
                1 => write(self.0, AT.tag, tag),
                _ => write(self.0, AT.tag, u32::from(tag)),
            }
        }
    }

    /// The value.
    pub(in crate::lua) fn kept(self) -> Kept {
        // SAFETY: *Layout*.
        let tag = unsafe {
            match AT.tag_bytes {
                1 => read::<u8>(self.0, AT.tag).into(),
                _ => read(self.0, AT.tag),
            }
        };
        Kept { tag, value: self.value() }
    }

    /// Writes a value that still lives.
    pub(in crate::lua) fn restore(self, kept: Kept) {
        self.set(kept.tag as u8, kept.value);
    }

    pub(in crate::lua) fn integer(self) -> Option<i64> {
        self.has(AT.tags.integer).then(|| self.value())
    }

    pub(in crate::lua) fn float(self) -> Option<f64> {
        self.has(AT.tags.float).then(|| self.value())
    }

    pub(in crate::lua) fn is_nil(self) -> bool {
        self.has(AT.tags.nil)
    }

    pub(in crate::lua) fn boolean(self) -> Option<bool> {
        match AT.tags.boolean {
            Boolean::Tags { no, .. } if self.has(no) => Some(false),
            Boolean::Tags { yes, .. } => self.has(yes).then_some(true),
            Boolean::Value { tag } => self.has(tag).then(|| self.value::<i32>() != 0),
        }
    }

    pub(in crate::lua) fn userdata(self) -> Option<Userdata> {
        self.has(AT.tags.userdata).then(|| Userdata(self.value()))
    }

    /// Writes a userdata that still lives.
    pub(in crate::lua) fn set_userdata(self, userdata: Userdata) {
        self.set(AT.tags.userdata, userdata.0);
    }

    /// The bytes of a string, which end in a zero byte.
    pub(in crate::lua) fn text(self) -> Option<*const u8> {
        if self.has(AT.tags.short_string) {
            return Some(self.value::<*const u8>().wrapping_offset(AT.short_text as isize));
        }
        if !self.has(AT.tags.long_string) {
            return None;
        }
        let string = self.value::<*const u8>();
        Some(match AT.long_text_behind {
            // SAFETY: a live string of a proven layout.
            true => unsafe { read(string, AT.long_text) },
            false => string.wrapping_offset(AT.long_text as isize),
        })
    }

    /// The identity of a short string: equal ones are the same object.
    pub(in crate::lua) fn short_string(self) -> Option<*const c_void> {
        self.has(AT.tags.short_string).then(|| self.value())
    }

    /// The slot above.
    pub(in crate::lua) fn next(self) -> Slot {
        Slot(self.0.wrapping_offset(AT.value as isize))
    }

    pub(in crate::lua) fn set_short_string(self, string: *const c_void) {
        self.set(AT.tags.short_string, string);
    }

    pub(in crate::lua) fn is_table(self) -> bool {
        self.has(AT.tags.table)
    }

    pub(in crate::lua) fn set_table(self, table: *const c_void) {
        self.set(AT.tags.table, table);
    }

    pub(in crate::lua) fn set_integer(self, value: i64) {
        self.set(AT.tags.integer, value);
    }

    pub(in crate::lua) fn set_float(self, value: f64) {
        self.set(AT.tags.float, value);
    }

    pub(in crate::lua) fn set_boolean(self, value: bool) {
        match AT.tags.boolean {
            Boolean::Tags { no, yes } => self.set(if value { yes } else { no }, 0_u64),
            Boolean::Value { tag } => self.set(tag, i32::from(value)),
        }
    }
}

impl Userdata {
    /// The identity of its metatable; null if it has none.
    pub(in crate::lua) fn metatable(self) -> *const c_void {
        // SAFETY: a live userdata of a proven layout.
        unsafe { read(self.0.as_ptr(), AT.metatable) }
    }

    /// Gives it a metatable.
    ///
    /// # Safety
    /// - It is a table that something keeps for as long as the userdata lives.
    pub(in crate::lua) unsafe fn set_metatable(self, metatable: *const c_void) {
        // SAFETY: *Layout*, and the userdata is alive.
        unsafe { write(self.0.as_ptr(), AT.metatable, metatable) }
    }

    /// Bytes of the block.
    pub(in crate::lua) fn size(self) -> usize {
        // SAFETY: *Layout*, and the userdata is alive.
        unsafe { read(self.0.as_ptr(), AT.block_size) }
    }

    /// The block of a userdata with one user value or none.
    pub(in crate::lua) fn block<T>(self) -> *mut T {
        // SAFETY: *Layout*, and the userdata is alive.
        let count = AT.user_values.map_or(0, |at| unsafe { read::<u16>(self.0.as_ptr(), at) });
        let offset = AT.block + AT.user_value * i32::from(count);
        self.0.as_ptr().wrapping_offset(offset as isize).cast()
    }

    /// The user value of a userdata with one; `None` where it has no slot of its own.
    pub(in crate::lua) fn user_value(self) -> Option<Slot> {
        let offset = AT.block + AT.user_value - AT.value;
        AT.user_values.map(|_| Slot(self.0.as_ptr().wrapping_offset(offset as isize)))
    }

    /// The block of a userdata that was made without user values.
    pub(in crate::lua) fn plain_block<T>(self) -> *mut T {
        self.0.as_ptr().wrapping_offset(AT.block as isize).cast()
    }
}
