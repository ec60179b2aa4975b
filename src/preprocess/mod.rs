//! The C preprocessor: C23 6.10 and GCC's extensions, without a compiler.
//!
//! Pure: no host, no Lua, no `unsafe`. Files come from a [`Files`]: the file system, or texts that the host gives.
//!
//! ```text
//! bytes ─source→ joined lines ─lexer→ tokens ─directive, expand→ tokens of the translation unit ─output→ text
//! ```
//!
//! | file | knows |
//! |---|---|
//! | `token`, `spelling`, `word` | tokens; their texts as numbers; the texts that the preprocessor knows |
//! | `source`, `lexer` | continued lines and places; from bytes to tokens |
//! | `reader` | the state of a run, files on the stack, limits |
//! | `macros`, `expand`, `substitute` | definitions; when a name is replaced, and by what: arguments, `#`, `##`, `__VA_OPT__` |
//! | `directive`, `condition`, `number` | lines that begin with `#`; the expressions of `#if` |
//! | `include`, `embed`, `pragma` | directives that read files or are handed on |
//! | `builtin`, `has` | `__LINE__` and its kin; `__has_attribute` and its kin |
//! | `files`, `search` | where files come from; the folders of each system |
//! | `predefined/`, `headers/` | predefined macros of each platform; headers that belong to the compiler |
//! | `error`, `output` | errors with places; the result |
//!
//! ```
//! use cthunk::preprocess::{Options, Texts, preprocess};
//!
//! let texts: Texts = [("answer.h", "#define ANSWER(x) x##2")].into_iter().collect();
//! let options = Options { folders: vec![cthunk::preprocess::Folder::At("".into())], ..Options::default() };
//! let unit = preprocess("main.c", b"#include <answer.h>\nint a = ANSWER(4);", &options, &texts)?;
//! assert_eq!(unit.text(), "int a = 42;\n");
//! # Ok::<(), Box<cthunk::preprocess::Error>>(())
//! ```
//!
//! # Differences from compilers
//!
//! - The first error ends the run.
//! - `#ident` leaves no tokens. `#pragma pack` has its macros replaced on every system, as the compilers' parsers do it.
//! - `#embed` looks for files where `#include` does.
//! - `__has_declspec_attribute` and `__building_module` are always 0; `__has_builtin` is 0 for the functions of single processors.
//! - `__DATE__` and its kin are those of [`Date`].
//! - GCC's `#assert`, and its raw string literals in C, are not supported.
#![forbid(unsafe_code)]

mod builtin;
mod condition;
mod directive;
mod embed;
mod error;
mod expand;
mod files;
mod has;
mod headers;
mod include;
mod lexer;
mod macros;
mod number;
mod output;
mod pragma;
mod predefined;
mod reader;
mod search;
mod source;
mod spelling;
mod substitute;
mod text;
mod token;
mod word;

pub use error::Error;
pub use files::{Disk, Files, Texts};
pub use include::Folder;
pub use output::Unit;
pub use predefined::{PLATFORMS, Platform};
pub use search::System;
pub use source::{Expansion, Location};
pub use spelling::{Spelling, Spellings};
pub use token::{Kind, Place, Token};

/// The compiler whose predefined macros, attributes and built-in functions a text sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compiler {
    /// GCC 12.
    #[default]
    Gcc,
    /// Clang 19.
    Clang,
}

/// The standard of C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standard {
    /// C17, with GNU extensions.
    #[default]
    C17,
    /// C23, with GNU extensions.
    C23,
}

/// A macro or file that comes before the text, as an option of compilers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `-D`: `NAME`, `NAME=text` or `NAME(parameters)=text`.
    Define(String),
    /// `-U`
    Undefine(String),
    /// `-include`
    Include(String),
}

/// The moment that `__DATE__` and its kin name: always the same, so that equal texts have equal results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// `__DATE__`
    pub date: String,
    /// `__TIME__`
    pub time: String,
    /// `__TIMESTAMP__`
    pub timestamp: String,
}

impl Default for Date {
    fn default() -> Date {
        Date {
            date: "Jan  1 1970".to_owned(),
            time: "00:00:00".to_owned(),
            timestamp: "Thu Jan  1 00:00:00 1970".to_owned(),
        }
    }
}

/// How much a text may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep files include files, arguments contain macros, and conditions have brackets.
    pub nesting: usize,
    /// How many macros are replaced.
    pub expansions: u64,
    /// The bytes of all files that are read, and of the tokens that macros become.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { nesting: 200, expansions: 10_000_000, bytes: 1 << 30 }
    }
}

/// What a text is read with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The predefined macros; nothing for none.
    pub platform: Option<&'static Platform>,
    /// The compiler, if there is no platform.
    pub compiler: Compiler,
    /// The standard of C.
    pub standard: Standard,
    /// Where headers are.
    pub folders: Vec<Folder>,
    /// How many of the folders, from the first one on, are only for `#include "…"`.
    pub only_quoted: usize,
    /// The macros and files that come before the text.
    pub commands: Vec<Command>,
    /// What `__DATE__` and its kin become.
    pub date: Date,
    /// How much the text may ask for.
    pub limits: Limits,
}

impl Options {
    /// The options for a platform: its predefined macros, and the folders of its system.
    pub fn of(platform: &'static Platform, system: &System) -> Options {
        let folders = system.folders(platform.name);
        Options { platform: Some(platform), folders, ..Options::default() }
    }

    fn compiler(&self) -> Compiler {
        self.platform.map_or(self.compiler, |platform| platform.compiler)
    }

    /// The definitions of the predefined macros.
    fn predefined(&self) -> Vec<u8> {
        let mut text = self.platform.map_or("", |platform| platform.macros).to_owned();
        if self.standard == Standard::C23 && self.platform.is_some() {
            text += "#undef __STDC_VERSION__\n#define __STDC_VERSION__ 202311L\n";
        }
        text.into_bytes()
    }

    /// The directives of the commands.
    fn command_text(&self) -> Vec<u8> {
        let directive = |command: &Command| match command {
            Command::Define(text) => match text.split_once('=') {
                Some((name, text)) => format!("#define {name} {text}\n"),
                None => format!("#define {text} 1\n"),
            },
            Command::Undefine(name) => format!("#undef {name}\n"),
            Command::Include(name) => format!("#include \"{name}\"\n"),
        };
        self.commands.iter().map(directive).collect::<String>().into_bytes()
    }
}

/// Preprocesses a text. `name` is the name of its file: files that it includes by `"…"` are looked for in the same folder first.
///
/// # Errors
/// The first error of the text, and what it asks for beyond the limits.
pub fn preprocess(
    name: &str,
    text: &[u8],
    options: &Options,
    files: &dyn Files,
) -> Result<Unit, Box<Error>> {
    reader::Reader::new(options, files).run(name, text)
}
