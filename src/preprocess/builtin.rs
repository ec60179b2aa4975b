//! Macros whose replacement depends on where they are: `__LINE__`, `__has_include` and their kin.

use std::path::Path;

use super::Compiler;
use super::has::Table;
use super::macros::Definition;
use super::reader::{Reader, Result};
use super::text::quoted;
use super::token::{Kind, Token};
use super::word::{self, spelling};

/// A macro of the preprocessor itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Line,
    File,
    FileName,
    BaseFile,
    Date,
    Time,
    Timestamp,
    Counter,
    IncludeLevel,
    HasInclude {
        next: bool,
    },
    HasEmbed,
    Has(Table),
    IsIdentifier,
    /// A question about a name that is always answered with no.
    Never,
}

/// The macros of all compilers.
static COMMON: [(&str, Builtin); 14] = [
    ("__LINE__", Builtin::Line),
    ("__FILE__", Builtin::File),
    ("__BASE_FILE__", Builtin::BaseFile),
    ("__DATE__", Builtin::Date),
    ("__TIME__", Builtin::Time),
    ("__TIMESTAMP__", Builtin::Timestamp),
    ("__COUNTER__", Builtin::Counter),
    ("__INCLUDE_LEVEL__", Builtin::IncludeLevel),
    ("__FILE_NAME__", Builtin::FileName),
    ("__has_include", Builtin::HasInclude { next: false }),
    ("__has_include_next", Builtin::HasInclude { next: true }),
    ("__has_attribute", Builtin::Has(Table::Attribute)),
    ("__has_c_attribute", Builtin::Has(Table::CAttribute)),
    ("__has_builtin", Builtin::Has(Table::Builtin)),
];

/// The macros that only GCC has.
static GCC: [(&str, Builtin); 1] = [("__has_cpp_attribute", Builtin::Has(Table::CAttribute))];

/// The macros that only Clang has.
static CLANG: [(&str, Builtin); 6] = [
    ("__building_module", Builtin::Never),
    ("__has_feature", Builtin::Has(Table::Feature)),
    ("__has_extension", Builtin::Has(Table::Extension)),
    ("__has_warning", Builtin::Has(Table::Warning)),
    ("__has_declspec_attribute", Builtin::Never),
    ("__is_identifier", Builtin::IsIdentifier),
];

impl Reader<'_> {
    pub(super) fn define_builtins(&mut self) {
        let clang = self.options.compiler() == Compiler::Clang;
        let more = if clang { &CLANG[..] } else { &GCC };
        for &(name, builtin) in COMMON.iter().chain(more) {
            let name = self.spellings.intern(name.as_bytes());
            self.macros.set(name, Definition::Builtin(builtin));
        }
        if clang || self.rules.c23 {
            self.macros.set(spelling("__has_embed"), Definition::Builtin(Builtin::HasEmbed));
        }
    }

    /// The token that such a macro becomes.
    pub(super) fn builtin(&mut self, builtin: Builtin, name: Token) -> Result<Token> {
        let date = &self.options.date;
        let place = self.visible_place(name);
        let text = match builtin {
            Builtin::Line => self.sources.line(place).1.to_string(),
            Builtin::File => quoted(&self.sources.line(place).0),
            Builtin::FileName => {
                let file = self.sources.line(place).0;
                let name = Path::new(&*file).file_name().unwrap_or_default();
                quoted(&name.to_string_lossy())
            }
            Builtin::BaseFile => quoted(&self.main),
            Builtin::Date => quoted(&date.date),
            Builtin::Time => quoted(&date.time),
            Builtin::Timestamp => quoted(&date.timestamp),
            Builtin::Counter => {
                self.counter += 1;
                (self.counter - 1).to_string()
            }
            Builtin::IncludeLevel => (self.buffers().len() - 1).to_string(),
            Builtin::HasInclude { next } => u8::from(self.has_include(name, next)?).to_string(),
            Builtin::HasEmbed => self.has_embed(name)?.to_string(),
            Builtin::Has(table) => self.has(table, name)?,
            Builtin::IsIdentifier => self.is_identifier(name)?,
            Builtin::Never => {
                self.asked(name)?;
                "0".to_owned()
            }
        };
        let kind = if text.starts_with('"') { Kind::Str } else { Kind::Number };
        let spelling = self.spellings.intern(text.as_bytes());
        Ok(Token { kind, flags: name.flags, spelling, place: name.place })
    }

    /// `(` behind the name of an operator.
    pub(super) fn open_bracket(&mut self, name: Token) -> Result<()> {
        let token = self.raw_solid()?;
        if token.is(word::OPEN) {
            return Ok(());
        }
        let (text, found) = (self.spellings.text(name.spelling), self.describe(token));
        Err(self.error(token.place, format!("'{text}' needs '(', not {found}")))
    }

    /// `)` of an operator.
    pub(super) fn close_bracket(&mut self, name: Token) -> Result<()> {
        let token = self.raw_solid()?;
        if token.is(word::CLOSE) {
            return Ok(());
        }
        let (text, found) = (self.spellings.text(name.spelling), self.describe(token));
        Err(self.error(token.place, format!("'{text}' needs ')', not {found}")))
    }
}
