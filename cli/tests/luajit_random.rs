//! Random programs under Debian's `luajit` and in LuaJIT mode: the same outcome of every statement.
//!
//! `CTHUNK_CASES=20000 CTHUNK_SEED=1 cargo test --test luajit_random` runs the programs 1 to 20000; a program is replayed by its
//! number: `CTHUNK_CASES=1 CTHUNK_SEED=number`. What fails is printed in its smallest form; `CTHUNK_FAILURES` (3) is how
//! many. docs/luajit-mode.md says what is compared.
#![cfg(not(any(feature = "luajit", feature = "luau")))]

use std::path::Path;

#[path = "luajit_random/draw.rs"]
mod draw;
#[path = "luajit_random/objects.rs"]
mod objects;
#[path = "luajit_random/run.rs"]
mod run;
#[path = "luajit_random/shrink.rs"]
mod shrink;

#[path = "../../tests/support/needs.rs"]
mod needs;

use draw::{Drawer, Program, Templates};
use run::Runner;

/// Programs in one process.
const BATCH: u64 = 250;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn programs_have_the_outcome_that_they_have_under_luajit() {
    if !needs::has(needs::luajit()) {
        return;
    }
    let (seed, cases) = (setting("CTHUNK_SEED", 1), setting("CTHUNK_CASES", 1000));
    let most = setting("CTHUNK_FAILURES", 3) as usize;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("luajit-random-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let runner = Runner { folder, templates: Templates::new() };
    let (mut failures, mut statements) = (Vec::new(), 0);
    let mut number = seed;
    while number < seed + cases && failures.len() < most {
        let end = (number + BATCH).min(seed + cases);
        let draw = |number| Drawer::program(&runner.templates, number);
        let batch: Vec<Program> = (number..end).map(draw).collect();
        statements += batch.iter().map(|program| program.statements.len()).sum::<usize>();
        for differing in runner.differing(&batch).into_iter().take(most - failures.len()) {
            failures.push(shrink::shrink(&runner, draw(differing)));
        }
        number = end;
    }
    std::fs::remove_dir_all(&runner.folder).expect("the folder is ours");
    println!("CTHUNK_SEED={seed} CTHUNK_CASES={}: {statements} statements", number - seed);
    let report = |f: &run::Difference| {
        format!("CTHUNK_CASES=1 CTHUNK_SEED={}\n{}{}", f.number, f.text, f.lines)
    };
    let reports: Vec<_> = failures.iter().map(report).collect();
    assert!(failures.is_empty(), "{} programs differ:\n\n{}", failures.len(), reports.join("\n"));
}
