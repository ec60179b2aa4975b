//! The folders in which a system has its headers.

use std::path::PathBuf;

use super::include::Folder;

/// A system, and what its environment says about headers.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Where its root is (`SDKROOT`, `--sysroot`); nothing for `/`.
    pub root: Option<PathBuf>,
    /// `CPATH`: the folders that come first.
    pub cpath: Vec<PathBuf>,
    /// `C_INCLUDE_PATH`: the folders that come behind those of `CPATH` and of options.
    pub c_include_path: Vec<PathBuf>,
}

/// The folders of each platform, in their order.
static FOLDERS: [(&str, &[&str]); 13] = [
    ("x86_64-sysv", &["/usr/local/include", "/usr/include/x86_64-linux-gnu", "/usr/include"]),
    ("i686-sysv", &["/usr/i686-linux-gnu/include", "/usr/include/i386-linux-gnu", "/usr/include"]),
    (
        "aarch64-sysv",
        &["/usr/aarch64-linux-gnu/include", "/usr/include/aarch64-linux-gnu", "/usr/include"],
    ),
    (
        "riscv64",
        &["/usr/riscv64-linux-gnu/include", "/usr/include/riscv64-linux-gnu", "/usr/include"],
    ),
    ("x86_64-mingw", &["/usr/x86_64-w64-mingw32/include"]),
    ("i686-mingw", &["/usr/i686-w64-mingw32/include"]),
    ("x86_64-gnullvm", &["/usr/x86_64-w64-mingw32/include"]),
    ("i686-gnullvm", &["/usr/i686-w64-mingw32/include"]),
    ("x86_64-msvc", &[]),
    ("i686-msvc", &[]),
    ("aarch64-windows", &[]),
    ("x86_64-apple", &["/usr/local/include", "/usr/include"]),
    ("aarch64-apple", &["/usr/local/include", "/usr/include"]),
];

impl System {
    /// The folders of a platform (the names of [`crate::target::DataModel`]): those of the environment, the built-in headers, the
    /// system's own.
    pub fn folders(&self, platform: &str) -> Vec<Folder> {
        let own = FOLDERS.iter().find(|row| row.0 == platform).map_or(&[][..], |row| row.1);
        // Apple's headers are in an SDK only; the folders of the root are another system's.
        let own = if platform.ends_with("-apple") && self.root.is_none() { &[] } else { own };
        let below_root = |folder: &&str| match &self.root {
            Some(root) => root.join(folder.trim_start_matches('/')),
            None => folder.into(),
        };
        let environment = self.cpath.iter().chain(&self.c_include_path).cloned();
        let own = own.iter().map(below_root).map(Folder::At);
        environment.map(Folder::At).chain([Folder::BuiltIn]).chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_before_the_system() {
        let system = System {
            root: Some("/sdk".into()),
            cpath: vec!["/a".into(), "/b".into()],
            c_include_path: vec!["/c".into()],
        };
        let folders = system.folders("x86_64-sysv");
        let at = |folder: &str| Folder::At(folder.into());
        assert_eq!(folders[..4], [at("/a"), at("/b"), at("/c"), Folder::BuiltIn]);
        assert_eq!(folders[5], at("/sdk/usr/include/x86_64-linux-gnu"));
    }
}
