//! Every difference between Lua versions, and the stack operations that the rest of the module uses.
//!
//! A new Lua version is one more `version` module below. Nothing else in the crate asks which Lua it is compiled for.

use std::ffi::{c_int, c_void};
use std::slice;

use mlua::ffi as sys;
pub use mlua::ffi::{lua_CFunction, lua_State};

pub(crate) use version::*;

use super::state::Cx;

/// Lua 5.4: native 64-bit integers, any number of user values.
#[cfg(feature = "lua54")]
mod version {
    use super::*;

    /// Whether a 64-bit signed integer is a Lua number of its own, so that `int64_t` results need no box.
    pub(crate) const NATIVE_INT64: bool = true;

    /// Metamethods of this version that 5.1 lacks and that cdata answer by themselves.
    pub(crate) const INTEGER_OPERATORS: bool = true;

    /// Pushes a userdata with `values` user values.
    ///
    /// # Safety
    /// `lua` is live and has a free stack slot. May raise (out of memory).
    pub(crate) unsafe fn new_userdata(
        lua: *mut lua_State,
        size: usize,
        values: c_int,
    ) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { sys::lua_newuserdatauv(lua, size, values) }
    }

    /// Pushes the `n`th user value (from 1) of the userdata at `index`, nil where there is none.
    ///
    /// # Safety
    /// A userdata is at `index`; there is a free stack slot.
    pub(crate) unsafe fn get_user_value(lua: *mut lua_State, index: c_int, n: c_int) {
        // SAFETY: the caller's promise.
        unsafe { sys::lua_getiuservalue(lua, index, n) };
    }

    /// Pops a value into the `n`th user value (from 1) of the userdata at `index`.
    ///
    /// # Safety
    /// A userdata with at least `n` user values is at `index`; a value is on top.
    pub(crate) unsafe fn set_user_value(lua: *mut lua_State, index: c_int, n: c_int) {
        // SAFETY: the caller's promise.
        unsafe { sys::lua_setiuservalue(lua, index, n) };
    }

    /// The number at `index`, whose Lua type is number.
    ///
    /// # Safety
    /// `index` is acceptable.
    pub(crate) unsafe fn to_number(lua: *mut lua_State, index: c_int) -> Number {
        // SAFETY: the caller's promise.
        unsafe {
            if sys::lua_isinteger(lua, index) != 0 {
                Number::Integer(sys::lua_tointegerx(lua, index, std::ptr::null_mut()))
            } else {
                Number::Float(sys::lua_tonumberx(lua, index, std::ptr::null_mut()))
            }
        }
    }

    /// The main thread of a Lua state.
    ///
    /// # Safety
    /// `lua` is live and has a free stack slot.
    pub(crate) unsafe fn main_thread(lua: *mut lua_State) -> *mut lua_State {
        // SAFETY: the caller's promise; the registry keeps the thread alive.
        unsafe {
            sys::lua_rawgeti(lua, sys::LUA_REGISTRYINDEX, sys::LUA_RIDX_MAINTHREAD);
            let main = sys::lua_tothread(lua, -1);
            sys::lua_pop(lua, 1);
            main
        }
    }

    /// The value at `index`, if it is an integer: no float, no string.
    ///
    /// # Safety
    /// `index` is acceptable.
    pub(crate) unsafe fn integer(lua: *mut lua_State, index: c_int) -> Option<i64> {
        // SAFETY: the caller's promise.
        unsafe {
            (sys::lua_isinteger(lua, index) != 0)
                .then(|| sys::lua_tointegerx(lua, index, std::ptr::null_mut()))
        }
    }

    /// Calls the function below `arguments` values and returns all its results to Lua; the function may yield.
    ///
    /// # Safety
    /// The last thing that a C function does; no Rust value with a destructor is alive.
    pub(crate) unsafe fn tail_call(lua: *mut lua_State, arguments: c_int) -> c_int {
        unsafe extern "C-unwind" fn resume(
            lua: *mut lua_State,
            _status: c_int,
            base: sys::lua_KContext,
        ) -> c_int {
            // SAFETY: Lua resumes with a live state.
            unsafe { sys::lua_gettop(lua) - base as c_int }
        }
        // SAFETY: the caller's promise; `base` is the stack height below the function.
        unsafe {
            let base = sys::lua_gettop(lua) - arguments - 1;
            sys::lua_callk(
                lua,
                arguments,
                sys::LUA_MULTRET,
                base as sys::lua_KContext,
                Some(resume),
            );
            sys::lua_gettop(lua) - base
        }
    }
}

/// A Lua number as the running version keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer (Lua 5.3 and later).
    Integer(i64),
    /// Anything else.
    Float(f64),
}

/// The Lua type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LuaType {
    /// No value: an argument that was not given.
    None,
    /// `nil`
    Nil,
    /// `boolean`
    Boolean,
    /// A bare pointer.
    LightUserdata,
    /// `number`
    Number,
    /// `string`
    String,
    /// `table`
    Table,
    /// `function`
    Function,
    /// Full userdata, cdata included.
    Userdata,
    /// `thread`
    Thread,
}

