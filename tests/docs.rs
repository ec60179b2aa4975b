//! The pages of `docs/` tell the truth.
//!
//! - Each `lua` block of a page in [`PAGES`] runs, in the order of the page, in one Lua state for the page. A line that it prints
//!   stands behind `-->`; `…` stands for any text. A block marked `lua no-run` is skipped.
//! - Each row of the table of messages in `docs/callbacks.md` has code, and that code gives the message.
//! - `docs/environment.md` has a row for each environment variable that the sources, tests and scripts read, and no other.
//! - Links lead to files and headings; files, folders and tests that pages name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "support/needs.rs"]
mod needs;

/// The text of a file of the package.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the tables below a heading, row by row, without the header and the line below it.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let rows = rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect());
    rows.skip(1).collect()
}

/// The headings of the tables in `docs/environment.md`.
const PROGRAM: &str = "When a program runs";
const TESTS: &str = "When the tests run";

/// Adds the names in a text that begin with `CTHUNK_`; one that `_` precedes is a macro of a C header.
fn names(text: &str, found: &mut BTreeSet<String>) {
    for (at, prefix) in text.match_indices("CTHUNK_") {
        if text[..at].ends_with('_') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        found.insert(format!("{prefix}{}", &rest[..end.unwrap_or(rest.len())]));
    }
}

/// Adds those in the files of a folder.
fn names_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => names_in(&path, found),
            false => names(&String::from_utf8_lossy(&fs::read(&path).expect("a file")), found),
        }
    }
}

/// Those in the first cells of a table.
fn listed(page: &str, heading: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    table(page, heading).iter().for_each(|row| names(row[0], &mut found));
    found
}

#[test]
fn every_environment_variable_has_a_row() {
    let page = read("docs/environment.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (heading, other, folders) in [
        (PROGRAM, TESTS, &["src", "cli/src", "module"][..]),
        (TESTS, PROGRAM, &["tests", "cli/tests", "benches", ".ci"]),
    ] {
        let mut used = BTreeSet::new();
        folders.iter().for_each(|folder| names_in(&root.join(folder), &mut used));
        // A name in C that `cthunk emit` writes, one in a test of `getenv`, the prefix alone.
        for none in ["CTHUNK_SLOT", "CTHUNK_NO_SUCH_VARIABLE", "CTHUNK_"] {
            used.remove(none);
        }
        // Comments of either name variables of the other.
        listed(&page, other).iter().for_each(|name| _ = used.remove(name));
        assert_eq!(used, listed(&page, heading), "in {folders:?} (left) and in the page (right)");
    }
}

/// The pages show numbers as a Lua with integers prints them, and sizes and conventions of x86-64 Linux.
#[cfg(all(feature = "_integers", target_arch = "x86_64", target_os = "linux"))]
mod blocks {
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    use mlua::{Lua, MultiValue};

    use super::{needs, read, table};

    /// The pages whose blocks run, and the libraries that these load, with their Debian packages.
    const PAGES: &[(&str, &[(&str, &str)])] = &[
        ("README.md", &[]),
        ("docs/tutorial.md", &[("z", "zlib1g-dev"), ("sqlite3", "libsqlite3-dev")]),
        ("docs/callbacks.md", &[]),
        ("docs/extensions.md", &[]),
        ("docs/threads.md", &[]),
    ];

