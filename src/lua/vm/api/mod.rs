//! The differences between Lua versions, and the operations of a [`Stack`] that the other rooms use.
//!
//! No other code asks which Lua it is compiled for, but for three files that ask for Luau, which has no LuaJIT mode (`luajit/raise.rs`,
//! `luajit/info.rs`, `object/metatype.rs`). Each fact that several versions share is a feature in Cargo.toml, with a name that begins
//! with `_`. A version that names none of the alternatives for a fact does not compile. Each file here is about facts in which versions
//! differ:
//!
//! | | 5.1 | 5.2 | 5.3 | 5.4, 5.5 | LuaJIT | Luau |
//! |---|---|---|---|---|---|---|
//! | [`numbers`] | doubles | doubles | integers | integers | doubles | doubles |
//! | [`values`]: what a userdata keeps alive | environment | a table | a value | values | environment | weak table |
//! | [`values`]: a file of `io` is | a `FILE *` | a `luaL_Stream` | a `luaL_Stream` | a `luaL_Stream` | a `FILE *` | |
//! | [`control`]: the main thread is known by | nothing: a new one stands for it | the registry | the registry | the registry | nothing | `lua_mainthread` |
//! | [`control`]: tail calls may yield | no | yes | yes | yes | no | no |
//! | [`control`]: errors are | `longjmp` | `longjmp` | `longjmp` | `longjmp` | exceptions | exceptions |
//! | [`nil_error`]: an error that is nil | stays | stays | stays | stays; a text in 5.5 | stays | stays |
//! | [`layout`]: the layout of values is known | no | no | yes | yes | no | no |
//! | [`chunks`]: `<` of a number and a userdata is an error | yes | no | no | no | no | yes |
//! | [`chunks`]: global variables are in | the function | `_ENV` | `_ENV` | `_ENV` | the function | the function |
//! | [`chunks`]: strings have `\x` and `\z`, and `\u` | no | no `\u` | yes | yes | yes | yes |
//! | [`closure`]: the running closure can get another C function | yes | yes | yes | yes | yes | no |
//! | [`entry`]: what a C function returns fills | an `int` | an `int` | an `int` | an `int` | a register | an `int` |
//! | [`running`]: a thread that runs is known by its | function | function | function | function | native frame | function |
//! | [`places`]: the place of a function is asked for by | `>S` | `>S` | `>S` | `>S` | `>S` | `s` |
//! | [`interrupt`]: a budget is charged by | a hook | a hook | a hook | a hook | a hook | interrupts |
//! | [`collect`], [`late`]: finalisers are | `__gc` | `__gc` | `__gc` | `__gc` | `__gc` | destructors |

mod chunks;
mod closure;
mod collect;
mod control;
mod entry;
pub(crate) mod handed;
mod interrupt;
mod late;
pub(crate) mod layout;
mod nil_error;
mod numbers;
mod places;
mod running;
mod values;

use std::ffi::{c_int, c_void};
use std::ptr;
use std::slice;

use mlua::ffi as sys;
/// Stack slots that a C function has.
pub(crate) const MIN_STACK: c_int = sys::LUA_MINSTACK;
/// Whether threads hand Lua states to one another.
pub(crate) const SEND: bool = cfg!(feature = "send");

pub(crate) use chunks::{ENVIRONMENT_NAME, ESCAPES, HIDDEN_ARG, LOADERS, MIXED_ORDER};
pub(crate) use closure::set_code;
pub(crate) use collect::{is_over_collected, new_collected, set_collector};
pub(crate) use control::{
    argument_error, call_then, catch, collect, main_thread, opens_luajits_ffi, place, preload,
    protected_call_then, push_place, tail_call,
};
pub use entry::{Results, lua_CFunction, lua_State};
pub(crate) use entry::{compiled, for_lua, push_c_function};
pub(crate) use interrupt::{budget, is_ended, push_handler, watch};
pub(crate) use late::{Dead, LATE_FINALIZERS, Late, new_cdata};
pub(crate) use layout::LAYOUT;
pub(crate) use nil_error::{NIL_ERROR_IS_TEXT, push_nil_error, restore_nil_error};
pub(crate) use numbers::{
    HEXADECIMAL_FLOATS, INTEGER_OPERATORS, NATIVE_INT64, PUSH_INTEGER, integer, parse_number,
    to_number,
};
pub(crate) use running::{first_thread, is_running, learn_running};
pub(crate) use values::{get_user_value, new_userdata, set_user_value};