/// Forwards to one function of the C API each.
macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)? = $function:path;)*) => {
        impl Cx<'_> {
            $($(#[$doc])*
            pub(crate) fn $name(&self, $($arg: $ty),*) $(-> $ret)? {
                // SAFETY: `Cx::new` promises a live state with free stack slots; indices are acceptable, and the
                // values that the function works on were put in their places by the same function.
                unsafe { $function(self.lua, $($arg),*) }
            })*
        }
    };
}

forward! {
    /// The number of values on the stack.
    top() -> c_int = sys::lua_gettop;
    /// Sets the number of values.
    set_top(n: c_int) = sys::lua_settop;
    /// Turns a relative index into an absolute one.
    absolute(index: c_int) -> c_int = sys::lua_absindex;
    /// Pushes a copy.
    push_value(index: c_int) = sys::lua_pushvalue;
    /// Moves the top value to `index`.
    insert(index: c_int) = sys::lua_insert;
    /// Pops a value into `index`.
    replace(index: c_int) = sys::lua_replace;
    /// Takes the value at `index` out.
    remove(index: c_int) = sys::lua_remove;
    /// Pops `n` values.
    pop(n: c_int) = sys::lua_pop;
    /// Pushes nil.
    push_nil() = sys::lua_pushnil;
    /// Pushes an integer, as a float where the version has no integers.
    push_integer(value: i64) = sys::lua_pushinteger;
    /// Pushes a float.
    push_number(value: f64) = sys::lua_pushnumber;
    /// Pushes a light userdata.
    push_light(value: *mut c_void) = sys::lua_pushlightuserdata;
    /// Pushes a table with room for `array` items and `hash` keys.
    new_table(array: c_int, hash: c_int) = sys::lua_createtable;
    /// Pops a value and stores it under the key below it, with no metamethods; pops the key as well.
    raw_set(table: c_int) = sys::lua_rawset;
    /// Pops a value into an integer key, with no metamethods.
    raw_set_integer(table: c_int, key: i64) = sys::lua_rawseti;
    /// The pointer that identifies a table, function, thread or userdata.
    identity(index: c_int) -> *const c_void = sys::lua_topointer;
    /// The address of a userdata's block or a light userdata's value; null for others.
    userdata(index: c_int) -> *mut c_void = sys::lua_touserdata;
    /// The size of a userdata's block, of a string, of a table's array part.
    raw_len(index: c_int) -> usize = sys::lua_rawlen;
}

