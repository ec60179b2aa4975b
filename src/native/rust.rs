//! Rust types that C passes as scalars, and Rust functions of these types.

use std::ffi::c_void;

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

/// A number for which each pattern of bits is valid, so that slices of it can be lent.
///
/// # Safety
/// - The name is that of the C type with the same size, alignment and values.
pub unsafe trait Plain: Scalar {
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
    /// Of the parameters.
    pub parameters: Vec<Shape>,
    /// Of the result.
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

/// An `extern "C"` function of scalars.
///
/// # Safety
/// - The address is that of a function of the shapes.
pub unsafe trait CFunction: Copy {
    /// Its types.
    fn shapes() -> Shapes;
    /// Its address.
    fn address(self) -> *const c_void;
}

/// A Rust closure that C can call with arguments `A`.
pub trait CClosure<A>: Send + Sync + 'static {
    /// Its types.
    fn shapes() -> Shapes;

    /// Calls it with the arguments in a Frame, and writes the result there.
    ///
    /// # Safety
    /// - `frame` is aligned and writable as `layout`, the Frame of a signature of the shapes, says.
    /// - Its arguments are filled in.
    unsafe fn run(&self, frame: *mut u8, layout: &FrameLayout);
}

macro_rules! functions {
    ($($arg:ident $index:tt),*) => {
        // SAFETY: the function itself.
        unsafe impl<R: Scalar, $($arg: Scalar),*> CFunction for extern "C" fn($($arg),*) -> R {
            fn shapes() -> Shapes {
                Shapes { parameters: vec![$($arg::SHAPE),*], result: R::SHAPE }
            }

            fn address(self) -> *const c_void {
                self as *const c_void
            }
        }

        impl<F, R: Scalar, $($arg: Scalar),*> CClosure<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
        {
            fn shapes() -> Shapes {
                Shapes { parameters: vec![$($arg::SHAPE),*], result: R::SHAPE }
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
