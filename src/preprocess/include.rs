//! `#include`: which file it names, and which files need not be read again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Options;
use super::headers;
use super::reader::{Reader, Result};
use super::source::Text;
use super::spelling::Spelling;
use super::token::{Kind, Token};
use super::word::{self, spelling};

/// A folder of the search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// A folder of [`super::Files`].
    At(PathBuf),
    /// The headers of the compiler, which are built in: `stddef.h`, `limits.h` and others.
    BuiltIn,
}

/// The folder that built-in headers seem to be in.
const BUILT_IN: &str = "<built-in>";

impl Folder {
    fn join(&self, name: &Path) -> PathBuf {
        match self {
            Folder::At(folder) => folder.join(name),
            Folder::BuiltIn => Path::new(BUILT_IN).join(name),
        }
    }
}

/// A file that was read.
#[derive(Debug)]
struct File {
    path: PathBuf,
    name: Rc<str>,
    folder: Rc<Path>,
    text: Rc<Text>,
    /// The macro that is defined if all of it was read before.
    guard: Option<Spelling>,
    /// Whether it is read only once.
    once: bool,
}

/// All files that were read, and the paths that were tried.
#[derive(Debug, Default)]
pub(super) struct Library {
    files: Vec<File>,
    /// The file at a path, or nothing. (The hash of a `PathBuf` takes its parts apart.)
    known: FxHashMap<OsString, Option<usize>>,
    /// Whether a folder is there.
    folders: FxHashMap<OsString, bool>,
    /// What searches have found.
    answers: FxHashMap<Question, Option<Found>>,
}

impl Library {
    pub(super) fn set_guard(&mut self, file: usize, guard: Spelling) {
        self.files[file].guard = Some(guard);
    }

    pub(super) fn set_once(&mut self, file: usize) {
        self.files[file].once = true;
    }

    /// The paths of all files.
    pub(super) fn names(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// What the answer of a search depends on.
type Question = (Spelling, Option<Spelling>, usize);

/// A file, and the position of its folder in the search path.
type Found = (usize, Option<usize>);

/// What an `#include` names.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) name: PathBuf,
    /// Whether it stands between `<` and `>`.
    angled: bool,
    /// Whether the search begins behind the folder of the file that asks.
    next: bool,
}

const INCLUDE_NEXT: Spelling = spelling("include_next");
const IMPORT: Spelling = spelling("import");

impl<'a> Reader<'a> {
    /// `#include`, `#include_next`, `#import`
    pub(super) fn include(&mut self, directive: Token) -> Result<()> {
        let wanted = self.header_name(directive, directive.spelling == INCLUDE_NEXT)?;
        let Some((file, found_in)) = self.find(&wanted, directive)? else {
            return Err(self.not_found(&wanted, directive));
        };
        if directive.spelling == IMPORT {
            if self.library.files[file].once {
                return Ok(());
            }
            self.library.set_once(file);
        } else if self.is_needless(file) {
            return Ok(());
        }
        let File { text, name, folder, .. } = &self.library.files[file];
        let (text, name, folder) = (text.clone(), name.clone(), folder.clone());
        let mut buffer = self.buffer_of(text, name, folder, Some(directive.place))?;
        buffer.file = Some(file);
        buffer.found_in = found_in;
        self.found = Some(buffer);
        Ok(())
    }

    /// Whether the file would add nothing: its guard is defined, or it is read only once.
    fn is_needless(&self, file: usize) -> bool {
        let File { once, guard, .. } = self.library.files[file];
        once || guard.is_some_and(|guard| self.macros.is_defined(guard))
    }

    fn not_found(&self, wanted: &Wanted, directive: Token) -> Box<super::Error> {
        let name = wanted.name.display();
        let mut error = self.error(directive.place, format!("there is no file '{name}'"));
        let places: Vec<String> = (self.options.folders.iter())
            .map(|folder| match folder {
                Folder::At(path) if path.as_os_str().is_empty() => {
                    "the texts that are given".into()
                }
                Folder::At(path) => path.display().to_string(),
                Folder::BuiltIn => "the built-in headers".to_owned(),
            })
            .collect();
        error.hint = Some(if places.is_empty() {
            "no folders are searched".to_owned()
        } else {
            format!("these are searched: {}", places.join(", "))
        });
        error
    }

    /// `"name"` or `<name>`, or macros that become one.
    pub(super) fn header_name(&mut self, directive: Token, next: bool) -> Result<Wanted> {
        if self.contexts.is_empty() {
            let lexer = &mut self.buffer().lexer;
            let (name, angled) = match lexer.quoted_name() {
                Some(name) => (Some(name), false),
                None => (lexer.angle_name(), true),
            };
            if let Some(name) = name {
                return self.wanted(&name, angled, next, directive);
            }
        }
        let token = self.next_solid()?;
        if token.kind == Kind::Str {
            let text = self.spellings.bytes(token.spelling);
            if let Some(name) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
                let name = name.to_vec();
                return self.wanted(&name, false, next, directive);
            }
        }
        if !token.is(word::LESS) {
            let (text, found) = (self.spellings.text(directive.spelling), self.describe(token));
            let message = format!("'{text}' needs the name of a file, not {found}");
            return Err(self.error(token.place, message));
        }
        let mut name = Vec::new();
        loop {
            let token = self.next_solid()?;
            match token.kind {
                Kind::Punct if token.spelling == word::GREATER => break,
                Kind::End | Kind::EndOfLine => {
                    return Err(self.error(token.place, "the name of the file has no '>'"));
                }
                _ => {}
            }
            if token.has_space() && !name.is_empty() {
                name.push(b' ');
            }
            name.extend_from_slice(self.spellings.bytes(token.spelling));
        }
        self.wanted(&name, true, next, directive)
    }

