//! A plugin host: untrusted scripts work on an image in a sandbox, with a C library, a Rust function and memory of the host.
//!
//! `cargo run --example embed` runs the scripts in `plugins/`, then those in `refused/`, each of which tries something that the
//! policy forbids and begins with a part of the error that stops it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cthunk::policy::Limits;
use cthunk::{Policy, Sandbox};
use mlua::LightUserData;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embed");
/// The image is a square.
const SIDE: usize = 4;

/// Public, because `tests/embedding.rs` runs it.
pub fn main() -> Result<(), Box<dyn Error>> {
    let library = build_library()?;
    let mut image: Vec<u8> = (0..SIDE * SIDE).map(|pixel| 16 * pixel as u8).collect();
    let host = Host::new(&library)?;
    for plugin in scripts("plugins")? {
        host.run(&plugin, &mut image)?;
        println!("{}: {image:?}", name(&plugin));
    }
    let ffi = host.sandbox.ffi().counters()?;
    println!("{} symbols, {} thunks, {} callbacks", ffi.symbols, ffi.thunks, ffi.callbacks);

    for script in scripts("refused")? {
        let refusal = expected(&script)?;
        // Each script has a host of its own, so that no limit is used up by another script.
        let error = match Host::new(&library)?.run(&script, &mut image) {
            Ok(()) => return Err(format!("nothing stops {}", script.display()).into()),
            Err(error) => error.to_string(),
        };
        if !error.contains(&refusal) {
            return Err(format!("{}: not '{refusal}', but {error}", script.display()).into());
        }
        println!("{}: {refusal}", name(&script));
    }
    Ok(())
}

/// A Lua state for scripts that are not trusted, with what they may use.
struct Host {
    sandbox: Sandbox,
}

impl Host {
    fn new(library: &Path) -> mlua::Result<Host> {
        let limits = Limits {
            cdata_bytes: Some(1 << 20),
            callbacks: Some(16),
            thunks: Some(100),
            declaration_bytes: Some(10_000),
            ..Limits::default()
        };
        let sandbox = Sandbox::builder()
            .policy(Policy::declared_only().limits(limits))
            .memory(16 << 20)
            .time(Duration::from_millis(200))
            .module("gray", "return { half = function(gray) return math.floor(gray / 2) end }")
            .build()?;
        let ffi = sandbox.ffi();
        // SAFETY: the header belongs to the library, and its contracts describe what the functions do with their pointers.
        let pixels = unsafe {
            ffi.declare(include_str!("pixels.h"))?;
            ffi.load(&library.to_string_lossy())?
        };
        let globals = sandbox.lua().globals();
        globals.set("pixels", pixels)?;
        globals.set("host_object", sandbox.lua().create_any_userdata(())?)?;
        globals.set("host_pointer", LightUserData(std::ptr::dangling_mut()))?;
        ffi.closure("void log_number(int number);", |number: i32| println!("  log: {number}"))?;
        Ok(Host { sandbox })
    }

    /// Runs a script with the image lent to it. After the loan, runs the function `later`, if the script defines one.
    fn run(&self, script: &Path, image: &mut [u8]) -> mlua::Result<()> {
        let source = fs::read_to_string(script).map_err(mlua::Error::external)?;
        let plugin = self.sandbox.load(&name(script), source)?;
        let globals = self.sandbox.lua().globals();
        globals.set("count", image.len())?;
        self.sandbox.ffi().lend(image, |image| {
            globals.set("image", image)?;
            self.sandbox.call::<()>(&plugin, ())
        })?;
        match globals.get::<Option<mlua::Function>>("later")? {
            Some(later) => self.sandbox.call(&later, ()),
            None => Ok(()),
        }
    }
}

/// Compiles `pixels.c`, as an installer does.
fn build_library() -> Result<PathBuf, Box<dyn Error>> {
    let library = std::env::temp_dir().join(format!("libpixels-{}.so", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library);
    let status = compiler.arg(format!("{FOLDER}/pixels.c")).status()?;
    if !status.success() {
        return Err(format!("cc: {status}").into());
    }
    Ok(library)
}

/// The scripts of a folder, by name.
fn scripts(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = fs::read_dir(format!("{FOLDER}/{folder}"))?;
    let mut scripts: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    scripts.sort();
    Ok(scripts)
}

/// The first line of a script: a part of the error that stops it.
fn expected(script: &Path) -> Result<String, Box<dyn Error>> {
    let source = fs::read_to_string(script)?;
    let first = source.lines().next().and_then(|line| line.strip_prefix("-- "));
    Ok(first.ok_or("a script that says nothing")?.to_owned())
}

fn name(script: &Path) -> String {
    script.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
