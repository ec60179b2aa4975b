//! The meaning of a target triple for C: the data model, and the names of its calling conventions.
//!
//! All other code asks a [`Target`]; only `src/lower/isa.rs` reads triples, too, to find a code generator.
#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use target_lexicon::{
    Aarch64Architecture, Architecture, Environment, OperatingSystem, Riscv64Architecture, Triple,
};

use crate::abi::x86::{self, Flavour};
use crate::abi::{CONVENTIONS, Convention};
use crate::ctype::{CallConv, FloatKind, IntKind};
use crate::error::Error;

/// A platform that C code is compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    triple: Triple,
    model: &'static DataModel,
}

/// Sizes, alignments and layout rules that a platform's C compiler uses, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct DataModel {
    /// Short name, as in tests and documentation.
    pub name: &'static str,
    /// `sizeof(void *)`, also of `size_t`, `ptrdiff_t`, `intptr_t`.
    pub pointer: u8,
    /// `sizeof(long)`.
    pub long: u8,
    /// Whether plain `char` is signed.
    pub char_signed: bool,
    /// `wchar_t`.
    pub wchar: IntKind,
    /// Format, size and alignment of `long double`.
    pub long_double: (FloatKind, u8, u8),
    /// Alignment of a 64-bit integer as a structure member (4 on i386 Linux).
    pub int64_align: u8,
    /// Alignment of a `double` as a structure member (4 on i386 Linux).
    pub double_align: u8,
    /// Whether `__int128` exists.
    pub int128: bool,
    /// How bit-fields are packed.
    pub bit_fields: BitFieldRule,
    /// Whether the compiler knows `__attribute__((ms_struct))`.
    pub ms_struct: bool,
    /// Whose rules lay out records.
    pub compiler: Compiler,
    /// Whether an unnamed bit-field aligns its record as a named one does (AAPCS64).
    pub align_unnamed_bit_fields: bool,
    /// The largest alignment that a vector type gets from its size.
    pub max_vector_align: u32,
    /// Whether an enum is always `int`, whatever its values (MSVC).
    pub enum_is_int: bool,
    /// How `va_list` is made.
    pub va_list: VaList,
    /// `__attribute__((aligned))` with no number, and the alignment of `max_align_t`.
    pub biggest_align: u8,
}

/// The two families of bit-field layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitFieldRule {
    /// System V: a bit-field may share the storage unit of a neighbour of another type.
    Gcc,
    /// Microsoft: a new unit whenever the declared size changes (also GCC's `ms_struct`).
    Ms,
}

/// The compiler that a platform's other code comes from, where their record layouts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// GCC, and Clang where it imitates GCC.
    Gcc,
    /// Clang with the Itanium rules (Apple, `windows-gnullvm`).
    Clang,
    /// Microsoft C.
    Msvc,
}

/// The shape of `va_list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaList {
    /// A plain pointer (Windows, i386, Apple arm64, riscv64).
    Pointer,
    /// System V x86-64: an array of one 24-byte structure.
    SysV64,
    /// AAPCS64: a 32-byte structure.
    Aapcs64,
}

const LP64: DataModel = DataModel {
    name: "x86_64-sysv",
    pointer: 8,
    long: 8,
    char_signed: true,
    wchar: IntKind::I32,
    long_double: (FloatKind::F80, 16, 16),
    int64_align: 8,
    double_align: 8,
    int128: true,
    bit_fields: BitFieldRule::Gcc,
    ms_struct: true,
    compiler: Compiler::Gcc,
    align_unnamed_bit_fields: false,
    max_vector_align: 1 << 28,
    enum_is_int: false,
    va_list: VaList::SysV64,
    biggest_align: 16,
};
const F64_LONG_DOUBLE: (FloatKind, u8, u8) = (FloatKind::F64, 8, 8);
const F128_LONG_DOUBLE: (FloatKind, u8, u8) = (FloatKind::F128, 16, 16);

static X86_64_SYSV: DataModel = LP64;
static X86_64_APPLE: DataModel =
    DataModel { name: "x86_64-apple", compiler: Compiler::Clang, max_vector_align: 32, ..LP64 };
static X86_64_MINGW: DataModel = DataModel {
    name: "x86_64-mingw",
    long: 4,
    wchar: IntKind::U16,
    bit_fields: BitFieldRule::Ms,
    va_list: VaList::Pointer,
    ..LP64
};
static X86_64_GNULLVM: DataModel =
    DataModel { name: "x86_64-gnullvm", compiler: Compiler::Clang, ..X86_64_MINGW };
static X86_64_MSVC: DataModel = DataModel {
    name: "x86_64-msvc",
    long_double: F64_LONG_DOUBLE,
    compiler: Compiler::Msvc,
    enum_is_int: true,
    ..X86_64_MINGW
};
static I686_SYSV: DataModel = DataModel {
    name: "i686-sysv",
    pointer: 4,
    long: 4,
    long_double: (FloatKind::F80, 12, 4),
    int64_align: 4,
    double_align: 4,
    int128: false,
    va_list: VaList::Pointer,
    ..LP64
};
static I686_MINGW: DataModel = DataModel {
    name: "i686-mingw",
    wchar: IntKind::U16,
    int64_align: 8,
    double_align: 8,
    bit_fields: BitFieldRule::Ms,
    ..I686_SYSV
};
static I686_GNULLVM: DataModel =
    DataModel { name: "i686-gnullvm", compiler: Compiler::Clang, ..I686_MINGW };
