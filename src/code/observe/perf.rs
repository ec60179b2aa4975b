//! `/tmp/perf-PID.map`: a line of address, size and name for each piece of code (Linux, tools/perf/Documentation/jit-interface.txt).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;

use crate::code::locks::{Global, Rank};

/// The file of this process, and the process: after a fork the child has another.
static MAP: Global<Mutex<Option<(u32, File)>>> = Global::new(Rank::PerfMap, None);

/// Adds a line. Where that fails, the profile has no names.
pub(super) fn write(name: &str, address: usize, size: usize) {
    let process = std::process::id();
    let mut map = MAP.lock();
    if map.as_ref().is_none_or(|(owner, _)| *owner != process) {
        let path = format!("/tmp/perf-{process}.map");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        *map = match file {
            Ok(file) => Some((process, file)),
            Err(error) => return log::warn!("{path}: {error}"),
        };
    }
    if let Some((_, file)) = &mut *map
        && let Err(error) = writeln!(file, "{address:x} {size:x} {name}")
    {
        log::warn!("perf map: {error}");
    }
}
