//! The preprocessor against GCC and Clang, and its errors.

#[path = "support/needs.rs"]
mod needs;

#[path = "preprocess/compilers.rs"]
mod compilers;
#[path = "preprocess/errors.rs"]
mod errors;
#[path = "preprocess/headers.rs"]
mod headers;
#[path = "preprocess/language.rs"]
mod language;
#[path = "preprocess/macros.rs"]
mod macros;
#[path = "preprocess/predefined.rs"]
mod predefined;