static I686_MSVC: DataModel = DataModel {
    name: "i686-msvc",
    long_double: F64_LONG_DOUBLE,
    compiler: Compiler::Msvc,
    enum_is_int: true,
    ..I686_MINGW
};
static AARCH64_SYSV: DataModel = DataModel {
    name: "aarch64-sysv",
    char_signed: false,
    wchar: IntKind::U32,
    long_double: F128_LONG_DOUBLE,
    ms_struct: false,
    align_unnamed_bit_fields: true,
    max_vector_align: 16,
    va_list: VaList::Aapcs64,
    ..LP64
};
static AARCH64_APPLE: DataModel = DataModel {
    name: "aarch64-apple",
    long_double: F64_LONG_DOUBLE,
    compiler: Compiler::Clang,
    max_vector_align: 16,
    va_list: VaList::Pointer,
    ..LP64
};
static AARCH64_WINDOWS: DataModel = DataModel { name: "aarch64-windows", ..X86_64_MSVC };
static RISCV64: DataModel = DataModel {
    name: "riscv64",
    ms_struct: false,
    char_signed: false,
    long_double: F128_LONG_DOUBLE,
    va_list: VaList::Pointer,
    ..LP64
};

fn data_model(triple: &Triple) -> Option<&'static DataModel> {
    let windows = triple.operating_system == OperatingSystem::Windows;
    let msvc = windows && triple.environment == Environment::Msvc;
    let gnullvm = windows && triple.environment == Environment::GnuLlvm;
    let apple = triple.vendor == target_lexicon::Vendor::Apple;
    Some(match triple.architecture {
        Architecture::X86_64 if msvc => &X86_64_MSVC,
        Architecture::X86_64 if gnullvm => &X86_64_GNULLVM,
        Architecture::X86_64 if windows => &X86_64_MINGW,
        Architecture::X86_64 if apple => &X86_64_APPLE,
        Architecture::X86_64 => &X86_64_SYSV,
        Architecture::X86_32(_) if msvc => &I686_MSVC,
        Architecture::X86_32(_) if gnullvm => &I686_GNULLVM,
        Architecture::X86_32(_) if windows => &I686_MINGW,
        Architecture::X86_32(_) => &I686_SYSV,
        Architecture::Aarch64(Aarch64Architecture::Aarch64) if windows => &AARCH64_WINDOWS,
        Architecture::Aarch64(Aarch64Architecture::Aarch64) if apple => &AARCH64_APPLE,
        Architecture::Aarch64(Aarch64Architecture::Aarch64) => &AARCH64_SYSV,
        Architecture::Riscv64(Riscv64Architecture::Riscv64 | Riscv64Architecture::Riscv64gc) => {
            &RISCV64
        }
        _ => return None,
    })
}

impl Target {
    /// The platform that this library was compiled for.
    pub fn host() -> Target {
        Target::new(Triple::host()).expect("cthunk builds only where it knows the data model")
    }

    /// The data model of a triple.
    ///
    /// # Errors
    /// [`Error::Target`] for an architecture with no table in this file.
    pub fn new(triple: Triple) -> Result<Target, Error> {
        match data_model(&triple) {
            Some(model) => Ok(Target { triple, model }),
            None => Err(Error::Target {
                triple: triple.to_string(),
                reason: "no data model for this architecture".into(),
            }),
        }
    }

    /// The triple, as Cranelift takes it.
    pub fn triple(&self) -> &Triple {
        &self.triple
    }

