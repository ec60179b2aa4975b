//! The folders that the loader searches for libraries (ld.so(8)).

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Libraries of the C standard library that a program need not be linked with.
pub(in crate::code::os) const STANDARD_LIBRARIES: &[&str] = &["libm.so.6"];

/// The folders that the system's loader searches.
pub(crate) fn library_folders() -> Vec<PathBuf> {
    let from_environment = std::env::var_os("LD_LIBRARY_PATH");
    let mut found: Vec<PathBuf> = from_environment
        .iter()
        .flat_map(std::env::split_paths)
        .chain(configured(Path::new("/etc/ld.so.conf"), 0))
        .chain(["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from))
        .filter(|dir| dir.is_dir())
        .collect();
    let mut seen = HashSet::new();
    found.retain(|dir| seen.insert(fs::canonicalize(dir).unwrap_or_else(|_| dir.clone())));
    found
}

/// The folders that a file of `ld.so.conf`'s format lists; `include` goes at most a few files deep.
fn configured(file: &Path, depth: usize) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines
        .filter(|line| !line.is_empty())
        .flat_map(|line| match line.strip_prefix("include ") {
            Some(_) if depth >= 4 => Vec::new(),
            Some(pattern) => included(pattern.trim())
                .iter()
                .flat_map(|file| configured(file, depth + 1))
                .collect(),
            None => vec![PathBuf::from(line)],
        })
        .collect()
}

/// The files of an `include` pattern, whose last part may hold one `*`.
fn included(pattern: &str) -> Vec<PathBuf> {
    let path = Path::new(pattern);
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Vec::new();
    };
    let Some((start, end)) = name.split_once('*') else { return vec![path.to_owned()] };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(start) && name.ends_with(end))
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}
