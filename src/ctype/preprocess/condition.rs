//! The conditions of `#if`.

use super::scan::{self, Piece};
use super::{Line, Preprocessor, Trouble};
use crate::ctype::Constant;
use crate::ctype::parse::Parser;
use crate::ctype::source::Source;
use crate::target::{Compiler, DataModel};

impl Preprocessor<'_> {
    /// `#ifdef NAME`
    pub(super) fn is_defined(&self, line: Line) -> Result<bool, Trouble> {
        let end = scan::word_end(&self.text.bytes, line.arguments, line.end);
        if end == line.arguments {
            return Err(Trouble::new(line.arguments, "expected the name of a macro"));
        }
        Ok(self.knows(&self.text.bytes[line.arguments..end]))
    }

    fn knows(&self, name: &[u8]) -> bool {
        self.decls.has_macro(name) || self.predefined(name).is_some()
    }

    /// `#if expression`
    pub(super) fn condition(&mut self, line: Line) -> Result<bool, Trouble> {
        let text = self.text.bytes[line.arguments..line.end].to_vec();
        let text = self.without_defined(&text, line)?;
        let mut expanded = Vec::new();
        self.expand_text(&text, line.arguments, &mut expanded, &mut Vec::new())?;
        let expression = self.without_words(&expanded);
        if expression.trim_ascii().is_empty() {
            return Err(Trouble::new(line.at, "'#if' without a condition"));
        }
        let parsed = Parser::new(self.decls, Source::plain(&expression), &[]).whole_constant();
        match parsed {
            Ok((_, Constant::Int(value))) => Ok(value != 0),
            Ok((_, Constant::Float(_))) => {
                Err(Trouble::new(line.arguments, "the condition of '#if' is no integer"))
            }
            Err(errors) => {
                let reason = errors.iter().next().map_or("", |error| &error.message);
                Err(Trouble::new(line.arguments, format!("the condition of '#if': {reason}")))
            }
        }
    }

    /// A condition with 1 or 0 for `defined NAME`, `defined(NAME)`, `__has_include(…)` and its kin.
    fn without_defined(&self, text: &[u8], line: Line) -> Result<Vec<u8>, Trouble> {
        let (mut out, mut at) = (Vec::new(), 0);
        while let Some((piece, end)) = scan::next(text, at) {
            let word = &text[at..end];
            at = end;
            if piece == Piece::Word && word == b"defined" {
                let name = scan::skip_space(text, at, text.len());
                let bracket = text.get(name) == Some(&b'(');
                let name = scan::skip_space(text, name + usize::from(bracket), text.len());
                let name_end = scan::word_end(text, name, text.len());
                at = scan::skip_space(text, name_end, text.len());
                if name_end == name || bracket && text.get(at) != Some(&b')') {
                    return Err(Trouble::new(line.arguments, "expected 'defined(NAME)'"));
                }
                at = if bracket { at + 1 } else { name_end };
                out.extend_from_slice(if self.knows(&text[name..name_end]) {
                    b" 1 "
                } else {
                    b" 0 "
                });
            } else if piece == Piece::Word && word.starts_with(b"__has_") {
                // Nothing can be included, and no attribute is asked for.
                let open = scan::skip_space(text, at, text.len());
                if text.get(open) == Some(&b'(') {
                    at = closing(text, open);
                }
                out.extend_from_slice(b" 0 ");
            } else {
                out.extend_from_slice(word);
            }
        }
        Ok(out)
    }

    /// A condition in which every word that is left has its predefined value or is 0, as in C.
    fn without_words(&self, text: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        while let Some((piece, end)) = scan::next(text, at) {
            match (piece, &text[at..end]) {
                (Piece::Word, b"true") => out.extend_from_slice(b"1"),
                (Piece::Word, word) => {
                    let value = self.predefined(word).unwrap_or(0);
                    out.extend_from_slice(format!("({value})").as_bytes());
                }
                (Piece::Newline, _) => out.push(b' '),
                (_, piece) => out.extend_from_slice(piece),
            }
            at = end;
        }
        out
    }

    /// The value of a macro that compilers predefine.
    fn predefined(&self, name: &[u8]) -> Option<i128> {
        let name = std::str::from_utf8(name).ok()?;
        self.decls.predeclared_number(name).or_else(|| of_target(self.decls.table().model(), name))
    }
}

/// The byte after the partner of a bracket.
fn closing(text: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_u32);
    while let Some((_, end)) = scan::next(text, at) {
        match text[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at = end;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The macros that name the language, the compiler, the system and the processor.
fn of_target(model: &DataModel, name: &str) -> Option<i128> {
    let (processor, system) = model.name.split_once('-').unwrap_or((model.name, ""));
    let windows = matches!(system, "mingw" | "gnullvm" | "msvc" | "windows");
    let value = match name {
        "__STDC__" | "__STDC_HOSTED__" => 1,
        "__STDC_VERSION__" => 201_710,
        "__GNUC__" if model.compiler != Compiler::Msvc => 12,
        "__GNUC_MINOR__" if model.compiler != Compiler::Msvc => 2,
        "_MSC_VER" if model.compiler == Compiler::Msvc => 1940,
        "__x86_64__" | "__x86_64" | "__amd64__" if processor == "x86_64" => 1,
        "__i386__" | "__i386" | "i386" if processor == "i686" => 1,
        "__aarch64__" if processor == "aarch64" => 1,
        "__riscv" if processor == "riscv64" => 1,
        "_WIN32" if windows => 1,
        "_WIN64" if windows && model.pointer == 8 => 1,
        "__MINGW32__" if matches!(system, "mingw" | "gnullvm") => 1,
        "__APPLE__" | "__MACH__" if system == "apple" => 1,
        "__linux__" | "__linux" | "__unix__" | "__unix" if !windows && system != "apple" => 1,
        "__LP64__" | "_LP64" if model.pointer == 8 && model.long == 8 => 1,
        _ => return None,
    };
    Some(value)
}