    /// The convention of a function, variadic or not, that asks for `asked`.
    ///
    /// 64-bit compilers ignore the i386 keywords: "On x64 … the compiler accepts `__stdcall` and ignores it"
    /// (Microsoft C++ documentation; GCC and Clang do the same).
    ///
    /// # Errors
    /// [`Error::Convention`] where the target has no such convention, or none that this version implements.
    pub fn convention(
        &self,
        asked: CallConv,
        variadic: bool,
    ) -> Result<&'static Convention, Error> {
        let asked = asked.as_called();
        if let Architecture::X86_32(_) = self.triple.architecture {
            let convention = x86::select(self.flavour(), asked, variadic);
            return convention.ok_or_else(|| self.no_convention(asked.keyword()));
        }
        let architecture = self.triple.architecture.into_str();
        let by_keyword =
            |c: &&Convention| c.keyword == Some(asked) && *c.architecture == *architecture;
        let by_default = |c: &&Convention| c.default_on.contains(&self.model.name);
        let conventions = || CONVENTIONS.iter().copied();
        use CallConv::{MsAbi, SysvAbi, Unsupported, Vectorcall};
        let named = matches!(asked, MsAbi | SysvAbi | Vectorcall | Unsupported(_));
        conventions()
            .find(by_keyword)
            .or_else(|| conventions().find(by_default).filter(|_| !named))
            .ok_or_else(|| self.no_convention(asked.keyword()))
    }

    /// Whether it is 32-bit x86.
    pub fn is_i686(&self) -> bool {
        matches!(self.triple.architecture, Architecture::X86_32(_))
    }

    /// The operating system and the processor, as LuaJIT names them in `ffi.os` and `ffi.arch`.
    pub fn luajit_names(&self) -> (&'static str, &'static str) {
        let os = match self.triple.operating_system {
            OperatingSystem::Linux => "Linux",
            OperatingSystem::Windows => "Windows",
            _ if self.triple.vendor == target_lexicon::Vendor::Apple => "OSX",
            OperatingSystem::Freebsd | OperatingSystem::Netbsd | OperatingSystem::Openbsd => "BSD",
            _ => "Other",
        };
        let arch = match self.triple.architecture {
            Architecture::X86_64 => "x64",
            Architecture::X86_32(_) => "x86",
            Architecture::Aarch64(_) => "arm64",
            _ => "riscv64",
        };
        (os, arch)
    }

    /// The names for which LuaJIT's `ffi.abi` returns true, except those of the pointer width. LuaJIT's own 64-bit builds have `gc64`.
    pub fn luajit_abi(&self) -> &'static [&'static str] {
        match (self.is_windows(), self.model.pointer) {
            (true, 8) => &["fpu", "hardfp", "le", "win", "dualnum", "gc64"],
            (true, _) => &["fpu", "hardfp", "le", "win", "dualnum"],
            (false, 8) => &["fpu", "hardfp", "le", "dualnum", "gc64"],
            (false, _) => &["fpu", "hardfp", "le", "dualnum"],
        }
    }

    /// Whether it is Windows.
    pub fn is_windows(&self) -> bool {
        self.triple.operating_system == OperatingSystem::Windows
    }

    /// The compiler that 32-bit x86 code for this platform comes from.
    fn flavour(&self) -> Flavour {
        match (self.triple.operating_system, self.triple.environment) {
            (OperatingSystem::Windows, Environment::Msvc) => Flavour::Msvc,
            (OperatingSystem::Windows, Environment::GnuLlvm) => Flavour::GnuLlvm,
            (OperatingSystem::Windows, _) => Flavour::Mingw,
            _ => Flavour::Linux,
        }
    }

    fn no_convention(&self, asked: &'static str) -> Error {
        Error::Convention { asked, target: self.to_string() }
    }

    /// Sizes and layout rules.
    pub fn model(&self) -> &'static DataModel {
        self.model
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Target, Error> {
        let triple = Triple::from_str(text)
            .map_err(|e| Error::Target { triple: text.into(), reason: e.to_string() })?;
        Target::new(triple)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.triple.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_64_bit_platform_has_one_default_convention() {
        for (triple, name) in [
            ("x86_64-unknown-linux-gnu", "sysv64"),
            ("x86_64-apple-darwin", "sysv64"),
            ("x86_64-pc-windows-msvc", "win64"),
            ("x86_64-pc-windows-gnu", "win64"),
            ("x86_64-pc-windows-gnullvm", "win64"),
            ("aarch64-unknown-linux-gnu", "aapcs64"),
            ("aarch64-apple-darwin", "aapcs64-apple"),
            ("aarch64-pc-windows-msvc", "aapcs64-windows"),
        ] {
            let target: Target = triple.parse().unwrap();
            let defaults = CONVENTIONS.iter().filter(|c| c.default_on.contains(&target.model.name));
            assert_eq!(defaults.map(|c| c.name).collect::<Vec<_>>(), [name], "{triple}");
            assert_eq!(target.convention(CallConv::Stdcall, false).unwrap().name, name, "{triple}");
        }
    }

    #[test]
    fn attributes_choose_a_convention_of_the_same_processor() {
        let name = |triple: &str, asked| {
            let target: Target = triple.parse().unwrap();
            target.convention(asked, false).map(|c| c.name).map_err(|e| e.to_string())
        };
        assert_eq!(name("x86_64-unknown-linux-gnu", CallConv::MsAbi), Ok("win64"));
        assert_eq!(name("x86_64-pc-windows-gnu", CallConv::SysvAbi), Ok("sysv64"));
        assert_eq!(name("aarch64-unknown-linux-gnu", CallConv::MsAbi), Ok("aapcs64-windows"));
        assert!(name("aarch64-unknown-linux-gnu", CallConv::SysvAbi).is_err());
        assert!(name("x86_64-unknown-linux-gnu", CallConv::Vectorcall).is_err());
        assert_eq!(name("i686-unknown-linux-gnu", CallConv::Default), Ok("cdecl"));
        assert_eq!(name("i686-pc-windows-gnullvm", CallConv::Thiscall), Ok("thiscall:gnullvm"));
    }
}
