//! The error type of the library. Each stage that can fail has a variant.

use crate::abi::Unsupported;
use crate::ctype::{Diagnostics, QualType, Table};

/// An error, by the stage that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A C declaration does not parse, or does not agree with an earlier one.
    #[error("{0}")]
    Declaration(#[from] Diagnostics),

    /// A target triple that is not understood.
    #[error("unsupported target '{triple}': {reason}")]
    Target {
        /// The triple, as given.
        triple: String,
        /// The reason.
        reason: String,
    },

    /// A type whose size is not known, or that cannot be a parameter or a result.
    #[error("'{ty}' cannot be passed or returned: its size is not known")]
    IncompleteType {
        /// The type, as C prints it.
        ty: String,
    },

    /// A calling convention that the target does not have, or that this version does not implement.
    #[error("calling convention {asked} is not supported on {target}")]
    Convention {
        /// The requested convention.
        asked: &'static str,
        /// The target.
        target: String,
    },

    /// A type that the convention does not carry.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),

    /// A function whose thunks cannot stand alone in an object file.
    #[error("the thunks of '{function}' cannot be emitted: {reason}")]
    Emit {
        /// Its name.
        function: String,
        /// The reason.
        reason: &'static str,
    },

    /// A question about functions, asked of another type.
    #[error("'{ty}' is not a function: it has a layout, but no plan and no code")]
    NotAFunction {
        /// The type, as C prints it.
        ty: String,
    },

    /// A Rust value that is no argument of a C function.
    #[error("bad argument #{index} to '{function}': {expected} expected, got {got}")]
    Argument {
        /// The function.
        function: String,
        /// Which argument, from 1.
        index: usize,
        /// The expected value.
        expected: String,
        /// The given value.
        got: String,
    },

    /// Too many arguments for a C function, or too few.
    #[error("wrong number of arguments to '{function}': {expected} expected, got {given}")]
    ArgumentCount {
        /// The function.
        function: String,
        /// Parameters that it has.
        expected: usize,
        /// Arguments that were given.
        given: usize,
    },

    /// An error of Cranelift.
    #[error("code generation: {source}")]
    Codegen {
        /// Cranelift's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// 32-bit x86 code cannot run in this process.
    #[error("i686 code cannot run in this process: {reason}")]
    Gate {
        /// The reason.
        reason: String,
    },

    /// A 32-bit object file that cannot be loaded.
    #[error("cannot load the object file: {reason}")]
    Image {
        /// The reason.
        reason: String,
    },

    /// Stack arguments that the thread's stack has no room for.
    #[error("the arguments take {bytes} bytes of stack, of which the thread has {left} left")]
    Stack {
        /// Bytes of the stack arguments.
        bytes: usize,
        /// Bytes of the stack that nobody uses.
        left: usize,
    },

    /// A script has used up its time: [`Sandbox`](https://docs.rs/cthunk).
    #[error("the deadline of the script is over")]
    Deadline,

    /// A script has used up its steps.
    #[error("the script has no steps left")]
    Steps,

    /// No executable memory.
    #[error("executable memory: {0}")]
    Memory(#[from] std::io::Error),
}

impl Error {
    pub(crate) fn incomplete(table: &Table, ty: QualType) -> Error {
        Error::IncompleteType { ty: table.repr(ty) }
    }

    pub(crate) fn codegen(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Codegen { source: source.into() }
    }
}
