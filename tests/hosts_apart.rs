//! Only `src/code/host`, `src/code/os` and `src/target.rs` ask for which processor and system they are compiled, and they ask only on the
//! lines above a `mod`. So a new host adds files, and changes none.

use std::fs;
use std::path::{Path, PathBuf};

/// Predicates of `cfg` that tell hosts apart.
const HOST: [&str; 8] = [
    "target_arch",
    "target_os",
    "target_family",
    "target_vendor",
    "target_env",
    "target_abi",
    "unix",
    "windows",
];

/// The places that may ask.
const ALLOWED: [&str; 3] = ["src/code/host/", "src/code/os/", "src/target.rs"];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rust_files(&path, found),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The conditions of a text, `#[cfg(…)]`, `#[cfg_attr(…)]`, `cfg!(…)`, that tell hosts apart: the number of the line, the
/// condition, and the code behind it.
fn conditions(text: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    for start in ["cfg(", "cfg_attr(", "cfg!("] {
        for (at, _) in text.match_indices(start) {
            let line = text[..at].matches('\n').count() + 1;
            let first = text[..at].rsplit('\n').next().unwrap_or("");
            if first.trim_start().starts_with("//") {
                continue;
            }
            let mut depth = 0;
            let end = text[at..].find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                c == ')' && depth == 0
            });
            let condition = &text[at..at + end.expect("a closing parenthesis") + 1];
            let words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.into_iter().any(|word| HOST.contains(&word)) {
                found.push((line, condition, &text[at + condition.len()..]));
            }
        }
    }
    found
}

#[test]
fn conditions_are_found() {
    let text = "#[cfg(all(test, unix))]\nmod tests;\nlet a = cfg!(target_os = \"linux\");\n// cfg(windows)\n#[cfg(feature = \"unix_like\")]\n";
    let found: Vec<_> = conditions(text).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(found, [1, 3]);
}

#[test]
fn only_hosts_and_systems_ask_which_one_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "cli/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    assert!(files.len() > 100, "{} files", files.len());
    let mut wrong = Vec::new();
    let mut asked = 0;
    for file in files {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        for (line, condition, behind) in conditions(&text) {
            asked += 1;
            // A unit test may be for some hosts only.
            if condition
                .strip_prefix("cfg(all(")
                .is_some_and(|all| all.trim_start().starts_with("test,"))
            {
                continue;
            }
            // The rest of the attribute, other attributes, and then the item.
            let mut item = behind.trim_start_matches([']', '\n', ' ']);
            while item.starts_with("#[") {
                item = item.split_once("]\n").map_or("", |(_, rest)| rest).trim_start();
            }
            let is_module = ["mod ", "pub mod ", "pub(super) mod ", "pub(crate) mod ", "pub(in "]
                .iter()
                .any(|start| item.starts_with(start));
            if !ALLOWED.iter().any(|place| name.starts_with(place)) {
                wrong.push(format!(
                    "{name}:{line}: {condition}: this belongs to src/code/host or src/code/os"
                ));
            } else if !is_module && name != "src/target.rs" {
                wrong.push(format!(
                    "{name}:{line}: {condition}: a file of its own, chosen on its `mod` line"
                ));
            }
        }
    }
    assert!(asked > 10, "the hosts are chosen somewhere");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
