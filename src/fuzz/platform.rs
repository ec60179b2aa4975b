//! Facts that the fuzzer needs about a convention beside its table: the attribute that asks for it in C, the machine that runs its code.

#[cfg(feature = "emit")]
use super::emitted::{Assembly, Machine};
use super::mutants::Mutant;
use crate::abi::{self, Convention, x86};
use crate::target::Target;

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
    /// The attribute that makes a C function use the convention.
    pub attribute: &'static str,
    /// `va_list`, `va_start` and `va_end` of such a function.
    pub va: [&'static str; 3],
    /// The C compilers of its code, by name, where none are asked for; none: those that are called by their plain names.
    pub compilers: &'static [(&'static str, &'static [&'static str])],
}

const LINUX: &[(&str, &[&str])] = &[
    ("i686-linux-gnu-gcc", &["i686-linux-gnu-gcc"]),
    ("clang-i686-linux", &["clang-19", "--target=i686-unknown-linux-gnu"]),
];
const LINUX_GCC: &[(&str, &[&str])] = &[("i686-linux-gnu-gcc", &["i686-linux-gnu-gcc"])];
const MINGW: &[(&str, &[&str])] = &[("i686-w64-mingw32-gcc", &["i686-w64-mingw32-gcc"])];
const GNULLVM: &[(&str, &[&str])] =
    &[("clang-i686-gnu", &["clang-19", "--target=i686-pc-windows-gnu"])];
const MSVC: &[(&str, &[&str])] =
    &[("clang-i686-msvc", &["clang-19", "--target=i686-pc-windows-msvc"])];

/// A convention of 32-bit x86 code, which runs through [`crate::code::gate`].
const fn guest(
    convention: &'static Convention,
    attribute: &'static str,
    triple: &'static str,
    compilers: &'static [(&'static str, &'static [&'static str])],
) -> Platform {
    let va = ["va_list", "va_start", "va_end"];
    Platform {
        convention,
        triple: Some(triple),
        #[cfg(feature = "emit")]
        machine: None,
        attribute,
        va,
        compilers,
    }
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
        compilers: &[],
    },
    Platform {
        convention: &abi::WIN64,
        triple: None,
        #[cfg(feature = "emit")]
        machine: None,
        attribute: "__attribute__((ms_abi))",
        va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
        compilers: &[],
    },
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64,
        triple: Some("aarch64-unknown-linux-gnu"),
        machine: Some(&AARCH64),
        attribute: "",
        va: ["va_list", "va_start", "va_end"],
        compilers: &[],
    },
    // Apple's assembly runs on Linux once its directives are Linux'.
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64_APPLE,
        triple: Some("aarch64-apple-darwin"),
        machine: Some(&Machine {
            gcc_knows: false,
            // Linux' assembler knows no `mov.d`.
            clang: &["-target", "arm64-apple-macos", "-mllvm", "-aarch64-neon-syntax=generic"],
            assembly: Assembly::MachO,
            ..AARCH64
        }),
        attribute: "",
        va: ["va_list", "va_start", "va_end"],
        compilers: &[],
    },
    // Windows' calls with Linux' types; GCC has no `ms_abi` here.
    #[cfg(feature = "emit")]
    Platform {
        convention: &abi::AAPCS64_WINDOWS,
        triple: Some("aarch64-unknown-linux-gnu"),
        machine: Some(&Machine { gcc_knows: false, ..AARCH64 }),
        attribute: "__attribute__((ms_abi))",
        va: ["__builtin_ms_va_list", "__builtin_ms_va_start", "__builtin_ms_va_end"],
        compilers: &[],
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
        compilers: &[],
    },
    guest(&x86::CDECL, "", "i686-unknown-linux-gnu", LINUX),
    guest(&x86::STDCALL, "__attribute__((stdcall))", "i686-unknown-linux-gnu", LINUX),
    guest(&x86::FASTCALL, "__attribute__((fastcall))", "i686-unknown-linux-gnu", LINUX_GCC),
    guest(&x86::THISCALL, "__attribute__((thiscall))", "i686-unknown-linux-gnu", LINUX_GCC),
    guest(&x86::REGPARM1, "__attribute__((regparm(1)))", "i686-unknown-linux-gnu", LINUX_GCC),
    guest(&x86::REGPARM2, "__attribute__((regparm(2)))", "i686-unknown-linux-gnu", LINUX_GCC),
    guest(&x86::REGPARM3, "__attribute__((regparm(3)))", "i686-unknown-linux-gnu", LINUX_GCC),
    guest(&x86::CDECL_MINGW, "", "i686-pc-windows-gnu", MINGW),
    guest(&x86::STDCALL_MINGW, "__attribute__((stdcall))", "i686-pc-windows-gnu", MINGW),
    guest(&x86::FASTCALL_MINGW, "__attribute__((fastcall))", "i686-pc-windows-gnu", MINGW),
    guest(&x86::THISCALL_MINGW, "__attribute__((thiscall))", "i686-pc-windows-gnu", MINGW),
    guest(&x86::CDECL_GNULLVM, "", "i686-pc-windows-gnullvm", GNULLVM),
    guest(&x86::STDCALL_GNULLVM, "__attribute__((stdcall))", "i686-pc-windows-gnullvm", GNULLVM),
    guest(&x86::FASTCALL_GNULLVM, "__attribute__((fastcall))", "i686-pc-windows-gnullvm", GNULLVM),
    guest(&x86::THISCALL_GNULLVM, "__attribute__((thiscall))", "i686-pc-windows-gnullvm", GNULLVM),
    guest(&x86::CDECL_MSVC, "", "i686-pc-windows-msvc", MSVC),
    guest(&x86::STDCALL_MSVC, "__attribute__((stdcall))", "i686-pc-windows-msvc", MSVC),
    guest(&x86::FASTCALL_MSVC, "__attribute__((fastcall))", "i686-pc-windows-msvc", MSVC),
    guest(&x86::THISCALL_MSVC, "__attribute__((thiscall))", "i686-pc-windows-msvc", MSVC),
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
    /// The platform of a convention, or of a mutant of one, by its name.
    pub fn of(name: &str) -> Option<&'static Platform> {
        let whole = |name| PLATFORMS.iter().find(|platform| platform.convention.name == name);
        whole(name).or_else(|| {
            let mutant = Mutant::of(name)?;
            let convention = Box::leak(Box::new(mutant.convention()));
            Some(Box::leak(Box::new(Platform { convention, ..*whole(mutant.of.name)? })))
        })
    }

    /// The convention of its functions, with or without `...`; `None` where compilers refuse such functions.
    pub fn convention_of(&self, variadic: bool) -> Option<&'static Convention> {
        match variadic && self.is_guest() {
            true => x86::variadic(self.convention),
            false => Some(self.convention),
        }
    }

    /// Whether the code is 32-bit code that runs through the gate.
    pub fn is_guest(&self) -> bool {
        self.convention.is_i686()
    }

    /// The target of the C code.
    pub fn target(&self) -> Target {
        match self.triple {
            None => Target::host(),
            Some(triple) => triple.parse().expect("PLATFORMS names known triples"),
        }
    }
}
