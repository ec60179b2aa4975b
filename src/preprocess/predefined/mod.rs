//! The macros that compilers predefine, as tables.
//!
//! The compilers print them: `CTHUNK_BLESS=1 cargo test --test preprocess predefined` asks those that are installed, and writes the
//! files of this folder.

use super::Compiler;

/// A target of a compiler.
#[derive(Debug, PartialEq, Eq)]
pub struct Platform {
    /// The name of its data model ([`crate::target::DataModel`]).
    pub name: &'static str,
    /// The compiler.
    pub compiler: Compiler,
    /// The command that prints the macros.
    pub command: &'static [&'static str],
    /// `#define` lines.
    pub macros: &'static str,
}

/// A row of [`PLATFORMS`]: the data model, the compiler, and the command.
macro_rules! platform {
    ($name:literal, gcc, $command:literal) => {
        Platform {
            name: $name,
            compiler: Compiler::Gcc,
            command: &[$command],
            macros: include_str!(concat!($name, "-gcc.h")),
        }
    };
    ($name:literal, clang, $target:literal) => {
        Platform {
            name: $name,
            compiler: Compiler::Clang,
            command: &["clang-19", concat!("--target=", $target)],
            macros: include_str!(concat!($name, "-clang.h")),
        }
    };
}

/// All platforms. Where a data model has two compilers, the first one is the usual one.
pub static PLATFORMS: [Platform; 17] = [
    platform!("x86_64-sysv", gcc, "gcc"),
    platform!("i686-sysv", gcc, "i686-linux-gnu-gcc"),
    platform!("aarch64-sysv", gcc, "aarch64-linux-gnu-gcc"),
    platform!("riscv64", gcc, "riscv64-linux-gnu-gcc"),
    platform!("x86_64-mingw", gcc, "x86_64-w64-mingw32-gcc"),
    platform!("i686-mingw", gcc, "i686-w64-mingw32-gcc"),
    platform!("x86_64-sysv", clang, "x86_64-linux-gnu"),
    platform!("i686-sysv", clang, "i686-linux-gnu"),
    platform!("aarch64-sysv", clang, "aarch64-linux-gnu"),
    platform!("riscv64", clang, "riscv64-linux-gnu"),
    platform!("x86_64-gnullvm", clang, "x86_64-w64-mingw32"),
    platform!("i686-gnullvm", clang, "i686-w64-mingw32"),
    platform!("x86_64-msvc", clang, "x86_64-pc-windows-msvc"),
    platform!("i686-msvc", clang, "i686-pc-windows-msvc"),
    platform!("aarch64-windows", clang, "aarch64-pc-windows-msvc"),
    platform!("x86_64-apple", clang, "x86_64-apple-macosx11"),
    platform!("aarch64-apple", clang, "arm64-apple-macosx11"),
];

impl Platform {
    /// The usual compiler of a data model.
    pub fn find(name: &str) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.name == name)
    }

    /// A certain compiler of a data model.
    pub fn of(name: &str, compiler: Compiler) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|platform| platform.name == name && platform.compiler == compiler)
    }
}
