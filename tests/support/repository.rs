//! Files of the repository, for the tests of the crate and for those of the command, which is a package of its own.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::{Path, PathBuf};

/// The path of a file or folder of the repository: `tests/lua`.
pub fn path(name: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.expect("the folder of the workspace").join(name)
}
