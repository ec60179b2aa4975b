//! Every process-wide lock is one that `fork` takes: a `Global` of `src/code/locks.rs`.

use std::fs;
use std::path::{Path, PathBuf};

/// Types behind which a thread waits for another.
const WAITS: [&str; 6] =
    ["Mutex<", "RwLock<", "LazyLock<", "Condvar", "ReentrantLock<", "LazyCell<"];

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

/// The types of the `static` items of a text, with the numbers of their lines; those of threads have no lock that a child lacks.
fn statics(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("static ") {
        let before = text[..at].rsplit('\n').next().unwrap_or("").trim_start();
        let is_item = before.is_empty() || before.starts_with("pub");
        if !is_item || before.ends_with('\'') {
            continue;
        }
        let item = text[at..].split([';', '=']).next().unwrap_or("");
        if let Some((_, ty)) = item.split_once(':') {
            let number = text[..at].matches('\n').count() + 1;
            found.push((number, ty.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    found
}

#[test]
fn statics_are_found() {
    let text = "static A: Mutex<u8> = x;\n    pub(super) static B:\n  RwLock<u8> = y;\nthread_local!(static C: u8 = 0);\nfn f(a: &'static str) {}";
    let types = statics(text);
    assert_eq!(types, [(1, "Mutex<u8>".into()), (2, "RwLock<u8>".into())]);
}

#[test]
fn every_process_wide_lock_is_taken_by_fork() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let (mut wrong, mut locks, mut ranks) = (Vec::new(), 0, 0);
    for file in files {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        if name == "src/code/locks.rs" {
            let list =
                text.split("pub(crate) enum Rank {").nth(1).unwrap().split('}').next().unwrap();
            ranks = list
                .lines()
                .filter(|line| line.trim_end().ends_with(',') && !line.contains("///"))
                .count();
        }
        for (line, ty) in statics(&text) {
            let waits = WAITS.iter().any(|lock| ty.contains(lock));
            match ty.starts_with("Global<") {
                true => locks += 1,
                false if waits => {
                    wrong.push(format!("{name}:{line}: {ty}: a `Global` of src/code/locks.rs"))
                }
                false => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(locks, ranks, "each `Global` has a rank of its own");
}
