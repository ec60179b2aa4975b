//! Calls of C functions from Rust by their declarations, without Lua.

pub mod rust;
mod value;

use std::ffi::c_void;

pub use value::Value;

use crate::abi::{Convention, FrameLayout, Signature, Type};
use crate::code::{self, FrameCall};
use crate::ctype::{Declarations, TypeId};
use crate::error::Error;
use crate::target::Target;

/// A C function: an address and the type that a declaration gives it.
///
/// ```
/// use std::ffi::{c_int, c_void};
///
/// use cthunk::native::{Function, Value};
///
/// extern "C" fn add(a: c_int, b: c_int) -> c_int {
///     a + b
/// }
///
/// let add = Function::new("int add(int a, int b)", add as *const c_void)?;
/// // SAFETY: that is its declaration.
/// let sum = unsafe { add.call(&[Value::Int(1), Value::Int(2)])? };
/// assert_eq!(sum, Value::Int(3));
/// # Ok::<(), cthunk::Error>(())
/// ```
#[derive(Clone)]
pub struct Function {
    name: String,
    address: usize,
    signature: Signature,
    convention: &'static Convention,
    /// `None` for a variadic function: it depends on the arguments.
    call: Option<FrameCall>,
}

impl Function {
    /// The function that `declaration` declares, at an address of this process. The declaration stands alone; for one that uses
    /// other declarations there is [`Function::declared`].
    ///
    /// # Errors
    /// [`Error::Declaration`], [`Error::NotAFunction`]; a type or convention that is not supported.
    pub fn new(declaration: &str, address: *const c_void) -> Result<Function, Error> {
        let mut types = Declarations::new(&Target::host());
        let (name, ty) = types.parse_one(declaration.as_bytes())?;
        let name = name.map_or("function", |name| types.table().name(name));
        Function::of(&types, name, ty.id(), address)
    }

    /// The function that was declared with a name.
    ///
    /// # Errors
    /// [`Error::NotAFunction`] if the name is not declared, or not as a function; otherwise as [`Function::new`].
    pub fn declared(
        types: &Declarations,
        name: &str,
        address: *const c_void,
    ) -> Result<Function, Error> {
        match types.lookup(name.as_bytes()) {
            Some(crate::ctype::Decl::Function { ty, .. }) => {
                Function::of(types, name, *ty, address)
            }
            _ => Err(Error::NotAFunction { ty: name.to_owned() }),
        }
    }

    fn of(
        types: &Declarations,
        name: &str,
        ty: TypeId,
        address: *const c_void,
    ) -> Result<Function, Error> {
        let table = types.table();
        if table.function(ty).is_none() {
            return Err(Error::NotAFunction { ty: table.repr(ty.into()) });
        }
        let (signature, convention) = Signature::of(table, &Target::host(), ty, &[])?;
        let call = match signature.fixed {
            None => Some(FrameCall::of(&signature, convention)?),
            Some(_) => None,
        };
        let (name, address) = (name.to_owned(), address as usize);
        Ok(Function { name, address, signature, convention, call })
    }

    /// Calls it. Arguments for `...` are passed as 64-bit integers, doubles and pointers.
    ///
    /// # Safety
    /// - The declaration describes the function at the address.
    /// - The arguments are valid for it; so is the memory that pointers lead to.
    ///
    /// # Errors
    /// [`Error::Argument`] and [`Error::ArgumentCount`], before the call; [`Error::Memory`].
    pub unsafe fn call(&self, arguments: &[Value]) -> Result<Value, Error> {
        let named = self.signature.arguments.len();
        let wrong = match self.signature.fixed {
            Some(_) => arguments.len() < named,
            None => arguments.len() != named,
        };
        if wrong {
            let (function, given) = (self.name.clone(), arguments.len());
            return Err(Error::ArgumentCount { function, expected: named, given });
        }
        // SAFETY: the caller's promise.
        unsafe {
            match &self.call {
                Some(call) => self.call_with(call, &self.signature, arguments),
                None => {
                    let signature = self.with_variable(&arguments[named..])?;
                    let call = FrameCall::of(&signature, self.convention)?;
                    self.call_with(&call, &signature, arguments)
                }
            }
        }
    }

    /// The signature of a call with these arguments for `...`.
    fn with_variable(&self, variable: &[Value]) -> Result<Signature, Error> {
        let named = self.signature.arguments.len();
        let types = variable.iter().enumerate().map(|(i, value)| {
            value
                .variable_type()
                .ok_or_else(|| self.bad_argument(named + i, "an integer, float or pointer", value))
        });
        let all: Result<Box<[Type]>, Error> =
            self.signature.arguments.iter().cloned().map(Ok).chain(types).collect();
        Ok(Signature { arguments: all?, ..self.signature.clone() })
    }

    fn bad_argument(&self, index: usize, expected: &str, got: &Value) -> Error {
        Error::Argument {
            function: self.name.clone(),
            index: index + 1,
            expected: expected.to_owned(),
            got: got.to_string(),
        }
    }

    /// # Safety
    /// - As for [`Function::call`].
    /// - `call` is for the signature.
    unsafe fn call_with(
        &self,
        call: &FrameCall,
        signature: &Signature,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        let layout = FrameLayout::of(signature);
        code::with_room(layout.size as usize, |frame| {
            let slots = signature.arguments.iter().zip(&layout.arguments);
            for (index, (value, (ty, &at))) in arguments.iter().zip(slots).enumerate() {
                let slot = &mut frame[at as usize..][..ty.size as usize];
                value
                    .write(ty, slot)
                    .map_err(|expected| self.bad_argument(index, &expected, value))?;
            }
            // SAFETY: the caller's promise; the Frame is filled in, and aligned as much as any C value is.
            unsafe { call.invoke(self.address as *const c_void, frame.as_mut_ptr())? };
            let result = &signature.result;
            Ok(Value::read(result, &frame[layout.result as usize..][..result.size as usize]))
        })
    }

    /// The name that it was declared with.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:#x}", self.name, self.address)
    }
}
