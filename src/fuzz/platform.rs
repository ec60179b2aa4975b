//! What the fuzzer knows of each convention besides its table: how C asks for it, and who can run it.

#[cfg(feature = "emit")]
use super::emitted::{Assembly, Machine};
use crate::Target;
use crate::abi::{self, Convention};

/// A convention and the C that uses it.
#[derive(Debug)]
pub struct Platform {
    /// The convention.
    pub convention: &'static Convention,
    /// The target triple of the C code; `None` is the host.
    pub triple: Option<&'static str>,
    /// The processor that its code runs on, if it is not the host's.
    #[cfg(feature = "emit")]
    pub machine: Option<&'static Machine>,
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
        #[cfg(feature = "emit")]
        machine: None,
        attribute: "__attribute__((sysv_abi))",
        va: ["va_list", "va_start", "va_end"],
    },
    Platform {
        convention: &abi::WIN64,
        triple: None,
        #[cfg(feature = "emit")]
        machine: None,
        attribute: "__attribute__((ms_abi))",
        va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
    },
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64,
        triple: Some("aarch64-unknown-linux-gnu"),
        machine: Some(&AARCH64),
        attribute: "",
        va: ["va_list", "va_start", "va_end"],
    },
    // Apple's assembly runs on Linux once its directives are Linux'.
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64_APPLE,
        triple: Some("aarch64-apple-darwin"),
        machine: Some(&Machine {
            gcc_knows: false,
            clang: &["-target", "arm64-apple-macos"],
            assembly: Assembly::MachO,
            ..AARCH64
        }),
        attribute: "",
        va: ["va_list", "va_start", "va_end"],
    },
    // Windows' calls with Linux' types; GCC has no `ms_abi` here.
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64_WINDOWS,
        triple: Some("aarch64-unknown-linux-gnu"),
        machine: Some(&Machine { gcc_knows: false, ..AARCH64 }),
        attribute: "__attribute__((ms_abi))",
        va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
    },
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::LP64D,
        triple: Some("riscv64gc-unknown-linux-gnu"),
        machine: Some(&Machine {
            triple: "riscv64gc-unknown-linux-gnu",
            emulator: "qemu-riscv64",
            gcc: "riscv64-linux-gnu-gcc",
            gcc_knows: true,
            clang: &["-target", "riscv64-linux-gnu", "-march=rv64gc", "-mabi=lp64d"],
            assembly: Assembly::Elf,
        }),
        attribute: "",
        va: ["va_list", "va_start", "va_end"],
    },
];

#[cfg(feature = "emit")]
const AARCH64: Machine = Machine {
    triple: "aarch64-unknown-linux-gnu",
    emulator: "qemu-aarch64",
    gcc: "aarch64-linux-gnu-gcc",
    gcc_knows: true,
    clang: &["-target", "aarch64-linux-gnu"],
    assembly: Assembly::Elf,
};

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
