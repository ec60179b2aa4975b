//! Random C functions, called both ways between the thunks and C compilers.
//!
//! ```text
//! seed ─Generator→ Case ─header→ C text ─Batch::parse→ Prototype (types, plan, images)
//!                   │                                     ├─ c_source → callees and callers for a C compiler
//!                   │                                     └─ an Executor runs both directions, in processes of its own
//!                   └── shrink::candidates ←── a finding ←┘
//! ```
//!
//! C text alone describes a function ([`shape::header`]), so a finding is a header that can be kept, read and run again. Values name
//! themselves ([`image`]). A way to run a batch is a [`program::Executor`]; [`campaign`] runs many batches and shrinks failing functions;
//! [`known`] lists the disagreements of compilers; [`mutants`] are broken conventions, which a campaign must find.

pub mod batch;
pub mod c_source;
pub mod campaign;
pub mod compiler;
#[cfg(feature = "emit")]
pub mod emitted;
pub mod generate;
pub mod host;
pub mod image;
pub mod known;
pub mod mutants;
pub mod platform;
pub mod program;
pub mod random;
pub mod scalar;
pub mod shape;
pub mod shrink;
pub mod trouble;
pub mod uncompiled;

pub use batch::{Batch, Prototype, Value};
pub use campaign::{Campaign, Crash, Finding, Report, Tally};
pub use generate::Generator;
pub use image::{Image, RESULT};
pub use platform::Platform;
pub use random::Random;
pub use shape::Case;
pub use trouble::Trouble;
