//! The compilers that the preprocessor is compared with: their output as tokens.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use cthunk::preprocess::{
    Disk, Error, Folder, Kind, Options, Platform, Standard, Texts, Unit, preprocess,
};

use crate::needs;

/// Whether a compiler is installed.
pub fn is_installed(platform: &Platform) -> bool {
    let command = [platform.command, &["-E", "-xc", "/dev/null"]].concat();
    needs::has(needs::runs(command[0], &command[1..], package(platform)))
}

fn package(platform: &Platform) -> &'static str {
    match platform.command[0] {
        "gcc" => "gcc",
        "i686-linux-gnu-gcc" => "gcc-i686-linux-gnu",
        "aarch64-linux-gnu-gcc" => "gcc-aarch64-linux-gnu",
        "riscv64-linux-gnu-gcc" => "gcc-riscv64-linux-gnu",
        "x86_64-w64-mingw32-gcc" => "gcc-mingw-w64-x86-64",
        "i686-w64-mingw32-gcc" => "gcc-mingw-w64-i686",
        _ => "clang-19",
    }
}

/// Gives a text to a compiler with options.
pub fn run(platform: &Platform, options: &[&str], text: &[u8]) -> Output {
    let mut child = Command::new(platform.command[0])
        .args(&platform.command[1..])
        .args(options)
        .args(["-xc", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the compiler is installed");
    let mut input = child.stdin.take().expect("it was asked for");
    let text = text.to_vec();
    let writer = std::thread::spawn(move || drop(input.write_all(&text)));
    let output = child.wait_with_output().expect("the compiler ends");
    writer.join().expect("the writer ends");
    output
}

/// The folders in which a compiler looks for `<…>`.
pub fn folders(platform: &Platform) -> Vec<Folder> {
    static KNOWN: Mutex<Option<HashMap<Vec<&str>, Vec<Folder>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.get_or_insert_default().entry(platform.command.to_vec());
    found
        .or_insert_with(|| {
            let output = run(platform, &["-E", "-v"], b"");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let lines = text.lines().skip_while(|line| !line.starts_with("#include <...>")).skip(1);
            lines
                .take_while(|line| line.starts_with(' '))
                .map(|line| Folder::At(PathBuf::from(line.trim())))
                .collect()
        })
        .clone()
}

/// The macros in `#pragma pack` that compilers print as they are, and the preprocessor replaces for its parser.
static PACKED: [&str; 1] = ["_CRT_PACKING=8"];

/// The tokens of a text that a preprocessor has printed.
pub fn tokens(text: &[u8]) -> Vec<String> {
    tokens_of(text, Standard::C17)
}

/// The tokens by the rules of a standard.
pub fn tokens_of(text: &[u8], standard: Standard) -> Vec<String> {
    let commands = PACKED.map(|macro_| cthunk::preprocess::Command::Define(macro_.to_owned()));
    let options = Options { commands: commands.into(), standard, ..Options::default() };
    let unit = preprocess("output", text, &options, &Texts::default());
    spellings(&unit.unwrap_or_else(|error| panic!("a preprocessor printed no C: {error}")))
}

/// The texts of the tokens of a unit.
pub fn spellings(unit: &Unit) -> Vec<String> {
    let spelling = |token: &cthunk::preprocess::Token| match token.kind {
        Kind::Pragma => "#pragma".to_owned(),
        Kind::PragmaEnd => "#pragma end".to_owned(),
        _ => unit.spellings.text(token.spelling),
    };
    unit.tokens.iter().map(spelling).collect()
}

/// What we make of a text with files of the disk. The printed text has the same tokens.
pub fn ours(text: &[u8], options: &Options) -> Result<Vec<String>, Box<Error>> {
    let unit = preprocess("<stdin>", text, options, &Disk)?;
    let found = spellings(&unit);
    compare(&found, &tokens(unit.text().as_bytes())).unwrap_or_else(|problem| {
        panic!("the printed text has other tokens: {problem}");
    });
    Ok(found)
}

/// Nothing, or where the first difference is.
pub fn compare(ours: &[String], theirs: &[String]) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let around = |tokens: &[String]| {
        let from = same.saturating_sub(12).min(tokens.len());
        let to = (same + 12).min(tokens.len());
        tokens[from..to].join(" ")
    };
    Err(format!("from token {same} on\n  ours:   {}\n  theirs: {}", around(ours), around(theirs)))
}
