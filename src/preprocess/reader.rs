//! The state of one run: files, macros and tokens that are being read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::error::Error;
use super::expand::Context;
use super::files::Files;
use super::include::Library;
use super::lexer::{Lexer, Rules};
use super::macros::{Definition, Macros};
use super::source::{Expansion, Sources, Text, Use};
use super::spelling::{Spelling, Spellings};
use super::token::{Flags, Kind, Place, Spacing, Token};
use super::{Limits, Options, Standard, Unit, word};

/// The result of a step.
pub(super) type Result<T> = std::result::Result<T, Box<Error>>;

/// A text that is being read.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) lexer: Lexer,
    /// The file in the library.
    pub(super) file: Option<usize>,
    /// The folder of the search path in which it was found.
    pub(super) found_in: Option<usize>,
    /// The folder of the file.
    pub(super) folder: Rc<Path>,
    /// How many `#if` were open before it.
    branches: usize,
    /// How many tokens were read.
    tokens: u32,
    /// How many tokens had been read when the last include guard ended.
    outside: u32,
    pub(super) guard: Guard,
}

/// What is known about the `#ifndef` around a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing was read yet.
    Start,
    /// The macro, and the position of its `#ifndef` among those that are open.
    Open(Spelling, usize),
    /// It ended, and nothing followed so far.
    Closed(Spelling),
    /// There is none.
    Missing,
}

/// An `#if` that is open.
#[derive(Debug)]
pub(super) struct Branch {
    /// Where it is.
    pub(super) place: Place,
    /// Whether one of its parts was read.
    pub(super) taken: bool,
    /// Whether its `#else` was there.
    pub(super) last: bool,
}