    /// The blocks of a page as one Lua chunk in which each line has the number that it has in the page.
    fn program(page: &str) -> String {
        let mut lua = false;
        let lines = page.lines().map(|line| {
            let fence = line.starts_with("```");
            lua = if fence { line == "```lua" } else { lua };
            if lua && !fence { line } else { "" }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The first block of a page.
    fn first_block(page: &str) -> &str {
        let block = page.split_once("\n```lua\n").and_then(|(_, rest)| rest.split_once("\n```\n"));
        block.expect("a block of Lua").0
    }

    /// The output that a program announces: line numbers and patterns.
    fn shown(program: &str) -> Vec<(usize, &str)> {
        let lines = program.lines().enumerate();
        lines.filter_map(|(at, line)| Some((at + 1, line.split_once("-->")?.1.trim()))).collect()
    }

    /// A Lua state with `ffi`, whose `print` adds lines to a list.
    fn state() -> (Lua, Arc<Mutex<Vec<String>>>) {
        // SAFETY: the pages have `ffi` as their subject.
        let lua = unsafe { Lua::unsafe_new() };
        // SAFETY: likewise.
        let ffi = unsafe { cthunk::lua::open(&lua) }.expect("opens");
        let loaded: mlua::Table = lua.load("return package.loaded").eval().expect("a table");
        loaded.set("ffi", ffi).expect("memory");
        let printed = Arc::new(Mutex::new(Vec::new()));
        let list = printed.clone();
        let print = lua.create_function(move |lua, values: MultiValue| {
            let tostring: mlua::Function = lua.globals().get("tostring")?;
            let mut words = Vec::new();
            for value in values {
                words.push(tostring.call::<mlua::LuaString>(value)?.to_string_lossy());
            }
            let text = words.join("\t");
            list.lock().expect("no panic").extend(text.lines().map(str::to_owned));
            Ok(())
        });
        lua.globals().set("print", print.expect("memory")).expect("memory");
        (lua, printed)
    }

    /// Whether a text is a pattern, in which `…` stands for any text and white space for any white space.
    fn matches(pattern: &str, text: &str) -> bool {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (pattern, text) = (words(pattern), words(text));
        let mut parts = pattern.split('…').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    #[test]
    fn pages_print_what_they_show() {
        for (page, libraries) in PAGES {
            let (lua, printed) = state();
            let missing = libraries.iter().find_map(|(name, package)| {
                let load = lua.load("require 'ffi'.load(...)").call::<()>(*name);
                load.err().map(|error| format!("{error} (apt-get install {package})"))
            });
            if !needs::has(missing.map_or(Ok(()), Err)) {
                continue;
            }
            let program = program(&read(page));
            let outcome = lua.load(program.as_str()).set_name(format!("@{page}")).exec();
            outcome.unwrap_or_else(|error| panic!("{error}"));
            let printed = std::mem::take(&mut *printed.lock().expect("no panic"));
            let shown = shown(&program);
            assert!(!shown.is_empty(), "{page} shows no output");
            for ((line, pattern), text) in shown.iter().zip(&printed) {
                assert!(
                    matches(pattern, text),
                    "{page}:{line} shows: {pattern}\nand prints: {text}"
                );
            }
            let (more, fewer) = (printed.get(shown.len()), shown.get(printed.len()));
            assert!(
                more.is_none() && fewer.is_none(),
                "{page}: {more:?} is printed, {fewer:?} is not"
            );
        }
    }

    const SCRIPT: &str = "CTHUNK_DOCS_SCRIPT";

    /// Runs the script that the environment has, and prints its error on standard error: [`messages_are_real`] starts a process for it.
    #[test]
    #[ignore = "messages_are_real runs it"]
    fn script() {
        let Ok(script) = std::env::var(SCRIPT) else { return };
        let (lua, _) = state();
        if let Err(error) = lua.load(script).set_name("@script").exec() {
            eprintln!("{error}");
        }
        drop(lua);
    }

    /// Runs a script in a process of its own, and returns its standard error.
    fn errors_of(script: &str) -> String {
        let tests = std::env::current_exe().expect("this test binary");
        let mut command = Command::new(tests);
        // This test alone. It has a thread of its own, so signals of the process may arrive on the main thread.
        let arguments =
            ["--ignored", "--exact", "blocks::script", "--nocapture", "--test-threads=1"];
        command.args(arguments).env(SCRIPT, script);
        let output = command.output().expect("it runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The code beside each message gives it, as an error or on standard error.
    #[test]
    fn messages_are_real() {
        let page = read("docs/callbacks.md");
        let declarations = first_block(&page);
        let rows = table(&page, "Messages");
        assert!(rows.len() >= 25, "{} rows", rows.len());
        let mut wrong = Vec::new();
        for row in &rows {
            let [message, code, _cause, _remedy] = row[..] else { panic!("four cells: {row:?}") };
            let message = message.trim_matches('`');
            let given = match code.strip_prefix("[") {
                // A line break in a string of Rust.
                Some(test) => read(test.split(']').next().unwrap_or_default()).replace("\\\n", ""),
                None => errors_of(&format!("{declarations}\n{}", code.trim_matches('`'))),
            };
            let pattern = format!("…{message}…");
            if !given.lines().any(|line| matches(&pattern, line)) {
                wrong.push(format!("{message}\n  {code} gives:\n{given}"));
            }
        }
        println!("{} messages", rows.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The pages: those at the root and those in `docs/`.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["", "docs/"].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root.join(folder)).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".md")).map(move |name| format!("{folder}{name}"))
    });
    pages.collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| Some(line.strip_prefix('#')?.split_once(' ')?.1));
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Each link of a page to a file leads to one, and to a heading of it where it names one.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut dead = Vec::new();
    let mut count = 0;
    for name in pages() {
        let page = read(&name);
        let folder = root.join(&name).parent().expect("a folder").to_owned();
        for link in page.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { root.join(&name) } else { folder.join(file) };
            let alive = match (file.exists(), anchor) {
                (there, "") => there,
                (there, anchor) => {
                    there && anchors(&fs::read_to_string(file).expect("a page")).contains(anchor)
                }
            };
            if !alive {
                dead.push(format!("{name}: {link}"));
            }
        }
    }
    println!("{count} links");
    assert!(count >= 50 && dead.is_empty(), "{}", dead.join("\n"));
}

/// Each file and folder of the repository that a page names is there, and each test that a command runs.
#[test]
fn paths_in_pages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["src/", "cli/", "tests/", "docs/", "benches/", "module/", "examples/", "fuzz/", ".ci/"];
    let is_test = |name: &str| {
        ["tests", "cli/tests"].iter().any(|folder| root.join(folder).join(name).exists())
    };
    let mut count = 0;
    let mut missing = Vec::new();
    for name in pages() {
        let page = read(&name);
        let words = page.split(|c: char| c.is_whitespace() || "`,:;()[]".contains(c));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let word = pair[0].trim_end_matches('.');
            let found = match pair[1].starts_with("NAME") || word.contains("NAME") {
                true => continue,
                false if word == "--test" => is_test(&format!("{}.rs", pair[1])),
                false if folders.iter().any(|folder| word.starts_with(folder)) => {
                    root.join(word).exists()
                }
                false => continue,
            };
            count += 1;
            if !found {
                missing.push(format!("{name}: {} {}", pair[0], pair[1]));
            }
        }
    }
    println!("{count} paths and tests");
    assert!(count >= 100 && missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

/// Methods of the types that hosts use, by file.
const API: [&str; 7] = [
    "src/policy.rs",
    "src/lua/embed/mod.rs",
    "src/lua/embed/expose.rs",
    "src/lua/embed/inspect.rs",
    "src/lua/embed/lend.rs",
    "src/lua/embed/threads.rs",
    "src/lua/embed/value.rs",
];

/// Every public method of the types that hosts use has an example, which `cargo test --doc` runs.
#[test]
fn every_method_has_an_example() {
    let (mut count, mut without) = (0, Vec::new());
    for file in API {
        let (mut subject, mut example) = (String::new(), false);
        for line in read(file).lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                subject = rest.trim_end_matches(" {").to_owned();
            }
            let method = ["    pub fn ", "    pub unsafe fn "];
            match method.iter().find_map(|start| line.strip_prefix(start)) {
                Some(method) if ["Ffi", "Builder", "Policy", "CValue"].contains(&&*subject) => {
                    count += 1;
                    if !example {
                        without.push(format!("{file}: {subject}::{method}"));
                    }
                }
                _ => {}
            }
            example = line.starts_with("    /// ```") || example && line.starts_with("    ");
            if line == "    }" || line.is_empty() {
                example = false;
            }
        }
    }
    println!("{count} methods");
    assert!(count > 40 && without.is_empty(), "{count} methods, without: {}", without.join("\n"));
}

/// The rooms of `src/lua` are the rows of `ARCHITECTURE.md`, in the order of the table in `src/lua/mod.rs`.
#[test]
fn the_guide_lists_every_room() {
    let page = read("ARCHITECTURE.md");
    let (_, below) = page.split_once("\n| room of `src/lua/` |").expect("the table is there");
    let room = |line: &str| {
        let name = line.strip_prefix("| ")?.trim_start_matches('[').strip_prefix('`')?;
        Some(name.split('`').next()?.to_owned())
    };
    let guide: Vec<String> = below.lines().skip(2).map_while(room).collect();
    let module = read("src/lua/mod.rs");
    let texts = module.lines().filter_map(|line| room(line.strip_prefix("//! ")?));
    assert_eq!(guide, texts.collect::<Vec<_>>(), "ARCHITECTURE.md (left), src/lua/mod.rs (right)");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lua");
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<_> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, guide.into_iter().collect(), "src/lua (left), ARCHITECTURE.md (right)");
}
