//! Rust types that C passes as scalars, and Rust functions of these types.

use std::any::type_name;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use bytemuck::Pod;

use crate::abi::{FrameLayout, Kind, Signature, Type};

/// The C type that a Rust type corresponds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `()`
    Void,
    /// `bool`
    Bool,
    /// An integer of so many bytes.
    Int {
        /// Bytes.
        size: u32,
        /// Whether it has a sign.
        signed: bool,
    },
    /// `f32`, `f64`: bytes.
    Float(u32),
    /// A pointer, or a function pointer in an `Option`.
    Pointer,
}

impl Shape {
    fn is(self, ty: &Type) -> bool {
        match (self, &ty.kind) {
            (Shape::Void, Kind::Void) | (Shape::Bool, Kind::Bool) => true,
            (Shape::Pointer, Kind::Pointer) => ty.size as usize == size_of::<usize>(),
            (Shape::Int { size, signed: a }, Kind::Int { signed: b }) => size == ty.size && a == *b,
            (Shape::Float(size), Kind::Float) => size == ty.size,
            _ => false,
        }
    }
}

/// A type that C passes as one scalar.
///
/// # Safety
/// - Its bytes are those of the C types that [`Scalar::SHAPE`] matches, any of which is a valid value.
#[diagnostic::on_unimplemented(
    message = "C has no scalar type for `{Self}`",
    label = "not an integer of at most 64 bits, `f32`, `f64`, `bool` or a raw pointer",
    note = "pass a struct by a pointer to it, or declare the function with `Ffi::function_at`"
)]
pub unsafe trait Scalar: Copy + 'static {
    /// The corresponding C type.
    const SHAPE: Shape;
}

macro_rules! scalars {
    ($($ty:ty: $shape:expr),* $(,)?) => {
        $(
            // SAFETY: the shape is that of the type, and C's values of it are Rust's.
            unsafe impl Scalar for $ty {
                const SHAPE: Shape = $shape;
            }
        )*
    };
}

macro_rules! integers {
    ($($ty:ty),*) => {
        scalars! { $($ty: Shape::Int { size: size_of::<$ty>() as u32, signed: <$ty>::MIN != 0 }),* }
    };
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

// A C `_Bool` is 0 or 1 wherever the conversion of an argument makes it.
scalars! { (): Shape::Void, bool: Shape::Bool, f32: Shape::Float(4), f64: Shape::Float(8) }

// SAFETY: an address.
unsafe impl<T: 'static> Scalar for *const T {
    const SHAPE: Shape = Shape::Pointer;
}

// SAFETY: an address.
unsafe impl<T: 'static> Scalar for *mut T {
    const SHAPE: Shape = Shape::Pointer;
}

/// A number for which each pattern of bits is valid, and which C has a name for, so that slices of it can be lent.
///
/// # Safety
/// - The name is that of the C type with the same size, alignment and values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of C's",
    label = "not an integer of at most 64 bits, `f32` or `f64`",
    note = "`Ffi::lend_as` lends structs that are `bytemuck::Pod`, by the name of their C type"
)]
pub unsafe trait Plain: Scalar + Pod {
    /// The C type.
    const C_NAME: &'static str;
}

macro_rules! plain {
    ($($ty:ty: $name:literal),* $(,)?) => {
        $(
            // SAFETY: the C type of the same representation.
            unsafe impl Plain for $ty {
                const C_NAME: &'static str = $name;
            }
        )*
    };
}

plain! {
    i8: "int8_t", i16: "int16_t", i32: "int32_t", i64: "int64_t",
    u8: "uint8_t", u16: "uint16_t", u32: "uint32_t", u64: "uint64_t",
    isize: "intptr_t", usize: "uintptr_t", f32: "float", f64: "double",
}

/// The shapes of a Rust function.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// The shapes of the parameters.
    pub parameters: Vec<Shape>,
    /// The shape of the result.
    pub result: Shape,
}

impl Shapes {
    /// Whether a declaration has these types.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, signature: &Signature) -> Result<(), String> {
        if signature.fixed.is_some() {
            return Err("the declaration is variadic".to_owned());
        }
        let (declared, given) = (signature.arguments.len(), self.parameters.len());
        if declared != given {
            return Err(format!("the declaration has {declared} parameters, the function {given}"));
        }
        let mut pairs = self.parameters.iter().zip(&signature.arguments);
        if let Some(wrong) = pairs.position(|(shape, ty)| !shape.is(ty)) {
            let shape = self.parameters[wrong];
            return Err(format!(
                "parameter {} is declared as another type than {shape:?}",
                wrong + 1
            ));
        }
        match self.result.is(&signature.result) {
            true => Ok(()),
            false => Err(format!("the result is declared as another type than {:?}", self.result)),
        }
    }
}

