//! No gate: each way in is an error.

use crate::code::Thunk;
use crate::error::Error;

fn refused() -> Error {
    Error::Gate { reason: "it is for x86-64 Linux only".into() }
}

/// Whether this process can run i686 code: no.
///
/// # Errors
/// [`Error::Gate`], always.
pub fn available() -> Result<(), Error> {
    Err(refused())
}

pub(in crate::code) fn dispatcher() -> Result<*const std::ffi::c_void, Error> {
    Err(refused())
}

pub(in crate::code) fn place(_: &[u8]) -> Result<u32, Error> {
    Err(refused())
}

/// Memory for a Frame; there is none.
#[derive(Debug)]
pub enum Frame {}

impl Frame {
    /// # Errors
    /// [`Error::Gate`], always.
    pub fn new(_: u32, _: u32) -> Result<Frame, Error> {
        Err(refused())
    }

    /// The bytes.
    pub fn bytes(&self) -> *mut u8 {
        match *self {}
    }

    /// Calls the guest.
    ///
    /// # Safety
    /// - None: there is no such Frame.
    pub unsafe fn call(&self, _: Thunk, _: u32) -> u32 {
        match *self {}
    }
}

/// Memory below 4 GiB, which nothing here can use.
pub mod memory {
    use std::io;
    use std::ptr::NonNull;

    fn refused() -> io::Error {
        io::ErrorKind::Unsupported.into()
    }

    pub(in crate::code) fn map_data(_: usize) -> io::Result<NonNull<u8>> {
        Err(refused())
    }

    /// # Errors
    /// Always.
    pub fn allocate(_: usize) -> io::Result<NonNull<u8>> {
        Err(refused())
    }

    /// # Safety
    /// - None: nothing was allocated.
    pub unsafe fn free(_: NonNull<u8>, _: usize) {}
}

/// Object files, which nothing here can run.
pub mod image {
    use crate::error::Error;

    /// A loaded object file; there is none.
    #[derive(Debug)]
    pub enum Image {}

    impl Image {
        /// # Errors
        /// [`Error::Gate`], always.
        pub fn load(_: &[u8], _: impl FnMut(&str) -> Option<u32>) -> Result<Image, Error> {
            Err(super::refused())
        }

        /// # Errors
        /// [`Error::Gate`], always.
        pub fn of_code(_: &[u8]) -> Result<Image, Error> {
            Err(super::refused())
        }

        /// Where it begins.
        pub fn start(&self) -> u32 {
            match *self {}
        }

        /// The address of a symbol.
        pub fn symbol(&self, _: &str) -> Option<u32> {
            match *self {}
        }
    }
}
