//! From a library name to a file: LuaJIT's rules, then version suffixes and linker scripts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::code::os::{LIBRARY_PREFIX as PREFIX, Library, is_path, library_folders};
use crate::suggest::did_you_mean;

/// Opens a library by name.
///
/// - With a `/` the name is a path. Without, `lib` is put in front unless it is there, and `.so` behind unless the name
///   has a `.`; the system's loader searches it.
/// - Where the file turns out to be a linker script (a text, as `libc.so` of a development package is), the library that
///   it names is opened.
/// - Where only versioned files exist (`libsqlite3.so.0`, as without the development package), the highest version is.
/// - Where only a library with a version in its name exists (`libSDL2-2.0.so.0` for `SDL2`), it is that.
///
/// # Errors
/// The loader's message, and where else was looked.
pub(in crate::lua) fn open(name: &str, global: bool) -> Result<Library, String> {
    let file = file_name(name);
    // The loader would wait for a pipe's other end.
    if is_path(&file) && fs::metadata(&file).is_ok_and(|found| !found.is_file()) {
        return Err(format!("{file}: not a regular file"));
    }
    let error = match Library::open(&file, global) {
        Ok(library) => return Ok(library),
        Err(error) => error,
    };
    if let Some(target) = linker_script_in(&error) {
        return Library::open(&target, global)
            .map_err(|second| format!("{error}; the linker script names '{target}': {second}"));
    }
    if is_path(name) {
        return Err(error);
    }
    let directories = library_folders();
    if let Some(found) = directories.iter().filter_map(|dir| newest_version(dir, &file)).max() {
        return Library::open(&found.path.to_string_lossy(), global);
    }
    // A `.` may be part of the name, as in `lua5.4`.
    if !name.contains(SUFFIX) {
        let file = format!("{file}{SUFFIX}");
        let newest = directories.iter().filter_map(|dir| newest_version(dir, &file)).max();
        let path = newest.map_or(file, |found| found.path.to_string_lossy().into_owned());
        if let Ok(library) = Library::open(&path, global) {
            return Ok(library);
        }
    }
    if file != name
        && let Ok(library) = Library::open(name, global)
    {
        return Ok(library);
    }
    let relatives = relatives(&directories, name);
    if let [only] = &relatives.values().collect::<Vec<_>>()[..] {
        return Library::open(&only.path.to_string_lossy(), global);
    }
    let hint = hint(&relatives, &directories, name);
    let looked: Vec<_> = directories.iter().map(|dir| dir.display().to_string()).collect();
    Err(format!("{error} (nor is there a '{file}.N' in {}){hint}", looked.join(", ")))
}

const SUFFIX: &str = std::env::consts::DLL_SUFFIX;

fn file_name(name: &str) -> String {
    if is_path(name) {
        return name.to_owned();
    }
    let prefix = if name.starts_with(PREFIX) { "" } else { PREFIX };
    let suffix = if name.contains('.') { "" } else { SUFFIX };
    format!("{prefix}{name}{suffix}")
}

/// The library that a linker script names, where the loader's message is that a file is not a library and the file is
/// such a script. The message starts with the path: "/usr/lib/libc.so: invalid ELF header".
fn linker_script_in(error: &str) -> Option<String> {
    let path = error.split(':').next().filter(|path| path.starts_with('/'))?;
    // A device has no size, and some never end.
    let file = fs::metadata(path).ok().filter(|file| file.is_file() && file.len() < 64 * 1024)?;
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(file.len()).read_to_end(&mut text).ok()?;
    linker_script_target(&String::from_utf8_lossy(&text))
}

/// The first library in the `INPUT` or `GROUP` of a linker script.
fn linker_script_target(text: &str) -> Option<String> {
    let list = ["GROUP", "INPUT"].iter().find_map(|command| {
        let (_, rest) = text.split_once(command)?;
        rest.trim_start().strip_prefix('(')
    })?;
    let list = list.split(')').next()?;
    let target = list
        .split([' ', '\t', '\n', ',', '('])
        .find(|word| !word.is_empty() && *word != "AS_NEEDED")?;
    Some(match target.strip_prefix("-l") {
        Some(name) => file_name(name),
        None => target.to_owned(),
    })
}

/// A library file with a version.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Versioned {
    version: Vec<u64>,
    path: PathBuf,
}

/// The file `FILE.N[.N…]` of a folder with the highest version.
fn newest_version(directory: &Path, file: &str) -> Option<Versioned> {
    let entries = fs::read_dir(directory).ok()?;
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let version = name.to_str()?.strip_prefix(file)?.strip_prefix('.')?;
            let version =
                version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            Some(Versioned { version, path: directory.join(name) })
        })
        .max()
}

