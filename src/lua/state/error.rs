//! Errors of the library's C functions, before they are raised.

use std::ffi::c_int;
use std::fmt;

use mlua::ffi as sys;

use crate::error::Error;
use crate::lua::vm::api::lua_State;

/// The reason why a C function of the library raises an error.
#[derive(Debug)]
pub enum LuaError {
    /// A message; the position of the Lua code that called is put in front.
    Message(String),
    /// A message about an argument of the running function, numbered from 1.
    Argument(c_int, String),
    /// The value on top of the stack, as it is.
    Value,
    /// An error of a stage: Lua gets its text, a host the error itself.
    Stage(Box<Error>),
}

impl<E> From<E> for LuaError
where
    Error: From<E>,
{
    fn from(error: E) -> LuaError {
        LuaError::Stage(Box::new(Error::from(error)))
    }
}

impl LuaError {
    /// A message.
    pub fn new(message: impl Into<String>) -> LuaError {
        LuaError::Message(message.into())
    }

    /// The same error, about an argument of the running function.
    #[must_use]
    pub fn at_argument(self, argument: c_int) -> LuaError {
        match self {
            LuaError::Message(message) => LuaError::Argument(argument, message),
            LuaError::Stage(error) => LuaError::Argument(argument, error.to_string()),
            other => other,
        }
    }

    /// The same error, with what it is about.
    #[must_use]
    pub fn about(self, what: impl FnOnce() -> String) -> LuaError {
        match self {
            LuaError::Message(message) => LuaError::Message(format!("{message} ({})", what())),
            LuaError::Argument(n, message) => {
                LuaError::Argument(n, format!("{message} ({})", what()))
            }
            LuaError::Stage(error) => LuaError::Message(format!("{error} ({})", what())),
            LuaError::Value => LuaError::Value,
        }
    }

    /// Pushes the message, and returns the argument that it is about (0: none); `None`: the error is the value on top of the stack.
    pub(super) fn push(self, lua: *mut lua_State) -> Option<c_int> {
        let (argument, message) = match self {
            LuaError::Value => return None,
            LuaError::Message(message) => (0, message),
            LuaError::Stage(error) => (0, error.to_string()),
            LuaError::Argument(n, message) => (n, message),
        };
        // SAFETY: `guard` holds a live state; Lua copies the bytes.
        unsafe { sys::lua_pushlstring(lua, message.as_ptr().cast(), message.len()) };
        Some(argument)
    }
}

impl fmt::Display for LuaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LuaError::Message(message) | LuaError::Argument(_, message) => f.write_str(message),
            LuaError::Stage(error) => error.fmt(f),
            LuaError::Value => f.write_str("a Lua error value"),
        }
    }
}
