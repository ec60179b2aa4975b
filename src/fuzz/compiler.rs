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

/// The words of drivers, GCC's twice and Clang's, whose compiler crashed. They end with a code, not by a signal.
const OWN_ERRORS: &[&str] =
    &["internal compiler error", "signal terminated program", "PLEASE submit a bug report"];

/// Passes that GCC leaves out when it optimises: they take a third of its time and move no values between functions.
const GCC_WITHOUT: &[&str] =
    &["-fno-schedule-insns2", "-fno-tree-pta", "-fno-tree-vrp", "-fno-gcse"];

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

    /// The same compiler at an optimisation level; the default is 1.
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
    /// [`Trouble::Missing`], [`Trouble::Refused`] and [`Trouble::Crashed`]
    pub fn run(&self, options: &[&str], from: &[&Path], to: &Path) -> Result<(), Trouble> {
        let output = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args([&format!("-O{}", self.level), "-w"])
            .args(if Compiler::is_gcc(&self.name) { GCC_WITHOUT } else { &[] })
            .arg("-o")
            .arg(to)
            .args(options)
            .args(from.iter().map(|path| path as &dyn AsRef<OsStr>))
            .output()
            .map_err(|source| Trouble::Missing { name: self.name.clone(), source })?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        // Without a code it ended by a signal.
        let crashed = output.status.code().is_none() || OWN_ERRORS.iter().any(|w| text.contains(w));
        let (compiler, output) = (self.name.clone(), text.chars().take(4000).collect());
        let path = from.first().map_or_else(Default::default, |path| path.to_path_buf());
        Err(match crashed {
            true => Trouble::Crashed { compiler, path, output },
            false => Trouble::Refused { compiler, path, output },
        })
    }
}
