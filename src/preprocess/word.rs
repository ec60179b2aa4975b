//! The spellings that the preprocessor knows by their numbers.

use super::spelling::Spelling;

/// All punctuation (C23 6.4.6).
pub(super) static PUNCTUATION: [&str; 55] = [
    "[", "]", "(", ")", "{", "}", ".", "&", "*", "+", "-", "~", "!", "/", "%", "<", ">", "^", "|",
    "?", ":", ";", "=", ",", "#", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
    "::", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "##", "<:", ":>", "<%", "%>", "%:",
    "...", "<<=", ">>=", "%:%:",
];

/// The words that directives, operators and built-in macros are made of.
pub(super) static WORDS: [&str; 68] = [
    "define",
    "undef",
    "include",
    "include_next",
    "import",
    "embed",
    "if",
    "ifdef",
    "ifndef",
    "elif",
    "elifdef",
    "elifndef",
    "else",
    "endif",
    "line",
    "error",
    "warning",
    "pragma",
    "ident",
    "sccs",
    "assert",
    "unassert",
    "defined",
    "__VA_ARGS__",
    "__VA_OPT__",
    "true",
    "false",
    "_Pragma",
    "__LINE__",
    "__FILE__",
    "__FILE_NAME__",
    "__BASE_FILE__",
    "__DATE__",
    "__TIME__",
    "__TIMESTAMP__",
    "__COUNTER__",
    "__INCLUDE_LEVEL__",
    "__has_include",
    "__has_include_next",
    "__has_embed",
    "__has_attribute",
    "__has_cpp_attribute",
    "__has_c_attribute",
    "__has_builtin",
    "__has_feature",
    "__has_extension",
    "__has_warning",
    "__has_declspec_attribute",
    "__is_identifier",
    "__building_module",
    "once",
    "push_macro",
    "pop_macro",
    "GCC",
    "clang",
    "poison",
    "system_header",
    "pack",
    "message",
    "region",
    "limit",
    "prefix",
    "suffix",
    "if_empty",
    "__limit__",
    "__prefix__",
    "__suffix__",
    "__if_empty__",
];

/// The number of a text of one of the tables; another text does not compile.
pub(super) const fn spelling(text: &str) -> Spelling {
    let mut index = 0;
    while index < PUNCTUATION.len() + WORDS.len() {
        let entry = if index < PUNCTUATION.len() {
            PUNCTUATION[index]
        } else {
            WORDS[index - PUNCTUATION.len()]
        };
        if same(entry.as_bytes(), text.as_bytes()) {
            return Spelling(index as u32);
        }
        index += 1;
    }
    panic!("it is in one of the tables")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

pub(super) const OPEN: Spelling = spelling("(");
pub(super) const CLOSE: Spelling = spelling(")");
pub(super) const COMMA: Spelling = spelling(",");
pub(super) const LESS: Spelling = spelling("<");
pub(super) const GREATER: Spelling = spelling(">");
pub(super) const ELLIPSIS: Spelling = spelling("...");
pub(super) const DEFINED: Spelling = spelling("defined");
pub(super) const VA_ARGS: Spelling = spelling("__VA_ARGS__");
pub(super) const VA_OPT: Spelling = spelling("__VA_OPT__");
pub(super) const PRAGMA_OPERATOR: Spelling = spelling("_Pragma");

#[cfg(test)]
mod tests {
    use super::super::spelling::Spellings;
    use super::*;

    #[test]
    fn the_tables_have_no_text_twice() {
        let spellings = Spellings::default();
        for text in PUNCTUATION.iter().chain(&WORDS) {
            assert_eq!(spellings.find(text.as_bytes()), Some(spelling(text)), "{text}");
        }
        assert_eq!(spellings.iter().count(), PUNCTUATION.len() + WORDS.len());
    }
}