    fn wanted(&self, name: &[u8], angled: bool, next: bool, directive: Token) -> Result<Wanted> {
        match std::str::from_utf8(name) {
            Ok(name) if !name.is_empty() => {
                // In the first file, the next one is the first one.
                let next = next && self.buffers().len() > 1;
                Ok(Wanted { name: name.into(), angled, next })
            }
            Ok(_) => Err(self.error(directive.place, "the name of the file is empty")),
            Err(_) => Err(self.error(directive.place, "the name of the file is not UTF-8")),
        }
    }

    /// The file that a name means, and the position of its folder in the search path.
    fn find(&mut self, wanted: &Wanted, directive: Token) -> Result<Option<Found>> {
        let question = self.question(wanted);
        if let Some(&found) = self.library.answers.get(&question) {
            return Ok(found);
        }
        let mut found = None;
        for (path, found_in) in self.candidates(wanted) {
            if let Some(file) = self.open(path, directive)? {
                found = Some((file, found_in));
                break;
            }
        }
        self.library.answers.insert(question, found);
        Ok(found)
    }

    /// What the answer of a search depends on: the name, the folder of the file that asks, and where the search path begins.
    fn question(&mut self, wanted: &Wanted) -> Question {
        let name = self.spellings.intern(wanted.name.as_os_str().as_encoded_bytes());
        let beside = (!wanted.angled && !wanted.next).then(|| {
            let folder = self.buffer().folder.clone();
            self.spellings.intern(folder.as_os_str().as_encoded_bytes())
        });
        (name, beside, self.first_folder(wanted))
    }

    /// Where in the search path the search begins.
    fn first_folder(&mut self, wanted: &Wanted) -> usize {
        match self.buffer().found_in {
            Some(index) if wanted.next => index + 1,
            _ if wanted.angled => self.options.only_quoted,
            _ => 0,
        }
    }

    /// The paths to try, and the positions of their folders in the search path.
    pub(super) fn candidates(
        &mut self,
        wanted: &Wanted,
    ) -> impl Iterator<Item = (PathBuf, Option<usize>)> + use<'a> {
        let name = wanted.name.clone();
        let is_absolute = name.is_absolute();
        let beside = (!wanted.angled && !wanted.next).then(|| self.buffer().beside(&name));
        let first = if is_absolute { usize::MAX } else { self.first_folder(wanted) };
        let alone = if is_absolute { Some(name.clone()) } else { beside };
        let options: &'a Options = self.options;
        let folders = options.folders.iter().enumerate().skip(first);
        let found = folders.map(move |(index, folder)| (folder.join(&name), Some(index)));
        alone.into_iter().map(|path| (path, None)).chain(found)
    }

    /// The file at a path.
    fn open(&mut self, path: PathBuf, directive: Token) -> Result<Option<usize>> {
        if let Some(&known) = self.library.known.get(path.as_os_str()) {
            return Ok(known);
        }
        let file = match self.has_folder_of(&path) {
            true => self.contents(&path, directive)?,
            false => None,
        };
        let file = file.map(|bytes| self.add_file(path.clone(), Text::new(bytes)));
        self.library.known.insert(path.into_os_string(), file);
        Ok(file)
    }

    /// Whether the folder of a path is there: most folders of a long search path have no folder `gtk`, which is asked for once.
    fn has_folder_of(&mut self, path: &Path) -> bool {
        let Some(folder) = path.parent().filter(|_| !path.starts_with(BUILT_IN)) else {
            return true;
        };
        if let Some(&is_there) = self.library.folders.get(folder.as_os_str()) {
            return is_there;
        }
        let is_there = self.files.has_folder(folder);
        self.library.folders.insert(folder.as_os_str().to_owned(), is_there);
        is_there
    }

    /// The bytes at a path.
    pub(super) fn contents(&self, path: &Path, directive: Token) -> Result<Option<Vec<u8>>> {
        if let Ok(name) = path.strip_prefix(BUILT_IN) {
            return Ok(headers::find(name).map(|text| text.as_bytes().to_vec()));
        }
        self.files.read(path).map_err(|error| {
            let message = format!("'{}' cannot be read: {error}", path.display());
            self.error(directive.place, message)
        })
    }

    /// A file by its path; a file that is read only once and has another path, too, is the same one.
    fn add_file(&mut self, path: PathBuf, text: Text) -> usize {
        let twin = |file: &File| {
            file.once
                && file.text.bytes == text.bytes
                && self.files.identity(&file.path) == self.files.identity(&path)
        };
        if let Some(known) = self.library.files.iter().position(twin) {
            return known;
        }
        let name = path.to_string_lossy().into();
        let folder = path.parent().unwrap_or(Path::new("")).into();
        let text = Rc::new(text);
        self.library.files.push(File { path, name, folder, text, guard: None, once: false });
        self.library.files.len() - 1
    }

    /// `(<name>)` or `("name")` behind `__has_include`: whether there is such a file.
    pub(super) fn has_include(&mut self, name: Token, next: bool) -> Result<bool> {
        if !self.in_directive {
            let text = self.spellings.text(name.spelling);
            return Err(self.error(name.place, format!("'{text}' outside of a directive")));
        }
        self.open_bracket(name)?;
        let wanted = self.header_name(name, next)?;
        self.close_bracket(name)?;
        let files = self.files;
        Ok(self.candidates(&wanted).any(|(path, _)| match path.strip_prefix(BUILT_IN) {
            Ok(name) => headers::find(name).is_some(),
            Err(_) => files.exists(&path),
        }))
    }
}
