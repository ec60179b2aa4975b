//! Reasons to stop a campaign that are not findings: something that it needs is missing.

use std::path::PathBuf;

/// Why a batch could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },

    /// A program that is not installed.
    #[error("{name} does not run ({source}); install it, or leave it out with --cc")]
    Missing {
        /// As it was called.
        name: String,
        /// The error.
        source: std::io::Error,
    },

    /// A compiler that refused a file.
    #[error("{compiler} does not compile {}:\n{output}", path.display())]
    Refused {
        /// Its name.
        compiler: String,
        /// The file.
        path: PathBuf,
        /// Its output.
        output: String,
    },

    /// A compiler that ended by a signal, or says that it has an error of its own. [`uncompiled`](super::uncompiled) looks for the
    /// function; this is an error where the compiler crashes without any function, or not every time.
    #[error("{compiler} crashes when it compiles {}:\n{output}", path.display())]
    Crashed {
        /// Its name.
        compiler: String,
        /// The file.
        path: PathBuf,
        /// Its output.
        output: String,
    },

    /// A program that ended before it said which function it runs, or said something else.
    #[error("the program that runs a batch said {said:?}: {command}")]
    Program {
        /// The command.
        command: String,
        /// Its last words.
        said: String,
    },

    /// A shared library that does not load.
    #[error("{name}: {reason}")]
    Library {
        /// Its name.
        name: String,
        /// The loader's words.
        reason: String,
    },

    /// A header that is no C, or declares what the convention does not carry.
    #[error(transparent)]
    Header(#[from] crate::error::Error),
}

impl Trouble {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Trouble {
        let path = path.into();
        move |source| Trouble::File { path, source }
    }
}
