//! Scripts under policies: every row of the tables in docs/security.md.

use cthunk::policy::{Limits, Permissions, Unconfined};
use cthunk::{Ffi, Policy};
use mlua::Lua;

/// The message of the error that a script ends with.
fn refused(lua: &Lua, script: &str) -> String {
    match lua.load(script).exec() {
        Ok(()) => panic!("nothing stops {script}"),
        Err(error) => error.to_string(),
    }
}

fn installed(policy: Policy) -> (Lua, Ffi) {
    let lua = Lua::new();
    // SAFETY: the scripts below are this file's.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    (lua, ffi.expect("installs"))
}

#[test]
fn a_policy_that_confines_nothing_is_not_installed_safely() {
    let lua = Lua::new();
    let install = |policy| Ffi::builder().policy(policy).install(&lua).map(drop);
    assert!(install(Policy::data_only()).is_ok());
    let message = install(Policy::open()).unwrap_err().to_string();
    assert!(message.contains(&Unconfined::Unchecked.to_string()), "{message}");
    let message = install(Policy::data_only().allow(Permissions::LOAD)).unwrap_err().to_string();
    assert!(message.contains("permission `load`"), "{message}");
}

#[test]
fn one_state_can_have_several_policies() {
    let lua = Lua::new();
    let install = |name: &str, policy| Ffi::builder().policy(policy).global(name).install(&lua);
    install("data", Policy::data_only()).expect("installs");
    install("declared", Policy::declared_only()).expect("installs");
    lua.load("data.cdef 'typedef int number;' assert(data.sizeof 'number' == 4)")
        .exec()
        .expect("declares");
    let message = refused(&lua, "declared.cdef 'typedef int number;'");
    assert!(message.contains("permission `declare_types`"), "{message}");
    let message = refused(&lua, "declared.sizeof 'number'");
    assert!(message.contains("number"), "{message}");
    // A value of one table is no value of the other.
    let message = refused(&lua, "declared.cast('void *', data.new('int[4]'))");
    assert!(message.contains("permission `userdata_to_pointer`"), "{message}");
}

#[test]
fn limits_hold() {
    let limits = Limits {
        cdata_bytes: Some(1 << 16),
        callbacks: Some(3),
        thunks: Some(1),
        declaration_bytes: Some(2000),
        types: Some(1000),
        ..Limits::NONE
    };
    let (lua, _ffi) = installed(Policy::open().limits(limits));
    let message = refused(&lua, "keep = {} for i = 1, 1000 do keep[i] = ffi.new('char[1000]') end");
    assert!(message.contains("limit `cdata_bytes`"), "{message}");
    lua.load("keep = nil for i = 1, 1000 do local _ = ffi.new('char[1000]') end")
        .exec()
        .expect("garbage is free");
    let message =
        refused(&lua, "for i = 1, 4 do ffi.cast('int (*)(int)', function(n) return n end) end");
    assert!(message.contains("limit `callbacks`"), "{message}");
    let message = refused(&lua, "for i = 1, 1000 do ffi.typeof('int[' .. i .. ']') end");
    assert!(message.contains("limit `declaration_bytes`"), "{message}");
    let message =
        refused(&lua, "local p = ffi.new 'int[1]' for _ = 1, 1000 do p = ffi.addressof(p) end");
    assert!(message.contains("limit `types`"), "{message}");
}

