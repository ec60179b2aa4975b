//! What the fuzzer knows of each convention besides its table: how C asks for it, and who can run it.

use crate::Target;
use crate::abi::{self, Convention};

/// A convention and the C that uses it.
#[derive(Debug)]
pub struct Platform {
    /// The convention.
    pub convention: &'static Convention,
    /// The target triple of the C code; `None` is the host.
    pub triple: Option<&'static str>,
    /// What makes a C function use the convention.
    pub attribute: &'static str,
    /// `va_list`, `va_start` and `va_end` of such a function.
    pub va: [&'static str; 3],
}

impl PartialEq for Platform {
    fn eq(&self, other: &Platform) -> bool {
        self.convention == other.convention
    }
}

/// Every convention that `fuzz-abi` can execute.
pub static PLATFORMS: &[Platform] = &[
    Platform {
        convention: &abi::SYSV64,
        triple: None,
        attribute: "__attribute__((sysv_abi))",
        va: ["va_list", "va_start", "va_end"],
    },
    Platform {
        convention: &abi::WIN64,
        triple: None,
        attribute: "__attribute__((ms_abi))",
        va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
    },
];

impl Platform {
    /// The platform of a convention, by its name.
    pub fn of(convention: &str) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.convention.name == convention)
    }

    /// The target of the C code.
    pub fn target(&self) -> Target {
        match self.triple {
            None => Target::host(),
            Some(triple) => triple.parse().expect("PLATFORMS names known triples"),
        }
    }
}
