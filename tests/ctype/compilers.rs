//! The C compilers that layouts are compared with: each turns constants into an object file, from which
//! they are read back. Nothing is run, so that one machine can ask for every target.

#[path = "../support/needs.rs"]
pub mod needs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A target and the compiler that knows it.
pub struct Compiler {
    pub triple: &'static str,
    pub command: &'static str,
    pub arguments: &'static [&'static str],
    /// The Debian package that has it.
    pub package: &'static str,
}

const fn gcc(triple: &'static str, command: &'static str, package: &'static str) -> Compiler {
    Compiler { triple, command, arguments: &[], package }
}

const fn clang(triple: &'static str, arguments: &'static [&'static str]) -> Compiler {
    Compiler { triple, command: "clang-19", arguments, package: "clang-19" }
}

pub static COMPILERS: [Compiler; 13] = [
    gcc("x86_64-unknown-linux-gnu", "gcc", "gcc"),
    gcc("i686-unknown-linux-gnu", "i686-linux-gnu-gcc", "gcc-i686-linux-gnu"),
    gcc("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    gcc("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu"),
    gcc("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
    gcc("i686-pc-windows-gnu", "i686-w64-mingw32-gcc", "gcc-mingw-w64-i686"),
    clang("x86_64-pc-windows-gnullvm", &["--target=x86_64-pc-windows-gnu"]),
    clang("i686-pc-windows-gnullvm", &["--target=i686-pc-windows-gnu"]),
    clang("x86_64-pc-windows-msvc", &["--target=x86_64-pc-windows-msvc"]),
    clang("i686-pc-windows-msvc", &["--target=i686-pc-windows-msvc"]),
    clang("aarch64-pc-windows-msvc", &["--target=aarch64-pc-windows-msvc"]),
    clang("x86_64-apple-darwin", &["--target=x86_64-apple-darwin"]),
    clang("aarch64-apple-darwin", &["--target=arm64-apple-darwin"]),
];

impl Compiler {
    /// Whether the compiler is here, for C without a library.
    pub fn is_installed(&self) -> bool {
        needs::has(self.compiles(&["-ffreestanding"], "int x;", self.package))
    }

    /// Whether the compiler compiles a text here; `package` has what it needs.
    pub fn compiles(&self, options: &[&str], text: &str, package: &str) -> needs::Need {
        let command = [&[self.command], self.arguments].concat();
        let options = [&["-w", "-std=gnu11", "-c"], options].concat();
        needs::compiles(&command, &options, text, package)
    }

    /// The bytes of the object file made from a C text.
    ///
    /// # Panics
    /// If the compiler refuses; its words are in the message.
    pub fn compile(&self, text: &str, name: &str) -> Vec<u8> {
        let folder = scratch_folder();
        let source = folder.join(format!("{name}-{}.c", self.triple));
        let object = source.with_extension("o");
        fs::write(&source, text).expect("the scratch folder is writable");
        let output = Command::new(self.command)
            .args(self.arguments)
            .args(["-w", "-std=gnu11", "-ffreestanding", "-c", "-o"])
            .args([&object, &source])
            .output()
            .expect("the compiler is installed");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{} refused {}:\n{errors}",
            self.command,
            source.display()
        );
        let bytes = fs::read(&object).expect("the compiler wrote an object");
        let _ = fs::remove_file(&object);
        bytes
    }
}

fn scratch_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned();
    fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// A C array of 64-bit constants that [`read_numbers`] finds in the object.
pub fn numbers(name: &str, values: &[String]) -> String {
    let count = values.len();
    let values = values.join(",\n");
    let marker = marker(name);
    format!(
        "const struct {{ char marker[24]; unsigned long long v[{count}]; }} {name} = {{ \"{marker}\", {{\n{values} }} }};\n"
    )
}

/// The values of an array that [`numbers`] declared.
pub fn read_numbers(object: &[u8], name: &str, count: usize) -> Vec<u64> {
    let start = find(object, marker(name).as_bytes(), 0).expect("the marker is in the object") + 24;
    let words = object[start..].chunks_exact(8).take(count);
    words.map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))).collect()
}

/// A C object with an array of one type, whose bytes [`read_bytes`] finds in the object file.
pub fn objects(name: &str, ty: &str, initial: &[String]) -> String {
    let count = initial.len();
    let initial = initial.join(", ");
    format!(
        "const struct {{ char start[24]; {ty} v[{count}]; char end[24]; }} {name} = {{ \"{}\", {{ {initial} }}, \"{}\" }};\n",
        marker(name),
        marker(&format!("{name}e")),
    )
}

/// The `size` bytes of an array that [`objects`] declared.
pub fn read_bytes<'a>(object: &'a [u8], name: &str, size: usize) -> &'a [u8] {
    let start = find(object, marker(name).as_bytes(), 0).expect("the marker is in the object") + 24;
    let end = find(object, marker(&format!("{name}e")).as_bytes(), start).expect("the object ends");
    assert!(end - start >= size, "the object has {} bytes, not {size}", end - start);
    &object[end - size..end]
}

/// 24 bytes with the final NUL.
fn marker(name: &str) -> String {
    format!("cthunk:{name:@<16}")
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = needle[0];
    let mut at = from;
    while let Some(next) = bytes[at..].iter().position(|&b| b == first) {
        at += next;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}