/// A row of a table of docs/security.md: what, the script, and the verdict under each preset.
struct Row {
    what: &'static str,
    script: &'static str,
    verdicts: [&'static str; 3],
}

/// The rows that have a script.
fn rows() -> Vec<Row> {
    let cells = |line: &'static str| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let mut next = || cells.next().map(|cell| cell.trim_matches('`'));
        let (what, script) = (next()?, next()?);
        Some(Row { what, script, verdicts: [next()?, next()?, next()?] })
    };
    include_str!("../docs/security.md")
        .lines()
        .filter_map(cells)
        .filter(|row| row.what != "what")
        .collect()
}

/// A table with what the document says that the host has declared.
fn prepared(policy: Policy) -> Lua {
    let lua = Lua::new();
    // SAFETY: the scripts of the document are ours, and use nothing that is not there.
    let ffi = unsafe { Ffi::builder().policy(policy).global("ffi").install_unconfined(&lua) };
    let ffi = ffi.expect("installs");
    let declarations = "struct point { int x, y; }; union word { void *p; long n; }; struct object;
        typedef int callback(int); int abs(int); int snprintf(char *text, size_t size, const char *format, ...);";
    // SAFETY: that is what the C library has.
    unsafe { ffi.declare(declarations) }.expect("declares");
    ffi.closure("struct object *object(void);", || 4096_usize as *mut u8).expect("exposes");
    let globals = lua.globals();
    globals.set("userdata", lua.create_any_userdata(5).expect("memory")).expect("memory");
    globals.set("light", mlua::LightUserData(4096 as *mut _)).expect("memory");
    lua
}

#[test]
fn the_tables_of_the_document_hold() {
    let presets = [Policy::open(), Policy::data_only(), Policy::declared_only()];
    let rows = rows();
    assert!(rows.len() > 30, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        for (policy, verdict) in presets.iter().zip(row.verdicts) {
            let outcome = prepared(policy.clone()).load(row.script).exec();
            let holds = match &outcome {
                Ok(()) => verdict == "yes",
                Err(error) => {
                    verdict != "yes"
                        && error.to_string().contains(&format!("(permission `{verdict}`)"))
                }
            };
            if !holds {
                wrong.push(format!("{}: not {verdict}, but {outcome:?}", row.what));
            }
        }
    }
    println!("{} rows under {} presets", rows.len(), presets.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each rule of the document is cited where the source keeps it, and the source cites no other.
#[test]
fn the_source_cites_the_rules_of_the_document() {
    fn read(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => read(&path, text),
                false if path.extension().is_some_and(|ext| ext == "rs") => {
                    *text += &std::fs::read_to_string(&path).expect("a source");
                }
                false => {}
            }
        }
    }
    let names = |text: &str| -> std::collections::BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let is_rule = |word: &&str| match word.split_once('-') {
            Some(("MEM" | "CODE" | "CALL", number)) => number.parse::<u32>().is_ok(),
            _ => false,
        };
        words.filter(is_rule).map(str::to_owned).collect()
    };
    let mut source = String::new();
    read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut source);
    assert_eq!(names(&source), names(include_str!("../docs/security.md")));
}

/// Every permission is refused by a row of the document, or elsewhere: arithmetic below, contracts in `tests/escape.rs`.
#[test]
fn every_permission_has_a_row() {
    let refused: Vec<&str> = rows().iter().flat_map(|row| row.verdicts).collect();
    let elsewhere = Permissions::UNCONTRACTED_POINTERS | Permissions::POINTER_ARITHMETIC;
    for permission in (Permissions::all() - elsewhere).names() {
        assert!(refused.contains(&permission), "{permission}");
    }
}

/// Each refusal of scripts that have what their host declared has a script of the plugin host that runs into it.
#[test]
fn every_refusal_has_a_script() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embed/refused");
    let firsts: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a script"))
        .map(|script| script.lines().next().unwrap_or_default().to_owned())
        .collect();
    for permission in Permissions::all().names() {
        let rows = rows().iter().filter(|row| row.verdicts[2] == permission).count();
        let named = format!("(permission `{permission}`)");
        let names =
            |first: &&String| first.strip_prefix("-- ").is_some_and(|it| named.contains(it));
        let scripts = firsts.iter().filter(names).count();
        assert!(scripts >= rows, "{permission}: {rows} rows, {scripts} scripts");
    }
}

/// The same names of libraries and symbols that the policy has, whoever asks.
#[test]
fn names_that_are_not_allowed_are_not_found() {
    let policy = Policy::open().only_symbols(["abs"]).only_libraries(["m"]);
    let (lua, _ffi) = installed(policy);
    lua.load("ffi.cdef 'int abs(int); long labs(long); double floor(double);' assert(ffi.C.abs(-1) == 1)").exec().unwrap();
    let message = refused(&lua, "ffi.C.labs(1)");
    assert!(message.contains("symbol 'labs'"), "{message}");
    let message = refused(&lua, "ffi.cdef 'long other(long) __asm__(\"labs\");' ffi.C.other(1)");
    assert!(message.contains("symbol 'labs'"), "{message}");
    let message = refused(&lua, "ffi.load 'c'");
    assert!(message.contains("library 'c'"), "{message}");
    let message = refused(&lua, "ffi.load('m').floor(1)");
    assert!(message.contains("symbol 'floor'"), "{message}");
}

#[test]
fn arithmetic_on_pointers_can_be_denied() {
    let (lua, _ffi) = installed(Policy::data_only().deny(Permissions::POINTER_ARITHMETIC));
    lua.load("array = ffi.new 'int[4]' pointer = ffi.cast('int *', array) assert(pointer - pointer == 0)")
        .exec()
        .expect("a difference is a number");
    for script in [
        "pointer + 1",
        "1 + pointer",
        "pointer - 1",
        "array + 1",
        "ffi.scope().cast('char *', pointer) + 1",
    ] {
        let message = refused(&lua, &format!("return {script}"));
        assert!(message.contains("permission `pointer_arithmetic`"), "{script}: {message}");
    }
}

/// After `seal`, `require` finds the host's modules, and Lua files that are source text.
#[test]
#[cfg_attr(feature = "luau", ignore = "Luau's `require` has no `package.path`")]
fn sealed_states_require_source_text() {
    // SAFETY: the scripts are below.
    let lua = unsafe { Lua::unsafe_new() };
    let _ffi = Ffi::builder().policy(Policy::data_only()).preload("ffi").install(&lua).unwrap();
    let folder = env!("CARGO_TARGET_TMPDIR");
    lua.globals().set("folder", folder).unwrap();
    lua.load("package.path = folder .. '/missing/?.lua;' .. folder .. '/?.lua;/dev/zero'")
        .exec()
        .unwrap();
    cthunk::lua::seal(&lua).unwrap();
    std::fs::create_dir_all(format!("{folder}/of_a_script")).unwrap();
    std::fs::write(format!("{folder}/of_a_script/source.lua"), "local name = ... return { name }")
        .unwrap();
    let script = "package.path = '/etc/passwd'
         assert(require('of_a_script.source')[1] == 'of_a_script.source')
         assert(require('of_a_script.source') == require('of_a_script.source'))
         assert(require('ffi').sizeof('int') == 4 and not require('ffi').typeinfo)";
    lua.load(script).exec().unwrap();
    let message = refused(&lua, "require 'of_a_script.nothing'");
    assert!(message.contains("missing/of_a_script/nothing.lua'"), "{message}");
    assert!(message.contains("no file '/dev/zero' (not a regular file)"), "{message}");
    for closed in [
        "io.open('/proc/self/mem', 'r+')",
        "io.popen 'true'",
        "io.lines '/etc/passwd'",
        "os.execute 'true'",
        "os.exit()",
        "os.getenv 'HOME'",
        "os.remove 'x'",
    ] {
        let message = refused(&lua, closed);
        assert!(message.contains("not permitted: "), "{closed}: {message}");
    }
    lua.load("assert(os.time() > 0 and os.clock() >= 0) io.write('')").exec().unwrap();
    std::fs::write(format!("{folder}/of_a_script/wrong.lua"), "return (").unwrap();
    let message = refused(&lua, "require 'of_a_script.wrong'");
    assert!(message.contains("wrong.lua:1:"), "{message}");
}