impl Cx<'_> {
    /// The Lua type of a value.
    pub(crate) fn type_of(&self, index: c_int) -> LuaType {
        // SAFETY: as in `forward!`.
        match unsafe { sys::lua_type(self.lua, index) } {
            sys::LUA_TNONE => LuaType::None,
            sys::LUA_TNIL => LuaType::Nil,
            sys::LUA_TBOOLEAN => LuaType::Boolean,
            sys::LUA_TLIGHTUSERDATA => LuaType::LightUserdata,
            sys::LUA_TNUMBER => LuaType::Number,
            sys::LUA_TSTRING => LuaType::String,
            sys::LUA_TTABLE => LuaType::Table,
            sys::LUA_TFUNCTION => LuaType::Function,
            sys::LUA_TTHREAD => LuaType::Thread,
            _ => LuaType::Userdata,
        }
    }

    /// Whether no value or nil is at `index`.
    pub(crate) fn is_absent(&self, index: c_int) -> bool {
        matches!(self.type_of(index), LuaType::None | LuaType::Nil)
    }

    /// Pushes the number that Lua's `tonumber` makes of a value; nil where it makes none.
    pub(crate) fn push_to_number(&self, index: c_int) {
        if self.type_of(index) == LuaType::Number {
            return self.push_value(index);
        }
        let parsed = self.bytes(index).is_some_and(|text| {
            // SAFETY: as in `forward!`; Lua strings end in a zero byte. The function pushes a number unless it returns 0.
            unsafe { sys::lua_stringtonumber(self.lua, text.as_ptr().cast()) == text.len() + 1 }
        });
        if !parsed {
            self.push_nil();
        }
    }

    /// The truth of a value.
    pub(crate) fn truth(&self, index: c_int) -> bool {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_toboolean(self.lua, index) != 0 }
    }

    /// A number; `None` for every other type, numeric strings included.
    pub(crate) fn number(&self, index: c_int) -> Option<Number> {
        // SAFETY: as in `forward!`.
        (self.type_of(index) == LuaType::Number).then(|| unsafe { to_number(self.lua, index) })
    }

    /// The bytes of a string; `None` for every other type, numbers included. They live as long as the value is on the stack.
    pub(crate) fn bytes(&self, index: c_int) -> Option<&[u8]> {
        if self.type_of(index) != LuaType::String {
            return None;
        }
        let mut len = 0;
        // SAFETY: the value is a string, which `lua_tolstring` does not convert; Lua keeps it while it is on the stack.
        unsafe {
            let text = sys::lua_tolstring(self.lua, index, &mut len);
            Some(slice::from_raw_parts(text.cast(), len))
        }
    }

    /// Replaces the key on top by the next key and value of a table; pops it and returns false at the end.
    pub(crate) fn next(&self, table: c_int) -> bool {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_next(self.lua, table) != 0 }
    }

    /// Pushes a boolean.
    pub(crate) fn push_bool(&self, value: bool) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_pushboolean(self.lua, c_int::from(value)) }
    }

    /// Pushes a string.
    pub(crate) fn push_bytes(&self, text: &[u8]) {
        // SAFETY: as in `forward!`; Lua copies the bytes.
        unsafe { sys::lua_pushlstring(self.lua, text.as_ptr().cast(), text.len()) };
    }

    /// Pushes a closure of `function` over the top `upvalues` values, which it pops.
    pub(crate) fn push_closure(&self, function: lua_CFunction, upvalues: c_int) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_pushcclosure(self.lua, function, upvalues) }
    }

    /// Replaces the key on top by its value in a table, with no metamethods.
    pub(crate) fn raw_get(&self, table: c_int) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_rawget(self.lua, table) };
    }

    /// Pushes the value of an integer key, with no metamethods.
    pub(crate) fn raw_get_integer(&self, table: c_int, key: i64) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_rawgeti(self.lua, table, key) };
    }

    /// Pushes `table[name]` with no metamethods.
    pub(crate) fn raw_get_name(&self, table: c_int, name: &[u8]) {
        let table = self.absolute(table);
        self.push_bytes(name);
        self.raw_get(table);
    }

    /// Pops a value into `table[name]`, with no metamethods.
    pub(crate) fn raw_set_name(&self, table: c_int, name: &[u8]) {
        let table = self.absolute(table);
        self.push_bytes(name);
        self.insert(-2);
        self.raw_set(table);
    }

    /// Replaces the key on top by `value[key]`, metamethods included.
    pub(crate) fn get(&self, value: c_int) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_gettable(self.lua, value) };
    }

    /// Pops a value and a key into `target[key]`, metamethods included.
    pub(crate) fn set(&self, target: c_int) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_settable(self.lua, target) };
    }

    /// Pushes the metatable of a value, if it has one.
    pub(crate) fn get_metatable(&self, index: c_int) -> bool {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_getmetatable(self.lua, index) != 0 }
    }

    /// Pops a table and makes it the metatable of a value.
    pub(crate) fn set_metatable(&self, index: c_int) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_setmetatable(self.lua, index) };
    }

    /// Pushes the value that the registry holds under an address.
    pub(crate) fn get_registry(&self, key: *const c_void) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_rawgetp(self.lua, sys::LUA_REGISTRYINDEX, key) };
    }

    /// Pops a value into the registry and returns its reference, which is never 0.
    pub(crate) fn make_reference(&self) -> c_int {
        // SAFETY: as in `forward!`.
        unsafe { sys::luaL_ref(self.lua, sys::LUA_REGISTRYINDEX) }
    }

    /// Pushes the value of a reference.
    pub(crate) fn get_reference(&self, reference: c_int) {
        self.raw_get_integer(sys::LUA_REGISTRYINDEX, i64::from(reference));
    }

    /// Pops a value into the registry, under an address.
    pub(crate) fn set_registry(&self, key: *const c_void) {
        // SAFETY: as in `forward!`.
        unsafe { sys::lua_rawsetp(self.lua, sys::LUA_REGISTRYINDEX, key) }
    }

    /// The name of a value's type for an error message: `cdata` for cdata, by its metatable's `__name`.
    pub(crate) fn type_name(&self, index: c_int) -> &'static str {
        match self.type_of(index) {
            LuaType::None => "no value",
            LuaType::Nil => "nil",
            LuaType::Boolean => "boolean",
            LuaType::LightUserdata => "userdata",
            LuaType::Number => "number",
            LuaType::String => "string",
            LuaType::Table => "table",
            LuaType::Function => "function",
            LuaType::Userdata => "userdata",
            LuaType::Thread => "thread",
        }
    }

    /// Makes room for `n` more stack values; raises Lua's "stack overflow" where there is none.
    pub(crate) fn ensure_stack(&self, n: c_int) {
        // SAFETY: as in `forward!`; the message is a C string.
        unsafe { sys::luaL_checkstack(self.lua, n, c"too many nested values".as_ptr()) }
    }

    /// The C `FILE *` behind a file of Lua's `io` library; `Some(null)` when it is closed, `None` for another value.
    pub(crate) fn c_file(&self, index: c_int) -> Option<*mut c_void> {
        /// `luaL_Stream`: the stream, and the function that closes it (null once closed).
        #[repr(C)]
        struct Stream {
            file: *mut c_void,
            close: Option<lua_CFunction>,
        }
        // SAFETY: a userdata with the metatable "FILE*" is a luaL_Stream (lauxlib.h).
        unsafe {
            let stream = sys::luaL_testudata(self.lua, index, c"FILE*".as_ptr()).cast::<Stream>();
            let stream = stream.as_ref()?;
            Some(if stream.close.is_some() { stream.file } else { std::ptr::null_mut() })
        }
    }
}
