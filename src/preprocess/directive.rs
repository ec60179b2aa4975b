//! Directives, and the parts of `#if` that are skipped.

use super::reader::{Branch, Guard, Reader, Result};
use super::spelling::Spelling;
use super::token::{Kind, Token};
use super::word::{self, PUNCTUATION, spelling};
use crate::suggest::did_you_mean;

/// Carries out the directive with this name.
type Handler = fn(&mut Reader<'_>, Token) -> Result<()>;

/// The directives, in the order of [`WORDS`].
static DIRECTIVES: [(&str, Handler); 22] = [
    ("define", |reader, _| reader.define()),
    ("undef", |reader, _| reader.undefine()),
    ("include", |reader, name| reader.include(name)),
    ("include_next", |reader, name| reader.include(name)),
    ("import", |reader, name| reader.include(name)),
    ("embed", |reader, name| reader.embed(name)),
    ("if", |reader, name| {
        if let Some(guard) = reader.not_defined() {
            reader.note_guard(guard);
        }
        let holds = reader.condition(name)?;
        reader.open_branch(name, holds)
    }),
    ("ifdef", |reader, name| {
        let holds = reader.is_defined("ifdef")?;
        reader.open_branch(name, holds)
    }),
    ("ifndef", |reader, name| {
        let found = reader.macro_name("ifndef")?.spelling;
        reader.note_guard(found);
        let holds = !reader.macros.is_defined(found);
        reader.open_branch(name, holds)
    }),
    ("elif", |reader, name| reader.after_taken(name)),
    ("elifdef", |reader, name| reader.after_taken(name)),
    ("elifndef", |reader, name| reader.after_taken(name)),
    ("else", |reader, name| reader.after_taken(name)),
    ("endif", |reader, name| {
        reader.needs_branch(name)?;
        reader.close_branch();
        Ok(())
    }),
    ("line", |reader, name| {
        let first = reader.next_solid()?;
        reader.line(name, first)
    }),
    ("error", |reader, name| {
        let message = reader.message(name);
        Err(reader.error(name.place, message))
    }),
    ("warning", |reader, name| {
        let message = reader.message(name);
        reader.warn(name.place, message);
        Ok(())
    }),
    ("pragma", |reader, name| reader.pragma_line(name)),
    ("ident", |_, _| Ok(())),
    ("sccs", |_, _| Ok(())),
    ("assert", |reader, name| reader.assertion(name)),
    ("unassert", |reader, name| reader.assertion(name)),
];

/// The directive of a name.
fn handler(name: Spelling) -> Option<Handler> {
    let index = name.index().checked_sub(PUNCTUATION.len())?;
    DIRECTIVES.get(index).map(|&(_, handler)| handler)
}

const IF: Spelling = spelling("if");
const IFDEF: Spelling = spelling("ifdef");
const IFNDEF: Spelling = spelling("ifndef");
const ELIF: Spelling = spelling("elif");
const ELIFDEF: Spelling = spelling("elifdef");
const ELIFNDEF: Spelling = spelling("elifndef");
const ELSE: Spelling = spelling("else");
const ENDIF: Spelling = spelling("endif");

impl Reader<'_> {
    /// A line that begins with `#`.
    pub(super) fn directive(&mut self, hash: Token) -> Result<()> {
        self.begin_directive();
        let kept = std::mem::replace(&mut self.keeps_macros, false);
        let token = self.raw()?;
        match token.kind {
            Kind::EndOfLine | Kind::End => {}
            Kind::Number => self.line(hash, token)?,
            _ => match handler(token.spelling).filter(|_| token.kind == Kind::Name) {
                Some(handler) => handler(self, token)?,
                None => {
                    let text = self.spellings.text(token.spelling);
                    let mut error =
                        self.error(token.place, format!("no directive is named '#{text}'"));
                    let names = DIRECTIVES.iter().map(|&(name, _)| name);
                    error.hint =
                        did_you_mean(&text, names).map(|hint| hint.replacen('\'', "'#", 1));
                    return Err(error);
                }
            },
        }
        self.keeps_macros = kept;
        self.end_directive()
    }

    /// Pops what is left of the macros in a directive.
    pub(super) fn end_contexts(&mut self) {
        while !self.contexts.is_empty() {
            self.pop();
        }
    }

    /// The name of `#ifdef` is a macro.
    fn is_defined(&mut self, directive: &str) -> Result<bool> {
        let name = self.macro_name(directive)?;
        Ok(self.macros.is_defined(name.spelling))
    }

    /// Remembers the macro of an `#ifndef` that may be around the whole file.
    fn note_guard(&mut self, name: Spelling) {
        let open = self.branches.len();
        let outside = self.outside;
        let buffer = self.buffer();
        if outside && buffer.guard == Guard::Start {
            buffer.guard = Guard::Open(name, open);
        }
    }

    fn open_branch(&mut self, name: Token, holds: bool) -> Result<()> {
        self.branches.push(Branch { place: name.place, taken: holds, last: false });
        if holds { Ok(()) } else { self.skip() }
    }

    fn needs_branch(&self, name: Token) -> Result<()> {
        if self.has_branch() {
            return Ok(());
        }
        let text = self.spellings.text(name.spelling);
        Err(self.error(name.place, format!("'#{text}' without its '#if'")))
    }

    /// The part before was read: all others are skipped.
    fn after_taken(&mut self, name: Token) -> Result<()> {
        self.needs_branch(name)?;
        self.next_part(name)?;
        self.skip()
    }

    /// Notes an `#else` or `#elif`.
    fn next_part(&mut self, name: Token) -> Result<()> {
        let open = self.branches.len();
        let Some(branch) = self.branches.last_mut() else { return Ok(()) };
        if branch.last {
            let text = self.spellings.text(name.spelling);
            return Err(self.error(name.place, format!("'#{text}' after '#else'")));
        }
        branch.last = name.spelling == ELSE;
        let buffer = self.buffer();
        if matches!(buffer.guard, Guard::Open(_, branch) if branch + 1 == open) {
            buffer.guard = Guard::Missing;
        }
        Ok(())
    }

    /// Goes to the part of the innermost `#if` that is read, or to its `#endif`.
    fn skip(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            self.end_contexts();
            let lexer = &mut self.buffer().lexer;
            lexer.end_directive();
            if !lexer.skip_to_hash() {
                // The end of the file finds the open `#if`.
                return Ok(());
            }
            lexer.begin_directive();
            let buffer = self.buffer().lexer.position();
            let name = self.raw()?;
            if name.kind != Kind::Name {
                self.buffer().lexer.go_to(buffer);
                continue;
            }
            match name.spelling {
                IF | IFDEF | IFNDEF => depth += 1,
                ENDIF if depth > 0 => depth -= 1,
                ENDIF => {
                    self.close_branch();
                    return Ok(());
                }
                ELIF | ELIFDEF | ELIFNDEF | ELSE if depth == 0 => {
                    self.next_part(name)?;
                    if self.is_next_taken(name)? {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether the part that begins here is read.
    fn is_next_taken(&mut self, name: Token) -> Result<bool> {
        if self.branches.last().is_some_and(|branch| branch.taken) {
            return Ok(false);
        }
        let holds = match name.spelling {
            ELIF => self.condition(name)?,
            ELIFDEF => self.is_defined("elifdef")?,
            ELIFNDEF => !self.is_defined("elifndef")?,
            _ => true,
        };
        if let Some(branch) = self.branches.last_mut() {
            branch.taken = holds;
        }
        Ok(holds)
    }

    /// The macro of `#if !defined NAME`, if nothing more is on the line.
    fn not_defined(&mut self) -> Option<Spelling> {
        if !self.outside {
            return None;
        }
        const NOT: Spelling = spelling("!");
        let mut lexer = self.buffer().lexer.clone();
        let mut next = || lexer.next(&mut self.spellings);
        if !next().is(NOT) || next().spelling != word::DEFINED {
            return None;
        }
        let first = next();
        let open = first.is(word::OPEN);
        let name = if open { next() } else { first };
        if name.kind != Kind::Name || open && !next().is(word::CLOSE) {
            return None;
        }
        (next().kind == Kind::EndOfLine).then_some(name.spelling)
    }

    /// The text of `#error` and `#warning`.
    fn message(&mut self, name: Token) -> String {
        let directive = self.spellings.text(name.spelling);
        let line = String::from_utf8_lossy(self.buffer().lexer.line()).trim().to_owned();
        format!("#{directive} {line}")
    }

    /// `#line 12 "file"`, and GCC's `# 12 "file" 3`.
    fn line(&mut self, directive: Token, first: Token) -> Result<()> {
        let digits = self.spellings.text(first.spelling);
        let number = if first.kind == Kind::Number { digits.parse::<u32>().ok() } else { None };
        let Some(number) = number else {
            let found = self.describe(first);
            return Err(self.error(first.place, format!("'#line' needs a number, not {found}")));
        };
        let file = self.next_solid()?;
        let name = match file.kind {
            Kind::EndOfLine | Kind::End => None,
            Kind::Str => Some(super::text::unescaped(self.spellings.bytes(file.spelling)).into()),
            _ => {
                let found = self.describe(file);
                return Err(self
                    .error(file.place, format!("'#line' needs the name of a file, not {found}")));
            }
        };
        self.sources.mark(directive.place, number, name);
        Ok(())
    }

    /// GCC's `#assert`, which it has long advised against.
    fn assertion(&mut self, name: Token) -> Result<()> {
        let text = self.spellings.text(name.spelling);
        Err(self.error(name.place, format!("'#{text}' is not supported")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::word::WORDS;
    use super::*;

    #[test]
    fn the_directives_are_the_first_words() {
        let names: Vec<&str> = DIRECTIVES.iter().map(|&(name, _)| name).collect();
        assert_eq!(names, WORDS[..DIRECTIVES.len()]);
    }
}
