//! `cthunk bench`: the library's paths on this machine, beside LuaJIT's.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// Measures; see there.
const SCRIPT: &str = include_str!("bench.lua");
/// The case that the others contain: an empty loop.
const LOOP: &str = "loop";

/// Nanoseconds by case.
type Times = BTreeMap<String, f64>;

/// Prints the table.
///
/// # Errors
/// What a run of the script says.
pub(super) fn bench(rounds: u32) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let own = own.to_string_lossy().into_owned();
    let mut columns: Vec<(&str, Vec<&str>)> = vec![("cthunk", vec![&own, "run", "-"])];
    if Command::new("luajit").arg("-v").output().is_ok_and(|output| output.status.success()) {
        columns.push(("luajit -joff", vec!["luajit", "-joff", "-"]));
        columns.push(("luajit", vec!["luajit", "-"]));
    } else {
        println!("luajit is not installed: there is nothing to compare with");
    }
    let mut best = vec![Times::new(); columns.len()];
    for _ in 0..rounds.max(1) {
        // In turn, so that a busy moment of the machine hits all alike.
        for ((_, command), best) in columns.iter().zip(&mut best) {
            for (case, time) in measure(command)? {
                best.entry(case).and_modify(|least| *least = least.min(time)).or_insert(time);
            }
        }
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    print!("{}", table(&names, &best));
    Ok(())
}

/// Runs the script with a command that reads it from standard input.
fn measure(command: &[&str]) -> Result<Times, String> {
    let name = command.join(" ");
    let failed = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .arg("time")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(SCRIPT.as_bytes()).map_err(|error| failed(&error))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    if !output.status.success() {
        return Err(failed(&output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let (case, time) = line.split_once('\t')?;
        Some((case.to_owned(), time.parse().ok()?))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// One line a case: nanoseconds of each column without the loop, and the first column's share of the second.
fn table(names: &[&str], times: &[Times]) -> String {
    let mut text = format!("{:16}", "ns");
    names.iter().for_each(|name| text.push_str(&format!("{name:>14}")));
    text.push('\n');
    let Some(first) = times.first() else { return text };
    for case in first.keys().filter(|case| *case != LOOP) {
        let net = |times: &Times| Some(times.get(case)? - times.get(LOOP)?);
        text.push_str(&format!("{case:16}"));
        for times in times {
            let cell = net(times).map_or_else(|| "-".into(), |ns| format!("{ns:.1}"));
            text.push_str(&format!("{cell:>14}"));
        }
        if let (Some(own), Some(other)) = (net(first), times.get(1).and_then(net)) {
            text.push_str(&format!("   {:.2} of {}", own / other, names[1]));
        }
        text.push('\n');
    }
    text
}