pub(super) struct Reader<'a> {
    pub(super) options: &'a Options,
    pub(super) files: &'a dyn Files,
    pub(super) limits: Limits,
    pub(super) rules: Rules,
    pub(super) spellings: Spellings,
    pub(super) sources: Sources,
    pub(super) macros: Macros,
    /// What `#pragma push_macro` keeps.
    pub(super) pushed: HashMap<Spelling, Vec<Definition>>,
    pub(super) library: Library,
    /// The files that are being read, the innermost last; never empty while something is read.
    buffers: Vec<Buffer>,
    pub(super) branches: Vec<Branch>,
    /// What is read before the innermost file goes on.
    pub(super) contexts: Vec<Context>,
    /// The file that an `#include` has found; it is read once the directive has ended.
    pub(super) found: Option<Buffer>,
    /// What an `#embed` makes; it is read once the directive has ended.
    pub(super) made: Vec<Token>,
    /// Whether a directive is being read: its end is a token.
    pub(super) in_directive: bool,
    /// Whether the token after the name of a function-like macro is being looked at.
    pub(super) looks_ahead: bool,
    /// Whether macros are not replaced.
    pub(super) keeps_macros: bool,
    /// Whether the directive that is being read is the first of its file, or follows its include guard.
    pub(super) outside: bool,
    /// Where the outermost macro is that is being replaced.
    pub(super) outer: Place,
    pub(super) expansions: u64,
    pub(super) nesting: usize,
    bytes: u64,
    /// The next `__COUNTER__`.
    pub(super) counter: u64,
    /// The name of the first file.
    pub(super) main: Rc<str>,
    pub(super) out: Vec<Token>,
    warnings: Vec<Error>,
    /// Memory for lists of tokens.
    spare_lists: Vec<Vec<Token>>,
    pub(super) scratch: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(options: &'a Options, files: &'a dyn Files) -> Reader<'a> {
        let mut reader = Reader {
            options,
            files,
            limits: options.limits,
            rules: Rules { c23: options.standard == Standard::C23 },
            spellings: Spellings::default(),
            sources: Sources::default(),
            macros: Macros::default(),
            pushed: HashMap::new(),
            library: Library::default(),
            buffers: Vec::new(),
            branches: Vec::new(),
            contexts: Vec::new(),
            found: None,
            made: Vec::new(),
            in_directive: false,
            looks_ahead: false,
            keeps_macros: false,
            outside: false,
            outer: Place(0),
            expansions: 0,
            nesting: 0,
            bytes: 0,
            counter: 0,
            main: "".into(),
            out: Vec::new(),
            warnings: Vec::new(),
            spare_lists: Vec::new(),
            scratch: Vec::new(),
        };
        reader.define_builtins();
        reader
    }

    /// Reads the predefined macros, the macros and files of the options, and the text.
    pub(super) fn run(mut self, name: &str, text: &[u8]) -> Result<Unit> {
        self.main = name.into();
        self.read_text("<predefined>", Rc::new(Text::new(self.options.predefined())))?;
        self.read_text("<command line>", Rc::new(Text::new(self.options.command_text())))?;
        self.read_text(name, Rc::new(Text::new(text.to_vec())))?;
        Ok(Unit {
            tokens: self.out,
            warnings: self.warnings,
            spellings: self.spellings,
            sources: self.sources,
            macros: self.macros,
            files: self.library.names(),
        })
    }

    /// Reads a text that no directive names.
    fn read_text(&mut self, name: &str, text: Rc<Text>) -> Result<()> {
        let folder = Path::new(name).parent().unwrap_or(Path::new("")).into();
        let buffer = self.buffer_of(text, name.into(), folder, None)?;
        self.buffers.push(buffer);
        self.translate()
    }

    pub(super) fn buffer_of(
        &mut self,
        text: Rc<Text>,
        name: Rc<str>,
        folder: Rc<Path>,
        from: Option<Place>,
    ) -> Result<Buffer> {
        let place = from.unwrap_or(Place(0));
        self.count_bytes(text.bytes.len() as u64, place)?;
        let bytes = text.bytes.clone();
        let Some(base) = self.sources.add(text, name, from) else {
            return Err(self.error(place, "the files have more than 4 GiB"));
        };
        Ok(Buffer {
            lexer: Lexer::new(bytes, base, self.rules),
            file: None,
            found_in: None,
            folder,
            branches: self.branches.len(),
            tokens: 0,
            outside: 0,
            guard: Guard::Start,
        })
    }

    /// Reads all files on the stack.
    fn translate(&mut self) -> Result<()> {
        let mut spacing = Spacing::default();
        loop {
            let mut token = self.next()?;
            match token.kind {
                Kind::Gap | Kind::GapEnd => {
                    spacing.gap(token);
                    continue;
                }
                Kind::End => {
                    self.end_file()?;
                    if self.buffers.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
                Kind::Name if token.spelling == word::PRAGMA_OPERATOR => {
                    self.pragma_operator(token)?;
                    continue;
                }
                _ => {}
            }
            token.place = self.visible_place(token);
            token.flags = spacing.take(token);
            self.out.push(token);
        }
    }

    /// Where a token is; where the outermost macro is used, if the token comes from the body of a macro.
    pub(super) fn visible_place(&self, token: Token) -> Place {
        if token.flags.has(Flags::BODY) { self.outer } else { token.place }
    }

    /// An empty list of tokens.
    pub(super) fn list(&mut self) -> Vec<Token> {
        self.spare_lists.pop().unwrap_or_default()
    }

    /// Keeps the memory of a list for another one.
    pub(super) fn recycle(&mut self, mut list: Vec<Token>) {
        list.clear();
        self.spare_lists.push(list);
    }

    /// The file that is being read.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut Buffer {
        self.buffers.last_mut().expect("tokens are asked for while a file is read")
    }

    /// The files that include one another, the innermost last.
    pub(super) fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// The next token of the file.
    #[inline]
    pub(super) fn lex(&mut self) -> Token {
        let buffer = self.buffers.last_mut().expect("tokens are asked for while a file is read");
        let token = buffer.lexer.next(&mut self.spellings);
        if token.kind != Kind::End {
            buffer.tokens += 1;
        }
        token
    }

    /// Begins a directive.
    pub(super) fn begin_directive(&mut self) {
        let buffer = self.buffer();
        buffer.lexer.begin_directive();
        // The `#` is the only token.
        self.outside = buffer.tokens == buffer.outside + 1;
        self.in_directive = true;
    }

    /// Goes to the end of the directive's line, or of the one that its `#if` has skipped to.
    pub(super) fn end_directive(&mut self) -> Result<()> {
        self.end_contexts();
        self.in_directive = false;
        self.buffer().lexer.end_directive();
        if !self.made.is_empty() {
            let made = std::mem::take(&mut self.made);
            self.push(made);
        }
        if let Some(found) = self.found.take() {
            if self.buffers.len() >= self.limits.nesting {
                let message =
                    format!("files include one another more than {} deep", self.limits.nesting);
                return Err(self.error(found.lexer.place(), message));
            }
            self.buffers.push(found);
        }
        Ok(())
    }

    /// Whether an `#if` of this file is open.
    pub(super) fn has_branch(&self) -> bool {
        self.buffers.last().is_some_and(|buffer| self.branches.len() > buffer.branches)
    }

    /// Ends the innermost `#if`.
    pub(super) fn close_branch(&mut self) {
        self.branches.pop();
        let open = self.branches.len();
        let buffer = self.buffer();
        if let Guard::Open(name, branch) = buffer.guard
            && branch == open
        {
            buffer.guard = Guard::Closed(name);
            buffer.outside = buffer.tokens;
        }
    }

    fn end_file(&mut self) -> Result<()> {
        if self.has_branch() {
            let place = self.branches.last().map_or(self.outer, |branch| branch.place);
            return Err(self.error(place, "'#if' without its '#endif'"));
        }
        if let Some(Buffer {
            guard: Guard::Closed(name), file: Some(file), tokens, outside, ..
        }) = self.buffers.pop()
            && tokens == outside
        {
            self.library.set_guard(file, name);
        }
        Ok(())
    }

    pub(super) fn count_bytes(&mut self, bytes: u64, place: Place) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            let message = format!(
                "the files, and what macros become, have more than {} bytes",
                self.limits.bytes
            );
            return Err(self.error(place, message));
        }
        Ok(())
    }

    /// Tokens that a macro becomes.
    pub(super) fn count_tokens(&mut self, count: usize, place: Place) -> Result<()> {
        self.count_bytes((count * size_of::<Token>()) as u64, place)
    }

    /// An error at a place.
    #[cold]
    pub(super) fn error(&self, place: Place, message: impl Into<String>) -> Box<Error> {
        Box::new(self.trouble(place, message.into(), None))
    }

    /// An error at a place in the body of a macro that is about to be replaced.
    #[cold]
    pub(super) fn error_in(&self, place: Place, message: String, of: Use) -> Box<Error> {
        Box::new(self.trouble(place, message, Some(of)))
    }

    pub(super) fn warn(&mut self, place: Place, message: impl Into<String>) {
        let warning = self.trouble(place, message.into(), None);
        self.warnings.push(warning);
    }

    fn trouble(&self, place: Place, message: String, of: Option<Use>) -> Error {
        let uses = self.contexts.iter().rev().filter_map(|context| context.of);
        let expansion = |found: Use| Expansion {
            name: self.spellings.text(found.name),
            at: self.sources.location(found.at),
        };
        Error {
            message,
            at: self.sources.location(place),
            included_from: self.sources.chain(place),
            expanded_from: of.into_iter().chain(uses).map(expansion).collect(),
            hint: None,
        }
    }

    /// A token, for messages.
    pub(super) fn describe(&self, token: Token) -> String {
        match token.kind {
            Kind::EndOfLine => "the end of the line".to_owned(),
            Kind::End => "the end of the file".to_owned(),
            _ => format!("'{}'", self.spellings.text(token.spelling)),
        }
    }
}

impl Buffer {
    /// The path of a file next to this one.
    pub(super) fn beside(&self, name: &Path) -> PathBuf {
        self.folder.join(name)
    }
}

/// Flags of a token that a directive makes.
pub(super) const SPACED: Flags = Flags::SPACE;
