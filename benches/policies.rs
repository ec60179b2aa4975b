//! The cost of policies: the cases of `benches/cases.lua` under each policy.
//!
//!     cargo bench --bench policies                    nanoseconds an operation, the loop included
//!     cargo bench --bench policies -- instructions    instructions an operation, counted by valgrind: the same on every run
//!
//! The columns of instructions are the open policy, the checked one, the one that counts bytes, and each permission without which a case is
//! slower.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use cthunk::policy::{Limits, Permissions};
use cthunk::{Ffi, Policy};
use mlua::{Lua, Table};

const SCRIPT: &str = include_str!("cases.lua");
/// Code that valgrind does not know: the gate to 32-bit code.
const NOT_COUNTED: &str = "gate";
/// Operations that are counted.
const OPERATIONS: u64 = 10_000;
/// What makes no difference: tables that are searched by address take longer or shorter from run to run. So many instructions
/// an operation, or one in so many.
const NOISE: (u64, u64) = (50, 10);

/// The policies that are not the open one without a permission.
fn presets() -> [(&'static str, Policy); 3] {
    let bytes = Limits { cdata_bytes: Some(1 << 30), ..Limits::NONE };
    [
        ("open", Policy::open()),
        ("checked", Policy::open().checked(true)),
        ("cdata_bytes", Policy::open().limits(bytes)),
    ]
}

/// Every policy, by the name of its column.
fn policies() -> Vec<(&'static str, Policy)> {
    let denied = Permissions::all()
        .iter()
        .flat_map(|it| it.names().map(move |name| (name, Policy::open().deny(it))));
    presets().into_iter().chain(denied).collect()
}

/// A state with a table under a policy, in which `print` collects lines.
fn prepare(policy: Policy) -> mlua::Result<(Lua, Table)> {
    let lua = Lua::new();
    // SAFETY: the script keeps to C's rules.
    let ffi = unsafe { Ffi::builder().policy(policy).install_unconfined(&lua) }?;
    let globals = lua.globals();
    let table = ffi.table().clone();
    globals.set("require", lua.create_function(move |_, _: String| Ok(table.clone()))?)?;
    let lines = lua.create_table()?;
    let sink = lines.clone();
    globals.set("print", lua.create_function(move |_, line: String| sink.push(line))?)?;
    Ok((lua, lines))
}

/// Runs the script with arguments; returns what it prints.
fn run(policy: &Policy, arguments: &[&str]) -> mlua::Result<Vec<String>> {
    let (lua, lines) = prepare(policy.clone())?;
    let arguments = lua.create_sequence_from(arguments.iter().copied())?;
    lua.globals().set("arg", arguments)?;
    let chunk = lua.load(SCRIPT).set_name("=cases.lua").into_function()?;
    measured(&chunk)?;
    lines.sequence_values().collect()
}

/// What valgrind counts, each call of it by itself.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(chunk: &mlua::Function) -> mlua::Result<()> {
    chunk.call(())
}

/// Nanoseconds by case, the best of some rounds in turn.
fn nanoseconds() -> mlua::Result<()> {
    let mut rows: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..3 {
        for (column, (_, policy)) in presets().iter().enumerate() {
            for line in run(policy, &["time"])? {
                let (case, time) = line.split_once('\t').expect("a case and its time");
                let time: f64 = time.parse().expect("a time");
                let row = rows.entry(case.to_owned()).or_insert_with(|| vec![f64::INFINITY; 3]);
                row[column] = row[column].min(time);
            }
        }
    }
    let names: Vec<_> = presets().map(|(name, _)| name).to_vec();
    print_table(
        &names,
        rows.into_iter().map(|(case, row)| (case, row.into_iter().map(Some).collect())),
    );
    Ok(())
}

/// Runs every case of a policy for valgrind: once so that its thunks are compiled, then no operations, then many. A case that the
/// policy refuses is run once; what this prints says so.
fn run_all(policy: &Policy) -> mlua::Result<()> {
    let names = run(&Policy::open(), &[])?;
    let cases = names.iter().flat_map(|names| names.lines()).filter(|case| *case != NOT_COUNTED);
    for case in cases {
        let many = OPERATIONS.to_string();
        let runs = run(policy, &[case, "0"]).is_ok();
        if runs {
            run(policy, &[case, "0"])?;
            run(policy, &[case, &*many])?;
        }
        println!("{case}\t{runs}");
    }
    Ok(())
}

/// What a case costs under a policy.
struct Counted {
    case: String,
    /// Of an operation; `None` where the policy refuses it.
    instructions: Option<u64>,
}

impl Counted {
    fn differs_from(&self, open: &Counted) -> bool {
        self.instructions
            .zip(open.instructions)
            .is_some_and(|(one, open)| one.abs_diff(open) > NOISE.0.max(open / NOISE.1))
    }
}

/// Every case under a policy.
fn count(name: &str, folder: &Path) -> Vec<Counted> {
    let dumps = folder.join(name);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured"])
        .arg("--dump-after=measured")
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(env::current_exe().expect("this program"))
        .args(["run", name])
        .output()
        .expect("valgrind runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {log}");
    // The first is the list of cases.
    let mut dump = 1;
    let mut next = || {
        dump += 1;
        total(&fs::read_to_string(folder.join(format!("{name}.{dump}"))).expect("a dump"))
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(case, runs)| {
            next();
            let instructions = (runs == "true").then(|| {
                let empty = next();
                next().saturating_sub(empty) / OPERATIONS
            });
            Counted { case: case.to_owned(), instructions }
        })
        .collect()
}

/// The instructions of a dump.
fn total(dump: &str) -> u64 {
    let line = dump.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a total");
    line.trim().parse().expect("a number")
}

fn instructions() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies");
    fs::create_dir_all(&folder).expect("a folder");
    let (mut names, mut same) = (Vec::new(), Vec::new());
    let mut columns: Vec<Vec<Counted>> = Vec::new();
    for (name, _) in policies() {
        let column = count(name, &folder);
        let differs = |open: &Vec<Counted>| {
            column.iter().zip(open.iter()).any(|(one, open)| one.differs_from(open))
        };
        if columns.first().is_none_or(differs) {
            names.push(name);
            columns.push(column);
        } else {
            same.push(name);
        }
    }
    let rows = columns[0].iter().enumerate().map(|(i, row)| {
        let counts = columns.iter().map(|column| column[i].instructions.map(|n| n as f64));
        (row.case.clone(), counts.collect())
    });
    print_table(&names, rows);
    println!("\nDenied without a difference: {}.", same.join(", "));
    fs::remove_dir_all(folder).expect("the dumps are there");
}

fn print_table(names: &[&str], rows: impl Iterator<Item = (String, Vec<Option<f64>>)>) {
    println!("| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for (case, cells) in rows {
        let cells =
            cells.into_iter().map(|cell| cell.map_or("".to_owned(), |cell| format!("{cell:.0}")));
        println!("| {case} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

fn main() -> mlua::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => nanoseconds(),
        ["instructions"] => {
            instructions();
            Ok(())
        }
        ["run", name] => {
            let named = policies().into_iter().find(|policy| policy.0 == name);
            run_all(&named.expect("a policy").1)
        }
        _ => panic!("expected nothing, or: instructions"),
    }
}
