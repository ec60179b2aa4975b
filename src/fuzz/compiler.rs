//! C compilers, run as commands.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::trouble::Trouble;

/// A C compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// As the user calls it; one word.
    pub name: String,
    /// The command: a program, and options that it always gets.
    command: Vec<String>,
    /// The first line that `--version` prints.
    pub version: String,
    /// The optimisation level: `1`, `s` …
    level: String,
}

impl Compiler {
    /// A compiler by name.
    ///
    /// # Errors
    /// [`Trouble::Missing`]
    pub fn find(name: &str) -> Result<Compiler, Trouble> {
        Compiler::with(name, &[name])
    }

    /// A compiler that is more than a name: `clang-19 --target=aarch64-linux-gnu`.
    ///
    /// # Errors
    /// [`Trouble::Missing`]
    pub fn with(name: &str, command: &[&str]) -> Result<Compiler, Trouble> {
        let command: Vec<String> = command.iter().map(|&word| word.into()).collect();
        let version = Command::new(&command[0])
            .arg("--version")
            .output()
            .map_err(|source| Trouble::Missing { name: command[0].clone(), source })?;
        let version = String::from_utf8_lossy(&version.stdout);
        let version = version.lines().next().unwrap_or_default().into();
        Ok(Compiler { name: name.into(), command, version, level: "1".into() })
    }

    /// The same at another optimisation level than 1.
    pub fn at(self, level: &str) -> Compiler {
        Compiler { level: level.into(), ..self }
    }

    /// Whether it is a GCC.
    pub fn is_gcc(name: &str) -> bool {
        name.contains("gcc")
    }

    /// Whether it is a Clang.
    pub fn is_clang(name: &str) -> bool {
        name.contains("clang")
    }

    /// Compiles, without warnings.
    ///
    /// # Errors
    /// [`Trouble::Missing`] and [`Trouble::Refused`]
    pub fn run(&self, options: &[&str], from: &[&Path], to: &Path) -> Result<(), Trouble> {
        let output = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args([&format!("-O{}", self.level), "-w", "-o"])
            .arg(to)
            .args(options)
            .args(from.iter().map(|path| path as &dyn AsRef<OsStr>))
            .output()
            .map_err(|source| Trouble::Missing { name: self.name.clone(), source })?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).chars().take(4000).collect();
        let path = from.first().map_or_else(Default::default, |path| path.to_path_buf());
        Err(Trouble::Refused { compiler: self.name.clone(), path, output })
    }
}