use crate::lua::vm::stack::Stack;

#[cfg(all(not(feature = "_integers"), not(feature = "_doubles")))]
compile_error!("one Lua version is needed: lua51, lua52, lua53, lua54, lua55, luajit or luau");

/// Whether tables have finalisers.
pub(crate) const FINALIZES_TABLES: bool = cfg!(feature = "_env");
/// Whether patterns are those of Lua 5.1: a search that begins behind a text begins at its end, and any character may follow a `%` in what
/// `string.gsub` puts in.
pub(crate) const PATTERNS_OF_51: bool = cfg!(any(feature = "lua51", feature = "luajit"));
/// Whether a match of nothing may follow a match directly.
pub(crate) const NOTHING_FOLLOWS: bool = cfg!(not(feature = "_integers"));
/// Whether C functions call each other as deep as C's stack goes.
pub(crate) const COUNTS_NO_DEPTH: bool = cfg!(feature = "luajit");
/// Whether Lua collects garbage before it runs out of memory.
pub(crate) const COLLECTS_WHEN_FULL: bool = cfg!(feature = "_env");
/// Whether coroutines have variables that are closed.
pub(crate) const CLOSES_COROUTINES: bool = cfg!(feature = "_user_values");

/// A Lua number as the running version keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer (Lua 5.3 and later).
    #[allow(dead_code, reason = "other versions make none")]
    Integer(i64),
    /// Anything else.
    Float(f64),
}

impl Number {
    /// The nearest double.
    pub(crate) fn as_double(self) -> f64 {
        match self {
            Number::Integer(n) => n as f64,
            Number::Float(n) => n,
        }
    }
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
        impl Stack {
            $($(#[$doc])*
            pub(crate) fn $name(&self, $($arg: $ty),*) $(-> $ret)? {
                // SAFETY: *Context* (see `vm`).
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
    /// Whether two values are the same, with no metamethods.
    raw_equal(a: c_int, b: c_int) -> c_int = sys::lua_rawequal;
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
    /// Pops a value into an integer key, with no metamethods. Lua 5.1, 5.2, LuaJIT and Luau take 32 bits of it.
    raw_set_integer(table: c_int, key: i64) = sys::lua_rawseti;
    /// Pops a value into the key that an address is, as a light userdata, with no metamethods.
    raw_set_address(table: c_int, key: *const c_void) = sys::lua_rawsetp;
    /// The pointer that identifies a table, function, thread or userdata.
    identity(index: c_int) -> *const c_void = sys::lua_topointer;
    /// The address of a userdata's block or a light userdata's value; null for others.
    userdata(index: c_int) -> *mut c_void = sys::lua_touserdata;
    /// The size of a userdata's block, of a string, of a table's array part.
    raw_len(index: c_int) -> usize = sys::lua_rawlen;
}

impl Stack {
    /// The Lua type of a value.
    pub(crate) fn type_of(&self, index: c_int) -> LuaType {
        // SAFETY: *Context*.
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
        // SAFETY: *Context*.
        let parsed =
            self.type_of(index) == LuaType::String && unsafe { parse_number(self.lua, index) };
        if !parsed {
            self.push_nil();
        }
    }

    /// Makes the string of it that a number at `index` is for Lua's `string` library.
    pub(crate) fn make_text(&self, index: c_int) {
        if self.type_of(index) == LuaType::Number {
            // SAFETY: *Context*.
            unsafe { sys::lua_tolstring(self.lua, index, ptr::null_mut()) };
        }
    }

    /// A coroutine; it lives as long as the value is on the stack.
    pub(crate) fn thread(&self, index: c_int) -> Option<*mut lua_State> {
        // SAFETY: *Context*.
        let thread = unsafe { sys::lua_tothread(self.lua, index) };
        (!thread.is_null()).then_some(thread)
    }

    /// The truth of a value.
    pub(crate) fn truth(&self, index: c_int) -> bool {
        // SAFETY: *Context*.
        unsafe { sys::lua_toboolean(self.lua, index) != 0 }
    }

    /// A number; `None` for every other type, numeric strings included.
    pub(crate) fn number(&self, index: c_int) -> Option<Number> {
        // SAFETY: *Context*.
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
        // SAFETY: *Context*.
        unsafe { sys::lua_next(self.lua, table) != 0 }
    }

    /// Pushes a boolean.
    pub(crate) fn push_bool(&self, value: bool) {
        // SAFETY: *Context*.
        unsafe { sys::lua_pushboolean(self.lua, c_int::from(value)) }
    }

    /// Pushes a string.
    pub(crate) fn push_bytes(&self, text: &[u8]) {
        // SAFETY: *Context*; Lua copies the bytes.
        unsafe { sys::lua_pushlstring(self.lua, text.as_ptr().cast(), text.len()) };
    }

    /// Pushes a closure of `function` over the top `upvalues` values, which it pops.
    pub(crate) fn push_closure(&self, function: lua_CFunction, upvalues: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::lua_pushcclosure(self.lua, for_lua(function), upvalues) }
    }

    /// Calls the function below `arguments` values, for no results. Where it fails, the error value is on top of the stack.
    pub(crate) fn protected_call(&self, arguments: c_int) -> bool {
        // SAFETY: *Context*.
        unsafe { sys::lua_pcall(self.lua, arguments, 0, 0) == sys::LUA_OK }
    }

    /// Calls the function below `arguments` values, for so many results. Where it fails, the error value is on top of the stack.
    pub(crate) fn protected_call_for(&self, arguments: c_int, results: c_int) -> bool {
        // SAFETY: *Context*.
        unsafe { sys::lua_pcall(self.lua, arguments, results, 0) == sys::LUA_OK }
    }

    /// Replaces the key on top by its value in a table, with no metamethods.
    pub(crate) fn raw_get(&self, table: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::lua_rawget(self.lua, table) };
    }

    /// Pushes the value of an integer key, with no metamethods.
    pub(crate) fn raw_get_integer(&self, table: c_int, key: i64) {
        // SAFETY: *Context*.
        unsafe { sys::lua_rawgeti(self.lua, table, key) };
    }

    /// Pushes the value of the key that an address is, with no metamethods.
    pub(crate) fn raw_get_address(&self, table: c_int, key: *const c_void) {
        // SAFETY: *Context*.
        unsafe { sys::lua_rawgetp(self.lua, table, key) };
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
        // SAFETY: *Context*.
        unsafe { sys::lua_gettable(self.lua, value) };
    }

    /// Pops a value and a key into `target[key]`, metamethods included.
    pub(crate) fn set(&self, target: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::lua_settable(self.lua, target) };
    }

