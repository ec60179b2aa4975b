//! Which rooms a file imports from, by its tokens.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The room of what is in the file of the folder itself, `mod.rs` or `lib.rs`.
pub const ROOT: &str = "the root";

/// A path that leads from one room to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// The room of the file.
    pub from: String,
    /// The room that the path leads to.
    pub to: String,
    /// Where it is in the file.
    pub line: usize,
    /// As it is written.
    pub path: String,
}

/// The imports of a file from other rooms than its own.
///
/// `inside` is where the file is in the folder, `folder` the path of the folder's module.
pub fn imports(text: &str, inside: &str, folder: &[&str], rooms: &BTreeSet<&str>) -> Vec<Import> {
    let inside = inside.trim_start_matches('/').trim_end_matches(".rs");
    let mut module: Vec<String> = folder.iter().map(|&name| name.to_owned()).collect();
    module.extend(
        inside
            .split('/')
            .filter(|&name| !matches!(name, "mod" | "lib" | "main"))
            .map(str::to_owned),
    );
    let from = module.get(folder.len()).map_or(ROOT, String::as_str).to_owned();

    let mut paths = Paths::default();
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{inside}: {error}"));
    paths.read(tokens, &mut module);

    let mut found = Vec::new();
    for (path, line) in paths.found {
        let Some(rest) =
            path.strip_prefix(&folder.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()[..])
        else {
            continue;
        };
        let Some(first) = rest.first() else { continue };
        let to = if rooms.contains(first.as_str()) { first.as_str() } else { ROOT };
        if to != from {
            found.push(Import {
                from: from.clone(),
                to: to.to_owned(),
                line,
                path: path.join("::"),
            });
        }
    }
    found
}

/// The paths of a file that begin with `crate`, `self` or `super`, from the root of the crate.
#[derive(Default)]
struct Paths {
    found: Vec<(Vec<String>, usize)>,
}

impl Paths {
    /// Reads the tokens of a module, or of a block inside of one.
    fn read(&mut self, tokens: TokenStream, module: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    let inner =
                        at.checked_sub(2).and_then(|before| module_name(&tokens[before..at]));
                    let depth = module.len();
                    module.extend(inner);
                    // `pub(in path)` says who sees an item: no import.
                    if !is_visibility(&tokens[..at], group) {
                        self.read(group.stream(), module);
                    }
                    module.truncate(depth);
                    at += 1;
                }
                TokenTree::Ident(ident) if !follows_colons(&tokens[..at]) => {
                    let line = ident.span().start().line;
                    match start(&ident.to_string(), module) {
                        Some(prefix) => at = self.follow(&tokens, at + 1, prefix, module, line),
                        None => at += 1,
                    }
                }
                _ => at += 1,
            }
        }
    }

    /// Follows a path from behind its first name; returns where it ends.
    fn follow(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        mut path: Vec<String>,
        module: &mut Vec<String>,
        line: usize,
    ) -> usize {
        while is_colons(&tokens[at..]) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(name)) => {
                    let name = name.to_string();
                    match name.as_str() {
                        "super" => drop(path.pop()),
                        "self" => {}
                        _ => path.push(name),
                    }
                    at += 3;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.tree(group.stream(), &path, module);
                    return at + 3;
                }
                // Generic arguments, or `*`: the path ends here.
                _ => break,
            }
        }
        self.found.push((path, line));
        at
    }

    /// Reads `{a, b::c}` of a `use` line.
    fn tree(&mut self, tokens: TokenStream, prefix: &[String], module: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for branch in
            tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
        {
            if let Some(TokenTree::Ident(name)) = branch.first() {
                let mut path = prefix.to_vec();
                if name != "self" {
                    path.push(name.to_string());
                }
                self.follow(branch, 1, path, module, name.span().start().line);
            }
        }
    }
}

/// Where a path leads that begins so.
fn start(first: &str, module: &[String]) -> Option<Vec<String>> {
    match first {
        "crate" => Some(Vec::new()),
        "self" => Some(module.to_vec()),
        "super" => Some(module[..module.len().saturating_sub(1)].to_vec()),
        _ => None,
    }
}

/// The name of the module whose block follows `mod name`.
fn module_name(before: &[TokenTree]) -> Option<String> {
    match before {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => Some(name.to_string()),
        _ => None,
    }
}

fn is_visibility(before: &[TokenTree], group: &proc_macro2::Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
        && matches!(before.last(), Some(TokenTree::Ident(word)) if word == "pub")
}

fn follows_colons(before: &[TokenTree]) -> bool {
    before.len() >= 2 && is_colons(&before[before.len() - 2..])
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    let colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':');
    tokens.len() >= 2 && colon(&tokens[0]) && colon(&tokens[1])
}
