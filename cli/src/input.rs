//! Text that the command reads.

use std::fs::File;
use std::io::{Error, Read, Result};
use std::path::Path;

/// No file of C declarations is longer: `/dev/zero` and its kin have no end.
const MOST_BYTES: u64 = 256 << 20;

/// The text of a file of C declarations.
pub(crate) fn read_declarations(path: &Path) -> Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    match length as u64 > MOST_BYTES {
        true => Err(Error::other("longer than 256 MiB")),
        false => Ok(text),
    }
}
