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
    /// A message about what the policy refuses: about an argument, as above, or none.
    Refused(Option<c_int>, String),
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
            LuaError::Refused(_, message) => LuaError::Refused(Some(argument), message),
            LuaError::Stage(error) if is_refusal(&error) => {
                LuaError::Refused(Some(argument), error.to_string())
            }
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
            LuaError::Refused(n, message) => {
                LuaError::Refused(n, format!("{message} ({})", what()))
            }
            LuaError::Stage(error) => LuaError::Message(format!("{error} ({})", what())),
            LuaError::Value => LuaError::Value,
        }
    }

    /// The text, if the policy refuses the operation.
    pub(super) fn refusal(&self) -> Option<String> {
        match self {
            LuaError::Refused(_, message) => Some(message.clone()),
            LuaError::Stage(error) if is_refusal(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Pushes the message, and returns the argument that it is about (0: none); `None`: the error is the value on top of the stack.
    pub(super) fn push(self, lua: *mut lua_State) -> Option<c_int> {
        let (argument, message) = match self {
            LuaError::Value => return None,
            LuaError::Message(message) => (0, message),
            LuaError::Stage(error) => (0, error.to_string()),
            LuaError::Argument(n, message) => (n, message),
            LuaError::Refused(n, message) => (n.unwrap_or(0), message),
        };
        // SAFETY: `guard` holds a live state; Lua copies the bytes.
        unsafe { sys::lua_pushlstring(lua, message.as_ptr().cast(), message.len()) };
        Some(argument)
    }
}

/// Whether the policy refuses a declaration.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Declaration(errors) if errors.is_refusal())
}

impl fmt::Display for LuaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LuaError::Message(message)
            | LuaError::Argument(_, message)
            | LuaError::Refused(_, message) => f.write_str(message),
            LuaError::Stage(error) => error.fmt(f),
            LuaError::Value => f.write_str("a Lua error value"),
        }
    }
}
