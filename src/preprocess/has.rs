//! `__has_attribute`, `__has_builtin` and their kin: what compilers say they have, as tables.

use memchr::memmem;

use super::Compiler;
use super::reader::{Reader, Result};
use super::spelling::Spelling;
use super::token::{Kind, Token};
use super::word::{self, spelling};

/// A question that a compiler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Attribute,
    CAttribute,
    Builtin,
    Feature,
    Extension,
    Warning,
    Keyword,
}

impl Table {
    /// Its word in the lists.
    fn name(self) -> &'static str {
        match self {
            Table::Attribute => "attribute",
            Table::CAttribute => "c_attribute",
            Table::Builtin => "builtin",
            Table::Feature => "feature",
            Table::Extension => "extension",
            Table::Warning => "warning",
            Table::Keyword => "keyword",
        }
    }
}

/// Lines `attribute aligned 1`: a question, a name, and the answer, if it is not 0.
static GCC: &str = include_str!("predefined/has-gcc.txt");
static CLANG: &str = include_str!("predefined/has-clang.txt");

/// The answer to a question about a name.
fn answer(compiler: Compiler, table: Table, name: &str) -> &'static str {
    let list = match compiler {
        Compiler::Gcc => GCC,
        Compiler::Clang => CLANG,
    };
    let row = format!("\n{} {name} ", table.name());
    let Some(found) = memmem::find(list.as_bytes(), row.as_bytes()) else { return "0" };
    list[found + row.len()..].lines().next().unwrap_or("0")
}

/// A name without the underscores that are around it: `__aligned__` is `aligned`.
fn plain(name: &str) -> &str {
    name.strip_prefix("__").and_then(|name| name.strip_suffix("__")).unwrap_or(name)
}

impl Reader<'_> {
    /// `(NAME)` or `(SCOPE::NAME)` behind the name of a table's macro, and its answer.
    pub(super) fn has(&mut self, table: Table, name: Token) -> Result<String> {
        const SCOPE: Spelling = spelling("::");
        self.open_bracket(name)?;
        let expands = matches!(table, Table::Attribute | Table::CAttribute);
        let read = if expands { Reader::next_solid } else { Reader::raw_solid };
        let mut operand = read(self)?;
        if table == Table::Warning && operand.kind == Kind::Str {
            self.close_bracket(name)?;
            return Ok("1".to_owned());
        }
        let mut asked = self.operand_name(name, operand)?;
        let mut end = self.raw_solid()?;
        if end.is(SCOPE) {
            operand = read(self)?;
            let inner = self.operand_name(name, operand)?;
            asked = format!("{}::{}", plain(&asked), plain(&inner));
            end = self.raw_solid()?;
        }
        if !end.is(word::CLOSE) {
            let (text, found) = (self.spellings.text(name.spelling), self.describe(end));
            return Err(self.error(end.place, format!("'{text}' needs ')', not {found}")));
        }
        let asked = if table == Table::Builtin { &asked } else { plain(&asked) };
        Ok(answer(self.options.compiler(), table, asked).to_owned())
    }

    fn operand_name(&self, name: Token, operand: Token) -> Result<String> {
        if operand.kind == Kind::Name {
            return Ok(self.spellings.text(operand.spelling));
        }
        let (text, found) = (self.spellings.text(name.spelling), self.describe(operand));
        Err(self.error(operand.place, format!("'{text}' needs a name, not {found}")))
    }

    /// Clang's `__is_identifier(NAME)`: whether it is no keyword.
    pub(super) fn is_identifier(&mut self, name: Token) -> Result<String> {
        let asked = self.asked(name)?;
        let keyword = answer(self.options.compiler(), Table::Keyword, &asked);
        Ok(if keyword == "0" { "1" } else { "0" }.to_owned())
    }

    /// `(NAME)` behind the name of a macro.
    pub(super) fn asked(&mut self, name: Token) -> Result<String> {
        self.open_bracket(name)?;
        let operand = self.raw_solid()?;
        let asked = self.operand_name(name, operand)?;
        self.close_bracket(name)?;
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_answer() {
        for compiler in [Compiler::Gcc, Compiler::Clang] {
            assert_eq!(answer(compiler, Table::Attribute, "aligned"), "1");
            assert_eq!(answer(compiler, Table::Attribute, "alig"), "0");
            assert_eq!(answer(compiler, Table::Builtin, "__builtin_expect"), "1");
        }
        assert_eq!(plain("__aligned__"), "aligned");
        assert_eq!(plain("__aligned"), "__aligned");
    }
}