/// A function or closure that C can call with arguments `A`: of at most eight scalars, with a scalar result or none.
///
/// Functions and closures of Rust are; so are pointers to `extern "C"` functions. The type of an `extern "C"` function itself is not, as
/// Rust has no trait for it: `f as extern "C" fn(_, _) -> _` is the pointer.
///
/// # Safety
/// - [`CFunction::shapes`] are its types.
/// - [`CFunction::into_address`] returns the address of a function of these types.
#[diagnostic::on_unimplemented(
    message = "C cannot call `{Self}`",
    label = "not a function or closure that C can call",
    note = "C calls functions and closures that are `Send`, `Sync` and `'static`, with at most eight parameters: integers of at most \
            64 bits, `f32`, `f64`, `bool` and raw pointers; their result is one of these, or `()`",
    note = "an `extern \"C\"` function is given as a pointer: `f as extern \"C\" fn(_, _) -> _`",
    note = "for an `unsafe extern \"C\"` function, a variadic one and one of structs there is `Ffi::function_at`"
)]
pub unsafe trait CFunction<A>: Send + Sync + Sized + 'static {
    /// Its types.
    fn shapes() -> Shapes;

    /// The address of a C function that does the same, and stays one. A closure with captured values has none.
    fn into_address(self) -> Result<*const c_void, Self>;

    /// Calls it with the arguments in a Frame, and writes the result there.
    ///
    /// # Safety
    /// - `frame` is aligned and writable as `layout`, the Frame of a signature of the shapes, says.
    /// - Its arguments are filled in.
    unsafe fn run(&self, frame: *mut u8, layout: &FrameLayout);
}

/// The value of `call`. If `call` panics, the panic is reported and C gets zeros.
fn without_panic<F, R: Scalar>(call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        eprintln!("cthunk: '{}' panicked; C gets zeros", type_name::<F>());
        // SAFETY: any bytes that C's type has are a scalar, and it has zeros.
        unsafe { std::mem::zeroed() }
    })
}

macro_rules! functions {
    ($($arg:ident $index:tt),*) => {
        // SAFETY: the shapes are those of the parameters and the result. The address is that of the function itself, or of one that
        // calls it.
        unsafe impl<F, R: Scalar, $($arg: Scalar),*> CFunction<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
        {
            fn shapes() -> Shapes {
                Shapes { parameters: vec![$($arg::SHAPE),*], result: R::SHAPE }
            }

            fn into_address(self) -> Result<*const c_void, F> {
                #[allow(non_snake_case, reason = "a parameter has the name of its type")]
                extern "C" fn call<F: Fn($($arg),*) -> R, R: Scalar, $($arg: Scalar),*>(
                    $($arg: $arg),*
                ) -> R {
                    // SAFETY: `F` has no bytes, and `into_address` has kept a value of it.
                    let function = unsafe { NonNull::<F>::dangling().as_ref() };
                    without_panic::<F, R>(|| function($($arg),*))
                }
                if size_of::<F>() != 0 {
                    return Err(self);
                }
                std::mem::forget(self);
                Ok(call::<F, R, $($arg),*> as extern "C" fn($($arg),*) -> R as *const c_void)
            }

            /// # Safety
            /// - As the trait says.
            unsafe fn run(&self, frame: *mut u8, layout: &FrameLayout) {
                // SAFETY: the caller's promise; slots are aligned.
                unsafe {
                    let _ = layout;
                    let result = self($(
                        frame.add(layout.arguments[$index] as usize).cast::<$arg>().read()
                    ),*);
                    frame.add(layout.result as usize).cast::<R>().write(result);
                }
            }
        }

        // SAFETY: the shapes are those of the parameters and the result; the address is that of the function.
        unsafe impl<R: Scalar, $($arg: Scalar),*> CFunction<($($arg,)*)> for extern "C" fn($($arg),*) -> R {
            fn shapes() -> Shapes {
                Shapes { parameters: vec![$($arg::SHAPE),*], result: R::SHAPE }
            }

            fn into_address(self) -> Result<*const c_void, Self> {
                Ok(self as *const c_void)
            }

            /// # Safety
            /// - As the trait says.
            unsafe fn run(&self, frame: *mut u8, layout: &FrameLayout) {
                // SAFETY: the caller's promise; slots are aligned.
                unsafe {
                    let _ = layout;
                    let result = self($(
                        frame.add(layout.arguments[$index] as usize).cast::<$arg>().read()
                    ),*);
                    frame.add(layout.result as usize).cast::<R>().write(result);
                }
            }
        }
    };
}

functions!();
functions!(A 0);
functions!(A 0, B 1);
functions!(A 0, B 1, C 2);
functions!(A 0, B 1, C 2, D 3);
functions!(A 0, B 1, C 2, D 3, E 4);
functions!(A 0, B 1, C 2, D 3, E 4, G 5);
functions!(A 0, B 1, C 2, D 3, E 4, G 5, H 6);
functions!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7);