/// The libraries whose names are a name and a version, `libSDL2-2.0.so.0` for SDL2: of each the newest file.
fn relatives(directories: &[PathBuf], name: &str) -> BTreeMap<String, Versioned> {
    let mut found = BTreeMap::new();
    for (directory, library, versions) in libraries(directories) {
        let rest = library.strip_prefix(name).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        let is_version = |rest: &str| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        if !rest.is_some_and(is_version) {
            continue;
        }
        let path = directory.join(format!("{PREFIX}{library}{SUFFIX}{versions}"));
        let version = versions.split('.').filter_map(|part| part.parse().ok()).collect();
        let file = Versioned { version, path };
        match found.get(&library) {
            Some(known) if *known >= file => {}
            _ => drop(found.insert(library, file)),
        }
    }
    found
}

/// Every library of some folders: the folder, the name, and what follows `.so`.
fn libraries(directories: &[PathBuf]) -> Vec<(&Path, String, String)> {
    let mut found = Vec::new();
    for directory in directories {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let split = name.strip_prefix(PREFIX).and_then(|name| name.split_once(SUFFIX));
            if let Some((library, versions)) = split
                && (versions.is_empty() || versions.starts_with('.'))
            {
                found.push((&**directory, library.to_owned(), versions.to_owned()));
            }
        }
    }
    found
}

/// Which libraries a name may stand for.
fn hint(relatives: &BTreeMap<String, Versioned>, directories: &[PathBuf], name: &str) -> String {
    if !relatives.is_empty() {
        let names: Vec<_> = relatives.keys().map(|name| format!("'{name}'")).collect();
        return format!("; there are {}", names.join(", "));
    }
    let all = libraries(directories);
    let near = did_you_mean(name, all.iter().map(|(_, library, _)| &**library));
    near.map_or(String::new(), |hint| format!("; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linker_scripts_name_their_library() {
        let glibc = "/* GNU ld script\n   Use the shared library, but some functions are only in\n   the static library. */\n\
            OUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/libc_nonshared.a  AS_NEEDED ( /lib64/ld.so.2 ) )\n";
        assert_eq!(linker_script_target(glibc).as_deref(), Some("/lib/x86_64-linux-gnu/libc.so.6"));
        assert_eq!(linker_script_target("INPUT(libtinfo.so.6)").as_deref(), Some("libtinfo.so.6"));
        assert_eq!(linker_script_target("INPUT(AS_NEEDED(a.so))").as_deref(), Some("a.so"));
        assert_eq!(linker_script_target("INPUT()"), None);
        assert_eq!(linker_script_target("\u{7f}ELF"), None);
    }

    #[test]
    fn names_become_files_as_in_luajit() {
        for (name, file) in [
            ("z", format!("{PREFIX}z{SUFFIX}")),
            ("libz", format!("libz{SUFFIX}")),
            ("z.so.1", format!("{PREFIX}z.so.1")),
            ("/tmp/x.so", "/tmp/x.so".into()),
            ("./x", "./x".into()),
        ] {
            assert_eq!(file_name(name), file);
        }
    }

    #[test]
    fn the_highest_version_wins() {
        let dir = std::env::temp_dir().join(format!("cthunk-versions-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a temporary folder");
        for name in
            ["libq.so.2", "libq.so.10", "libq.so.10.1", "libq.so.9.9", "libq.so.x", "libqq.so.99"]
        {
            fs::write(dir.join(name), "").expect("a file");
        }
        let newest = newest_version(&dir, "libq.so").map(|found| found.path);
        assert_eq!(newest, Some(dir.join("libq.so.10.1")));
        for name in [
            "libr-2.0.so.0",
            "libr-2.0.so.0.1",
            "libr-x.so.1",
            "librr-1.so.1",
            "libt-3.so.0",
            "libt-4.so.1",
        ] {
            fs::write(dir.join(name), "").expect("a file");
        }
        let found = relatives(std::slice::from_ref(&dir), "r");
        let paths: Vec<_> = found.values().map(|file| file.path.clone()).collect();
        assert_eq!(paths, [dir.join("libr-2.0.so.0.1")]);
        let found = relatives(std::slice::from_ref(&dir), "t");
        let directories = [dir.clone()];
        assert_eq!(hint(&found, &directories, "t"), "; there are 't-3', 't-4'");
        assert_eq!(hint(&BTreeMap::new(), &directories, "rr-2"), "; did you mean 'rr-1'?");
        fs::remove_dir_all(&dir).expect("removed");
    }
}