    /// Pushes the metatable of a value, if it has one.
    pub(crate) fn get_metatable(&self, index: c_int) -> bool {
        // SAFETY: *Context*.
        unsafe { sys::lua_getmetatable(self.lua, index) != 0 }
    }

    /// Pops a table and makes it the metatable of a value.
    pub(crate) fn set_metatable(&self, index: c_int) {
        // SAFETY: *Context*.
        unsafe { sys::lua_setmetatable(self.lua, index) };
    }

    /// Pushes the value that the registry holds under an address.
    pub(crate) fn get_registry(&self, key: *const c_void) {
        // SAFETY: *Context*.
        unsafe { sys::lua_rawgetp(self.lua, sys::LUA_REGISTRYINDEX, key) };
    }

    /// Pops a value into the registry and returns its reference, which is never 0.
    pub(crate) fn make_reference(&self) -> c_int {
        // SAFETY: *Context*.
        unsafe { sys::luaL_ref(self.lua, sys::LUA_REGISTRYINDEX) }
    }

    /// Pushes the value of a reference.
    pub(crate) fn get_reference(&self, reference: c_int) {
        self.raw_get_integer(sys::LUA_REGISTRYINDEX, i64::from(reference));
    }

    /// Pops a value into the registry, under an address.
    pub(crate) fn set_registry(&self, key: *const c_void) {
        // SAFETY: *Context*.
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
        // SAFETY: *Context*; the message is a C string.
        unsafe { sys::luaL_checkstack(self.lua, n, c"too many nested values".as_ptr()) }
    }

    /// The C `FILE *` behind a file of Lua's `io` library; `Some(null)` when it is closed, `None` for another value.
    pub(crate) fn c_file(&self, index: c_int) -> Option<*mut c_void> {
        if self.type_of(index) != LuaType::Userdata || !self.get_metatable(index) {
            return None;
        }
        // SAFETY: *Context*; the registry has a table there, or nothing.
        unsafe { sys::lua_getfield(self.lua, sys::LUA_REGISTRYINDEX, c"FILE*".as_ptr()) };
        let is_file = self.identity(-1) == self.identity(-2);
        self.pop(2);
        // SAFETY: the block of a file is one of its `io` library (lauxlib.h, liolib.c).
        is_file.then(|| unsafe { values::stream(self.userdata(index)) })
    }
}
