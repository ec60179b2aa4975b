//! `cthunk bench`: the project's comparison on this machine.
//!
//! Every implementation runs the same rows in turn, round after round; the least time of each counts. The command first looks for the programs that it
//! needs. It names a missing one, and leaves out its column.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs, process};

use super::output;

/// The rows: `bench.lua MODULE` prints `row <TAB> minimum <TAB> median <TAB> samples`, in nanoseconds an operation.
const ROWS: &str = include_str!("bench.lua");
/// The functions that are called.
const FUNCTIONS: &str = include_str!("libbench.c");
/// A binding to them, written by hand for Lua 5.4.
const BINDING: &str = include_str!("benchcapi.c");
/// The row that the others contain: an empty loop.
const LOOP: &str = "loop_empty";
/// The column that the shares are of.
const BY_HAND: &str = "C by hand";

/// A column of the table: who runs the rows.
struct Implementation {
    name: &'static str,
    command: Vec<String>,
    module: &'static str,
}

/// A column's nanoseconds by row.
type Times = HashMap<String, f64>;

/// Prints the table.
///
/// # Errors
/// There is no C compiler; the message of a run that fails.
pub(super) fn bench(rounds: u32) -> Result<(), String> {
    let folder = Folder::new()?;
    folder.write("bench.lua", ROWS)?;
    compile(&folder, "libbench", FUNCTIONS, &[]).map_err(|error| {
        format!("the rows call C functions, which a C compiler builds: {error}")
    })?;
    let implementations = implementations(&folder)?;
    let mut rows = Vec::new();
    let mut columns = vec![Times::new(); implementations.len()];
    for _ in 0..rounds.max(1) {
        // In turn, so that a busy moment of the machine hits all alike.
        for (implementation, times) in implementations.iter().zip(&mut columns) {
            for (row, time) in implementation.measure(&folder)? {
                if !rows.contains(&row) {
                    rows.push(row.clone());
                }
                times.entry(row).and_modify(|least| *least = least.min(time)).or_insert(time);
            }
        }
    }
    let names: Vec<_> = implementations.iter().map(|column| column.name).collect();
    output::say(format_args!("{}", table(&names, &rows, &columns)));
    Ok(())
}

/// Who can run the rows here, ourselves last.
fn implementations(folder: &Folder) -> Result<Vec<Implementation>, String> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut found = Vec::new();
    if answers("luajit", "-v") {
        for (name, command) in [("luajit", &["luajit"][..]), ("luajit -joff", &["luajit", "-joff"])]
        {
            found.push(Implementation { name, command: words(command), module: "ffi" });
        }
    } else {
        output::report(format_args!("luajit is not installed: its columns are left out"));
    }
    match binding(folder) {
        Ok(command) => {
            found.push(Implementation { name: BY_HAND, command, module: "benchcapi" });
        }
        Err(missing) => output::report(format_args!(
            "{missing}: the column of a binding written by hand is left out"
        )),
    }
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let command = words(&[&own.to_string_lossy(), "run"]);
    found.push(Implementation { name: "cthunk run", command, module: "ffi" });
    Ok(found)
}

/// Builds the binding and returns the interpreter for it.
fn binding(folder: &Folder) -> Result<Vec<String>, String> {
    let interpreter = ["lua5.4", "lua"].into_iter().find(|name| is_lua54(name));
    let interpreter = interpreter.ok_or("there is no Lua 5.4 (lua5.4, lua)")?;
    let flags = ["lua5.4", "lua-5.4", "lua54", "lua"].into_iter().find_map(|package| {
        let versions = format!("{package} >= 5.4 {package} < 5.5");
        output(Command::new("pkg-config").args(["--cflags", &versions])).ok()
    });
    let flags = flags.ok_or("pkg-config finds no headers of Lua 5.4 (package liblua5.4-dev)")?;
    let library = folder.path("libbench.so");
    let mut arguments: Vec<&OsStr> = flags.split_whitespace().map(OsStr::new).collect();
    arguments.push(library.as_os_str());
    compile(folder, "benchcapi", BINDING, &arguments)?;
    Ok(vec![interpreter.to_owned()])
}

fn is_lua54(name: &str) -> bool {
    output(Command::new(name).args(["-e", "print(_VERSION)"])).is_ok_and(|v| v.trim() == "Lua 5.4")
}

fn answers(command: &str, argument: &str) -> bool {
    output(Command::new(command).arg(argument)).is_ok()
}

/// Compiles a C text to a shared library.
fn compile(folder: &Folder, name: &str, text: &str, arguments: &[&OsStr]) -> Result<(), String> {
    let source = folder.write(&format!("{name}.c"), text)?;
    let mut command = Command::new("cc");
    command.args(["-O2", "-fPIC", "-shared", "-o"]).arg(folder.path(&format!("{name}.so")));
    output(command.arg(source).args(arguments)).map(|_| ())
}

/// Runs a command to its end, and returns its output.
///
/// # Errors
/// The command cannot be started, or fails; the message has its standard error.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if !output.status.success() {
        let report = String::from_utf8_lossy(&output.stderr);
        let report = report.lines().next().unwrap_or("it says nothing");
        return Err(format!("{name} failed ({}): {report}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Implementation {
    /// Runs the rows: their names and times, as far as it has them.
    fn measure(&self, folder: &Folder) -> Result<Vec<(String, f64)>, String> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(folder.path("bench.lua")).arg(self.module);
        command.env("BENCH_LIB", folder.path("libbench.so")).envs([("REPS", "5"), ("MS", "8")]);
        command.env("LUA_CPATH", folder.path("?.so")).env_remove("LUA_CPATH_5_4");
        command.env_remove("LUA_INIT").env_remove("LUA_INIT_5_4");
        let text = output(&mut command)?;
        let row = |line: &str| {
            let mut cells = line.split('\t');
            Some((cells.next()?.to_owned(), cells.next()?.parse().ok()?))
        };
        Ok(text.lines().filter_map(row).collect())
    }
}

/// One line a row: nanoseconds of each column, and without the loop the last column's share of the binding's.
fn table(names: &[&str], rows: &[String], columns: &[Times]) -> String {
    let mut text = format!("{:30}", "ns an operation");
    names.iter().for_each(|name| text.push_str(&format!("{name:>14}")));
    let by_hand = names.iter().position(|name| *name == BY_HAND);
    text.push_str(if by_hand.is_some() {
        "   share of C by hand, without the loop\n"
    } else {
        "\n"
    });
    for row in rows {
        text.push_str(&format!("{row:30}"));
        for times in columns {
            let cell = times.get(row).map_or_else(|| "-".into(), |ns| format!("{ns:.1}"));
            text.push_str(&format!("{cell:>14}"));
        }
        let net = |times: &Times| Some(times.get(row)? - times.get(LOOP)?);
        let own = columns.last().and_then(net);
        if let (Some(own), Some(other)) = (own, by_hand.and_then(|at| net(&columns[at])))
            && row != LOOP
        {
            text.push_str(&format!("   {:.2}", own / other));
        }
        text.push('\n');
    }
    text
}

/// A temporary folder, which goes with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, String> {
        let path = env::temp_dir().join(format!("cthunk-bench-{}", process::id()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        let written = fs::write(&path, text);
        written.map(|()| path.clone()).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
