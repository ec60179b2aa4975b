//! Where the texts of headers come from.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Reads the files that directives name.
pub trait Files {
    /// The bytes of a file; nothing if there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Whether a file is there.
    fn exists(&self, path: &Path) -> bool;

    /// Whether a folder may have files. Those that have none are not asked for files.
    fn has_folder(&self, _path: &Path) -> bool {
        true
    }

    /// The one name of a file that has several, for `#pragma once`.
    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn has_folder(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || path.is_dir()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }
}

/// Texts by name, without a file system. `#include <zlib.h>` finds the text `zlib.h` if the folder `""` is searched.
#[derive(Clone, Debug, Default)]
pub struct Texts(HashMap<PathBuf, Vec<u8>>);

impl Texts {
    /// Adds a text.
    pub fn insert(&mut self, name: impl Into<PathBuf>, text: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), text.into());
    }
}

impl<N: Into<PathBuf>, T: Into<Vec<u8>>> FromIterator<(N, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(texts: I) -> Texts {
        Texts(texts.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
    }
}

impl Files for Texts {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
}
