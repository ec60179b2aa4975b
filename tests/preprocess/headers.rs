//! Headers of Debian's packages, alone and in pairs: the same tokens as the compilers have.
//!
//! Both sides have the same predefined macros and the same folders. `CTHUNK_HEADER=gtk` picks the headers with this in their name.
//! Each header is compared alone, and every eighth together with the next one; `CTHUNK_PAIRS=1` compares all pairs.

use cthunk::preprocess::{Command, Compiler, Folder, Options, Platform};

use crate::compilers::{compare, folders, is_installed, ours, run, tokens};
use crate::needs;

/// A header and what a compiler needs for it.
#[derive(Clone)]
struct Header {
    name: &'static str,
    flags: Vec<String>,
}

fn flags(module: &str) -> Vec<String> {
    if module.is_empty() {
        return Vec::new();
    }
    let output = std::process::Command::new("pkg-config").args(["--cflags", module]).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let flags = String::from_utf8_lossy(&text).into_owned();
    let kept = |flag: &&str| flag.starts_with("-I") || flag.starts_with("-D");
    flags.split_whitespace().filter(kept).map(str::to_owned).collect()
}

fn rows(list: &'static str) -> Vec<Header> {
    let only = std::env::var("CTHUNK_HEADER").unwrap_or_default();
    let mut headers = Vec::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, module, names] = parts[..] else { panic!("bad line: {line}") };
        let flags = flags(module);
        let names = names.split_whitespace().filter(|name| name.contains(&only));
        headers.extend(names.map(|name| Header { name, flags: flags.clone() }));
    }
    headers
}

/// Headers, and how many were compared.
struct Comparison {
    platform: &'static Platform,
    compared: usize,
    missing: Vec<String>,
    differences: Vec<String>,
}

impl Comparison {
    fn of(name: &str, compiler: Compiler) -> Option<Comparison> {
        let platform = Platform::of(name, compiler).expect("a platform");
        let empty =
            Comparison { platform, compared: 0, missing: Vec::new(), differences: Vec::new() };
        is_installed(platform).then_some(empty)
    }

    /// Compares one translation unit.
    fn unit(&mut self, headers: &[&Header]) {
        let text: String =
            headers.iter().map(|header| format!("#include <{}>\n", header.name)).collect();
        let mut flags: Vec<&str> = Vec::new();
        for flag in headers.iter().flat_map(|header| &header.flags) {
            if !flags.contains(&&**flag) {
                flags.push(flag);
            }
        }
        let output =
            run(self.platform, &[&["-E", "-P", "-w"], &flags[..]].concat(), text.as_bytes());
        let name = text.replace('\n', " ");
        if !output.status.success() {
            self.missing.push(name);
            return;
        }
        let mut options = Options { platform: Some(self.platform), ..Options::default() };
        for flag in &flags {
            match flag.split_at(2) {
                ("-I", folder) => options.folders.push(Folder::At(folder.into())),
                (_, define) => options.commands.push(Command::Define(define.to_owned())),
            }
        }
        options.folders.extend(folders(self.platform));
        self.compared += 1;
        match ours(text.as_bytes(), &options) {
            Err(error) => self.differences.push(format!("{name}: {error}")),
            Ok(found) => {
                if let Err(difference) = compare(&found, &tokens(&output.stdout)) {
                    self.differences.push(format!("{name}: {difference}"));
                }
            }
        }
    }

    /// Compares headers alone, and with the next one.
    fn all(&mut self, headers: &[Header]) {
        for header in headers {
            self.unit(&[header]);
        }
        let step = if std::env::var_os("CTHUNK_PAIRS").is_some() { 1 } else { 8 };
        for pair in headers.windows(2).step_by(step) {
            self.unit(&[&pair[0], &pair[1]]);
        }
    }

    fn end(self, least: usize) {
        let name = self.platform.command.join(" ");
        println!("{name}: {} units compared, {} not found", self.compared, self.missing.len());
        assert!(
            self.differences.is_empty(),
            "{name}: {} of {} differ:\n{}",
            self.differences.len(),
            self.compared,
            self.differences.join("\n\n")
        );
        if std::env::var_os("CTHUNK_HEADER").is_none() {
            let enough = if self.compared >= least {
                Ok(())
            } else {
                Err(format!("{name} finds only {} of {least} units (.ci/packages)", self.compared))
            };
            needs::has(enough);
        }
    }
}

fn check(platform: &str, compiler: Compiler, list: &'static str, least: usize) {
    let Some(mut comparison) = Comparison::of(platform, compiler) else { return };
    comparison.all(&rows(list));
    comparison.end(least);
}

static LINUX: &str = include_str!("headers.txt");
static LIBC: &str = include_str!("libc.txt");
static MINGW: &str = include_str!("mingw.txt");

#[test]
fn linux_with_gcc() {
    check("x86_64-sysv", Compiler::Gcc, LINUX, 150);
}

#[test]
fn linux_with_clang() {
    check("x86_64-sysv", Compiler::Clang, LINUX, 150);
}

#[test]
fn aarch64() {
    check("aarch64-sysv", Compiler::Gcc, LIBC, 40);
}

#[test]
fn riscv64() {
    check("riscv64", Compiler::Gcc, LIBC, 40);
}

#[test]
fn i686() {
    check("i686-sysv", Compiler::Gcc, LIBC, 40);
}

#[test]
fn mingw() {
    check("x86_64-mingw", Compiler::Gcc, MINGW, 40);
}
