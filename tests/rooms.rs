//! The order of the rooms of `src`: a module imports from rooms to the left of its own only.
//!
//! Every path of the source counts, in `use` lines and elsewhere, but for those in comments. An import to the right needs a row in
//! an allow-list, with its reason; a row that nothing needs any more fails, too. The files have at most [`LINES`] lines.

#[path = "rooms/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use imports::{Import, ROOT};

/// How long a file may be.
const LINES: usize = 700;

/// How many files may be directly in `src/lua`.
const FILES: usize = 6;

/// An import to the right: from which file, to which room, and why.
type Exception = (&'static str, &'static str, &'static str);

/// Rooms of one folder, from the ground up.
struct House {
    /// Where it is, from the root of the repository.
    folder: &'static str,
    /// The path of its module.
    module: &'static [&'static str],
    /// Rooms on one line do not import from each other.
    order: &'static [&'static [&'static str]],
    allowed: &'static [Exception],
}

const CRATE: House = House {
    folder: "src",
    module: &[],
    order: &[
        &["suggest"],
        &["error"],
        &["target"],
        &["preprocess"],
        &["ctype"],
        &["abi"],
        &["lower"],
        &["code"],
        &["explain", "emit", "native"],
        &["policy"],
        &["fuzz", "lua"],
    ],
    allowed: &[
        ("src/error.rs", "abi", "its variants hold the errors of the stages"),
        ("src/error.rs", "ctype", "its variants hold the errors of the stages"),
        ("src/lua/call/route/tests.rs", ROOT, "the test opens states as hosts do"),
        ("src/target.rs", "abi", "a target names its convention"),
        ("src/target.rs", "ctype", "a target names its integer types"),
    ],
};

const LUA: House = House {
    folder: "src/lua",
    module: &["lua"],
    order: &[
        &["vm"],
        &["state"],
        &["types"],
        &["sandbox"],
        &["value"],
        &["callback"],
        &["call"],
        &["object"],
        &["fast"],
        &["library"],
        &["luajit"],
        &["embed"],
    ],
    allowed: &[],
};

impl House {
    fn place(&self, room: &str) -> usize {
        // The folder's own file comes after all rooms.
        if room == ROOT {
            return self.order.len();
        }
        self.order.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| {
            panic!("{}: '{room}' has no place in the order of rooms, tests/rooms.rs", self.folder)
        })
    }

    fn is_upward(&self, import: &Import) -> bool {
        import.from != import.to && self.place(&import.to) >= self.place(&import.from)
    }

    fn check(&self) {
        let rooms: BTreeSet<&str> = self.order.iter().copied().flatten().copied().collect();
        let mut upward: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut count = 0;
        for file in sources(Path::new(self.folder)) {
            let name = file.to_str().expect("a name in UTF-8").replace('\\', "/");
            let text = fs::read_to_string(&file).expect("a file of the repository");
            let inside = name.strip_prefix(self.folder).expect("a file of the folder");
            for import in imports::imports(&text, inside, self.module, &rooms) {
                count += 1;
                if self.is_upward(&import) {
                    let lines = upward.entry((name.clone(), import.to.clone())).or_default();
                    lines.push(format!("{name}:{}: {}", import.line, import.path));
                }
            }
        }
        assert!(count > 100, "{}: the test reads no imports", self.folder);
        println!(
            "{}: {count} imports between rooms, {} exceptions, {} rows in the allow-list",
            self.folder,
            upward.len(),
            self.allowed.len()
        );

        let mut mistakes = String::new();
        for ((file, to), lines) in &upward {
            if !self.allowed.iter().any(|(from, room, _)| from == file && room == to) {
                mistakes += &format!(
                    "\n{file} imports from '{to}', a room to its right:\n  {}",
                    lines.join("\n  ")
                );
            }
        }
        for (file, to, _) in self.allowed {
            if !upward.contains_key(&((*file).to_owned(), (*to).to_owned())) {
                mistakes += &format!(
                    "\n{file} imports nothing from '{to}': its row in the allow-list can go"
                );
            }
        }
        assert!(mistakes.is_empty(), "{mistakes}");
    }
}

/// The Rust files of a folder and those below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_module_of_the_crate_imports_from_rooms_to_its_left() {
    CRATE.check();
}

#[test]
fn a_module_of_lua_imports_from_rooms_to_its_left() {
    LUA.check();
}

#[test]
fn one_type_is_the_part_of_a_room() {
    let mut parts = BTreeMap::new();
    for file in sources(Path::new(LUA.folder)) {
        let text = fs::read_to_string(&file).expect("a file of the repository");
        for after in text.split("const ROOM: Room = Room::").skip(1) {
            let room = after.split(';').next().unwrap_or_default().to_owned();
            let own = file.components().nth(2).expect("a folder").as_os_str().to_str();
            assert_eq!(own, Some(&*room.to_lowercase()), "{}: Room::{room}", file.display());
            assert_eq!(parts.insert(room, file.clone()), None, "{} has another", file.display());
        }
    }
    assert!(parts.len() > 5, "the test finds no parts");
}

#[test]
fn every_form_of_an_import_counts() {
    let text = "
        //! In a comment: crate::lua::fast.
        use crate::lua::{state::Cx, call::{self, function::{A, B}}};
        use super::super::library as shelf;
        use super::scalar;
        pub(in crate::lua) fn f() -> crate::lua::Root { super::super::fast::new::make(vec![crate::lua::embed::x]) }
        mod tests { use super::super::scalar; use super::super::super::types::{kind, scope}; }
    ";
    let rooms = LUA.order.iter().copied().flatten().copied().collect();
    let found = imports::imports(text, "/value/to_c.rs", LUA.module, &rooms);
    let found: Vec<(&str, usize)> = found.iter().map(|found| (&*found.to, found.line)).collect();
    let expected = [
        ("state", 3),
        ("call", 3),
        ("call", 3),
        ("call", 3),
        ("library", 4),
        (ROOT, 6),
        ("fast", 6),
        ("embed", 6),
        ("types", 7),
        ("types", 7),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_file_is_short_enough_to_read() {
    let long: Vec<String> = sources(Path::new("src"))
        .into_iter()
        .map(|path| {
            (fs::read_to_string(&path).expect("a file of the repository").lines().count(), path)
        })
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines: {long:?}");
}

#[test]
fn few_files_are_directly_in_the_folder_of_lua() {
    let files = fs::read_dir("src/lua")
        .expect("the folder")
        .flatten()
        .filter(|entry| entry.path().is_file());
    assert!(
        files.count() <= FILES,
        "more than {FILES} files directly in src/lua: which room are they of?"
    );
}
