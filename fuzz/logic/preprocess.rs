//! The preprocessor on any bytes: no panic, and the printed text has the tokens of the unit.

use cthunk::preprocess::{
    Folder, Kind, Limits, Options, PLATFORMS, Standard, Texts, Unit, preprocess,
};

/// The first byte picks the platform and the standard; the rest is the text, which can include itself and the built-in headers.
pub fn preprocess_any(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let limits = Limits { expansions: 20_000, bytes: 1 << 24, ..Limits::default() };
    let standard = if first & 1 == 0 { Standard::C17 } else { Standard::C23 };
    let options = Options {
        platform: PLATFORMS.get(usize::from(first >> 1) % (PLATFORMS.len() + 1)),
        standard,
        folders: vec![Folder::At("".into()), Folder::BuiltIn],
        limits,
        ..Options::default()
    };
    let texts: Texts = [("self.h", text)].into_iter().collect();
    match preprocess("main.c", text, &options, &texts) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(unit) => check(&unit, standard),
    }
}

fn check(unit: &Unit, standard: Standard) {
    for token in &unit.tokens {
        assert!(unit.location(token.place).column > 0);
    }
    for (name, _) in unit.macros() {
        assert!(!name.is_empty());
    }
    // The text would be read as other tokens: a literal without its end takes the rest of its line, a `#` that a macro has put at the
    // beginning of a line is a directive, and a byte order mark is skipped at the beginning of a text.
    let plain = |token: &cthunk::preprocess::Token| {
        token.kind != Kind::Other
            && !matches!(unit.spellings.bytes(token.spelling), b"#" | b"%:" | b"_Pragma")
    };
    let text = unit.text();
    if !unit.tokens.iter().all(plain)
        || text.contains("__")
        || text.contains(['\u{fffd}', '\u{feff}'])
    {
        return;
    }
    let options = Options { standard, ..Options::default() };
    let again = preprocess("text", text.as_bytes(), &options, &Texts::default());
    let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(spellings(unit), spellings(&again), "{text}");
}

fn spellings(unit: &Unit) -> Vec<(Kind, String)> {
    let spelling = |token: &cthunk::preprocess::Token| match token.kind {
        Kind::PragmaEnd => (token.kind, String::new()),
        _ => (token.kind, unit.spellings.text(token.spelling)),
    };
    unit.tokens.iter().map(spelling).collect()
}
